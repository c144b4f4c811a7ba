//! In which order a list comes: by a key that the asker names, or by how well a row fits the search.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, de::Error as _};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

use crate::catalog::rows::Versioned;

/// What rows can be sorted by.
pub trait Key: Copy + Sized + 'static {
    /// What may be asked for: each key, and each with a `-` before it.
    const NAMES: &'static [&'static str];

    /// The key of a name without `-`.
    fn parse(name: &str) -> Option<Self>;
}

/// A key, and whether the largest come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<K> {
    /// What to sort by.
    pub key: K,
    /// Whether the largest come first.
    pub descending: bool,
}

impl<'de, K: Key> Deserialize<'de> for Sort<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        let key = K::parse(name).ok_or_else(|| D::Error::unknown_variant(&text, K::NAMES))?;
        Ok(Self { key, descending })
    }
}

impl<K: Key> utoipa::PartialSchema for Sort<K> {
    fn schema() -> RefOr<Schema> {
        let names = K::NAMES.iter().copied();
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).into()
    }
}

impl<K: Key> utoipa::ToSchema for Sort<K> {}

/// Declares the keys of a list and their orders: `sort_keys! { /// Docs. ModelKey, ModelSort { Name = "name" } }`.
/// The order has a name of its own because utoipa takes anything with `<..>` apart.
macro_rules! sort_keys {
    ($(#[$doc:meta])* $name:ident, $order:ident { $($key:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the keys are the names of fields")]
        pub enum $name {$($key,)+}

        /// A key, and whether the largest come first.
        pub type $order = $crate::browse::order::Sort<$name>;

        impl $crate::browse::order::Key for $name {
            const NAMES: &'static [&'static str] = &[$($text, concat!("-", $text),)+];

            fn parse(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$key),)+
                    _ => None,
                }
            }
        }
    };
}
pub(super) use sort_keys;

/// A row that was asked for.
#[derive(Debug)]
pub(super) struct Hit<'s, T> {
    /// Its place in its table.
    pub(super) at: u32,
    /// The row.
    pub(super) row: &'s Versioned<T>,
    /// How well it fits the search: 0 is best.
    pub(super) rank: u32,
}

/// The places of the rows: by the key asked for, else by rank; ties by `ties`.
pub(super) fn arrange<'s, T, K: Key>(
    mut hits: Vec<Hit<'s, T>>,
    sort: Option<Sort<K>>,
    compare: impl Fn(Sort<K>, &'s T, &'s T) -> Ordering,
    ties: impl Fn(&'s T, &'s T) -> Ordering,
) -> Vec<u32> {
    hits.sort_by(|a, b| {
        let first = match sort {
            Some(sort) => compare(sort, &a.row.row, &b.row.row),
            None => a.rank.cmp(&b.rank),
        };
        first.then_with(|| ties(&a.row.row, &b.row.row)).then_with(|| a.at.cmp(&b.at))
    });
    hits.into_iter().map(|hit| hit.at).collect()
}

impl<K> Sort<K> {
    /// Compares values in the direction asked for.
    pub(super) fn by<V: Ord>(&self, a: &V, b: &V) -> Ordering {
        self.directed(a.cmp(b))
    }

    /// The same for values that may be absent: those come last in either direction.
    pub(super) fn by_some<V: Ord>(&self, a: Option<V>, b: Option<V>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.by(&a, &b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// The same for figures.
    pub(super) fn by_some_number(&self, a: Option<f64>, b: Option<f64>) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => self.directed(a.total_cmp(&b)),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }

    /// Turns an order around when the largest are to come first.
    pub(super) fn directed(&self, order: Ordering) -> Ordering {
        if self.descending { order.reverse() } else { order }
    }
}

/// Compares names without regard to upper and lower case.
pub(super) fn folded(a: &str, b: &str) -> Ordering {
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
    if a.is_ascii() && b.is_ascii() {
        let lower = |byte: &u8| byte.to_ascii_lowercase();
        return a.as_bytes().iter().map(lower).cmp(b.as_bytes().iter().map(lower));
    }
    letters(a).cmp(&letters(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browse::models::{ModelKey, ModelSort};

    fn read(text: &str) -> Result<ModelSort, String> {
        serde_json::from_value(text.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_minus_asks_for_the_largest_first() {
        assert_eq!(read("released"), Ok(Sort { key: ModelKey::Released, descending: false }));
        assert_eq!(read("-released"), Ok(Sort { key: ModelKey::Released, descending: true }));
    }

    #[test]
    fn an_unknown_key_is_answered_with_those_there_are() {
        let error = read("-size").unwrap_err();
        assert!(error.contains("`name`, `-name`, `id`, `-id`"), "{error}");
        assert!(read("--name").is_err());
    }

    #[test]
    fn what_is_absent_comes_last_in_either_direction() {
        for descending in [false, true] {
            let sort = Sort { key: ModelKey::Released, descending };
            assert_eq!(sort.by_some(Some(1), None), Ordering::Less);
            assert_eq!(sort.by_some(None, Some(1)), Ordering::Greater);
            assert_eq!(sort.by_some_number(Some(1.0), None), Ordering::Less);
            assert_eq!(sort.by_some_number(None, Some(1.0)), Ordering::Greater);
        }
    }

    #[test]
    fn names_are_compared_without_their_case() {
        assert_eq!(folded("openai", "OpenAI"), Ordering::Equal);
        assert_eq!(folded("Éa", "éb"), Ordering::Less);
    }
}
