//! Finding what a parameter or a path names, or saying what may have been meant.

use super::{
    Scope,
    fault::{Fault, Thing, Unknown},
};
use crate::catalog::{
    assumption::Assumption,
    gpu::Gpu,
    ids::{GpuId, ModelId},
    meter::Meter,
    model::Model,
    money::Currency,
    names::near,
    provider::Provider,
    rows::Versioned,
    scenario::Scenario,
    snapshot::{Found, View},
};

fn unknown(thing: Thing, name: &str, near: Vec<String>) -> Unknown {
    Unknown { thing, name: name.to_owned(), near }
}

/// The known row of an id: letter for letter, else in any case.
fn by_id<'s, T>(
    view: View<'s>,
    rows: &'s [Versioned<T>],
    id_of: impl Fn(&T) -> &str,
    id: &str,
) -> Option<&'s Versioned<T>> {
    let exact = view.known(rows).find(|row| id_of(&row.row) == id);
    exact.or_else(|| view.known(rows).find(|row| id_of(&row.row).eq_ignore_ascii_case(id)))
}

/// A provider by its id, in any case.
pub(super) fn provider<'s>(view: View<'s>, name: &str) -> Result<&'s Versioned<Provider>, Unknown> {
    let found = by_id(view, &view.snapshot().history().providers, |it| it.id.as_str(), name);
    found.ok_or_else(|| unknown(Thing::Provider, name, view.near_providers(name)))
}

/// A model by its id or another of its names, in any case.
pub(super) fn model<'s>(view: View<'s>, name: &str) -> Result<&'s Versioned<Model>, Unknown> {
    view.model(name).ok_or_else(|| {
        let known = view.known(&view.snapshot().history().models).map(|row| row.row.id.as_str());
        unknown(Thing::Model, name, near(name, known))
    })
}

/// An offering by `provider/name`, in any case; the name may be another that the provider answers to.
pub(super) fn offering<'s>(view: View<'s>, id: &str) -> Result<Found<'s>, Unknown> {
    find_offering(view, id).ok_or_else(|| {
        let known = view.known(&view.snapshot().history().offerings).map(|row| row.row.id.as_str());
        unknown(Thing::Offering, id, near(id, known))
    })
}

/// The same for an id that may be nobody's fault.
pub(super) fn find_offering<'s>(view: View<'s>, id: &str) -> Option<Found<'s>> {
    let (seller, name) = id.split_once('/')?;
    view.offering(view.provider(seller)?.id.as_str(), name)
}

/// A meter by its id, in any case.
pub(super) fn meter<'s>(view: View<'s>, id: &str) -> Result<&'s Versioned<Meter>, Unknown> {
    let found = by_id(view, &view.snapshot().history().meters, |it| it.id.as_str(), id);
    found.ok_or_else(|| unknown(Thing::Meter, id, view.near_meters(id)))
}

/// A currency in which something is priced or can be put.
pub(super) fn currency(view: View<'_>, code: &str) -> Result<Currency, Unknown> {
    let known = Currency::parse(code).filter(|currency| view.knows_currency(*currency));
    known.ok_or_else(|| {
        let all = view.currencies();
        unknown(Thing::Currency, code, near(code, all.iter().map(Currency::as_str)))
    })
}

/// An accelerator by its id or another of its names, in any case.
pub(super) fn gpu<'s>(view: View<'s>, name: &str) -> Result<&'s Versioned<Gpu>, Unknown> {
    view.gpu(name).ok_or_else(|| {
        let known = view.known(&view.snapshot().history().gpus).map(|row| row.row.id.as_str());
        unknown(Thing::Gpu, name, near(name, known))
    })
}

/// An assumption as it holds at the instant asked about, by its id.
pub(super) fn assumption<'s>(scope: Scope<'s>, id: &str) -> Result<&'s Versioned<Assumption>, Unknown> {
    scope.view.assumption(id, scope.as_of).ok_or_else(|| {
        let known = scope.view.known(&scope.view.snapshot().history().assumptions);
        let holding = known.filter(|row| row.row.span().contains(scope.as_of));
        unknown(Thing::Assumption, id, near(id, holding.map(|row| row.row.id.as_str())))
    })
}

/// A scenario by its id.
pub(super) fn scenario<'s>(view: View<'s>, id: &str) -> Result<&'s Versioned<Scenario>, Unknown> {
    view.scenario(id).ok_or_else(|| {
        let known = view.known(&view.snapshot().history().scenarios).map(|row| row.row.id.as_str());
        unknown(Thing::Scenario, id, near(id, known))
    })
}

/// The model and the accelerator that something has to be about, where a query names them.
#[derive(Debug)]
pub(super) struct About<'s> {
    model: Option<&'s ModelId>,
    gpu: Option<&'s GpuId>,
}

impl<'s> About<'s> {
    /// Finds what the parameters `model` and `gpu` name.
    pub(super) fn new(scope: Scope<'s>, model: Option<&str>, gpu: Option<&str>) -> Result<Self, Fault> {
        let model = model.map(|name| self::model(scope.view, name)).transpose();
        let gpu = gpu.map(|name| self::gpu(scope.view, name)).transpose();
        Ok(Self {
            model: model.map_err(|unknown| Fault::unknown("model", unknown))?.map(|row| &row.row.id),
            gpu: gpu.map_err(|unknown| Fault::unknown("gpu", unknown))?.map(|row| &row.row.id),
        })
    }

    /// Whether something about a model and an accelerator is asked for.
    pub(super) fn fits(&self, model: Option<&ModelId>, gpu: Option<&GpuId>) -> bool {
        (self.model.is_none() || self.model == model) && (self.gpu.is_none() || self.gpu == gpu)
    }
}
