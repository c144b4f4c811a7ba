//! A database that is locked, read-only or gone: 503, nothing by halves, and estimates go on.

use axum::http::{Method, StatusCode};
use farthing::store::Store;
use sqlx::{Connection as _, Executor as _};

use super::{Desk, a_million, labelled};
use crate::{
    helpers::{json_request, tables},
    store::database,
};

async fn on_disk(name: &str) -> (Desk, String) {
    let url = database(name);
    (Desk::on(Store::open(&url).await.unwrap(), &tables()).await, url)
}

async fn is_turned_away(desk: &Desk) {
    let refused = desk.post("/quotes", &labelled("x")).await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "1"),
        "{}",
        refused.text()
    );
    assert_eq!(refused.value()["type"], "/problems/no-database");
    assert_eq!(desk.post("/estimate", &a_million()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_given_up() {
    let (desk, url) = on_disk("quotes-locked").await;
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    other.execute("BEGIN IMMEDIATE; UPDATE catalog_version SET version = version").await.unwrap();
    is_turned_away(&desk).await;
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(desk.list("").await["items"], serde_json::json!([]), "nothing was kept");
    desk.keep(&labelled("x")).await;
}

#[tokio::test]
async fn a_database_whose_file_was_removed_takes_no_more_quotes() {
    let (desk, url) = on_disk("quotes-gone").await;
    desk.keep(&labelled("x")).await;
    std::fs::remove_file(url.trim_start_matches("sqlite://")).unwrap();
    is_turned_away(&desk).await;
}

#[tokio::test]
async fn a_write_that_fails_on_the_way_leaves_neither_quote_nor_key_and_the_old_ones_can_be_read() {
    let (desk, url) = on_disk("quotes-full").await;
    let id = desk.keep(&labelled("x")).await;
    let before = desk.get(&format!("/quotes/{id}")).await;
    let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
    // As a full disk or a read-only one would have it, after the key has been claimed.
    let full = "CREATE TRIGGER full BEFORE INSERT ON quote BEGIN SELECT RAISE(ROLLBACK, 'disk full'); END";
    other.execute(full).await.unwrap();
    is_turned_away(&desk).await;
    assert_eq!(post_with_key(&desk).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(desk.get(&format!("/quotes/{id}")).await.body, before.body);
    other.execute("DROP TRIGGER full").await.unwrap();
    assert_eq!(desk.list("").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(post_with_key(&desk).await, StatusCode::CREATED);
    assert_eq!(desk.list("").await["items"].as_array().unwrap().len(), 2);
}

async fn post_with_key(desk: &Desk) -> StatusCode {
    let mut request = json_request(Method::POST, "/quotes", &labelled("x"));
    request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    desk.ask(request).await.status
}

#[tokio::test]
async fn a_closed_database_is_no_database() {
    let (desk, _) = on_disk("quotes-closed").await;
    desk.store.close().await;
    is_turned_away(&desk).await;
    assert_eq!(desk.get("/quotes").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
