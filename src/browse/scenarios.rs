//! Ready-to-send requests: `GET /scenarios`.

use std::cmp::Ordering;

use super::{
    Scope,
    fault::{Fault, Unknown},
    listed::{Listed, item, told},
    lookup,
    order::{folded, sort_keys},
    query::{Said as _, query},
};
use crate::catalog::{
    rows::{History, Versioned},
    scenario::Scenario,
};

sort_keys! {
    /// What scenarios can be sorted by.
    ScenarioKey, ScenarioSort {
        Id = "id",
        Title = "title",
    }
}

query! {
    /// Which scenarios, and in which order.
    ScenarioQuery {
        /// Search in ids and titles: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "gpt-4o")]
        q: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by id.
        #[param(inline)]
        sort: ScenarioSort,
    }
}

told! {
    /// A ready-to-send request, with the published figures that its answer is held against.
    Scenario: ScenarioAdded, ScenarioItem, ScenarioList
}

/// The list of scenarios.
#[derive(Debug)]
pub struct Scenarios;

impl Listed for Scenarios {
    type Row = Scenario;
    type Query = ScenarioQuery;
    type Key = ScenarioKey;
    type Added = ScenarioAdded;

    fn table(history: &History) -> &[Versioned<Scenario>] {
        &history.scenarios
    }

    fn asked(query: &ScenarioQuery) -> (Option<&str>, Option<ScenarioSort>) {
        (query.q.said(), query.sort)
    }

    fn keep<'q>(_: Scope<'q>, _: &'q ScenarioQuery) -> Result<impl Fn(&Scenario) -> bool, Fault> {
        Ok(|_: &Scenario| true)
    }

    fn names(row: &Scenario) -> impl Iterator<Item = &str> {
        [row.id.as_str(), &row.title].into_iter()
    }

    fn compare(sort: ScenarioSort, a: &Scenario, b: &Scenario) -> Ordering {
        match sort.key {
            ScenarioKey::Id => sort.by(&a.id, &b.id),
            ScenarioKey::Title => sort.directed(folded(&a.title, &b.title)),
        }
    }

    fn ties(a: &Scenario, b: &Scenario) -> Ordering {
        a.id.cmp(&b.id)
    }
}

/// One scenario, by its id.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, id: &str) -> Result<ScenarioItem<'s>, Unknown> {
    lookup::scenario(scope.view, id).map(item::<Scenarios>)
}
