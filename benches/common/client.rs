//! A small HTTP/1.1 client: connections that are kept, one request at a time on each.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// The bytes of a POST.
pub(crate) fn post(path: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n\
         content-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The bytes of a GET.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: */*\r\n\r\n").into_bytes()
}

/// A connection, and what has arrived on it.
pub(crate) struct Connection {
    stream: TcpStream,
    arrived: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, arrived: Vec::with_capacity(16 * 1024) }
    }

    /// Sends a request and takes in the whole answer: its body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> &[u8] {
        self.stream.write_all(request).await.unwrap();
        self.arrived.clear();
        let (body, end) = loop {
            let read = self.stream.read_buf(&mut self.arrived).await.unwrap();
            assert!(read > 0, "the server hung up");
            if let Some((body, length)) = head(&self.arrived)
                && self.arrived.len() >= body + length
            {
                break (body, body + length);
            }
        };
        assert!(self.arrived.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&self.arrived));
        &self.arrived[body..end]
    }
}

/// Where the body begins, and how long it is; once the whole head is there.
fn head(answer: &[u8]) -> Option<(usize, usize)> {
    const LENGTH: &[u8] = b"content-length: ";
    let end = memchr::memmem::find(answer, b"\r\n\r\n")? + 4;
    let at = memchr::memmem::find(&answer[..end], LENGTH)? + LENGTH.len();
    let digits = answer[at..end].iter().take_while(|byte| byte.is_ascii_digit());
    Some((end, digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'))))
}

/// The same request over and over on several connections, for a while: how long each took.
pub(crate) fn load(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    lasts: Duration,
) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ends = Instant::now() + lasts;
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            let request = request.to_vec();
            clients.spawn(async move {
                let mut connection = Connection::open(address).await;
                let mut took = Vec::with_capacity(1 << 16);
                while Instant::now() < ends {
                    let began = Instant::now();
                    connection.exchange(&request).await;
                    took.push(began.elapsed());
                }
                took
            });
        }
        clients.join_all().await.into_iter().flatten().collect()
    })
}

/// The same request so many times, one after the other; the last answer's body.
pub(crate) fn repeat(address: SocketAddr, request: &[u8], times: usize) -> Vec<u8> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(address).await;
        for _ in 1..times {
            connection.exchange(request).await;
        }
        connection.exchange(request).await.to_vec()
    })
}
