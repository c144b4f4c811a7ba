//! Finding rows by what people type: exactly, by the start, by a word, with a letter or two wrong.

use super::fault::Fault;
use crate::catalog::names::search_rank;

/// Letters that a search may have.
const LONGEST: usize = 100;

/// What somebody looks for.
#[derive(Debug)]
pub struct Search {
    whole: Word,
    /// The words, where there are several.
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    text: String,
    letters: u64,
    /// How many letters of it a name may lack; never less than what [`search_rank`] tolerates.
    may_lack: u32,
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
        let words: Vec<Word> = text.split_whitespace().map(Word::new).collect();
        let words = if words.len() > 1 { words } else { Vec::new() };
        Ok((!text.is_empty()).then(|| Self { whole: Word::new(text), words }))
    }

    /// How well a row fits by the best of its names; 0 is best, `None` not at all. Of several words each has
    /// to fit, in any order.
    pub fn rank<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<u32> {
        names.filter_map(|name| self.rank_of(name)).min()
    }

    fn rank_of(&self, name: &str) -> Option<u32> {
        let letters = letters(name, u64::MAX);
        let by_words = || {
            let ranks = self.words.iter().map(|word| word.rank(name, letters));
            ranks.reduce(|a, b| Some(a?.max(b?))).flatten()
        };
        self.whole.rank(name, letters).or_else(by_words)
    }
}

/// How well a row fits what may be looked for: everything fits when nothing is.
pub(super) fn rank_of<'n>(search: Option<&Search>, names: impl Iterator<Item = &'n str>) -> Option<u32> {
    search.map_or(Some(0), |search| search.rank(names))
}

impl Word {
    fn new(text: &str) -> Self {
        const MOST_EDITS: u32 = 2;
        Self { text: text.to_lowercase(), letters: letters(text, 0), may_lack: MOST_EDITS }
    }

    /// As [`search_rank`], which is only asked about names that have nearly all of the letters: each edit
    /// makes up for one at most, and a look at the letters costs a tenth of counting the edits.
    fn rank(&self, name: &str, letters: u64) -> Option<u32> {
        let lacking = (self.letters & !letters).count_ones();
        if lacking > self.may_lack { None } else { search_rank(&self.text, name) }
    }
}

/// Which ASCII letters and digits a text has, one bit each; and `others` where it has letters beyond.
fn letters(text: &str, others: u64) -> u64 {
    let bit = |byte: u8| match byte.to_ascii_lowercase() {
        letter @ b'a'..=b'z' => 1 << (letter - b'a'),
        digit @ b'0'..=b'9' => 1 << (26 + digit - b'0'),
        128.. => others,
        _ => 0,
    };
    text.bytes().fold(0, |set, byte| set | bit(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        fn the_look_at_the_letters_hides_nothing(text in "[a-cA-Cé-]{1,6}", name in "[a-cA-Cé.-]{0,12}") {
            prop_assert_eq!(rank(&text, &name), search_rank(&text, &name));
        }
    }
}
