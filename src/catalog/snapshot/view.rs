//! The catalog as it was known at one revision: look-ups by name, an offering's cards, reference rates.

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use super::{Card, CompiledModifier, Slot, Snapshot};
use crate::catalog::{
    assumption::Assumption,
    calendar::Calendar,
    energy::EnergyPrice,
    gpu::{Gpu, GpuPurchase, GpuRental},
    ids::{GpuId, RevisionNumber},
    meter::Meter,
    meter_table::{MeterSet, MeterTable},
    model::Model,
    money::Currency,
    names::{self, Match, NameIndex},
    offering::Offering,
    provider::Provider,
    published_throughput::PublishedThroughput,
    rate_card::{ContextKey, Modifier, RateCard},
    rows::Versioned,
    scenario::Scenario,
    time::{Span, utc_day},
};

/// An offering that a name led to.
#[derive(Debug, Clone, Copy)]
pub struct Found<'s> {
    /// The offering as known at the view's revision.
    pub offering: &'s Offering,
    slot: &'s Slot,
}

impl Found<'_> {
    fn is(self, other: Self) -> bool {
        std::ptr::eq(self.slot, other.slot)
    }
}

/// A rate card with what is needed to judge and to cite it.
#[derive(Debug, Clone, Copy)]
pub struct CardView<'s> {
    view: View<'s>,
    card: &'s Card,
    /// The row, with its number and revisions.
    pub row: &'s Versioned<RateCard>,
}

impl<'s> CardView<'s> {
    /// Its rates and the meters they price.
    #[must_use]
    pub fn card(self) -> &'s Card {
        self.card
    }

    /// Whether an instant lies in its span.
    #[must_use]
    pub fn in_force(self, at: Timestamp) -> bool {
        self.card.span.contains(at)
    }

    /// Whether it has hours of the day.
    #[must_use]
    pub fn is_windowed(self) -> bool {
        self.card.window.is_some()
    }

    /// Whether an instant lies in its hours; always, when it has none.
    #[must_use]
    pub fn in_window(self, at: Timestamp) -> bool {
        let (Some(compiled), Some(window)) = (&self.card.window, &self.row.row.conditions.window) else {
            return true;
        };
        let local = compiled.zone.to_datetime(at);
        let minute = u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
        let weekday = local.date().weekday().to_monday_one_offset();
        let on_holiday = || {
            let calendar = compiled.calendar.as_deref().and_then(|id| self.view.calendar(id));
            calendar.is_some_and(|calendar| calendar.contains(local.date()))
        };
        compiled.days >> weekday & 1 == 1
            && window.hours.iter().any(|hours| hours.from <= minute && minute < hours.to)
            && !on_holiday()
    }

    /// Whether nobody knows when it began, and an instant lies before the day on which somebody saw it.
    #[must_use]
    pub fn is_undated_at(self, at: Timestamp) -> bool {
        let row = &self.row.row;
        row.effective_from.is_none() && utc_day(at) < row.observed_at
    }

    /// Whether only the day of its start is known, and an instant lies on that day.
    #[must_use]
    pub fn start_is_approximate(self, at: Timestamp) -> bool {
        let row = &self.row.row;
        let day_only = row.from_precision.as_deref() == Some("day");
        day_only && row.effective_from.is_some_and(|from| utc_day(from) == utc_day(at))
    }

    /// The calendar it uses, when that says nothing about an instant's day.
    #[must_use]
    pub fn calendar_not_covering(self, at: Timestamp) -> Option<&'s Calendar> {
        let compiled = self.card.window.as_ref()?;
        let calendar = self.view.calendar(compiled.calendar.as_deref()?)?;
        (!calendar.covers(compiled.zone.to_datetime(at).date())).then_some(calendar)
    }
}

/// A modifier in force, with the meters it acts on.
#[derive(Debug, Clone, Copy)]
pub struct ModifierView<'s> {
    /// The row, with its number and revisions.
    pub row: &'s Versioned<Modifier>,
    /// The meters it acts on.
    pub meters: MeterSet,
    span: Span,
}

impl ModifierView<'_> {
    /// Whether an instant lies in its span.
    #[must_use]
    pub fn in_force(self, at: Timestamp) -> bool {
        self.span.contains(at)
    }
}

/// The catalog as it was known at one revision.
#[derive(Debug, Clone, Copy)]
pub struct View<'s> {
    pub(super) snapshot: &'s Snapshot,
    /// The revision.
    pub revision: RevisionNumber,
    /// The meters.
    pub meters: &'s MeterTable,
}

impl<'s> View<'s> {
    /// The rows of a table that are known.
    pub fn known<T>(self, rows: &'s [Versioned<T>]) -> impl DoubleEndedIterator<Item = &'s Versioned<T>> {
        rows.iter().filter(move |row| row.known_at(self.revision))
    }

    /// The snapshot looked at.
    #[must_use]
    pub fn snapshot(self) -> &'s Snapshot {
        self.snapshot
    }

    fn first<T>(self, rows: &'s [Versioned<T>], found: &[u32]) -> Option<&'s Versioned<T>> {
        found.iter().map(|at| &rows[*at as usize]).find(|row| row.known_at(self.revision))
    }

    fn by_name<T>(self, rows: &'s [Versioned<T>], names: &NameIndex, name: &str) -> Option<&'s Versioned<T>> {
        Match::ALL.into_iter().find_map(|level| self.first(rows, names.find(name, level)))
    }

    /// A provider by its id, in any case.
    #[must_use]
    pub fn provider(self, name: &str) -> Option<&'s Provider> {
        self.by_name(&self.snapshot.history.providers, &self.snapshot.providers, name).map(|row| &row.row)
    }

    /// A model by its id or an alias, in any case.
    #[must_use]
    pub fn model(self, name: &str) -> Option<&'s Versioned<Model>> {
        self.by_name(&self.snapshot.history.models, &self.snapshot.models, name)
    }

    /// An accelerator by its id or an alias, in any case.
    #[must_use]
    pub fn gpu(self, name: &str) -> Option<&'s Versioned<Gpu>> {
        self.by_name(&self.snapshot.history.gpus, &self.snapshot.gpus, name)
    }

    /// A calendar by its id.
    #[must_use]
    pub fn calendar(self, id: &str) -> Option<&'s Calendar> {
        let found = self.snapshot.calendars.get(id)?;
        self.first(&self.snapshot.history.calendars, found).map(|row| &row.row)
    }

    /// The offerings that a name fits at one level, of one provider or of all.
    fn offerings_named(
        self,
        provider: Option<&str>,
        name: &str,
        level: Match,
    ) -> impl Iterator<Item = Found<'s>> {
        let index = match provider {
            Some(provider) => self.snapshot.offerings.names_by_provider.get(provider),
            None => Some(&self.snapshot.offerings.names),
        };
        let rows = index.map_or(&[] as &[u32], |index| index.find(name, level));
        rows.iter().filter_map(move |at| {
            let row = &self.snapshot.history.offerings[*at as usize];
            let slot = self.snapshot.offerings.slot_of(*at);
            row.known_at(self.revision).then_some(Found { offering: &row.row, slot })
        })
    }

    /// What a provider sells under a name.
    #[must_use]
    pub fn offering(self, provider: &str, name: &str) -> Option<Found<'s>> {
        Match::ALL.into_iter().find_map(|level| self.offerings_named(Some(provider), name, level).next())
    }

    /// Everybody who sells something under a name: at the best level at which anybody does, and the
    /// developers' own APIs at any level.
    #[must_use]
    pub fn sellers(self, name: &str) -> Vec<Found<'s>> {
        let mut sellers: Vec<Found<'s>> = Vec::new();
        for level in Match::ALL {
            let best_level = sellers.is_empty();
            for found in self.offerings_named(None, name, level) {
                let wanted = best_level || found.offering.first_party;
                if wanted && !sellers.iter().any(|known| known.is(found)) {
                    sellers.push(found);
                }
            }
        }
        sellers
    }

    /// An offering's rate cards.
    pub fn cards(self, found: Found<'s>) -> impl Iterator<Item = CardView<'s>> {
        found.slot.cards.iter().filter_map(move |card| {
            let row = &self.snapshot.history.rate_cards[card.row as usize];
            row.known_at(self.revision).then_some(CardView { view: self, card, row })
        })
    }

    /// An offering's modifiers.
    pub fn modifiers(self, found: Found<'s>) -> impl Iterator<Item = ModifierView<'s>> {
        found.slot.modifiers.iter().filter_map(move |modifier| {
            let row = &self.snapshot.history.modifiers[modifier.row as usize];
            let CompiledModifier { meters, span, .. } = *modifier;
            row.known_at(self.revision).then_some(ModifierView { row, meters, span })
        })
    }

    /// Whether prices are, or can be put, in a currency.
    #[must_use]
    pub fn knows_currency(self, currency: Currency) -> bool {
        self.snapshot.currencies.contains(&currency)
    }

    /// Every currency that prices are, or can be put, in.
    #[must_use]
    pub fn currencies(self) -> Vec<Currency> {
        let mut all: Vec<Currency> = self.snapshot.currencies.iter().copied().collect();
        all.sort_unstable();
        all
    }

    /// Dollars for one unit of a currency: the last rate known for the day of an instant or before.
    /// The dollar itself is 1 on every day.
    #[must_use]
    pub fn usd_per_unit(self, currency: Currency, at: Timestamp) -> Option<FxQuote> {
        let day = utc_day(at);
        if currency == Currency::USD {
            return Some(FxQuote { rate: Decimal::ONE, day, row: None });
        }
        let rows = &self.snapshot.history.fx_rates;
        let rates = self.snapshot.fx.get(&currency)?;
        let after = rates.partition_point(|at| rows[*at as usize].row.date <= day);
        let known = rates[..after].iter().rev().map(|at| &rows[*at as usize]);
        let row = known.into_iter().find(|row| row.known_at(self.revision))?;
        Some(FxQuote { rate: row.row.usd_per_unit, day: row.row.date, row: Some(row.id) })
    }

    /// A default of the arithmetic by its id, as it holds at an instant.
    #[must_use]
    pub fn assumption(&self, id: &str, at: Timestamp) -> Option<&'s Versioned<Assumption>> {
        self.snapshot.assumptions.find(&self.snapshot.history.assumptions, id, at, self.revision)
    }

    /// The price of electricity of a region at an instant: the last one that had started, unless it has ended.
    #[must_use]
    pub fn energy_price(&self, region: &str, at: Timestamp) -> Option<&'s Versioned<EnergyPrice>> {
        self.snapshot.energy_prices.find(&self.snapshot.history.energy_prices, region, at, self.revision)
    }

    /// A ready-to-send request by its id.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&'s Versioned<Scenario>> {
        let found = self.snapshot.scenarios.get(id)?;
        self.first(&self.snapshot.history.scenarios, found)
    }

    /// The rental prices of an accelerator, in the order of their rows.
    pub fn rentals_of(&self, gpu: &GpuId) -> impl Iterator<Item = &'s Versioned<GpuRental>> + use<'s> {
        self.at_places(&self.snapshot.history.gpu_rentals, self.snapshot.rentals.get(gpu))
    }

    /// The purchase prices of an accelerator, in the order of their rows.
    pub fn purchases_of(&self, gpu: &GpuId) -> impl Iterator<Item = &'s Versioned<GpuPurchase>> + use<'s> {
        self.at_places(&self.snapshot.history.gpu_purchases, self.snapshot.purchases.get(gpu))
    }

    /// Speeds of serving a model on an accelerator that operators measured themselves, newest first.
    pub fn own_speeds_of<'v>(
        self,
        model: &str,
        gpu: &'v str,
    ) -> impl Iterator<Item = &'s Versioned<PublishedThroughput>> + use<'s, 'v> {
        let places = self.snapshot.own_speeds.get(model).into_iter().flatten().rev();
        let rows = places.map(|at| &self.snapshot.history.published_throughputs[*at as usize]);
        rows.filter(move |row| {
            row.known_at(self.revision) && row.row.gpu.as_ref().is_some_and(|known| known.as_str() == gpu)
        })
    }

    /// The known rows among those at some places.
    fn at_places<T>(
        self,
        rows: &'s [Versioned<T>],
        places: Option<&'s Vec<u32>>,
    ) -> impl Iterator<Item = &'s Versioned<T>> + use<'s, T> {
        let places = places.into_iter().flatten();
        places.map(|at| &rows[*at as usize]).filter(move |row| row.known_at(self.revision))
    }

    /// A meter by its id.
    #[must_use]
    pub fn meter(self, id: &str) -> Option<&'s Meter> {
        self.meters.find(id).map(|meter| self.meters.get(meter))
    }

    /// Names that somebody may have meant by a model's.
    #[must_use]
    pub fn near_offerings(self, provider: Option<&str>, name: &str) -> Vec<String> {
        let names = || {
            let offerings = self.known(&self.snapshot.history.offerings).map(|row| &row.row);
            let sold =
                offerings.filter(|offering| provider.is_none_or(|id| offering.provider.as_str() == id));
            sold.map(|offering| offering.name.as_str())
        };
        let near = names::near(name, names());
        match name.rsplit_once('/') {
            Some((_, last)) if near.is_empty() => names::near(last, names()),
            _ => near,
        }
    }

    /// Names that somebody may have meant by a provider's.
    #[must_use]
    pub fn near_providers(self, name: &str) -> Vec<String> {
        names::near(name, self.known(&self.snapshot.history.providers).map(|row| row.row.id.as_str()))
    }

    /// Names that somebody may have meant by a meter's.
    #[must_use]
    pub fn near_meters(self, name: &str) -> Vec<String> {
        names::near(name, self.known(&self.snapshot.history.meters).map(|row| row.row.id.as_str()))
    }

    /// The context keys that an offering's cards or modifiers know.
    #[must_use]
    pub fn context_keys(self, found: Found<'s>) -> Vec<ContextKey> {
        let of_cards =
            self.cards(found).flat_map(|card| card.row.row.conditions.context.iter().map(|(key, _)| key));
        let of_modifiers =
            self.modifiers(found).flat_map(|modifier| modifier.row.row.context.keys().copied());
        let mut keys: Vec<ContextKey> = of_cards.chain(of_modifiers).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// A reference rate as it stands on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FxQuote {
    /// Dollars for one unit.
    pub rate: Decimal,
    /// The day of the fixing.
    pub day: Date,
    /// The row's number; none for the dollar itself.
    pub row: Option<i64>,
}

#[cfg(test)]
mod tests {
    use crate::catalog::{edition::built_in_snapshot, ids::GpuId};

    #[test]
    fn the_prices_of_an_accelerator_are_those_of_its_rows() {
        let snapshot = built_in_snapshot().unwrap();
        let (view, history) = (snapshot.newest(), snapshot.history());
        let gpu: GpuId = "h100-sxm5-80gb".into();
        let rentals = view.known(&history.gpu_rentals).filter(|row| row.row.gpu == gpu);
        assert!(view.rentals_of(&gpu).eq(rentals) && view.rentals_of(&gpu).count() > 100);
        let purchases = view.known(&history.gpu_purchases).filter(|row| row.row.gpu == gpu);
        assert!(view.purchases_of(&gpu).eq(purchases) && view.purchases_of(&gpu).count() > 1);
        assert_eq!(view.rentals_of(&"h800-sxm5-80gb".into()).count(), 0);
    }

    #[test]
    fn a_scenario_is_found_by_its_id_and_by_nothing_else() {
        let snapshot = built_in_snapshot().unwrap();
        let view = snapshot.newest();
        assert_eq!(view.scenario("api-call-gpt-4o").map(|row| row.row.id.as_str()), Some("api-call-gpt-4o"));
        assert!(view.scenario("api-call").is_none());
    }
}
