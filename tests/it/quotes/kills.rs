//! What was acknowledged is there after `kill -9`, byte for byte; what was not is there whole, or not at all.
//!
//! Six kills of the debug program here; `ci/kills.sh` has a release build killed a hundred times.

use std::{
    collections::BTreeMap,
    hash::{BuildHasher as _, RandomState},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::store::database;

const QUOTES: usize = 1000;
const POSTERS: usize = 4;

/// The program, and how often it is killed.
fn plan() -> (String, usize) {
    let binary = std::env::var("KILLS_BINARY").unwrap_or(env!("CARGO_BIN_EXE_farthing").to_owned());
    let kills = std::env::var("KILLS").map_or(6, |kills| kills.parse().unwrap());
    (binary, kills)
}

/// A running service.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Starts it, and waits until it answers.
    fn start(binary: &str, url: &str) -> Self {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", url]);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it answered");
            if let Some((_, rest)) = line.split_once("answers at http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
        };
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink())); // so that it never waits for us
        Self { process, address }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap(); // SIGKILL
        self.process.wait().unwrap();
    }
}

/// Status and body of an answer that came whole.
fn ask(address: &str, head: &str, body: &str) -> Option<(String, Vec<u8>)> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let request =
        format!("{head}host: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).ok()?.to_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    let body = answer.split_off(end + 4);
    let status = head.split(' ').nth(1)?.to_owned();
    (body.len() == length).then_some((status, body))
}

fn get(address: &str, path: &str) -> (String, Vec<u8>) {
    ask(address, &format!("GET {path} HTTP/1.1\r\n"), "").unwrap()
}

/// Keeps the quote of a number; its text, if that was acknowledged.
fn keep(address: &str, number: usize) -> Option<Vec<u8>> {
    let head =
        format!("POST /quotes HTTP/1.1\r\ncontent-type: application/json\r\nidempotency-key: {number}\r\n");
    let request = format!(r#"{{"model":"gpt-4o","usage":{{"input_tokens":{number}}}}}"#);
    let body = format!(r#"{{"request":{request},"label":"{number}","tags":{{"n":"{number}"}}}}"#);
    let (status, body) = ask(address, &head, &body)?;
    assert_eq!(status, "201", "{}", String::from_utf8_lossy(&body));
    Some(body)
}

/// What was sent, and what came of it.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<BTreeMap<usize, Vec<u8>>>,
    unfinished: Mutex<Vec<usize>>,
    next: AtomicUsize,
}

impl Ledger {
    /// Posts until the service is gone.
    fn post(&self, address: &str) {
        loop {
            let unfinished = self.unfinished.lock().unwrap().pop();
            let number = unfinished.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed));
            let Some(text) = keep(address, number) else {
                return self.unfinished.lock().unwrap().push(number);
            };
            self.acknowledged.lock().unwrap().insert(number, text);
        }
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }
}

/// A life: posts to it until there are so many quotes, and a random moment longer.
fn live(mut server: Server, ledger: &Ledger, until: usize) {
    let began = Instant::now();
    let address = server.address.clone();
    thread::scope(|scope| {
        let posters: Vec<_> = (0..POSTERS).map(|_| scope.spawn(|| ledger.post(&address))).collect();
        while ledger.count() < until {
            assert!(began.elapsed() < Duration::from_mins(2), "{} quotes so far", ledger.count());
            assert!(posters.iter().any(|poster| !poster.is_finished()), "it is gone");
            thread::sleep(Duration::from_millis(1));
        }
        let random = RandomState::new().hash_one(until) % 30_000;
        thread::sleep(Duration::from_micros(random));
        server.kill();
    });
}

#[test]
fn a_thousand_quotes_survive_kills_at_random_moments() {
    let (binary, kills) = plan();
    let url = database("quotes-kills");
    let ledger = Ledger::default();
    for life in 1..=kills {
        live(Server::start(&binary, &url), &ledger, QUOTES * life / kills);
    }
    let mut server = Server::start(&binary, &url);
    let address = server.address.as_str();
    for number in std::mem::take(&mut *ledger.unfinished.lock().unwrap()) {
        let text = keep(address, number).unwrap();
        ledger.acknowledged.lock().unwrap().insert(number, text);
    }
    let acknowledged = ledger.acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() >= QUOTES);
    for (number, text) in &acknowledged {
        let quote: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(quote["label"], number.to_string());
        let (status, found) = get(address, &format!("/quotes/{}", quote["id"].as_str().unwrap()));
        assert_eq!((status.as_str(), found == *text), ("200", true), "quote {number} is another");
    }
    // Each number was sent until it was acknowledged, under one key: there is one quote of each, and no other.
    let (_, table) = get(address, "/quotes?format=csv&limit=500");
    assert_eq!(String::from_utf8(table).unwrap().lines().count(), 501);
    assert_eq!(all(address), acknowledged.len());
    println!("{} quotes are there after {kills} kills", acknowledged.len());
    server.kill();
}

/// How many quotes there are, page by page.
fn all(address: &str) -> usize {
    let (mut count, mut path) = (0, "/quotes?limit=500".to_owned());
    loop {
        let (_, page) = get(address, &path);
        let page: Value = serde_json::from_slice(&page).unwrap();
        count += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/quotes?limit=500&cursor={cursor}"),
            None => return count,
        }
    }
}
