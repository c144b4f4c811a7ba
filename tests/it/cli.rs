//! The program as a person runs it.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Command, Output, Stdio},
};

fn farthing(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.args(arguments).env("FARTHING_DATABASE_URL", "memory");
    command
}

fn run(arguments: &[&str]) -> Output {
    farthing(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn help_shows_examples() {
    let output = run(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("Examples:"));
}

#[test]
fn the_document_goes_to_standard_output() {
    let output = run(&["openapi"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), farthing::http::openapi::text());
}

#[test]
fn a_wrong_flag_stops_the_start_with_one_line() {
    let output = run(&["--body-limit", "huge"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("--body-limit (FARTHING_BODY_LIMIT) is `huge`"), "{said}");
}

#[test]
fn a_wrong_variable_stops_the_start_with_one_line() {
    let output = farthing(&["serve"]).env("FARTHING_CORS_ORIGINS", "example.com").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("FARTHING_CORS_ORIGINS") && said.contains("https://example.com"), "{said}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run(&["--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("--listen (FARTHING_LISTEN)") && said.contains(&address), "{said}");
}

#[test]
fn a_served_program_is_healthy_logs_json_and_ends_well_on_a_signal() {
    let mut server = farthing(&["--listen", "127.0.0.1:0", "--log-format", "json"]);
    let mut server = server.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut first = String::new();
    log.read_line(&mut first).unwrap();
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let url = format!("http://{}/healthz", first["address"].as_str().unwrap());
    assert_eq!(run(&["health", "--url", &url]).status.code(), Some(0));

    let kill = Command::new("kill").arg(server.id().to_string()).status().unwrap();
    assert!(kill.success());
    assert_eq!(server.wait().unwrap().code(), Some(0));
    let gone = run(&["health", "--url", &url]);
    assert_eq!(gone.status.code(), Some(1));
}
