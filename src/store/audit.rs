//! The trail: who did what, when, to what, and what it was before.
//!
//! [`record`] is called inside the transaction of a change, so that there is no change without its row and no row
//! without its change. Rows are never edited, and nothing removes them.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use sqlx::{AnyConnection, Executor as _, Row as _, any::AnyRow};

use super::{Store, StoreError};

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A key, by its id.
    Key(String),
    /// Whoever has the database and the program.
    CommandLine,
    /// The service itself, when it found no key at its start.
    FirstStart,
    /// The service, with the key that its settings name.
    Bootstrap,
}

impl Actor {
    /// The id of the key, where it is one.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        match self {
            Self::Key(id) => Some(id),
            Self::CommandLine | Self::FirstStart | Self::Bootstrap => None,
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => write!(f, "key {id}"),
            Self::CommandLine => f.write_str("command line"),
            Self::FirstStart => f.write_str("first start"),
            Self::Bootstrap => f.write_str("bootstrap"),
        }
    }
}

/// What became of what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done: the change is in this transaction.
    Done,
    /// It was refused: nothing has changed.
    Refused,
}

impl Outcome {
    /// Its name in the database and in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// What is to be recorded.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What: `key.create`, `key.revoke`, ...
    pub action: &'static str,
    /// To what: an id.
    pub target: String,
    /// What it was; `None`: it was not there.
    pub before: Option<Value>,
    /// What it is; `None`: it is no more.
    pub after: Option<Value>,
    /// The request that asked for it, as the log has it; `None`: none over HTTP.
    pub request_id: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Records an entry, in the transaction of the change that it tells of.
///
/// # Errors
/// When the database fails; then the change must not be committed.
pub async fn record(transaction: &mut AnyConnection, entry: &Entry) -> Result<(), StoreError> {
    const NEXT: &str = "SELECT COALESCE(MAX(audit_id), 0) + 1 FROM audit";
    const INSERT: &str = "INSERT INTO audit (audit_id, at_ms, key_id, actor, action, target, before_json, \
        after_json, request_id, outcome) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let next: i64 = sqlx::query_scalar(NEXT).fetch_one(&mut *transaction).await?;
    let row = sqlx::query(INSERT)
        .bind(next)
        .bind(entry.at.as_millisecond())
        .bind(entry.actor.key_id().map(str::to_owned))
        .bind(entry.actor.to_string())
        .bind(entry.action.to_owned())
        .bind(entry.target.clone())
        .bind(entry.before.as_ref().map(Value::to_string))
        .bind(entry.after.as_ref().map(Value::to_string))
        .bind(entry.request_id.clone())
        .bind(entry.outcome.name().to_owned());
    transaction.execute(row).await?;
    Ok(())
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRow {
    /// Its number: later ones are greater.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The key, where it was one.
    pub key_id: Option<String>,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// What it was.
    pub before: Option<Value>,
    /// What it is.
    pub after: Option<Value>,
    /// The request.
    pub request_id: Option<String>,
    /// What became of it.
    pub outcome: String,
}

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By this key.
    pub key_id: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Older than the entry of this number.
    pub before: Option<i64>,
}

impl Store {
    /// The newest entries, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        const SQL: &str = "SELECT audit_id, at_ms, key_id, actor, action, target, before_json, after_json, \
            request_id, outcome FROM audit WHERE audit_id < $1 AND at_ms >= $2 \
            AND ($3 = '' OR key_id = $3) AND ($4 = '' OR action = $4) ORDER BY audit_id DESC LIMIT $5";
        let rows = sqlx::query(SQL)
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.since.map_or(i64::MIN, Timestamp::as_millisecond))
            .bind(filter.key_id.clone().unwrap_or_default())
            .bind(filter.action.clone().unwrap_or_default())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        rows.fetch_all(&self.pool).await?.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<AuditRow, StoreError> {
    let id: i64 = row.try_get(0)?;
    let cell = |column, problem: &dyn fmt::Display| StoreError::Cell {
        table: "audit",
        row_id: id,
        column,
        problem: problem.to_string(),
    };
    let json = |at: usize, column| {
        let text: Option<String> = row.try_get(at)?;
        text.map(|text| serde_json::from_str(&text).map_err(|error| cell(column, &error))).transpose()
    };
    Ok(AuditRow {
        id,
        at: Timestamp::from_millisecond(row.try_get(1)?).map_err(|error| cell("at_ms", &error))?,
        key_id: row.try_get(2)?,
        actor: row.try_get(3)?,
        action: row.try_get(4)?,
        target: row.try_get(5)?,
        before: json(6, "before_json")?,
        after: json(7, "after_json")?,
        request_id: row.try_get(8)?,
        outcome: row.try_get(9)?,
    })
}
