//! What tests of trainings share: a desk with the built-in catalog, stages and shapes by their text.

use std::sync::LazyLock;

use crate::{
    catalog::{
        architecture::Shape, edition::built_in_snapshot, model::Architecture, money::Currency,
        published_throughput::PublishedThroughput, snapshot::Snapshot,
    },
    estimate::{
        desk::{Desk, Scope},
        fault::Fault,
        quote::References,
        request::Detail,
        training::stage::Stage,
        uncertain::Sampler,
    },
};

static BUILT_IN: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());

/// Does something at a desk; with the faults noted there.
pub(super) fn at_desk<R>(work: impl FnOnce(&mut Desk<'static, '_>) -> R) -> (R, Vec<Fault>) {
    at_desk_with(&BUILT_IN, work)
}

/// The same with another catalog.
pub(super) fn at_desk_with<'a, R>(
    snapshot: &'a Snapshot,
    work: impl FnOnce(&mut Desk<'a, '_>) -> R,
) -> (R, Vec<Fault>) {
    let now: jiff::Timestamp = "2026-11-24T00:00:00Z".parse().unwrap();
    let scope = Scope {
        view: snapshot.newest(),
        currency: Currency::USD,
        as_of: None,
        now: now.into(),
        detail: Detail::Full,
    };
    let (mut references, mut sampler) = (References::default(), Sampler::default());
    let mut desk = Desk::new(scope, "", None, &mut references, &mut sampler);
    let done = work(&mut desk);
    (done, desk.faults)
}

/// A stage as a request spells it.
pub(super) fn stage(text: &serde_json::Value) -> Stage {
    let raw = serde_json::value::to_raw_value(text).unwrap();
    Stage::read(&raw, "/stages/0").unwrap()
}

/// The shape of a model of the catalog.
pub(super) fn shape(id: &str) -> Shape {
    let model = BUILT_IN.newest().model(id).unwrap();
    Shape::of(model.row.architecture.as_ref().unwrap()).unwrap()
}

/// A dense model of so many parameters.
pub(super) fn dense(params: f64) -> Shape {
    Shape::of(&Architecture { params_total: Some(params), ..Architecture::default() }).unwrap()
}

/// Published speeds of reinforcement learning, with the dense BF16 peak of their part, FLOP/s.
pub(super) fn published_rl() -> Vec<(&'static PublishedThroughput, f64)> {
    let rows = BUILT_IN.history().published_throughputs.iter().map(|row| &row.row);
    let rl = rows.filter(|row| row.workload == "rl");
    rl.map(|row| (row, peak(row.gpu.as_ref().unwrap().as_str()))).collect()
}

/// Dense BF16 peak of a part, FLOP/s.
pub(super) fn peak(gpu: &str) -> f64 {
    BUILT_IN.newest().gpu(gpu).unwrap().row.dense_tflops.bf16.unwrap() * 1e12
}
