//! Quotes that are kept: written once, read back as they are, listed, and gone when they expire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _, any::AnyRow};

use super::{
    Store, StoreError,
    idempotency::{self, Claim, Claimed, KeptAnswer},
};
use crate::catalog::money::{Currency, Money};

/// What lists tell of a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteRow {
    /// A UUID, version 7, as text: it sorts by the time it was made.
    pub id: String,
    /// When it was made, to the millisecond.
    pub created_at: Timestamp,
    /// From when on it is gone.
    pub expires_at: Option<Timestamp>,
    /// What it is called.
    pub label: Option<String>,
    /// Words to find it by.
    pub tags: BTreeMap<String, String>,
    /// The quote whose request it answers anew.
    pub requote_of: Option<String>,
    /// The revision of the catalog that it rests on.
    pub catalog_revision: u32,
    /// Name and version of the engine.
    pub engine: String,
    /// Currency of the total.
    pub currency: Currency,
    /// What it comes to.
    pub total: Money,
    /// P10, where there is a range.
    pub low: Option<Money>,
    /// P90, where there is a range.
    pub high: Option<Money>,
}

/// Which quotes.
#[derive(Debug, Clone, Default)]
pub struct QuoteFilter {
    /// Called exactly this.
    pub label: Option<String>,
    /// Called something with this in it, in any case.
    pub label_part: Option<String>,
    /// With a tag of this name, and of this value where one is given.
    pub tag: Option<(String, Option<String>)>,
    /// Made at or after.
    pub since: Option<Timestamp>,
    /// Made before.
    pub until: Option<Timestamp>,
    /// Older than the one of this id.
    pub before: Option<String>,
}

/// Columns that lists tell of, in the order of [`read`].
const COLUMNS: &str = "quote_id, created_at_ms, expires_at_ms, label, tags, requote_of, catalog_revision, engine, \
    currency, total, total_low, total_high";

impl Store {
    /// Keeps a quote, whose document is what [`Store::quote`] gives back; with a key, only where the key is new. What
    /// has been kept is on the disk by the time this returns.
    ///
    /// # Errors
    /// When the database fails; then nothing is kept.
    pub async fn keep_quote(
        &self,
        quote: &QuoteRow,
        document: &str,
        claim: Option<(&Claim, &KeptAnswer)>,
    ) -> Result<Claimed, StoreError> {
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        if let Some((claim, answer)) = claim {
            let claimed = idempotency::claim(&mut transaction, claim, answer, quote.created_at).await?;
            if claimed != Claimed::First {
                transaction.rollback().await?;
                return Ok(claimed);
            }
        }
        insert(&mut transaction, quote, document).await?;
        transaction.commit().await?;
        Ok(Claimed::First)
    }

    /// The document of a quote, byte for byte; `None` where there is none of that id, or it has expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quote(&self, id: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT document FROM quote \
            WHERE quote_id = $1 AND (expires_at_ms IS NULL OR expires_at_ms > $2)";
        let found = sqlx::query_scalar(SQL).bind(id.to_owned()).bind(now.as_millisecond());
        Ok(found.fetch_optional(&self.pool).await?)
    }

    /// The newest quotes, the newest first, at most `limit`.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn quotes(
        &self,
        filter: &QuoteFilter,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<QuoteRow>, StoreError> {
        let conditions = Conditions::of(filter, now);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "SELECT {COLUMNS} FROM quote WHERE {} ORDER BY quote_id DESC LIMIT {limit}",
            conditions.texts.join(" AND ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)); // made of constants, placeholders and a number
        for value in conditions.values {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Integer(integer) => query.bind(integer),
            };
        }
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Removes quotes and idempotency keys that have expired; how many quotes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_expired(&self, now: Timestamp) -> Result<u64, StoreError> {
        const QUOTES: &str = "DELETE FROM quote WHERE expires_at_ms <= $1";
        const KEYS: &str = "DELETE FROM idempotency WHERE expires_at_ms <= $1";
        let _turn = self.turn().await?;
        let mut transaction = self.begin_write().await?;
        let removed = transaction.execute(sqlx::query(QUOTES).bind(now.as_millisecond())).await?;
        transaction.execute(sqlx::query(KEYS).bind(now.as_millisecond())).await?;
        transaction.commit().await?;
        Ok(removed.rows_affected())
    }
}

/// Conditions that all have to hold, and what is bound to their placeholders.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Bound>,
}

enum Bound {
    Text(String),
    Integer(i64),
}

impl From<i64> for Bound {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bound {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Conditions {
    fn of(filter: &QuoteFilter, now: Timestamp) -> Self {
        let mut all = Self::default();
        let now = all.bind(now.as_millisecond());
        all.add(format!("(expires_at_ms IS NULL OR expires_at_ms > {now})"));
        if let Some(id) = &filter.before {
            let id = all.bind(id.as_str());
            all.add(format!("quote_id < {id}"));
        }
        if let Some(label) = &filter.label {
            let label = all.bind(label.as_str());
            all.add(format!("label = {label}"));
        }
        if let Some(part) = &filter.label_part {
            let pattern = all.bind(pattern(part));
            all.add(format!("label_folded LIKE {pattern} ESCAPE '!'"));
        }
        if let Some(since) = filter.since {
            let since = all.bind(since.as_millisecond());
            all.add(format!("created_at_ms >= {since}"));
        }
        if let Some(until) = filter.until {
            let until = all.bind(until.as_millisecond());
            all.add(format!("created_at_ms < {until}"));
        }
        if let Some((name, value)) = &filter.tag {
            let name = all.bind(name.as_str());
            let value = value.as_ref().map(|value| format!(" AND value = {}", all.bind(value.as_str())));
            let value = value.unwrap_or_default();
            all.add(format!("quote_id IN (SELECT quote_id FROM quote_tag WHERE name = {name}{value})"));
        }
        all
    }

    /// The placeholder of a value.
    fn bind(&mut self, value: impl Into<Bound>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn add(&mut self, condition: String) {
        self.texts.push(condition);
    }
}

/// The pattern of texts that hold another, in lower case.
fn pattern(part: &str) -> String {
    let mut pattern = "%".to_owned();
    for letter in folded(part).chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern + "%"
}

fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

async fn insert(conn: &mut AnyConnection, quote: &QuoteRow, document: &str) -> Result<(), StoreError> {
    const QUOTE: &str = "INSERT INTO quote (quote_id, created_at_ms, expires_at_ms, label, label_folded, tags, \
        requote_of, catalog_revision, engine, currency, total, total_low, total_high, document) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    const TAG: &str = "INSERT INTO quote_tag (quote_id, name, value) VALUES ($1, $2, $3)";
    let tags = serde_json::to_string(&quote.tags).unwrap_or_default(); // texts always serialise
    let row = sqlx::query(QUOTE)
        .bind(quote.id.clone())
        .bind(quote.created_at.as_millisecond())
        .bind(quote.expires_at.map(Timestamp::as_millisecond))
        .bind(quote.label.clone())
        .bind(quote.label.as_deref().map(folded))
        .bind(tags)
        .bind(quote.requote_of.clone())
        .bind(i64::from(quote.catalog_revision))
        .bind(quote.engine.clone())
        .bind(quote.currency.to_string())
        .bind(quote.total.to_string())
        .bind(quote.low.map(|low| low.to_string()))
        .bind(quote.high.map(|high| high.to_string()))
        .bind(document.to_owned());
    conn.execute(row).await?;
    for (name, value) in &quote.tags {
        let tag = sqlx::query(TAG).bind(quote.id.clone()).bind(name.clone()).bind(value.clone());
        conn.execute(tag).await?;
    }
    Ok(())
}

/// Reads a row of [`COLUMNS`].
fn read(row: &AnyRow) -> Result<QuoteRow, StoreError> {
    let money = |at: usize, column| {
        let text: Option<String> = row.try_get(at)?;
        text.map(|text| Money::parse(&text).map_err(|error| cell(column, error))).transpose()
    };
    let instant = |milliseconds: i64, column| {
        Timestamp::from_millisecond(milliseconds).map_err(|error| cell(column, error))
    };
    let (currency, tags): (String, String) = (row.try_get(8)?, row.try_get(4)?);
    let expires_at: Option<i64> = row.try_get(2)?;
    let revision: i64 = row.try_get(6)?;
    Ok(QuoteRow {
        id: row.try_get(0)?,
        created_at: instant(row.try_get(1)?, "created_at_ms")?,
        expires_at: expires_at.map(|at| instant(at, "expires_at_ms")).transpose()?,
        label: row.try_get(3)?,
        tags: serde_json::from_str(&tags).map_err(|error| cell("tags", error))?,
        requote_of: row.try_get(5)?,
        catalog_revision: u32::try_from(revision).map_err(|error| cell("catalog_revision", error))?,
        engine: row.try_get(7)?,
        currency: Currency::parse(&currency).ok_or_else(|| cell("currency", "is none"))?,
        total: money(9, "total")?.ok_or_else(|| cell("total", "is NULL"))?,
        low: money(10, "total_low")?,
        high: money(11, "total_high")?,
    })
}

fn cell(column: &'static str, problem: impl std::fmt::Display) -> StoreError {
    StoreError::Cell { table: "quote", row_id: 0, column, problem: problem.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_holds_its_text_and_nothing_that_is_a_sign() {
        assert_eq!(pattern("Ärger 100%_!"), "%ärger 100!%!_!!%");
    }
}
