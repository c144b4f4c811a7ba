//! What workloads cost.

use std::borrow::Cow;

use axum::{extract::State, http::Uri, response::Response};
use jiff::Timestamp;
use serde_json::{Map, Value, value::RawValue};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{OneOfBuilder, Schema},
    },
};

use crate::{
    catalog::{meter_table::MeterTable, names, rate_card::ContextKey, snapshot::Snapshot},
    estimate::{
        self,
        api_usage::request::ApiUsage,
        fault::{Fault, FaultKind},
        number::Count,
        quote::Quote,
        request::{Envelope, EstimateRequest, NotJson},
    },
    http::{
        App,
        extract::{JsonBytes, json_response},
        problem::Problem,
        query,
    },
};

/// Estimate what a list of workloads costs
///
/// The body is a list of workloads, or one workload by itself. Every fault of it is answered at once. The
/// same request with the same `as_of` and `catalog_revision` always gets the same bytes.
#[utoipa::path(post, path = "/estimate", tag = "estimate", request_body = EstimateBody,
    responses((status = OK, description = "What it costs, line by line.", body = Quote), Problem))]
pub(crate) async fn estimate(State(app): State<App>, body: JsonBytes) -> Result<Response, Problem> {
    answer(&app, &body.0).await
}

/// Estimate one call, for a link or a spreadsheet
///
/// Fields of the request, meters and context keys are parameters by their own names:
/// `/estimate?model=gpt-4o&input_tokens=1200&output_tokens=300&service_tier=batch`.
#[utoipa::path(get, path = "/estimate", tag = "estimate",
    operation_id = "estimate_call",
    params(
        ("model" = String, Query, description = "The model by the seller's name or an alias; `provider/name` names both.", example = "gpt-4o"),
        ("provider" = Option<String>, Query, description = "Who sells the model. Default: its developer's own API, or else its only seller.", example = "openai"),
        ("usage" = inline(std::collections::BTreeMap<String, Count>), Query, style = Form, explode, description = "Counts of one call by meter, each a parameter of its own: `input_tokens=1200`.", example = json!({"input_tokens": 1200, "output_tokens": 300})),
        ("context" = inline(Option<std::collections::BTreeMap<String, String>>), Query, style = Form, explode, description = "Facts that prices depend on, each a parameter of its own: `service_tier=standard`.", example = json!({"service_tier": "standard"})),
        ("currency" = Option<String>, Query, description = "Currency of the answer.", example = "USD"),
        ("as_of" = Option<String>, Query, description = "Whose prices: an RFC 3339 instant or a date. Default: now.", example = "2026-11-24T12:00:00Z"),
        ("catalog_revision" = Option<u32>, Query, description = "What was known: a revision of the catalog. Default: the newest.", example = 1),
        ("detail" = Option<estimate::request::Detail>, Query, description = "How much of the answer is wanted.", example = "lines"),
        ("calls" = Option<Count>, Query, description = "How many such calls.", example = 1),
        ("usage_scope" = Option<estimate::api_usage::request::UsageScope>, Query, description = "Whether counts are of one call or of all of them.", example = "total"),
        ("input_tokens_per_call" = Option<Count>, Query, description = "With `usage_scope=total`: the input of one call, which decides the price tier.", example = 1200),
        ("allow_fallback" = Option<bool>, Query, description = "Price at the standard card where the context has no price of its own.", example = false),
        ("allow_unpriced" = Option<bool>, Query, description = "Leave out a meter that has no price, with a warning.", example = false),
    ),
    responses((status = OK, description = "What it costs, line by line.", body = Quote), Problem))]
pub(crate) async fn estimate_call(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let catalog = app.catalog.current();
    let body = body_of(query::pairs(&uri), catalog.newest().meters).map_err(Problem::from)?;
    answer(&app, &body).await.map_err(Problem::of_parameters)
}

/// Answers a body: at once, or, where that takes long, away from the threads that read and write.
pub(crate) async fn answer(app: &App, body: &[u8]) -> Result<Response, Problem> {
    let catalog = app.catalog.current(); // once: one revision for the whole request
    let request = EstimateRequest::parse(body).map_err(|NotJson(reason)| Problem::not_json(reason))?;
    let now = (app.now)();
    let text = if request.is_heavy() {
        let work = app.heavy.run(move |_| quote_as_json(&request, &catalog, now));
        Box::pin(work).await?? // boxed: most answers need no room for it
    } else {
        quote_as_json(&request, &catalog, now)?
    };
    Ok(json_response(text))
}

fn quote_as_json(request: &EstimateRequest, catalog: &Snapshot, now: Timestamp) -> Result<Vec<u8>, Problem> {
    let quote = estimate::estimate(request, catalog, now)?;
    let mut text = Vec::with_capacity(USUAL_LENGTH);
    serde_json::to_writer(&mut text, &quote).map_err(Problem::internal)?;
    Ok(text)
}

const USUAL_LENGTH: usize = 2048;

/// Fields of a workload and of its request that are parameters by their own names.
const FIELDS: [&str; 13] = [
    "id",
    "label",
    "provider",
    "model",
    "calls",
    "usage_scope",
    "input_tokens_per_call",
    "allow_fallback",
    "allow_unpriced",
    "currency",
    "as_of",
    "catalog_revision",
    "detail",
];

/// The body that a query stands for.
fn body_of(pairs: Vec<(String, String)>, meters: &MeterTable) -> Result<Vec<u8>, Vec<Fault>> {
    let mut faults = Vec::new();
    let (mut body, mut usage, mut context) = (Map::new(), Map::new(), Map::new());
    for (name, text) in pairs {
        let (object, value) = if FIELDS.contains(&name.as_str()) {
            (&mut body, Value::String(text))
        } else if meters.find(&name).is_some() {
            (&mut usage, Value::String(text))
        } else if ContextKey::parse(&name).is_some() {
            (&mut context, Value::String(text))
        } else {
            faults.push(unknown_parameter(name, meters));
            continue;
        };
        if object.insert(name.clone(), value).is_some() {
            let detail = format!("`{name}` is given twice");
            faults.push(Fault::new(format!("/{name}"), FaultKind::Contradiction { detail }));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let typed = |object: &Map<String, Value>| {
        object.iter().map(|(name, value)| typed(name, value)).collect::<Vec<_>>()
    };
    let mut fields = typed(&body);
    fields.push(format!("\"usage\":{{{}}}", typed(&usage).join(",")));
    fields.push(format!("\"context\":{}", Value::Object(context)));
    Ok(format!("{{{}}}", fields.join(",")).into_bytes())
}

/// A field as JSON: what reads as a number or as true or false is one, unless the field is a name.
fn typed(name: &str, value: &Value) -> String {
    const NAMES: [&str; 7] = ["id", "label", "provider", "model", "currency", "as_of", "usage_scope"];
    let text = value.as_str().unwrap_or_default();
    let is_scalar = || !text.starts_with(['"', '{', '[']) && serde_json::from_str::<&RawValue>(text).is_ok();
    let name_json = Value::from(name);
    if !NAMES.contains(&name) && is_scalar() {
        return format!("{name_json}:{text}");
    }
    format!("{name_json}:{value}")
}

fn unknown_parameter(name: String, meters: &MeterTable) -> Fault {
    let known = FIELDS.into_iter().chain(meters.ids()).chain(ContextKey::ALL.map(ContextKey::as_str));
    let near = names::near(&name, known);
    Fault::new(format!("/{name}"), FaultKind::UnknownField { name, near })
}

/// A list of workloads, or one workload as a request by itself.
pub(crate) struct EstimateBody;

impl PartialSchema for EstimateBody {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .item(Ref::from_schema_name("EstimateList"))
            .item(Ref::from_schema_name("SingleEstimate"))
            .description(Some("A list of workloads, or one workload as a request by itself."))
            .examples([serde_json::json!({
                "model": "gpt-4o", "usage": {"input_tokens": 1200, "output_tokens": 300}
            })])
            .into()
    }
}

impl ToSchema for EstimateBody {
    fn name() -> Cow<'static, str> {
        "EstimateRequest".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push(("EstimateList".to_owned(), <Envelope<'_> as PartialSchema>::schema()));
        schemas.push(("SingleEstimate".to_owned(), single()));
        <Envelope<'_> as ToSchema>::schemas(schemas);
        <ApiUsage as ToSchema>::schemas(schemas);
    }
}

/// A workload with the fields of the envelope beside its own.
fn single() -> RefOr<Schema> {
    let mut schema = <ApiUsage as PartialSchema>::schema();
    if let (RefOr::T(Schema::Object(single)), RefOr::T(Schema::Object(envelope))) =
        (&mut schema, <Envelope<'_> as PartialSchema>::schema())
    {
        single.description = Some("One workload as a request by itself.".to_owned());
        single.properties.extend(envelope.properties.into_iter().filter(|(name, _)| name != "items"));
    }
    schema
}
