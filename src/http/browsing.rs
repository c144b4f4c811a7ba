//! Answering questions about the catalog: pages, single rows and tables, each with a tag for caches.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
    routing::get,
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App, accept,
    extract::{Query, json_response},
    problem::Problem,
    query::pairs,
};
use crate::{
    browse::{
        self, Listing, Resource, Scope, Selection,
        fault::{self, Thing, Unknown, one_of},
        query::{Asked, Format},
        sheet::{self, Table},
    },
    catalog::{ids::RevisionNumber, snapshot::Snapshot},
    estimate::fault::{Fault, FaultKind},
};

pub(crate) const JSON: &str = "application/json";
pub(crate) const CSV: &str = "text/csv";

/// What no answer depends on but the revision and the instant asked about may be kept for a while.
const FOR_AN_HOUR: &str = "max-age=3600";

/// All else may be kept, and is asked about each time.
const ASK_AGAIN: &str = "no-cache";

/// Rows of a table that are written at a time.
const ROWS_AT_A_TIME: usize = 64;

/// A question: its parameters, and the rest of the request that has a say in the answer.
#[derive(Debug)]
pub(crate) struct Question<Q> {
    query: Q,
    uri: Uri,
    headers: HeaderMap,
}

impl<Q: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Question<Q> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, state).await?;
        Ok(Self { query, uri: parts.uri.clone(), headers: parts.headers.clone() })
    }
}

impl<Q: Asked> Question<Q> {
    /// What is asked.
    pub(crate) fn asked(&self) -> &Q {
        &self.query
    }

    /// All that a cursor belongs to: the path and the parameters that say something, but for those that may
    /// differ from page to page.
    pub(crate) fn binding(&self) -> String {
        let free = |name: &str| ["cursor", "limit", "format"].contains(&name);
        let mut pairs = pairs(&self.uri);
        pairs.retain(|(name, value)| !free(name) && !value.is_empty());
        pairs.sort_unstable();
        let text = pairs.iter().map(|(name, value)| format!("{name}={value}"));
        std::iter::once(self.uri.path().to_owned()).chain(text).collect::<Vec<_>>().join("\n")
    }

    /// The same question for the next page, as a `Link` (RFC 8288).
    pub(crate) fn link(&self, cursor: &str) -> Option<HeaderValue> {
        let others = self.uri.query().unwrap_or_default().split('&');
        let others = others.filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query: Vec<&str> = others.collect();
        let start = if query.is_empty() { String::new() } else { query.join("&") + "&" };
        let link = format!("<{}?{start}cursor={cursor}>; rel=\"next\"", self.uri.path());
        link.parse().ok()
    }

    /// How long the answer may be kept: what is known at a revision of an instant never changes.
    fn cache_control(&self) -> &'static str {
        let page = self.query.page();
        let walks = page.cursor.is_some_and(|cursor| !cursor.is_empty());
        let pinned = page.catalog_revision.is_some() && page.as_of.is_some();
        if walks || pinned { FOR_AN_HOUR } else { ASK_AGAIN }
    }

    pub(crate) fn wants(&self, offered: &[&'static str]) -> Result<&'static str, Problem> {
        accept::one_of(&self.headers, offered)
    }

    /// JSON with its tag, or 304 for somebody who has it.
    pub(crate) fn answer(&self, json: Vec<u8>, next: Option<&str>) -> Response {
        let tag = Tag::of(|hash| hash.update(&json));
        self.tagged(&tag, next, || json_response(json))
    }

    /// An answer with its tag and what else caches and walkers need to know.
    fn tagged(&self, tag: &Tag, next: Option<&str>, answer: impl FnOnce() -> Response) -> Response {
        let mut response =
            if tag.is_among(&self.headers) { StatusCode::NOT_MODIFIED.into_response() } else { answer() };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, tag.0.clone());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control()));
        headers.append(header::VARY, HeaderValue::from_static("accept"));
        if let Some(link) = next.and_then(|cursor| self.link(cursor)) {
            headers.insert(header::LINK, link);
        }
        response
    }
}

/// Routes to look around in the catalog.
pub(super) fn routes() -> OpenApiRouter<App> {
    use super::routes::{
        assumptions, energy_prices, fx_rates, gpu_prices, gpus, meters, models, offerings, prices, providers,
        published_runs, published_throughputs, revisions, scenarios,
    };
    OpenApiRouter::new()
        .routes(routes!(providers::list_providers))
        .routes(routes!(providers::get_provider))
        .routes(routes!(models::list_models))
        .routes(routes!(models::get_model))
        .routes(routes!(offerings::list_offerings))
        .routes(routes!(offerings::get_offering))
        .route("/offerings/{id}/{*name}", get(offerings::get_offering_in_two_segments))
        .routes(routes!(meters::list_meters))
        .routes(routes!(meters::get_meter))
        .routes(routes!(gpus::list_gpus))
        .routes(routes!(gpus::get_gpu))
        .routes(routes!(prices::list_prices))
        .routes(routes!(prices::list_price_history))
        .routes(routes!(gpu_prices::list_gpu_prices))
        .routes(routes!(fx_rates::list_fx_rates))
        .routes(routes!(energy_prices::list_energy_prices))
        .routes(routes!(assumptions::list_assumptions))
        .routes(routes!(assumptions::get_assumption))
        .routes(routes!(published_runs::list_published_runs))
        .routes(routes!(published_throughputs::list_published_throughputs))
        .routes(routes!(scenarios::list_scenarios))
        .routes(routes!(scenarios::get_scenario))
        .routes(routes!(scenarios::quote_scenario))
        .routes(routes!(revisions::list_revisions))
        .routes(routes!(revisions::get_revision))
}

/// A page of a list.
///
/// # Errors
/// 406 for who does not take JSON, 422 for what is not there.
pub(crate) fn list<R: Resource>(app: &App, question: &Question<R::Query>) -> Result<Response, Problem> {
    question.wants(&[JSON])?;
    page::<R>(app, question)
}

fn page<R: Resource>(app: &App, question: &Question<R::Query>) -> Result<Response, Problem> {
    let snapshot = app.catalog.current();
    let listing: Listing<R::Item<'_>> =
        browse::list::<R>(&snapshot, &question.query, &question.binding(), (app.now)())?;
    let json = serde_json::to_vec(&listing).map_err(Problem::internal)?;
    Ok(question.answer(json, listing.next_cursor.as_deref()))
}

/// A page of a list, or the whole of it as CSV.
///
/// # Errors
/// 406 for who takes neither, 422 for what is not there.
pub(crate) fn table<T: Table>(app: &App, question: &Question<T::Query>) -> Result<Response, Problem> {
    let format = match T::format(&question.query) {
        Some(Format::Json) => JSON,
        Some(Format::Csv) => CSV,
        None => question.wants(&[JSON, CSV])?,
    };
    if format == JSON { page::<T>(app, question) } else { csv::<T>(app, question) }
}

fn csv<T: Table>(app: &App, question: &Question<T::Query>) -> Result<Response, Problem> {
    let snapshot = app.catalog.current();
    let Selection { scope, rows, next_cursor } =
        browse::select::<T>(&snapshot, &question.query, &question.binding(), usize::MAX, (app.now)())?;
    let (revision, as_of) = (scope.view.revision, scope.as_of);
    let header = sheet::header::<T>().map_err(Problem::internal)?;
    // Which rows of which revision, told on which day: that is the content, long before it is written.
    let tag = Tag::of(|hash| {
        hash.update(concat!("csv ", env!("CARGO_PKG_VERSION")));
        hash.update(&header);
        hash.update(format!("{revision} {}", scope.day()));
        for row in &rows {
            hash.update(row.to_be_bytes());
        }
    });
    let rest = Rest { snapshot: Arc::clone(&snapshot), revision, as_of, rows };
    let body = || {
        let stream = rest.write::<T>(header);
        csv_response(Body::from_stream(futures_util::stream::iter(stream)))
    };
    Ok(question.tagged(&tag, next_cursor.as_deref(), body))
}

/// A table, as an answer.
pub(crate) fn csv_response(table: Body) -> Response {
    let mut response = Response::new(table);
    let media_type = HeaderValue::from_static("text/csv; charset=utf-8; header=present");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// The rows of a table still to be written.
struct Rest {
    snapshot: Arc<Snapshot>,
    revision: RevisionNumber,
    as_of: Timestamp,
    rows: Vec<u32>,
}

impl Rest {
    /// The table, some rows at a time, as whoever reads it gets on.
    fn write<T: Table>(self, header: Vec<u8>) -> impl Iterator<Item = csv::Result<Bytes>> {
        let mut at = 0;
        let rest = std::iter::from_fn(move || {
            let view = self.snapshot.at(self.revision)?;
            let chunk = self.rows.get(at..)?.chunks(ROWS_AT_A_TIME).next()?;
            at += chunk.len();
            let scope = Scope { view, as_of: self.as_of };
            Some(sheet::rows::<T>(scope, chunk).map(Bytes::from))
        });
        std::iter::once(Ok(Bytes::from(header))).chain(rest)
    }
}

/// One row, written by [`found`].
///
/// # Errors
/// 404 when there is none of that name, 406 for who does not take JSON, 422 for an unknown revision.
pub(crate) fn one<Q: Asked>(
    app: &App,
    question: &Question<Q>,
    find: impl FnOnce(Scope<'_>) -> Result<Vec<u8>, Problem>,
) -> Result<Response, Problem> {
    question.wants(&[JSON])?;
    let snapshot = app.catalog.current();
    let scope = Scope::of(&snapshot, question.query.page(), (app.now)())?;
    Ok(question.answer(find(scope)?, None))
}

/// What was found by a name in the path, as JSON.
///
/// # Errors
/// 404 when nothing was.
pub(crate) fn found(row: Result<impl Serialize, Unknown>) -> Result<Vec<u8>, Problem> {
    match row {
        Ok(row) => serde_json::to_vec(&row).map_err(Problem::internal),
        Err(unknown) if unknown.near.is_empty() => Err(Problem::not_found(unknown.to_string())),
        Err(unknown) => {
            let detail = format!("{unknown}; there is {}", one_of(&unknown.near));
            Err(Problem::not_found(detail))
        }
    }
}

/// A tag of the content: the same for the same bytes, another for others.
struct Tag(HeaderValue);

impl Tag {
    fn of(content: impl FnOnce(&mut Sha256)) -> Self {
        let mut hash = Sha256::new();
        content(&mut hash);
        let start =
            hash.finalize().into_iter().take(16).fold(0_u128, |bits, byte| bits << 8 | u128::from(byte));
        let text = format!("\"{start:032x}\"");
        Self(HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("\"\""))) // digits always fit
    }

    /// Whether somebody says that they have it (RFC 9110, section 13.1.2).
    fn is_among(&self, headers: &HeaderMap) -> bool {
        let had = headers.get_all(header::IF_NONE_MATCH).iter();
        let had = had.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let mut tags = had.map(|tag| tag.trim().trim_start_matches("W/"));
        tags.any(|tag| tag == "*" || tag.as_bytes() == self.0.as_bytes())
    }
}

impl From<fault::Fault> for Problem {
    fn from(fault: fault::Fault) -> Self {
        let kind = match fault.kind {
            fault::FaultKind::OutOfRange { detail } => FaultKind::OutOfRange { detail },
            fault::FaultKind::Missing { names } => {
                let quoted = one_of(names); // the message puts the outer marks around it
                FaultKind::MissingField { name: quoted.trim_matches('`').to_owned() }
            }
            fault::FaultKind::UnknownRevision { revision, newest } => {
                FaultKind::UnknownRevision { revision, newest }
            }
            fault::FaultKind::Unknown(unknown) => kind_of(unknown),
        };
        Fault::new(format!("/{}", fault.parameter), kind).into()
    }
}

/// The public kind of a name that nothing has.
fn kind_of(unknown: Unknown) -> FaultKind {
    let Unknown { thing, name, near } = unknown;
    match thing {
        Thing::Provider => FaultKind::UnknownProvider { name, near },
        Thing::Model | Thing::Offering => FaultKind::UnknownModel { name, provider: None, near },
        Thing::Meter => FaultKind::UnknownMeter { name, near },
        Thing::Currency => FaultKind::UnknownCurrency { name, near },
        Thing::Gpu => FaultKind::UnknownGpu { name, near },
        Thing::Assumption | Thing::Scenario => {
            FaultKind::OutOfRange { detail: format!("no {thing} is called `{name}`") }
        }
        Thing::Revision => FaultKind::OutOfRange { detail: format!("there is no revision `{name}`") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn had(if_none_match: &str) -> bool {
        let tag = Tag::of(|hash| hash.update("content"));
        let text = if_none_match.replace("TAG", tag.0.to_str().unwrap());
        tag.is_among(&HeaderMap::from_iter([(header::IF_NONE_MATCH, text.parse().unwrap())]))
    }

    #[test]
    fn a_tag_is_found_among_others() {
        assert!(had("TAG") && had("\"other\", W/TAG") && had("*"));
        assert!(!had("\"other\"") && !had(""));
    }
}
