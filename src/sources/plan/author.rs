//! Who wrote a row: the built-in catalog, a feed, or an operator.

use serde::Serialize;

use crate::{
    catalog::{edition::BUILT_IN_ACTOR, ids::RevisionNumber, rows::Revision},
    sources::{Format, Options},
};

/// What the actor of a feed's revision begins with.
const FEED: &str = "feed:";

/// Whose table is imported.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A feed, by its name.
    Feed(String),
    /// Somebody with a key, by the name that the revision will have as its actor.
    Operator(String),
}

impl Source {
    /// The source that a table of a form is of, imported by somebody: the feed, or, of the catalog's own forms,
    /// that somebody. A `SkyPilot` table is a feed for each cloud.
    #[must_use]
    pub fn of(format: Format, options: &Options, operator: &str) -> Self {
        match (format.feed(), &options.provider) {
            (None, _) => Self::Operator(operator.to_owned()),
            (Some(feed), Some(cloud)) if format == Format::SkyPilot => Self::Feed(format!("{feed}-{cloud}")),
            (Some(feed), _) => Self::Feed(feed.to_owned()),
        }
    }

    /// The actor of the revision that the import makes.
    ///
    /// ```
    /// use farthing::sources::plan::Source;
    /// assert_eq!(Source::Feed("litellm".to_owned()).actor(), "feed:litellm");
    /// ```
    #[must_use]
    pub fn actor(&self) -> String {
        match self {
            Self::Feed(name) => format!("{FEED}{name}"),
            Self::Operator(name) => name.clone(),
        }
    }

    /// The name of the feed, where it is one.
    #[must_use]
    pub fn feed(&self) -> Option<&str> {
        match self {
            Self::Feed(name) => Some(name),
            Self::Operator(_) => None,
        }
    }
}

/// Who wrote a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author<'a> {
    /// The built-in catalog.
    BuiltIn,
    /// A feed, by its name.
    Feed(&'a str),
    /// Anybody else.
    Operator(&'a str),
}

impl<'a> Author<'a> {
    /// The author whose revision has an actor.
    #[must_use]
    pub fn of(actor: &'a str) -> Self {
        match actor.strip_prefix(FEED) {
            Some(feed) => Self::Feed(feed),
            None if actor == BUILT_IN_ACTOR => Self::BuiltIn,
            None => Self::Operator(actor),
        }
    }

    /// Whether a source may change what the author wrote: a feed what is built in or its own, an operator everything.
    #[must_use]
    pub fn gives_way_to(self, source: &Source) -> bool {
        match (self, source) {
            (_, Source::Operator(_)) | (Self::BuiltIn, _) => true,
            (Self::Feed(author), Source::Feed(feed)) => author == feed,
            (Self::Operator(_), Source::Feed(_)) => false,
        }
    }
}

impl std::fmt::Display for Author<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str(BUILT_IN_ACTOR),
            Self::Feed(name) => write!(f, "{FEED}{name}"),
            Self::Operator(name) => f.write_str(name),
        }
    }
}

/// Who wrote what came with a revision.
pub(super) fn author_of(revisions: &[Revision], number: RevisionNumber) -> Author<'_> {
    let found = revisions.binary_search_by_key(&number, |revision| revision.revision);
    // Rows of a revision that nobody recorded are nobody's to overwrite.
    found.map_or(Author::Operator("unknown"), |at| Author::of(&revisions[at].actor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_changes_what_is_built_in_or_its_own_and_an_operator_everything() {
        let feed = Source::Feed("litellm".to_owned());
        let gives_way = |actor| Author::of(actor).gives_way_to(&feed);
        assert!(gives_way("farthing") && gives_way("feed:litellm"));
        assert!(!gives_way("feed:genai-prices") && !gives_way("key:ops") && !gives_way("feeder"));
        assert!(Author::of("feed:litellm").gives_way_to(&Source::Operator("key:ops".to_owned())));
    }
}
