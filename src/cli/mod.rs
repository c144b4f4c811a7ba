//! The command line: one file for each command.

pub mod catalog;
mod diff;
mod first_key;
mod health;
mod keys;
mod openapi;
mod pricing;
mod quote;
pub mod serve;
mod table;

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{
    Args as _, Parser, Subcommand,
    error::{ContextKind, ErrorKind},
};
use jiff::Timestamp;

use crate::config::Config;

const EXAMPLES: &str = "\
Examples:
  farthing                                    serve on http://127.0.0.1:8080
  farthing serve --listen 0.0.0.0:80          serve to others
  FARTHING_LOG=debug farthing                 every flag of serve is a variable too
  farthing serve --database-url memory        leave nothing on the disk
  farthing quote request.json                 price a request without a server
  farthing quote --model gpt-4o --usage input_tokens=1200 --usage output_tokens=300
  farthing diff kept.json request.json        what has moved since an answer was kept, and why
  farthing keys create --scope quote --label ci --expires 90d
  farthing health                             exit code 0 if the service on this machine is alive
  farthing openapi > openapi/openapi.json     write the description of the service

`farthing COMMAND --help` says more about each command.";

/// What an AI model costs, to the last farthing.
///
/// Without a command, `farthing` serves: flags of `serve` may follow at once.
#[derive(Debug, Parser)]
#[command(name = "farthing", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer requests over HTTP (the default)
    Serve(Box<Config>),
    /// Price a request with the engine of the service, without a server
    Quote(Box<quote::Quote>),
    /// Compare two answers, or requests once priced: what moved, and why
    Diff(Box<diff::DiffCommand>),
    /// Check, export or import the catalog as files
    Catalog {
        /// What to do with it
        #[command(subcommand)]
        command: catalog::CatalogCommand,
        /// The database to export from or import into
        #[arg(long, env = "FARTHING_DATABASE_URL", value_name = "URL", default_value = crate::config::DATABASE_URL, global = true)]
        database_url: String,
    },
    /// Make, list and revoke keys, while the service runs or not
    Keys {
        /// What to do
        #[command(subcommand)]
        command: keys::KeysCommand,
        /// The database of the service
        #[arg(long, env = "FARTHING_DATABASE_URL", value_name = "URL", default_value = crate::config::DATABASE_URL, global = true)]
        database_url: String,
    },
    /// Ask a running service whether it is alive
    Health(health::Health),
    /// Write the OpenAPI document of the service
    Openapi,
}

/// What goes wrong with a command: one line for the person who gave it.
type Failure = String;

/// Runs a command line, and says with which code to exit: 0, 1 when the command fails, 2 when it is not
/// understood; 3 when `diff` finds a total that rose by more than it may.
pub fn run(arguments: impl Iterator<Item = OsString>, now: fn() -> Timestamp) -> ExitCode {
    let cli = match Cli::try_parse_from(with_default_command(arguments)) {
        Ok(cli) => cli,
        Err(error) => return not_understood(&error),
    };
    let done = |()| ExitCode::SUCCESS;
    let outcome = match cli.command {
        Command::Serve(config) => serve::run(&config, now).map(done),
        Command::Quote(quote) => quote.run(now),
        Command::Diff(diff) => diff.run(now),
        Command::Catalog { command, database_url } => run_catalog(command, &database_url, now).map(done),
        Command::Keys { command, database_url } => run_keys(command, &database_url, now).map(done),
        Command::Health(health) => health.run().map(done),
        Command::Openapi => openapi::run().map(done),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            say(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run_catalog(
    command: catalog::CatalogCommand,
    database_url: &str,
    now: fn() -> Timestamp,
) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no threads to run on: {error}"))?;
    let mut out = std::io::stdout().lock();
    runtime.block_on(catalog::run(command, database_url, now(), &mut out)).map_err(|error| error.to_string())
}

fn run_keys(command: keys::KeysCommand, database_url: &str, now: fn() -> Timestamp) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no threads to run on: {error}"))?;
    runtime.block_on(keys::run(command, database_url, now()))
}

/// `farthing` and `farthing --listen ...` mean `farthing serve ...`.
fn with_default_command(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const ABOUT_ITSELF: [&str; 4] = ["-h", "--help", "-V", "--version"];
    let mut arguments: Vec<OsString> = arguments.collect();
    let first = arguments.get(1).map(|first| first.to_string_lossy().into_owned());
    let is_flag = |first: &String| first.starts_with('-') && !ABOUT_ITSELF.contains(&first.as_str());
    if first.as_ref().is_none_or(is_flag) {
        arguments.insert(arguments.len().min(1), "serve".into());
    }
    arguments
}

/// One line for a wrong setting; clap's own words for help and for a command that is none.
fn not_understood(error: &clap::Error) -> ExitCode {
    match wrong_setting(error) {
        Some(line) => say(&line),
        None => drop(error.print()),
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Names the flag and its variable, what it was given and what is allowed.
fn wrong_setting(error: &clap::Error) -> Option<String> {
    if !matches!(error.kind(), ErrorKind::ValueValidation | ErrorKind::InvalidValue) {
        return None;
    }
    let flag = error.get(ContextKind::InvalidArg)?.to_string();
    let flag = flag.split_whitespace().next()?;
    let value = error.get(ContextKind::InvalidValue)?.to_string();
    if value.is_empty() {
        return None; // a flag without its value
    }
    let allowed = match (std::error::Error::source(error), error.get(ContextKind::ValidValue)) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(names)) => format!("one of {names}"),
        (None, None) => return None,
    };
    let serve = Config::augment_args(clap::Command::new("serve"));
    let is_flag =
        |argument: &&clap::Arg| argument.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long));
    let setting = serve.get_arguments().find(is_flag); // flags of other commands have no variable
    let variable = setting.and_then(clap::Arg::get_env);
    let variable = variable.map_or_else(String::new, |name| format!(" ({})", name.to_string_lossy()));
    if setting.is_some_and(clap::Arg::is_hide_env_values_set) {
        return Some(format!("{flag}{variable} is not as it must be; allowed: {allowed}"));
    }
    Some(format!("{flag}{variable} is `{value}`; allowed: {allowed}"))
}

fn say(line: &str) {
    // When nobody reads standard error any more there is nobody to tell.
    drop(writeln!(std::io::stderr(), "farthing: {line}"));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
        let arguments = arguments.iter().map(OsString::from);
        Cli::try_parse_from(with_default_command(arguments))
    }

    fn serves(arguments: &[&str]) -> Config {
        match parse(arguments).unwrap().command {
            Command::Serve(config) => *config,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command_with_flags_or_without() {
        assert_eq!(serves(&["farthing"]).listen.port(), 8080);
        assert_eq!(serves(&["farthing", "--listen", "[::1]:81"]).listen.port(), 81);
        assert_eq!(serves(&["farthing", "serve", "--listen", "[::1]:82"]).listen.port(), 82);
    }

    #[test]
    fn help_and_version_are_about_the_program() {
        let kind = |flag| parse(&["farthing", flag]).unwrap_err().kind();
        assert_eq!(kind("--help"), ErrorKind::DisplayHelp);
        assert_eq!(kind("--version"), ErrorKind::DisplayVersion);
    }

    #[test]
    fn a_wrong_setting_is_told_in_one_line() {
        let line = |flag, value| {
            let error = parse(&["farthing", flag, value]).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            wrong_setting(&error).unwrap()
        };
        assert_eq!(
            line("--timeout", "soon"),
            "--timeout (FARTHING_TIMEOUT) is `soon`; allowed: a whole number from 1 with ms, s, m or h, \
             at most 24h, such as 10s"
        );
        assert_eq!(
            line("--log-format", "xml"),
            "--log-format (FARTHING_LOG_FORMAT) is `xml`; allowed: one of text, json"
        );
    }

    #[test]
    fn a_wrong_secret_is_not_told() {
        let error = parse(&["farthing", "--bootstrap-key", "hunter2"]).unwrap_err();
        let line = wrong_setting(&error).unwrap();
        assert!(line.starts_with("--bootstrap-key (FARTHING_BOOTSTRAP_KEY) is not as it must be"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }

    #[test]
    fn a_switch_is_a_flag_or_has_a_value() {
        assert!(!serves(&["farthing"]).require_key);
        assert!(serves(&["farthing", "--require-key"]).require_key);
        assert!(!serves(&["farthing", "--require-key=false"]).require_key);
    }

    #[test]
    fn every_setting_has_the_variable_that_its_flag_suggests() {
        let cli = Cli::command();
        let serve = cli.find_subcommand("serve").unwrap();
        for argument in serve.get_arguments().filter(|argument| argument.get_long() != Some("help")) {
            let flag = argument.get_long().unwrap();
            let variable = format!("FARTHING_{}", flag.replace('-', "_").to_uppercase());
            assert_eq!(argument.get_env().unwrap(), variable.as_str());
            assert!(argument.get_help().is_some(), "{flag}");
        }
    }
}
