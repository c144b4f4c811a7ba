//! The keys of a running program: the first one, that of its settings, and those of the command line.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{
    program::{code, stderr, stdout},
    store::database,
};

/// A running service and the lines that it says.
struct Server {
    process: Child,
    log: BufReader<ChildStderr>,
    address: String,
}

impl Server {
    fn start(url: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url", url]).args(arguments);
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(process.stderr.take().unwrap());
        let mut server = Self { process, log, address: String::new() };
        server.address = loop {
            let line = server.line();
            if let Some((_, rest)) = line.split_once("http://127.0.0.1:") {
                break format!("127.0.0.1:{}", rest.split('/').next().unwrap());
            }
        };
        server
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.log.read_line(&mut line).unwrap(), 0, "it has ended");
        line
    }

    /// The status with which a path is answered to a key.
    fn status(&self, path: &str, key: &str) -> u16 {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        write!(
            connection,
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Waits, for longer than the service needs to notice a change.
    fn comes_to_answer(&self, path: &str, key: &str, status: u16) {
        let began = Instant::now();
        while self.status(path, key) != status {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not notice");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Ends it as a signal does; what it said meanwhile.
    fn stop(mut self) -> String {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        rest
    }
}

fn keys(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.arg("keys").args(arguments).args(["--database-url", url]).output().unwrap()
}

#[test]
fn the_first_start_shows_a_key_once_whatever_is_logged() {
    let url = database("keys-first-start");
    let mut server = Server::start(&url, &["--log-format", "json"]);
    let line: serde_json::Value = serde_json::from_str(&server.line()).unwrap();
    let key = line["admin_key"].as_str().unwrap().to_owned();
    assert_eq!(server.status("/admin/keys", &key), 200);
    server.stop();
    let server = Server::start(&url, &[]);
    assert_eq!(server.status("/admin/keys", &key), 200);
    let listed = stdout(&keys(&url, &["list"]));
    assert!(listed.contains("first start") && !listed.contains(&key), "{listed}");
    let rest = server.stop();
    assert!(!rest.contains("fth_"), "{rest}");
    let used = stdout(&keys(&url, &["list"]));
    assert!(used.lines().last().unwrap().split_whitespace().last().unwrap().starts_with("20"), "{used}");
}

#[test]
fn the_key_of_the_settings_is_good_from_the_start_and_shown_nowhere() {
    let (url, key) = (database("keys-bootstrap"), "0123456789abcdef".repeat(4));
    for _ in 0..2 {
        let server = Server::start(&url, &["--bootstrap-key", &key, "--require-key", "--log", "trace"]);
        assert_eq!((server.status("/admin/keys", &key), server.status("/models", "x")), (200, 401));
        let said = server.stop();
        assert!(!said.contains(&key) && !said.contains("fth_"), "{said}");
    }
    assert_eq!(stdout(&keys(&url, &["list"])).matches("bootstrap").count(), 1);
    let other = key[..47].to_owned() + "!" + &key[48..];
    let refused = Command::new(env!("CARGO_BIN_EXE_farthing"))
        .args(["serve", "--database-url", "memory"])
        .env("FARTHING_BOOTSTRAP_KEY", &other)
        .output()
        .unwrap();
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("FARTHING_BOOTSTRAP_KEY") && !stderr(&refused).contains(&other[..47]));
}

#[test]
fn a_key_that_begins_like_another_stops_the_start() {
    let (url, key) = (database("keys-alike"), "0123456789abcdef".repeat(4));
    Server::start(&url, &["--bootstrap-key", &key]).stop();
    let alike = format!("{}{}", &key[..16], "f".repeat(48));
    let refused = Command::new(env!("CARGO_BIN_EXE_farthing"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &url, "--bootstrap-key", &alike])
        .output()
        .unwrap();
    assert_eq!(code(&refused), 1);
    assert!(stderr(&refused).contains("begins like another key") && !stderr(&refused).contains(&alike));
}

#[test]
fn keys_made_and_revoked_on_the_command_line_count_while_the_service_runs() {
    let url = database("keys-command");
    let server = Server::start(&url, &["--require-key"]);
    let made = keys(&url, &["create", "--scope", "quote", "--label", "ci", "--expires", "90d"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    let (key, said) = (stdout(&made).trim().to_owned(), stderr(&made));
    assert!(key.starts_with("fth_") && stdout(&made).lines().count() == 1, "{key}");
    server.comes_to_answer("/models", &key, 200);
    assert_eq!(server.status("/admin/keys", &key), 403);
    let id = said.split("key ").nth(1).unwrap().split(',').next().unwrap();
    let revoked = keys(&url, &["revoke", id]);
    assert!(stdout(&revoked).contains(&format!("key {id} (ci) was revoked")), "{revoked:?}");
    server.comes_to_answer("/models", &key, 401);
    server.stop();
}

#[test]
fn what_is_wrong_on_the_command_line_is_one_line() {
    let url = database("keys-wrong");
    for (arguments, says) in [
        (&["create", "--scope", "all", "--label", "x"][..], "quote, catalog:write or admin"),
        (&["create", "--scope", "quote", "--label", ""], "--label must have 1 to 100 characters"),
        (
            &["create", "--scope", "quote", "--label", "x", "--expires", "2020-01-01"],
            "--expires must be later",
        ),
        (&["revoke", "nobody"], "no key has the id `nobody`"),
    ] {
        let output = keys(&url, arguments);
        assert_ne!(code(&output), 0);
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    }
    assert!(stderr(&keys("memory", &["list"])).contains("/admin/keys"));
}
