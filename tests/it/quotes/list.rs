//! Quotes are found again.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use farthing::http::Settings;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Desk, a_million, faults, labelled};

fn the_next_day() -> Timestamp {
    "2026-11-25T12:00:00Z".parse().unwrap()
}

/// Three quotes of one day, and one of the next.
async fn four() -> Desk {
    let desk = Desk::new().await;
    let later = desk.at(the_next_day, Settings::default());
    let quote =
        |label: Option<&str>, tags: Value| json!({ "request": a_million(), "label": label, "tags": tags });
    desk.keep(&quote(Some("Search, Q4"), json!({ "team": "search", "env": "prod" }))).await;
    desk.keep(&quote(Some("100%_Ökostrom"), json!({ "team": "ops" }))).await;
    desk.keep(&quote(None, json!({}))).await;
    later.keep(&quote(Some("=search"), json!({ "team": "search" }))).await;
    desk
}

/// The labels of a list, in no order: three are of one instant.
async fn labels(desk: &Desk, query: &str) -> BTreeSet<String> {
    let page = desk.list(query).await;
    let labels = page["items"].as_array().unwrap().iter().map(|item| &item["label"]);
    labels.map(|label| label.as_str().unwrap_or("-").to_owned()).collect()
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let desk = four().await;
    for (query, expected) in [
        ("", &["Search, Q4", "100%_Ökostrom", "-", "=search"] as &[&str]),
        ("label=%3Dsearch", &["=search"]),
        ("label=search", &[]),
        ("q=SEARCH", &["Search, Q4", "=search"]),
        ("q=%25_%C3%B6", &["100%_Ökostrom"]),
        ("q=%25Q4", &[]),
        ("tag=team:search", &["Search, Q4", "=search"]),
        ("tag=team", &["Search, Q4", "100%_Ökostrom", "=search"]),
        ("tag=env:", &[]),
        ("tag=team:search&q=q4", &["Search, Q4"]),
        ("since=2026-11-25", &["=search"]),
        ("until=2026-11-24T12:00:00Z", &[]),
        ("since=2026-11-24T12:00:00Z&until=2026-11-25T12:00:00Z", &["Search, Q4", "100%_Ökostrom", "-"]),
    ] {
        let expected = expected.iter().map(|label| (*label).to_owned()).collect();
        assert_eq!(labels(&desk, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn the_newest_comes_first_with_its_total() {
    let desk = four().await;
    let page = desk.list("").await;
    let first = &page["items"][0];
    assert_eq!((&first["label"], &first["created_at"]), (&json!("=search"), &json!("2026-11-25T12:00:00Z")));
    assert_eq!((&first["total"], &first["currency"]), (&json!({ "amount": "2.50" }), &json!("USD")));
}

#[tokio::test]
async fn pages_hold_each_quote_once_though_new_ones_come_in_between() {
    let desk = Desk::new().await;
    let mut made = BTreeSet::new();
    for _ in 0..7 {
        made.insert(desk.keep(&labelled("old")).await);
    }
    let (mut seen, mut path) = (Vec::new(), "/quotes?limit=3&q=old".to_owned());
    loop {
        let answer = desk.get(&path).await;
        let page = answer.value();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/quotes?limit=3&q=old&cursor={cursor}");
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
        desk.at(the_next_day, Settings::default()).keep(&labelled("old but new")).await;
    }
    assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (7, made));
}

#[tokio::test]
async fn a_cursor_of_another_query_and_a_limit_out_of_range_are_refused() {
    let desk = four().await;
    let cursor = desk.list("limit=1").await["next_cursor"].as_str().unwrap().to_owned();
    for (query, place) in [
        (format!("limit=1&q=x&cursor={cursor}"), "/cursor"),
        (format!("cursor={cursor}A"), "/cursor"),
        ("limit=0".to_owned(), "/limit"),
        ("limit=501".to_owned(), "/limit"),
    ] {
        let answer = desk.get(&format!("/quotes?{query}")).await;
        assert_eq!(faults(&answer), [(place.to_owned(), "out_of_range".to_owned())], "{query}");
    }
    let unknown = desk.get("/quotes?team=search").await;
    assert_eq!(faults(&unknown), [("/team".to_owned(), "unknown_field".to_owned())]);
}

#[tokio::test]
async fn the_table_holds_all_of_them_and_no_formula() {
    let desk = four().await;
    let answer = desk.get("/quotes?format=csv&tag=team:search").await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut table = csv::Reader::from_reader(answer.text().as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(
        &table.headers().unwrap().iter().collect::<Vec<_>>()[3..8],
        ["label", "tags", "currency", "total", "total_low"]
    );
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.iter().skip(3).take(5).collect()).collect();
    assert_eq!(
        cells,
        [
            ["'=search", r#"{"team":"search"}"#, "USD", "2.50", ""],
            ["Search, Q4", r#"{"env":"prod","team":"search"}"#, "USD", "2.50", ""],
        ]
    );
}

#[tokio::test]
async fn a_table_of_more_than_a_page_comes_whole_and_a_limit_makes_it_a_page() {
    let desk = Desk::new().await;
    let row = desk.store.quotes(&farthing::store::quotes::QuoteFilter::default(), 1, the_next_day()).await;
    assert_eq!(row.unwrap(), []);
    let id = desk.keep(&labelled("x")).await;
    let filter = farthing::store::quotes::QuoteFilter::default();
    let template = desk.store.quotes(&filter, 1, the_next_day()).await.unwrap().remove(0);
    for at in 0..1000_u32 {
        let row =
            farthing::store::quotes::QuoteRow { id: format!("{}{at:08x}", &id[..28]), ..template.clone() };
        desk.store.keep_quote(&row, "{}", None).await.unwrap();
    }
    let lines = |answer: &crate::helpers::Answer| answer.text().lines().count() - 1;
    let whole = desk.get("/quotes?format=csv").await;
    assert_eq!((lines(&whole), whole.header("link")), (1001, ""));
    let page = desk.get("/quotes?format=csv&limit=500").await;
    assert_eq!(lines(&page), 500);
    assert!(page.header("link").contains("format=csv"), "{}", page.header("link"));
}
