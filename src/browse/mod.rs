//! Looking around in the catalog: lists with filters, search, order and pages, single rows, tables.
//!
//! [`list`] answers one page of any [`Resource`]; a file for each of them says which rows it has, in which
//! order, and what is told of a row. One walk through the pages sees one revision and one instant, whatever
//! has been learnt in between: the [`cursor`] carries both.

pub mod assumptions;
pub mod computed;
pub mod cursor;
pub mod energy_prices;
pub mod fault;
pub mod fx_rates;
pub mod gpu_prices;
pub mod gpus;
pub mod item;
pub mod listed;
mod lookup;
pub mod meters;
pub mod models;
pub mod offerings;
pub mod order;
pub mod prices;
pub mod providers;
pub mod published_runs;
pub mod published_throughputs;
pub mod query;
pub mod revisions;
pub mod scenarios;
pub mod search;
pub mod sheet;

use std::borrow::Cow;

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, Schema},
    },
};

use self::{
    cursor::Cursor,
    fault::{Fault, FaultKind},
    query::{Asked, Page},
};
use crate::catalog::{
    ids::RevisionNumber,
    rows::Versioned,
    snapshot::{Snapshot, View},
    time::{to_milliseconds, utc_day},
};

/// What is looked at: the catalog as known at a revision, and the instant that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// The catalog.
    pub view: View<'s>,
    /// The instant.
    pub as_of: Timestamp,
}

impl<'s> Scope<'s> {
    /// The scope of a question that names a revision and an instant, or leaves them to the newest and to now.
    ///
    /// # Errors
    /// When there is no such revision.
    pub fn of(snapshot: &'s Snapshot, page: Page<'_>, now: Timestamp) -> Result<Self, Fault> {
        let view = match page.catalog_revision {
            None => snapshot.newest(),
            Some(wanted) => {
                let number = u32::try_from(wanted).ok().map(RevisionNumber);
                let newest = snapshot.revision().0;
                let unknown = FaultKind::UnknownRevision { revision: wanted, newest };
                number
                    .and_then(|number| snapshot.at(number))
                    .ok_or(Fault { parameter: "catalog_revision", kind: unknown })?
            }
        };
        Ok(Self { view, as_of: page.as_of.map_or_else(|| to_milliseconds(now), |as_of| as_of.instant) })
    }

    /// The day of the instant in UTC.
    #[must_use]
    pub fn day(self) -> Date {
        utc_day(self.as_of)
    }

    /// How many days ago something was seen; 0 when that was later than the instant asked about.
    #[must_use]
    pub fn age_days(self, seen: Date) -> u32 {
        let days = self.day().since(seen).map_or(0, |span| span.get_days());
        u32::try_from(days).unwrap_or(0)
    }

    /// The known rows of a table with their places in it.
    fn rows<T>(self, table: &'s [Versioned<T>]) -> impl Iterator<Item = (u32, &'s Versioned<T>)> {
        (0..).zip(table).filter(move |(_, row)| row.known_at(self.view.revision))
    }
}

/// Something that can be listed.
pub trait Resource {
    /// What may be asked.
    type Query: Asked;
    /// What is told of a row.
    type Item<'s>: Serialize;

    /// The places of the rows asked for, in the order asked for.
    ///
    /// # Errors
    /// When the query asks for something that is not there.
    fn rows(scope: Scope<'_>, query: &Self::Query) -> Result<Vec<u32>, Fault>;

    /// What is told of the rows at these places.
    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<Self::Item<'s>>;
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Listing<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to give as `cursor` for the page after this one; none: this is the last.
    pub next_cursor: Option<String>,
    /// The revision of the catalog that was looked at.
    pub catalog_revision: u32,
}

/// What every page says beside its rows.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of the part of `Listing` that does not depend on the rows")]
struct PageEnd {
    /// What to give as `cursor` for the page after this one; null: this is the last.
    #[schema(example = "AQAAAAEAAAGat7kMAAAAADK4rKt0p2jR-g")]
    next_cursor: Option<String>,
    /// The revision of the catalog that was looked at.
    #[schema(example = 1)]
    catalog_revision: u32,
}

/// Written by hand because the derived one repeats the whole schema of the rows instead of referring to it.
impl<T: ToSchema> PartialSchema for Listing<T> {
    fn schema() -> RefOr<Schema> {
        let rows = Ref::from_schema_name(T::name());
        let rows = ArrayBuilder::new().items(RefOr::Ref(rows)).description(Some("The rows."));
        let mut page = item::object(PageEnd::schema());
        page.description = Some("One page of a list.".to_owned());
        page.properties.insert("items".to_owned(), rows.into());
        page.required.extend(["items", "next_cursor"].map(str::to_owned));
        Schema::Object(page).into()
    }
}

/// `ProviderList` for rows called `ProviderItem`.
impl<T: ToSchema> ToSchema for Listing<T> {
    fn name() -> Cow<'static, str> {
        let row = T::name();
        format!("{}List", row.strip_suffix("Item").unwrap_or(&row)).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(schemas);
    }
}

/// The rows that a page has, before anything is told of them.
#[derive(Debug)]
pub struct Selection<'s> {
    /// What they were looked up in.
    pub scope: Scope<'s>,
    /// Their places.
    pub rows: Vec<u32>,
    /// Where the next page goes on.
    pub next_cursor: Option<String>,
}

/// Selects the rows of one page. `binding` is all that a cursor belongs to: the path, and the query but for
/// `cursor` and `limit`. `usual` is how many rows a page has when the query does not say.
///
/// # Errors
/// When the query asks for something that is not there.
pub fn select<'s, R: Resource>(
    snapshot: &'s Snapshot,
    query: &R::Query,
    binding: &str,
    usual: usize,
    now: Timestamp,
) -> Result<Selection<'s>, Fault> {
    let page = query.page();
    let limit = page.limit()?.unwrap_or(usual);
    let (scope, offset) = match page.cursor.filter(|text| !text.is_empty()) {
        None => (Scope::of(snapshot, page, now)?, 0),
        Some(text) => resume(snapshot, text, binding)?,
    };
    let mut rows = R::rows(scope, query)?;
    let after = offset.saturating_add(limit);
    let goes_on = after < rows.len();
    rows.truncate(after);
    rows.drain(..offset.min(rows.len()));
    let next = Cursor { revision: scope.view.revision, as_of: scope.as_of, offset: after };
    Ok(Selection { scope, rows, next_cursor: goes_on.then(|| next.encode(binding)) })
}

fn resume<'s>(snapshot: &'s Snapshot, text: &str, binding: &str) -> Result<(Scope<'s>, usize), Fault> {
    let fault = |detail: &str| Fault::out_of_range("cursor", detail);
    let cursor = Cursor::decode(text, binding)
        .ok_or_else(|| fault("is not a cursor of this list: it was altered, or belongs to another query"))?;
    let view =
        snapshot.at(cursor.revision).ok_or_else(|| fault("is of a revision that is not known here"))?;
    Ok((Scope { view, as_of: cursor.as_of }, cursor.offset))
}

/// One page of a list.
///
/// # Errors
/// When the query asks for something that is not there.
pub fn list<'s, R: Resource>(
    snapshot: &'s Snapshot,
    query: &R::Query,
    binding: &str,
    now: Timestamp,
) -> Result<Listing<R::Item<'s>>, Fault> {
    let Selection { scope, rows, next_cursor } =
        select::<R>(snapshot, query, binding, query::USUAL_LIMIT, now)?;
    Ok(Listing { items: R::items(scope, &rows), next_cursor, catalog_revision: scope.view.revision.0 })
}
