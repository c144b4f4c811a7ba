//! The command line's front door: the one place that asks for the time of day.

use std::process::ExitCode;

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "the front door hands the clock to all others")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn main() -> ExitCode {
    farthing::cli::run(std::env::args_os(), now)
}
