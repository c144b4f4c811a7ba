//! Usage that falls on a period: how it is spread, and the stretches in which one price can hold.
//!
//! A period is cut where a card or a modifier begins or ends, where the window of a card opens or closes, and at
//! the start of each month; how many pieces there are depends on what changes, not on how long it is.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use serde::Deserialize;
use utoipa::ToSchema;

use super::hours::Clock;
use crate::{
    catalog::{
        rate_card::Context,
        snapshot::{Found, View},
        time::{AsOf, Span},
    },
    estimate::{
        fault::{Fault, FaultKind},
        number::Amount,
    },
};

/// The longest period: five years, one of them leap twice.
const MOST_MS: i64 = (5 * 365 + 2) * 86_400_000;

/// Parts of one that a weight may be told to.
const WEIGHT_PLACES: u32 = 6;

/// The largest weight of an hour.
const MOST_WEIGHT: u64 = 1_000_000;

/// When calls are made: `from <= t < to`, at most five years.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UsagePeriod)]
pub struct Period {
    /// The first instant, RFC 3339, or a date (midnight UTC).
    #[schema(value_type = String, example = "2025-02-01")]
    pub from: AsOf,
    /// The first instant after it; the end is not part of the period.
    #[schema(value_type = String, example = "2025-03-01")]
    pub to: AsOf,
    /// How much of the usage falls on each hour of the day, from midnight on, in any unit: 24 numbers from 0 to
    /// 1000000 with up to six places. Default: every hour the same.
    #[schema(value_type = Option<Vec<Amount>>, min_items = 24, max_items = 24, example = json!([0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 6, 6, 5, 6, 6, 6, 5, 4, 3, 2, 1, 1, 0, 0]))]
    pub hour_weights: Option<Vec<Amount>>,
    /// The IANA time zone of these hours, and of the months of `by_month`.
    #[schema(value_type = Option<String>, default = "UTC", example = "Europe/Berlin")]
    pub time_zone: Option<Box<str>>,
}

/// A period whose zone is looked up.
#[derive(Debug)]
pub(super) struct Timeline {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Whether hours have weights of their own.
    pub(super) is_weighted: bool,
    /// Each month's name and first instant; the first of them may begin before the period.
    pub(super) months: Vec<(String, Timestamp)>,
    clock: Clock,
}

/// A stretch of time in which no price changes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Its share of the whole, in the clock's unit.
    pub(super) weight: u128,
    /// Its place among the months.
    pub(super) month: usize,
}

impl Period {
    /// Looks the zone up and checks the rest; none where something is at fault. `place` is where the period stands.
    pub(super) fn timeline(&self, place: &str, faults: &mut Vec<Fault>) -> Option<Timeline> {
        let known = faults.len();
        let mut fault = |field: &str, detail: &str| {
            faults.push(Fault::new(format!("{place}{field}"), FaultKind::out_of_range(detail)));
        };
        let (from, to) = (self.from.instant, self.to.instant);
        let length = to.as_millisecond() - from.as_millisecond();
        if length <= 0 {
            fault("/to", "must be later than `from`: the end is not part of the period");
        } else if length > MOST_MS {
            fault("", "must be of five years at most");
        }
        let name = self.time_zone.as_deref().unwrap_or("UTC");
        let zone = TimeZone::get(name).ok();
        if zone.is_none() {
            fault("/time_zone", "must be the IANA name of a time zone, such as Europe/Berlin");
        }
        let weights = self.weights(place, faults);
        let (Some(zone), Some(weights)) = (zone, weights) else { return None };
        if faults.len() > known {
            return None;
        }
        let clock = Clock::new(weights, &zone, from, to);
        if clock.weight(from, to) == 0 {
            let detail = "must give some weight to an hour of the period";
            faults.push(Fault::new(format!("{place}/hour_weights"), FaultKind::out_of_range(detail)));
            return None;
        }
        let is_weighted = self.hour_weights.is_some();
        Some(Timeline { from, to, is_weighted, months: months(&zone, from, to), clock })
    }

    /// Whole numbers in the proportion of the weights.
    fn weights(&self, place: &str, faults: &mut Vec<Fault>) -> Option<[u64; 24]> {
        let Some(given) = &self.hour_weights else { return Some([1; 24]) };
        let place = format!("{place}/hour_weights");
        let mut whole = [0; 24];
        if given.len() != whole.len() {
            let detail = format!("must have 24 weights, one for each hour of the day, got {}", given.len());
            faults.push(Fault::new(place, FaultKind::out_of_range(detail)));
            return None;
        }
        let known = faults.len();
        for (at, Amount(weight)) in given.iter().enumerate() {
            let scaled = weight.checked_mul(Decimal::from(10_u64.pow(WEIGHT_PLACES)));
            let scaled = scaled.filter(|scaled| scaled.is_integer() && *weight <= Decimal::from(MOST_WEIGHT));
            let Some(scaled) = scaled.and_then(|scaled| scaled.to_u64()) else {
                let detail = format!("must be from 0 to {MOST_WEIGHT}, with at most {WEIGHT_PLACES} places");
                faults.push(Fault::new(format!("{place}/{at}"), FaultKind::out_of_range(detail)));
                continue;
            };
            whole[at] = scaled;
        }
        (faults.len() == known).then_some(whole)
    }
}

/// The months of a zone that a period touches.
fn months(zone: &TimeZone, from: Timestamp, to: Timestamp) -> Vec<(String, Timestamp)> {
    let mut months = Vec::new();
    let mut first = zone.to_datetime(from).date().first_of_month();
    loop {
        // Where clocks leap at midnight, the month begins after the leap.
        let start = zone.to_ambiguous_timestamp(first.at(0, 0, 0, 0)).compatible().unwrap_or(from);
        if start >= to {
            return months;
        }
        months.push((first.strftime("%Y-%m").to_string(), start));
        match first.checked_add(1.month()) {
            Ok(next) => first = next,
            Err(_) => return months,
        }
    }
}

impl Timeline {
    /// The weight of the whole period.
    pub(super) fn weight(&self) -> u128 {
        self.clock.weight(self.from, self.to)
    }

    /// The pieces of an offering's prices under a context; those without any weight are left out.
    pub(super) fn pieces<'s>(&self, view: View<'s>, found: Found<'s>, context: &Context) -> Vec<Piece> {
        let mut edges = vec![self.from.as_millisecond(), self.to.as_millisecond()];
        edges.extend(self.months.iter().map(|(_, start)| start.as_millisecond()));
        let period = Span::new(Some(self.from), Some(self.to));
        let spanned = |from: Option<Timestamp>, to: Option<Timestamp>, edges: &mut Vec<i64>| {
            edges.extend([from, to].into_iter().flatten().map(Timestamp::as_millisecond));
        };
        for card in view.cards(found) {
            let row = &card.row.row;
            if !row.span().overlaps(period) || !row.conditions.context.holds_in(context) {
                continue;
            }
            spanned(row.effective_from, row.effective_to, &mut edges);
            let from = row.effective_from.map_or(self.from, |from| from.max(self.from));
            let to = row.effective_to.map_or(self.to, |to| to.min(self.to));
            card.window_edges(from, to, &mut edges);
        }
        for modifier in view.modifiers(found) {
            spanned(modifier.row.row.effective_from, modifier.row.row.effective_to, &mut edges);
        }
        edges.sort_unstable();
        edges.dedup();
        let edges: Vec<Timestamp> = edges
            .into_iter()
            .filter_map(|edge| Timestamp::from_millisecond(edge).ok())
            .filter(|edge| (self.from..=self.to).contains(edge))
            .collect();
        let pieces = edges.windows(2).map(|ends| self.piece(ends[0], ends[1]));
        pieces.filter(|piece| piece.weight > 0).collect()
    }

    fn piece(&self, from: Timestamp, to: Timestamp) -> Piece {
        let month = self.months.partition_point(|(_, start)| *start <= from).saturating_sub(1);
        Piece { from, to, weight: self.clock.weight(from, to), month }
    }
}
