//! What can go wrong with the database, each in one line that a person can act on.

use crate::catalog::{
    changes::DuplicateKey, edition::BuiltInError, files::FilesError, snapshot::SnapshotError,
};

/// Why the store could not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no kind of database that there is.
    #[error("`{0}` is no database URL: write sqlite://FILE, or `memory` for no database")]
    Url(String),
    /// The database cannot be opened.
    #[error("the database {url} cannot be opened: {cause}")]
    Open {
        /// Where it is.
        url: String,
        /// What the driver said.
        cause: sqlx::Error,
    },
    /// The database can be read and not written.
    #[error("the database {url} is read-only: Farthing has to write to it")]
    ReadOnly {
        /// Where it is.
        url: String,
    },
    /// The file is no longer where it was: what is written now would be lost.
    #[error("the database file {} is gone", .0.display())]
    Gone(std::path::PathBuf),
    /// A later release has been here.
    #[error(
        "the database {url} was made by a later release (its schema has step {found}; this one knows {known})"
    )]
    NewerSchema {
        /// Where it is.
        url: String,
        /// The latest step that was taken.
        found: i64,
        /// The latest step that this release knows.
        known: i64,
    },
    /// The schema cannot be brought up to date.
    #[error("the schema of the database cannot be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row cannot be read as what it should be, or not be written.
    #[error("{table} row {row_id}: column {column} {problem}")]
    Cell {
        /// The table.
        table: &'static str,
        /// The row.
        row_id: i64,
        /// The column.
        column: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// An edition names a row twice.
    #[error("the import is refused: {0}")]
    Duplicate(#[from] DuplicateKey),
    /// The edition that ships inside cannot be used.
    #[error(transparent)]
    BuiltIn(#[from] BuiltInError),
    /// What the database holds does not fit together.
    #[error("the catalog in the database cannot be quoted from: {0}")]
    Snapshot(#[from] SnapshotError),
}

impl From<FilesError> for StoreError {
    fn from(error: FilesError) -> Self {
        Self::BuiltIn(error.into())
    }
}
