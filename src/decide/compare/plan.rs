//! Which candidates there are: the product of what varies, and those given one by one.

use jiff::Timestamp;
use serde_json::value::RawValue;

use super::{
    answer::{PassedOver, Set},
    filter::{self, Market},
    outcome::{Found, Left, Priced, Source, price},
    request::{Axis, Candidate, CompareRequest, Factors},
};
use crate::{
    catalog::{
        offering::Offering,
        snapshot::{Snapshot, View},
    },
    decide::{
        open::OpenRequest,
        place::{self, Place, Pointer},
    },
    estimate::{
        fault::{Fault, FaultKind, pointer},
        request::{Detail, Fields},
    },
};

/// Candidates of one question at most, of those that `over` makes.
pub(super) const MOST_CANDIDATES: usize = 10_000;

/// Candidates given one by one at most.
pub(super) const MOST_GIVEN: usize = 500;

/// Things that vary at most.
const MOST_AXES: usize = 8;

/// Values of one of them at most.
const MOST_VALUES: usize = 1_000;

/// One of the things that a place may hold.
#[derive(Debug)]
pub(super) struct Choice<'s> {
    /// As JSON, for each place of the axis.
    values: Vec<Box<str>>,
    /// What people call it; none: by its value.
    name: Option<&'s str>,
    /// What is sold, where the axis is of offerings.
    pub(super) offering: Option<&'s Offering>,
}

/// One thing that varies.
#[derive(Debug)]
pub(super) struct Variable<'s> {
    pointers: Vec<String>,
    choices: Vec<Choice<'s>>,
    /// Whether it says who sells what: the rest is what is asked of them.
    says_who: bool,
}

impl<'s> Variable<'s> {
    fn set(&self, choice: &Choice<'s>) -> impl Iterator<Item = Set> {
        let raw = |value: &str| {
            RawValue::from_string(value.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
        };
        let pairs = self.pointers.iter().zip(&choice.values);
        pairs.map(move |(pointer, value)| Set { pointer: pointer.clone(), value: raw(value) })
    }

    fn label(&self, choice: &Choice<'s>) -> String {
        if let Some(name) = choice.name {
            return name.to_owned();
        }
        let value = choice.values.first().map_or("", AsRef::as_ref);
        if let Ok(text) = serde_json::from_str::<String>(value) {
            return text;
        }
        let field = self.pointers.first().and_then(|pointer| pointer.rsplit('/').next()).unwrap_or_default();
        format!("{field} {}", crate::estimate::shape::cut(value))
    }
}

/// Each of one thing with each of every other.
#[derive(Debug)]
pub(super) struct Product<'s> {
    open: OpenRequest<'s>,
    variables: Vec<Variable<'s>>,
    pub(super) count: usize,
}

impl<'s> Product<'s> {
    fn chosen(&self, candidate: usize) -> Vec<(&Variable<'s>, &Choice<'s>)> {
        chosen(&self.variables, candidate)
    }

    /// Prices a candidate.
    pub(super) fn price(
        &mut self,
        candidate: usize,
        view: View<'s>,
        factors: impl FnOnce(&Found<'s>) -> Factors,
    ) -> Result<Priced<'s>, Box<Left<'s>>> {
        let chosen = chosen(&self.variables, candidate);
        let known = chosen.iter().find_map(|(_, choice)| choice.offering);
        let values: Vec<&str> =
            chosen.iter().flat_map(|(_, choice)| &choice.values).map(AsRef::as_ref).collect();
        price(&mut self.open, &values, Source::Product(candidate), known, view, factors)
    }

    /// A number that two candidates share where they differ in who sells what alone.
    pub(super) fn apart_from_who(&self, candidate: usize) -> usize {
        let (mut rest, mut place, mut apart) = (candidate, 1, 0);
        for variable in self.variables.iter().rev() {
            let count = variable.choices.len();
            if !variable.says_who {
                apart += rest % count * place;
            }
            (rest, place) = (rest / count, place * count);
        }
        apart
    }

    /// Every place that is set.
    pub(super) fn pointers(&self) -> Vec<&str> {
        self.variables.iter().flat_map(|variable| &variable.pointers).map(String::as_str).collect()
    }

    pub(super) fn label(&self, candidate: usize) -> String {
        self.chosen(candidate)
            .into_iter()
            .map(|(variable, choice)| variable.label(choice))
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub(super) fn set(&self, candidate: usize) -> Vec<Set> {
        self.chosen(candidate).into_iter().flat_map(|(variable, choice)| variable.set(choice)).collect()
    }
}

/// What each thing is in a candidate: the last varies fastest.
fn chosen<'p, 's>(
    variables: &'p [Variable<'s>],
    candidate: usize,
) -> Vec<(&'p Variable<'s>, &'p Choice<'s>)> {
    let mut rest = candidate;
    let mut chosen = Vec::with_capacity(variables.len());
    for variable in variables.iter().rev() {
        let at = rest % variable.choices.len();
        rest /= variable.choices.len();
        chosen.extend(variable.choices.get(at).map(|choice| (variable, choice)));
    }
    chosen.reverse();
    chosen
}

/// A workload of the base: where it stands, and whether it calls a hosted model.
struct Part {
    pointer: String,
    is_call: bool,
}

/// What stands in the base.
fn parts(base: &str) -> Vec<Part> {
    let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(base) else { return Vec::new() };
    let part = |pointer: String, fields: &Fields<'_>| {
        let kind = fields.0.iter().find(|(name, _)| name == "kind").map(|(_, kind)| kind.get());
        Part { pointer, is_call: kind.is_none_or(|kind| kind == "\"api_usage\"") }
    };
    let Some((_, items)) = fields.iter().find(|(name, _)| name == "items") else {
        return vec![part(String::new(), &Fields(fields))];
    };
    let items = serde_json::from_str::<Vec<Fields<'_>>>(items.get()).unwrap_or_default();
    items.iter().enumerate().map(|(at, fields)| part(format!("/items/{at}"), fields)).collect()
}

/// What plans are made in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground<'q, 's> {
    pub(super) base: &'q str,
    pub(super) market: Market<'s>,
    pub(super) snapshot: &'s Snapshot,
    pub(super) now: Timestamp,
}

impl<'q, 's> Ground<'q, 's> {
    /// The product of all that varies; none where nothing does.
    pub(super) fn product(
        self,
        asked: &CompareRequest<'_>,
        passed_over: &mut Vec<PassedOver>,
    ) -> Result<Option<Product<'s>>, Vec<Fault>> {
        let mut faults = Vec::new();
        let fault = |at: &str, detail: String| vec![Fault::new(at, FaultKind::out_of_range(detail))];
        if asked.over.len() > MOST_AXES {
            return Err(fault(
                "/over",
                format!("must hold at most {MOST_AXES} things, got {}", asked.over.len()),
            ));
        }
        let (mut variables, mut places) = (Vec::new(), Vec::new());
        for (at, axis) in asked.over.iter().enumerate() {
            match self.variable(axis, at, passed_over) {
                Ok((variable, found)) => {
                    variables.push(variable);
                    places.extend(found);
                }
                Err(found) => faults.extend(found),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if variables.is_empty() {
            return Ok(None);
        }
        let counts = variables.iter().map(|variable| variable.choices.len());
        let count =
            counts.clone().try_fold(1_usize, usize::checked_mul).filter(|count| *count <= MOST_CANDIDATES);
        let Some(count) = count else {
            let counts: Vec<String> = counts.map(|count| count.to_string()).collect();
            let all = counts.join(" x ");
            return Err(fault(
                "/over",
                format!("{all} candidates are more than the {MOST_CANDIDATES} of one question"),
            ));
        };
        // Lists of all offerings are long, and what they sell is known without the lines of a quote.
        let sells = |variable: &Variable<'_>| variable.choices.iter().any(|choice| choice.offering.is_some());
        let detail = if variables.iter().any(sells) { Detail::Total } else { Detail::Lines };
        let open = OpenRequest::new(self.base, &places, self.snapshot, self.now, detail).map_err(|_| {
            let detail = "two entries set the same place, or one in the other".to_owned();
            vec![Fault::new("/over", FaultKind::Contradiction { detail })]
        })?;
        Ok(Some(Product { open, variables, count }))
    }

    fn variable(
        self,
        axis: &Axis<'_>,
        at: usize,
        passed_over: &mut Vec<PassedOver>,
    ) -> Result<(Variable<'s>, Vec<Place<'q>>), Vec<Fault>> {
        let base = format!("/over/{at}");
        let mut tell = |fields: Vec<(&'static str, usize)>| {
            passed_over.extend(fields.into_iter().map(|(field, count)| PassedOver {
                over: at,
                field,
                count,
            }));
        };
        match (&axis.pointer, &axis.values, &axis.offerings, &axis.gpus) {
            (Some(pointer), Some(values), None, None) => self.listed(pointer, values, &base),
            (None, None, Some(filter), None) => {
                let base = format!("{base}/offerings");
                let admitted = filter::offerings(filter, self.market, &base)?;
                nothing_like_that(admitted.rows.is_empty(), "offering", &admitted.passed_over, &base)?;
                tell(admitted.passed_over);
                self.offerings(&admitted.rows, &base)
            }
            (None, None, None, Some(filter)) => {
                let base = format!("{base}/gpus");
                let admitted = filter::gpus(filter, self.market.view, &base)?;
                nothing_like_that(admitted.rows.is_empty(), "accelerator", &admitted.passed_over, &base)?;
                tell(admitted.passed_over);
                let names: Vec<&'s str> = admitted.rows.iter().map(|gpu| gpu.id.as_str()).collect();
                self.gpus(&names, &base)
            }
            (None, None | Some(_), None, None) => {
                let name = "pointer".to_owned();
                Err(vec![Fault::new(format!("{base}/pointer"), FaultKind::MissingField { name })])
            }
            (Some(_), None, None, None) => {
                let name = "values".to_owned();
                Err(vec![Fault::new(format!("{base}/values"), FaultKind::MissingField { name })])
            }
            _ => {
                let detail = "one thing varies: `pointer` and `values`, or `offerings`, or `gpus`".to_owned();
                Err(vec![Fault::new(base, FaultKind::Contradiction { detail })])
            }
        }
    }

    fn listed(
        self,
        pointer: &str,
        values: &[&RawValue],
        base: &str,
    ) -> Result<(Variable<'s>, Vec<Place<'q>>), Vec<Fault>> {
        if !(1..=MOST_VALUES).contains(&values.len()) {
            let detail = format!("must hold 1 to {MOST_VALUES} values, got {}", values.len());
            return Err(vec![Fault::new(format!("{base}/values"), FaultKind::out_of_range(detail))]);
        }
        let place =
            find(self.base, pointer).map_err(|kind| vec![Fault::new(format!("{base}/pointer"), kind)])?;
        let choice = |raw: &&RawValue| Choice { values: vec![raw.get().into()], name: None, offering: None };
        let choices = values.iter().map(choice).collect();
        let says_who = pointer.ends_with("/provider") || pointer.ends_with("/model");
        Ok((Variable { pointers: vec![pointer.to_owned()], choices, says_who }, vec![place]))
    }

    fn offerings(
        self,
        offerings: &[&'s Offering],
        base: &str,
    ) -> Result<(Variable<'s>, Vec<Place<'q>>), Vec<Fault>> {
        let part = self.only_part(true, "calls a hosted model", base)?;
        let pointers = vec![format!("{part}/provider"), format!("{part}/model")];
        let places = pointers.iter().map(|pointer| find(self.base, pointer)).collect::<Result<_, _>>();
        let places = places.map_err(|kind| vec![Fault::new("/base", kind)])?;
        let choice = |offering: &&'s Offering| Choice {
            values: vec![json(offering.provider.as_str()), json(&offering.name)],
            name: Some(offering.id.as_str()),
            offering: Some(offering),
        };
        Ok((Variable { pointers, choices: offerings.iter().map(choice).collect(), says_who: true }, places))
    }

    fn gpus(self, gpus: &[&'s str], base: &str) -> Result<(Variable<'s>, Vec<Place<'q>>), Vec<Fault>> {
        let part = self.only_part(false, "is no call", base)?;
        let (hardware, gpu) = (format!("{part}/hardware"), format!("{part}/hardware/gpu"));
        let (pointer, place, whole) = if let Ok(place) = find(self.base, &gpu) {
            (gpu, place, false)
        } else {
            let place = find(self.base, &hardware).map_err(|kind| vec![Fault::new("/base", kind)])?;
            (hardware, place, true)
        };
        let choice = |gpu: &&'s str| {
            let name = json(gpu);
            let value = if whole { format!("{{\"gpu\":{name}}}").into() } else { name };
            Choice { values: vec![value], name: Some(gpu), offering: None }
        };
        let choices = gpus.iter().map(choice).collect();
        Ok((Variable { pointers: vec![pointer], choices, says_who: false }, vec![place]))
    }

    /// Where the only workload of a sort stands.
    fn only_part(self, is_call: bool, what: &str, base: &str) -> Result<String, Vec<Fault>> {
        let mut parts = parts(self.base).into_iter().filter(|part| part.is_call == is_call);
        match (parts.next(), parts.next()) {
            (Some(part), None) => Ok(part.pointer),
            (first, _) => {
                let count = if first.is_some() { "several workloads" } else { "no workload" };
                let detail = format!("`base` has {count} of which it could be said: one that {what}");
                Err(vec![Fault::new(base, FaultKind::Contradiction { detail })])
            }
        }
    }

    /// A candidate given by itself, with nothing left open.
    pub(super) fn given(self, candidate: &Candidate<'_>, base: &str) -> Result<Given<'s>, Vec<Fault>> {
        match (&candidate.set, candidate.workload) {
            (Some(set), None) => {
                let mut places = Vec::new();
                for (name, _) in set.iter() {
                    let place = find(self.base, name);
                    places.push(
                        place
                            .map_err(|kind| vec![Fault::new(pointer(&format!("{base}/set"), name), kind)])?,
                    );
                }
                let open = OpenRequest::new(self.base, &places, self.snapshot, self.now, Detail::Lines);
                let open = open.map_err(|_| {
                    let detail = "one of the places lies in another".to_owned();
                    vec![Fault::new(format!("{base}/set"), FaultKind::Contradiction { detail })]
                })?;
                let set = set
                    .iter()
                    .map(|(pointer, value)| Set { pointer: pointer.to_owned(), value: (*value).to_owned() });
                Ok(Given { open, set: set.collect(), is_whole: false })
            }
            (None, Some(workload)) => {
                let text = self.around(workload.get());
                let open = OpenRequest::new(&text, &[], self.snapshot, self.now, Detail::Lines);
                let open =
                    open.map_err(|_| vec![Fault::new(base, FaultKind::wrong_type("is no workload"))])?;
                Ok(Given { open, set: Vec::new(), is_whole: true })
            }
            (None, None) => {
                let name = "workload".to_owned();
                Err(vec![Fault::new(format!("{base}/workload"), FaultKind::MissingField { name })])
            }
            (Some(_), Some(_)) => {
                let detail = "`set` changes `base`, `workload` takes its place: give one of them".to_owned();
                Err(vec![Fault::new(format!("{base}/workload"), FaultKind::Contradiction { detail })])
            }
        }
    }

    /// A workload in a request with the currency, instant and revision of the base.
    fn around(self, workload: &str) -> String {
        const SHARED: [&str; 3] = ["currency", "as_of", "catalog_revision"];
        let mut request = String::from("{");
        let fields =
            serde_json::from_str::<Fields<'_>>(self.base).map_or_else(|_| Vec::new(), |fields| fields.0);
        for (name, value) in fields.iter().filter(|(name, _)| SHARED.contains(&name.as_ref())) {
            request.extend(["\"", name, "\":", value.get(), ","]);
        }
        request.extend(["\"items\":[", workload, "]}"]);
        request
    }
}

/// A candidate given by itself.
#[derive(Debug)]
pub(super) struct Given<'s> {
    pub(super) open: OpenRequest<'s>,
    pub(super) set: Vec<Set>,
    /// Whether it is a workload in the place of the base.
    pub(super) is_whole: bool,
}

fn find<'t>(text: &'t str, pointer: &str) -> Result<Place<'t>, FaultKind> {
    place::find(text, &Pointer::parse(pointer)?)
}

/// A name as JSON.
fn json(name: &str) -> Box<str> {
    serde_json::Value::from(name).to_string().into()
}

fn nothing_like_that(
    is_empty: bool,
    what: &str,
    passed_over: &[(&'static str, usize)],
    base: &str,
) -> Result<(), Vec<Fault>> {
    if !is_empty {
        return Ok(());
    }
    let unknown = passed_over.iter().map(|(field, count)| format!("of {count} `{field}` is not known"));
    let unknown: Vec<String> = unknown.collect();
    let rest = if unknown.is_empty() { String::new() } else { format!(" ({})", unknown.join(", ")) };
    Err(vec![Fault::new(base, FaultKind::out_of_range(format!("admits no {what}{rest}")))])
}
