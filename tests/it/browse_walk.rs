//! Walking through the pages of a list, while the catalog moves on, and keeping what was answered.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    catalog::{
        edition::built_in,
        handle::Catalog,
        ids::RevisionNumber,
        rows::{History, Revision, Versioned},
        snapshot::Snapshot,
    },
    http::{App, Settings, router},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    browse::ask,
    helpers::{Answer, ask_of, now},
};

const FIRST: RevisionNumber = RevisionNumber(1);
const SECOND: RevisionNumber = RevisionNumber(2);

fn revision(number: RevisionNumber) -> Revision {
    Revision {
        revision: number,
        made_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        actor: "test".to_owned(),
        reason: "rows of the tests".to_owned(),
        rows_added: 1,
        rows_superseded: 1,
        content_hash: "0".repeat(64),
        catalog_version: None,
    }
}

fn first_history() -> History {
    built_in().unwrap().tables.into_history(FIRST)
}

/// The built-in catalog, and a second revision that renames the first provider, whose name is in any order
/// the last from then on, and doubles a price of its first rate card.
fn second_snapshot() -> Snapshot {
    let mut history = first_history();
    replace(&mut history.providers, |provider| "zzz".clone_into(&mut provider.name));
    replace(&mut history.rate_cards, |card| card.note = Some("mended".to_owned()));
    Snapshot::build(history, vec![revision(FIRST), revision(SECOND)]).unwrap()
}

/// Supersedes the first row by a changed one.
fn replace<T: Clone>(rows: &mut Vec<Versioned<T>>, change: impl FnOnce(&mut T)) {
    let id = rows.iter().map(|row| row.id).max().unwrap() + 1;
    let mut row = rows[0].row.clone();
    change(&mut row);
    rows[0].superseded = Some(SECOND);
    rows.push(Versioned { id, introduced: SECOND, superseded: None, row });
}

fn app(now: fn() -> Timestamp) -> (App, Arc<Catalog>) {
    let snapshot = Snapshot::build(first_history(), vec![revision(FIRST)]).unwrap();
    let catalog = Arc::new(Catalog::new(snapshot));
    (App::new(Arc::clone(&catalog), now, Settings::default()), catalog)
}

async fn get(app: &App, path: &str) -> Answer {
    let answer = ask_of(router(app.clone()), Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer
}

/// The path of the next page, from the header.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link").strip_prefix('<')?;
    let (path, rest) = link.split_once('>')?;
    assert_eq!(rest, "; rel=\"next\"");
    Some(path.to_owned())
}

fn ids(listing: &Value) -> Vec<String> {
    let items = listing["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_walk_sees_every_row_of_its_revision_once_while_the_catalog_moves_on() {
    let (app, catalog) = app(now);
    let mut path = Some("/providers?limit=20".to_owned());
    let mut seen = Vec::new();
    while let Some(here) = path {
        let answer = get(&app, &here).await;
        let listing = answer.value();
        assert_eq!(listing["catalog_revision"], 1);
        assert_eq!(listing["next_cursor"].is_null(), next(&answer).is_none());
        seen.extend(ids(&listing));
        path = next(&answer);
        catalog.replace(second_snapshot());
    }
    let unique: HashSet<&String> = seen.iter().collect();
    assert_eq!(unique.len(), seen.len());
    assert_eq!(seen, ids(&get(&app, "/providers?limit=500&catalog_revision=1").await.value()));
    assert_ne!(seen, ids(&get(&app, "/providers?limit=500").await.value()), "the second revision is in use");
}

#[tokio::test]
async fn a_walk_asks_about_one_instant_whatever_the_clock_says() {
    static MINUTES: AtomicI64 = AtomicI64::new(0);
    /// Noon of the day before `DeepSeek` changed its prices, and ten hours later each time it is asked.
    fn ticking() -> Timestamp {
        let start: Timestamp = "2025-02-08T12:00:00Z".parse().unwrap();
        start + SignedDuration::from_mins(MINUTES.load(Ordering::Relaxed))
    }
    let (app, _) = app(ticking);
    let path = "/prices?provider=deepseek&currency=CNY&limit=1";
    let whole = ids(&get(&app, "/prices?provider=deepseek&currency=CNY").await.value());
    let first = get(&app, path).await;
    MINUTES.store(10 * 60, Ordering::Relaxed);
    assert_ne!(whole, ids(&get(&app, "/prices?provider=deepseek&currency=CNY").await.value()));
    let mut seen = ids(&first.value());
    let mut path = next(&first);
    while let Some(here) = path {
        let answer = get(&app, &here).await;
        seen.extend(ids(&answer.value()));
        path = next(&answer);
    }
    assert_eq!(seen, whole);
}

#[tokio::test]
async fn news_is_what_later_revisions_introduced_or_replaced() {
    let (app, catalog) = app(now);
    catalog.replace(second_snapshot());
    let news = get(&app, "/prices/history?since_revision=1").await.value();
    let told: Vec<(&Value, &Value)> =
        news["items"].as_array().unwrap().iter().map(|it| (&it["revision"], &it["superseded"])).collect();
    assert_eq!(told.len(), 2, "{news}");
    assert!(told.contains(&(&1.into(), &2.into())) && told.contains(&(&2.into(), &Value::Null)), "{told:?}");
    let as_known_before = get(&app, "/prices/history?since_revision=1&catalog_revision=1").await.value();
    assert_eq!(ids(&as_known_before), [""; 0]);
}

async fn cursor_fault(path: &str) -> Value {
    let answer = ask(path, &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    answer.value()["errors"][0].clone()
}

#[tokio::test]
async fn a_cursor_goes_with_one_query_only() {
    let page = ask("/models?developer=OpenAI&limit=5", &[]).await.value();
    let cursor = page["next_cursor"].as_str().unwrap();
    let altered = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for path in [
        format!("/models?developer=Meta&limit=5&cursor={cursor}"),
        format!("/models?limit=5&cursor={cursor}"),
        format!("/models?developer=OpenAI&sort=-name&cursor={cursor}"),
        format!("/models?developer=OpenAI&catalog_revision=1&cursor={cursor}"),
        format!("/providers?limit=5&cursor={cursor}"),
        format!("/models?developer=OpenAI&cursor={altered}"),
        format!("/models?developer=OpenAI&cursor={}", &cursor[1..]),
        "/models?developer=OpenAI&cursor=5".to_owned(),
    ] {
        let fault = cursor_fault(&path).await;
        assert_eq!(
            (&fault["pointer"], &fault["code"]),
            (&"/cursor".into(), &"out_of_range".into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_may_have_another_length_than_the_one_before() {
    let page = ask("/models?developer=OpenAI&limit=5", &[]).await.value();
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = ask(&format!("/models?cursor={cursor}&developer=OpenAI&limit=7"), &[]).await.value();
    let whole = ask("/models?developer=OpenAI&limit=12", &[]).await.value();
    assert_eq!([ids(&page), ids(&rest)].concat(), ids(&whole));
}

#[tokio::test]
async fn the_last_page_names_no_next() {
    let answer = ask("/meters?limit=500", &[]).await;
    assert!(answer.value()["next_cursor"].is_null());
    assert_eq!(answer.header("link"), "");
}

#[tokio::test]
async fn an_answer_that_somebody_has_is_not_sent_again() {
    for path in ["/models", "/models/gpt-4o", "/prices", "/prices?format=csv", "/revisions/1", "/fx-rates"] {
        let answer = ask(path, &[]).await;
        let tag = answer.header("etag");
        assert!(tag.starts_with('"') && tag.len() > 2, "{path}: {tag}");
        let again = ask(path, &[("if-none-match", tag)]).await;
        assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(again.header("etag"), tag);
        let other = ask(path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn another_answer_has_another_tag() {
    let mut tags = HashSet::new();
    for path in [
        "/prices",
        "/prices?format=csv",
        "/prices?format=csv&as_of=2025-01-01",
        "/prices?format=csv&provider=openai",
        "/prices?limit=49",
    ] {
        assert!(tags.insert(ask(path, &[]).await.header("etag").to_owned()), "{path}");
    }
}

#[tokio::test]
async fn only_what_can_never_change_is_kept_without_asking() {
    let kept = |answer: &Answer| answer.header("cache-control").to_owned();
    assert_eq!(kept(&ask("/prices", &[]).await), "no-cache");
    assert_eq!(kept(&ask("/prices?as_of=2025-01-01", &[]).await), "no-cache");
    assert_eq!(kept(&ask("/prices?as_of=2025-01-01&catalog_revision=1", &[]).await), "max-age=3600");
}

#[tokio::test]
async fn head_answers_as_get_does_but_for_the_body() {
    let request = Request::head("/models/gpt-4o").body(Body::empty()).unwrap();
    let head = ask_of(router(crate::browse::built_in()), request).await;
    let get = ask("/models/gpt-4o", &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("etag"), get.header("etag"));
}
