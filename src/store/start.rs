//! What happens to the database when the service starts.

use jiff::Timestamp;

use super::{Store, StoreError};
use crate::catalog::{
    edition::{BUILT_IN_ACTOR, EditionVersion, built_in, built_in_reason, built_in_version},
    rows::Revision,
    snapshot::Snapshot,
};

/// Opens a database, takes over the built-in catalog where that is newer than what is there, and indexes everything.
///
/// # Errors
/// When the database cannot be opened, written or read, or holds a catalog that does not fit together.
pub async fn open_and_fill(url: &str, now: Timestamp) -> Result<(Store, Snapshot), StoreError> {
    let store = Store::open(url).await?;
    let (mut history, mut revisions) = store.load().await?;
    if newest_edition(&revisions) < Some(built_in_version()?) && import_built_in(&store, now).await? {
        (history, revisions) = store.load().await?;
    }
    let snapshot = Snapshot::build(history, revisions)?;
    Ok((store, snapshot))
}

/// The newest edition that a database has taken over.
fn newest_edition(revisions: &[Revision]) -> Option<EditionVersion> {
    revisions.iter().filter_map(|revision| revision.catalog_version.as_ref()?.parse().ok()).max()
}

/// Makes the built-in catalog current; whether that changed anything.
///
/// Everything in the database comes from editions so far. Once operators write rows of their own, those are to be
/// laid over the built-in tables here, before the import compares: a built-in row never replaces an operator's.
async fn import_built_in(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let edition = built_in()?;
    let version = edition.version;
    let reason = built_in_reason(version);
    let imported =
        store.import(&edition.tables, &reason, BUILT_IN_ACTOR, Some(&version.to_string()), now).await?;
    Ok(imported.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ids::RevisionNumber;

    fn revision(number: u32, catalog_version: Option<&str>) -> Revision {
        Revision {
            revision: RevisionNumber(number),
            made_at: Timestamp::UNIX_EPOCH,
            actor: "test".to_owned(),
            reason: "test".to_owned(),
            rows_added: 1,
            rows_superseded: 0,
            content_hash: String::new(),
            catalog_version: catalog_version.map(str::to_owned),
        }
    }

    #[test]
    fn the_newest_edition_is_the_greatest_and_not_the_last() {
        let revisions =
            [revision(1, Some("2026-11-23.10")), revision(2, Some("2026-11-23.9")), revision(3, None)];
        assert_eq!(newest_edition(&revisions), Some("2026-11-23.10".parse().unwrap()));
    }

    #[test]
    fn a_database_without_an_edition_is_older_than_every_edition() {
        assert!(newest_edition(&[revision(1, None)]) < Some("2020-01-01.0".parse().unwrap()));
    }
}
