//! Prices of electricity: `GET /energy-prices`.

use std::cmp::Ordering;

use super::{
    Scope,
    fault::Fault,
    listed::{Listed, told},
    lookup,
    models::is,
    order::{folded, sort_keys},
    query::{Said as _, query},
};
use crate::catalog::{
    energy::EnergyPrice,
    rows::{History, Versioned},
};

sort_keys! {
    /// What prices of electricity can be sorted by.
    EnergyKey, EnergySort {
        Region = "region",
        Name = "name",
        Price = "price_per_kwh",
        Carbon = "kg_co2_per_kwh",
        From = "effective_from",
    }
}

query! {
    as_of
    /// Which prices of those in force at the instant asked about, and in which order.
    EnergyPriceQuery {
        /// Search in regions and names: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "united states")]
        q: String,
        /// The region: a country's code, or `eu`, `world` or a continent, in any case.
        #[param(example = "us")]
        region: String,
        /// The currency of the price.
        #[param(example = "USD")]
        currency: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by region.
        #[param(inline)]
        sort: EnergySort,
    }
}

told! {
    /// What electricity costs in a region, and the carbon dioxide it stands for.
    EnergyPrice: EnergyPriceAdded, EnergyPriceItem, EnergyPriceList
}

/// The list of prices of electricity.
#[derive(Debug)]
pub struct EnergyPrices;

impl Listed for EnergyPrices {
    type Row = EnergyPrice;
    type Query = EnergyPriceQuery;
    type Key = EnergyKey;
    type Added = EnergyPriceAdded;

    fn table(history: &History) -> &[Versioned<EnergyPrice>] {
        &history.energy_prices
    }

    fn asked(query: &EnergyPriceQuery) -> (Option<&str>, Option<EnergySort>) {
        (query.q.said(), query.sort)
    }

    fn keep<'q>(
        scope: Scope<'q>,
        query: &'q EnergyPriceQuery,
    ) -> Result<impl Fn(&EnergyPrice) -> bool, Fault> {
        let currency = query.currency.said().map(|code| lookup::currency(scope.view, code)).transpose();
        let currency = currency.map_err(|unknown| Fault::unknown("currency", unknown))?;
        Ok(move |row: &EnergyPrice| {
            row.span().contains(scope.as_of)
                && is(query.region.said(), Some(&row.region))
                && currency.is_none_or(|currency| row.currency == currency)
        })
    }

    fn names(row: &EnergyPrice) -> impl Iterator<Item = &str> {
        [row.region.as_str(), &row.name].into_iter()
    }

    fn compare(sort: EnergySort, a: &EnergyPrice, b: &EnergyPrice) -> Ordering {
        match sort.key {
            EnergyKey::Region => sort.by(&a.region, &b.region),
            EnergyKey::Name => sort.directed(folded(&a.name, &b.name)),
            EnergyKey::Price => sort.by(&a.price_per_kwh, &b.price_per_kwh),
            EnergyKey::Carbon => sort.by_some_number(a.kg_co2_per_kwh, b.kg_co2_per_kwh),
            EnergyKey::From => sort.by(&a.effective_from, &b.effective_from),
        }
    }

    fn ties(a: &EnergyPrice, b: &EnergyPrice) -> Ordering {
        a.region.cmp(&b.region)
    }
}
