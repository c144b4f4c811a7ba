//! The same request now: what moved, and why.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    catalog::{edition::built_in, rows::Tables},
    estimate::kept::{KeptQuote, requote},
    store::Store,
};
use serde_json::{Value, json};

use super::{Desk, a_million, dearer, faults, loaded};
use crate::helpers::{now, tables};

/// What moved about the only line that did.
fn causes(requote: &Value) -> &Value {
    let items = requote["moved"]["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{requote:#}");
    let lines = items[0]["lines"].as_array().unwrap();
    assert_eq!(lines.len(), 1, "{requote:#}");
    &lines[0]["causes"]
}

#[tokio::test]
async fn a_price_that_changed_is_named_with_what_it_was_and_is() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": a_million(), "label": "x" })).await;
    desk.revise(&dearer()).await;
    let answer = desk.requote(&id).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let requote = answer.value();
    assert_eq!(
        requote["moved"]["total"],
        json!({ "before": "2.50", "after": "5.00", "change": "2.50", "percent": "100.00" })
    );
    let price = |value: &str| json!({ "value": value, "currency": "USD", "per": "1000000", "unit": "token" });
    let expected =
        json!([{ "why": "price", "before": price("2.50"), "after": price("5.00"), "percent": "100.00" }]);
    assert_eq!(causes(&requote), &expected);
    let revisions = |side: &str| requote["moved"][side]["catalog_revision"].clone();
    assert_eq!((revisions("before"), revisions("after")), (json!(1), json!(2)));
    assert_eq!((&requote["answer"]["total"]["amount"], &requote["id"]), (&json!("5.00"), &Value::Null));
    assert_eq!(desk.list("").await["items"].as_array().unwrap().len(), 1, "nothing was kept");
}

#[tokio::test]
async fn an_exchange_rate_that_changed_is_named() {
    let desk = Desk::new().await;
    let mut request = a_million();
    request["currency"] = "EUR".into();
    let id = desk.keep(&json!({ "request": request })).await;
    let mut tables = tables();
    let euro = tables.fx_rates.iter_mut().find(|rate| rate.currency.as_str() == "EUR").unwrap();
    euro.usd_per_unit += euro.usd_per_unit;
    desk.revise(&tables).await;
    let requote = desk.requote(&id).await.value();
    let causes = causes(&requote).as_array().unwrap();
    let told: Vec<_> = causes
        .iter()
        .map(|cause| (&cause["why"], &cause["before"]["value"], &cause["after"]["value"]))
        .collect();
    assert_eq!(told, [(&json!("fx"), &json!("0.8"), &json!("0.4"))]);
}

#[tokio::test]
async fn nothing_has_moved_where_nothing_has_changed() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": a_million() })).await;
    let requote = desk.requote(&id).await.value();
    assert_eq!(
        (&requote["moved"]["items"], &requote["moved"]["total"]["change"]),
        (&json!([]), &json!("0.00"))
    );
}

#[tokio::test]
async fn a_revision_that_the_request_names_does_not_keep_it_from_the_newest_prices() {
    let desk = Desk::new().await;
    let mut request = a_million();
    request["catalog_revision"] = 1.into();
    let id = desk.keep(&json!({ "request": request })).await;
    desk.revise(&dearer()).await;
    assert_eq!(desk.requote(&id).await.value()["answer"]["total"]["amount"], "5.00");
}

#[tokio::test]
async fn an_instant_that_the_request_names_stays() {
    let desk = Desk::new().await;
    let mut request = a_million();
    request["as_of"] = "2025-01-01".into();
    let id = desk.keep(&json!({ "request": request })).await;
    assert_eq!(desk.requote(&id).await.value()["answer"]["as_of"], "2025-01-01T00:00:00Z");
}

#[tokio::test]
async fn the_new_answer_is_kept_where_that_is_asked_for() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": a_million(), "label": "x", "tags": { "team": "search" } })).await;
    desk.revise(&dearer()).await;
    let request = Request::post(format!("/quotes/{id}/requote?keep=true")).body(Body::empty()).unwrap();
    let requoted = desk.ask(request).await;
    assert_eq!(requoted.status, StatusCode::CREATED, "{}", requoted.text());
    let kept = desk.get(requoted.header("location")).await.value();
    assert_eq!((&kept["id"], &kept["requote_of"]), (&requoted.value()["id"], &json!(id)));
    assert_eq!((&kept["label"], &kept["tags"]), (&json!("x"), &json!({ "team": "search" })));
    assert_eq!((&kept["answer"], &kept["catalog_revision"]), (&requoted.value()["answer"], &json!(2)));
}

#[tokio::test]
async fn a_model_that_is_gone_is_named() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": { "items": [a_million()] } })).await;
    let mut gone = tables();
    gone.offerings.retain(|offering| offering.name != "gpt-4o");
    gone.rate_cards.retain(|card| !card.offering.as_str().ends_with("/gpt-4o"));
    desk.revise(&gone).await;
    let refused = desk.requote(&id).await;
    assert_eq!(faults(&refused), [("/request/items/0/model".to_owned(), "unknown_model".to_owned())]);
    assert!(refused.text().contains("gpt-4o"));
    assert_eq!(desk.get(&format!("/quotes/{id}")).await.status, StatusCode::OK, "it can still be read");
}

#[tokio::test]
async fn a_model_without_a_price_any_more_is_named() {
    let desk = Desk::new().await;
    let id =
        desk.keep(&json!({ "request": { "model": "openai/gpt-4o", "usage": { "input_tokens": 1 } } })).await;
    let mut gone = tables();
    gone.rate_cards.retain(|card| card.offering.as_str() != "openai/gpt-4o");
    desk.revise(&gone).await;
    let refused = desk.requote(&id).await;
    assert_eq!(faults(&refused).iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["not_in_force"]);
    assert!(refused.text().contains("openai/gpt-4o"));
}

/// A change to the rows of the built-in catalog, and the training that it moves.
async fn training_moved_by(change: impl FnOnce(&mut Tables)) -> Value {
    let request = json!({ "kind": "training", "model": "llama-2-70b",
        "hardware": { "gpu": "a100-sxm4-80gb", "count": 64, "price_per_gpu_hour": "2.00" },
        "stages": [{ "stage": "pretraining", "tokens": 1e11, "sequence_length": 4096 }] });
    let store = Store::in_memory().await.unwrap();
    let mut rows = built_in().unwrap().tables;
    rows.rate_cards.clear(); // nothing of this is about them
    let desk = Desk::on(store, &rows).await;
    let id = desk.keep(&json!({ "request": request })).await;
    change(&mut rows);
    desk.revise(&rows).await;
    desk.requote(&id).await.value()
}

#[tokio::test]
async fn an_assumption_that_changed_is_named_with_its_range() {
    let requote = training_moved_by(|rows| {
        for row in rows.assumptions.iter_mut().filter(|row| row.id.as_str() == "training.utilization.base") {
            row.low /= 2.0;
            row.mid /= 2.0;
        }
    })
    .await;
    let causes = causes(&requote).as_array().unwrap();
    let of = |why: &str| causes.iter().find(|cause| cause["why"] == why);
    assert!(of("quantity").is_some() && of("engine").is_none(), "{causes:#?}");
    let assumption = of("assumption").unwrap();
    assert_eq!(
        (&assumption["ref"], &assumption["percent"]),
        (&json!("assumption:training.utilization.base"), &json!("-50.00"))
    );
}

#[tokio::test]
async fn what_the_engine_reckons_otherwise_is_told_apart_from_what_the_catalog_changed() {
    let desk = Desk::new().await;
    let id = desk.keep(&json!({ "request": a_million() })).await;
    let document = desk.get(&format!("/quotes/{id}")).await.text().to_owned();
    // As an engine would have answered that took a million tokens for two.
    let old = document.replace(r#""quantity":"1000000""#, r#""quantity":"2000000""#);
    let old = old.replace(r#""amount":"2.50""#, r#""amount":"5.00""#);
    assert_ne!(old, document);
    let kept: KeptQuote<'_> = serde_json::from_str(&old).unwrap();
    let told = |requoted: farthing::estimate::kept::Requoted| {
        let moved = serde_json::to_value(requoted.moved).unwrap();
        let causes = moved["items"][0]["lines"][0]["causes"].as_array().unwrap().clone();
        let figure = |side: &Value| side["value"].as_str().unwrap_or_default().to_owned();
        let cause = |cause: &Value| {
            (cause["why"].as_str().unwrap().to_owned(), figure(&cause["before"]), figure(&cause["after"]))
        };
        causes.iter().map(cause).collect::<Vec<_>>()
    };
    let cause = |why: &str, before: &str, after: &str| (why.to_owned(), before.to_owned(), after.to_owned());
    let alone = requote(&kept, &loaded(&desk.store).await, now()).unwrap();
    assert_eq!(told(alone), [cause("engine", "5.00", "2.50")]);
    desk.revise(&dearer()).await;
    let both = requote(&kept, &loaded(&desk.store).await, now()).unwrap();
    assert_eq!(told(both), [cause("price", "2.50", "5.00"), cause("engine", "5.00", "2.50")]);
}
