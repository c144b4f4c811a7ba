//! What changed in the catalog, when, by whom and why: `GET /revisions`.

use jiff::civil::Date;

use super::{
    Listing, Resource, Scope,
    fault::{Fault, Thing, Unknown},
    order::sort_keys,
    query::{Said as _, query},
};
use crate::catalog::{rows::Revision, time::utc_day};

sort_keys! {
    /// What revisions can be sorted by.
    RevisionKey, RevisionSort {
        Revision = "revision",
    }
}

query! {
    /// Which revisions, and in which order.
    RevisionQuery {
        /// Who made it, in any case, such as `farthing`.
        #[param(example = "")]
        actor: String,
        /// The first day (UTC) on which it was made.
        #[param(value_type = Option<String>, format = Date, example = "2026-01-01")]
        from: Date,
        /// The last day (UTC) on which it was made.
        #[param(value_type = Option<String>, format = Date, example = "2027-01-01")]
        to: Date,
        /// The order; `-` puts the newest first. Default: the newest first.
        #[param(inline)]
        sort: RevisionSort,
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type RevisionList = Listing<Revision>;

/// The list of revisions, up to the one looked at.
#[derive(Debug)]
pub struct Revisions;

impl Resource for Revisions {
    type Query = RevisionQuery;
    type Item<'s> = &'s Revision;

    fn rows(scope: Scope<'_>, query: &RevisionQuery) -> Result<Vec<u32>, Fault> {
        let keep = |revision: &Revision| {
            let day = utc_day(revision.made_at);
            revision.revision <= scope.view.revision
                && super::models::is(query.actor.said(), Some(&revision.actor))
                && query.from.is_none_or(|from| day >= from)
                && query.to.is_none_or(|to| day <= to)
        };
        let all = (0..).zip(scope.view.snapshot().revisions());
        let mut rows: Vec<u32> = all.filter(|(_, revision)| keep(revision)).map(|(at, _)| at).collect();
        if query.sort.is_none_or(|sort| sort.descending) {
            rows.reverse();
        }
        Ok(rows)
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<&'s Revision> {
        rows.iter().map(|at| &scope.view.snapshot().revisions()[*at as usize]).collect()
    }
}

/// One revision, by its number.
///
/// # Errors
/// When there is none of that number.
pub fn one<'s>(scope: Scope<'s>, number: &str) -> Result<&'s Revision, Unknown> {
    let revisions = scope.view.snapshot().revisions();
    let wanted = number.parse::<u32>().ok();
    let found = revisions.iter().find(|known| Some(known.revision.0) == wanted);
    found.ok_or_else(|| {
        let newest = scope.view.revision.to_string();
        Unknown { thing: Thing::Revision, name: number.to_owned(), near: vec![newest] }
    })
}
