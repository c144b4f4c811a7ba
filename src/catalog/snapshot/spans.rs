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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::catalog::{
        assumption::Assumption,
        energy::EnergyPrice,
        ids::RevisionNumber,
        rows::{History, Revision, Versioned},
        snapshot::{Snapshot, View},
    };

    fn revision(number: u32) -> Revision {
        Revision {
            revision: RevisionNumber(number),
            made_at: jiff::Timestamp::UNIX_EPOCH,
            actor: "test".to_owned(),
            reason: "test".to_owned(),
            rows_added: 1,
            rows_superseded: 0,
            content_hash: String::new(),
            catalog_version: None,
        }
    }

    /// A row of revision 1, which revision 2 may have superseded.
    fn known<T>(id: i64, introduced: u32, superseded: Option<u32>, row: T) -> Versioned<T> {
        let introduced = RevisionNumber(introduced);
        Versioned { id, introduced, superseded: superseded.map(RevisionNumber), row }
    }

    fn goodput(mid: f64, from: Option<&str>, to: Option<&str>) -> Assumption {
        serde_json::from_value(json!({"id": "training.goodput", "description": "goodput", "unit": "ratio",
            "low": mid, "mid": mid, "high": mid, "effective_from": from, "effective_to": to,
            "source": null, "observed_at": "2026-11-23"}))
        .unwrap()
    }

    fn price(amount: &str, from: &str, to: Option<&str>) -> EnergyPrice {
        serde_json::from_value(json!({"region": "us", "name": "United States", "price_per_kwh": amount,
            "currency": "USD", "effective_from": from, "effective_to": to, "source": null,
            "observed_at": "2026-11-23"}))
        .unwrap()
    }

    fn snapshot() -> Snapshot {
        let history = History {
            assumptions: vec![
                known(1, 1, None, goodput(0.8, None, Some("2025-01-01"))),
                known(2, 1, Some(2), goodput(0.87, Some("2025-01-01"), None)),
                known(3, 2, None, goodput(0.9, Some("2025-01-01"), None)),
            ],
            energy_prices: vec![
                known(1, 1, None, price("0.07", "2024-01-01", None)),
                known(2, 1, None, price("0.08", "2025-01-01", Some("2026-01-01"))),
            ],
            ..History::default()
        };
        Snapshot::build(history, vec![revision(1), revision(2)]).unwrap()
    }

    fn mid(view: View<'_>, at: &str) -> Option<f64> {
        view.assumption("training.goodput", at.parse().unwrap()).map(|row| row.row.mid)
    }

    #[test]
    fn an_assumption_holds_from_midnight_to_midnight_utc() {
        let snapshot = snapshot();
        let view = snapshot.newest();
        assert_eq!(mid(view, "2024-12-31T23:59:59.999Z"), Some(0.8));
        assert_eq!(mid(view, "2025-01-01T00:00:00Z"), Some(0.9));
        assert!(view.assumption("training.luck", "2025-01-01T00:00:00Z".parse().unwrap()).is_none());
    }

    #[test]
    fn an_assumption_is_what_was_known_at_the_revision() {
        let snapshot = snapshot();
        let first = snapshot.at(RevisionNumber(1)).unwrap();
        assert_eq!(mid(first, "2025-06-01T00:00:00Z"), Some(0.87));
    }

    #[test]
    fn the_price_of_electricity_is_the_last_that_had_started_and_not_ended() {
        let snapshot = snapshot();
        let price = |at: &str| {
            let found = snapshot.newest().energy_price("us", at.parse().unwrap());
            found.map(|row| row.row.price_per_kwh.to_string())
        };
        assert_eq!(price("2023-12-31T23:59:59Z"), None);
        assert_eq!(price("2024-06-01T00:00:00Z").as_deref(), Some("0.07"));
        assert_eq!(price("2025-06-01T00:00:00Z").as_deref(), Some("0.08"));
        assert_eq!(price("2026-06-01T00:00:00Z").as_deref(), Some("0.07"));
    }
}
