use super::*;
use crate::sources::{Format, Options, read};

const FILE: &str = include_str!("../../../tests/fixtures/feeds/genai-prices.json");

fn reading() -> Reading {
    let (format, reading) = read(FILE.as_bytes(), &Options::default()).unwrap();
    assert_eq!(format, Format::GenaiPrices);
    reading
}

fn entry(place: &str) -> OfferedPrices {
    let found = reading().observations.into_iter().find_map(|observation| match observation {
        Observation::Prices(prices) if prices.place == place => Some(*prices),
        _ => None,
    });
    found.unwrap()
}

/// The cards of an entry, a line each: span, conditions, rates, what is inherited.
fn cards(place: &str) -> Vec<String> {
    let line = |card: &OfferedCard| {
        let instant = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let rates: Vec<String> =
            card.rates.iter().map(|(meter, rate)| format!("{meter} {}", rate.amount.normalize())).collect();
        let inherited: Vec<&str> = card.inherited.iter().map(MeterId::as_str).collect();
        let conditions = serde_json::to_string(&card.conditions).unwrap();
        let span = format!("{}..{}", instant(card.effective_from), instant(card.effective_to));
        format!("{span} {conditions} {} {inherited:?}", rates.join(", "))
    };
    entry(place).cards.iter().map(line).collect()
}

#[test]
fn a_plain_set_is_one_card_and_names_matched_by_letters_are_aliases() {
    assert_eq!(
        cards("acme/plain"),
        [".. {} cache_read_audio_tokens 1.5, input_tokens 2.5, output_tokens 10, web_searches 10 []"]
    );
    let entry = entry("acme/plain");
    assert_eq!(
        (entry.aliases, entry.source.as_deref()),
        (vec!["plain-latest".to_owned()], Some("https://acme.example/pricing"))
    );
}

#[test]
fn tiers_are_cards_and_variants_are_completed_from_the_standard_set() {
    assert_eq!(
        cards("acme/tiered"),
        [
            r#".. {"input_tokens_at_most":200000} input_tokens 1.25, output_tokens 10 []"#,
            r#".. {"input_tokens_above":200000} input_tokens 2.5, output_tokens 10 []"#,
            r#"2026-10-14T00:00:00Z.. {"context":{"service_tier":"batch"}} input_tokens 0.625, output_tokens 10 ["output_tokens"]"#,
        ]
    );
}

#[test]
fn dates_are_spans_and_hours_of_the_day_are_windows_over_midnight_too() {
    let hours = r#"{"window":{"time_zone":"UTC","days":[1,2,3,4,5,6,7],"hours":[["00:00","00:30"],["16:30","24:00"]]}}"#;
    assert_eq!(
        cards("acme/dated"),
        [
            "..2026-01-05T00:00:00Z {} input_tokens 4 []".to_owned(),
            format!(".. {hours} input_tokens 1 []"),
            "2026-01-05T00:00:00Z..2026-12-01T00:00:00Z {} input_tokens 3 []".to_owned(),
            "2026-12-01T00:00:00Z.. {} input_tokens 2 []".to_owned(),
        ]
    );
    assert!(entry("acme/dated").deprecated);
}

#[test]
fn an_order_that_spans_and_windows_cannot_say_is_refused() {
    let refused: Vec<_> = reading().refused.into_iter().map(|it| (it.place, it.reason)).collect();
    let expected = [("acme/late", Reason::Inexpressible), ("acme/none", Reason::NoPrice)];
    assert_eq!(refused, expected.map(|(place, reason)| (place.to_owned(), reason)));
}

#[test]
fn what_is_not_read_is_counted() {
    let unread = reading().unread;
    assert_eq!(unread.get("code_executions_kcount"), Some(&1));
    assert_eq!(unread.get("price_variants: the standard service tier"), Some(&1));
}
