//! Defaults of the arithmetic: `GET /assumptions`.

use std::cmp::Ordering;

use super::{
    Scope,
    fault::{Fault, Unknown},
    listed::{Listed, item, told},
    lookup,
    models::is,
    order::sort_keys,
    query::{Said as _, query},
};
use crate::catalog::{
    assumption::Assumption,
    rows::{History, Versioned},
};

sort_keys! {
    /// What assumptions can be sorted by.
    AssumptionKey, AssumptionSort {
        Id = "id",
        Unit = "unit",
    }
}

query! {
    as_of
    /// Which assumptions of those that hold at the instant asked about, and in which order.
    AssumptionQuery {
        /// Search in ids and descriptions: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "goodput")]
        q: String,
        /// How the id begins, such as `energy.`.
        #[param(example = "training.")]
        prefix: String,
        /// Its unit, in any case.
        #[param(example = "ratio")]
        unit: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by id.
        #[param(inline)]
        sort: AssumptionSort,
    }
}

told! {
    /// A default of the arithmetic, with its spread.
    Assumption: AssumptionAdded, AssumptionItem, AssumptionList
}

/// The list of assumptions.
#[derive(Debug)]
pub struct Assumptions;

impl Listed for Assumptions {
    type Row = Assumption;
    type Query = AssumptionQuery;
    type Key = AssumptionKey;
    type Added = AssumptionAdded;

    fn table(history: &History) -> &[Versioned<Assumption>] {
        &history.assumptions
    }

    fn asked(query: &AssumptionQuery) -> (Option<&str>, Option<AssumptionSort>) {
        (query.q.said(), query.sort)
    }

    fn keep<'q>(scope: Scope<'q>, query: &'q AssumptionQuery) -> Result<impl Fn(&Assumption) -> bool, Fault> {
        Ok(move |row: &Assumption| {
            row.span().contains(scope.as_of)
                && query.prefix.said().is_none_or(|prefix| row.id.starts_with(prefix))
                && is(query.unit.said(), Some(&row.unit))
        })
    }

    fn names(row: &Assumption) -> impl Iterator<Item = &str> {
        [row.id.as_str(), &row.description].into_iter()
    }

    fn compare(sort: AssumptionSort, a: &Assumption, b: &Assumption) -> Ordering {
        match sort.key {
            AssumptionKey::Id => sort.by(&a.id, &b.id),
            AssumptionKey::Unit => sort.by(&a.unit, &b.unit),
        }
    }

    fn ties(a: &Assumption, b: &Assumption) -> Ordering {
        a.id.cmp(&b.id)
    }
}

/// One assumption as it holds at the instant asked about, by its id.
///
/// # Errors
/// When there is none of that name then.
pub fn one<'s>(scope: Scope<'s>, id: &str) -> Result<AssumptionItem<'s>, Unknown> {
    lookup::assumption(scope, id).map(item::<Assumptions>)
}
