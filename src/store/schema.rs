//! The steps that the schema has taken, and taking those that are missing.

use std::borrow::Cow;

use sqlx::{
    AnyConnection, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::StoreError;

/// The steps, in order. A step that has been released is never edited: databases remember what they ran.
const STEPS: [(i64, &str, &str); 5] = [
    (1, "revisions", include_str!("../../migrations/0001_revisions.sql")),
    (2, "catalog", include_str!("../../migrations/0002_catalog.sql")),
    (3, "assumptions", include_str!("../../migrations/0003_assumptions.sql")),
    (4, "quotes", include_str!("../../migrations/0004_quotes.sql")),
    (5, "keys", include_str!("../../migrations/0005_keys.sql")),
];

fn migrator() -> Migrator {
    let migration = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(STEPS.map(migration).into())
}

/// Takes the steps that the database has not taken yet.
pub(super) async fn migrate(conn: &mut AnyConnection, url: &str) -> Result<(), StoreError> {
    let known = STEPS.iter().map(|(version, ..)| *version).max().unwrap_or_default();
    migrator().run(conn).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => {
            StoreError::NewerSchema { url: url.to_owned(), found, known }
        }
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => {
            super::opening_failed(url, cause)
        }
        other => StoreError::Migrate(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_migrations_is_a_step() {
        let mut files: Vec<String> = std::fs::read_dir("migrations")
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let steps: Vec<String> =
            STEPS.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
        assert_eq!(files, steps);
    }
}
