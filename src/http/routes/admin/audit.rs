//! `/admin/audit`: what was done, by whom, and what it was before.

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{
    browse::{
        Listing, cursor,
        query::{Asked, Page, USUAL_LIMIT},
    },
    catalog::time::AsOf,
    http::{
        App,
        browsing::{JSON, Question},
        problem::Problem,
        walk,
    },
    store::audit::{AuditFilter, AuditRow},
};

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// By the key of this id.
    #[param(example = "")]
    key: Option<String>,
    /// Of this action, such as `key.create` or `key.revoke`.
    #[param(example = "key.create")]
    action: Option<String>,
    /// Then or later: RFC 3339, or a day (its start in UTC).
    #[param(value_type = Option<String>, example = "2026-01-01")]
    since: Option<AsOf>,
    /// Rows on a page, 1 to 500. Default: 50.
    #[param(minimum = 1, maximum = 500, example = 50)]
    limit: Option<u64>,
    /// Where to go on: the `next_cursor` of the page before, with the query otherwise unchanged. Empty: from the
    /// newest.
    #[param(example = "")]
    cursor: Option<String>,
}

/// The cursor is kept apart: it goes on from an entry, not from a revision of the catalog.
impl Asked for AuditQuery {
    fn page(&self) -> Page<'_> {
        Page { limit: self.limit, ..Page::default() }
    }
}

/// One thing that was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// Its number: later ones are greater.
    #[schema(example = 1)]
    id: i64,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    at: Timestamp,
    /// Who: `key` and the id of one, `command line`, `first start` or `bootstrap`.
    #[schema(example = "key 019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    actor: String,
    /// The id of the key; null: it was not done over HTTP.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    key_id: Option<String>,
    /// What.
    #[schema(example = "key.revoke")]
    action: String,
    /// To what: an id.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    target: String,
    /// What it was; null: it was not there.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// What it is; null: it is no more.
    #[schema(value_type = Option<Object>)]
    after: Option<Value>,
    /// The request, by its `x-request-id`; null: it was not done over HTTP.
    #[schema(example = "0192f0c1-2ab3-7c4d-8e5f-60718293a4b5")]
    request_id: Option<String>,
    /// What became of it: `done`, or `refused`.
    #[schema(example = "done")]
    outcome: String,
}

impl From<AuditRow> for AuditItem {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: row.actor,
            key_id: row.key_id,
            action: row.action,
            target: row.target,
            before: row.before,
            after: row.after,
            request_id: row.request_id,
            outcome: row.outcome,
        }
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub(crate) type AuditList = Listing<AuditItem>;

/// List what was done
///
/// The newest first: every change that was made with a key, on the command line, or by the service at its start,
/// recorded together with the change. Entries are never edited or removed.
#[utoipa::path(get, path = "/admin/audit", tag = "admin", params(AuditQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = AuditList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_audit(
    State(app): State<App>,
    question: Question<AuditQuery>,
) -> Result<Response, Problem> {
    question.wants(&[JSON])?;
    let query = question.asked();
    let limit = query.page().limit()?.unwrap_or(USUAL_LIMIT);
    let binding = question.binding();
    let number = |bytes: &[u8]| bytes.try_into().ok().map(i64::from_be_bytes);
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let filter = AuditFilter {
        key_id: said(&query.key),
        action: said(&query.action),
        since: query.since.map(|since| since.instant),
        before: walk::resume_with(query.cursor.as_deref(), &binding, number)?,
    };
    let rows = app.store()?.audit(&filter, limit + 1).await?;
    let revision = app.catalog.current().revision().0;
    let page: AuditList = walk::page(rows, limit, revision, |row: &AuditRow| {
        Some(cursor::seal(row.id.to_be_bytes().to_vec(), &binding))
    });
    let json = serde_json::to_vec(&page).map_err(Problem::internal)?;
    Ok(question.answer(json, page.next_cursor.as_deref()))
}
