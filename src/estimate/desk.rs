//! What an item is worked out with: the catalog, the draws, and a place for references, doubts and faults.

use std::borrow::Cow;

use jiff::Timestamp;

use super::{
    exchange::Conversion,
    fault::{Fault, FaultKind},
    figure::Figure,
    quote::{Input, Origin, Ref, Reference, ReferenceValue, References, RowConditions, Warning, WarningCode},
    request::Detail,
    uncertain::{Range, Sampler, Uncertain},
};
use crate::catalog::{
    assumption::Assumption,
    money::{Currency, Quantity},
    rows::Versioned,
    snapshot::View,
    time::{AsOf, start_of_day},
};

/// What holds for every item of a request.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// The catalog at the revision asked for.
    pub view: View<'s>,
    /// Currency of the answer.
    pub currency: Currency,
    /// The request's own instant, if it gives one.
    pub as_of: Option<AsOf>,
    /// The time.
    pub now: AsOf,
    /// How much of the answer is wanted.
    pub detail: Detail,
}

/// A figure and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Sourced<'a> {
    pub(crate) value: Uncertain,
    pub(crate) unit: Cow<'a, str>,
    pub(crate) origin: Origin,
    pub(crate) reference: Option<Ref<'a>>,
}

impl<'a> Sourced<'a> {
    /// A figure of the request.
    pub(crate) fn given(value: Uncertain, unit: &'static str) -> Self {
        Self { value, unit: Cow::Borrowed(unit), origin: Origin::Request, reference: None }
    }

    /// A figure computed from others.
    pub(crate) fn derived(value: Uncertain, unit: &'static str) -> Self {
        Self { value, unit: Cow::Borrowed(unit), origin: Origin::Derived, reference: None }
    }

    /// A figure of a row of the catalog.
    pub(crate) fn listed(value: f64, unit: &'static str, reference: Ref<'a>) -> Self {
        let (value, unit) = (Uncertain::exact(value), Cow::Borrowed(unit));
        Self { value, unit, origin: Origin::Catalog, reference: Some(reference) }
    }

    /// The figure as an input of a formula.
    pub(crate) fn input(&self, name: &'static str) -> Input<'a> {
        let range = self.value.range();
        Input {
            name: Cow::Borrowed(name),
            value: Quantity::of(self.value.mid()),
            low: range.map(|(low, _)| Quantity::of(low)),
            high: range.map(|(_, high)| Quantity::of(high)),
            unit: self.unit.clone(),
            origin: self.origin,
            reference: self.reference,
        }
    }
}

/// Where an item is worked out.
#[derive(Debug)]
pub(crate) struct Desk<'a, 'r> {
    pub(crate) scope: Scope<'a>,
    /// The instant whose prices are used.
    pub(crate) at: AsOf,
    /// Whether the item gives that instant itself.
    pub(crate) own_as_of: bool,
    /// Where the item stands in the request.
    pub(crate) base: &'r str,
    pub(crate) references: &'r mut References<'a>,
    pub(crate) sampler: &'r mut Sampler,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) faults: Vec<Fault>,
    conversions: Vec<Conversion>,
    /// Assumptions looked at before, by row.
    assumed: Vec<(i64, Sourced<'a>)>,
}

impl<'a, 'r> Desk<'a, 'r> {
    pub(crate) fn new(
        scope: Scope<'a>,
        base: &'r str,
        as_of: Option<AsOf>,
        references: &'r mut References<'a>,
        sampler: &'r mut Sampler,
    ) -> Self {
        let at = as_of.or(scope.as_of).unwrap_or(scope.now);
        let (warnings, faults, conversions, assumed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let own_as_of = as_of.is_some();
        Self { scope, at, own_as_of, base, references, sampler, warnings, faults, conversions, assumed }
    }

    pub(crate) fn view(&self) -> View<'a> {
        self.scope.view
    }

    pub(crate) fn instant(&self) -> Timestamp {
        self.at.instant
    }

    /// Whether formulas and inputs are wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.scope.detail == Detail::Full
    }

    /// Where a field of the item stands in the request: `/hardware/gpu`.
    pub(crate) fn place(&self, field: &str) -> String {
        let base = if field == "/as_of" && !self.own_as_of { "" } else { self.base };
        format!("{base}{field}")
    }

    pub(crate) fn warn(&mut self, code: WarningCode, field: &str, message: impl Into<String>) {
        let pointer = self.place(field);
        self.warnings.push(Warning { code, message: message.into(), pointer });
    }

    pub(crate) fn fault(&mut self, field: &str, kind: FaultKind) {
        let pointer = self.place(field);
        self.faults.push(Fault { pointer, kind });
    }

    /// A default of the arithmetic; none, and a fault, where the catalog has no such row.
    pub(crate) fn assumption(&mut self, id: &str) -> Option<Sourced<'a>> {
        let Some(row) = self.view().assumption(id, self.instant()) else {
            let kind = FaultKind::MissingAssumption { id: id.to_owned(), as_of: self.instant() };
            let known = |fault: &Fault| fault.kind == kind;
            if !self.faults.iter().any(known) {
                self.fault("", kind);
            }
            return None;
        };
        Some(self.assumed(row))
    }

    /// The first of several defaults that the catalog has: the narrower, then the wider.
    pub(crate) fn assumption_of(&mut self, ids: &[&str]) -> Option<Sourced<'a>> {
        let known = |id: &&&str| self.view().assumption(id, self.instant()).is_some();
        let id = ids.iter().find(known).or(ids.last())?;
        self.assumption(id)
    }

    fn assumed(&mut self, row: &'a Versioned<Assumption>) -> Sourced<'a> {
        if let Some((_, known)) = self.assumed.iter().find(|(known, _)| *known == row.id) {
            return known.clone();
        }
        let Assumption { id, unit, low, mid, high, .. } = &row.row;
        let reference = Ref::Assumption(id);
        self.references.add(reference, || Reference {
            source: row.row.source.as_deref(),
            observed_at: row.row.observed_at,
            effective_from: row.row.effective_from.and_then(start_of_day),
            effective_to: row.row.effective_to.and_then(start_of_day),
            conditions: RowConditions::Always {},
            value: Some(ReferenceValue { low: *low, mid: *mid, high: *high, unit }),
            note: row.row.note.as_deref(),
            revision: row.introduced.0,
        });
        let range = Range::new(*low, *mid, *high).unwrap_or(Range::exact(*mid)); // checked on import
        let value = self.sampler.draw(id, range);
        let assumed = Sourced {
            value,
            unit: Cow::Borrowed(unit),
            origin: Origin::Assumption,
            reference: Some(reference),
        };
        self.assumed.push((row.id, assumed.clone()));
        assumed
    }

    /// A figure of the request, drawn by its place.
    pub(crate) fn given(&mut self, field: &str, figure: Figure, unit: &'static str) -> Sourced<'a> {
        let Figure(range) = figure;
        let value = if range.is_exact() {
            Uncertain::exact(range.mid())
        } else {
            let place = self.place(field);
            self.sampler.draw(&place, range)
        };
        Sourced::given(value, unit)
    }

    /// A currency of the request; dollars where nothing is said.
    pub(crate) fn currency(&mut self, field: &str, code: Option<&str>) -> Currency {
        super::api_usage::known_currency(self.view(), code).unwrap_or_else(|kind| {
            self.fault(field, kind);
            Currency::USD
        })
    }

    /// The change from a currency into the answer's, noted once; none where they are the same.
    pub(super) fn conversion(&mut self, from: Currency) -> Option<Conversion> {
        if from == self.scope.currency {
            return None;
        }
        if let Some(known) = self.conversions.iter().find(|known| known.shown.from == from) {
            return Some(*known);
        }
        match Conversion::find(self.view(), from, self.scope.currency, self.instant()) {
            Ok(conversion) => {
                conversion.cite(self.view(), self.references);
                self.warnings.push(conversion.warning(self.place("")));
                self.conversions.push(conversion);
                Some(conversion)
            }
            Err(kind) => {
                self.fault("/as_of", kind);
                None
            }
        }
    }
}
