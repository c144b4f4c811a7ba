//! `/admin/keys`: keys are made, shown once, listed, and revoked.

use axum::{extract::State, http::StatusCode, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    browse::{
        Listing,
        query::{Asked, Page, USUAL_LIMIT},
    },
    catalog::time::{AsOf, to_milliseconds},
    estimate::fault::{Fault, FaultKind},
    http::{
        App,
        auth::Caller,
        browsing::{JSON, Question},
        extract::{JsonBytes, Path, json_response},
        idempotency::{self, Keyed},
        plain::{is_plain, rule},
        problem::Problem,
        walk,
    },
    store::{
        idempotency::{Claimed, KeptAnswer},
        keys::{KeyDraft, KeyRow, KeyState, Scope, Scopes, Secret},
    },
};

/// Longest label, in characters.
const LONGEST: usize = 100;

/// A key that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyToMake {
    /// What to call it, such as who is to have it: 1 to 100 characters, none of them control characters.
    #[schema(min_length = 1, max_length = 100, example = "billing, nightly export")]
    label: String,
    /// What it is to be good for, at least one.
    #[schema(min_items = 1, example = json!(["quote"]))]
    scopes: Vec<Scope>,
    /// From when on it is worth nothing: an RFC 3339 instant or a date (midnight UTC). Default: it stays.
    #[schema(value_type = Option<String>, example = "2099-12-31")]
    expires_at: Option<AsOf>,
}

/// What is told of a key: everything but itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyItem {
    /// Its id; `/admin/keys/{id}` shows and revokes it.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    id: String,
    /// Its first 16 characters, to know it by.
    #[schema(example = "fth_0f1e2d3c4b5a")]
    prefix: String,
    /// What it is called.
    #[schema(example = "billing, nightly export")]
    label: String,
    /// What it is good for.
    #[schema(example = json!(["quote"]))]
    scopes: Vec<Scope>,
    /// What it is worth now.
    state: KeyState,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    created_at: Timestamp,
    /// Who made it: `key` and the id of one, `command line`, `first start` or `bootstrap`.
    #[schema(example = "command line")]
    created_by: String,
    /// From when on it is worth nothing; null: it stays.
    #[schema(value_type = Option<String>, format = DateTime, example = "2099-12-31T00:00:00Z")]
    expires_at: Option<Timestamp>,
    /// When it was last used, to about a minute; null: not yet.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-24T12:00:00Z")]
    last_used_at: Option<Timestamp>,
    /// When it was revoked; null: it was not.
    #[schema(value_type = Option<String>, format = DateTime, example = json!(null))]
    revoked_at: Option<Timestamp>,
}

impl KeyItem {
    fn of(row: KeyRow, now: Timestamp) -> Self {
        Self {
            state: row.state(now),
            prefix: row.mark.prefix_text().to_owned(),
            scopes: row.scopes.0.into_iter().collect(),
            id: row.id,
            label: row.label,
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            revoked_at: row.revoked_at,
        }
    }
}

impl From<(KeyRow, Timestamp)> for KeyItem {
    fn from((row, now): (KeyRow, Timestamp)) -> Self {
        Self::of(row, now)
    }
}

/// A key that was made, with the one look at it that there is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IssuedKey {
    /// What is known of it from now on.
    key: KeyItem,
    /// The key, for `authorization: Bearer ...`. It is not kept and not shown again; null: this answer is given again,
    /// to a request that came before.
    #[schema(example = "fth_0f1e2d3c4b5a00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    secret: Option<String>,
}

/// Everything that is wrong with a key that is to be made.
pub(crate) fn faults(draft: &KeyDraft, now: Timestamp) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |place: &str, detail: String| {
        faults.push(Fault::new(place, FaultKind::out_of_range(detail)));
    };
    if !is_plain(&draft.label, 1, LONGEST) {
        fault("/label", rule(&draft.label, 1, LONGEST));
    }
    if draft.scopes.0.is_empty() {
        fault("/scopes", "must name at least one of `quote`, `catalog:write` or `admin`".to_owned());
    }
    if draft.expires_at.is_some_and(|at| at <= now) {
        fault("/expires_at", format!("must be later than now, {now}"));
    }
    faults
}

/// Make a key
///
/// The answer is the only place where the key itself ever stands: it is kept as a hash.
///
/// With an `idempotency-key`, the same body under the same key makes one key, however often it is sent. What is given
/// again is the first answer without `secret`, because that is not kept: who has lost it revokes the key by its id
/// and makes another.
#[utoipa::path(post, path = "/admin/keys", tag = "admin", request_body = KeyToMake,
    params(("idempotency-key" = Option<String>, Header, description = "1 to 255 printable ASCII characters that no other request carries, such as a UUID. Empty: none.", example = "")),
    responses((status = CREATED, description = "The key, shown this once.", body = IssuedKey,
        headers(("location" = String, description = "Where it is."))), Problem))]
pub(crate) async fn create_key(
    State(app): State<App>,
    caller: Caller,
    keyed: Keyed,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let now = to_milliseconds((app.now)());
    let claim = keyed.claim(&body.0, now, app.settings.idempotency_ttl);
    if let Some(answer) = idempotency::answered(&app, claim.as_ref(), now).await? {
        return Ok(answer);
    }
    let KeyToMake { label, scopes, expires_at } = body.read()?;
    let scopes = Scopes(scopes.into_iter().collect());
    let draft = KeyDraft { label, scopes, expires_at: expires_at.map(|at| at.instant) };
    let faults = faults(&draft, now);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let secret = Secret::generate().map_err(Problem::internal)?;
    let hand = caller.hand();
    let row = KeyRow::fresh(&secret, draft, &hand.actor, now);
    let answer = |secret: Option<&Secret>| {
        let secret = secret.map(|secret| secret.reveal().to_owned());
        let body = serde_json::to_string(&IssuedKey { key: KeyItem::of(row.clone(), now), secret });
        let location = Some(format!("/admin/keys/{}", row.id));
        body.map(|body| KeptAnswer { status: StatusCode::CREATED.as_u16(), location, body })
    };
    let shown = answer(Some(&secret)).map_err(Problem::internal)?;
    let kept = answer(None).map_err(Problem::internal)?;
    let claim = claim.as_ref().map(|claim| (claim, &kept));
    match app.keys.create(app.store()?, row, &hand, claim).await? {
        Claimed::First => idempotency::response(shown),
        before => idempotency::given_before(before),
    }
}

/// Which keys.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct KeyQuery {
    /// Rows on a page, 1 to 500. Default: 50.
    #[param(minimum = 1, maximum = 500, example = 50)]
    limit: Option<u64>,
    /// Where to go on: the `next_cursor` of the page before, with the query otherwise unchanged. Empty: from the
    /// newest.
    #[param(example = "")]
    cursor: Option<String>,
}

/// The cursor is kept apart: it goes on from a key, not from a revision of the catalog.
impl Asked for KeyQuery {
    fn page(&self) -> Page<'_> {
        Page { limit: self.limit, ..Page::default() }
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub(crate) type KeyList = Listing<KeyItem>;

/// List the keys
///
/// The newest first, with those that have expired or were revoked.
#[utoipa::path(get, path = "/admin/keys", tag = "admin", params(KeyQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = KeyList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_keys(
    State(app): State<App>,
    question: Question<KeyQuery>,
) -> Result<Response, Problem> {
    question.wants(&[JSON])?;
    let query = question.asked();
    let limit = query.page().limit()?.unwrap_or(USUAL_LIMIT);
    let binding = question.binding();
    let before = walk::resume(query.cursor.as_deref(), &binding)?;
    let now = (app.now)();
    let rows = app.store()?.key_page(before.as_deref(), limit + 1).await?;
    let rows = rows.into_iter().map(|row| (app.keys.with_use(row), now)).collect();
    let revision = app.catalog.current().revision().0;
    let page: KeyList =
        walk::page(rows, limit, revision, |(row, _): &(KeyRow, _)| walk::next_cursor(&row.id, &binding));
    let json = serde_json::to_vec(&page).map_err(Problem::internal)?;
    Ok(question.answer(json, page.next_cursor.as_deref()))
}

/// Show a key
///
/// Everything but the key itself.
#[utoipa::path(get, path = "/admin/keys/{id}", tag = "admin",
    params(("id" = String, Path, description = "Its id.", example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")),
    responses((status = OK, description = "What is known of it.", body = KeyItem), Problem))]
pub(crate) async fn get_key(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let known = known(&id)?;
    let row = app.store()?.key(&known).await?.ok_or_else(|| unknown(&id))?;
    told(app.keys.with_use(row), (app.now)())
}

/// Revoke a key
///
/// For good. Requests that begin after the answer do not get through with it; those of other processes on the same
/// database within some seconds. A key that was revoked before stays as it was. The last key may be revoked, too:
/// `farthing keys create` makes another.
#[utoipa::path(delete, path = "/admin/keys/{id}", tag = "admin",
    params(("id" = String, Path, description = "Its id.", example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")),
    responses((status = OK, description = "What is known of it.", body = KeyItem), Problem))]
pub(crate) async fn revoke_key(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let known = known(&id)?;
    let now = to_milliseconds((app.now)());
    let revoked = app.keys.revoke(app.store()?, &known, &caller.hand(), now).await?;
    told(app.keys.with_use(revoked.ok_or_else(|| unknown(&id))?), now)
}

fn told(row: KeyRow, now: Timestamp) -> Result<Response, Problem> {
    let json = serde_json::to_vec(&KeyItem::of(row, now)).map_err(Problem::internal)?;
    Ok(json_response(json))
}

/// An id as it is in the database.
fn known(id: &str) -> Result<String, Problem> {
    id.parse::<Uuid>().map(|id| id.hyphenated().to_string()).map_err(|_| unknown(id))
}

fn unknown(id: &str) -> Problem {
    let start: String = id.chars().take(36).collect(); // as long as an id is
    Problem::not_found(format!("no key has the id `{start}`"))
}
