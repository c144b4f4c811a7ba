//! The file that a database is in. A file that was removed can still be written to by whoever has it open, and all of
//! that is lost: so before each write it is looked whether the file is still the one that was opened.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, Row as _};

use super::StoreError;

/// Where a database is, and which file that was when it was opened.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl DatabaseFile {
    /// The file of a SQLite database; `None` for one in memory.
    pub(super) async fn of(conn: &mut AnyConnection) -> Result<Option<Self>, sqlx::Error> {
        let main = sqlx::query("PRAGMA database_list").fetch_one(conn).await?;
        let path: String = main.try_get(2)?;
        if path.is_empty() {
            return Ok(None);
        }
        let path = PathBuf::from(path);
        let identity = identity(&path)?;
        Ok(Some(Self { path, identity }))
    }

    /// Whether it is still there.
    ///
    /// # Errors
    /// When it is not.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match identity(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            _ => Err(StoreError::Gone(self.path.clone())),
        }
    }
}

/// What a file is, whatever it is called: its device and its number there.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}
