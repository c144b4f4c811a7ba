//! Each row on its own: sources, days, spans, thresholds, hours, context.

use jiff::{Timestamp, civil::Date};

use super::Findings;
use crate::catalog::{
    calendar::Calendar,
    rate_card::{Conditions, RateCard, Test, Window},
    rows::{Row, Tables},
    time::Span,
};

const OBSERVED_FROM: i16 = 2000; // before hosted models and before GPUs
const OBSERVED_TO: i16 = 2100;

pub(super) fn check(tables: &Tables, findings: &mut Findings) {
    sources(tables, findings);
    for calendar in &tables.calendars {
        days_of(calendar, findings);
    }
    for card in &tables.rate_cards {
        span(card, card.effective_from, card.effective_to, findings);
        conditions(card, &card.conditions, findings);
    }
    for modifier in &tables.modifiers {
        span(modifier, modifier.effective_from, modifier.effective_to, findings);
        findings.unless(!modifier.context.is_empty(), modifier, || "has no context".to_owned());
        for (key, test) in &modifier.context {
            let (Test::Is(value) | Test::Not(value)) = test;
            context_value(modifier, key.as_str(), value, key.is_standard(value), findings);
        }
    }
    for rental in &tables.gpu_rentals {
        let ends = rental.effective_to.is_none_or(|to| rental.effective_from < to);
        findings.unless(ends, rental, || "ends before it starts".to_owned());
        findings.unless(rental.gpu_count > 0, rental, || "is a machine without accelerators".to_owned());
        let seen = rental.effective_from <= rental.last_seen;
        findings.unless(seen, rental, || "was last seen before it starts".to_owned());
    }
}

/// Every row says where it comes from, or honestly that nobody knows, and when somebody looked.
fn sources(tables: &Tables, findings: &mut Findings) {
    macro_rules! each {
        ($($table:ident)+) => {$(
            for row in &tables.$table {
                source(row, row.source.as_deref(), row.observed_at, findings);
            }
        )+};
    }
    each!(providers meters calendars models offerings rate_cards modifiers fx_rates);
    each!(gpus gpu_rentals gpu_purchases market_index);
    each!(assumptions energy_prices published_runs published_throughputs scenarios);
}

fn source(row: &impl Row, source: Option<&str>, observed_at: Date, findings: &mut Findings) {
    let honest = source.is_none_or(|source| !source.trim().is_empty() && !source.contains(['\n', '\r']));
    findings
        .unless(honest, row, || "has an empty or broken source: write null when there is none".to_owned());
    let known = (OBSERVED_FROM..OBSERVED_TO).contains(&observed_at.year());
    findings.unless(known, row, || format!("was observed on {observed_at}, which cannot be"));
}

fn span(row: &impl Row, from: Option<Timestamp>, to: Option<Timestamp>, findings: &mut Findings) {
    findings.unless(!Span::new(from, to).is_empty(), row, || "ends before it starts".to_owned());
    for instant in from.iter().chain(&to) {
        let whole = instant.subsec_nanosecond() % 1_000_000 == 0;
        findings.unless(whole, row, || format!("has {instant}, finer than a millisecond"));
    }
}

fn conditions(card: &RateCard, conditions: &Conditions, findings: &mut Findings) {
    if let (Some(above), Some(at_most)) = (conditions.input_tokens_above, conditions.input_tokens_at_most) {
        findings
            .unless(above < at_most, card, || format!("applies above {above} and at most {at_most} tokens"));
    }
    for (key, value) in conditions.context.iter() {
        context_value(card, key.as_str(), value, key.is_standard(value), findings);
    }
    if let Some(window) = &conditions.window {
        self::window(card, window, findings);
    }
}

fn context_value(row: &impl Row, key: &str, value: &str, standard: bool, findings: &mut Findings) {
    findings.unless(!value.trim().is_empty(), row, || format!("has an empty `{key}`"));
    findings.unless(!standard, row, || format!("has `{key}: {value}`, which is said by leaving the key out"));
}

fn window(card: &RateCard, window: &Window, findings: &mut Findings) {
    let Window { days, hours, .. } = window;
    let weekdays = !days.is_empty()
        && days.iter().all(|day| (1..=7).contains(day))
        && days.is_sorted_by(|one, next| one < next);
    findings
        .unless(weekdays, card, || "has weekdays other than 1 (Monday) to 7, each once, in order".to_owned());
    let apart = !hours.is_empty() && hours.is_sorted_by(|one, next| one.to <= next.from);
    findings.unless(apart, card, || "has no hours, or hours that overlap or are out of order".to_owned());
}

fn days_of(calendar: &Calendar, findings: &mut Findings) {
    let Calendar { covers_from, covers_to, dates, .. } = calendar;
    findings.unless(covers_from <= covers_to, calendar, || "covers no day".to_owned());
    let ordered = dates.is_sorted_by(|one, next| one < next);
    findings.unless(ordered, calendar, || "has days out of order or twice".to_owned());
    for day in dates.iter().filter(|day| !calendar.covers(**day)) {
        findings.note(calendar, format!("has {day}, which it does not cover"));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::testing::*;
    use crate::catalog::rate_card::Window;

    #[test]
    fn an_empty_source_is_found_and_null_is_not() {
        let found = planted(|tables| {
            tables.providers[0].source = Some(" ".to_owned());
            tables.models[0].source = None;
        });
        assert_eq!(found, ["provider `acme` has an empty or broken source: write null when there is none"]);
    }

    #[rstest]
    #[case("1999-12-31")]
    #[case("2100-01-01")]
    fn an_observation_before_2000_or_after_2099_is_found(#[case] day: &str) {
        let found = planted(|tables| tables.gpus[0].observed_at = day.parse().unwrap());
        assert_eq!(found, [format!("gpu `h100` was observed on {day}, which cannot be")]);
    }

    #[test]
    fn a_card_that_ends_before_it_starts_is_found() {
        let found = planted(|tables| {
            tables.rate_cards[0].effective_to = tables.rate_cards[0].effective_from;
        });
        assert_eq!(found, ["rate_card `acme/one CNY 2025-01-01T00:00:00Z {}` ends before it starts"]);
    }

    #[test]
    fn an_instant_finer_than_the_store_keeps_is_found() {
        let found = planted(|tables| {
            tables.rate_cards[1].effective_to = Some("2025-06-01T00:00:00.0005Z".parse().unwrap());
        });
        assert!(found[0].ends_with("has 2025-06-01T00:00:00.0005Z, finer than a millisecond"), "{found:?}");
    }

    #[test]
    fn a_modifier_that_ends_before_it_starts_is_found() {
        let found = planted(|tables| {
            tables.modifiers[0].effective_from = Some("2026-02-01T00:00:00Z".parse().unwrap());
            tables.modifiers[0].effective_to = Some("2026-01-01T00:00:00Z".parse().unwrap());
        });
        assert!(found[0].ends_with("ends before it starts"), "{found:?}");
    }

    #[test]
    fn a_modifier_without_context_is_found() {
        let found = planted(|tables| tables.modifiers[0].context.clear());
        assert_eq!(found, ["modifier `acme/one - {}` has no context"]);
    }

    #[test]
    fn a_rental_that_ends_before_it_starts_is_found() {
        let found = planted(|tables| {
            tables.gpu_rentals[0].effective_to = Some("2025-12-31".parse().unwrap());
        });
        assert_eq!(found, ["gpu_rental `rent-1` ends before it starts"]);
    }

    #[test]
    fn a_rental_last_seen_before_it_starts_is_found() {
        let found = planted(|tables| tables.gpu_rentals[0].last_seen = "2025-12-31".parse().unwrap());
        assert_eq!(found, ["gpu_rental `rent-1` was last seen before it starts"]);
    }

    #[test]
    fn a_machine_without_accelerators_is_found() {
        let found = planted(|tables| tables.gpu_rentals[0].gpu_count = 0);
        assert_eq!(found, ["gpu_rental `rent-1` is a machine without accelerators"]);
    }

    #[test]
    fn thresholds_that_no_call_can_meet_are_found() {
        let found = planted(|tables| {
            tables.rate_cards[0].conditions.input_tokens_above = Some(200_000);
            tables.rate_cards[0].conditions.input_tokens_at_most = Some(200_000);
        });
        assert!(found[0].ends_with("applies above 200000 and at most 200000 tokens"), "{found:?}");
    }

    #[rstest]
    #[case("", "has an empty `service_tier`")]
    #[case("standard", "has `service_tier: standard`, which is said by leaving the key out")]
    fn a_context_that_says_nothing_is_found(#[case] value: &str, #[case] problem: &str) {
        let context = serde_json::from_value(json!({"service_tier": value})).unwrap();
        let found = planted(|tables| tables.rate_cards[0].conditions.context = context);
        assert!(found[0].ends_with(problem), "{found:?}");
    }

    fn with_window(change: impl FnOnce(&mut Window)) -> Vec<String> {
        planted(|tables| change(tables.rate_cards[1].conditions.window.as_mut().unwrap()))
    }

    #[rstest]
    #[case(&[])]
    #[case(&[0])]
    #[case(&[8])]
    #[case(&[2, 1])]
    #[case(&[1, 1])]
    fn days_that_are_no_weekdays_are_found(#[case] days: &[u8]) {
        let found = with_window(|window| window.days = days.to_vec());
        assert!(
            found[0].ends_with("has weekdays other than 1 (Monday) to 7, each once, in order"),
            "{found:?}"
        );
    }

    #[rstest]
    #[case(json!([]))]
    #[case(json!([["09:00", "12:00"], ["11:00", "13:00"]]))]
    #[case(json!([["14:00", "18:00"], ["09:00", "12:00"]]))]
    fn hours_that_overlap_or_are_missing_are_found(#[case] hours: serde_json::Value) {
        let found = with_window(|window| window.hours = serde_json::from_value(hours).unwrap());
        assert!(found[0].ends_with("has no hours, or hours that overlap or are out of order"), "{found:?}");
    }

    #[test]
    fn a_calendars_day_that_it_does_not_cover_is_found() {
        let found = planted(|tables| {
            tables.calendars[0].dates.push("2027-01-01".parse().unwrap());
        });
        assert_eq!(found, ["calendar `cn` has 2027-01-01, which it does not cover"]);
    }

    #[test]
    fn a_calendars_days_out_of_order_are_found() {
        let found = planted(|tables| tables.calendars[0].dates.reverse());
        assert_eq!(found, ["calendar `cn` has days out of order or twice"]);
    }

    #[test]
    fn a_calendar_that_covers_no_day_is_found() {
        let found = planted(|tables| {
            tables.calendars[0].covers_to = "2025-12-31".parse().unwrap();
            tables.calendars[0].dates.clear();
        });
        assert_eq!(found, ["calendar `cn` covers no day"]);
    }
}
