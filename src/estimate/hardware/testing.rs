//! What tests of hardware share: a desk on a day, with the built-in catalog or a small one.

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    market,
    part::Part,
    rental::{HourPrice, Rent},
    request::GpuGiven,
};
use crate::{
    catalog::{
        edition::built_in_snapshot,
        ids::RevisionNumber,
        money::Currency,
        rows::{Revision, Tables},
        snapshot::Snapshot,
    },
    estimate::{
        desk::{Desk, Scope},
        fault::Fault,
        quote::{References, Warning, WarningCode},
        request::Detail,
        uncertain::Sampler,
    },
};

pub(super) static BUILT_IN: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());

/// What came of work at a desk.
#[derive(Debug)]
pub(super) struct Seen<R> {
    pub(super) done: R,
    pub(super) faults: Vec<Fault>,
    pub(super) warnings: Vec<Warning>,
}

impl<R> Seen<R> {
    /// The only fault, as pointer and sentence.
    pub(super) fn fault(&self) -> (&str, String) {
        assert_eq!(self.faults.len(), 1, "{:?}", self.faults);
        (&self.faults[0].pointer, self.faults[0].kind.to_string())
    }

    pub(super) fn warned(&self, code: WarningCode) -> bool {
        self.warnings.iter().any(|warning| warning.code == code)
    }
}

/// Does something at a desk on a day.
pub(super) fn at<'s, R>(
    snapshot: &'s Snapshot,
    day: &str,
    work: impl FnOnce(&mut Desk<'s, '_>) -> R,
) -> Seen<R> {
    let now: jiff::Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
    let (view, currency) = (snapshot.newest(), Currency::USD);
    let scope = Scope { view, currency, as_of: None, now: now.into(), detail: Detail::Full };
    let (mut references, mut sampler) = (References::default(), Sampler::default());
    let mut desk = Desk::new(scope, "", None, &mut references, &mut sampler);
    let done = work(&mut desk);
    let Desk { faults, warnings, .. } = desk;
    Seen { done, faults, warnings }
}

/// A part that lives as long as the tests.
pub(super) fn named(name: &str) -> &'static GpuGiven {
    Box::leak(Box::new(GpuGiven::Name(name.to_owned())))
}

/// The price of an hour of a part of a catalog on a day.
pub(super) fn market_price<'s>(
    snapshot: &'s Snapshot,
    day: &str,
    gpu: &str,
    rent: Rent<'static>,
) -> Seen<Option<HourPrice<'s>>> {
    at(snapshot, day, |desk| {
        let part = Part::find(desk, named(gpu))?;
        market::hour_price(desk, rent, &part)
    })
}

fn row<T: DeserializeOwned>(mut row: Value) -> T {
    let fields = row.as_object_mut().unwrap();
    fields.entry("source").or_insert(Value::Null);
    fields.entry("observed_at").or_insert_with(|| json!("2026-11-23"));
    serde_json::from_value(row).unwrap()
}

/// A catalog of one part, `h100`, rented out by `acme` and others; each price is an object with what differs from
/// acme's on-demand price in force since 2025 and seen in 2026.
pub(super) fn rented_at(prices: &[Value]) -> Snapshot {
    let rentals = prices.iter().enumerate().map(|(at, price)| {
        let mut rental = json!({"id": format!("rent-{at}"), "provider": "acme", "provider_kind": "neocloud",
            "gpu": "h100", "gpu_count": 8, "currency": "USD", "commitment": "on_demand",
            "effective_from": "2025-01-01", "last_seen": "2026-06-01"});
        rental.as_object_mut().unwrap().extend(price.as_object().unwrap().clone());
        row(rental)
    });
    let provider = |id: &str| row(json!({"id": id, "name": id}));
    let tables = Tables {
        providers: ["acme", "bolt", "cirrus", "idle"].map(provider).into(),
        gpus: vec![row(json!({"id": "h100", "name": "H100", "vendor": "NVIDIA", "memory_gb": 80,
            "memory_bandwidth_gbs": 3350, "dense_tflops": {"bf16": 989.4}}))],
        gpu_rentals: rentals.collect(),
        fx_rates: vec![row(json!({"currency": "EUR", "date": "2024-12-27", "usd_per_unit": "1.25"}))],
        ..Tables::default()
    };
    let revision = RevisionNumber(1);
    let made = Revision {
        revision,
        made_at: "2026-11-23T00:00:00Z".parse().unwrap(),
        actor: "test".to_owned(),
        reason: "planted".to_owned(),
        rows_added: tables.row_count() as u64,
        rows_superseded: 0,
        content_hash: String::new(),
        catalog_version: None,
    };
    Snapshot::build(tables.into_history(revision), vec![made]).unwrap()
}
