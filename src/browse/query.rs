//! What every list may be asked: where to begin, how many, at which revision.

use super::fault::Fault;
use crate::catalog::time::AsOf;

/// Rows on a page unless told.
pub const USUAL_LIMIT: usize = 50;

/// Rows on a page at most.
pub const MOST: u64 = 500;

/// The part of a query that all have in common.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page<'q> {
    /// How many rows at most.
    pub limit: Option<u64>,
    /// Where to go on.
    pub cursor: Option<&'q str>,
    /// Which revision to look at.
    pub catalog_revision: Option<u64>,
    /// Which instant to ask about.
    pub as_of: Option<AsOf>,
}

impl Page<'_> {
    /// The number of rows asked for.
    ///
    /// # Errors
    /// When it is 0 or more than 500.
    pub fn limit(&self) -> Result<Option<usize>, Fault> {
        match self.limit {
            None => Ok(None),
            Some(limit @ 1..=MOST) => Ok(usize::try_from(limit).ok()),
            Some(other) => {
                let detail = format!("must be a whole number from 1 to {MOST}, got {other}");
                Err(Fault::out_of_range("limit", detail))
            }
        }
    }
}

/// A parameter of text.
pub(super) trait Said {
    /// What it says: an empty one, as forms send it, says nothing.
    fn said(&self) -> Option<&str>;
}

impl Said for Option<String> {
    fn said(&self) -> Option<&str> {
        self.as_deref().filter(|text| !text.is_empty())
    }
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A page of rows.
    Json,
    /// All rows, for a spreadsheet.
    Csv,
}

/// A query.
pub trait Asked {
    /// The part that all have in common.
    fn page(&self) -> Page<'_>;
}

/// Declares a query: its own parameters, then those that all have. With `as_of` before the name it takes an
/// instant, too.
macro_rules! query {
    (as_of $(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $crate::browse::query::query! { @page (|query: &$name| query.as_of) $(#[$doc])* $name { $($own)*
            /// The instant asked about: RFC 3339, or a day (its start in UTC). Default: now.
            #[param(value_type = Option<String>, example = "2026-11-24T12:00:00Z")]
            as_of: $crate::catalog::time::AsOf,
        } }
    };
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $crate::browse::query::query! { @page (|_: &$name| None) $(#[$doc])* $name { $($own)* } }
    };
    (@page ($as_of:expr) $(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
        #[serde(deny_unknown_fields, default)]
        #[into_params(parameter_in = Query)]
        pub struct $name {
            $($(#[$attribute])* pub $field: Option<$type>,)*
            /// Rows on a page, 1 to 500. Default: 50; a table as CSV comes whole.
            #[param(minimum = 1, maximum = 500, example = 50)]
            pub limit: Option<u64>,
            /// Where to go on: the `next_cursor` of the page before, with the query otherwise unchanged. Empty:
            /// from the start.
            #[param(example = "")]
            pub cursor: Option<String>,
            /// The revision of the catalog to look at. Default: the newest.
            #[param(example = 1)]
            pub catalog_revision: Option<u64>,
        }

        impl $crate::browse::query::Asked for $name {
            fn page(&self) -> $crate::browse::query::Page<'_> {
                let as_of: fn(&Self) -> Option<$crate::catalog::time::AsOf> = $as_of;
                $crate::browse::query::Page {
                    limit: self.limit,
                    cursor: self.cursor.as_deref(),
                    catalog_revision: self.catalog_revision,
                    as_of: as_of(self),
                }
            }
        }
    };
}
pub(super) use query;

/// Which revision a single row is looked up at, and which instant is asked about.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct RowQuery {
    /// The revision of the catalog to look at. Default: the newest.
    #[param(example = 1)]
    pub catalog_revision: Option<u64>,
}

/// The same with an instant.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DatedRowQuery {
    /// The instant asked about: RFC 3339, or a day (its start in UTC). Default: now.
    #[param(value_type = Option<String>, example = "2026-11-24T12:00:00Z")]
    pub as_of: Option<AsOf>,
    /// The revision of the catalog to look at. Default: the newest.
    #[param(example = 1)]
    pub catalog_revision: Option<u64>,
}

impl Asked for RowQuery {
    fn page(&self) -> Page<'_> {
        Page { catalog_revision: self.catalog_revision, ..Page::default() }
    }
}

impl Asked for DatedRowQuery {
    fn page(&self) -> Page<'_> {
        Page { catalog_revision: self.catalog_revision, as_of: self.as_of, ..Page::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limit: u64) -> Result<Option<usize>, Fault> {
        Page { limit: Some(limit), ..Page::default() }.limit()
    }

    #[test]
    fn a_page_has_between_1_and_500_rows() {
        assert_eq!((limit(1), limit(500)), (Ok(Some(1)), Ok(Some(500))));
        assert!(limit(0).is_err() && limit(501).is_err());
    }
}
