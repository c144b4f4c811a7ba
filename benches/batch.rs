//! `POST /estimate/batch` against a loop that only parses and serialises the same lines; and whether the service's
//! memory stays flat.
//!
//! The loop has its lines in memory and throws its output away; the batch comes and goes over loopback.
//!
//! `cargo bench --bench batch` (`-- --rounds 5`)

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]

#[path = "common/mod.rs"]
mod common;
#[path = "http/stored.rs"]
mod stored;

use std::{
    hint::black_box,
    net::SocketAddr,
    time::{Duration, Instant},
};

use common::{
    client::{get, repeat},
    figures::{median, megabytes, option, per_second},
    server::{Server, farthing, itself},
};
use farthing::estimate::request::EstimateRequest;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const LINE: &str =
    r#"{"provider": "openai", "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}"#;

const LINES: usize = 200_000;

/// Lines that are sent, or gone through, at once.
const PIECE: usize = 1000;

/// How much the loop collects before it throws it away; the service hands on as much at a time.
const CHUNK: usize = 64 * 1024;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == "loop") {
        let took = parse_and_serialise();
        return println!("{}", took.as_micros());
    }
    speed();
    memory();
}

fn speed() {
    let server = Server::start(farthing("memory"));
    batch(server.address, PIECE); // warm up
    let mut turns = Vec::new();
    for _ in 0..option("--rounds", 5) {
        let before = server.processor_time();
        let batch = batch(server.address, LINES);
        turns.push(Turn {
            batch,
            processor: server.processor_time().saturating_sub(before),
            by_itself: loop_in_a_process(),
        });
    }
    let middle = |figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
    let rate = |figure: fn(&Turn) -> Duration| {
        median(turns.iter().map(|turn| per_second(LINES, figure(turn))).collect())
    };
    println!("{LINES} lines {:>12} {:>18}", "lines/s", "processor us/line");
    println!("batch        {:12.0} {:18.2}", rate(|turn| turn.batch), 1e6 / rate(|turn| turn.processor));
    println!("loop         {:12.0} {:18.2}", rate(|turn| turn.by_itself), 1e6 / rate(|turn| turn.by_itself));
    println!(
        "batch / loop: {:.2} of its rate; {:.2} of it by processor time",
        middle(|turn| turn.by_itself.div_duration_f64(turn.batch)),
        middle(|turn| turn.by_itself.div_duration_f64(turn.processor))
    );
}

/// How long the same lines took each.
struct Turn {
    batch: Duration,
    /// Processor time of the service for the batch.
    processor: Duration,
    by_itself: Duration,
}

fn memory() {
    println!("\n{:>10} lines: most resident MB", "");
    for lines in [10_000, 100_000, 1_000_000] {
        let server = Server::start(farthing("memory"));
        repeat(server.address, &get("/readyz"), 1);
        let at_start = server.most_resident();
        batch(server.address, lines);
        let most = server.most_resident();
        println!(
            "{lines:10} {:.1} ({:+.1} since the start)",
            megabytes(most),
            megabytes(most) - megabytes(at_start)
        );
    }
}

/// Sends so many lines and takes in the answers as they come.
fn batch(address: SocketAddr, lines: usize) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let began = Instant::now();
    runtime.block_on(async {
        let (mut answers, mut requests) = TcpStream::connect(address).await.unwrap().into_split();
        let sending = tokio::spawn(async move {
            let piece = format!("{LINE}\n").repeat(PIECE);
            let length = piece.len() * (lines / PIECE);
            let head = format!(
                "POST /estimate/batch HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\
                 content-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n"
            );
            requests.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..lines / PIECE {
                requests.write_all(piece.as_bytes()).await.unwrap();
            }
            requests // closing it would break off the batch
        });
        let mut arrived = vec![0; 4 * CHUNK];
        let mut tail = Vec::new();
        loop {
            let read = answers.read(&mut arrived).await.unwrap();
            if read == 0 {
                break;
            }
            tail.extend_from_slice(&arrived[..read]);
            tail.drain(..tail.len().saturating_sub(CHUNK));
        }
        sending.await.unwrap();
        let last = format!("{{\"line\":{lines},\"currency\"");
        assert!(memchr::memmem::find(&tail, last.as_bytes()).is_some(), "the last line was not quoted");
    });
    began.elapsed()
}

fn loop_in_a_process() -> Duration {
    let output = itself(&["loop"]).output().unwrap();
    let micros = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    Duration::from_micros(micros)
}

fn parse_and_serialise() -> Duration {
    let (_, quote) = stored::stored(LINE);
    let piece = format!("{LINE}\n").repeat(PIECE);
    let mut out = Vec::with_capacity(2 * CHUNK);
    let began = Instant::now();
    for _ in 0..LINES / PIECE {
        for line in piece.lines() {
            black_box(EstimateRequest::parse(line.as_bytes()).is_ok());
            serde_json::to_writer(&mut out, black_box(&quote)).unwrap();
            out.push(b'\n');
            if out.len() >= CHUNK {
                black_box(&out);
                out.clear();
            }
        }
    }
    began.elapsed()
}
