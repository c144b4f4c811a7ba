//! What moved between two answers, and why.
//!
//! [`diff`] matches items (by id, then by place and offering) and lines (by code), and names for each line that
//! moved what about it did: its price, its quantity, its exchange rate, what it is a share of, a default of the
//! arithmetic that it rests on. [`diff_since`] also tells what the engine moved. [`Limit`] decides, to the last digit,
//! whether a total has risen by more than it may.

mod causes;
mod limit;
mod matching;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    causes::{Cause, Figure, Why},
    limit::{FailOver, Limit, NotLimit},
};
use self::{
    causes::{Pair, Replay},
    rows::Rows,
};
use super::answer::{Answer, AnswerItem, AnswerLine, AnswerTotal, AnswerWarning};
use crate::catalog::money::{Currency, Money, Overflow};

/// What moved between two answers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Diff {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// What the first answer rests on.
    pub before: Side,
    /// What the second answer rests on.
    pub after: Side,
    /// The total.
    pub total: Change,
    /// The total before adjustments, where either answer has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list_total: Option<Change>,
    /// Subtotals that moved, by their name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Change>,
    /// Items about which anything moved, in the order of the second answer, then those that are gone.
    pub items: Vec<ItemDiff>,
    /// How many items are as they were; null: one of the answers holds only totals.
    #[schema(example = 3)]
    pub unchanged_items: Option<usize>,
    /// Doubts about the whole that appeared or are gone.
    pub warnings: Vec<WarningDiff>,
    /// Whether the total rose by more than it may; only where a limit was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_over: Option<FailOver>,
}

/// What one answer rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Side {
    /// The instant whose prices were used.
    #[schema(format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: String,
    /// The revision of the catalog.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: String,
}

/// An amount on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Change {
    /// The first amount; null: it is not there.
    pub before: Option<Money>,
    /// The second amount; null: it is not there.
    pub after: Option<Money>,
    /// The second less the first; what is not there counts as nothing.
    pub change: Money,
    /// The change in percent of the size of the first amount, rounded to two places; null: from nothing.
    pub percent: Option<Money>,
}

/// What moved about one workload.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ItemDiff {
    /// The asker's own name for it.
    #[schema(example = "req_7d1f")]
    pub id: Option<String>,
    /// The asker's description of it.
    #[schema(example = "nightly summaries")]
    pub label: Option<String>,
    /// The kind of workload.
    #[schema(example = "api_usage")]
    pub kind: String,
    /// Its place in the first answer, counting from 0; null: it is new.
    #[schema(example = 0)]
    pub index_before: Option<usize>,
    /// Its place in the second answer, counting from 0; null: it is gone.
    #[schema(example = 0)]
    pub index_after: Option<usize>,
    /// The offering in the first answer.
    #[schema(example = "openai/gpt-4o")]
    pub offering_before: Option<String>,
    /// The offering in the second answer.
    #[schema(example = "openai/gpt-4o")]
    pub offering_after: Option<String>,
    /// Its total.
    pub total: Change,
    /// Lines about which anything moved, in the order of the second answer, then those that are gone.
    pub lines: Vec<LineDiff>,
    /// How many lines are as they were.
    #[schema(example = 2)]
    pub unchanged_lines: usize,
    /// Doubts that appeared or are gone.
    pub warnings: Vec<WarningDiff>,
}

/// What moved about one line.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LineDiff {
    /// What is paid for.
    #[schema(example = "input_tokens")]
    pub code: String,
    /// The same in words.
    #[schema(example = "input tokens")]
    pub description: String,
    /// The amount.
    pub amount: Change,
    /// What moved it; figures may move and leave the amount as it was.
    pub causes: Vec<Cause>,
}

/// A doubt that one answer has and the other has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct WarningDiff {
    /// Which way.
    pub change: Appearance,
    /// What kind of doubt.
    #[schema(example = "provider_assumed")]
    pub code: String,
    /// The doubt in words.
    #[schema(example = "the only seller of this name is `deepinfra`")]
    pub message: String,
    /// The part of its own request that it is about, as a JSON Pointer.
    #[schema(example = "/items/0/model")]
    pub pointer: String,
}

/// Whether something came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    /// Only the second answer has it.
    Appeared,
    /// Only the first answer has it.
    Gone,
}

/// Why two answers cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// They are in different currencies.
    #[error("the first answer is in {before}, the second in {after}: ask for both in one currency")]
    Currencies {
        /// The first's.
        before: Currency,
        /// The second's.
        after: Currency,
    },
    /// Their amounts are too far apart.
    #[error("the amounts need more than 76 digits side by side")]
    Overflow,
}

impl From<Overflow> for DiffError {
    fn from(Overflow: Overflow) -> Self {
        Self::Overflow
    }
}

/// Compares two answers.
///
/// # Errors
/// When they are in different currencies, or too far apart for 76 digits.
pub fn diff(before: &Answer, after: &Answer) -> Result<Diff, DiffError> {
    compare(before, None, after)
}

/// Compares two answers to one request. `replayed` is what the first one's request comes to under today's engine, at
/// the first one's own time and revision: where it differs from what was kept, the engine has moved it.
///
/// # Errors
/// When they are in different currencies, or too far apart for 76 digits.
pub fn diff_since(before: &Answer, replayed: &Answer, after: &Answer) -> Result<Diff, DiffError> {
    compare(before, Some(replayed), after)
}

fn compare(before: &Answer, replayed: Option<&Answer>, after: &Answer) -> Result<Diff, DiffError> {
    if before.currency != after.currency {
        return Err(DiffError::Currencies { before: before.currency, after: after.currency });
    }
    let (items, unchanged_items) = match (&before.items, &after.items) {
        (Some(first), Some(second)) => {
            let rows = Rows::of(replayed.unwrap_or(before), after);
            let replayed = replayed.and_then(|replayed| replayed.items.as_deref());
            let (items, unchanged) = item_diffs(first, replayed, second, &rows)?;
            (items, Some(unchanged))
        }
        _ => (Vec::new(), None),
    };
    Ok(Diff {
        currency: after.currency,
        before: Side::of(before),
        after: Side::of(after),
        total: Change::between(Some(before.total.amount), Some(after.total.amount))?,
        list_total: list_total(before, after)?,
        groups: group_diffs(before, after)?,
        items,
        unchanged_items,
        warnings: warning_diffs(&before.warnings, &after.warnings),
        fail_over: None,
    })
}

impl Diff {
    /// The same with the verdict on a limit.
    ///
    /// # Errors
    /// When the amounts are too far apart for 76 digits.
    pub fn judged(mut self, limit: &Limit) -> Result<Self, Overflow> {
        let exceeded = limit.is_exceeded_by(self.total)?;
        self.fail_over = Some(FailOver { limit: limit.to_string(), exceeded });
        Ok(self)
    }
}

impl Side {
    fn of(answer: &Answer) -> Self {
        Self {
            as_of: answer.as_of.clone(),
            catalog_revision: answer.catalog_revision,
            engine: answer.engine.clone(),
        }
    }
}

impl Change {
    fn between(before: Option<Money>, after: Option<Money>) -> Result<Self, Overflow> {
        let first = before.unwrap_or(Money::ZERO);
        let change = after.unwrap_or(Money::ZERO).checked_sub(first)?;
        Ok(Self { before, after, change, percent: change.percent_of(first) })
    }

    fn of_lines(before: Option<&AnswerLine>, after: Option<&AnswerLine>) -> Result<Self, Overflow> {
        Self::between(before.map(|line| line.amount), after.map(|line| line.amount))
    }

    fn of_totals(before: Option<AnswerTotal>, after: Option<AnswerTotal>) -> Result<Option<Self>, Overflow> {
        let (before, after) = (before.map(|total| total.amount), after.map(|total| total.amount));
        (before.is_some() || after.is_some()).then(|| Self::between(before, after)).transpose()
    }

    /// Whether both sides are there and equal.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.before.is_some() == self.after.is_some() && self.change.is_zero()
    }
}

/// An answer without adjustments is its own list total.
fn list_total(before: &Answer, after: &Answer) -> Result<Option<Change>, Overflow> {
    if before.list_total.is_none() && after.list_total.is_none() {
        return Ok(None);
    }
    let of = |answer: &Answer| Some(answer.list_total.unwrap_or(answer.total));
    Change::of_totals(of(before), of(after))
}

fn group_diffs(before: &Answer, after: &Answer) -> Result<BTreeMap<String, Change>, Overflow> {
    let none = BTreeMap::new();
    let (before, after) = (before.groups.as_ref().unwrap_or(&none), after.groups.as_ref().unwrap_or(&none));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut groups = BTreeMap::new();
    for name in names {
        let change = Change::of_totals(before.get(name).copied(), after.get(name).copied())?;
        if let Some(change) = change.filter(|change| !change.is_none()) {
            groups.insert(name.clone(), change);
        }
    }
    Ok(groups)
}

/// The items that moved, and how many did not.
fn item_diffs(
    before: &[AnswerItem],
    replayed: Option<&[AnswerItem]>,
    after: &[AnswerItem],
    rows: &Rows<'_>,
) -> Result<(Vec<ItemDiff>, usize), Overflow> {
    let pairs = matching::items(before, after);
    let mut moved = Vec::new();
    let count = pairs.len();
    for (index_before, index_after) in pairs {
        let first = index_before.map(|at| &before[at]);
        let second = index_after.map(|at| &after[at]);
        let Some(item) = second.or(first) else { continue };
        // The replayed answer is to the first one's request: its items stand where the first one's do.
        let again = replayed.map(|items| lines_of(index_before.and_then(|at| items.get(at))));
        let (lines, unchanged_lines) = line_diffs(lines_of(first), again, lines_of(second), rows)?;
        let item = ItemDiff {
            id: item.id.clone(),
            label: item.label.clone(),
            kind: item.kind.clone(),
            index_before,
            index_after,
            offering_before: first.and_then(|item| item.offering.clone()),
            offering_after: second.and_then(|item| item.offering.clone()),
            total: Change::between(
                first.map(|item| item.total.amount),
                second.map(|item| item.total.amount),
            )?,
            lines,
            unchanged_lines,
            warnings: warning_diffs(
                first.map_or(&[], |item| &item.warnings),
                second.map_or(&[], |item| &item.warnings),
            ),
        };
        if item.has_moved() {
            moved.push(item);
        }
    }
    let unchanged = count - moved.len();
    Ok((moved, unchanged))
}

impl ItemDiff {
    fn has_moved(&self) -> bool {
        !self.total.is_none()
            || !self.lines.is_empty()
            || !self.warnings.is_empty()
            || self.offering_before != self.offering_after
    }
}

fn lines_of(item: Option<&AnswerItem>) -> &[AnswerLine] {
    item.map_or(&[], |item| &item.lines)
}

/// The lines that moved, and how many did not.
fn line_diffs(
    before: &[AnswerLine],
    replayed: Option<&[AnswerLine]>,
    after: &[AnswerLine],
    rows: &Rows<'_>,
) -> Result<(Vec<LineDiff>, usize), Overflow> {
    let stayed = after.iter().map(|line| (of_code(before, &line.code), Some(line)));
    let gone = before.iter().filter(|line| of_code(after, &line.code).is_none());
    let pairs: Vec<_> = stayed.chain(gone.map(|line| (Some(line), None))).collect();
    let mut moved = Vec::new();
    for (first, second) in &pairs {
        let Some(line) = second.or(*first) else { continue };
        let amount = Change::of_lines(*first, *second)?;
        let known = |lines| Replay::Known(of_code(lines, &line.code));
        let replay = replayed.map_or(Replay::Unknown, known);
        let causes = Pair { before: *first, replay, after: *second }.causes(rows, amount);
        if !causes.is_empty() {
            let (code, description) = (line.code.clone(), line.description.clone());
            moved.push(LineDiff { code, description, amount, causes });
        }
    }
    let unchanged = pairs.len() - moved.len();
    Ok((moved, unchanged))
}

/// The line of a code, of which there is one at most.
fn of_code<'a>(lines: &'a [AnswerLine], code: &str) -> Option<&'a AnswerLine> {
    lines.iter().find(|line| line.code == code)
}

/// Doubts without a counterpart: first the same words are paired, then the same kind of doubt.
fn warning_diffs(before: &[AnswerWarning], after: &[AnswerWarning]) -> Vec<WarningDiff> {
    let mut gone: Vec<&AnswerWarning> = before.iter().collect();
    let mut appeared: Vec<&AnswerWarning> = after.iter().collect();
    let is_same_words = |a: &AnswerWarning, b: &AnswerWarning| a.code == b.code && a.message == b.message;
    let is_same_kind = |a: &AnswerWarning, b: &AnswerWarning| a.code == b.code;
    for is_same in [is_same_words as fn(&AnswerWarning, &AnswerWarning) -> bool, is_same_kind] {
        appeared.retain(|after| match gone.iter().position(|before| is_same(before, after)) {
            Some(at) => {
                gone.remove(at);
                false
            }
            None => true,
        });
    }
    let appeared = appeared.into_iter().map(|warning| WarningDiff::of(Appearance::Appeared, warning));
    let gone = gone.into_iter().map(|warning| WarningDiff::of(Appearance::Gone, warning));
    appeared.chain(gone).collect()
}

impl WarningDiff {
    fn of(change: Appearance, warning: &AnswerWarning) -> Self {
        let AnswerWarning { code, message, pointer } = warning.clone();
        Self { change, code, message, pointer }
    }
}

#[cfg(test)]
mod tests;
