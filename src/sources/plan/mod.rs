//! What an import changes: a table's observations against the prices in force.
//!
//! [`plan`] sorts everything that a table says into *unchanged*, *changed* (the old card is closed at the instant, a
//! new one opened: history stays), *added*, *withdrawn*, *kept* (an operator or another feed wrote it, or it was
//! looked at later than this table) and *refused*. Some changes are [pending](gates): they wait for approval while
//! the rest goes in. [`Plan::apply`] gives the tables after it. Planned again on those, the same table changes
//! nothing.
//!
//! A feed may know less than the catalog. A meter that it does not name keeps its rate; a card under a context, or
//! in hours of the day, that it does not name stays; where it has one price and the catalog has tiers, it is compared
//! with the lowest tier. Only a whole table of a source takes anything away, and only what that source brought.

mod author;
mod cards;
mod compare;
mod fx;
pub mod gates;
mod group;
mod own_rows;
mod rentals;

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::author::{Author, Source};
pub use self::gates::{Gate, Pending};
use super::{
    Format, Observation, Reading, Reason, Refusal,
    row::{Edits, edited},
};
use crate::catalog::{
    check::{Finding, check},
    rows::Tables,
    snapshot::View,
    time::to_milliseconds,
};

/// A table to be imported, besides what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Its form.
    pub format: Format,
    /// Whose it is.
    pub source: Source,
    /// When it was looked at: the instant from which new prices hold, unless it says otherwise itself.
    pub observed_at: Timestamp,
    /// Whether it is everything that the source has, so that what is not there is withdrawn.
    pub whole: bool,
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was not there.
    Added,
    /// It has other figures.
    Changed,
    /// The source no longer has it.
    Withdrawn,
    /// It is as it was, and was seen again.
    Seen,
}

/// A figure that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Difference {
    /// The meter, or the field of the row.
    #[schema(example = "input_tokens")]
    pub field: String,
    /// Of a tier: that of more input tokens than this.
    pub input_tokens_above: Option<u64>,
    /// What it was; null: there was none.
    #[schema(example = "2.5")]
    pub old: Option<String>,
    /// What it is to be; null: there is to be none.
    #[schema(example = "3")]
    pub new: Option<String>,
    /// By how much it changes, where both are numbers and the old one is not zero.
    #[serde(with = "crate::catalog::money::optional_decimal_text")]
    #[schema(value_type = Option<String>, example = "20")]
    pub percent: Option<Decimal>,
}

impl Difference {
    /// A difference between two figures.
    fn between(field: &str, old: Option<Decimal>, new: Option<Decimal>) -> Self {
        let percent = old.zip(new).and_then(|(old, new)| {
            let moved = new.checked_sub(old)?.checked_mul(100.into())?.checked_div(old)?;
            Some(moved.round_dp(1).normalize())
        });
        let text = |figure: Decimal| figure.normalize().to_string();
        let (old, new) = (old.map(text), new.map(text));
        Self { field: field.to_owned(), input_tokens_above: None, old, new, percent }
    }
}

/// A change that goes in together or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// The table.
    #[schema(example = "rate_card")]
    pub table: &'static str,
    /// What it is about: an offering with its conditions, a machine, a day and a currency.
    #[schema(example = "openai/gpt-4o USD {}")]
    pub subject: String,
    /// The figures.
    pub differences: Vec<Difference>,
    /// Why it waits for approval; empty: it does not.
    pub pending: Vec<Pending>,
    /// The rows.
    #[serde(skip)]
    pub edits: Edits,
}

impl Change {
    /// Whether it waits for approval.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

/// What is left as it is although the table says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Kept {
    /// What it is about.
    #[schema(example = "openai/gpt-4o USD {}")]
    pub subject: String,
    /// Why: who wrote it, or when it was looked at.
    #[schema(example = "written by `key:ops`")]
    pub because: String,
    /// What the table says instead.
    pub differences: Vec<Difference>,
}

/// What an import would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Plan {
    /// The changes, by table and subject.
    pub changes: Vec<Change>,
    /// How much is as the table says.
    pub unchanged: u64,
    /// How many cards of the table had ended before the instant: its history, which is not compared.
    pub past: u64,
    /// What an operator or another feed wrote, or somebody looked at later.
    pub kept: Vec<Kept>,
    /// What is not taken, and why.
    pub refused: Vec<Refusal>,
    /// Fields that look like prices and have no meter here, with how many rows have them.
    pub unread: BTreeMap<String, u64>,
}

/// How much of each there is in a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Counts {
    /// Rows that were not there, without the pending ones.
    pub added: u64,
    /// Rows with other figures, without the pending ones.
    pub changed: u64,
    /// Rows that the source no longer has, without the pending ones.
    pub withdrawn: u64,
    /// Rows seen again after a while.
    pub seen: u64,
    /// What is as the table says.
    pub unchanged: u64,
    /// What is kept although the table says otherwise.
    pub kept: u64,
    /// What waits, by gate.
    pub pending: BTreeMap<Gate, u64>,
    /// What is not taken, by reason.
    pub refused: BTreeMap<Reason, u64>,
}

impl Plan {
    /// Whether it changes nothing; what is pending has not changed anything yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(Change::is_pending)
    }

    /// How much of each there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let ready =
            |action| self.changes.iter().filter(|it| it.action == action && !it.is_pending()).count() as u64;
        let mut counts = Counts {
            added: ready(Action::Added),
            changed: ready(Action::Changed),
            withdrawn: ready(Action::Withdrawn),
            seen: ready(Action::Seen),
            unchanged: self.unchanged,
            kept: self.kept.len() as u64,
            ..Counts::default()
        };
        for first in self.changes.iter().filter_map(|change| change.pending.first()) {
            *counts.pending.entry(first.gate).or_default() += 1;
        }
        for refusal in &self.refused {
            *counts.refused.entry(refusal.reason).or_default() += 1;
        }
        counts
    }

    /// The tables after the changes that do not wait, and those of the others that are approved.
    ///
    /// # Errors
    /// What the catalog's check finds wrong with the result: approving can bring that about, the rest cannot.
    pub fn apply(&self, tables: Tables, approved: impl Fn(&Change) -> bool) -> Result<Tables, Vec<Finding>> {
        let tables = self.applied(tables, approved);
        let findings = check(&tables);
        if findings.is_empty() { Ok(tables) } else { Err(findings) }
    }

    fn applied(&self, tables: Tables, approved: impl Fn(&Change) -> bool) -> Tables {
        let goes_in = self.changes.iter().filter(|change| !change.is_pending() || approved(change));
        edited(tables, goes_in.map(|change| &change.edits))
    }

    fn refuse(&mut self, place: &str, reason: Reason, detail: impl Into<String>) {
        self.refused.push(Refusal::new(place, reason, detail));
    }

    /// Takes out changes of which the catalog's check finds that they cannot go in, now or once approved.
    fn refuse_unsound(&mut self, tables: &Tables) {
        const ROUNDS: usize = 4; // a change that goes can leave another one dangling
        for _ in 0..ROUNDS {
            let findings = check(&self.applied(tables.clone(), |_| true));
            let problems: BTreeMap<(&str, String), String> =
                findings.into_iter().map(|it| ((it.table, it.key), it.problem)).collect();
            let before = self.changes.len();
            let refused = &mut self.refused;
            self.changes.retain(|change| {
                let rows = || change.edits.put.iter().filter(|_| !problems.is_empty());
                let problem = rows().find_map(|row| problems.get(&(row.table(), row.key())));
                let Some(problem) = problem else { return true };
                refused.push(Refusal::new(&change.subject, Reason::Unsound, problem));
                false
            });
            if self.changes.len() == before {
                return;
            }
        }
    }
}

/// Plans an import of what a table says, on top of what a view shows; the view is the newest one.
#[must_use]
pub fn plan(reading: Reading, view: View<'_>, import: &Import) -> Plan {
    let import = &Import { observed_at: to_milliseconds(import.observed_at), ..import.clone() };
    let mut plan = Plan { refused: reading.refused, unread: reading.unread, ..Plan::default() };
    let (mut prices, mut rentals, mut rates, mut rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for observation in reading.observations {
        match observation {
            Observation::Prices(it) => prices.push(*it),
            Observation::Rental(it) => rentals.push(*it),
            Observation::Fx(it) => rates.push(it),
            Observation::Row(it) => rows.push(it),
        }
    }
    if !prices.is_empty() {
        cards::plan(prices, view, import, &mut plan);
    }
    if !rentals.is_empty() {
        rentals::plan(rentals, view, import, &mut plan);
    }
    fx::plan(&rates, view, import, &mut plan);
    own_rows::plan(rows, view, import, &mut plan);
    plan.changes.sort_by(|one, other| (one.table, &one.subject).cmp(&(other.table, &other.subject)));
    if !plan.changes.is_empty() {
        plan.refuse_unsound(&view.snapshot().history().at(view.revision));
    }
    plan
}
