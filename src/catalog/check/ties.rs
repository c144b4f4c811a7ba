//! No two cards of an offering may answer the same question: nobody could say which of them prices it.

use std::collections::HashMap;

use super::Findings;
use crate::catalog::{
    ids::OfferingId,
    money::Currency,
    rate_card::{Context, RateCard, Window},
};

pub(super) fn check(cards: &[RateCard], findings: &mut Findings) {
    let mut rivals: HashMap<(&OfferingId, Currency, &Context), Vec<&RateCard>> = HashMap::new();
    for card in cards {
        let same = rivals.entry((&card.offering, card.currency, &card.conditions.context)).or_default();
        for other in same.iter().filter(|other| tie(card, other)) {
            findings.note(card, format!("ties with {}", named(other)));
        }
        same.push(card);
    }
}

/// Whether both can hold at once, and nothing makes one of them win.
fn tie(one: &RateCard, other: &RateCard) -> bool {
    one.span().overlaps(other.span())
        && one.conditions.thresholds_overlap(&other.conditions)
        && match (&one.conditions.window, &other.conditions.window) {
            (None, None) => true,
            (Some(one), Some(other)) => windows_overlap(one, other),
            _ => false, // the one with a window wins
        }
}

/// Whether two windows share an hour. Those of two time zones always might: summer time moves them against each other.
fn windows_overlap(one: &Window, other: &Window) -> bool {
    let share_a_day = one.days.iter().any(|day| other.days.contains(day));
    let share_an_hour = one
        .hours
        .iter()
        .any(|one| other.hours.iter().any(|other| one.from < other.to && other.from < one.to));
    one.time_zone != other.time_zone || (share_a_day && share_an_hour)
}

fn named(card: &RateCard) -> String {
    use crate::catalog::rows::Row as _;
    format!("`{}`", card.key())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::super::testing::*;

    /// How many ties two cards of an offering make, the first from 2025 on and in every case.
    fn ties(first: Value, second: Value) -> usize {
        let card = |fields: Value| {
            let mut card = json!({"offering": "acme/two", "currency": "USD", "rates": {}});
            card.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            row(card)
        };
        planted(|tables| tables.rate_cards.extend([card(first), card(second)]))
            .iter()
            .filter(|finding| finding.contains(" ties with "))
            .count()
    }

    fn window(days: &[u8], hours: [&str; 2], zone: &str) -> Value {
        json!({"conditions": {"window": {"time_zone": zone, "days": days, "hours": [hours]}}})
    }

    #[test]
    fn two_cards_in_force_at_once_tie() {
        let second = json!({"effective_from": "2026-01-01T00:00:00Z"});
        assert_eq!(ties(json!({}), second), 1);
    }

    #[test]
    fn a_card_that_starts_when_another_ends_does_not_tie() {
        let first = json!({"effective_to": "2026-01-01T00:00:00Z"});
        assert_eq!(ties(first, json!({"effective_from": "2026-01-01T00:00:00Z"})), 0);
    }

    #[test]
    fn cards_of_two_currencies_do_not_tie() {
        assert_eq!(ties(json!({}), json!({"currency": "CNY"})), 0);
    }

    #[test]
    fn cards_of_two_contexts_do_not_tie() {
        let second = json!({"conditions": {"context": {"service_tier": "batch"}}});
        assert_eq!(ties(json!({}), second), 0);
    }

    #[rstest]
    #[case(200_000, 0)]
    #[case(199_999, 1)]
    fn thresholds_tie_when_they_share_a_count(#[case] above: u64, #[case] expected: usize) {
        let first = json!({"conditions": {"input_tokens_at_most": 200_000}});
        assert_eq!(ties(first, json!({"conditions": {"input_tokens_above": above}})), expected);
    }

    #[test]
    fn a_card_with_a_window_wins_over_one_without() {
        assert_eq!(ties(json!({}), window(&[1], ["09:00", "12:00"], "UTC")), 0);
    }

    #[rstest]
    #[case(window(&[1, 2], ["09:00", "12:00"], "UTC"), 1)]
    #[case(window(&[2, 3], ["11:59", "13:00"], "UTC"), 1)]
    #[case(window(&[1, 2], ["12:00", "13:00"], "UTC"), 0)]
    #[case(window(&[3], ["09:00", "12:00"], "UTC"), 0)]
    #[case(window(&[3], ["09:00", "12:00"], "Asia/Shanghai"), 1)]
    fn windows_tie_when_they_share_an_hour_of_a_day(#[case] second: Value, #[case] expected: usize) {
        let mut second = second;
        second["effective_from"] = json!("2025-06-01T00:00:00Z"); // another key, still in force at once
        assert_eq!(ties(window(&[1, 2], ["09:00", "12:00"], "UTC"), second), expected);
    }
}
