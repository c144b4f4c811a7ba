//! A row of any table of the catalog, and putting such rows into its tables.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::catalog::{
    assumption::Assumption,
    calendar::Calendar,
    energy::EnergyPrice,
    fx::FxRate,
    gpu::{Gpu, GpuPurchase, GpuRental, MarketIndex},
    meter::Meter,
    model::Model,
    offering::Offering,
    provider::Provider,
    published_run::PublishedRun,
    published_throughput::PublishedThroughput,
    rate_card::{Modifier, RateCard},
    rows::{History, Row, Tables, Versioned},
    scenario::Scenario,
};

/// Rows to put into tables and keys to take out of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Edits {
    /// Rows that come in; one of the same key gives way.
    pub put: Vec<CatalogRow>,
    /// Rows that go, by table and key.
    pub remove: Vec<(&'static str, String)>,
}

macro_rules! catalog_rows {
    ($($variant:ident($row:ty) in $table:ident;)+) => {
        /// A row of any table.
        #[derive(Debug, Clone, PartialEq)]
        pub enum CatalogRow {$(
            #[doc = concat!("A row of `", stringify!($table), "`.")]
            $variant(Box<$row>),
        )+}

        $(impl From<$row> for CatalogRow {
            fn from(row: $row) -> Self {
                Self::$variant(Box::new(row))
            }
        })+

        impl CatalogRow {
            /// The name of its table.
            #[must_use]
            pub fn table(&self) -> &'static str {
                match self {$(Self::$variant(_) => <$row as Row>::TABLE,)+}
            }

            /// What makes it that row.
            #[must_use]
            pub fn key(&self) -> String {
                match self {$(Self::$variant(row) => row.key(),)+}
            }

            /// The row as JSON, for a comparison by fields.
            #[must_use]
            pub fn to_json(&self) -> Value {
                match self {$(Self::$variant(row) => serde_json::to_value(row),)+}.unwrap_or_default()
            }

            /// The known row of the same key.
            pub(super) fn known<'k>(&self, known: &'k KnownRows<'_>) -> Option<Known<'k>> {
                let (key, at) = (self.key(), self.table());
                known.0.get(at)?.get(&key).copied()
            }
        }

        impl<'h> KnownRows<'h> {
            /// The current rows of the tables that some rows are of.
            pub(super) fn of(history: &'h History, rows: &[&CatalogRow]) -> Self {
                let tables: BTreeSet<&str> = rows.iter().map(|row| row.table()).collect();
                let mut known = Self::default();
                $(if tables.contains(<$row as Row>::TABLE) {
                    let current = history.$table.iter().filter(|row| row.superseded.is_none());
                    let by_key = current.map(|row| (row.row.key(), Known::$variant(row))).collect();
                    known.0.insert(<$row as Row>::TABLE, by_key);
                })+
                known
            }
        }

        /// A row that the catalog has.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Known<'h> {$($variant(&'h Versioned<$row>),)+}

        impl Known<'_> {
            /// The revision that brought it.
            pub(super) fn introduced(self) -> crate::catalog::ids::RevisionNumber {
                match self {$(Self::$variant(row) => row.introduced,)+}
            }

            /// The row by itself.
            pub(super) fn row(self) -> CatalogRow {
                match self {$(Self::$variant(row) => row.row.clone().into(),)+}
            }
        }

        /// The tables with some rows put in and others taken out; what stays keeps its place.
        pub(super) fn edited<'e>(mut tables: Tables, edits: impl Iterator<Item = &'e Edits>) -> Tables {
            let mut sorted = Sorted::default();
            for edit in edits {
                for (table, key) in &edit.remove {
                    sorted.removed.entry(table).or_default().insert(key);
                }
                for row in &edit.put {
                    match row {$(CatalogRow::$variant(row) => sorted.$table.push(row),)+}
                }
            }
            $(edit_table(&mut tables.$table, &sorted.$table, sorted.removed.get(<$row as Row>::TABLE));)+
            tables
        }

        /// Edits, table by table.
        #[derive(Default)]
        struct Sorted<'e> {
            removed: BTreeMap<&'static str, BTreeSet<&'e str>>,
            $($table: Vec<&'e $row>,)+
        }
    };
}

catalog_rows! {
    Provider(Provider) in providers;
    Meter(Meter) in meters;
    Calendar(Calendar) in calendars;
    Model(Model) in models;
    Offering(Offering) in offerings;
    RateCard(RateCard) in rate_cards;
    Modifier(Modifier) in modifiers;
    FxRate(FxRate) in fx_rates;
    Gpu(Gpu) in gpus;
    GpuRental(GpuRental) in gpu_rentals;
    GpuPurchase(GpuPurchase) in gpu_purchases;
    MarketIndex(MarketIndex) in market_index;
    Assumption(Assumption) in assumptions;
    EnergyPrice(EnergyPrice) in energy_prices;
    PublishedRun(PublishedRun) in published_runs;
    PublishedThroughput(PublishedThroughput) in published_throughputs;
    Scenario(Scenario) in scenarios;
}

/// Current rows by table and key.
#[derive(Default)]
pub(super) struct KnownRows<'h>(BTreeMap<&'static str, BTreeMap<String, Known<'h>>>);

fn edit_table<T: Row>(rows: &mut Vec<T>, put: &[&T], removed: Option<&BTreeSet<&str>>) {
    if put.is_empty() && removed.is_none() {
        return;
    }
    let mut fresh: BTreeMap<String, &T> = put.iter().map(|row| (row.key(), *row)).collect();
    rows.retain_mut(|row| {
        let key = row.key();
        if let Some(new) = fresh.remove(&key) {
            *row = new.clone();
            return true;
        }
        removed.is_none_or(|removed| !removed.contains(key.as_str()))
    });
    let added = put.iter().filter(|row| fresh.remove(&row.key()).is_some());
    rows.extend(added.map(|row| (*row).clone()));
}
