//! How long the program takes until `/readyz` says yes, and how much memory it holds.
//!
//! `cargo bench --bench startup` (`-- --starts 5`)

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

#[path = "common/mod.rs"]
mod common;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use common::{
    client::{get, post, repeat},
    figures::{median, megabytes, option},
    server::{Server, farthing},
};

const BODY: &str =
    r#"{"provider": "openai", "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}"#;

const QUOTES: usize = 100_000;

fn main() {
    let folder = std::env::temp_dir().join(format!("farthing-startup-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let starts = option("--starts", 5);
    println!("{:34} {:>9} {:>9}", "", "ready ms", "slowest");
    let fresh = |at: usize| url(&folder, &format!("{at}.db"));
    report(
        "first start, an empty database",
        &(0..starts).map(|at| ready_within(&fresh(at))).collect::<Vec<_>>(),
    );
    report("later starts", &(0..starts).map(|_| ready_within(&fresh(0))).collect::<Vec<_>>());
    report("without a database", &(0..starts).map(|_| ready_within("memory")).collect::<Vec<_>>());
    println!("\n{:34} {:>9} {:>9} {:>9}", "resident MB", "at start", "100k on", "most");
    memory("first start, an empty database", &url(&folder, "memory.db"));
    memory("later start", &url(&folder, "memory.db"));
    memory("without a database", "memory");
    std::fs::remove_dir_all(folder).unwrap();
}

fn url(folder: &Path, file: &str) -> String {
    format!("sqlite://{}", folder.join(file).display())
}

/// Starts the program, waits until it is ready, and stops it.
fn ready_within(database_url: &str) -> Duration {
    let began = Instant::now();
    let server = Server::start(farthing(database_url));
    repeat(server.address, &get("/readyz"), 1);
    let took = began.elapsed();
    server.stop();
    took
}

fn report(what: &str, took: &[Duration]) {
    let millis: Vec<f64> = took.iter().map(|took| took.as_secs_f64() * 1e3).collect();
    let slowest = millis.iter().copied().fold(0.0, f64::max);
    println!("{what:34} {:9.0} {slowest:9.0}", median(millis));
}

fn memory(what: &str, database_url: &str) {
    let server = Server::start(farthing(database_url));
    repeat(server.address, &get("/readyz"), 1);
    let at_start = megabytes(server.resident());
    repeat(server.address, &post("/estimate", "application/json", BODY), QUOTES);
    let (later, most) = (megabytes(server.resident()), megabytes(server.most_resident()));
    println!("{what:34} {at_start:9.1} {later:9.1} {most:9.1}");
}
