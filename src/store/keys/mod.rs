//! Keys: made, listed, revoked; each with its row in the trail.
//!
//! What holds keys in memory asks [`Store::key_version`], which goes up with every key that is made or revoked, and
//! reads [`Store::keys`] again when it has.

mod secret;

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Executor as _, Row as _, any::AnyRow};
use utoipa::ToSchema;

pub use secret::{KeyHash, Mark, PREFIX, Prefix, Secret, prefix_of};

use super::{
    Store, StoreError,
    audit::{self, Actor, Entry, Outcome},
    fresh_id,
    idempotency::{self, Claim, Claimed, KeptAnswer},
};

/// What a key is good for. `admin` is good for everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Reading and estimating, where that is closed.
    #[serde(rename = "quote")]
    Quote,
    /// Changing the catalog.
    #[serde(rename = "catalog:write")]
    CatalogWrite,
    /// Everything, keys and the trail too.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Quote, Self::CatalogWrite, Self::Admin];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::CatalogWrite => "catalog:write",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|scope| scope.name() == text);
        known.ok_or("quote, catalog:write or admin")
    }
}

/// What a key is good for, in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    /// Whether that is enough.
    #[must_use]
    pub fn allow(&self, wanted: Scope) -> bool {
        self.0.contains(&Scope::Admin) || self.0.contains(&wanted)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|scope| scope.name()).collect();
        f.write_str(&names.join(" "))
    }
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// A UUID, version 7, as text: it sorts by the time it was made.
    pub id: String,
    /// What is kept of the key itself.
    pub mark: Mark,
    /// What it is called.
    pub label: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// When it was made, to the millisecond.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to about a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What a key is worth at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It is good.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody has taken it back.
    Revoked,
}

impl KeyState {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl KeyRow {
    /// A key about to be made.
    #[must_use]
    pub fn fresh(secret: &Secret, draft: KeyDraft, actor: &Actor, now: Timestamp) -> Self {
        Self {
            id: fresh_id(now),
            mark: secret.mark(),
            label: draft.label,
            scopes: draft.scopes,
            created_at: now,
            created_by: actor.to_string(),
            expires_at: draft.expires_at,
            last_used_at: None,
            revoked_at: None,
        }
    }

    /// What it is worth.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }

    /// What the trail says of it: nothing that would help to guess it.
    fn told(&self) -> Value {
        json!({
            "prefix": self.mark.prefix_text(), "label": self.label, "scopes": self.scopes.0,
            "expires_at": self.expires_at, "revoked_at": self.revoked_at,
        })
    }
}

/// What is said of a key before it is made.
#[derive(Debug, Clone)]
pub struct KeyDraft {
    /// What to call it.
    pub label: String,
    /// What it is to be good for.
    pub scopes: Scopes,
    /// From when on it is worth nothing.
    pub expires_at: Option<Timestamp>,
}

impl KeyDraft {
    /// Everything, for ever: the first key of a database.
    #[must_use]
    pub fn admin(label: &str) -> Self {
        Self { label: label.to_owned(), scopes: Scopes([Scope::Admin].into()), expires_at: None }
    }
}

/// In whose name something is done, and at whose request.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Who.
    pub actor: Actor,
    /// The request, where it is one over HTTP.
    pub request_id: Option<String>,
}

impl Hand {
    /// Somebody who does not come over HTTP.
    #[must_use]
    pub fn local(actor: Actor) -> Self {
        Self { actor, request_id: None }
    }

    fn entry(&self, action: &'static str, key: &KeyRow, before: Option<Value>, at: Timestamp) -> Entry {
        Entry {
            at,
            actor: self.actor.clone(),
            action,
            target: key.id.clone(),
            before,
            after: Some(key.told()),
            request_id: self.request_id.clone(),
            outcome: Outcome::Done,
        }
    }
}

/// Columns in the order of [`read`].
macro_rules! columns {
    () => {
        "key_id, prefix, hash, label, scopes, created_at_ms, created_by, expires_at_ms, last_used_at_ms, revoked_at_ms"
    };
}

impl Store {
    /// How often keys have been made or revoked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn key_version(&self) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT version FROM api_key_version WHERE singleton = 1";
        Ok(sqlx::query_scalar(SQL).fetch_one(&self.pool).await?)
    }

    /// Every key, and the version that this is.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn keys(&self) -> Result<(i64, Vec<KeyRow>), StoreError> {
        const VERSION: &str = "SELECT version FROM api_key_version WHERE singleton = 1";
        const KEYS: &str = concat!("SELECT ", columns!(), " FROM api_key ORDER BY key_id");
        let mut transaction = self.pool.begin().await?; // one state of the database, whatever is written meanwhile
        let version = sqlx::query_scalar(VERSION).fetch_one(&mut *transaction).await?;
        let rows = sqlx::query(KEYS).fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        Ok((version, rows.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// The newest keys, the newest first, at most `limit`, of those older than the one of an id.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn key_page(&self, before: Option<&str>, limit: usize) -> Result<Vec<KeyRow>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM api_key WHERE $1 = '' OR key_id < $1 ORDER BY key_id DESC LIMIT $2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = sqlx::query(SQL).bind(before.unwrap_or_default().to_owned()).bind(limit);
        rows.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// The key of an id.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn key(&self, id: &str) -> Result<Option<KeyRow>, StoreError> {
        find(&mut *self.pool.acquire().await?, id).await
    }

    /// Makes a key; with an idempotency key, only where that is new.
    ///
    /// # Errors
    /// When the database fails, or a key begins like this one; then nothing is made.
    pub async fn create_key(
        &self,
        key: &KeyRow,
        hand: &Hand,
        claim: Option<(&Claim, &KeptAnswer)>,
    ) -> Result<Claimed, StoreError> {
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        if let Some((claim, answer)) = claim {
            let claimed = idempotency::claim(&mut transaction, claim, answer, key.created_at).await?;
            if claimed != Claimed::First {
                transaction.rollback().await?;
                return Ok(claimed);
            }
        }
        insert(&mut transaction, key, hand).await?;
        transaction.commit().await?;
        Ok(Claimed::First)
    }

    /// Makes a key unless there has ever been one; whether it did.
    ///
    /// # Errors
    /// When the database fails; then nothing is made.
    pub async fn create_first_key(&self, key: &KeyRow, hand: &Hand) -> Result<bool, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM api_key";
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        let count: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *transaction).await?;
        let is_first = count == 0;
        if is_first {
            insert(&mut transaction, key, hand).await?;
        }
        transaction.commit().await?;
        Ok(is_first)
    }

    /// Makes a key unless there is one that begins like it; the one that is there afterwards.
    ///
    /// # Errors
    /// When the database fails; then nothing is made.
    pub async fn ensure_key(&self, key: &KeyRow, hand: &Hand) -> Result<KeyRow, StoreError> {
        const SQL: &str = concat!("SELECT ", columns!(), " FROM api_key WHERE prefix = $1");
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        let found = sqlx::query(SQL).bind(key.mark.prefix_text().to_owned());
        if let Some(row) = found.fetch_optional(&mut *transaction).await? {
            transaction.rollback().await?;
            return read(&row);
        }
        insert(&mut transaction, key, hand).await?;
        transaction.commit().await?;
        Ok(key.clone())
    }

    /// Revokes a key, for good; the key as it is then, `None` where there is none of that id. One that was revoked
    /// before stays as it was.
    ///
    /// # Errors
    /// When the database fails; then nothing is revoked.
    pub async fn revoke_key(
        &self,
        id: &str,
        hand: &Hand,
        now: Timestamp,
    ) -> Result<Option<KeyRow>, StoreError> {
        const REVOKE: &str = "UPDATE api_key SET revoked_at_ms = $1 WHERE key_id = $2";
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        let found = find(&mut transaction, id).await?;
        let Some(before) = found.clone().filter(|key| key.revoked_at.is_none()) else {
            transaction.rollback().await?;
            return Ok(found);
        };
        let after = KeyRow { revoked_at: Some(now), ..before.clone() };
        let revoked = sqlx::query(REVOKE).bind(now.as_millisecond()).bind(id.to_owned());
        transaction.execute(revoked).await?;
        next_version(&mut transaction).await?;
        audit::record(&mut transaction, &hand.entry("key.revoke", &after, Some(before.told()), now)).await?;
        transaction.commit().await?;
        Ok(Some(after))
    }

    /// Notes when keys were last used.
    ///
    /// # Errors
    /// When the database fails; then nothing is noted.
    pub async fn note_key_uses(&self, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
        const NOTE: &str = "UPDATE api_key SET last_used_at_ms = $1 \
            WHERE key_id = $2 AND COALESCE(last_used_at_ms, $1 - 1) < $1";
        if uses.is_empty() {
            return Ok(());
        }
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        for (id, at) in uses {
            transaction.execute(sqlx::query(NOTE).bind(at.as_millisecond()).bind(id.clone())).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

async fn find(conn: &mut AnyConnection, id: &str) -> Result<Option<KeyRow>, StoreError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM api_key WHERE key_id = $1");
    let row = sqlx::query(SQL).bind(id.to_owned()).fetch_optional(conn).await?;
    row.as_ref().map(read).transpose()
}

/// Writes a key, its row in the trail, and that there is something new.
async fn insert(conn: &mut AnyConnection, key: &KeyRow, hand: &Hand) -> Result<(), StoreError> {
    const SQL: &str =
        concat!("INSERT INTO api_key (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    let row = sqlx::query(SQL)
        .bind(key.id.clone())
        .bind(key.mark.prefix_text().to_owned())
        .bind(key.mark.hash.to_string())
        .bind(key.label.clone())
        .bind(key.scopes.to_string())
        .bind(key.created_at.as_millisecond())
        .bind(key.created_by.clone())
        .bind(key.expires_at.map(Timestamp::as_millisecond))
        .bind(key.last_used_at.map(Timestamp::as_millisecond))
        .bind(key.revoked_at.map(Timestamp::as_millisecond));
    conn.execute(row).await?;
    next_version(conn).await?;
    audit::record(conn, &hand.entry("key.create", key, None, key.created_at)).await
}

async fn next_version(conn: &mut AnyConnection) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE api_key_version SET version = version + 1 WHERE singleton = 1";
    conn.execute(SQL).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<KeyRow, StoreError> {
    let (prefix, hash, scopes): (String, String, String) =
        (row.try_get(1)?, row.try_get(2)?, row.try_get(4)?);
    let instant = |at: usize, column| -> Result<Option<Timestamp>, StoreError> {
        let milliseconds: Option<i64> = row.try_get(at)?;
        let instant = milliseconds.map(Timestamp::from_millisecond).transpose();
        instant.map_err(|error| cell(column, error))
    };
    let scopes: Result<BTreeSet<Scope>, _> = scopes.split(' ').map(str::parse).collect();
    Ok(KeyRow {
        id: row.try_get(0)?,
        mark: Mark {
            prefix: prefix_of(prefix.as_bytes()),
            hash: KeyHash::parse(&hash).ok_or_else(|| cell("hash", "is none"))?,
        },
        label: row.try_get(3)?,
        scopes: Scopes(scopes.map_err(|known| cell("scopes", format!("holds other words than {known}")))?),
        created_at: instant(5, "created_at_ms")?.ok_or_else(|| cell("created_at_ms", "is NULL"))?,
        created_by: row.try_get(6)?,
        expires_at: instant(7, "expires_at_ms")?,
        last_used_at: instant(8, "last_used_at_ms")?,
        revoked_at: instant(9, "revoked_at_ms")?,
    })
}

fn cell(column: &'static str, problem: impl fmt::Display) -> StoreError {
    StoreError::Cell { table: "api_key", row_id: 0, column, problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admin_is_good_for_everything_and_no_other_scope_for_another() {
        let allows = |held: Scope| Scope::ALL.map(|wanted| Scopes([held].into()).allow(wanted));
        assert_eq!(allows(Scope::Admin), [true, true, true]);
        assert_eq!(allows(Scope::CatalogWrite), [false, true, false]);
        assert_eq!(allows(Scope::Quote), [true, false, false]);
        assert!(!Scopes::default().allow(Scope::Quote));
    }

    #[test]
    fn a_scope_has_one_spelling() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
        }
        assert!("Admin".parse::<Scope>().is_err());
    }
}
