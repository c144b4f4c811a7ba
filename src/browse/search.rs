//! Finding rows by what people type: exactly, by the start, by a word, with a letter or two wrong.
//!
//! The query is prepared once and thousands of names are looked at: a glance at which letters a name has rules
//! most of them out, since each edit makes up for one letter at most. A test holds the ranks to those of the
//! same rules written plainly.

use std::{borrow::Cow, cell::OnceCell};

use super::fault::Fault;

/// Letters that a search may have.
const LONGEST: usize = 100;

/// What somebody looks for.
#[derive(Debug)]
pub struct Search {
    whole: Word,
    /// The words, where there are several.
    words: Vec<Word>,
}

impl Search {
    /// Reads a search; none when nothing is looked for.
    ///
    /// # Errors
    /// When it is too long.
    pub fn new(text: Option<&str>) -> Result<Option<Self>, Fault> {
        let text = text.unwrap_or_default().trim();
        if text.chars().count() > LONGEST {
            return Err(Fault::out_of_range("q", format!("must have at most {LONGEST} letters")));
        }
        let words: Vec<Word> = text.split(is_break).filter(|word| !word.is_empty()).map(Word::new).collect();
        let words = if words.len() > 1 { words } else { Vec::new() };
        Ok((!text.is_empty()).then(|| Self { whole: Word::new(text), words }))
    }

    /// How well a row fits by the best of its names; 0 is best, `None` not at all. Of several words each has
    /// to fit, in any order.
    pub fn rank<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<u32> {
        names.filter_map(|name| self.rank_of(&Name::new(name))).min()
    }

    fn rank_of(&self, name: &Name<'_>) -> Option<u32> {
        let by_words = || {
            if !self.words.iter().all(|word| word.may_fit(name)) {
                return None;
            }
            let mut worst = None;
            for word in &self.words {
                worst = worst.max(Some(word.rank(name)?));
            }
            worst
        };
        self.whole.rank(name).or_else(by_words)
    }
}

/// What stands between the words of a name: `claude-sonnet-4.5` has three.
fn is_break(c: char) -> bool {
    !c.is_alphanumeric() && c != '.'
}

/// How well a row fits what may be looked for: everything fits when nothing is.
pub(super) fn rank_of<'n>(search: Option<&Search>, names: impl Iterator<Item = &'n str>) -> Option<u32> {
    search.map_or(Some(0), |search| search.rank(names))
}

/// A name that is looked at.
struct Name<'n> {
    text: &'n str,
    letters: u64,
    lower: OnceCell<Cow<'n, str>>,
}

impl<'n> Name<'n> {
    fn new(text: &'n str) -> Self {
        Self { text, letters: letters(text, u64::MAX), lower: OnceCell::new() }
    }

    fn lower(&self) -> &str {
        let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        self.lower.get_or_init(|| {
            if self.text.bytes().all(is_lower) { self.text.into() } else { self.text.to_lowercase().into() }
        })
    }
}

#[derive(Debug)]
struct Word {
    /// In lower case.
    text: String,
    letters: u64,
    /// Letters that may be wrong.
    tolerated: u32,
}

impl Word {
    fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let tolerated = if text.chars().count() <= 4 { 1 } else { 2 };
        Self { letters: letters(&text, 0), text, tolerated }
    }

    /// Whether a name is long enough and has the letters, but for those that may be wrong.
    fn may_fit(&self, name: &Name<'_>) -> bool {
        let longest = name.text.len() + self.tolerated as usize;
        let lacking = (self.letters & !name.letters).count_ones();
        let may_grow = name.letters == u64::MAX; // beyond ASCII, lower case may be longer
        (self.text.len() <= longest || may_grow) && lacking <= self.tolerated
    }

    fn rank(&self, name: &Name<'_>) -> Option<u32> {
        if !self.may_fit(name) {
            return None;
        }
        let by_letters =
            if self.letters & !name.letters == 0 { self.rank_without_edits(name.lower()) } else { None };
        by_letters.or_else(|| self.rank_with_edits(name.lower()))
    }

    /// 0 the whole name, 1 its start, 2 a part of it.
    fn rank_without_edits(&self, name: &str) -> Option<u32> {
        match name.find(&self.text)? {
            0 if name.len() == self.text.len() => Some(0),
            0 => Some(1),
            _ => Some(2),
        }
    }

    /// 3 or 4: as many more than 2 as there are edits to a word of the name, or to the whole.
    fn rank_with_edits(&self, name: &str) -> Option<u32> {
        let words = name.split(is_break).chain(std::iter::once(name));
        words.filter_map(|word| self.edits(word)).min().map(|edits| 2 + edits)
    }

    /// The edits to a word, unless they are too many.
    fn edits(&self, word: &str) -> Option<u32> {
        let tolerated = self.tolerated as usize;
        if word.len().abs_diff(self.text.len()) > tolerated {
            return None;
        }
        let lacking = (self.letters & !letters(word, u64::MAX)).count_ones();
        if lacking > self.tolerated {
            return None;
        }
        let edits = strsim::osa_distance(&self.text, word);
        u32::try_from(edits).ok().filter(|edits| *edits <= self.tolerated)
    }
}

/// Which ASCII letters and digits a text has, one bit each; and `others` where it has letters beyond.
fn letters(text: &str, others: u64) -> u64 {
    const BITS: [u64; 128] = bits();
    text.bytes().fold(0, |set, byte| set | BITS.get(usize::from(byte)).copied().unwrap_or(others))
}

/// The bit of each ASCII character; none for punctuation.
const fn bits() -> [u64; 128] {
    let mut bits = [0; 128];
    let mut byte: u8 = 0;
    while byte < 128 {
        bits[byte as usize] = match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => 1 << (letter - b'a'),
            digit @ b'0'..=b'9' => 1 << (26 + digit - b'0'),
            _ => 0,
        };
        byte += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rules for one word, written plainly.
    fn plain_rank(query: &str, name: &str) -> Option<u32> {
        let (query, name) = (query.to_lowercase(), name.to_lowercase());
        if name == query {
            return Some(0);
        }
        if name.starts_with(&query) {
            return Some(1);
        }
        if name.contains(&query) {
            return Some(2);
        }
        let tolerated = if query.chars().count() <= 4 { 1 } else { 2 };
        let words = name.split(is_break).chain(std::iter::once(name.as_str()));
        let near = words.filter(|word| word.len().abs_diff(query.len()) <= tolerated);
        let edits = near.map(|word| strsim::osa_distance(&query, word)).min()?;
        (edits <= tolerated).then(|| 2 + u32::try_from(edits).unwrap())
    }

    fn rank(text: &str, name: &str) -> Option<u32> {
        Search::new(Some(text)).unwrap().unwrap().rank(std::iter::once(name))
    }

    #[test]
    fn the_better_a_name_fits_the_earlier_it_comes() {
        let ranks = ["gpt-4o", "GPT-4o-mini", "openai/gpt-4o", "gpt-4p"].map(|name| rank("gpt-4o", name));
        assert!(ranks.is_sorted() && ranks[3].is_some() && ranks[0] < ranks[3], "{ranks:?}");
    }

    #[test]
    fn a_letter_may_be_wrong() {
        assert!(rank("deepsek", "deepseek-chat").is_some());
        assert!(rank("calude", "claude-sonnet-5").is_some());
        assert_eq!(rank("mistral", "claude-sonnet-5"), None);
    }

    #[test]
    fn each_of_several_words_has_to_fit() {
        assert!(rank("sonnet claude", "claude-sonnet-5").is_some());
        assert!(rank("claud-sonet", "claude-sonnet-5").is_some());
        assert_eq!(rank("claude opus", "claude-sonnet-5"), None);
    }

    #[test]
    fn nothing_is_looked_for_by_an_empty_search() {
        assert!(Search::new(Some("  ")).unwrap().is_none());
    }

    #[test]
    fn a_search_has_100_letters_at_most() {
        assert!(Search::new(Some(&"a".repeat(100))).is_ok());
        assert!(Search::new(Some(&"a".repeat(101))).is_err());
    }

    proptest! {
        #[test]
        fn the_glance_rules_nothing_out_that_fits(text in "[a-cA-Cé]{1,6}", name in "[a-cA-Cé.-]{0,12}") {
            prop_assert_eq!(rank(&text, &name), plain_rank(&text, &name));
        }
    }
}
