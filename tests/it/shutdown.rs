//! A stop finishes what has been begun, and nothing can hold it up for ever.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use farthing::{cli::serve::serve, http::Settings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

use crate::helpers::app_with;

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(grace: Duration) -> Server {
    start_with(Settings::default(), grace).await
}

async fn start_with(settings: Settings, grace: Duration) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async {
        stopped.await.unwrap();
    };
    let app = app_with(settings);
    let ended = tokio::spawn(serve(listener, app, stopped, grace));
    Server { address, stop, ended }
}

const HALF: &str = "GET /healthz HTTP/1.1\r\nhost: farthing\r\n";
const REST: &str = "connection: close\r\n\r\n";

/// Sends the first half of a request and waits until the server must have seen it.
async fn half_a_request(server: &Server) -> TcpStream {
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    connection.write_all(HALF.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    connection
}

#[tokio::test]
async fn a_running_server_answers() {
    let server = start(Duration::from_secs(5)).await;
    let mut connection = half_a_request(&server).await;
    connection.write_all(REST.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[tokio::test]
async fn a_request_begun_before_the_stop_is_answered() {
    let server = start(Duration::from_secs(5)).await;
    let mut connection = half_a_request(&server).await;
    server.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    connection.write_all(REST.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    server.ended.await.unwrap();
}

#[tokio::test]
async fn no_connection_is_taken_after_the_stop() {
    let server = start(Duration::from_secs(5)).await;
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_stop() {
    let server = start(Duration::from_mins(1)).await;
    let _idle = TcpStream::connect(server.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn half_a_request_holds_up_the_stop_no_longer_than_the_grace() {
    let server = start(Duration::from_millis(200)).await;
    let _half = half_a_request(&server).await;
    let began = Instant::now();
    server.stop.send(()).unwrap();
    timeout(Duration::from_secs(5), server.ended).await.unwrap().unwrap();
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_head_that_never_ends_is_given_up() {
    let settings = Settings { timeout: Duration::from_millis(200), ..Settings::default() };
    let server = start_with(settings, Duration::from_secs(5)).await;
    let mut half = half_a_request(&server).await;
    let began = Instant::now();
    let mut answer = Vec::new();
    let closed = timeout(Duration::from_secs(5), half.read_to_end(&mut answer)).await;
    assert!(closed.is_ok(), "the connection is still open after {:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let server = start(Duration::from_secs(5)).await;
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..3 {
        connection.write_all(format!("{HALF}\r\n").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = connection.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}
