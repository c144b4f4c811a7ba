//! The list of quotes: filters, pages, and the whole as a table.

use std::borrow::Cow;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::Response,
};
use futures_util::stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    browse::{
        Listing,
        query::{Asked, Format, Page, USUAL_LIMIT},
        sheet::Sheet,
    },
    catalog::{money::Currency, time::AsOf},
    estimate::{quote::Total, request::Tags},
    http::{
        App,
        browsing::{CSV, JSON, Question, csv_response},
        problem::Problem,
        walk::{next_cursor, resume},
    },
    store::{
        Store, StoreError,
        quotes::{QuoteFilter, QuoteRow},
    },
};

/// Which quotes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct QuoteQuery {
    /// Called exactly this.
    #[param(example = "")]
    label: Option<String>,
    /// Called something that has this in it, in any case.
    #[param(example = "december")]
    q: Option<String>,
    /// With this tag: `team:search`, or `team` for any value of it.
    #[param(example = "team:search")]
    tag: Option<String>,
    /// Made then or later: RFC 3339, or a day (its start in UTC).
    #[param(value_type = Option<String>, example = "2026-01-01")]
    since: Option<AsOf>,
    /// Made before then: RFC 3339, or a day (its start in UTC).
    #[param(value_type = Option<String>, example = "2099-01-01")]
    until: Option<AsOf>,
    /// How to write it. Default: as `accept` has it, else JSON.
    #[param(inline)]
    format: Option<Format>,
    /// Rows on a page, 1 to 500. Default: 50; as CSV, all of them.
    #[param(minimum = 1, maximum = 500, example = 50)]
    limit: Option<u64>,
    /// Where to go on: the `next_cursor` of the page before, with the query otherwise unchanged. Empty: from the
    /// newest.
    #[param(example = "")]
    cursor: Option<String>,
}

/// The cursor is kept apart: it goes on from a quote, not from a revision of the catalog.
impl Asked for QuoteQuery {
    fn page(&self) -> Page<'_> {
        Page { limit: self.limit, ..Page::default() }
    }
}

impl QuoteQuery {
    fn filter(&self, before: Option<String>) -> QuoteFilter {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let tag = said(&self.tag).map(|tag| match tag.split_once(':') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (tag, None),
        });
        QuoteFilter {
            label: said(&self.label),
            label_part: said(&self.q),
            tag,
            since: self.since.map(|since| since.instant),
            until: self.until.map(|until| until.instant),
            before,
        }
    }
}

/// What lists tell of a quote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeptQuoteItem {
    /// Its id; `/quotes/{id}` has request and answer.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    created_at: Timestamp,
    /// From when on it is gone; null: it stays.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-24T12:00:00Z")]
    expires_at: Option<Timestamp>,
    /// What it is called.
    #[schema(example = "search team, December")]
    label: Option<String>,
    /// Words to find it by.
    #[schema(example = json!({"team": "search"}))]
    tags: Tags,
    /// The quote whose request it answers anew; null: it is the first.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    requote_of: Option<String>,
    /// The revision of the catalog that it rests on.
    #[schema(example = 1)]
    catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    engine: String,
    /// Currency of the total.
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    /// What it comes to.
    total: Total,
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub(crate) type KeptQuoteList = Listing<KeptQuoteItem>;

impl From<QuoteRow> for KeptQuoteItem {
    fn from(row: QuoteRow) -> Self {
        let total = Total { amount: row.total, low: row.low, high: row.high };
        Self {
            id: row.id,
            created_at: row.created_at,
            expires_at: row.expires_at,
            label: row.label,
            tags: row.tags,
            requote_of: row.requote_of,
            catalog_revision: row.catalog_revision,
            engine: row.engine,
            currency: row.currency,
            total,
        }
    }
}

/// List the quotes that are kept
///
/// The newest first. New ones do not disturb a walk through the pages. As CSV: all of them, or a page where `limit`
/// says so.
#[utoipa::path(get, path = "/quotes", tag = "quotes", params(QuoteQuery),
    responses((status = OK, description = "A page; `link` names the next.", content(
            (KeptQuoteList = "application/json"), (String = "text/csv"))),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_quotes(
    State(app): State<App>,
    question: Question<QuoteQuery>,
) -> Result<Response, Problem> {
    let query = question.asked();
    let format = match query.format {
        Some(Format::Json) => JSON,
        Some(Format::Csv) => CSV,
        None => question.wants(&[JSON, CSV])?,
    };
    let limit = query.page().limit()?;
    let binding = question.binding();
    let filter = query.filter(resume(query.cursor.as_deref(), &binding)?);
    let store = app.store()?;
    let now = (app.now)();
    if format == CSV && limit.is_none() {
        return whole(store.clone(), filter, now).await;
    }
    let limit = limit.unwrap_or(USUAL_LIMIT);
    let mut rows = store.quotes(&filter, limit + 1, now).await?; // one more says whether it goes on
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| goes_on).and_then(|last| next_cursor(&last.id, &binding));
    if format == CSV {
        let mut response = csv_response(Body::from(table(&rows, true).map_err(Problem::internal)?));
        if let Some(link) = next.and_then(|cursor| question.link(&cursor)) {
            response.headers_mut().insert(header::LINK, link);
        }
        return Ok(response);
    }
    let page = KeptQuoteList {
        items: rows.into_iter().map(KeptQuoteItem::from).collect(),
        next_cursor: next,
        catalog_revision: app.catalog.current().revision().0,
    };
    let json = serde_json::to_vec(&page).map_err(Problem::internal)?;
    Ok(question.answer(json, page.next_cursor.as_deref()))
}

/// As many as a page has at most.
const ROWS_AT_A_TIME: usize = 500;

/// All quotes as a table, read and written some at a time.
async fn whole(store: Store, filter: QuoteFilter, now: Timestamp) -> Result<Response, Problem> {
    let first = store.quotes(&filter, ROWS_AT_A_TIME, now).await?; // what fails at once is a problem, not a torn table
    let state = Walk { store, filter, now, page: Some(first), is_first: true };
    let pages = stream::try_unfold(state, Walk::next);
    Ok(csv_response(Body::from_stream(pages)))
}

/// A walk through all pages.
struct Walk {
    store: Store,
    filter: QuoteFilter,
    now: Timestamp,
    page: Option<Vec<QuoteRow>>,
    is_first: bool,
}

impl Walk {
    /// The page at hand as text, and the walk with the page after it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, WalkError> {
        let Some(rows) = self.page.take() else { return Ok(None) };
        let text = table(&rows, self.is_first)?;
        self.is_first = false;
        if let Some(last) = rows.last().filter(|_| rows.len() == ROWS_AT_A_TIME) {
            self.filter.before = Some(last.id.clone());
            self.page = Some(self.store.quotes(&self.filter, ROWS_AT_A_TIME, self.now).await?);
        }
        Ok(Some((text.into(), self)))
    }
}

/// Why a table breaks off.
#[derive(Debug, thiserror::Error)]
enum WalkError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Csv(#[from] csv::Error),
}

/// Rows as CSV.
fn table(rows: &[QuoteRow], with_header: bool) -> csv::Result<Vec<u8>> {
    const COLUMNS: [&str; 13] = [
        "id",
        "created_at",
        "expires_at",
        "label",
        "tags",
        "currency",
        "total",
        "total_low",
        "total_high",
        "catalog_revision",
        "engine",
        "requote_of",
        "path",
    ];
    fn some(value: Option<impl ToString>) -> Cow<'static, str> {
        value.map_or(Cow::Borrowed(""), |value| value.to_string().into())
    }
    let mut sheet = Sheet::default();
    if with_header {
        sheet.row(COLUMNS.map(Cow::Borrowed))?;
    }
    for row in rows {
        let tags = serde_json::to_string(&row.tags).unwrap_or_default(); // texts always serialise
        sheet.row([
            row.id.as_str().into(),
            row.created_at.to_string().into(),
            some(row.expires_at),
            some(row.label.as_ref()),
            tags.into(),
            row.currency.to_string().into(),
            row.total.to_string().into(),
            some(row.low),
            some(row.high),
            row.catalog_revision.to_string().into(),
            row.engine.as_str().into(),
            some(row.requote_of.as_ref()),
            format!("/quotes/{}", row.id).into(),
        ])?;
    }
    sheet.into_text()
}
