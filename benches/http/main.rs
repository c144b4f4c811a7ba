//! The service with all that stands around it against a bare axum handler that parses the same body and
//! serialises a stored quote of the same length. Each runs in a process of its own, in turns, with the same
//! client, over loopback; so the ratios hold on a busy machine, and the rates do not.
//!
//! - `cargo bench --bench http`: requests a second, percentiles, processor time
//!   (`-- --rounds 5 --seconds 2 --connections 32`)
//! - `cargo bench --bench http -- --instructions`: instructions per request of both (wants valgrind)
//! - `cargo bench --bench http -- --layers`: the same for each layer between the two

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot start has nothing to measure")]
#![expect(clippy::disallowed_methods, reason = "a front door of its own")]

#[path = "../common/mod.rs"]
mod common;
mod stored;
mod variants;

use std::{process::Command, time::Duration};

use common::{
    client::{load, post, repeat},
    figures::{has_flag, median, micros, option, per_second, percentile},
    server::{Server, counted, farthing, itself},
};

const BODIES: [(&str, &str); 2] = [
    (
        "two meters",
        r#"{"provider": "openai", "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}}"#,
    ),
    (
        "six meters",
        r#"{"provider": "openai", "model": "gpt-realtime", "usage": {
            "input_tokens": 120000, "cache_read_tokens": 40000, "input_audio_tokens": 30000,
            "cache_read_audio_tokens": 10000, "output_tokens": 9000, "output_audio_tokens": 5000}}"#,
    ),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, serve, variant, body] = arguments.as_slice()
        && serve == "serve"
    {
        return variants::serve(variant, body);
    }
    for (name, body) in BODIES {
        println!("\n{name}: {} bytes in, {} bytes out", body.len(), stored::stored(body).0.len());
        if has_flag("--layers") {
            layers(body);
        } else if has_flag("--instructions") {
            instructions(body);
        } else {
            in_turns(body);
        }
    }
}

/// What is compared: the service, and two ways to write a bare handler.
fn contestants(body: &str) -> [(&'static str, Command); 3] {
    [
        ("service", farthing("memory")),
        ("bare", variant("bare", body)),
        ("bare, Value", variant("value", body)),
    ]
}

fn variant(name: &str, body: &str) -> Command {
    itself(&["serve", name, body])
}

/// One turn of one server.
struct Turn {
    per_second: f64,
    p50: f64,
    p99: f64,
    processor: f64,
}

fn in_turns(body: &str) {
    let (rounds, connections) = (option("--rounds", 5), option("--connections", 32));
    let lasts = Duration::from_secs(option("--seconds", 2) as u64);
    let servers = contestants(body).map(|(name, command)| (name, Server::start(command)));
    let request = post("/estimate", "application/json", body);
    let mut turns = [const { Vec::new() }; 3];
    for (_, server) in &servers {
        load(server.address, &request, connections, lasts / 4); // warm up
    }
    for _ in 0..rounds {
        for ((_, server), turns) in servers.iter().zip(&mut turns) {
            turns.push(turn(server, &request, connections, lasts));
        }
    }
    println!("{:12} {:>11} {:>9} {:>9} {:>15}", "", "requests/s", "p50 us", "p99 us", "processor us/rq");
    for ((name, _), turns) in servers.iter().zip(&turns) {
        let middle = |figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
        let (rate, p50, p99) =
            (middle(|turn| turn.per_second), middle(|turn| turn.p50), middle(|turn| turn.p99));
        println!("{name:12} {rate:11.0} {p50:9.0} {p99:9.0} {:15.1}", middle(|turn| turn.processor));
    }
    let [service, bare, value] = &turns;
    for (name, bare) in [("bare", bare), ("bare, Value", value)] {
        let ratio = |figure: fn(&Turn) -> f64| {
            median(service.iter().zip(bare).map(|(ours, theirs)| figure(ours) / figure(theirs)).collect())
        };
        let (rate, processor) = (ratio(|turn| turn.per_second), ratio(|turn| turn.processor));
        println!("service / {name}: {rate:.2} of its rate at {processor:.2} of its processor time");
    }
}

fn turn(server: &Server, request: &[u8], connections: usize, lasts: Duration) -> Turn {
    let before = server.processor_time();
    let mut took = load(server.address, request, connections, lasts);
    let processor = server.processor_time().saturating_sub(before);
    took.sort_unstable();
    Turn {
        per_second: per_second(took.len(), lasts),
        p50: micros(percentile(&took, 50)),
        p99: micros(percentile(&took, 99)),
        processor: micros(processor) / per_second(took.len(), Duration::from_secs(1)),
    }
}

fn instructions(body: &str) {
    let counts = contestants(body).map(|(name, command)| (name, instructions_per_request(&command, body)));
    let [(_, service), ..] = counts;
    for (name, count) in counts {
        println!(
            "{name:12} {count:8.0} instructions a request; the service's are {:.2} of that",
            service / count
        );
    }
}

fn layers(body: &str) {
    let mut before = 0.0;
    println!("{:8} {:>12} {:>8}", "", "instructions", "more");
    for layer in variants::LAYERS {
        let count = instructions_per_request(&variant(layer.name, body), body);
        println!("{:8} {count:12.0} {:+8.0}  {}", layer.name, count - before, layer.does);
        before = count;
    }
    let count = instructions_per_request(&farthing("memory"), body);
    println!("{:8} {count:12.0} {:+8.0}  the program itself", "farthing", count - before);
}

/// Only what is counted between two words to callgrind, so that start and stop stay out of it.
fn instructions_per_request(command: &Command, body: &str) -> f64 {
    const REQUESTS: u32 = 3000;
    let file = std::env::temp_dir().join(format!("farthing-instructions-{}", std::process::id()));
    let server = Server::start(counted(command, file.to_str().unwrap()));
    let request = post("/estimate", "application/json", body);
    repeat(server.address, &request, 300); // warm up
    tell_callgrind("--zero", &server);
    repeat(server.address, &request, REQUESTS as usize);
    tell_callgrind("--dump", &server);
    drop(server);
    let dump = file.with_extension("1");
    let profile = std::fs::read_to_string(&dump).unwrap();
    std::fs::remove_file(dump).unwrap();
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
    total.trim().parse::<f64>().unwrap() / f64::from(REQUESTS)
}

fn tell_callgrind(what: &str, server: &Server) {
    let pid = server.pid().to_string();
    let told = Command::new("callgrind_control").args([what, &pid]).output().unwrap();
    assert!(told.status.success(), "callgrind_control {what} failed");
}
