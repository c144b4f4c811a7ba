//! One edition of the catalog: its tables and its version; and the edition that ships inside.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};

use super::{
    files::{self, FilesError},
    ids::{MeterId, RevisionNumber},
    rows::{Delta, DuplicateKey, History, Revision, Tables},
    snapshot::{Snapshot, SnapshotError},
    time::{parse_day, start_of_day, utc_day},
};

/// Who makes the revisions that bring in the built-in catalog.
pub const BUILT_IN_ACTOR: &str = "farthing";

/// `2026-11-23.1`: the day of an edition and its number on that day. A later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EditionVersion {
    date: Date,
    number: u32,
}

impl EditionVersion {
    /// The version of a day and a number on it.
    #[must_use]
    pub fn new(date: Date, number: u32) -> Self {
        Self { date, number }
    }

    /// Midnight UTC of its day.
    #[must_use]
    pub fn made_at(self) -> Timestamp {
        start_of_day(self.date).unwrap_or(Timestamp::UNIX_EPOCH) // four-digit years always have one
    }
}

/// A text that is no version of an edition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version such as `2026-11-23.1`")]
pub struct NotVersion(String);

impl FromStr for EditionVersion {
    type Err = NotVersion;

    fn from_str(text: &str) -> Result<Self, NotVersion> {
        let parse = || {
            let (date, number) = text.split_once('.')?;
            let version = Self::new(parse_day(date)?, number.parse().ok()?);
            (version.to_string() == text).then_some(version) // `.01` and `.+1` are no second spelling
        };
        parse().ok_or_else(|| NotVersion(text.to_owned()))
    }
}

impl fmt::Display for EditionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.date, self.number)
    }
}

/// Everything that a catalog directory holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Edition {
    /// Which edition it is.
    pub version: EditionVersion,
    /// What it is, in a sentence.
    pub description: String,
    /// Its rows.
    pub tables: Tables,
}

/// What was current at a revision, as an edition: under the version of the edition last taken over by then.
/// `None` when there is no such revision.
#[must_use]
pub fn edition_at(history: &History, revisions: &[Revision], at: RevisionNumber) -> Option<Edition> {
    let revision = revisions.iter().find(|known| known.revision == at)?;
    let until = revisions.iter().filter(|known| known.revision <= at);
    let taken_over = until.filter_map(|known| known.catalog_version.as_ref()?.parse().ok()).max();
    let mut tables = history.at(at);
    // A meter keeps the place it had when it first came, whatever has changed about it since.
    let place = |id: &MeterId| history.meters.iter().position(|row| row.row.id == *id);
    tables.meters.sort_by_key(|meter| place(&meter.id));
    Some(Edition {
        version: taken_over.unwrap_or_else(|| EditionVersion::new(utc_day(revision.made_at), 1)),
        description: format!("Farthing's catalog as of its revision {at}, exported from a database."),
        tables,
    })
}

/// Why the edition inside the binary cannot be used: a fault of the build, which a test rules out.
#[derive(Debug, thiserror::Error)]
pub enum BuiltInError {
    /// Its files cannot be read.
    #[error("the built-in catalog: {0}")]
    Files(#[from] FilesError),
    /// It names a row twice.
    #[error("the built-in catalog: {0}")]
    Duplicate(#[from] DuplicateKey),
    /// Its rows do not fit together.
    #[error("the built-in catalog: {0}")]
    Snapshot(#[from] SnapshotError),
}

#[derive(rust_embed::RustEmbed)]
#[folder = "catalog/"]
struct Embedded;

/// The files of the edition that ships inside, by their path in its directory.
pub fn built_in_files() -> impl Iterator<Item = (Cow<'static, str>, Cow<'static, [u8]>)> {
    Embedded::iter()
        .filter(|path| files::is_data(path))
        .filter_map(|path| Embedded::get(&path).map(|file| (path, file.data)))
}

/// The edition that ships inside.
///
/// # Errors
/// When its files are faulty, which a test rules out.
pub fn built_in() -> Result<Edition, FilesError> {
    files::parse(built_in_files())
}

/// The version of the edition that ships inside, without reading its tables.
///
/// # Errors
/// As [`built_in`].
pub fn built_in_version() -> Result<EditionVersion, FilesError> {
    let manifest = Embedded::get(files::MANIFEST).ok_or_else(|| FilesError::missing(files::MANIFEST))?;
    files::parse_manifest(&manifest.data).map(|manifest| manifest.version)
}

/// What the revision that brings in the built-in catalog says of its reason.
#[must_use]
pub fn built_in_reason(version: EditionVersion) -> String {
    format!("built-in catalog {version}")
}

/// A snapshot of the edition that ships inside, as its first and only revision; the same on every call.
///
/// # Errors
/// When the edition is faulty, which a test rules out.
pub fn built_in_snapshot() -> Result<Snapshot, BuiltInError> {
    built_in()?.into_snapshot()
}

impl Edition {
    /// A snapshot of it, as its first and only revision.
    ///
    /// # Errors
    /// When a row is named twice, or rows do not fit together.
    pub fn into_snapshot(self) -> Result<Snapshot, BuiltInError> {
        let Self { version, tables, .. } = self;
        let nothing = History::default();
        let delta = Delta::between(&nothing, &tables)?;
        let revision = Revision {
            revision: RevisionNumber(1),
            made_at: version.made_at(),
            actor: BUILT_IN_ACTOR.to_owned(),
            reason: built_in_reason(version),
            rows_added: delta.rows_added(),
            rows_superseded: delta.rows_superseded(),
            content_hash: delta.content_hash(),
            catalog_version: Some(version.to_string()),
        };
        let history = tables.into_history(RevisionNumber(1));
        Ok(Snapshot::build(history, vec![revision])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_day_and_then_by_number() {
        let version = |text: &str| text.parse::<EditionVersion>().unwrap();
        assert!(version("2026-11-23.2") < version("2026-11-23.10"));
        assert!(version("2026-11-23.10") < version("2026-11-24.1"));
    }

    #[test]
    fn a_version_has_one_spelling() {
        for bad in
            ["", "2026-11-23", "2026-11-23.01", "2026-11-23.+1", "2026-11-23.x", "2026-11-31.1", "26-11-23.1"]
        {
            assert!(bad.parse::<EditionVersion>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_built_in_snapshot_is_revision_1_made_on_the_day_of_its_edition() {
        let snapshot = built_in_snapshot().unwrap();
        let [revision] = snapshot.revisions() else { panic!("one revision") };
        let version = built_in_version().unwrap();
        assert_eq!(revision.made_at, version.made_at());
        assert_eq!(revision.reason, format!("built-in catalog {version}"));
        assert_eq!(revision.rows_added, built_in().unwrap().tables.row_count() as u64);
    }
}
