//! Other people's price tables, read and planned on top of the built-in catalog.

mod gates;
mod own;
mod plan;
mod real;

use std::{collections::HashMap, sync::LazyLock};

use farthing::{
    catalog::{
        edition::built_in_snapshot,
        ids::RevisionNumber,
        rows::{Delta, Revision, Tables, Versioned},
        snapshot::Snapshot,
    },
    sources::{
        Format, Options,
        plan::{Import, Plan, Source, plan},
        read,
    },
};
use jiff::Timestamp;

pub const NOW: &str = "2026-11-24T12:00:00Z";

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// An import now, of a whole table of the format's feed, or of an operator's.
pub fn import(format: Format) -> Import {
    let source = Source::of(format, &Options::default(), "ops");
    Import { format, source, observed_at: now(), whole: true }
}

/// A snapshot in which tables have gone in as a revision of somebody's, as a store would bring it about.
pub fn after(snapshot: &Snapshot, tables: &Tables, actor: &str) -> Snapshot {
    let mut history = snapshot.history().clone();
    let delta = Delta::between(&history, tables).unwrap();
    let revision = RevisionNumber(snapshot.revision().0 + 1);
    macro_rules! take_over {
        ($($table:ident)+) => {$(
            let places: HashMap<i64, usize> =
                history.$table.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
            for gone in &delta.$table.superseded {
                history.$table[places[&gone.id]].superseded = Some(revision);
            }
            let mut id = history.$table.iter().map(|row| row.id).max().unwrap_or(0);
            for row in &delta.$table.added {
                id += 1;
                let row = Versioned { id, introduced: revision, superseded: None, row: (*row).clone() };
                history.$table.push(row);
            }
        )+};
    }
    take_over!(providers offerings rate_cards modifiers fx_rates gpus gpu_rentals gpu_purchases energy_prices);
    let mut revisions = snapshot.revisions().to_vec();
    revisions.push(Revision {
        revision,
        made_at: now(),
        actor: actor.to_owned(),
        reason: "test".to_owned(),
        rows_added: delta.rows_added(),
        rows_superseded: delta.rows_superseded(),
        content_hash: delta.content_hash(),
        catalog_version: None,
    });
    Snapshot::build(history, revisions).unwrap()
}

/// The current tables of a snapshot.
pub fn tables(snapshot: &Snapshot) -> Tables {
    snapshot.history().at(snapshot.revision())
}

/// What a table changes in a snapshot, now.
pub fn planned(snapshot: &Snapshot, text: &str) -> Plan {
    planned_at(snapshot, text, NOW)
}

/// What a table changes in a snapshot at an instant.
pub fn planned_at(snapshot: &Snapshot, text: &str, at: &str) -> Plan {
    let (format, reading) = read(text.as_bytes(), &Options::default()).unwrap();
    plan(reading, snapshot.newest(), &Import { observed_at: at.parse().unwrap(), ..import(format) })
}

/// The snapshot after what does not wait has gone in as a feed's.
pub fn gone_in(snapshot: &Snapshot, plan: &Plan, actor: &str) -> Snapshot {
    let applied = plan.apply(tables(snapshot), |_| false).unwrap();
    after(snapshot, &applied, actor)
}

/// The whole catalog that ships inside.
pub fn whole() -> &'static Snapshot {
    static WHOLE: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());
    &WHOLE
}

/// A few sellers of the catalog that ships inside, so that a plan is quick.
pub fn built_in() -> &'static Snapshot {
    static FEW: LazyLock<Snapshot> = LazyLock::new(|| {
        let mut edition = farthing::catalog::edition::built_in().unwrap();
        let kept = |offering: &str| {
            ["groq/", "google/", "x-ai/grok-4", "deepseek/"].iter().any(|start| offering.starts_with(start))
        };
        let tables = &mut edition.tables;
        tables.offerings.retain(|row| kept(row.id.as_str()));
        tables.rate_cards.retain(|row| kept(row.offering.as_str()));
        tables.modifiers.retain(|row| kept(row.offering.as_str()));
        tables.gpu_rentals.retain(|row| ["l4-24gb", "h100-sxm5-80gb"].contains(&row.gpu.as_str()));
        tables.fx_rates.truncate(100);
        tables.published_runs.clear();
        tables.published_throughputs.clear();
        edition.into_snapshot().unwrap()
    });
    &FEW
}
