//! `farthing quote`: what the service would answer, without the service.

mod text;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, builder::NonEmptyStringValueParser};
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Failure,
    pricing::{self, Prices},
    say,
};
use crate::{
    catalog::time::AsOf,
    estimate::{
        answer::Answer,
        fault::Fault,
        request::{Detail, EstimateRequest},
    },
    http::problem::ProblemError,
};

const EXAMPLES: &str = "\
Examples:
  farthing quote --model gpt-4o --usage input_tokens=1200 --usage output_tokens=300
  farthing quote --model openai/gpt-4o --usage input_tokens=1e6 --context service_tier=batch --calls 1000
  farthing quote --model deepseek-reasoner --usage input_tokens=1e6 --as-of 2025-02-20 --currency CNY
  farthing quote request.json --sources
  echo '{\"model\": \"gpt-4o\", \"usage\": {\"input_tokens\": 1200}}' | farthing quote - --json

The request is that of POST /estimate: one workload, or {\"items\": [...]} with up to 100 of them. What the
flags --model, --usage, ... say is such a workload. Numbers are in plain digits (1200) or like 1.2e3.

Exit code 0: priced. 1: not, and standard error says why, one line for each fault: where it is in the request,
what it is, its code, and which names may have been meant.";

/// Price a request with the engine of the service, without a server.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Quote {
    /// The request as JSON: a file, or - for standard input
    #[arg(required_unless_present = "model", conflicts_with = "model")]
    file: Option<PathBuf>,

    #[command(flatten)]
    workload: WorkloadFlags,

    /// Currency of the answer, in place of the request's [default: USD]
    #[arg(long, value_name = "CODE", value_parser = NonEmptyStringValueParser::new())]
    currency: Option<String>,

    /// Prices in force then, in place of the request's `as_of`; an item's own stays [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = pricing::as_of)]
    as_of: Option<AsOf>,

    /// How much of the answer: total, lines or full (each line with its formula; see --json)
    #[arg(long, value_parser = detail)]
    detail: Option<Detail>,

    /// Price from this database, such as sqlite:farthing.db [default: the catalog inside the program]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,

    /// Write the very JSON that the service would answer; of a refusal, its `errors`
    #[arg(long)]
    json: bool,

    /// Name the source of every price under the table
    #[arg(long, conflicts_with = "json")]
    sources: bool,
}

/// A call to a hosted model, said in flags.
#[derive(Debug, Args)]
struct WorkloadFlags {
    /// The model, by the seller's name or an alias; provider/model names both
    #[arg(long)]
    model: Option<String>,

    /// Who sells the model [default: its developer, or else its only seller]
    #[arg(long, requires = "model")]
    provider: Option<String>,

    /// What one call uses, by meter, such as `input_tokens=1200`; may be repeated
    #[arg(long, value_name = "METER=COUNT", requires = "model", value_parser = pair)]
    usage: Vec<(String, String)>,

    /// What the price depends on, such as `service_tier=batch`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "model", value_parser = pair)]
    context: Vec<(String, String)>,

    /// How many such calls [default: 1]
    #[arg(long, value_name = "COUNT", requires = "model")]
    calls: Option<String>,
}

impl Quote {
    /// Prints the answer, or why there is none.
    pub(super) fn run(self, now: fn() -> Timestamp) -> Result<ExitCode, Failure> {
        let body = match &self.file {
            Some(file) => pricing::read(file)?,
            None => self.workload.to_json().into_bytes(),
        };
        let request = EstimateRequest::parse(&body).map_err(|error| error.to_string())?;
        let request = self.overridden(request);
        match Prices::open(self.database_url.as_deref(), now)?.answer(&request)? {
            Ok(answer) => self.print(answer),
            Err(faults) => self.refuse(faults),
        }
    }

    /// The request with what flags say in place of what it says.
    fn overridden(&self, mut request: EstimateRequest) -> EstimateRequest {
        if let Some(currency) = &self.currency {
            request.currency = Some(currency.as_str().into());
        }
        request.as_of = self.as_of.or(request.as_of);
        request.detail = self.detail.unwrap_or(request.detail);
        request
    }

    fn print(&self, mut answer: String) -> Result<ExitCode, Failure> {
        if self.json {
            answer.push('\n');
        } else {
            let read: Answer = serde_json::from_str(&answer).map_err(|error| error.to_string())?;
            answer = text::of(&read, self.sources);
        }
        pricing::write(&answer).map(|()| ExitCode::SUCCESS)
    }

    fn refuse(&self, faults: Vec<Fault>) -> Result<ExitCode, Failure> {
        let errors = pricing::problem_errors(faults);
        if self.json {
            let body = serde_json::to_string(&Refusal { errors }).map_err(|error| error.to_string())?;
            pricing::write(&(body + "\n"))?;
        } else {
            for error in &errors {
                say(&pricing::fault_line(error));
            }
        }
        Ok(ExitCode::FAILURE)
    }
}

/// What is left of the service's problem where there is no HTTP.
#[derive(Serialize)]
struct Refusal {
    errors: Vec<ProblemError>,
}

impl WorkloadFlags {
    /// The workload as a request spells it, whatever the flags hold: the reader of requests is the one judge.
    fn to_json(&self) -> String {
        let mut members = Vec::new();
        let texts = [("provider", &self.provider), ("model", &self.model)];
        for (name, text) in texts {
            members.extend(text.as_deref().map(|text| member(name, &quoted(text))));
        }
        members.push(member("usage", &object(&self.usage, number)));
        members.extend(self.calls.as_deref().map(|calls| member("calls", &number(calls))));
        if !self.context.is_empty() {
            members.push(member("context", &object(&self.context, quoted)));
        }
        format!("{{{}}}", members.join(","))
    }
}

fn object(pairs: &[(String, String)], value: fn(&str) -> String) -> String {
    let members: Vec<String> = pairs.iter().map(|(name, text)| member(name, &value(text))).collect();
    format!("{{{}}}", members.join(","))
}

fn member(name: &str, value: &str) -> String {
    format!("{}:{value}", quoted(name))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number in the digits given; what is none goes in as text, and is refused there by name.
fn number(text: &str) -> String {
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok() && text.trim() == text;
    if is_number { text.to_owned() } else { quoted(text) }
}

fn pair(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a name and a value, such as input_tokens=1200")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn detail(text: &str) -> Result<Detail, &'static str> {
    match text {
        "total" => Ok(Detail::Total),
        "lines" => Ok(Detail::Lines),
        "full" => Ok(Detail::Full),
        _ => Err("one of total, lines, full"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> WorkloadFlags {
        let usage = vec![("input_tokens".to_owned(), "12345678901234567".to_owned())];
        let context = vec![("steps".to_owned(), "50".to_owned())];
        let model = Some("a \"b\"".to_owned());
        WorkloadFlags { model, provider: None, usage, context, calls: Some("1e3".to_owned()) }
    }

    #[test]
    fn flags_say_what_a_request_says_to_the_last_digit() {
        assert_eq!(
            flags().to_json(),
            r#"{"model":"a \"b\"","usage":{"input_tokens":12345678901234567},"calls":1e3,"context":{"steps":"50"}}"#
        );
    }

    #[test]
    fn what_is_no_number_is_left_to_the_reader_of_requests() {
        assert_eq!(number("many"), r#""many""#);
        assert_eq!(number("1}"), r#""1}""#);
    }
}
