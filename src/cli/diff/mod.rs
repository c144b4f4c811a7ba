//! `farthing diff`: what moved between two answers, and why.

mod markdown;
mod text;
mod words;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    Failure,
    pricing::{self, Prices, STDIN},
    say,
};
use crate::{
    catalog::time::AsOf,
    estimate::{
        answer::Answer,
        diff::{Diff, Limit, diff},
        request::{Detail, EstimateRequest},
        shape::{self, ShapeError},
    },
    http::problem::ProblemError,
};

const EXAMPLES: &str = "\
Examples:
  farthing quote request.json --json > kept.json   keep an answer today ...
  farthing diff kept.json request.json             ... and see what has moved since, and why
  farthing diff old.json new.json                  two requests: what the second costs more
  farthing diff r.json r.json --as-of-a 2025-02-08 --as-of-b 2025-02-09
  farthing diff kept.json request.json --format markdown --fail-over 10% > comment.md
  curl -s localhost:8080/quotes/ID | farthing diff - request.json
  farthing diff quote:ID quote:ID --database-url sqlite:farthing.db

A and B are each a kept answer, as it is, or a request, which is priced first; a quote that a service kept is its
answer, as a file or by its id in a database. Items are matched by their ids,
or else by their place and offering; lines by their code.

JSON: { currency, before, after, total, list_total, groups, items, unchanged_items, warnings, fail_over }, where
before and after say what the answers rest on; every amount is { before, after, change, percent }; each of items has
its lines that moved, and each of these its causes { why, before, after, percent }, why being new, gone, price,
quantity, fx, modifier, base, assumption, catalog or engine. Money and percentages are decimal strings.

Exit code 0: compared. 1: not, and standard error says why. 3: the total rose by more than --fail-over.";

/// What stands before the id of a quote in the database.
const QUOTE: &str = "quote:";

/// The exit code of a total that rose by more than it may.
const ROSE: u8 = 3;

/// Compare two answers, or requests once priced: what moved, and why.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DiffCommand {
    /// Before: a kept answer or a request, as JSON; - for standard input, quote:ID for one in the database
    a: PathBuf,

    /// After: a kept answer or a request, as JSON; - for standard input, quote:ID for one in the database
    b: PathBuf,

    /// Price requests as of then, in place of their `as_of` [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = pricing::as_of)]
    as_of: Option<AsOf>,

    /// The same for A alone, which must be a request
    #[arg(long, value_name = "INSTANT", value_parser = pricing::as_of)]
    as_of_a: Option<AsOf>,

    /// The same for B alone, which must be a request
    #[arg(long, value_name = "INSTANT", value_parser = pricing::as_of)]
    as_of_b: Option<AsOf>,

    /// Price requests and read quotes from this database, such as sqlite:farthing.db [default: the catalog inside the
    /// program, and no quotes]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,

    /// How to write it; markdown is fit for a comment on a pull request
    #[arg(long, default_value = "text")]
    format: Format,

    /// Exit with 3 when the total rises by more: 10% of A's, or 5.00 in the currency of the answers
    #[arg(long, value_name = "LIMIT")]
    fail_over: Option<Limit>,
}

/// How a comparison is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For programs
    Json,
    /// For a comment on a pull request
    Markdown,
}

/// Why one side has no answer: a line for each fault.
type Lines = Vec<String>;

impl DiffCommand {
    /// Prints the comparison.
    pub(super) fn run(self, now: fn() -> Timestamp) -> Result<ExitCode, Failure> {
        if self.a.as_os_str() == STDIN && self.b.as_os_str() == STDIN {
            return Err("standard input can stand for A or for B, not for both".to_owned());
        }
        let mut desk = Desk { database_url: self.database_url.as_deref(), now, prices: None };
        let before = desk.answer("A", &self.a, self.as_of_a, self.as_of)?;
        let after = desk.answer("B", &self.b, self.as_of_b, self.as_of)?;
        let (before, after) = match (before, after) {
            (Ok(before), Ok(after)) => (before, after),
            (before, after) => {
                for line in [before.err(), after.err()].into_iter().flatten().flatten() {
                    say(&line);
                }
                return Ok(ExitCode::FAILURE);
            }
        };
        let mut diff = diff(&before, &after).map_err(|error| error.to_string())?;
        if let Some(limit) = &self.fail_over {
            diff = diff.judged(limit).map_err(|error| error.to_string())?;
        }
        pricing::write(&self.written(&diff)?)?;
        Ok(verdict(&diff))
    }

    fn written(&self, diff: &Diff) -> Result<String, Failure> {
        match self.format {
            Format::Text => Ok(text::of(diff)),
            Format::Markdown => Ok(markdown::of(diff)),
            Format::Json => {
                let text = serde_json::to_string_pretty(diff).map_err(|error| error.to_string())?;
                Ok(text + "\n")
            }
        }
    }
}

/// The exit code; a rise beyond the limit is also said aloud, since the page may have gone into a file.
fn verdict(diff: &Diff) -> ExitCode {
    match words::exceeded(diff) {
        Some(sentence) => {
            say(&sentence);
            ExitCode::from(ROSE)
        }
        None => ExitCode::SUCCESS,
    }
}

/// Where both sides get their answers; a catalog is only opened when there is something to price.
struct Desk<'c> {
    database_url: Option<&'c str>,
    now: fn() -> Timestamp,
    prices: Option<Prices>,
}

impl Desk<'_> {
    /// The kept answer that a file holds, or the answer to the request that it holds.
    fn answer(
        &mut self,
        name: &str,
        file: &Path,
        own_as_of: Option<AsOf>,
        as_of: Option<AsOf>,
    ) -> Result<Result<Answer, Lines>, Failure> {
        let text = match file.to_str().and_then(|file| file.strip_prefix(QUOTE)) {
            Some(id) => pricing::kept_quote(self.database_url, id, self.now)?,
            None => pricing::read(file)?,
        };
        let Some(text) = answer_in(&text) else {
            return self.priced(name, &text, own_as_of.or(as_of));
        };
        if own_as_of.is_some() {
            let flag = name.to_lowercase();
            return Err(format!("{name} is a kept answer: --as-of-{flag} would change nothing about it"));
        }
        Ok(shape::read::<Answer>(text, "").map_err(|error| match error {
            ShapeError::NotJson(reason) => vec![format!("{name} is not JSON: {reason}")],
            ShapeError::Fault(fault) => lines_of(name, &[fault.into()]),
        }))
    }

    fn priced(
        &mut self,
        name: &str,
        text: &[u8],
        as_of: Option<AsOf>,
    ) -> Result<Result<Answer, Lines>, Failure> {
        let mut request = EstimateRequest::parse(text).map_err(|error| format!("{name}: {error}"))?;
        request.as_of = as_of.or(request.as_of);
        if request.detail == Detail::Total {
            request.detail = Detail::Lines; // why a total moved is in its lines
        }
        match self.prices()?.answer(&request)? {
            Ok(answer) => serde_json::from_str(&answer).map(Ok).map_err(|error| error.to_string()),
            Err(faults) => Ok(Err(lines_of(name, &pricing::problem_errors(faults)))),
        }
    }

    fn prices(&mut self) -> Result<&Prices, Failure> {
        let prices = match self.prices.take() {
            Some(prices) => prices,
            None => Prices::open(self.database_url, self.now)?,
        };
        Ok(self.prices.insert(prices))
    }
}

/// The answer that a text is, or that the quote in it has; `None`: it is a request. No request has a `total`, or an
/// `answer`.
fn answer_in(text: &[u8]) -> Option<&[u8]> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        total: Option<IgnoredAny>,
        #[serde(borrow)]
        answer: Option<&'a RawValue>,
    }
    let peek: Peek<'_> = serde_json::from_slice(text).ok()?;
    match peek.answer {
        Some(answer) => Some(answer.get().as_bytes()),
        None => peek.total.map(|_| text),
    }
}

fn lines_of(name: &str, errors: &[ProblemError]) -> Lines {
    errors.iter().map(|error| format!("{name}: {}", pricing::fault_line(error))).collect()
}
