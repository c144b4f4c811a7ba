//! Reading the whole catalog: every row of every revision.

use futures_util::TryStreamExt as _;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{
    StoreError,
    cells::{CellProblem, Cells, Shared},
    rows::{Columns, RateRow, Stored, VERSION_COLUMNS},
};
use crate::catalog::{
    rate_card::RateCard,
    rows::{History, Revision, Versioned},
};

/// Everything, on a connection that sees one state of the database throughout.
pub(super) async fn load(conn: &mut AnyConnection) -> Result<(History, Vec<Revision>), StoreError> {
    let revisions = select(conn, "revision", Revision::COLUMNS, Revision::read).await?;
    let history = History {
        providers: versions(conn).await?,
        meters: versions(conn).await?,
        calendars: versions(conn).await?,
        models: versions(conn).await?,
        offerings: versions(conn).await?,
        rate_cards: rate_cards(conn).await?,
        modifiers: versions(conn).await?,
        fx_rates: versions(conn).await?,
        gpus: versions(conn).await?,
        gpu_rentals: versions(conn).await?,
        gpu_purchases: versions(conn).await?,
        market_index: versions(conn).await?,
        assumptions: versions(conn).await?,
        energy_prices: versions(conn).await?,
        published_runs: versions(conn).await?,
        published_throughputs: versions(conn).await?,
        scenarios: versions(conn).await?,
    };
    Ok((history, revisions))
}

/// Cards with their rates, which lie in a table of their own.
async fn rate_cards(conn: &mut AnyConnection) -> Result<Vec<Versioned<RateCard>>, StoreError> {
    let mut cards: Vec<Versioned<RateCard>> = versions(conn).await?;
    let rates = select(conn, RateRow::TABLE, RateRow::COLUMNS, RateRow::read).await?;
    let mut rates = rates.into_iter().peekable(); // in the order of the cards, as these are
    for card in &mut cards {
        while let Some(rate) = rates.next_if(|rate| rate.rate_card == card.id) {
            card.row.rates.insert(rate.meter.clone(), rate.rate());
        }
    }
    Ok(cards)
}

async fn versions<T: Stored>(conn: &mut AnyConnection) -> Result<Vec<Versioned<T>>, StoreError> {
    let columns: Vec<&str> = VERSION_COLUMNS.iter().chain(T::COLUMNS).copied().collect();
    let read = |cells: &mut Cells<'_>| {
        Ok(Versioned {
            id: cells.take()?,
            introduced: cells.take()?,
            superseded: cells.take()?,
            row: T::read(cells)?,
        })
    };
    select(conn, T::TABLE, &columns, read).await
}

/// All rows of a table, in the order of its first column.
async fn select<T>(
    conn: &mut AnyConnection,
    table: &'static str,
    columns: &[&'static str],
    read: impl Fn(&mut Cells<'_>) -> Result<T, CellProblem>,
) -> Result<Vec<T>, StoreError> {
    let sql = format!("SELECT {} FROM {table} ORDER BY {}", columns.join(", "), columns[0]);
    let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(conn); // made of constants only
    let mut shared = Shared::default();
    let mut all = Vec::new();
    while let Some(row) = rows.try_next().await? {
        let mut cells = Cells::new(&row, &mut shared);
        let read = read(&mut cells).map_err(|problem| (cells.taken() - 1, problem));
        all.push(read.map_err(|(at, problem)| StoreError::Cell {
            table,
            row_id: row.try_get(0).unwrap_or_default(),
            column: columns[at],
            problem,
        })?);
    }
    Ok(all)
}
