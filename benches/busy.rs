//! Light answers while heavy ones are made: `/estimate` at a steady rate beside endless sweeps and comparisons.
//!
//! `cargo bench --bench busy [-- --rate 500 --seconds 10]`
//!
//! Requests are sent at fixed instants, whether or not earlier ones have been answered, and timed from those instants:
//! a server that stops for a while is charged with all that would have been sent. Any answer but 200 ends the bench.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

mod common;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::{
    client::{Connection, post},
    figures::{micros, option, per_second, percentile},
    server::{Server, farthing},
};
use tokio::task::JoinSet;

/// Connections that share the rate.
const CONNECTIONS: u32 = 50;

const CALL: &str = r#"{"model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}"#;

const SWEEP: &str = r#"{"request": {"kind": "serving", "model": "llama-3.1-70b", "as_of": "2026-07-01",
    "traffic": {"input_tokens": 1000, "output_tokens": 200, "requests_per_second": 1}},
    "pointer": "/traffic/requests_per_second", "range": {"from": 0.1, "to": 100, "steps": 50, "scale": "log"}}"#;

const COMPARE: &str = r#"{"base": {"usage": {"input_tokens": 1200, "output_tokens": 300}, "calls": 1000}, "over": [{"offerings": {}}]}"#;

fn main() {
    let rate = u32::try_from(option("--rate", 500)).unwrap();
    let lasts = Duration::from_secs(option("--seconds", 10) as u64);
    let server = Server::start(farthing("memory"));
    println!("{:34} {:>11} {:>9} {:>9} {:>9} {:>7}", "", "requests/s", "p50 us", "p99 us", "max us", "heavy");
    for (name, heavy) in
        [("alone", &[][..]), ("beside sweeps and comparisons", &[SWEEP, SWEEP, COMPARE, COMPARE])]
    {
        let (mut took, answered) = measure(server.address, heavy, rate, lasts);
        took.sort_unstable();
        let rate = per_second(took.len(), lasts);
        let [p50, p99, max] = [50, 99, 100].map(|percent| micros(percentile(&took, percent)));
        println!("{name:34} {rate:11.0} {p50:9.0} {p99:9.0} {max:9.0} {answered:7}");
    }
    server.stop();
}

/// How long each light answer took, and how many heavy ones there were.
fn measure(address: SocketAddr, heavy: &[&str], rate: u32, lasts: Duration) -> (Vec<Duration>, usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answered = Arc::new(AtomicUsize::new(0));
        let mut busy = JoinSet::new();
        for body in heavy {
            let path = if body.contains("pointer") { "/sweep" } else { "/compare" };
            let (request, answered) = (post(path, "application/json", body), Arc::clone(&answered));
            busy.spawn(async move {
                let mut connection = Connection::open(address).await;
                loop {
                    connection.exchange(&request).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        let began = Instant::now();
        let mut light = JoinSet::new();
        for nth in 0..CONNECTIONS {
            light.spawn(steady(address, began, nth, rate, lasts));
        }
        let took = light.join_all().await.into_iter().flatten().collect();
        if let Some(ended) = busy.try_join_next() {
            ended.unwrap(); // a heavy request that was refused
        }
        busy.abort_all();
        (took, answered.load(Ordering::Relaxed))
    })
}

/// One connection's part of the rate.
async fn steady(address: SocketAddr, began: Instant, nth: u32, rate: u32, lasts: Duration) -> Vec<Duration> {
    let request = post("/estimate", "application/json", CALL);
    let mut connection = Connection::open(address).await;
    let mut took = Vec::new();
    let mut due = began + Duration::from_secs(1) * nth / rate;
    while due < began + lasts {
        tokio::time::sleep_until(due.into()).await;
        connection.exchange(&request).await;
        took.push(due.elapsed());
        due += Duration::from_secs(1) * CONNECTIONS / rate;
    }
    took
}
