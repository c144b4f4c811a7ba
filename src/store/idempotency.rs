//! Answers kept under the keys that came with requests, so that a request sent twice is carried out once.
//!
//! The answer goes into the database in the transaction that does the work: both are there, or neither. Of requests
//! that come at once with one key, the primary key lets one through; the others find its answer.

use jiff::Timestamp;
use sqlx::{AnyConnection, Executor as _, Row as _, any::AnyRow};

use super::{Store, StoreError};

/// A request that carries a key.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What the key is for: method and path, and whose it is.
    pub scope: String,
    /// The key.
    pub key: String,
    /// A digest of all that the request says.
    pub request_hash: String,
    /// From when on the key is worth nothing, should this be its first use.
    pub expires_at: Timestamp,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// What was made.
    pub location: Option<String>,
    /// The body: JSON.
    pub body: String,
}

/// What became of a request that carries a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// It is the first: its work is done, its answer kept.
    First,
    /// It came before, and this was the answer. Nothing was done.
    Again(KeptAnswer),
    /// Another request came with this key. Nothing was done.
    Reused,
}

impl Store {
    /// What was answered to a key before; `None` where it is new, or has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, claim: &Claim, now: Timestamp) -> Result<Option<Claimed>, StoreError> {
        let mut conn = self.pool.acquire().await?;
        look_up(&mut conn, claim, now).await
    }
}

/// Claims a key in the transaction that does the work: unless the answer is [`Claimed::First`], nothing is to be done.
pub(super) async fn claim(
    conn: &mut AnyConnection,
    claim: &Claim,
    answer: &KeptAnswer,
    now: Timestamp,
) -> Result<Claimed, StoreError> {
    const EXPIRED: &str =
        "DELETE FROM idempotency WHERE scope = $1 AND idempotency_key = $2 AND expires_at_ms <= $3";
    const CLAIM: &str = "INSERT INTO idempotency \
        (scope, idempotency_key, request_hash, expires_at_ms, status, location, body) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (scope, idempotency_key) DO NOTHING";
    let expired = sqlx::query(EXPIRED).bind(claim.scope.clone()).bind(claim.key.clone());
    conn.execute(expired.bind(now.as_millisecond())).await?;
    let inserted = sqlx::query(CLAIM)
        .bind(claim.scope.clone())
        .bind(claim.key.clone())
        .bind(claim.request_hash.clone())
        .bind(claim.expires_at.as_millisecond())
        .bind(i64::from(answer.status))
        .bind(answer.location.clone())
        .bind(answer.body.clone());
    if conn.execute(inserted).await?.rows_affected() == 1 {
        return Ok(Claimed::First);
    }
    let before = look_up(conn, claim, now).await?;
    before.ok_or_else(|| StoreError::Sql(sqlx::Error::RowNotFound)) // it was there when it stood in the way
}

async fn look_up(
    conn: &mut AnyConnection,
    claim: &Claim,
    now: Timestamp,
) -> Result<Option<Claimed>, StoreError> {
    const SQL: &str = "SELECT request_hash, status, location, body FROM idempotency \
        WHERE scope = $1 AND idempotency_key = $2 AND expires_at_ms > $3";
    let found = sqlx::query(SQL).bind(claim.scope.clone()).bind(claim.key.clone());
    let found = found.bind(now.as_millisecond()).fetch_optional(conn).await?;
    let Some(row) = found else { return Ok(None) };
    let hash: String = row.try_get(0)?;
    Ok(Some(if hash == claim.request_hash { Claimed::Again(read(&row)?) } else { Claimed::Reused }))
}

fn read(row: &AnyRow) -> Result<KeptAnswer, StoreError> {
    let status: i64 = row.try_get(1)?;
    let status = u16::try_from(status).map_err(|_| StoreError::Cell {
        table: "idempotency",
        row_id: 0,
        column: "status",
        problem: format!("is out of range: {status}"),
    })?;
    Ok(KeptAnswer { status, location: row.try_get(2)?, body: row.try_get(3)? })
}
