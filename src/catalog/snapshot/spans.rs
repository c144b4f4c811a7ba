//! Rows with spans, found by what they are about and an instant.

use super::Map;
use crate::catalog::{ids::RevisionNumber, rows::Versioned, time::Span};

/// The places of rows by what they are about, each with its span; of one name the latest start first.
#[derive(Debug, Default)]
pub(super) struct SpanIndex(Map<Box<str>, Vec<(Span, u32)>>);

impl SpanIndex {
    /// Indexes the rows of a table.
    pub(super) fn new<T>(rows: &[Versioned<T>], of: impl Fn(&T) -> (&str, Span)) -> Self {
        let mut index: Map<Box<str>, Vec<(Span, u32)>> = Map::default();
        for (at, row) in (0..).zip(rows) {
            let (name, span) = of(&row.row);
            match index.get_mut(name) {
                Some(places) => places.push((span, at)),
                None => {
                    index.insert(name.into(), vec![(span, at)]);
                }
            }
        }
        for places in index.values_mut() {
            places.sort_by_key(|(span, _)| std::cmp::Reverse(span.start_ms()));
        }
        Self(index)
    }

    /// The row known at a revision that holds at an instant: of several the one that
    /// started last.
    pub(super) fn find<'s, T>(
        &self,
        rows: &'s [Versioned<T>],
        name: &str,
        at: jiff::Timestamp,
        revision: RevisionNumber,
    ) -> Option<&'s Versioned<T>> {
        let places = self.0.get(name)?.iter().filter(|(span, _)| span.contains(at));
        places.map(|(_, place)| &rows[*place as usize]).find(|row| row.known_at(revision))
    }
}
