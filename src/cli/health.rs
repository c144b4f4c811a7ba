//! `farthing health`: asks a running service whether it is alive, for a container's health check.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};

use axum::http::Uri;
use clap::Args;

use super::Failure;

const PATIENCE: Duration = Duration::from_secs(3);

/// Ask a running service whether it is alive.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0: alive. 1: not. In a Dockerfile: HEALTHCHECK CMD [\"farthing\", \"health\"]"
)]
pub(super) struct Health {
    /// What to ask [default: /healthz at the address that `serve` would listen on]
    #[arg(long, env = "FARTHING_HEALTH_URL", value_name = "URL", value_parser = plain_http)]
    url: Option<Uri>,

    /// The address that `serve` listens on
    #[arg(long, env = "FARTHING_LISTEN", default_value = "127.0.0.1:8080", hide = true)]
    listen: SocketAddr,
}

impl Health {
    pub(super) fn run(self) -> Result<(), Failure> {
        let url = match self.url {
            Some(url) => url,
            None => own_url(self.listen)?,
        };
        let status = ask(&url).map_err(|error| format!("{url} does not answer: {error}"))?;
        match status.as_str() {
            "200" => Ok(()),
            other => Err(format!("{url} answers {other}")),
        }
    }
}

/// Where a service on this machine that listens there is reached.
fn own_url(listen: SocketAddr) -> Result<Uri, Failure> {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(match listen {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let url = format!("http://{address}/healthz").parse();
    url.map_err(|error| format!("{address} cannot be asked: {error}"))
}

fn plain_http(text: &str) -> Result<Uri, &'static str> {
    let uri = text.parse::<Uri>().ok();
    let uri = uri.filter(|uri| uri.scheme_str() == Some("http") && uri.host().is_some());
    uri.ok_or("an http:// address, such as http://127.0.0.1:8080/healthz")
}

/// The status with which a plain HTTP/1.1 request is answered. One request needs no client library.
fn ask(url: &Uri) -> std::io::Result<String> {
    let host = url.host().unwrap_or_default();
    let port = url.port_u16().unwrap_or(80);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = (bare, port).to_socket_addrs()?.next();
    let address = address.ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}:{port}\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes())?;
    let mut head = [0; "HTTP/1.1 200".len()];
    connection.read_exact(&mut head)?;
    let status = head.strip_prefix(b"HTTP/1.1 ").map(String::from_utf8_lossy);
    status.map(std::borrow::Cow::into_owned).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A service that answers one request with one status line.
    fn answering(status_line: &'static str) -> Health {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let read = connection.read(&mut [0; 1024]).unwrap();
            assert!(read > 0);
            write!(connection, "{status_line}\r\ncontent-length: 0\r\n\r\n").unwrap();
        });
        Health { url: None, listen }
    }

    #[test]
    fn a_service_that_answers_200_is_alive() {
        assert_eq!(answering("HTTP/1.1 200 OK").run(), Ok(()));
    }

    #[test]
    fn a_service_that_answers_anything_else_is_not() {
        let failure = answering("HTTP/1.1 503 Service Unavailable").run().unwrap_err();
        assert!(failure.ends_with("answers 503"), "{failure}");
    }

    #[test]
    fn a_port_on_which_nobody_listens_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listen = listener.local_addr().unwrap();
        drop(listener);
        let failure = Health { url: None, listen }.run().unwrap_err();
        assert!(failure.contains("does not answer"), "{failure}");
    }

    #[test]
    fn a_service_that_listens_everywhere_is_asked_on_this_machine() {
        let url = |listen: &str| own_url(listen.parse().unwrap()).unwrap().to_string();
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80/healthz");
        assert_eq!(url("[::]:8080"), "http://[::1]:8080/healthz");
    }
}
