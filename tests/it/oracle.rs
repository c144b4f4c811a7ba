//! Every price of the built-in catalog against a second opinion.
//!
//! The oracle reads the catalog's own lines as JSON and does its sums in fixed-point integers: it shares no
//! code with the engine, neither for choosing a row nor for adding up.

use std::{collections::BTreeMap, fs, path::Path};

use farthing::{
    catalog::{edition::built_in_snapshot, snapshot::Snapshot},
    estimate::{estimate, request::EstimateRequest},
};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz::Offset};
use serde_json::{Value, json};

/// Fixed point: 30 decimal places.
const PLACES: u32 = 30;

fn lines(path: impl AsRef<Path>) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog").join(path)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn rate_cards() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("catalog/rate_cards");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(lines).collect()
}

/// A decimal text as an integer of [`PLACES`] places.
fn fixed(text: &str) -> i128 {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let places = u32::try_from(fraction.len()).unwrap();
    let digits: i128 = format!("{whole}{fraction}").parse().unwrap();
    sign * digits * 10_i128.pow(PLACES.checked_sub(places).expect("more places than the oracle keeps"))
}

struct Meters {
    per: BTreeMap<String, i128>,
    wholes: BTreeMap<String, Vec<String>>,
}

impl Meters {
    fn read() -> Self {
        let rows = lines("meters.jsonl");
        let id = |row: &Value| row["id"].as_str().unwrap().to_owned();
        let wholes = |row: &Value| {
            let names =
                row["part_of"].as_array().map(|all| all.iter().map(|name| name.as_str().unwrap().to_owned()));
            names.map(Iterator::collect).unwrap_or_default()
        };
        Self {
            per: rows.iter().map(|row| (id(row), row["per"].as_str().unwrap().parse().unwrap())).collect(),
            wholes: rows.iter().map(|row| (id(row), wholes(row))).collect(),
        }
    }

    /// A meter and everything that contains it.
    fn with_wholes(&self, meter: &str) -> Vec<String> {
        let mut found = vec![meter.to_owned()];
        let mut next = 0;
        while let Some(meter) = found.get(next).cloned() {
            next += 1;
            for whole in &self.wholes[&meter] {
                if !found.contains(whole) {
                    found.push(whole.clone());
                }
            }
        }
        found
    }

    /// Counts as a vendor reports them, from what is to be charged: every unit is in its wholes too.
    fn usage(&self, charged: &BTreeMap<String, i128>) -> BTreeMap<String, i128> {
        let mut usage = BTreeMap::new();
        for (meter, count) in charged {
            for whole in self.with_wholes(meter) {
                *usage.entry(whole).or_default() += count;
            }
        }
        usage
    }

    /// Money in fixed point for what is charged.
    fn cost(&self, charged: &BTreeMap<String, i128>, card: &Value) -> i128 {
        let cost = |(meter, count): (&String, &i128)| {
            let rate = &card["rates"][meter];
            let amount =
                rate.as_str().or(rate["amount"].as_str()).unwrap_or_else(|| panic!("no rate for {meter}"));
            let per = rate["per"].as_str().map_or(self.per[meter], |per| per.parse().unwrap());
            let (money, rest) = (count * fixed(amount) / per, count * fixed(amount) % per);
            assert_eq!(rest, 0, "the oracle cannot divide {count} * {amount} by {per}");
            money
        };
        charged.iter().map(cost).sum()
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    value.as_str().map(|text| text.parse().unwrap())
}

/// Whether an instant lies in a card's hours. Only one zone is in use, and it has had one offset since 1991.
fn in_hours(card: &Value, at: Timestamp, holidays: &[String]) -> bool {
    let window = &card["conditions"]["window"];
    if window.is_null() {
        return true;
    }
    assert_eq!(window["time_zone"], "Asia/Shanghai");
    let local = Offset::constant(8).to_datetime(at);
    let clock = format!("{:02}:{:02}", local.hour(), local.minute());
    let weekday = json!(local.weekday().to_monday_one_offset());
    let spans = window["hours"].as_array().unwrap();
    window["days"].as_array().unwrap().contains(&weekday)
        && spans.iter().any(|span| {
            span[0].as_str().unwrap() <= clock.as_str() && clock.as_str() < span[1].as_str().unwrap()
        })
        && (window["except"].is_null() || !holidays.contains(&local.date().to_string()))
}

fn in_force(card: &Value, at: Timestamp) -> bool {
    instant(&card["effective_from"]).is_none_or(|from| from <= at)
        && instant(&card["effective_to"]).is_none_or(|to| at < to)
}

fn holidays() -> Vec<String> {
    let calendar = lines("calendars.jsonl").remove(0);
    calendar["dates"].as_array().unwrap().iter().map(|day| day.as_str().unwrap().to_owned()).collect()
}

/// The oracle's choice for a call without context: the row in force, a windowed one before another.
fn choose<'c>(
    cards: &'c [Value],
    offering: &str,
    currency: &str,
    at: Timestamp,
    holidays: &[String],
) -> Option<&'c Value> {
    let fits = |card: &&Value| {
        card["offering"] == offering
            && card["currency"] == currency
            && card["conditions"]["context"].is_null()
            && in_force(card, at)
            && in_hours(card, at, holidays)
    };
    let mut fitting: Vec<&Value> = cards.iter().filter(fits).collect();
    fitting.sort_by_key(|card| card["conditions"]["window"].is_null());
    fitting.first().copied()
}

fn ask(snapshot: &Snapshot, request: &Value, now: Timestamp) -> Result<Value, String> {
    let parsed = EstimateRequest::parse(request.to_string().as_bytes()).unwrap();
    let quote = estimate(&parsed, snapshot, now).map_err(|faults| format!("{request}: {faults:?}"))?;
    Ok(serde_json::to_value(quote).unwrap())
}

fn total(answer: &Value) -> i128 {
    fixed(answer["total"]["amount"].as_str().unwrap())
}

/// An instant at which this row, and not a windowed one beside it, prices a call.
fn an_instant_of(card: &Value, siblings: &[&Value], holidays: &[String]) -> Timestamp {
    let far: Timestamp = "2026-11-24T02:30:00Z".parse().unwrap();
    let start = instant(&card["effective_from"]).unwrap_or_else(|| {
        instant(&card["effective_to"]).map_or(far, |to| to.checked_sub(240.hours()).unwrap())
    });
    let windowed = !card["conditions"]["window"].is_null();
    let suits = |at: &Timestamp| {
        let beside = siblings.iter().any(|other| {
            !other["conditions"]["window"].is_null() && in_force(other, *at) && in_hours(other, *at, holidays)
        });
        in_force(card, *at) && in_hours(card, *at, holidays) && (windowed || !beside)
    };
    let candidates = (0..2_000).map(|half_hours| start.checked_add((half_hours * 30).minutes()).unwrap());
    candidates.into_iter().find(suits).expect("a row that is in force at some time")
}

#[test]
fn every_card_of_the_catalog_is_quoted_to_the_last_digit() {
    let (meters, cards, holidays) = (Meters::read(), rate_cards(), holidays());
    let snapshot = built_in_snapshot().unwrap();
    let mut by_offering: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for card in &cards {
        by_offering.entry(card["offering"].as_str().unwrap()).or_default().push(card);
    }
    let (mut quoted, mut unpriced, mut rates) = (0, 0, 0);
    for card in &cards {
        let offering = card["offering"].as_str().unwrap();
        let (provider, name) = offering.split_once('/').unwrap();
        let siblings: Vec<&Value> = by_offering[offering]
            .iter()
            .copied()
            .filter(|other| other["currency"] == card["currency"])
            .collect();
        let at = an_instant_of(card, &siblings, &holidays);
        let priced: Vec<&String> = card["rates"].as_object().unwrap().keys().collect();
        let request = |usage: &BTreeMap<String, i128>| {
            json!({
                "currency": card["currency"], "as_of": at.to_string(),
                "items": [{ "provider": provider, "model": name, "usage": usage, "context": card["conditions"]["context"].as_object().cloned().unwrap_or_default() }],
            })
        };
        if priced.is_empty() {
            let refusal =
                ask(&snapshot, &request(&BTreeMap::from([("input_tokens".to_owned(), 1)])), at).unwrap_err();
            assert!(refusal.contains("Unpriced"), "{refusal}");
            unpriced += 1;
            continue;
        }
        // A different count for each meter, and one that every `per` divides.
        let mut charged: BTreeMap<String, i128> =
            (1..).zip(&priced).map(|(nth, meter)| ((*meter).clone(), count_of(meter, nth))).collect();
        if let Some(above) = card["conditions"]["input_tokens_above"].as_i64() {
            let input = ["input_tokens", "input_audio_tokens", "cache_read_tokens"]
                .into_iter()
                .find(|meter| charged.contains_key(*meter));
            *charged.get_mut(input.expect("a tier of something priced")).unwrap() += i128::from(above);
        }
        let answer = ask(&snapshot, &request(&meters.usage(&charged)), at).unwrap();
        assert_eq!(total(&answer), meters.cost(&charged, card), "{card}\n{answer}");
        let sum: i128 = answer["items"][0]["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| fixed(line["amount"].as_str().unwrap()))
            .sum();
        assert_eq!(sum, total(&answer), "the lines add up");
        quoted += 1;
        rates += priced.len();
    }
    assert_eq!((quoted, unpriced, rates), (4_743, 179, 13_445));
}

/// `requests` is 1 by itself; seconds are charged by the hour, from ten of them on.
fn count_of(meter: &str, nth: i128) -> i128 {
    match meter {
        "requests" => 1,
        meter if meter.ends_with("audio_seconds") => 3_600 * nth,
        _ => 100 + 7 * nth,
    }
}

/// Each instant at which any of DeepSeek's rows begins or ends.
fn changes(cards: &[Value]) -> Vec<Timestamp> {
    let mut instants: Vec<Timestamp> = cards
        .iter()
        .flat_map(|card| [instant(&card["effective_from"]), instant(&card["effective_to"])])
        .flatten()
        .collect();
    instants.sort();
    instants.dedup();
    instants
}

/// Asks for a million of each, and compares with the oracle's own choice of row.
fn agree_at(
    snapshot: &Snapshot,
    cards: &[Value],
    meters: &Meters,
    holidays: &[String],
    at: Timestamp,
) -> usize {
    let mut quoted = 0;
    for offering in
        ["deepseek-chat", "deepseek-reasoner", "deepseek-flash", "deepseek-v4-flash", "deepseek-v4-pro"]
    {
        for currency in ["CNY", "USD"] {
            let request = json!({
                "currency": currency, "as_of": at.to_string(), "provider": "deepseek", "model": offering,
                "usage": { "input_tokens": 3_000_000, "cache_read_tokens": 1_000_000, "output_tokens": 5_000_000 },
            });
            let id = format!("deepseek/{offering}");
            let Some(card) = choose(cards, &id, currency, at, holidays) else {
                // Its dollar list stands in for a yuan list that is not in force, and the other way round.
                let other = if currency == "CNY" { "USD" } else { "CNY" };
                if choose(cards, &id, other, at, holidays).is_none() {
                    let refusal = ask(snapshot, &request, at).unwrap_err();
                    assert!(refusal.contains("NotInForce"), "{refusal}");
                }
                continue;
            };
            let all =
                [("input_tokens", 2_000_000), ("cache_read_tokens", 1_000_000), ("output_tokens", 5_000_000)];
            let mut charged: BTreeMap<String, i128> =
                all.into_iter().map(|(meter, count)| (meter.to_owned(), count)).collect();
            if card["rates"]["cache_read_tokens"].is_null() {
                charged.remove("cache_read_tokens");
                charged.insert("input_tokens".to_owned(), 3_000_000);
            }
            let answer = ask(snapshot, &request, at).unwrap();
            assert_eq!(
                total(&answer),
                meters.cost(&charged, card),
                "{offering} in {currency} at {at}: {card}"
            );
            quoted += 1;
        }
    }
    quoted
}

/// Only DeepSeek's rows.
fn deepseeks_cards() -> Vec<Value> {
    lines("rate_cards/deepseek.jsonl")
}

#[test]
fn every_change_of_deepseeks_prices_takes_effect_on_its_very_second() {
    let (meters, cards, holidays) = (Meters::read(), deepseeks_cards(), holidays());
    let snapshot = built_in_snapshot().unwrap();
    let changes = changes(&cards);
    assert!(changes.len() >= 10, "{changes:?}");
    for change in changes {
        for at in [change.checked_sub(1.second()).unwrap(), change, change.checked_add(1.second()).unwrap()] {
            agree_at(&snapshot, &cards, &meters, &holidays, at);
        }
    }
}

#[test]
fn deepseeks_hours_hold_on_weekdays_weekends_and_holidays() {
    let (meters, cards, holidays) = (Meters::read(), deepseeks_cards(), holidays());
    let snapshot = built_in_snapshot().unwrap();
    // Off-peak nights of 2025; a week of 2026 with a weekend; the October holiday; all by the second around
    // each full and half hour of the Shanghai day.
    let days = [
        "2025-03-05",
        "2025-08-30",
        "2026-08-18",
        "2026-08-22",
        "2026-08-25",
        "2026-09-12",
        "2026-09-25",
        "2026-10-01",
        "2026-10-08",
        "2026-11-20",
        "2026-11-21",
        "2026-11-22",
    ];
    for day in days {
        let midnight = Offset::constant(8).to_timestamp(day.parse::<Date>().unwrap().at(0, 0, 0, 0)).unwrap();
        for half_hour in 0..48 {
            let edge = midnight.checked_add((half_hour * 30).minutes()).unwrap();
            for at in [edge.checked_sub(1.second()).unwrap(), edge] {
                assert!(
                    agree_at(&snapshot, &cards, &meters, &holidays, at) > 0,
                    "nothing was priced at {at}"
                );
            }
        }
    }
}
