use super::*;
use crate::sources::{Format, Options, read, read_as};

const FILE: &str = include_str!("../../../tests/fixtures/feeds/litellm.json");

fn reading() -> Reading {
    let (format, reading) = read(FILE.as_bytes(), &Options::default()).unwrap();
    assert_eq!(format, Format::LiteLlm);
    reading
}

/// The cards of an entry, a line each: conditions, then rates by meter.
fn cards(reading: &Reading, place: &str) -> Vec<String> {
    let entry = reading.observations.iter().find_map(|observation| match observation {
        Observation::Prices(prices) if prices.place == place => Some(prices),
        _ => None,
    });
    entry.unwrap().cards.iter().map(line).collect()
}

fn line(card: &OfferedCard) -> String {
    let rates: Vec<String> =
        card.rates.iter().map(|(meter, rate)| format!("{meter} {}", rate.amount.normalize())).collect();
    let inherited: Vec<&str> = card.inherited.iter().map(MeterId::as_str).collect();
    let conditions = serde_json::to_string(&card.conditions).unwrap();
    format!("{conditions} {} inherited {inherited:?}", rates.join(", "))
}

#[test]
fn tiers_and_thresholds_become_whole_cards() {
    let inherited = r#"inherited ["cache_read_tokens", "web_searches"]"#;
    assert_eq!(
        cards(&reading(), "acme/tiered"),
        [
            "{\"input_tokens_at_most\":200000} cache_read_tokens 0.125, input_tokens 1.25, output_tokens 10, web_searches 35 inherited []".to_owned(),
            "{\"input_tokens_above\":200000} cache_read_tokens 0.125, input_tokens 2.5, output_tokens 15, web_searches 35 inherited []".to_owned(),
            format!("{{\"context\":{{\"service_tier\":\"batch\"}}}} cache_read_tokens 0.125, input_tokens 0.625, output_tokens 5, web_searches 35 {inherited}"),
            format!("{{\"context\":{{\"service_tier\":\"priority\"}}}} cache_read_tokens 0.125, input_tokens 2.5, output_tokens 20, web_searches 35 {inherited}"),
        ]
    );
}

#[test]
fn ranges_of_input_become_cards_that_meet() {
    assert_eq!(
        cards(&reading(), "acme/ranges"),
        [
            r#"{"input_tokens_at_most":32000} input_tokens 1.2, output_tokens 6 inherited []"#,
            r#"{"input_tokens_above":32000} input_tokens 2.4, output_tokens 12 inherited []"#,
        ]
    );
}

#[test]
fn pictures_seconds_units_and_queries_have_their_own_quantities() {
    let reading = reading();
    assert_eq!(
        cards(&reading, "low/1024-x-1024/picture-1"),
        [
            r#"{"context":{"quality":"low","size":"1024x1024"}} output_images 0.011, output_pixels 10.490417 inherited []"#
        ]
    );
    assert_eq!(cards(&reading, "acme/hears"), ["{} input_seconds 0.00003333 inherited []"]);
    assert_eq!(
        cards(&reading, "bedrock/us-east-1/1-month-commitment/acme.one"),
        [
            r#"{"context":{"commitment":"1-month-commitment","region":"us-east-1"}} unit_seconds 0.0175 inherited []"#
        ]
    );
    assert_eq!(
        cards(&reading, "acme/finds"),
        ["{} input_tokens 0, output_tokens 0, rerank_searches 1 inherited []"]
    );
}

#[test]
fn what_has_no_price_no_seller_or_no_sense_is_refused_with_the_reason() {
    let refused: Vec<_> = reading().refused.into_iter().map(|it| (it.place, it.reason)).collect();
    let expected = [
        ("acme/free", Reason::AllZero),
        ("acme/nothing", Reason::NoPrice),
        ("acme/odd", Reason::Malformed),
        ("acme/gap", Reason::Inexpressible),
        ("nobody", Reason::UnknownSeller),
    ];
    assert_eq!(refused, expected.map(|(place, reason)| (place.to_owned(), reason)));
}

#[test]
fn a_price_without_a_meter_is_counted() {
    assert_eq!(reading().unread, BTreeMap::from([("file_search_cost_per_gb_per_day".to_owned(), 1)]));
}

#[test]
fn what_is_no_object_is_not_read() {
    assert!(read_as(Format::LiteLlm, b"[]", &Options::default()).is_err());
    let reading = read_as(Format::LiteLlm, br#"{"a": 1, "b": null}"#, &Options::default()).unwrap();
    assert_eq!(reading.refused.len(), 2);
}
