//! Everything a quote needs, immutable and indexed; every revision of it at once.
//!
//! A [`Snapshot`] is built from the whole [`History`] off the request path. A quote looks at it through a
//! [`View`], which shows what was known at one revision.

mod spans;
mod view;
mod window;

pub use view::{CardView, Found, FxQuote, ModifierView, View};

use std::{collections::HashSet, hash::Hash};

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use self::spans::SpanIndex;
use super::{
    edition::{BUILT_IN_ACTOR, EditionVersion},
    hash::Map,
    ids::{GpuId, ModelId, RevisionNumber},
    meter_table::{MeterIndex, MeterSet, MeterTable, MeterTableError, MeterTables},
    money::Currency,
    names::NameIndex,
    offering::Offering,
    rate_card::{Modifier, RateCard, Window},
    rows::{History, Revision, Row, Versioned},
    time::Span,
};

/// Why a history cannot be quoted from.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is nothing in it.
    #[error("the catalog has no revision")]
    Empty,
    /// The meters do not fit together.
    #[error(transparent)]
    Meters(#[from] MeterTableError),
    /// A row names something that is not there.
    #[error("{row} names {what} `{name}`, which does not exist")]
    Dangling {
        /// The row.
        row: String,
        /// What kind of thing it names.
        what: &'static str,
        /// The name.
        name: String,
    },
}

/// A rate, ready to be charged.
#[derive(Debug, Clone, Copy)]
pub struct CardRate {
    /// What is charged.
    pub meter: MeterIndex,
    /// Money.
    pub amount: Decimal,
    /// For how many units.
    pub per: Decimal,
    /// The smallest quantity charged once there is any.
    pub min_quantity: Option<u64>,
}

/// A rate card, ready to be chosen.
#[derive(Debug)]
pub struct Card {
    /// Its place in the history.
    row: u32,
    span: Span,
    window: Option<CompiledWindow>,
    /// Its rates, in the order of the meters.
    pub rates: Box<[CardRate]>,
    /// The meters it prices.
    pub priced: MeterSet,
}

/// A time window with its zone looked up.
#[derive(Debug)]
struct CompiledWindow {
    zone: TimeZone,
    days: u8, // bit n: ISO weekday n
    calendar: Option<Box<str>>,
}

#[derive(Debug)]
struct CompiledModifier {
    row: u32,
    span: Span,
    meters: MeterSet,
}

/// What belongs to one offering, over all revisions.
#[derive(Debug, Default)]
struct Slot {
    cards: Vec<Card>,
    modifiers: Vec<CompiledModifier>,
}

/// The catalog in memory: rows, indexes, every revision.
#[derive(Debug)]
pub struct Snapshot {
    history: History,
    revisions: Vec<Revision>,
    meters: MeterTables,
    providers: NameIndex,
    models: NameIndex,
    gpus: NameIndex,
    offerings: OfferingIndex,
    fx: Map<Currency, Vec<u32>>,
    calendars: Map<Box<str>, Vec<u32>>,
    currencies: HashSet<Currency>,
    assumptions: SpanIndex,
    energy_prices: SpanIndex,
    scenarios: Map<Box<str>, Vec<u32>>,
    rentals: Map<GpuId, Vec<u32>>,
    purchases: Map<GpuId, Vec<u32>>,
    /// Speeds of serving that operators measured themselves.
    own_speeds: Map<ModelId, Vec<u32>>,
}

/// Offerings by name, and what belongs to each.
#[derive(Debug, Default)]
struct OfferingIndex {
    names: NameIndex,
    names_by_provider: Map<Box<str>, NameIndex>,
    /// By offering, whatever the revision.
    slots: Vec<Slot>,
    /// By row of the history.
    slot_of_row: Vec<u32>,
}

impl Snapshot {
    /// Indexes a history.
    ///
    /// # Errors
    /// When rows name things that are not there.
    pub fn build(history: History, revisions: Vec<Revision>) -> Result<Self, SnapshotError> {
        if revisions.is_empty() {
            return Err(SnapshotError::Empty);
        }
        let meters = MeterTables::new(&history.meters)?;
        Ok(Self {
            providers: named(&history.providers, |row| (row.id.as_str(), &[])),
            models: named(&history.models, |row| (row.id.as_str(), &row.aliases)),
            gpus: named(&history.gpus, |row| (row.id.as_str(), &row.aliases)),
            offerings: OfferingIndex::build(&history, &meters)?,
            fx: rates_by_day(&history),
            calendars: positions(&history.calendars, |row| row.id.as_str().into()),
            currencies: currencies(&history),
            assumptions: SpanIndex::new(&history.assumptions, |row| (&row.id, row.span())),
            energy_prices: SpanIndex::new(&history.energy_prices, |row| (&row.region, row.span())),
            scenarios: positions(&history.scenarios, |row| row.id.as_str().into()),
            rentals: positions(&history.gpu_rentals, |row| row.gpu.clone()),
            purchases: positions(&history.gpu_purchases, |row| row.gpu.clone()),
            own_speeds: own_speeds(&history, &revisions),
            meters,
            history,
            revisions,
        })
    }

    /// The newest revision.
    #[must_use]
    pub fn revision(&self) -> RevisionNumber {
        self.revisions.last().map_or(RevisionNumber(0), |revision| revision.revision)
    }

    /// Every revision, oldest first.
    #[must_use]
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// Whether the rows that a revision brought in are an operator's own: it did not fill an empty database, nor did it
    /// bring in a newer edition of the catalog.
    #[must_use]
    pub fn is_operators(&self, revision: RevisionNumber) -> bool {
        is_operators(&self.revisions, revision)
    }

    /// Every row there ever was.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// A reference rate by its number.
    #[must_use]
    pub fn fx_row(&self, id: i64) -> Option<&Versioned<super::fx::FxRate>> {
        let rows = &self.history.fx_rates;
        rows.binary_search_by_key(&id, |row| row.id).ok().map(|at| &rows[at])
    }

    /// What is known now.
    #[must_use]
    pub fn newest(&self) -> View<'_> {
        self.view(self.revision())
    }

    /// What was known at a revision; `None` when there is no such revision.
    #[must_use]
    pub fn at(&self, revision: RevisionNumber) -> Option<View<'_>> {
        self.revisions.iter().any(|known| known.revision == revision).then(|| self.view(revision))
    }

    fn view(&self, revision: RevisionNumber) -> View<'_> {
        View { snapshot: self, revision, meters: self.meters.at(revision) }
    }
}

impl OfferingIndex {
    fn build(history: &History, meters: &MeterTables) -> Result<Self, SnapshotError> {
        let mut index = Self::default();
        let mut by_id: Map<&str, u32> = Map::default();
        for (at, offering) in (0..).zip(&history.offerings) {
            let Offering { id, provider, name, aliases, .. } = &offering.row;
            let aliases = || aliases.iter().map(String::as_str);
            index.names.insert(at, name, aliases());
            let of_provider = index.names_by_provider.entry(provider.as_str().into()).or_default();
            of_provider.insert(at, name, aliases());
            let fresh = u32::try_from(by_id.len()).unwrap_or(u32::MAX);
            index.slot_of_row.push(*by_id.entry(id.as_str()).or_insert(fresh));
        }
        index.slots.resize_with(by_id.len(), Slot::default);
        for (at, card) in (0..).zip(&history.rate_cards) {
            let compiled = compile_card(at, card, meters.at(card.introduced))?;
            index.slot(&by_id, &card.row, card.row.offering.as_str())?.cards.push(compiled);
        }
        for (at, modifier) in (0..).zip(&history.modifiers) {
            let compiled = compile_modifier(at, modifier, meters.at(modifier.introduced))?;
            index.slot(&by_id, &modifier.row, modifier.row.offering.as_str())?.modifiers.push(compiled);
        }
        Ok(index)
    }

    /// What belongs to the offering of a row.
    fn slot_of(&self, row: u32) -> &Slot {
        &self.slots[self.slot_of_row[row as usize] as usize]
    }

    fn slot(
        &mut self,
        by_id: &Map<&str, u32>,
        row: &impl Row,
        offering: &str,
    ) -> Result<&mut Slot, SnapshotError> {
        let slot = by_id.get(offering).and_then(|slot| self.slots.get_mut(*slot as usize));
        slot.ok_or_else(|| dangling(row, "offering", offering))
    }
}

/// Rows by their names and other names.
fn named<T>(rows: &[Versioned<T>], names: impl Fn(&T) -> (&str, &[String])) -> NameIndex {
    let mut index = NameIndex::default();
    for (at, row) in (0..).zip(rows) {
        let (name, aliases) = names(&row.row);
        index.insert(at, name, aliases.iter().map(String::as_str));
    }
    index
}

/// The places of rows by a key, in the order of the rows.
fn positions<T, K: Eq + Hash>(rows: &[Versioned<T>], key: impl Fn(&T) -> K) -> Map<K, Vec<u32>> {
    let mut places: Map<K, Vec<u32>> = Map::default();
    for (at, row) in (0..).zip(rows) {
        places.entry(key(&row.row)).or_default().push(at);
    }
    places
}

fn is_operators(revisions: &[Revision], revision: RevisionNumber) -> bool {
    let Some(at) = revisions.iter().position(|known| known.revision == revision) else { return false };
    let edition = |of: &Revision| of.catalog_version.as_ref()?.parse::<EditionVersion>().ok();
    let newest = revisions[..at].iter().filter_map(edition).max();
    at > 0 && revisions[at].actor != BUILT_IN_ACTOR && edition(&revisions[at]) <= newest
}

fn own_speeds(history: &History, revisions: &[Revision]) -> Map<ModelId, Vec<u32>> {
    let mut own: Map<ModelId, Vec<u32>> = Map::default();
    for (at, speed) in (0..).zip(&history.published_throughputs) {
        if let Some(model) = speed.row.model.as_ref().filter(|_| speed.row.workload == "inference")
            && is_operators(revisions, speed.introduced)
        {
            own.entry(model.clone()).or_default().push(at);
        }
    }
    own
}

fn rates_by_day(history: &History) -> Map<Currency, Vec<u32>> {
    let mut rates = positions(&history.fx_rates, |row| row.currency);
    for places in rates.values_mut() {
        places.sort_by_key(|at| history.fx_rates[*at as usize].row.date);
    }
    rates
}

/// Currencies that something is priced in, or can be put in.
fn currencies(history: &History) -> HashSet<Currency> {
    let of_rates = history.fx_rates.iter().map(|rate| rate.row.currency);
    let of_cards = history.rate_cards.iter().map(|card| card.row.currency);
    of_rates.chain(of_cards).chain([Currency::USD]).collect()
}

fn dangling(row: &impl Row, what: &'static str, name: &str) -> SnapshotError {
    let table = std::any::type_name_of_val(row).rsplit("::").next().unwrap_or_default();
    SnapshotError::Dangling { row: format!("{table} `{}`", row.key()), what, name: name.to_owned() }
}

fn compile_card(row: u32, card: &Versioned<RateCard>, meters: &MeterTable) -> Result<Card, SnapshotError> {
    let mut rates = Vec::with_capacity(card.row.rates.len());
    for (id, rate) in &card.row.rates {
        let meter = meters.find(id.as_str()).ok_or_else(|| dangling(&card.row, "meter", id.as_str()))?;
        let per = rate.per.unwrap_or_else(|| meters.get(meter).per);
        rates.push(CardRate { meter, amount: rate.amount, per, min_quantity: rate.min_quantity });
    }
    rates.sort_by_key(|rate| rate.meter);
    let window =
        card.row.conditions.window.as_ref().map(|window| compile_window(&card.row, window)).transpose()?;
    let priced = rates.iter().map(|rate| rate.meter).collect();
    Ok(Card { row, span: card.row.span(), window, rates: rates.into(), priced })
}

fn compile_window(card: &RateCard, window: &Window) -> Result<CompiledWindow, SnapshotError> {
    let zone =
        TimeZone::get(&window.time_zone).map_err(|_| dangling(card, "time zone", &window.time_zone))?;
    let days = window.days.iter().fold(0, |days, day| days | 1 << day);
    Ok(CompiledWindow { zone, days, calendar: window.except.as_ref().map(|id| id.as_str().into()) })
}

fn compile_modifier(
    row: u32,
    modifier: &Versioned<Modifier>,
    meters: &MeterTable,
) -> Result<CompiledModifier, SnapshotError> {
    let Modifier { effective_from, effective_to, .. } = modifier.row;
    let find = |id: &super::ids::MeterId| {
        meters.find(id.as_str()).ok_or_else(|| dangling(&modifier.row, "meter", id.as_str()))
    };
    let meters = modifier.row.meters.iter().map(find).collect::<Result<_, _>>()?;
    Ok(CompiledModifier { row, span: Span::new(effective_from, effective_to), meters })
}
