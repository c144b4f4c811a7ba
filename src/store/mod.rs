//! All SQL: the catalog as rows that are appended and superseded, never edited, the quotes that are kept, the keys of
//! those who ask, and the trail of what was done in whose name.
//!
//! [`Store::open`] brings the schema up to date, [`Store::import`] appends a revision, [`Store::load`] reads all of
//! them; [`Store::keep_quote`] and those beside it keep quotes. The SQL is one dialect that SQLite and PostgreSQL both accept; today SQLite is there.

pub mod audit;
mod cells;
mod error;
mod file;
pub mod idempotency;
mod import;
pub mod keys;
mod load;
pub mod quotes;
mod rows;
mod schema;
mod start;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor as _, Transaction, any::AnyPoolOptions};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::timeout,
};
use uuid::Uuid;

pub use error::StoreError;
pub use start::open_and_fill;

use self::file::DatabaseFile;
use crate::catalog::{
    ids::RevisionNumber,
    rows::{History, Revision},
};

/// What every connection is told: readers do not wait for the writer, a lock is waited for, names of revisions hold,
/// what was acknowledged survives a power cut, and nothing but the database's own folder need be writable.
const SQLITE_SETTINGS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
    PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY";

/// A write that changes nothing: a read-only database is found out at the start and not at the first import.
const WRITING_WORKS: &str = "BEGIN IMMEDIATE; UPDATE catalog_version SET version = version; ROLLBACK";

/// Quotes never touch the database: a reader and a writer, and one more of each.
const MOST_CONNECTIONS: u32 = 4;

/// How long a connection is waited for: as long as a lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database of the process's own, which is gone with it.
const IN_MEMORY: &str = "sqlite::memory:";

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    pool: AnyPool,
    /// Those who keep quotes queue here, in turn: SQLite would have them try again and again.
    writing: Arc<Mutex<()>>,
    file: Option<Arc<DatabaseFile>>,
}

impl Store {
    /// Opens a database, making the file where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// When the URL is not one, the file cannot be opened or written, or a later release made it.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let driver_url = driver_url(url)?;
        sqlx::any::install_default_drivers();
        let failed = |cause| opening_failed(url, cause);
        // One connection by itself first: a pool would go on trying where this says at once what is wrong.
        let mut first = AnyConnection::connect(&driver_url).await.map_err(failed)?;
        first.execute(SQLITE_SETTINGS).await.map_err(failed)?;
        schema::migrate(&mut first, url).await?;
        first.execute(WRITING_WORKS).await.map_err(failed)?;
        let file = DatabaseFile::of(&mut first).await.map_err(failed)?;
        first.close().await.map_err(failed)?;
        let options = pool_options()
            .max_connections(MOST_CONNECTIONS)
            .after_connect(|conn, _| Box::pin(async move { conn.execute(SQLITE_SETTINGS).await.map(drop) }));
        let pool = options.connect(&driver_url).await.map_err(failed)?;
        Ok(Self { pool, writing: Arc::default(), file: file.map(Arc::new) })
    }

    /// An empty database in memory, for quotes of a service that leaves nothing on the disk: it is gone with the
    /// process.
    ///
    /// # Errors
    /// When the driver fails.
    pub async fn in_memory() -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let failed = |cause| opening_failed(IN_MEMORY, cause);
        // Each connection has a database of its own: so there is one, and it stays.
        let options =
            pool_options().min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
        let options = options
            .after_connect(|conn, _| Box::pin(async move { conn.execute(SQLITE_SETTINGS).await.map(drop) }));
        let pool = options.connect(IN_MEMORY).await.map_err(failed)?;
        schema::migrate(&mut *pool.acquire().await?, IN_MEMORY).await?;
        Ok(Self { pool, writing: Arc::default(), file: None })
    }

    /// Everything: every row of every revision in order of arrival, and the revisions.
    ///
    /// # Errors
    /// When the database fails, or holds a row that is none.
    pub async fn load(&self) -> Result<(History, Vec<Revision>), StoreError> {
        let mut transaction = self.pool.begin().await?; // one state of the database, whatever is written meanwhile
        let loaded = load::load(&mut transaction).await?;
        transaction.rollback().await?;
        Ok(loaded)
    }

    /// The number of the newest revision; 0 when there is none yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newest_revision(&self) -> Result<RevisionNumber, StoreError> {
        const SQL: &str = "SELECT version FROM catalog_version WHERE singleton = 1";
        let version: i64 = sqlx::query_scalar(SQL).fetch_one(&self.pool).await?;
        revision_number(version)
    }

    /// Closes every connection once it is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A turn to write, among those within the process who want to.
    async fn turn(&self) -> Result<MutexGuard<'_, ()>, StoreError> {
        timeout(PATIENCE, self.writing.lock()).await.map_err(|_| StoreError::Sql(sqlx::Error::PoolTimedOut))
    }

    /// Begins to write, waiting for whoever else does.
    ///
    /// SQLite takes the lock here: a transaction that reads first and writes later would fail when another one wrote
    /// in between.
    async fn begin_write(&self) -> Result<Transaction<'static, Any>, StoreError> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        Ok(self.pool.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// What pools have in common.
///
/// When a disk is full, SQLite ends the transaction by itself. The driver goes on believing in it, and every later one
/// on that connection would fail: so a connection that comes back inside a transaction is not used again.
fn pool_options() -> AnyPoolOptions {
    AnyPoolOptions::new().acquire_timeout(PATIENCE).after_release(|conn, _| {
        Box::pin(async move {
            conn.ping().await?; // whatever was still to be rolled back has been by then
            Ok(!conn.is_in_transaction())
        })
    })
}

/// The URL as the driver wants it: a file that is not there is made.
fn driver_url(url: &str) -> Result<String, StoreError> {
    let path = url.strip_prefix("sqlite:").map(|path| path.trim_start_matches('/'));
    match path {
        None | Some("") => Err(StoreError::Url(url.to_owned())),
        Some(_) if url.contains("mode=") => Ok(url.to_owned()),
        Some(path) if path.contains('?') => Ok(format!("{url}&mode=rwc")),
        Some(_) => Ok(format!("{url}?mode=rwc")),
    }
}

fn opening_failed(url: &str, cause: sqlx::Error) -> StoreError {
    let url = url.to_owned();
    let text = cause.to_string();
    if text.contains("readonly database") {
        StoreError::ReadOnly { url }
    } else {
        StoreError::Open { url, cause }
    }
}

/// A UUID, version 7: 48 bits of time, to sort by, and 74 of chance, so that nobody finds one by trying.
#[must_use]
pub fn fresh_id(now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds);
    Uuid::new_v7(time).hyphenated().to_string()
}

fn revision_number(version: i64) -> Result<RevisionNumber, StoreError> {
    u32::try_from(version).map(RevisionNumber).map_err(|_| StoreError::Cell {
        table: "catalog_version",
        row_id: 1,
        column: "version",
        problem: format!("is out of range: {version}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_made_unless_the_url_says_otherwise() {
        let made = |url: &str| driver_url(url).unwrap();
        assert_eq!(made("sqlite://farthing.db"), "sqlite://farthing.db?mode=rwc");
        assert_eq!(
            made("sqlite:///var/farthing.db?cache=private"),
            "sqlite:///var/farthing.db?cache=private&mode=rwc"
        );
        assert_eq!(made("sqlite://farthing.db?mode=ro"), "sqlite://farthing.db?mode=ro");
    }

    #[tokio::test]
    async fn every_connection_writes_ahead_checks_references_and_syncs() {
        let path = std::env::temp_dir().join(format!("farthing-settings-{}.db", std::process::id()));
        let store = Store::open(&format!("sqlite://{}", path.display())).await.unwrap();
        let one = store.pool.acquire().await.unwrap();
        let two = store.pool.acquire().await.unwrap();
        for mut conn in [one, two] {
            let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *conn).await.unwrap();
            let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(&mut *conn).await.unwrap();
            let sync: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *conn).await.unwrap();
            let temp: i64 = sqlx::query_scalar("PRAGMA temp_store").fetch_one(&mut *conn).await.unwrap();
            assert_eq!((mode.as_str(), keys, sync, temp), ("wal", 1, 2, 2)); // FULL, MEMORY
        }
        store.close().await;
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_no_database_url_is_refused() {
        for url in ["", "farthing.db", "sqlite://", "postgres://localhost/farthing", "memory"] {
            assert!(matches!(driver_url(url), Err(StoreError::Url(_))), "{url}");
        }
    }
}
