//! Reference rates between currencies: `GET /fx-rates`.

use std::{cmp::Ordering, collections::HashMap};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::Fault,
    item::RowRef,
    lookup,
    order::{Hit, arrange, sort_keys},
    prices::is_news,
    query::{Format, Said as _, query},
};
use crate::catalog::{
    fx::FxRate,
    money::{Currency, decimal_text},
    rows::{Row as _, Versioned},
};

sort_keys! {
    /// What exchange rates can be sorted by.
    FxKey, FxSort {
        Currency = "currency",
        Date = "date",
    }
}

query! {
    as_of
    /// Which exchange rates, and in which order. Without `from` and `to`: the latest of each currency.
    FxRateQuery {
        /// The currency that one unit of is priced.
        #[param(example = "CNY")]
        currency: String,
        /// The first day.
        #[param(value_type = Option<String>, format = Date, example = "2024-12-01")]
        from: Date,
        /// The last day. Nothing is told of days after the instant asked about.
        #[param(value_type = Option<String>, format = Date, example = "2024-12-31")]
        to: Date,
        /// Only what later revisions than this one introduced or replaced.
        #[param(example = 0)]
        since_revision: u64,
        /// In place of the header `accept`, for a link or a spreadsheet.
        #[param(inline)]
        format: Format,
        /// The order; `-` puts the largest first. Default: by currency, then by day.
        #[param(inline)]
        sort: FxSort,
    }
}

/// What one unit of a currency was worth on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct FxRateItem<'s> {
    /// The row's name in quotes.
    #[schema(value_type = String, example = "fx_rate:4711")]
    pub id: RowRef,
    /// The currency.
    #[schema(value_type = String, example = "CNY")]
    pub currency: Currency,
    /// The day of the fixing.
    #[schema(value_type = String, format = Date, example = "2024-12-27")]
    pub date: Date,
    /// US dollars for one unit.
    #[serde(with = "decimal_text")]
    #[schema(value_type = String, example = "0.136997")]
    pub usd_per_unit: Decimal,
    /// Days between that day and the instant asked about.
    #[schema(example = 0)]
    pub age_days: u32,
    /// URL or citation; null: none is known.
    #[schema(example = "European Central Bank euro reference rates")]
    pub source: Option<&'s str>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
    /// The revision of the catalog that introduced it.
    #[schema(example = 1)]
    pub revision: u32,
    /// The revision that replaced or withdrew it; null: none has.
    #[schema(example = 2)]
    pub superseded: Option<u32>,
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type FxRateList = Listing<FxRateItem<'static>>;

/// The list of exchange rates.
#[derive(Debug)]
pub struct FxRates;

impl Resource for FxRates {
    type Query = FxRateQuery;
    type Item<'s> = FxRateItem<'s>;

    fn rows(scope: Scope<'_>, query: &FxRateQuery) -> Result<Vec<u32>, Fault> {
        let currency = query.currency.said().map(|code| lookup::currency(scope.view, code)).transpose();
        let currency = currency.map_err(|unknown| Fault::unknown("currency", unknown))?;
        let (revision, last) = (scope.view.revision, scope.day());
        let told = |row: &Versioned<FxRate>| match query.since_revision {
            None => row.known_at(revision),
            Some(since) => is_news(row, since, revision),
        };
        let keep = |rate: &FxRate| {
            rate.date <= last
                && currency.is_none_or(|currency| rate.currency == currency)
                && query.from.is_none_or(|from| rate.date >= from)
                && query.to.is_none_or(|to| rate.date <= to)
        };
        let rows = (0..).zip(&scope.view.snapshot().history().fx_rates);
        let hits = rows.filter(|(_, row)| told(row) && keep(&row.row));
        let mut hits: Vec<Hit<'_, FxRate>> = hits.map(|(at, row)| Hit { at, row, rank: 0 }).collect();
        if query.from.is_none() && query.to.is_none() && query.since_revision.is_none() {
            hits = latest(hits);
        }
        let compare = |sort: FxSort, a: &FxRate, b: &FxRate| match sort.key {
            FxKey::Currency => sort.by(&a.currency, &b.currency),
            FxKey::Date => sort.by(&a.date, &b.date),
        };
        Ok(arrange(hits, query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<FxRateItem<'s>> {
        let rates = &scope.view.snapshot().history().fx_rates;
        let item = |at: &u32| {
            let known = &rates[*at as usize];
            FxRateItem {
                id: RowRef { table: FxRate::TABLE, id: known.id },
                currency: known.row.currency,
                date: known.row.date,
                usd_per_unit: known.row.usd_per_unit,
                age_days: scope.age_days(known.row.date),
                source: known.row.source.as_deref(),
                observed_at: known.row.observed_at,
                revision: known.introduced.0,
                superseded: known.superseded.filter(|end| *end <= scope.view.revision).map(|end| end.0),
            }
        };
        rows.iter().map(item).collect()
    }
}

fn ties(a: &FxRate, b: &FxRate) -> Ordering {
    a.currency.cmp(&b.currency).then_with(|| a.date.cmp(&b.date))
}

/// The last row of each currency.
fn latest(hits: Vec<Hit<'_, FxRate>>) -> Vec<Hit<'_, FxRate>> {
    let mut latest: HashMap<Currency, Hit<'_, FxRate>> = HashMap::new();
    for hit in hits {
        let known = latest.get(&hit.row.row.currency);
        if known.is_none_or(|known| known.row.row.date < hit.row.row.date) {
            latest.insert(hit.row.row.currency, hit);
        }
    }
    latest.into_values().collect()
}
