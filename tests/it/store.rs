//! The store: what goes in comes out, the past stays, and nothing happens by halves.

use std::{path::PathBuf, sync::LazyLock};

use farthing::{
    catalog::{
        edition::{built_in, built_in_snapshot, built_in_version},
        ids::RevisionNumber,
        rows::{Revision, Tables},
    },
    store::{Store, StoreError, open_and_fill},
};
use jiff::Timestamp;
use sqlx::Connection as _;

/// A database of a test's own, gone from the run before.
pub(crate) fn database(test: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.db"));
    for file in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(path.with_extension(file)); // mostly not there
    }
    format!("sqlite://{}", path.display())
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// The built-in rows, read once.
static BUILT_IN: LazyLock<Tables> = LazyLock::new(|| built_in().unwrap().tables);

/// A few of the built-in rows of every table, sound by themselves.
fn small() -> Tables {
    let mut tables = BUILT_IN.clone();
    let kept = |offering: &str| offering.starts_with("deepseek/") || offering.starts_with("anthropic/");
    tables.models.truncate(200);
    tables.offerings.retain(|offering| kept(offering.id.as_str()));
    tables.offerings.iter_mut().for_each(|offering| offering.model = None);
    tables.rate_cards.retain(|card| kept(card.offering.as_str()));
    tables.modifiers.retain(|modifier| kept(modifier.offering.as_str()));
    tables.fx_rates.truncate(50);
    tables.gpu_rentals.truncate(20);
    tables.published_runs.iter_mut().for_each(|run| run.model = None);
    tables.published_throughputs.truncate(20);
    tables.published_throughputs.iter_mut().for_each(|speed| speed.model = None);
    tables
}

async fn import(store: &Store, tables: &Tables) -> Result<Option<Revision>, StoreError> {
    store.import(tables, "a test", "tester", None, now()).await
}

#[tokio::test]
async fn the_built_in_catalog_comes_out_of_the_database_as_it_went_in() {
    let store = Store::open(&database("built-in")).await.unwrap();
    let tables = BUILT_IN.clone();
    import(&store, &tables).await.unwrap();
    let (history, _) = store.load().await.unwrap();
    let expected = tables.into_history(RevisionNumber(1));
    // Table by table: a difference of 40,000 rows is no message.
    assert!(history.providers == expected.providers, "providers");
    assert!(history.meters == expected.meters, "meters");
    assert!(history.calendars == expected.calendars, "calendars");
    assert!(history.models == expected.models, "models");
    assert!(history.offerings == expected.offerings, "offerings");
    assert!(history.rate_cards == expected.rate_cards, "rate cards");
    assert!(history.modifiers == expected.modifiers, "modifiers");
    assert!(history.fx_rates == expected.fx_rates, "fx rates");
    assert!(history.gpus == expected.gpus, "gpus");
    assert!(history.gpu_rentals == expected.gpu_rentals, "rentals");
    assert!(history.assumptions == expected.assumptions, "assumptions");
    assert!(history.energy_prices == expected.energy_prices, "energy prices");
    assert!(history.published_runs == expected.published_runs, "published runs");
    assert!(history.published_throughputs == expected.published_throughputs, "published throughputs");
    assert!(history.scenarios == expected.scenarios, "scenarios");
    assert!(history == expected, "another table");
}

#[tokio::test]
async fn a_revision_is_read_back_as_it_was_made() {
    let store = Store::open(&database("revision")).await.unwrap();
    let made = store.import(&small(), "why", "who", Some("2026-11-23.1"), now()).await.unwrap().unwrap();
    let (_, revisions) = store.load().await.unwrap();
    assert_eq!(revisions, [made]);
}

#[tokio::test]
async fn importing_the_same_again_makes_no_revision() {
    let store = Store::open(&database("same")).await.unwrap();
    import(&store, &small()).await.unwrap();
    assert_eq!(import(&store, &small()).await.unwrap(), None);
    assert_eq!(store.newest_revision().await.unwrap(), RevisionNumber(1));
}

#[tokio::test]
async fn a_changed_a_new_and_a_withdrawn_row_leave_both_versions_in_the_history() {
    let store = Store::open(&database("changes")).await.unwrap();
    let before = small();
    import(&store, &before).await.unwrap();
    let mut after = before.clone();
    after.providers[0].name = "Another Name".to_owned();
    let mut fresh = after.providers[1].clone();
    fresh.id = "zzz".into();
    after.providers.push(fresh);
    let withdrawn = after.rate_cards.pop().unwrap();
    let revision = import(&store, &after).await.unwrap().unwrap();
    assert_eq!((revision.revision, revision.rows_added, revision.rows_superseded), (RevisionNumber(2), 2, 2));
    let (history, _) = store.load().await.unwrap();
    assert!(history.at(RevisionNumber(1)) == before);
    assert_eq!(history.at(RevisionNumber(2)).row_count(), after.row_count());
    let gone = history.rate_cards.iter().find(|row| row.row == withdrawn).unwrap();
    assert_eq!(gone.superseded, Some(RevisionNumber(2)));
}

#[tokio::test]
async fn a_changed_card_brings_its_own_rates_and_leaves_the_old_ones() {
    let store = Store::open(&database("rates")).await.unwrap();
    let before = small();
    import(&store, &before).await.unwrap();
    let mut after = before.clone();
    let (_, rate) = after.rate_cards[0].rates.iter_mut().next().unwrap();
    rate.amount += rust_decimal::Decimal::ONE;
    import(&store, &after).await.unwrap();
    let (history, _) = store.load().await.unwrap();
    assert!(history.at(RevisionNumber(1)).rate_cards == before.rate_cards);
    assert_eq!(history.rate_cards.last().unwrap().row, after.rate_cards[0]);
}

#[tokio::test]
async fn a_row_that_comes_back_is_a_row_of_its_own() {
    let store = Store::open(&database("back")).await.unwrap();
    let with = small();
    let mut without = with.clone();
    without.providers.pop();
    for tables in [&with, &without, &with] {
        import(&store, tables).await.unwrap();
    }
    let (history, _) = store.load().await.unwrap();
    let last = with.providers.last().unwrap();
    let versions: Vec<_> = history.providers.iter().filter(|row| row.row == *last).collect();
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (versions[0].superseded, versions[1].introduced),
        (Some(RevisionNumber(2)), RevisionNumber(3))
    );
}

#[tokio::test]
async fn an_import_that_fails_on_the_way_leaves_nothing() {
    let url = database("rollback");
    let store = Store::open(&url).await.unwrap();
    import(&store, &small()).await.unwrap();
    let before = store.load().await.unwrap();
    let mut broken = small();
    broken.providers[0].name = "Another Name".to_owned();
    broken.gpu_rentals[0].gpu_count = 0; // the schema refuses it, after most tables are written
    assert!(matches!(import(&store, &broken).await, Err(StoreError::Sql(_))));
    assert!(store.load().await.unwrap() == before);
    assert_eq!(store.newest_revision().await.unwrap(), RevisionNumber(1));
}

#[tokio::test]
async fn an_import_that_is_dropped_on_the_way_leaves_nothing() {
    let url = database("dropped");
    let store = Store::open(&url).await.unwrap();
    let tables = BUILT_IN.clone();
    let soon = std::time::Duration::from_millis(20);
    assert!(tokio::time::timeout(soon, import(&store, &tables)).await.is_err(), "it was quicker than that");
    assert_eq!(store.newest_revision().await.unwrap(), RevisionNumber(0));
    assert!(import(&store, &small()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_edition_that_names_a_row_twice_is_refused() {
    let store = Store::open(&database("twice")).await.unwrap();
    let mut tables = small();
    tables.providers.push(tables.providers[0].clone());
    assert!(matches!(import(&store, &tables).await, Err(StoreError::Duplicate(_))));
}

#[tokio::test]
async fn imports_at_once_queue_and_each_sees_what_the_other_did() {
    let url = database("queue");
    let (one, two) = (Store::open(&url).await.unwrap(), Store::open(&url).await.unwrap());
    let tables = small();
    let (first, second) = tokio::join!(import(&one, &tables), import(&two, &tables));
    let made = [first.unwrap(), second.unwrap()].into_iter().flatten().count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_database_is_the_same_after_it_is_opened_again() {
    let url = database("reopen");
    let store = Store::open(&url).await.unwrap();
    import(&store, &small()).await.unwrap();
    let before = store.load().await.unwrap();
    store.close().await;
    let again = Store::open(&url).await.unwrap();
    assert!(again.load().await.unwrap() == before);
}

#[tokio::test]
async fn the_first_start_fills_the_database_with_what_memory_holds() {
    let now = built_in_version().unwrap().made_at();
    let (_, filled) = open_and_fill(&database("fill"), now).await.unwrap();
    let memory = built_in_snapshot().unwrap();
    assert_eq!(filled.revisions(), memory.revisions());
    assert!(filled.history() == memory.history());
}

#[tokio::test]
async fn a_later_start_changes_nothing() {
    let url = database("later");
    let (first, _) = open_and_fill(&url, now()).await.unwrap();
    first.close().await;
    let later = "2027-01-01T00:00:00Z".parse().unwrap();
    let (_, snapshot) = open_and_fill(&url, later).await.unwrap();
    assert_eq!(snapshot.revisions().len(), 1);
}

#[tokio::test]
async fn an_older_edition_in_the_database_gives_way_to_the_built_in_one() {
    let url = database("older");
    let store = Store::open(&url).await.unwrap();
    store.import(&small(), "an old edition", "tester", Some("2020-01-01.1"), now()).await.unwrap();
    let (_, snapshot) = open_and_fill(&url, now()).await.unwrap();
    assert_eq!(snapshot.revision(), RevisionNumber(2));
    let tables = snapshot.history().at(RevisionNumber(2));
    assert_eq!(tables.row_count(), BUILT_IN.row_count());
}

#[tokio::test]
async fn a_newer_edition_in_the_database_stays() {
    let url = database("newer");
    let store = Store::open(&url).await.unwrap();
    store.import(&small(), "a new edition", "tester", Some("2999-01-01.1"), now()).await.unwrap();
    let (_, snapshot) = open_and_fill(&url, now()).await.unwrap();
    assert_eq!(snapshot.revision(), RevisionNumber(1));
}

#[tokio::test]
async fn every_reference_in_the_database_leads_somewhere() {
    let url = database("references");
    let store = Store::open(&url).await.unwrap();
    import(&store, &small()).await.unwrap();
    let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut conn).await.unwrap();
    assert_eq!(dangling.len(), 0);
}

#[tokio::test]
async fn a_database_of_a_later_release_is_refused_in_one_line() {
    let url = database("newer-schema");
    Store::open(&url).await.unwrap().close().await;
    let mut conn = sqlx::AnyConnection::connect(&url).await.unwrap();
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (99, 'the future', 1, '', 0)";
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    let error = Store::open(&url).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 99, .. }), "{error}");
    assert_eq!(error.to_string().lines().count(), 1);
}

#[tokio::test]
async fn a_read_only_database_is_refused_in_one_line() {
    let url = database("read-only");
    Store::open(&url).await.unwrap().close().await;
    let error = Store::open(&format!("{url}?mode=ro")).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_said_so_at_once() {
    let error = Store::open("sqlite:///nowhere/at/all/farthing.db").await.unwrap_err();
    let expected = "the database sqlite:///nowhere/at/all/farthing.db cannot be opened: ";
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said_so_at_once() {
    let url = database("no-database");
    std::fs::write(url.trim_start_matches("sqlite://"), "not a database, but long enough for a header")
        .unwrap();
    let error = Store::open(&url).await.unwrap_err();
    assert!(error.to_string().contains("file is not a database"), "{error}");
}
