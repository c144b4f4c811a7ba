//! The whole tables of two packages, and thousands of calls as the packages' own calculators price them.
//!
//! `ci/feeds.sh` writes both to `target/feeds` and runs these; nothing else does.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Instant};

use farthing::{
    catalog::{
        edition::built_in_snapshot,
        ids::RevisionNumber,
        rows::{Delta, Revision, Tables},
        snapshot::Snapshot,
    },
    estimate::{estimate, request::EstimateRequest},
    sources::{
        Format, Options,
        names,
        observation::{Observation, OfferedPrices, Reading},
        plan::{Import, Plan, Source, plan},
        read,
    },
};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const NOW: &str = "2026-11-24T12:00:00Z";

fn file(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/feeds").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}: run ci/feeds.sh", path.display()))
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn import(format: Format) -> Import {
    let source = Source::of(format, &Options::default(), "test");
    Import { format, source, observed_at: now(), whole: true }
}

/// A snapshot in which a plan has gone in as a revision of its own, as a store would bring it about.
fn after(snapshot: &Snapshot, tables: &Tables, import: &Import) -> Snapshot {
    let mut history = snapshot.history().clone();
    let delta = Delta::between(&history, tables).unwrap();
    let revision = RevisionNumber(snapshot.revision().0 + 1);
    macro_rules! take_over {
        ($($table:ident)+) => {$(
            for gone in &delta.$table.superseded {
                let row = history.$table.iter_mut().find(|row| row.id == gone.id).unwrap();
                row.superseded = Some(revision);
            }
            let mut id = history.$table.iter().map(|row| row.id).max().unwrap_or(0);
            for row in &delta.$table.added {
                id += 1;
                history.$table.push(farthing::catalog::rows::Versioned {
                    id, introduced: revision, superseded: None, row: (*row).clone(),
                });
            }
        )+};
    }
    take_over!(offerings rate_cards fx_rates gpu_rentals);
    let mut revisions = snapshot.revisions().to_vec();
    revisions.push(Revision {
        revision,
        made_at: now(),
        actor: import.source.actor(),
        reason: "test".to_owned(),
        rows_added: delta.rows_added(),
        rows_superseded: delta.rows_superseded(),
        content_hash: delta.content_hash(),
        catalog_version: None,
    });
    Snapshot::build(history, revisions).unwrap()
}

struct Imported {
    reading: Reading,
    first: Plan,
    snapshot: Snapshot,
}

/// Imports a table into the built-in catalog, approving what waits.
fn imported(name: &str) -> Imported {
    let built_in = built_in_snapshot().unwrap();
    let bytes = file(&format!("{name}.json"));
    let start = Instant::now();
    let (format, reading) = read(&bytes, &Options::default()).unwrap();
    let read_in = start.elapsed();
    let import = import(format);
    let first = plan(reading.clone(), built_in.newest(), &import);
    println!("{name}: {} read in {read_in:?}, planned in {:?}", reading.observations.len(), start.elapsed() - read_in);
    println!("{name}: {:#?}\n{:?}", first.counts(), first.unread);
    let before = built_in.history().at(built_in.revision());
    let tables = first.apply(before, |_| true).unwrap_or_else(|findings| panic!("{findings:#?}"));
    let snapshot = after(&built_in, &tables, &import);
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
        if std::env::var("SHOW").is_ok() {
            for change in &imported.first.changes {
                println!("{:?} {} {:?} {:?}", change.action, change.subject, change.pending, change.differences.iter().map(|d| format!("{}{} {:?}->{:?}", d.field, d.input_tokens_above.map_or(String::new(), |a| format!(">{a}")), d.old, d.new)).collect::<Vec<_>>());
            }
            for refusal in &imported.first.refused {
                println!("REFUSED {refusal:?}");
            }
            for kept in &imported.first.kept {
                println!("KEPT {kept:?}");
            }
        }
        let second = planned_again(&imported, name);
        let left: Vec<_> = second.changes.iter().take(10).collect();
        assert!(second.changes.is_empty(), "{name}: {} left, {left:#?}", second.changes.len());
    }
}

/// Why a call is not compared, or differs.
type Tally = BTreeMap<String, (u64, Vec<String>)>;

fn count(tally: &mut Tally, why: &str, example: &str) {
    const EXAMPLES: usize = 80;
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
        context.extend(card.conditions.context.iter().map(|(key, value)| (key.as_str().to_owned(), value.into())));
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
    let contradicted: Vec<&str> = imported.first.refused.iter().map(|refusal| refusal.place.as_str()).collect();
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
