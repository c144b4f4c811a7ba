//! What a feed says, in the catalog's units and still under the feed's names.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::row::CatalogRow;
use crate::catalog::{
    gpu::Commitment,
    ids::MeterId,
    money::Currency,
    rate_card::{Conditions, Rate},
};

/// Something that a feed says.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// What a model costs at a seller.
    Prices(Box<OfferedPrices>),
    /// What an hour of an accelerator costs.
    Rental(Box<OfferedRental>),
    /// What a currency was worth on a day.
    Fx(DayRate),
    /// A row in the catalog's own form.
    Row(OwnRow),
}

/// A row in the catalog's own form.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnRow {
    /// The row.
    pub row: CatalogRow,
    /// Whether it has no word for some of its fields, which then stay as the catalog has them.
    pub partial: bool,
    /// Number of the catalog's row that it was exported from, where it says so: that one it replaces.
    pub stands_for: Option<i64>,
}

/// What a model costs at a seller: every card that the feed has for one of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedPrices {
    /// The entry, as the feed names it.
    pub place: String,
    /// The seller, in the feed's word.
    pub seller: String,
    /// The model's name at the seller.
    pub name: String,
    /// Other names to look it up by.
    pub aliases: Vec<String>,
    /// What it does, where it is not a chat model; as offerings say it.
    pub kind: Option<&'static str>,
    /// Largest input plus output, in tokens.
    pub context_window: Option<u64>,
    /// Whether the feed says that its end has been announced.
    pub deprecated: bool,
    /// Where the feed got it from.
    pub source: Option<String>,
    /// Its prices.
    pub cards: Vec<OfferedCard>,
}

/// Rates under conditions over a span.
#[derive(Debug, Clone, PartialEq)]
pub struct OfferedCard {
    /// Currency of the rates.
    pub currency: Currency,
    /// When they apply.
    pub conditions: Conditions,
    /// First instant in force, where the feed says.
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force, where the feed says.
    pub effective_to: Option<Timestamp>,
    /// Rate by meter; each says for how many units.
    pub rates: BTreeMap<MeterId, Rate>,
    /// Meters of which the feed says nothing under these conditions; the standard rate stands in.
    pub inherited: Vec<MeterId>,
}

/// What an hour of one accelerator costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedRental {
    /// The row, as the feed names it.
    pub place: String,
    /// The seller, in the feed's word.
    pub seller: String,
    /// Where.
    pub region: String,
    /// The machine.
    pub instance: String,
    /// The accelerator, in the feed's word.
    pub gpu: String,
    /// How many of them the machine has.
    pub gpu_count: u32,
    /// Dollars for one of them and an hour, host included.
    pub price_per_gpu_hour: Decimal,
    /// How it is bought.
    pub commitment: Commitment,
}

/// Dollars for one unit of a currency on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRate {
    /// The currency.
    pub currency: Currency,
    /// The day of the fixing.
    pub date: Date,
    /// Dollars for one unit.
    pub usd_per_unit: Decimal,
}

/// A row that is not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Refusal {
    /// The row, as the feed names it.
    #[schema(example = "azure_ai/model_router")]
    pub place: String,
    /// A word for the kind of reason, to count by.
    pub reason: Reason,
    /// What is wrong, in a sentence.
    #[schema(example = "all its prices are zero")]
    pub detail: String,
}

/// Why a row is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It cannot be read.
    Malformed,
    /// It carries no price.
    NoPrice,
    /// Every price of it is zero.
    AllZero,
    /// A price cannot be said in the catalog's terms.
    Inexpressible,
    /// The seller is not in the catalog.
    UnknownSeller,
    /// The accelerator is not in the catalog.
    UnknownGpu,
    /// A meter, currency or the like is not in the catalog.
    UnknownName,
    /// Another row of the feed says something else about the same.
    Contradicted,
    /// The catalog's own check finds fault with the row that it would become.
    Unsound,
}

impl Refusal {
    /// A row that is not taken.
    #[must_use]
    pub fn new(place: impl Into<String>, reason: Reason, detail: impl Into<String>) -> Self {
        Self { place: place.into(), reason, detail: detail.into() }
    }
}

/// What a table says, row by row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// What could be read.
    pub observations: Vec<Observation>,
    /// What could not.
    pub refused: Vec<Refusal>,
    /// Fields that look like prices and have no meter here, with how many rows have them.
    pub unread: BTreeMap<String, u64>,
}

impl Reading {
    /// Notes a row that is not taken.
    pub(super) fn refuse(&mut self, place: &str, reason: Reason, detail: impl Into<String>) {
        self.refused.push(Refusal::new(place, reason, detail));
    }

    /// Notes a field that is not read.
    pub(super) fn leave(&mut self, field: &str) {
        match self.unread.get_mut(field) {
            Some(rows) => *rows += 1,
            None => {
                self.unread.insert(field.to_owned(), 1);
            }
        }
    }
}
