//! Lists whose rows are told as they stand, each with the revision that introduced it.

use std::cmp::Ordering;

use serde::Serialize;

use super::{
    Resource, Scope,
    fault::Fault,
    item::Item,
    order::{Hit, Key, Sort, arrange},
    query::Asked,
    search::{Search, rank_of},
};
use crate::catalog::{
    ids::RevisionNumber,
    rows::{History, Versioned},
};

/// What is to be said of a table for its rows to be listed.
pub trait Listed {
    /// A row.
    type Row: Serialize + 'static;
    /// What may be asked.
    type Query: Asked;
    /// What rows can be sorted by.
    type Key: Key;
    /// What is added to a row.
    type Added: Serialize + From<RevisionNumber>;

    /// The table.
    fn table(history: &History) -> &[Versioned<Self::Row>];

    /// What is searched for, and the order.
    fn asked(query: &Self::Query) -> (Option<&str>, Option<Sort<Self::Key>>);

    /// Which rows are asked for.
    ///
    /// # Errors
    /// When the query names something that is not there.
    fn keep<'q>(scope: Scope<'q>, query: &'q Self::Query) -> Result<impl Fn(&Self::Row) -> bool, Fault>;

    /// The names that a search looks at.
    fn names(row: &Self::Row) -> impl Iterator<Item = &str>;

    /// The order by a key.
    fn compare(sort: Sort<Self::Key>, a: &Self::Row, b: &Self::Row) -> Ordering;

    /// The order of what is equal by the key.
    fn ties(a: &Self::Row, b: &Self::Row) -> Ordering;
}

impl<L: Listed> Resource for L {
    type Query = L::Query;
    type Item<'s> = Item<'s, L::Row, L::Added>;

    fn rows(scope: Scope<'_>, query: &L::Query) -> Result<Vec<u32>, Fault> {
        let (text, sort) = L::asked(query);
        let search = Search::new(text)?;
        let keep = L::keep(scope, query)?;
        let rows = scope.rows(L::table(scope.view.snapshot().history()));
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            rank_of(search.as_ref(), L::names(&row.row)).map(|rank| Hit { at, row, rank })
        });
        Ok(arrange(hits.collect(), sort, L::compare, L::ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<Self::Item<'s>> {
        let table = L::table(scope.view.snapshot().history());
        rows.iter().map(|at| item::<L>(&table[*at as usize])).collect()
    }
}

/// What is told of a row.
pub(super) fn item<L: Listed>(known: &Versioned<L::Row>) -> Item<'_, L::Row, L::Added> {
    Item { row: &known.row, added: known.introduced.into() }
}

/// Declares what is added to a row, what is then told of it, and a page of it.
macro_rules! told {
    ($(#[$doc:meta])* $row:ident: $added:ident, $item:ident, $list:ident) => {
        $(#[$doc])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        #[schema(as = $item)]
        pub struct $added {
            /// The revision of the catalog that introduced this row.
            #[schema(example = 1)]
            pub revision: u32,
        }

        impl From<$crate::catalog::ids::RevisionNumber> for $added {
            fn from(introduced: $crate::catalog::ids::RevisionNumber) -> Self {
                Self { revision: introduced.0 }
            }
        }

        /// What is told of a row.
        pub type $item<'s> = $crate::browse::item::Item<'s, $row, $added>;

        /// One page, as the document describes it: without `<..>`, which utoipa would take apart.
        pub type $list = $crate::browse::Listing<$item<'static>>;
    };
}
pub(super) use told;
