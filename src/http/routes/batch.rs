//! Any number of requests, one a line, answered as they arrive.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::stream;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{OneOfBuilder, Schema, Type},
    },
};

use crate::{
    catalog::{
        money::{Currency, Money, Overflow},
        snapshot::Snapshot,
    },
    estimate::{
        self,
        quote::{ENGINE, Quote, Total},
        request::{EstimateRequest, NotJson},
    },
    http::{
        App,
        extract::{Json, Query, require_media_type},
        layers::Permit,
        problem::{Problem, ProblemError},
        routes::estimate::EstimateBody,
    },
};

/// What a batch is and answers: newline-delimited JSON.
const NDJSON: &str = "application/x-ndjson";

/// Names under which newline-delimited JSON goes.
const NDJSON_NAMES: [&str; 4] = [NDJSON, "application/ndjson", "application/jsonl", "application/json-lines"];

/// How much of the answer is collected before it is handed on.
const CHUNK: usize = 64 * 1024;

/// How the answer to a batch is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct BatchParameters {
    /// `only`: one summary in place of a line for each line.
    #[param(inline)]
    summary: Option<SummaryMode>,
}

/// Whether lines are answered one by one or only summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SummaryMode {
    /// One object with totals by currency and group.
    Only,
}

/// Estimate any number of requests, one a line
///
/// Line n of the answer answers line n of the body, with a quote or a problem, and says `"line": n`. Both are
/// streamed: memory stays flat however long the batch is, and the catalog is the same from the first line to the
/// last. A line may be as long as the body of `POST /estimate`. With `summary=only` the answer is one object
/// (`application/json`): totals by currency, and by the value of each line's `group_by` tag.
#[utoipa::path(post, path = "/estimate/batch", tag = "estimate", params(BatchParameters),
    request_body(content = EstimateBody, content_type = "application/x-ndjson", description = "One request a line, as for `POST /estimate`.",
        example = "{\"model\": \"gpt-4o\", \"usage\": {\"input_tokens\": 1200, \"output_tokens\": 300}}\n{\"model\": \"gpt-4o-mini\", \"usage\": {\"input_tokens\": 500}}\n"),
    responses(
        (status = OK, description = "A quote or a problem for each line; or the summary.", content(
            (BatchLine = "application/x-ndjson", example = "{\"line\":1,\"currency\":\"USD\",\"total\":{\"amount\":\"0.006\"}}\n"),
            (BatchSummary = "application/json"))),
        Problem))]
pub(crate) async fn estimate_batch(
    State(app): State<App>,
    Query(parameters): Query<BatchParameters>,
    request: Request,
) -> Result<Response, Problem> {
    require_media_type(request.headers(), &NDJSON_NAMES)?;
    let lines = Lines::new(&app, request.into_body())?;
    if parameters.summary.is_some() {
        return summarise(lines).await;
    }
    let answers = stream::unfold(Some(lines), |lines| async {
        let mut lines = lines?;
        let chunk = lines.answers().await;
        let more = (!lines.ended).then_some(lines);
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), more))
    });
    let mut response = Response::new(Body::from_stream(answers));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    Ok(response)
}

/// What stands on each line of the answer.
pub(crate) struct BatchLine;

impl PartialSchema for BatchLine {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(numbered(<Quote<'_> as PartialSchema>::schema(), "A quote, and the line it answers."))
            .item(numbered(Problem::schema(), "A problem, and the line it answers."))
            .description(Some("Each line of the answer: a quote or a problem, and the number of its line."))
            .into()
    }
}

impl ToSchema for BatchLine {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        <Quote<'_> as ToSchema>::schemas(schemas);
        Problem::schemas(schemas);
    }
}

fn numbered(mut schema: RefOr<Schema>, description: &str) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let line = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .description(Some("The line of the body that this answers, counted from 1."))
            .examples([1]);
        object.properties.insert("line".to_owned(), line.into());
        object.required.push("line".to_owned());
        object.description = Some(description.to_owned());
    }
    schema
}

/// The lines of a body as they arrive.
struct Lines {
    body: Body,
    patience: Duration,
    longest: usize,
    catalog: Arc<Snapshot>,
    now: Timestamp,
    /// Bytes that have arrived and have not been answered.
    waiting: Vec<u8>,
    /// Where in them the next line begins.
    next: usize,
    /// How far they have been searched for the end of that line.
    searched: usize,
    /// The line being received is too long: it has been refused, and the rest of it is dropped.
    skipping: bool,
    number: u64,
    body_ended: bool,
    ended: bool,
    _permit: Permit,
}

/// One line, or what stands in its place.
enum Arrived {
    Line(Range<usize>),
    TooLong,
    /// The body broke off.
    Broken(Problem),
    End,
}

impl Lines {
    fn new(app: &App, body: Body) -> Result<Self, Problem> {
        Ok(Self {
            body,
            patience: app.settings.timeout,
            longest: app.settings.body_limit,
            catalog: app.catalog.current(), // once: one revision for the whole batch
            now: (app.now)(),
            waiting: Vec::new(),
            next: 0,
            searched: 0,
            skipping: false,
            number: 0,
            body_ended: false,
            ended: false,
            _permit: Permit::of(app, true)?,
        })
    }

    /// Answers to a chunk's worth of lines. Nothing more is read from the body before they have been taken.
    async fn answers(&mut self) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 8);
        while chunk.len() < CHUNK {
            if chunk.is_empty() || self.has_line() {
                match self.arrive().await {
                    Arrived::End => {
                        self.ended = true;
                        break;
                    }
                    Arrived::Line(line) => self.answer(line, &mut chunk),
                    Arrived::TooLong => self.write(&Problem::too_large(self.longest), &mut chunk),
                    Arrived::Broken(problem) => {
                        self.number += 1;
                        self.write(&problem, &mut chunk);
                        self.ended = true;
                        break;
                    }
                }
            } else {
                break; // hand on what there is rather than wait for more
            }
        }
        chunk
    }

    fn answer(&self, line: Range<usize>, out: &mut Vec<u8>) {
        let asked = EstimateRequest::parse(&self.waiting[line]);
        let request = match asked {
            Ok(request) => request,
            Err(NotJson(reason)) => return self.write(&Problem::not_json(reason), out),
        };
        match estimate::estimate(&request, &self.catalog, self.now) {
            Ok(quote) => self.write(&quote, out),
            Err(faults) => self.write(&Problem::from(faults), out),
        }
    }

    /// An object with the number of its line in front, on a line of its own.
    fn write(&self, answer: &impl Serialize, out: &mut Vec<u8>) {
        write_number(self.number, out);
        let object = out.len();
        match serde_json::to_writer(&mut *out, answer) {
            Ok(()) => out[object] = b',', // the brace that opens the answer
            Err(_) => out.push(b'}'),     // plain data always serialises
        }
        out.push(b'\n');
    }

    /// Whether a whole line is waiting.
    fn has_line(&mut self) -> bool {
        self.line_end().is_some() || self.body_ended
    }

    fn line_end(&mut self) -> Option<usize> {
        let found = memchr::memchr(b'\n', &self.waiting[self.searched..]).map(|at| self.searched + at);
        if found.is_none() {
            self.searched = self.waiting.len();
        }
        found
    }

    /// The next line, once it is there.
    async fn arrive(&mut self) -> Arrived {
        loop {
            if let Some(end) = self.line_end() {
                let line = self.next..end;
                (self.next, self.searched) = (end + 1, end + 1);
                if std::mem::take(&mut self.skipping) {
                    continue;
                }
                self.number += 1;
                return if line.len() > self.longest { Arrived::TooLong } else { Arrived::Line(line) };
            }
            if self.body_ended {
                return self.last_line();
            }
            self.waiting.drain(..self.next);
            (self.searched, self.next) = (self.searched - self.next, 0);
            if self.waiting.len() > self.longest {
                self.waiting.clear();
                self.searched = 0;
                if !std::mem::replace(&mut self.skipping, true) {
                    self.number += 1;
                    return Arrived::TooLong;
                }
            }
            if let Err(problem) = self.receive().await {
                return Arrived::Broken(problem);
            }
        }
    }

    /// What stands after the last newline.
    fn last_line(&mut self) -> Arrived {
        let line = self.next..self.waiting.len();
        self.next = self.waiting.len();
        if line.is_empty() || self.skipping {
            return Arrived::End;
        }
        self.number += 1;
        Arrived::Line(line)
    }

    async fn receive(&mut self) -> Result<(), Problem> {
        match tokio::time::timeout(self.patience, self.body.frame()).await {
            Ok(Some(Ok(frame))) => self.waiting.extend_from_slice(frame.data_ref().map_or(&[], |data| data)),
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the body breaks off")),
            Ok(None) => self.body_ended = true,
            Err(_) => return Err(Problem::request_timeout(self.patience)),
        }
        Ok(())
    }
}

fn write_number(line: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"line\":");
    out.extend_from_slice(line.to_string().as_bytes());
}

/// Problems that a summary repeats; the others are only counted.
const PROBLEMS_SHOWN: usize = 20;

/// Groups that a summary keeps apart, so that its memory stays flat; what is over goes under `other_groups`.
const GROUPS_KEPT: usize = 10_000;

/// Lines between two chances for others to run.
const LINES_AT_A_TIME: u64 = 256;

/// Money by currency.
type Totals = BTreeMap<Currency, Total>;

/// What a batch comes to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BatchSummary {
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    engine: &'static str,
    /// Lines in all.
    #[schema(example = 2)]
    lines: u64,
    /// Lines answered with a quote.
    #[schema(example = 2)]
    quoted: u64,
    /// Lines that could not be quoted.
    #[schema(example = 0)]
    refused: u64,
    /// Sums of the quotes, by currency.
    #[schema(value_type = BTreeMap<String, Total>, example = json!({"USD": {"amount": "0.00725"}}))]
    totals: Totals,
    /// Sums by the value of the tag that each line's `group_by` names, and by currency.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Total>>, example = json!({"search": {"USD": {"amount": "0.006"}}}))]
    groups: BTreeMap<String, Totals>,
    /// The sum of groups beyond the first 10,000; only where there are so many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Total>, example = json!({}))]
    other_groups: Totals,
    /// The first 20 lines that could not be quoted.
    problems: Vec<LineProblem>,
}

/// Why a line could not be quoted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineProblem {
    /// The line, counted from 1.
    #[schema(example = 7)]
    line: u64,
    /// What is wrong, in a sentence.
    #[schema(example = "1 fault: no model is called `gpt-4p`")]
    detail: String,
    /// Each thing that is wrong, where the line is JSON.
    errors: Vec<ProblemError>,
}

async fn summarise(mut lines: Lines) -> Result<Response, Problem> {
    let mut summary = BatchSummary {
        catalog_revision: lines.catalog.revision().0,
        engine: ENGINE,
        ..BatchSummary::default()
    };
    loop {
        match lines.arrive().await {
            Arrived::End => break,
            Arrived::Broken(problem) => return Err(problem),
            Arrived::TooLong => summary.refuse(lines.number, Problem::too_large(lines.longest)),
            Arrived::Line(line) => summary.add(&lines, line),
        }
        summary.lines = lines.number;
        if lines.number.is_multiple_of(LINES_AT_A_TIME) {
            tokio::task::yield_now().await;
        }
    }
    Ok(axum::response::IntoResponse::into_response(Json(summary)))
}

impl BatchSummary {
    fn add(&mut self, lines: &Lines, line: Range<usize>) {
        let request = match EstimateRequest::parse(&lines.waiting[line]) {
            Ok(request) => request,
            Err(NotJson(reason)) => return self.refuse(lines.number, Problem::not_json(reason)),
        };
        match estimate::estimate(&request, &lines.catalog, lines.now) {
            Ok(quote) => match self.add_quote(&quote) {
                Ok(()) => self.quoted += 1,
                Err(Overflow) => self.refuse(
                    lines.number,
                    Problem::bad_request("the sum of the batch has more than 76 digits"),
                ),
            },
            Err(faults) => self.refuse(lines.number, Problem::from(faults)),
        }
    }

    fn add_quote(&mut self, quote: &Quote<'_>) -> Result<(), Overflow> {
        add(&mut self.totals, quote.currency, quote.total.amount)?;
        for (group, total) in quote.groups.iter().flatten() {
            let is_full = self.groups.len() >= GROUPS_KEPT;
            let sums = match self.groups.get_mut(group.as_ref()) {
                Some(known) => known,
                None if is_full => &mut self.other_groups,
                None => self.groups.entry(group.to_string()).or_default(),
            };
            add(sums, quote.currency, total.amount)?;
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < PROBLEMS_SHOWN {
            let (detail, errors) = problem.into_detail();
            self.problems.push(LineProblem { line, detail, errors });
        }
    }
}

fn add(sums: &mut Totals, currency: Currency, amount: Money) -> Result<(), Overflow> {
    let sum = sums.entry(currency).or_insert(Total { amount: Money::ZERO });
    sum.amount = sum.amount.checked_add(amount)?;
    Ok(())
}
