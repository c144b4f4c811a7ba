//! The tables of the catalog: as one edition holds them ([`Tables`]) and as history keeps them ([`History`]).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::changes::{Changes, DuplicateKey};
use super::{
    assumption::Assumption,
    calendar::Calendar,
    changes::ContentHash,
    energy::EnergyPrice,
    fx::FxRate,
    gpu::{Gpu, GpuPurchase, GpuRental, MarketIndex},
    ids::RevisionNumber,
    meter::Meter,
    model::Model,
    offering::Offering,
    provider::Provider,
    published_run::PublishedRun,
    published_throughput::PublishedThroughput,
    rate_card::{Modifier, RateCard},
    scenario::Scenario,
};

/// A row that can be found again in a later edition.
pub trait Row: Clone + PartialEq {
    /// The table's name, in the store and in references.
    const TABLE: &'static str;

    /// What makes the row the same row in another edition, whatever else has changed.
    fn key(&self) -> String;
}

/// A row with the revisions between which it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned<T> {
    /// Number of the row in its table, given in order of arrival.
    pub id: i64,
    /// The revision that introduced it.
    pub introduced: RevisionNumber,
    /// The revision that replaced or withdrew it.
    pub superseded: Option<RevisionNumber>,
    /// The row.
    pub row: T,
}

impl<T> Versioned<T> {
    /// Whether the row was known at a revision.
    #[must_use]
    pub fn known_at(&self, revision: RevisionNumber) -> bool {
        self.introduced <= revision && self.superseded.is_none_or(|end| revision < end)
    }
}

/// A change to the catalog: who, when, why and how much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    /// Its number, counting from 1.
    #[schema(value_type = u32, example = 1)]
    pub revision: RevisionNumber,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T00:00:00Z")]
    pub made_at: Timestamp,
    /// Who made it.
    #[schema(example = "farthing")]
    pub actor: String,
    /// Why.
    #[schema(example = "built-in catalog 2026-11-23.1")]
    pub reason: String,
    /// Rows that were not there before, or are there with other content.
    #[schema(example = 31_000)]
    pub rows_added: u64,
    /// Rows that were replaced or withdrawn.
    #[schema(example = 0)]
    pub rows_superseded: u64,
    /// SHA-256 of the rows added and the keys superseded, in hexadecimal.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub content_hash: String,
    /// The edition of the built-in catalog that it brought in, where it did.
    #[schema(example = "2026-11-23.1")]
    pub catalog_version: Option<String>,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $row:ty, $table:literal, |$it:ident| $key:expr;)+) => {
        $(impl Row for $row {
            const TABLE: &'static str = $table;

            fn key(&self) -> String {
                let $it = self;
                $key
            }
        })+

        /// One edition of the catalog, every table whole.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct Tables {$(
            $(#[$doc])*
            pub $field: Vec<$row>,
        )+}

        /// Every row there ever was, with the revisions between which it is known.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct History {$(
            $(#[$doc])*
            pub $field: Vec<Versioned<$row>>,
        )+}

        impl Tables {
            /// The rows as a history of one revision, numbered in their order.
            #[must_use]
            pub fn into_history(self, revision: RevisionNumber) -> History {
                History {$($field: number(self.$field, revision),)+}
            }

            /// How many rows there are in all tables.
            #[must_use]
            pub fn row_count(&self) -> usize {
                0 $(+ self.$field.len())+
            }
        }

        impl History {
            /// The edition that was current at a revision.
            #[must_use]
            pub fn at(&self, revision: RevisionNumber) -> Tables {
                Tables {$($field: known(&self.$field, revision),)+}
            }
        }

        /// What an edition changes in what is known.
        #[derive(Debug)]
        pub struct Delta<'e> {$(
            $(#[$doc])*
            pub $field: Changes<'e, $row>,
        )+}

        impl<'e> Delta<'e> {
            /// Compares what is current in a history with an edition.
            ///
            /// # Errors
            /// When the edition has a key twice in one table.
            pub fn between(history: &History, edition: &'e Tables) -> Result<Self, DuplicateKey> {
                Ok(Self {$($field: Changes::between(&history.$field, &edition.$field)?,)+})
            }

            /// Whether the edition is what is current already.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.rows_added() == 0 && self.rows_superseded() == 0
            }

            /// Rows that were not there before, or are there with other content.
            #[must_use]
            pub fn rows_added(&self) -> u64 {
                let rows = 0 $(+ self.$field.added.len())+;
                rows as u64
            }

            /// Rows that are replaced or withdrawn.
            #[must_use]
            pub fn rows_superseded(&self) -> u64 {
                let rows = 0 $(+ self.$field.superseded.len())+;
                rows as u64
            }

            /// SHA-256 of the rows added and the keys superseded, in hexadecimal.
            #[must_use]
            pub fn content_hash(&self) -> String {
                let mut hash = ContentHash::default();
                $(hash.update(&self.$field);)+
                hash.finish()
            }
        }
    };
}

tables! {
    /// Who sells.
    providers: Provider, "provider", |it| it.id.to_string();
    /// What is counted.
    meters: Meter, "meter", |it| it.id.to_string();
    /// Days that windows leave out.
    calendars: Calendar, "calendar", |it| it.id.to_string();
    /// AI models.
    models: Model, "model", |it| it.id.to_string();
    /// Models as providers sell them.
    offerings: Offering, "offering", |it| it.id.to_string();
    /// Price rows.
    rate_cards: RateCard, "rate_card", |it| rate_card_key(it);
    /// Factors.
    modifiers: Modifier, "modifier", |it| modifier_key(it);
    /// Exchange rates.
    fx_rates: FxRate, "fx_rate", |it| format!("{} {}", it.date, it.currency);
    /// Accelerators.
    gpus: Gpu, "gpu", |it| it.id.to_string();
    /// Rental prices.
    gpu_rentals: GpuRental, "gpu_rental", |it| it.id.clone();
    /// Purchase prices.
    gpu_purchases: GpuPurchase, "gpu_purchase", |it| purchase_key(it);
    /// Rental market levels.
    market_index: MarketIndex, "market_index", |it| format!("{} {} {}", it.series, it.date, it.kind);
    /// Defaults of the arithmetic.
    assumptions: Assumption, "assumption", |it| assumption_key(it);
    /// Prices of electricity.
    energy_prices: EnergyPrice, "energy_price", |it| format!("{} {}", it.region, it.effective_from);
    /// Training runs that others published.
    published_runs: PublishedRun, "published_run", |it| it.id.clone();
    /// Speeds that others measured.
    published_throughputs: PublishedThroughput, "published_throughput", |it| it.id.clone();
    /// Ready-to-send requests.
    scenarios: Scenario, "scenario", |it| it.id.clone();
}

fn rate_card_key(card: &RateCard) -> String {
    let from = card.effective_from.map_or_else(|| "-".to_owned(), |from| from.to_string());
    format!("{} {} {from} {}", card.offering, card.currency, json(&card.conditions))
}

fn modifier_key(modifier: &Modifier) -> String {
    let from = modifier.effective_from.map_or_else(|| "-".to_owned(), |from| from.to_string());
    format!("{} {from} {}", modifier.offering, json(&modifier.context))
}

fn assumption_key(assumption: &Assumption) -> String {
    match assumption.effective_from {
        Some(from) => format!("{} {from}", assumption.id),
        None => assumption.id.clone(),
    }
}

fn purchase_key(price: &GpuPurchase) -> String {
    let system = price.system.as_deref().unwrap_or("-");
    let source = price.source.as_deref().unwrap_or("-");
    format!(
        "{} {} {} {system} {} {source}",
        price.gpu,
        price.effective_from,
        price.kind,
        price.amount.normalize()
    )
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() // plain maps of strings always serialise
}

fn number<T>(rows: Vec<T>, introduced: RevisionNumber) -> Vec<Versioned<T>> {
    (1..).zip(rows).map(|(id, row)| Versioned { id, introduced, superseded: None, row }).collect()
}

fn known<T: Clone>(rows: &[Versioned<T>], revision: RevisionNumber) -> Vec<T> {
    rows.iter().filter(|row| row.known_at(revision)).map(|row| row.row.clone()).collect()
}
