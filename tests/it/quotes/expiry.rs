//! Quotes go when they were said to go, and not before.

use std::time::Duration;

use axum::http::StatusCode;
use farthing::http::Settings;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, a_million, labelled};
use crate::helpers::now;

fn an_hour_later() -> Timestamp {
    "2026-11-24T13:00:00Z".parse().unwrap()
}

fn a_moment_before_that() -> Timestamp {
    "2026-11-24T12:59:59.999Z".parse().unwrap()
}

fn an_hour() -> Settings {
    Settings { quote_retention: Some(Duration::from_hours(1)), ..Settings::default() }
}

async fn expires_at(desk: &Desk, body: &Value) -> Value {
    desk.post("/quotes", body).await.value()["expires_at"].clone()
}

#[tokio::test]
async fn a_quote_is_there_until_its_hour_is_over() {
    let desk = Desk::new().await.at(now, an_hour());
    let path = format!("/quotes/{}", desk.keep(&labelled("x")).await);
    let before = desk.at(a_moment_before_that, an_hour());
    assert_eq!(before.get(&path).await.status, StatusCode::OK);
    assert_eq!(before.list("").await["items"].as_array().unwrap().len(), 1);
    let after = desk.at(an_hour_later, an_hour());
    assert_eq!(after.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(after.list("").await["items"], json!([]));
}

#[tokio::test]
async fn the_sooner_of_what_the_caller_and_the_service_say_counts() {
    let desk = Desk::new().await.at(now, an_hour());
    let until = |at: &str| json!({ "request": a_million(), "expires_at": at });
    assert_eq!(expires_at(&desk, &labelled("x")).await, "2026-11-24T13:00:00Z");
    assert_eq!(expires_at(&desk, &until("2026-11-24T14:30:00+02:00")).await, "2026-11-24T12:30:00Z");
    assert_eq!(expires_at(&desk, &until("2027-01-01")).await, "2026-11-24T13:00:00Z");
    let for_ever = desk.at(now, Settings::default());
    assert_eq!(expires_at(&for_ever, &until("2027-01-01")).await, "2027-01-01T00:00:00Z");
}

#[tokio::test]
async fn what_is_over_is_removed_with_its_tags_and_what_is_not_stays() {
    let desk = Desk::new().await.at(now, an_hour());
    let tagged = json!({ "request": a_million(), "tags": { "team": "search" } });
    desk.keep(&tagged).await;
    desk.at(now, Settings::default()).keep(&tagged).await;
    assert_eq!(desk.store.remove_expired(a_moment_before_that()).await.unwrap(), 0);
    assert_eq!(desk.store.remove_expired(an_hour_later()).await.unwrap(), 1);
    assert_eq!(desk.store.remove_expired(an_hour_later()).await.unwrap(), 0);
    assert_eq!(desk.list("tag=team:search").await["items"].as_array().unwrap().len(), 1);
}
