//! Finding a row by what people call it: exactly, then by alias, then in any case.

use super::hash::Map;

/// How well a name matched. Earlier is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The row's own name, letter for letter.
    Exact,
    /// One of its other names, letter for letter.
    Alias,
    /// Either, but for upper and lower case.
    AnyCase,
}

impl Match {
    /// From best to worst.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Alias, Self::AnyCase];
}

/// Names of rows, by their position in a table.
#[derive(Debug, Default)]
pub struct NameIndex {
    exact: Map<Box<str>, Vec<u32>>,
    alias: Map<Box<str>, Vec<u32>>,
    folded: Map<Box<str>, Vec<u32>>,
}

impl NameIndex {
    /// Adds a row under its name and its other names.
    pub fn insert<'n>(&mut self, row: u32, name: &str, aliases: impl Iterator<Item = &'n str>) {
        add(&mut self.exact, name, row);
        add(&mut self.folded, &name.to_lowercase(), row);
        for alias in aliases {
            add(&mut self.alias, alias, row);
            add(&mut self.folded, &alias.to_lowercase(), row);
        }
    }

    /// The rows that a name fits at one level.
    #[must_use]
    pub fn find(&self, name: &str, level: Match) -> &[u32] {
        let rows = match level {
            Match::Exact => self.exact.get(name),
            Match::Alias => self.alias.get(name),
            Match::AnyCase => self.folded.get(name.to_lowercase().as_str()),
        };
        rows.map_or(&[], Vec::as_slice)
    }

    /// Every name and alias, lower case.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.folded.keys().map(AsRef::as_ref)
    }
}

fn add(map: &mut Map<Box<str>, Vec<u32>>, name: &str, row: u32) {
    let rows = map.entry(name.into()).or_default();
    if !rows.contains(&row) {
        rows.push(row);
    }
}

/// How many near matches an error offers.
const NEAR_MATCHES: usize = 5;

/// Up to five of the candidates that somebody may have meant, nearest first.
///
/// ```
/// let known = ["gpt-4o", "gpt-4o-mini", "claude-sonnet-5"];
/// assert_eq!(farthing::catalog::names::near("gpt-4p", known.into_iter())[0], "gpt-4o");
/// ```
#[must_use]
pub fn near<'c>(wanted: &str, candidates: impl Iterator<Item = &'c str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(u64, &str)> = candidates
        .filter_map(|candidate| nearness(&wanted, &candidate.to_lowercase()).map(|score| (score, candidate)))
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(NEAR_MATCHES).map(|(_, name)| name.to_owned()).collect()
}

/// How far apart two lower-case names are, for ranking; `None` when nobody would take one for the other.
fn nearness(wanted: &str, candidate: &str) -> Option<u64> {
    const EDITS_PER_LETTERS: usize = 3; // a third of the letters may be wrong
    let longest = wanted.len().max(candidate.len());
    let tolerated = (longest / EDITS_PER_LETTERS).max(1);
    if wanted.len().abs_diff(candidate.len()) <= tolerated {
        let edits = strsim::osa_distance(wanted, candidate);
        if edits <= tolerated {
            return Some(edits as u64 * 100 + longest as u64);
        }
    }
    // Half a name: `sonnet-5` for `claude-sonnet-5`.
    (wanted.len() >= 3 && candidate.contains(wanted)).then_some(1_000_000 + candidate.len() as u64)
}
