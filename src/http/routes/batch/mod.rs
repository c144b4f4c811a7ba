//! Any number of requests, one a line, answered as they arrive.

mod summary;

use std::{ops::Range, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, RefOr,
        schema::{OneOfBuilder, Schema, Type},
    },
};

use self::summary::BatchSummary;
use crate::{
    catalog::snapshot::Snapshot,
    estimate::{
        self,
        quote::Quote,
        request::{EstimateRequest, NotJson},
    },
    http::{
        App,
        extract::{Query, require_media_type},
        layers::Permit,
        lines::{Arrived, Lines},
        problem::Problem,
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
    let batch = Batch::new(&app, request.into_body())?;
    if parameters.summary.is_some() {
        return summary::summarise(batch).await;
    }
    let answers = stream::unfold(Some(batch), |batch| async {
        let mut batch = batch?;
        let chunk = batch.answers().await;
        let more = (!batch.ended).then_some(batch);
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

/// The lines of a batch, and what all of them are priced with.
struct Batch {
    app: App,
    lines: Lines,
    catalog: Arc<Snapshot>,
    now: Timestamp,
    ended: bool,
    _permit: Permit,
}

impl Batch {
    fn new(app: &App, body: Body) -> Result<Self, Problem> {
        Ok(Self {
            app: app.clone(),
            lines: Lines::new(body, app.settings.body_limit, app.settings.timeout),
            catalog: app.catalog.current(), // once: one revision for the whole batch
            now: (app.now)(),
            ended: false,
            _permit: Permit::of(app, true)?,
        })
    }

    /// Answers to a chunk's worth of lines. Nothing more is read from the body before they have been taken.
    async fn answers(&mut self) -> Vec<u8> {
        let mut chunk = Vec::with_capacity(CHUNK + CHUNK / 8);
        while chunk.len() < CHUNK {
            if chunk.is_empty() || self.lines.has_line() {
                match self.lines.arrive().await {
                    Arrived::End => {
                        self.ended = true;
                        break;
                    }
                    Arrived::Line(line) => self.answer(line, &mut chunk).await,
                    Arrived::TooLong => self.write(&Problem::too_large(self.lines.longest()), &mut chunk),
                    Arrived::Broken(problem) => {
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

    async fn answer(&mut self, line: Range<usize>, out: &mut Vec<u8>) {
        let asked = EstimateRequest::parse(self.lines.text(line));
        let request = match asked {
            Ok(request) => request,
            Err(NotJson(reason)) => return self.write(&Problem::not_json(reason), out),
        };
        if request.is_heavy() {
            let (catalog, now) = (Arc::clone(&self.catalog), self.now);
            let work = self.app.heavy.run(move |_| {
                let quote = estimate::estimate(&request, &catalog, now)?;
                serde_json::value::to_raw_value(&quote).map_err(Problem::internal)
            });
            return match Box::pin(work).await.flatten() {
                Ok(quote) => self.write(&quote, out),
                Err(problem) => self.write(&problem, out),
            };
        }
        match estimate::estimate(&request, &self.catalog, self.now) {
            Ok(quote) => self.write(&quote, out),
            Err(faults) => self.write(&Problem::from(faults), out),
        }
    }

    /// An object with the number of its line in front, on a line of its own.
    fn write(&self, answer: &impl Serialize, out: &mut Vec<u8>) {
        write_number(self.lines.number(), out);
        let object = out.len();
        match serde_json::to_writer(&mut *out, answer) {
            Ok(()) => out[object] = b',', // the brace that opens the answer
            Err(_) => out.push(b'}'),     // plain data always serialises
        }
        out.push(b'\n');
    }
}

fn write_number(line: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"line\":");
    out.extend_from_slice(line.to_string().as_bytes());
}
