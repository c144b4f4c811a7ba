//! Taking over an edition: one transaction that appends what is new and supersedes what is gone.

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{
    Store, StoreError,
    cells::Value,
    load::load,
    rows::{Columns, RateRow, Stored},
};
use crate::catalog::{
    ids::RevisionNumber,
    rate_card::RateCard,
    rows::{Changes, Delta, History, Revision, Row, Tables, Versioned},
    time::to_milliseconds,
};

/// Placeholders of one INSERT. The drivers look each of them up among all, so that many make a statement slow.
const PLACEHOLDERS: usize = 500;

/// Rows superseded by one UPDATE.
const SUPERSEDED_AT_ONCE: usize = 200;

impl Store {
    /// Makes an edition current: what is new or different is appended, what it replaces or no longer has is superseded.
    /// `None`: it changes nothing, and no revision is made. All of it happens, or nothing.
    ///
    /// # Errors
    /// When the edition names a row twice, or the database fails; then nothing has changed.
    pub async fn import(
        &self,
        edition: &Tables,
        reason: &str,
        actor: &str,
        catalog_version: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Revision>, StoreError> {
        let mut transaction = self.begin_write().await?;
        let number = next_revision(&mut transaction).await?;
        let (history, _) = load(&mut transaction).await?;
        let delta = Delta::between(&history, edition)?;
        if delta.is_empty() {
            transaction.rollback().await?;
            return Ok(None);
        }
        let revision = Revision {
            revision: number,
            made_at: to_milliseconds(now),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            rows_added: delta.rows_added(),
            rows_superseded: delta.rows_superseded(),
            content_hash: delta.content_hash(),
            catalog_version: catalog_version.map(str::to_owned),
        };
        write(&mut transaction, &revision, &history, &delta).await?;
        transaction.commit().await?;
        Ok(Some(revision))
    }
}

/// Takes the number of the next revision, and with it the right to write.
async fn next_revision(conn: &mut AnyConnection) -> Result<RevisionNumber, StoreError> {
    const SQL: &str =
        "UPDATE catalog_version SET version = version + 1 WHERE singleton = 1 RETURNING version";
    let version: i64 = sqlx::query_scalar(SQL).fetch_one(conn).await?;
    super::revision_number(version)
}

async fn write(
    conn: &mut AnyConnection,
    revision: &Revision,
    history: &History,
    delta: &Delta<'_>,
) -> Result<(), StoreError> {
    let row = values("revision", revision.revision.0.into(), revision)?;
    insert(conn, "revision", Revision::COLUMNS, &[row]).await?;
    let number = revision.revision;
    let Delta {
        providers,
        meters,
        calendars,
        models,
        offerings,
        rate_cards,
        modifiers,
        fx_rates,
        gpus,
        gpu_rentals,
        gpu_purchases,
        market_index,
        assumptions,
        energy_prices,
        published_runs,
        published_throughputs,
        scenarios,
    } = delta; // by name, so that a new table is not forgotten
    append(conn, number, &history.providers, providers).await?;
    append(conn, number, &history.meters, meters).await?;
    append(conn, number, &history.calendars, calendars).await?;
    append(conn, number, &history.models, models).await?;
    append(conn, number, &history.offerings, offerings).await?;
    append(conn, number, &history.rate_cards, rate_cards).await?;
    append_rates(conn, &history.rate_cards, rate_cards).await?;
    append(conn, number, &history.modifiers, modifiers).await?;
    append(conn, number, &history.fx_rates, fx_rates).await?;
    append(conn, number, &history.gpus, gpus).await?;
    append(conn, number, &history.gpu_rentals, gpu_rentals).await?;
    append(conn, number, &history.gpu_purchases, gpu_purchases).await?;
    append(conn, number, &history.market_index, market_index).await?;
    append(conn, number, &history.assumptions, assumptions).await?;
    append(conn, number, &history.energy_prices, energy_prices).await?;
    append(conn, number, &history.published_runs, published_runs).await?;
    append(conn, number, &history.published_throughputs, published_throughputs).await?;
    append(conn, number, &history.scenarios, scenarios).await
}

/// Supersedes and appends a table's rows, in this order: a key has one current row at any time.
async fn append<T: Stored>(
    conn: &mut AnyConnection,
    revision: RevisionNumber,
    known: &[Versioned<T>],
    changes: &Changes<'_, T>,
) -> Result<(), StoreError> {
    supersede(conn, revision, changes).await?;
    let columns: Vec<&str> = ["row_id", "revision"].iter().chain(T::COLUMNS).copied().collect();
    let mut rows = Vec::with_capacity(changes.added.len());
    for (id, row) in (next_id(known)..).zip(&changes.added) {
        let mut cells = vec![Value::Integer(Some(id)), Value::Integer(Some(revision.0.into()))];
        cells.extend(values(T::TABLE, id, *row)?);
        rows.push(cells);
    }
    insert(conn, T::TABLE, &columns, &rows).await
}

async fn append_rates(
    conn: &mut AnyConnection,
    known: &[Versioned<RateCard>],
    changes: &Changes<'_, RateCard>,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for (id, card) in (next_id(known)..).zip(&changes.added) {
        for rate in RateRow::of_card(id, &card.rates) {
            rows.push(values(RateRow::TABLE, id, &rate)?);
        }
    }
    insert(conn, RateRow::TABLE, RateRow::COLUMNS, &rows).await
}

/// Rows are loaded in the order of their numbers.
fn next_id<T>(known: &[Versioned<T>]) -> i64 {
    known.last().map_or(1, |row| row.id + 1)
}

fn values<T: Columns>(table: &'static str, row_id: i64, row: &T) -> Result<Vec<Value>, StoreError> {
    row.values().map_err(|(at, problem)| StoreError::Cell { table, row_id, column: T::COLUMNS[at], problem })
}

async fn insert(
    conn: &mut AnyConnection,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Value>],
) -> Result<(), StoreError> {
    let at_once = (PLACEHOLDERS / columns.len()).max(1);
    let full: Arc<str> = insert_sql(table, columns, at_once).into();
    for rows in rows.chunks(at_once) {
        let sql = if rows.len() == at_once {
            Arc::clone(&full)
        } else {
            insert_sql(table, columns, rows.len()).into()
        };
        let mut query = sqlx::query(AssertSqlSafe(sql)); // made of constants and placeholders only
        for value in rows.iter().flatten() {
            query = match value {
                Value::Text(text) => query.bind(text.clone()),
                Value::Integer(integer) => query.bind(*integer),
            };
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// `INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)`.
fn insert_sql(table: &str, columns: &[&str], rows: usize) -> String {
    let row = |at: usize| {
        let first = at * columns.len() + 1;
        let placeholders: Vec<String> = (first..first + columns.len()).map(|n| format!("${n}")).collect();
        format!("({})", placeholders.join(", "))
    };
    let values: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {table} ({}) VALUES {}", columns.join(", "), values.join(", "))
}

async fn supersede<T: Row>(
    conn: &mut AnyConnection,
    revision: RevisionNumber,
    changes: &Changes<'_, T>,
) -> Result<(), StoreError> {
    for rows in changes.superseded.chunks(SUPERSEDED_AT_ONCE) {
        let placeholders: Vec<String> = (2..rows.len() + 2).map(|n| format!("${n}")).collect();
        let sql = format!(
            "UPDATE {} SET superseded_by = $1 WHERE superseded_by IS NULL AND row_id IN ({})",
            T::TABLE,
            placeholders.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(revision.0)); // constants and placeholders
        for row in rows {
            query = query.bind(row.id);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_on_from_row_to_row() {
        let sql = insert_sql("provider", &["id", "name"], 2);
        assert_eq!(sql, "INSERT INTO provider (id, name) VALUES ($1, $2), ($3, $4)");
    }
}
