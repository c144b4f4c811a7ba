//! What an edition changes: rows that are new or different, rows that give way.

use std::collections::HashMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{
    rows::{Row, Versioned},
    text::to_line,
};

/// Two rows of an edition that would be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} `{key}` is there twice")]
pub struct DuplicateKey {
    /// The table.
    pub table: &'static str,
    /// The key both rows have.
    pub key: String,
}

/// A known row that is replaced or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superseded {
    /// Its number.
    pub id: i64,
    /// What made it that row.
    pub key: String,
}

/// What an edition changes in one table.
#[derive(Debug)]
pub struct Changes<'e, T> {
    /// Rows that were not there, or are there with other content; in the edition's order.
    pub added: Vec<&'e T>,
    /// Rows that are replaced or withdrawn, by number.
    pub superseded: Vec<Superseded>,
}

impl<'e, T: Row> Changes<'e, T> {
    /// Compares a table's current rows with an edition's, by their keys.
    ///
    /// # Errors
    /// When the edition has a key twice.
    pub fn between(known: &[Versioned<T>], edition: &'e [T]) -> Result<Self, DuplicateKey> {
        let current = known.iter().filter(|row| row.superseded.is_none());
        let mut unseen: HashMap<String, Option<&Versioned<T>>> =
            current.map(|row| (row.row.key(), Some(row))).collect();
        let mut added = Vec::new();
        let mut superseded = Vec::new();
        for row in edition {
            let key = row.key();
            match unseen.insert(key.clone(), None) {
                Some(None) => {
                    return Err(DuplicateKey { table: T::TABLE, key });
                }
                Some(Some(same)) if same.row == *row => {}
                Some(Some(old)) => {
                    superseded.push(Superseded { id: old.id, key });
                    added.push(row);
                }
                None => added.push(row),
            }
        }
        let withdrawn =
            unseen.into_iter().filter_map(|(key, row)| row.map(|row| Superseded { id: row.id, key }));
        superseded.extend(withdrawn);
        superseded.sort_unstable_by_key(|row| row.id);
        Ok(Self { added, superseded })
    }
}

/// SHA-256 over changes, table by table.
#[derive(Debug, Default)]
pub struct ContentHash(Sha256);

impl ContentHash {
    /// Takes in a table's changes: each row added, then each key superseded.
    pub fn update<T: Row + Serialize>(&mut self, changes: &Changes<'_, T>) {
        for row in &changes.added {
            let text = to_line(row).unwrap_or_default(); // plain rows always serialise
            self.0.update(format!("+ {} {text}\n", T::TABLE));
        }
        for row in &changes.superseded {
            self.0.update(format!("- {} {}\n", T::TABLE, row.key));
        }
    }

    /// The hash in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        use std::fmt::Write as _;
        let digest = self.0.finalize();
        digest.iter().fold(String::new(), |mut hexadecimal, byte| {
            let _ = write!(hexadecimal, "{byte:02x}"); // a String takes everything
            hexadecimal
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ids::RevisionNumber, provider::Provider};

    fn provider(id: &str, name: &str) -> Provider {
        serde_json::from_value(
            serde_json::json!({"id": id, "name": name, "source": null, "observed_at": "2026-11-23"}),
        )
        .unwrap()
    }

    fn known(id: i64, row: Provider) -> Versioned<Provider> {
        Versioned { id, introduced: RevisionNumber(1), superseded: None, row }
    }

    #[test]
    fn what_is_changed_and_what_is_withdrawn_give_way_and_what_is_the_same_stays() {
        let history =
            [known(1, provider("a", "A")), known(2, provider("b", "B")), known(3, provider("c", "C"))];
        let edition = [provider("a", "A"), provider("c", "See"), provider("d", "D")];
        let changes = Changes::between(&history, &edition).unwrap();
        assert_eq!(changes.added, [&edition[1], &edition[2]]);
        assert_eq!(changes.superseded.iter().map(|row| row.id).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn a_row_that_gave_way_before_is_compared_with_nothing() {
        let mut old = known(1, provider("a", "A"));
        old.superseded = Some(RevisionNumber(2));
        let edition = [provider("a", "A")];
        let changes = Changes::between(&[old], &edition).unwrap();
        assert_eq!((changes.added.len(), changes.superseded.len()), (1, 0));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = Changes::between(&[], &[provider("a", "A"), provider("a", "B")]).unwrap_err();
        assert_eq!(error.to_string(), "provider `a` is there twice");
    }

    #[test]
    fn the_hash_tells_contents_apart() {
        let hash = |rows: &[Provider]| {
            let mut hash = ContentHash::default();
            hash.update(&Changes::between(&[], rows).unwrap());
            hash.finish()
        };
        assert_ne!(hash(&[provider("a", "A")]), hash(&[provider("a", "B")]));
    }
}
