//! `/quotes`: quotes that are kept, read back unchanged, and priced again.

mod draft;
mod list;

use axum::{extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[doc(hidden)]
pub(crate) use list::__path_list_quotes;
pub(crate) use list::list_quotes;

use self::draft::{Draft, QuoteToKeep};
use crate::{
    browse::query::{Asked, Page},
    catalog::time::to_milliseconds,
    estimate::{
        diff::Diff,
        fault::{Fault, FaultKind},
        kept::{self, KeptQuote, Priced, Unpriced},
        quote::{ENGINE, Quote},
    },
    http::{
        App,
        browsing::{JSON, Question},
        extract::{JsonBytes, Path, Query},
        idempotency::{self, Keyed},
        problem::Problem,
    },
    store::{
        fresh_id,
        idempotency::{Claim, Claimed, KeptAnswer},
        quotes::QuoteRow,
    },
};

/// Where the request stands in the body, and in a kept quote.
const REQUEST: &str = "/request";

/// Keep a quote
///
/// Prices a request as `POST /estimate` does, and keeps request and answer under an id. A request without `as_of` is
/// about this instant from then on. It is on the disk by the time the answer comes.
///
/// With an `idempotency-key`, the same body under the same key makes one quote, however often it is sent: the first
/// answer is given again (with `idempotent-replayed: true`) for 24 hours, or for as long as the service was told.
/// Another body under the same key is refused. What was refused may be put right and sent under its key again.
#[utoipa::path(post, path = "/quotes", tag = "quotes", request_body = QuoteToKeep,
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 printable ASCII characters that no other request carries, such as a UUID. Empty: none.", example = "")),
    responses((status = CREATED, description = "The quote as it is kept.", body = KeptQuote,
        headers(("location" = String, description = "Where it is."))), Problem))]
pub(crate) async fn keep_quote(
    State(app): State<App>,
    keyed: Keyed,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let now = to_milliseconds((app.now)());
    let claim = keyed.claim(&body.0, now, app.settings.idempotency_ttl);
    if let Some(answer) = idempotency::answered(&app, claim.as_ref(), now).await? {
        return Ok(answer);
    }
    let (draft, request) = draft::read(&body)?;
    let mut faults = draft.faults(now);
    let snapshot = app.catalog.current(); // once: one revision for the whole request
    let priced = match kept::price(request.get(), &snapshot, now) {
        Ok(priced) if faults.is_empty() => priced,
        Ok(_) => return Err(faults.into()),
        Err(Unpriced::Faults(found)) => {
            faults.extend(in_request(found));
            return Err(faults.into());
        }
        Err(other) => return Err(refused(other)),
    };
    let quote = Fresh::of(&app, draft, request, &priced, now).written()?;
    let answer = KeptAnswer {
        status: StatusCode::CREATED.as_u16(),
        location: Some(format!("/quotes/{}", quote.row.id)),
        body: quote.document.clone(),
    };
    keep(&app, &quote, claim.as_ref(), answer).await
}

/// Keeps a quote and says so; or says what was said to the same request before.
async fn keep(
    app: &App,
    quote: &Written,
    claim: Option<&Claim>,
    answer: KeptAnswer,
) -> Result<Response, Problem> {
    let claim = claim.map(|claim| (claim, &answer));
    match app.store()?.keep_quote(&quote.row, &quote.document, claim).await? {
        Claimed::First => idempotency::response(answer),
        before => idempotency::given_before(before),
    }
}

/// A quote about to be kept.
struct Fresh<'a> {
    row: QuoteRow,
    request: &'a RawValue,
    answer: &'a RawValue,
}

/// The same with its text.
struct Written {
    row: QuoteRow,
    document: String,
}

impl<'a> Fresh<'a> {
    fn of(app: &App, draft: Draft, request: &'a RawValue, priced: &'a Priced, now: Timestamp) -> Self {
        let Draft { label, tags, expires_at, requote_of } = draft;
        let kept_until = app.settings.quote_retention.and_then(|period| now.checked_add(period).ok());
        let row = QuoteRow {
            id: fresh_id(now),
            created_at: now,
            expires_at: kept_until.into_iter().chain(expires_at).min(),
            label,
            tags,
            requote_of,
            catalog_revision: priced.catalog_revision,
            engine: ENGINE.to_owned(),
            currency: priced.currency,
            total: priced.total.amount,
            low: priced.total.low,
            high: priced.total.high,
        };
        Self { row, request, answer: &priced.answer }
    }

    fn written(self) -> Result<Written, Problem> {
        let Self { row, request, answer } = self;
        let document = serde_json::to_string(&KeptQuote {
            id: row.id.clone(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            label: row.label.clone(),
            tags: row.tags.clone(),
            requote_of: row.requote_of.clone(),
            catalog_revision: row.catalog_revision,
            engine: row.engine.clone(),
            request,
            answer,
        });
        Ok(Written { row, document: document.map_err(Problem::internal)? })
    }
}

/// Nothing may be asked but which.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingMore {}

impl Asked for NothingMore {
    fn page(&self) -> Page<'_> {
        Page::default()
    }
}

/// Show a quote that is kept
///
/// The same bytes each time, whatever has become of prices and of the engine since.
#[utoipa::path(get, path = "/quotes/{id}", tag = "quotes",
    params(("id" = String, Path, description = "Its id.", example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")),
    responses((status = OK, description = "The quote as it was made.", body = KeptQuote),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_quote(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<NothingMore>,
) -> Result<Response, Problem> {
    question.wants(&[JSON])?;
    let document = find(&app, &id, (app.now)()).await?;
    Ok(question.answer(document.into_bytes(), None))
}

/// The document of a quote.
async fn find(app: &App, id: &str, now: Timestamp) -> Result<String, Problem> {
    let unknown = || Problem::not_found(format!("no quote has the id `{}`, or it has expired", cut(id)));
    let known = id.parse::<Uuid>().map_err(|_| unknown())?;
    let document = app.store()?.quote(&known.hyphenated().to_string(), now).await?;
    document.ok_or_else(unknown)
}

/// As much of an id as an id has.
fn cut(id: &str) -> String {
    id.chars().take(36).collect()
}

/// Whether the new answer is kept.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequoteQuery {
    /// Keep the new answer as a quote of its own, with label and tags of the old one.
    #[param(example = false)]
    keep: Option<bool>,
}

/// A kept request priced again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequoteAnswer<'a> {
    /// The quote whose request it is.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    requote_of: String,
    /// The id under which the new answer is kept; null: it is not.
    #[schema(example = json!(null))]
    id: Option<String>,
    /// What moved since, and why, line by line; `before` is the kept answer, `after` the new one.
    moved: &'a Diff,
    /// The new answer.
    #[schema(value_type = Quote)]
    answer: &'a RawValue,
}

/// Price a kept request again
///
/// At the instant that the request itself names, else now; with the newest catalog, whatever revision it names. `moved`
/// has both totals and, for each line that moved, whether that was a price, an exchange rate, an assumption or the
/// engine: for the last, the request is also priced as it was then. A request that asked for `detail: total` has no
/// lines to compare. What cannot be priced any more (a model that is gone) is a fault like any other, its pointer into
/// the kept quote.
#[utoipa::path(post, path = "/quotes/{id}/requote", tag = "quotes",
    params(("id" = String, Path, description = "The id of the quote.", example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5"), RequoteQuery,
        ("idempotency-key" = Option<String>, Header, description = "With `keep=true`: the same key makes one quote. Empty: none.", example = "")),
    responses((status = OK, description = "What moved; nothing was kept.", body = RequoteAnswer<'static>),
        (status = CREATED, description = "The same; the new answer was kept.", body = RequoteAnswer<'static>,
            headers(("location" = String, description = "Where it is."))), Problem))]
pub(crate) async fn requote(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<RequoteQuery>,
    keyed: Keyed,
) -> Result<Response, Problem> {
    let now = to_milliseconds((app.now)());
    let is_kept = query.keep == Some(true);
    let claim = if is_kept { keyed.claim(b"", now, app.settings.idempotency_ttl) } else { None };
    if let Some(answer) = idempotency::answered(&app, claim.as_ref(), now).await? {
        return Ok(answer);
    }
    let document = find(&app, &id, now).await?;
    let old: KeptQuote<'_> = serde_json::from_str(&document).map_err(Problem::internal)?;
    let snapshot = app.catalog.current();
    let requoted = kept::requote(&old, &snapshot, now).map_err(refused)?;
    let fresh = is_kept.then(|| {
        let draft = Draft::again(&old);
        Fresh::of(&app, draft, old.request, &requoted.priced, now).written()
    });
    let fresh = fresh.transpose()?;
    let body = serde_json::to_string(&RequoteAnswer {
        requote_of: old.id.clone(),
        id: fresh.as_ref().map(|quote| quote.row.id.clone()),
        moved: &requoted.moved,
        answer: &requoted.priced.answer,
    });
    let body = body.map_err(Problem::internal)?;
    match fresh {
        None => Ok(crate::http::extract::json_response(body)),
        Some(quote) => {
            let location = Some(format!("/quotes/{}", quote.row.id));
            let answer = KeptAnswer { status: StatusCode::CREATED.as_u16(), location, body };
            keep(&app, &quote, claim.as_ref(), answer).await
        }
    }
}

/// Faults of the request where it stands.
fn in_request(faults: Vec<Fault>) -> impl Iterator<Item = Fault> {
    faults.into_iter().map(|fault| Fault { pointer: format!("{REQUEST}{}", fault.pointer), ..fault })
}

/// Why a request is not answered.
fn refused(unpriced: Unpriced) -> Problem {
    match unpriced {
        Unpriced::NotJson(reason) => Problem::not_json(reason.0),
        Unpriced::Faults(faults) => in_request(faults).collect::<Vec<_>>().into(),
        Unpriced::Incomparable(error) => {
            Fault::new(REQUEST, FaultKind::out_of_range(error.to_string())).into()
        }
        Unpriced::Unreadable(error) => Problem::internal(error),
    }
}
