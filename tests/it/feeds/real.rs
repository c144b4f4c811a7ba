//! The whole tables of two packages, and thousands of calls as the packages' own calculators price them.
//!
//! `ci/feeds.sh` writes both to `target/feeds` and runs these; nothing else does.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Instant};

use farthing::{
    catalog::snapshot::Snapshot,
    estimate::{estimate, request::EstimateRequest},
    sources::{
        Format, Options, names,
        observation::{Observation, OfferedPrices, Reading},
        plan::{Plan, plan},
        read,
    },
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{NOW, after, import, now, whole};

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/feeds").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run ci/feeds.sh", path.display()))
}

struct Imported {
    reading: Reading,
    first: Plan,
    snapshot: Snapshot,
}

/// Imports a table into the built-in catalog, approving what waits.
fn imported(name: &str) -> Imported {
    let built_in = whole();
    let bytes = file(&format!("{name}.json"));
    let start = Instant::now();
    let (format, reading) = read(&bytes, &Options::default()).unwrap();
    let read_in = start.elapsed();
    let start = Instant::now();
    let import = import(format);
    let first = plan(reading.clone(), built_in.newest(), &import);
    println!("{name}: {} read in {read_in:?}, planned in {:?}", reading.observations.len(), start.elapsed());
    println!("{name}: {:#?}\n{:?}", first.counts(), first.unread);
    let before = built_in.history().at(built_in.revision());
    let tables = first.apply(before, |_| true).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let snapshot = after(built_in, &tables, &import.source.actor());
    Imported { reading, first, snapshot }
}

fn planned_again(imported: &Imported, name: &str) -> Plan {
    let (format, reading) = read(&file(&format!("{name}.json")), &Options::default()).unwrap();
    plan(reading, imported.snapshot.newest(), &import(format))
}

#[test]
#[ignore = "wants the tables that ci/feeds.sh writes"]
fn a_real_table_imported_twice_changes_nothing_the_second_time() {
    for name in ["litellm", "genai-prices"] {
        let imported = imported(name);
        assert!(imported.first.unchanged > 1_000 && !imported.first.changes.is_empty(), "{name}");
        let second = planned_again(&imported, name);
        let left: Vec<_> = second.changes.iter().take(10).collect();
        assert!(second.changes.is_empty(), "{name}: {} left, {left:#?}", second.changes.len());
    }
}

/// Why a call is not compared, or differs.
type Tally = BTreeMap<String, (u64, Vec<String>)>;

fn count(tally: &mut Tally, why: &str, example: &str) {
    const EXAMPLES: usize = 3;
    let (count, examples) = tally.entry(why.to_owned()).or_default();
    *count += 1;
    if examples.len() < EXAMPLES {
        examples.push(example.to_owned());
    }
}

/// A call of a package's calculator as a request of ours.
fn request(format: Format, offered: &OfferedPrices, call: &Value) -> Value {
    let mut context: BTreeMap<String, Value> = BTreeMap::new();
    // What the entry's own key says, for LiteLLM: a region, a residency.
    if format == Format::LiteLlm
        && let Some(card) = offered.cards.first()
    {
        context.extend(
            card.conditions.context.iter().map(|(key, value)| (key.as_str().to_owned(), value.into())),
        );
    }
    context.remove("service_tier");
    if let Some(tier) = call["tier"].as_str() {
        context.insert("service_tier".to_owned(), tier.into());
    }
    for (key, value) in call["context"].as_object().into_iter().flatten() {
        context.insert(key.clone(), value.clone());
    }
    json!({
        "provider": names::provider(format, &offered.seller), "model": offered.name, "as_of": NOW,
        "usage": call["usage"], "context": context,
    })
}

fn compare(name: &str) -> (u64, Tally) {
    let imported = imported(name);
    let format = if name == "litellm" { Format::LiteLlm } else { Format::GenaiPrices };
    let entries: BTreeMap<&str, &OfferedPrices> = imported
        .reading
        .observations
        .iter()
        .filter_map(|observation| match observation {
            Observation::Prices(prices) => Some((prices.place.as_str(), prices.as_ref())),
            _ => None,
        })
        .collect();
    let contradicted: Vec<&str> =
        imported.first.refused.iter().map(|refusal| refusal.place.as_str()).collect();
    let (mut same, mut tally) = (0, Tally::new());
    let calls = file(&format!("{name}.calls.jsonl"));
    for line in std::str::from_utf8(&calls).unwrap().lines() {
        let call: Value = serde_json::from_str(line).unwrap();
        let place = call["place"].as_str().unwrap();
        if let Some(error) = call["error"].as_str() {
            count(&mut tally, "their calculator refuses", &format!("{place}: {error}"));
            continue;
        }
        let Some(offered) = entries.get(place).filter(|_| !contradicted.contains(&place)) else {
            count(&mut tally, "refused on import", place);
            continue;
        };
        let body = request(format, offered, &call);
        let asked = EstimateRequest::parse(body.to_string().as_bytes()).unwrap();
        match estimate(&asked, &imported.snapshot, now()) {
            Ok(quote) => {
                let ours: Decimal = quote.total.amount.to_string().parse().unwrap();
                let theirs = Decimal::from_scientific(call["cost"].as_str().unwrap())
                    .or_else(|_| call["cost"].as_str().unwrap().parse())
                    .unwrap();
                let noise = theirs.abs() / Decimal::from(1_000_000_000);
                if (ours - theirs).abs() <= noise {
                    same += 1;
                } else {
                    count(&mut tally, "differs", &format!("{body} ours {ours} theirs {theirs}"));
                }
            }
            Err(faults) => count(&mut tally, "our fault", &format!("{body}: {faults:?}")),
        }
    }
    (same, tally)
}

#[test]
#[ignore = "wants the calls that ci/feeds.sh writes"]
fn calls_cost_what_the_packages_own_calculators_say() {
    for name in ["litellm", "genai-prices"] {
        let (same, tally) = compare(name);
        println!("{name}: {same} the same; {tally:#?}");
        assert!(same >= 1_000, "{name}: only {same}");
    }
}

/// A LiteLLM file of a hundred thousand models of a provider that the catalog knows.
fn hundred_thousand() -> Vec<u8> {
    let entry = |n: u32| {
        format!(
            "\"groq/made-up-{n}\": {{\"litellm_provider\": \"groq\", \"mode\": \"chat\", \"max_input_tokens\": 131072, \
             \"input_cost_per_token\": {n}e-11, \"output_cost_per_token\": 7.9e-07, \"cache_read_input_token_cost\": 1e-08, \
             \"supports_function_calling\": true}}"
        )
    };
    let entries: Vec<String> = (1..=100_000).map(entry).collect();
    format!("{{{}}}", entries.join(",\n")).into_bytes()
}

#[test]
#[ignore = "takes a while where the build is not optimised"]
fn a_hundred_thousand_rows_are_planned_and_then_known() {
    let built_in = whole();
    let import = import(Format::LiteLlm);
    let bytes = hundred_thousand();
    let start = Instant::now();
    let (_, reading) = read(&bytes, &Options::default()).unwrap();
    let read_in = start.elapsed();
    let start = Instant::now();
    let first = plan(reading, built_in.newest(), &import);
    println!("100,000 rows: read in {read_in:?}, planned in {:?}", start.elapsed());
    assert_eq!(first.counts().added, 100_000);
    let start = Instant::now();
    let tables = first.apply(built_in.history().at(built_in.revision()), |_| false).unwrap();
    println!("applied and checked in {:?}", start.elapsed());
    assert_eq!(tables.offerings.len(), built_in.history().offerings.len() + 100_000);
}
