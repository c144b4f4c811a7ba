//! Connections: taken one after another, each bounded in time, all of them finished at a stop.
//!
//! `axum::serve` waits for ever for the head of a request. A client that never finishes it would keep its
//! connection, and enough of those keep everybody else's: so hyper is driven here, with a bound on that wait.

use std::{pin::pin, time::Duration};

use axum::{Router, serve::Listener};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, time::timeout};

/// Some connections were still being answered when the patience ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished;

/// Answers connections until `stop`, then finishes what has been begun, for as long as `grace`. The head of each
/// request must arrive within `head_timeout`, which is also how long a connection may idle.
///
/// # Errors
/// When something was still unfinished after `grace`.
pub async fn run(
    mut listener: TcpListener,
    router: Router,
    head_timeout: Duration,
    stop: impl Future<Output = ()>,
    grace: Duration,
) -> Result<(), Unfinished> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        // axum's listener waits and tries again when the system is out of connections.
        let (connection, _) = tokio::select! {
            taken = Listener::accept(&mut listener) => taken,
            () = &mut stop => break,
        };
        // An answer is one write: waiting for more to fill a packet would only delay it.
        connection.set_nodelay(true).ok();
        let service = TowerToHyperService::new(router.clone());
        let answering = open.watch(http.serve_connection(TokioIo::new(connection), service));
        tokio::spawn(async move {
            if let Err(error) = answering.await {
                tracing::debug!("a connection broke off: {error}");
            }
        });
    }
    drop(listener);
    timeout(grace, open.shutdown()).await.map_err(|_| Unfinished)
}
