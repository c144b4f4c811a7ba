//! Which offerings and accelerators a filter admits, and what it could not tell.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::request::{GpuFilter, Names, OfferingFilter};
use crate::{
    catalog::{
        gpu::Gpu,
        model::Model,
        money::{Currency, Money, charge},
        names,
        offering::Offering,
        rate_card::{Context, InputPerCall},
        snapshot::View,
    },
    estimate::{
        api_usage::select::{Question, select},
        fault::{Fault, FaultKind},
        number::Amount,
    },
};

/// What prices are asked for, where a filter asks for prices.
#[derive(Debug, Clone, Copy)]
pub(super) struct Market<'s> {
    pub(super) view: View<'s>,
    pub(super) currency: Currency,
    pub(super) at: Timestamp,
}

/// What a filter admits, and how many it passed over for want of a field.
#[derive(Debug)]
pub(super) struct Admitted<'s, T> {
    pub(super) rows: Vec<&'s T>,
    pub(super) passed_over: Vec<(&'static str, usize)>,
}

impl<T> Admitted<'_, T> {
    fn new() -> Self {
        Self { rows: Vec::new(), passed_over: Vec::new() }
    }

    fn pass_over(&mut self, field: &'static str) {
        match self.passed_over.iter_mut().find(|(known, _)| *known == field) {
            Some((_, count)) => *count += 1,
            None => self.passed_over.push((field, 1)),
        }
    }
}

/// What a test says: yes, no, or that it cannot be told.
type Told = (&'static str, Option<bool>);

/// Takes a row, leaves it, or passes it over: one test that fails decides, whatever else is not known.
fn judge<'s, T>(admitted: &mut Admitted<'s, T>, row: &'s T, tests: impl Iterator<Item = Told>) {
    let mut unknown = None;
    for (field, told) in tests {
        match told {
            Some(true) => {}
            Some(false) => return,
            None => unknown = unknown.or(Some(field)),
        }
    }
    match unknown {
        Some(field) => admitted.pass_over(field),
        None => admitted.rows.push(row),
    }
}

/// The offerings that a filter admits, in the order of the catalog. `base` is where the filter stands.
pub(super) fn offerings<'s>(
    filter: &OfferingFilter,
    market: Market<'s>,
    base: &str,
) -> Result<Admitted<'s, Offering>, Vec<Fault>> {
    check_names(filter, market.view, base)?;
    let view = market.view;
    let models: Vec<&str> =
        filter.model.iter().flat_map(|names| &names.0).filter_map(|name| id_of(view, name)).collect();
    let mut admitted = Admitted::new();
    for row in view.known(&view.snapshot().history().offerings) {
        let offering = &row.row;
        let tests = [
            test("provider", filter.provider.as_ref(), |names| Some(names.have(offering.provider.as_str()))),
            test("model", filter.model.as_ref(), |names| is_model(offering, names, &models)),
            test("kind", filter.kind.as_ref(), |names| {
                Some(names.have(offering.kind.as_deref().unwrap_or("chat")))
            }),
            test("first_party", filter.first_party, |first| Some(offering.first_party == first)),
            test("deprecated", filter.deprecated, |deprecated| Some(offering.deprecated == deprecated)),
            test("min_context_window", filter.min_context_window, |least| {
                Some(offering.context_window? >= least.0)
            }),
        ];
        let of_model = || of_model(filter, view, offering).into_iter();
        let of_price = || {
            let input = test("max_input_price", filter.max_input_price, |most| {
                market.is_at_most(offering, "input_tokens", most)
            });
            let output = || {
                test("max_output_price", filter.max_output_price, |most| {
                    market.is_at_most(offering, "output_tokens", most)
                })
            };
            [input].into_iter().chain(std::iter::once_with(output))
        };
        let later = std::iter::once_with(of_model).flatten().chain(std::iter::once_with(of_price).flatten());
        judge(&mut admitted, offering, tests.into_iter().chain(later));
    }
    Ok(admitted)
}

/// A word that is said of a model.
type Word = fn(&Model) -> Option<&str>;

/// A test that is only made where it is asked for.
fn test<A>(field: &'static str, asked: Option<A>, tell: impl FnOnce(A) -> Option<bool>) -> Told {
    (field, asked.map_or(Some(true), tell))
}

/// What is asked of the model that an offering is.
fn of_model(filter: &OfferingFilter, view: View<'_>, offering: &Offering) -> [Told; 5] {
    let model = || offering.model.as_ref().and_then(|id| view.model(id.as_str())).map(|row| &row.row);
    let word = |names: &Names, field: Word| Some(names.have(field(model()?)?));
    [
        test("class", filter.class.as_ref(), |names| word(names, |model| model.class.as_deref())),
        test("developer", filter.developer.as_ref(), |names| word(names, |model| model.developer.as_deref())),
        test("family", filter.family.as_ref(), |names| word(names, |model| model.family.as_deref())),
        test("released_from", filter.released_from, |from| Some(model()?.released? >= from)),
        test("released_before", filter.released_before, |before| Some(model()?.released? < before)),
    ]
}

/// The id of the model of a name.
fn id_of<'s>(view: View<'s>, name: &str) -> Option<&'s str> {
    view.model(name).map(|row| row.row.id.as_str())
}

/// Whether an offering is one of the models, or goes by one of the names; nobody knows where no model is said.
fn is_model(offering: &Offering, names: &Names, models: &[&str]) -> Option<bool> {
    let mut called = std::iter::once(&offering.name)
        .chain(&offering.aliases)
        .chain(std::iter::once_with(|| &offering.name));
    if called.any(|name| names.have(name)) || names.have(offering.id.as_str()) {
        return Some(true);
    }
    offering.model.as_ref().map(|id| models.contains(&id.as_str()))
}

impl Market<'_> {
    /// Whether a million of a meter costs at most so much; nobody knows where there is no such price.
    fn is_at_most(self, offering: &Offering, meter: &str, most: Amount) -> Option<bool> {
        let found = self.view.offering(offering.provider.as_str(), &offering.name)?;
        let (input, context) = (InputPerCall { tokens: 0, calls: 1 }, Context::default());
        let question = Question { at: self.at, currency: self.currency, input, context: &context };
        let card = select(self.view, found, question).ok()?;
        let meter = self.view.meters.find(meter)?;
        let rate = card.card().rates.iter().find(|rate| rate.meter == meter)?;
        let (price, _) = charge(1_000_000, rate.amount, rate.per).ok()?;
        let from = card.row.row.currency;
        let price = if from == self.currency {
            price
        } else {
            price.convert(self.dollars(from)?, self.dollars(self.currency)?).ok()?
        };
        Some(price <= Money::from(most.0))
    }

    fn dollars(self, currency: Currency) -> Option<Decimal> {
        self.view.usd_per_unit(currency, self.at).map(|quote| quote.rate)
    }
}

/// Refuses names that nothing has: such a filter would admit nothing, and say nothing about it.
fn check_names(filter: &OfferingFilter, view: View<'_>, base: &str) -> Result<(), Vec<Fault>> {
    let mut faults = Vec::new();
    let mut each = |field: &str, names: Option<&Names>, kind: &dyn Fn(&str) -> Option<FaultKind>| {
        for name in names.iter().flat_map(|names| &names.0) {
            faults.extend(kind(name).map(|kind| Fault::new(format!("{base}/{field}"), kind)));
        }
    };
    each("provider", filter.provider.as_ref(), &|name| {
        let near = || view.near_providers(name);
        view.provider(name)
            .is_none()
            .then(|| FaultKind::UnknownProvider { name: name.to_owned(), near: near() })
    });
    each("model", filter.model.as_ref(), &|name| {
        let is_sold =
            || view.model(name).is_some() || !view.sellers(name).is_empty() || is_offering(view, name);
        let near = || view.near_offerings(None, name);
        (!is_sold()).then(|| FaultKind::UnknownModel { name: name.to_owned(), provider: None, near: near() })
    });
    let models = || view.known(&view.snapshot().history().models).map(|row| &row.row);
    let words: [(&str, Option<&Names>, Word); 3] = [
        ("class", filter.class.as_ref(), |model| model.class.as_deref()),
        ("developer", filter.developer.as_ref(), |model| model.developer.as_deref()),
        ("family", filter.family.as_ref(), |model| model.family.as_deref()),
    ];
    for (field, names, of) in words {
        each(field, names, &|name| unknown_word(name, field, &models().filter_map(of).collect::<Vec<_>>()));
    }
    let kinds = || view.known(&view.snapshot().history().offerings).filter_map(|row| row.row.kind.as_deref());
    each("kind", filter.kind.as_ref(), &|name| {
        unknown_word(name, "kind", &kinds().chain(["chat"]).collect::<Vec<_>>())
    });
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// Whether a name is `provider/name` of an offering.
pub(super) fn is_offering(view: View<'_>, name: &str) -> bool {
    name.split_once('/').is_some_and(|(provider, name)| view.offering(provider, name).is_some())
}

fn unknown_word(name: &str, field: &str, known: &[&str]) -> Option<FaultKind> {
    if known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let near = names::near(name, known.iter().copied());
    let hint = if near.is_empty() { String::new() } else { format!("; there is `{}`", near.join("`, `")) };
    let name = crate::estimate::shape::cut(name);
    Some(FaultKind::out_of_range(format!("nothing known is of {field} `{name}`{hint}")))
}

/// The accelerators that a filter admits, in the order of the catalog.
pub(super) fn gpus<'s>(
    filter: &GpuFilter,
    view: View<'s>,
    base: &str,
) -> Result<Admitted<'s, Gpu>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut ids = Vec::new();
    let all = || view.known(&view.snapshot().history().gpus).map(|row| &row.row);
    for name in filter.gpu.iter().flat_map(|names| &names.0) {
        if let Some(row) = view.gpu(name) {
            ids.push(&row.row.id);
        } else {
            let near = names::near(name, all().map(|gpu| gpu.id.as_str()));
            let kind = FaultKind::UnknownGpu { name: name.clone(), near };
            faults.push(Fault::new(format!("{base}/gpu"), kind));
        }
    }
    for (field, names, of) in [
        ("vendor", filter.vendor.as_ref(), (|gpu| Some(gpu.vendor.as_str())) as fn(&Gpu) -> Option<&str>),
        ("architecture", filter.architecture.as_ref(), |gpu| gpu.architecture.as_deref()),
    ] {
        for name in names.iter().flat_map(|names| &names.0) {
            let unknown = unknown_word(name, field, &all().filter_map(of).collect::<Vec<_>>());
            faults.extend(unknown.map(|kind| Fault::new(format!("{base}/{field}"), kind)));
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut admitted = Admitted::new();
    for gpu in all() {
        let tests = [
            test("gpu", filter.gpu.as_ref(), |_| Some(ids.contains(&&gpu.id))),
            test("vendor", filter.vendor.as_ref(), |names| Some(names.have(&gpu.vendor))),
            test("min_memory_gb", filter.min_memory_gb, |least| Some(gpu.memory_gb >= least)),
            test("architecture", filter.architecture.as_ref(), |names| {
                gpu.architecture.as_deref().map(|generation| names.have(generation))
            }),
        ];
        judge(&mut admitted, gpu, tests.into_iter());
    }
    Ok(admitted)
}
