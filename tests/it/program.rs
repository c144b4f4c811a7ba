//! Runs the program and looks at what it says.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

/// Runs a command.
pub fn run(arguments: &[&str]) -> Output {
    run_with_input(arguments, "")
}

/// Runs a command that reads a text from standard input.
pub fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farthing"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    // A command that does not read may be gone before all is written.
    drop(running.stdin.take().unwrap().write_all(input.as_bytes()));
    running.wait_with_output().unwrap()
}

/// A file with a text in it; the name is no other test's.
pub fn file(name: &str, text: &str) -> String {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&path, text).unwrap();
    path
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
