//! Bounds on every price: wide enough for the market, narrow enough to catch a slip of units.
//!
//! The usual slip puts a price per million where one per thousand, or per one, belongs, and is wrong by a factor of
//! a thousand or more.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::Findings;
use crate::catalog::{
    fx::FxRate,
    meter::Meter,
    money::Currency,
    rate_card::{Rate, RateCard},
    rows::{Row, Tables},
};

/// The most that a quantity of a unit may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitBound {
    /// What is counted, as meters call it.
    pub unit: &'static str,
    /// How many of it.
    pub quantity: u64,
    /// Dollars for that many, at most.
    pub usd: u64,
}

/// Bounds by unit; the dearest price known in 2026 stands beside each.
pub const UNIT_BOUNDS: [UnitBound; 10] = [
    bound("token", 1_000_000, 10_000),    // 600
    bound("character", 1_000_000, 5_000), // 180
    bound("second", 1, 10),               // 0.50, of video
    bound("image", 1, 50),                // 0.60
    bound("pixel", 1_000_000_000, 5_000), // 244
    bound("page", 1_000, 500),            // 10
    bound("call", 1_000, 1_000),          // 35
    bound("request", 1_000, 1_000),       // 14
    bound("search", 1_000, 1_000),        // 59
    bound("model-unit second", 1, 1),     // 0.05
];

/// For units that are not in the table, on the meter's customary quantity.
const OTHER_UNITS_USD: u64 = 10_000;

const fn bound(unit: &'static str, quantity: u64, usd: u64) -> UnitBound {
    UnitBound { unit, quantity, usd }
}

const MOST_USD_PER_GPU_HOUR: u64 = 1_000;
const MOST_USD_PER_KWH: u64 = 5; // the dearest average of a continent in 2025: 0.27
const MOST_USD_PER_RUN: u64 = 1_000_000_000_000; // the dearest programme known: 5 billion
const MOST_USD_PER_PURCHASE: u64 = 100_000_000; // a rack of the newest, with room
const MOST_USD_PER_CURRENCY_UNIT: u64 = 1_000;
const MOST_FACTOR: u64 = 100;
const MOST_UNITS: u64 = 1_000_000_000_000; // of a `per` or a smallest quantity

pub(super) fn check(tables: &Tables, findings: &mut Findings) {
    let bounds = Bounds::of(tables);
    for meter in &tables.meters {
        within(meter, "`per`", meter.per, MOST_UNITS, findings);
    }
    for card in &tables.rate_cards {
        for (meter, rate) in &card.rates {
            let meter = bounds.meters.get(meter.as_str()); // an unknown one is a finding of its own
            if let Some(meter) = meter {
                bounds.check_rate(card, meter, rate, findings);
            }
        }
    }
    for modifier in &tables.modifiers {
        within(modifier, "the factor", modifier.factor, MOST_FACTOR, findings);
    }
    for rate in &tables.fx_rates {
        within(rate, "the rate", rate.usd_per_unit, MOST_USD_PER_CURRENCY_UNIT, findings);
    }
    for rental in &tables.gpu_rentals {
        let hour = bounds.usd(rental.price_per_gpu_hour, rental.currency);
        within(rental, "the price of a GPU-hour in dollars", hour, MOST_USD_PER_GPU_HOUR, findings);
    }
    for price in &tables.gpu_purchases {
        let amount = bounds.usd(price.amount, price.currency);
        within(price, "the price in dollars", amount, MOST_USD_PER_PURCHASE, findings);
        findings.unless(price.gpus != Some(0), price, || "is a system without accelerators".to_owned());
    }
    for price in &tables.energy_prices {
        let kwh = bounds.usd(price.price_per_kwh, price.currency);
        within(price, "the price of a kWh in dollars", kwh, MOST_USD_PER_KWH, findings);
    }
    for run in &tables.published_runs {
        let costs = run.third_party_costs.iter().map(|cost| cost.amount_usd);
        for cost in costs.chain(run.published_cost_usd) {
            within(run, "a cost in dollars", cost, MOST_USD_PER_RUN, findings);
        }
        if let Some(hour) = run.price_per_gpu_hour_usd {
            within(run, "the price of a GPU-hour in dollars", hour, MOST_USD_PER_GPU_HOUR, findings);
        }
    }
    for level in &tables.market_index {
        let (low, high) = (level.price_per_gpu_hour_low, level.price_per_gpu_hour_high);
        let dearest = bounds.usd(high, level.currency);
        within(level, "the price of a GPU-hour in dollars", dearest, MOST_USD_PER_GPU_HOUR, findings);
        let ordered = low > Decimal::ZERO && low <= high;
        findings.unless(ordered, level, || format!("has a range from {low} to {high}"));
    }
}

/// Notes a figure that is not above zero, or is above the most it may be.
fn within(row: &impl Row, what: &str, figure: Decimal, most: u64, findings: &mut Findings) {
    let holds = figure > Decimal::ZERO && figure <= most.into();
    findings.unless(holds, row, || format!("is out of bounds: {what} is {figure}, not in (0, {most}]"));
}

/// What bounds are looked up with.
struct Bounds<'t> {
    meters: HashMap<&'t str, &'t Meter>,
    usd_per_unit: HashMap<Currency, Decimal>,
}

impl<'t> Bounds<'t> {
    fn of(tables: &'t Tables) -> Self {
        let mut newest: HashMap<Currency, &FxRate> = HashMap::new();
        for rate in &tables.fx_rates {
            let known = newest.entry(rate.currency).or_insert(rate);
            if known.date < rate.date {
                *known = rate;
            }
        }
        Self {
            meters: tables.meters.iter().map(|meter| (meter.id.as_str(), meter)).collect(),
            usd_per_unit: newest.into_iter().map(|(currency, rate)| (currency, rate.usd_per_unit)).collect(),
        }
    }

    /// An amount in dollars at the newest rate, near enough for a bound; as it stands where no rate is known.
    fn usd(&self, amount: Decimal, currency: Currency) -> Decimal {
        let rate = self.usd_per_unit.get(&currency).copied().unwrap_or(Decimal::ONE);
        amount.checked_mul(rate).unwrap_or(Decimal::MAX)
    }

    fn check_rate(&self, card: &RateCard, meter: &Meter, rate: &Rate, findings: &mut Findings) {
        let Rate { amount, per, min_quantity } = *rate;
        let id = &meter.id;
        if let Some(per) = per {
            within(card, &format!("the quantity of `{id}`"), per, MOST_UNITS, findings);
        }
        if let Some(least) = min_quantity {
            within(card, &format!("the smallest quantity of `{id}`"), least.into(), MOST_UNITS, findings);
        }
        findings
            .unless(amount >= Decimal::ZERO, card, || format!("has a rate of `{id}` below zero: {amount}"));
        let (quantity, most) = UNIT_BOUNDS
            .iter()
            .find(|bound| bound.unit == meter.unit)
            .map_or((meter.per, OTHER_UNITS_USD), |bound| (bound.quantity.into(), bound.usd));
        // amount / per <= most / quantity, without a division
        let cost = self.usd(amount, card.currency).checked_mul(quantity).unwrap_or(Decimal::MAX);
        let limit = per.unwrap_or(meter.per).checked_mul(most.into()).unwrap_or(Decimal::MAX);
        findings.unless(cost <= limit, card, || {
            let unit = &meter.unit;
            format!("has a rate of `{id}` above {most} dollars per {quantity} {unit}s: a slip of units?")
        });
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::testing::*;
    use super::*;
    use crate::catalog::money::parse_decimal;

    fn decimal(text: &str) -> Decimal {
        parse_decimal(text).unwrap()
    }

    fn with_rate(amount: &str, per: Option<&str>) -> Vec<String> {
        planted(|tables| {
            let rate = Rate { amount: decimal(amount), per: per.map(decimal), min_quantity: None };
            tables.rate_cards[0].currency = Currency::USD;
            tables.rate_cards[0].rates.insert("input_tokens".into(), rate);
        })
    }

    #[rstest]
    #[case("0", None)]
    #[case("10000", None)]
    #[case("10", Some("1000"))]
    fn a_rate_from_nothing_to_the_bound_is_sound(#[case] amount: &str, #[case] per: Option<&str>) {
        assert_eq!(with_rate(amount, per), Vec::<String>::new());
    }

    #[rstest]
    #[case("10000.01", None)]
    #[case("10.01", Some("1000"))]
    fn a_rate_above_the_bound_of_its_unit_is_found(#[case] amount: &str, #[case] per: Option<&str>) {
        let found = with_rate(amount, per);
        let problem = "has a rate of `input_tokens` above 10000 dollars per 1000000 tokens: a slip of units?";
        assert!(found.len() == 1 && found[0].ends_with(problem), "{found:?}");
    }

    #[test]
    fn a_rate_below_zero_is_found() {
        let found = with_rate("-1", None);
        assert!(
            found.len() == 1 && found[0].ends_with("has a rate of `input_tokens` below zero: -1"),
            "{found:?}"
        );
    }

    #[test]
    fn a_rate_for_no_quantity_is_found() {
        let found = with_rate("0", Some("0"));
        assert!(
            found[0].contains("the quantity of `input_tokens` is 0, not in (0, 1000000000000]"),
            "{found:?}"
        );
    }

    #[test]
    fn a_smallest_quantity_of_nothing_is_found() {
        let rate = Rate { amount: Decimal::ONE, per: None, min_quantity: Some(0) };
        let found = planted(|tables| {
            tables.rate_cards[0].rates.insert("input_tokens".into(), rate);
        });
        assert!(found[0].contains("the smallest quantity of `input_tokens` is 0"), "{found:?}");
    }

    #[test]
    fn a_bound_is_in_dollars_whatever_the_currency() {
        let rate = Rate { amount: decimal("70000"), per: None, min_quantity: None }; // 9,590 dollars
        let found = planted(|tables| {
            tables.rate_cards[0].rates.insert("input_tokens".into(), rate);
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_meter_counted_by_nothing_is_found() {
        let found = planted(|tables| tables.meters[1].per = Decimal::ZERO);
        assert_eq!(
            found,
            ["meter `cache_read_tokens` is out of bounds: `per` is 0, not in (0, 1000000000000]"]
        );
    }

    #[rstest]
    #[case("0")]
    #[case("100.1")]
    fn a_factor_out_of_bounds_is_found(#[case] factor: &str) {
        let found = planted(|tables| tables.modifiers[0].factor = decimal(factor));
        assert!(found[0].ends_with(&format!("the factor is {factor}, not in (0, 100]")), "{found:?}");
    }

    #[rstest]
    #[case("0")]
    #[case("-0.1")]
    fn an_exchange_rate_that_is_not_above_zero_is_found(#[case] rate: &str) {
        let found = planted(|tables| tables.fx_rates[0].usd_per_unit = decimal(rate));
        let expected =
            format!("fx_rate `2024-12-27 CNY` is out of bounds: the rate is {rate}, not in (0, 1000]");
        assert_eq!(found, [expected]);
    }

    #[rstest]
    #[case("0")]
    #[case("1000.01")]
    fn a_gpu_hour_out_of_bounds_is_found(#[case] price: &str) {
        let found = planted(|tables| tables.gpu_rentals[0].price_per_gpu_hour = decimal(price));
        assert!(found[0].ends_with(&format!("in dollars is {price}, not in (0, 1000]")), "{found:?}");
    }

    #[rstest]
    #[case("0")]
    #[case("5.01")]
    fn a_kilowatt_hour_out_of_bounds_is_found(#[case] price: &str) {
        let found = planted(|tables| tables.energy_prices[0].price_per_kwh = decimal(price));
        let problem = format!("is out of bounds: the price of a kWh in dollars is {price}, not in (0, 5]");
        assert_eq!(found, [format!("energy_price `us 2025-01-01` {problem}")]);
    }

    #[test]
    fn a_run_for_nothing_is_found() {
        let found = planted(|tables| tables.published_runs[0].published_cost_usd = Some(Decimal::ZERO));
        assert!(found[0].contains("a cost in dollars is 0"), "{found:?}");
        let found = planted(|tables| tables.published_runs[0].price_per_gpu_hour_usd = Some(Decimal::ZERO));
        assert!(found[0].contains("the price of a GPU-hour in dollars is 0"), "{found:?}");
    }

    #[test]
    fn a_purchase_for_nothing_is_found() {
        let found = planted(|tables| tables.gpu_purchases[0].amount = Decimal::ZERO);
        assert!(found[0].contains("the price in dollars is 0"), "{found:?}");
    }

    #[test]
    fn a_system_without_accelerators_is_found() {
        let found = planted(|tables| tables.gpu_purchases[0].gpus = Some(0));
        assert!(found[0].ends_with("is a system without accelerators"), "{found:?}");
    }

    #[test]
    fn a_market_level_upside_down_is_found() {
        let found = planted(|tables| tables.market_index[0].price_per_gpu_hour_low = decimal("4"));
        assert_eq!(found, ["market_index `H100 2026-01-01 typical` has a range from 4 to 3"]);
    }
}
