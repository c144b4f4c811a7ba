//! Rows of the catalog that lines rest on, as both answers cite them: which of them say something else now.

use std::collections::BTreeMap;

use super::causes::{Cause, Figure, Why, percent_between};
use crate::{
    catalog::money::Money,
    estimate::answer::{Answer, AnswerLine, AnswerReference, AnswerReferenceValue},
};

/// Tables whose rows have no figure on the line itself, so that a revised one shows only in what follows from it.
const DATA_SHEETS: [&str; 3] = ["gpu:", "model:", "energy_price:"];

type Cited<'a> = BTreeMap<&'a str, &'a AnswerReference>;

/// What the two answers cite.
pub(super) struct Rows<'a> {
    before: Cited<'a>,
    after: Cited<'a>,
}

impl<'a> Rows<'a> {
    /// What two answers cite.
    pub(super) fn of(before: &'a Answer, after: &'a Answer) -> Self {
        let cited = |answer: &'a Answer| {
            answer.references.0.iter().map(|(name, reference)| (name.as_str(), reference)).collect()
        };
        Self { before: cited(before), after: cited(after) }
    }

    /// The rows that both lines rest on and that moved in between. (What only one of them rests on has shown in a
    /// price or in a quantity.)
    pub(super) fn moved(&self, before: &AnswerLine, after: &AnswerLine) -> impl Iterator<Item = Cause> {
        let shared = before.refs.iter().filter(|name| after.refs.contains(name));
        shared.filter_map(|name| {
            let (first, second) = (self.before.get(name.as_str())?, self.after.get(name.as_str())?);
            let cause = match (&first.value, &second.value) {
                (Some(first), Some(second)) => assumption(first, second),
                _ => data_sheet(name, first, second),
            };
            cause.map(|cause| Cause { reference: Some(name.clone()), ..cause })
        })
    }
}

fn assumption(before: &AnswerReferenceValue, after: &AnswerReferenceValue) -> Option<Cause> {
    if before == after {
        return None;
    }
    let figure = |value: &AnswerReferenceValue| Figure {
        value: value.mid.to_string(),
        low: Some(value.low.to_string()),
        high: Some(value.high.to_string()),
        unit: Some(value.unit.clone()),
        ..Figure::default()
    };
    let (before_figure, after_figure) = (figure(before), figure(after));
    let money = |figure: &Figure| Money::parse(&figure.value).ok();
    let percent = money(&before_figure).zip(money(&after_figure)).filter(|_| before.unit == after.unit);
    Some(Cause {
        percent: percent.and_then(|(before, after)| percent_between(before, after)),
        before: Some(before_figure),
        after: Some(after_figure),
        ..Cause::bare(Why::Assumption)
    })
}

fn data_sheet(name: &str, before: &AnswerReference, after: &AnswerReference) -> Option<Cause> {
    let is_one = DATA_SHEETS.iter().any(|table| name.starts_with(table));
    (is_one && before.revision != after.revision).then(|| Cause::bare(Why::Catalog))
}
