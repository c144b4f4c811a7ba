//! The past stays answerable: what was known at a revision, and when the database is gone.

use std::sync::Arc;

use farthing::{
    catalog::{
        edition::built_in,
        handle::Catalog,
        ids::RevisionNumber,
        rows::{History, Revision},
        snapshot::Snapshot,
    },
    http::{App, Settings, router},
    store::open_and_fill,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Desk, total};
use crate::{
    helpers::{now, snapshot},
    store::database,
};

/// The small catalog, whose second revision lets gpt-4o cost twice as much and knows one model more.
fn two_revisions() -> Snapshot {
    let small = snapshot();
    let (History { mut rate_cards, mut offerings, .. }, first) =
        (small.history().clone(), small.revisions()[0].clone());
    let second = RevisionNumber(2);
    let dear: Vec<_> = rate_cards
        .iter_mut()
        .filter(|card| card.row.offering.as_str() == "openai/gpt-4o")
        .map(|card| {
            card.superseded = Some(second);
            let mut dear = card.clone();
            (dear.introduced, dear.superseded, dear.id) = (second, None, card.id + 100);
            dear.row.rates.values_mut().for_each(|rate| rate.amount += rate.amount);
            dear
        })
        .collect();
    rate_cards.extend(dear);
    let mut fresh = offerings[0].clone();
    (fresh.id, fresh.introduced) = (100, second);
    (fresh.row.id, fresh.row.name, fresh.row.aliases) =
        ("openai/gpt-5".into(), "gpt-5".to_owned(), Vec::new());
    offerings.push(fresh);
    let history = History { rate_cards, offerings, ..small.history().clone() };
    let revision = Revision { revision: second, ..first.clone() };
    Snapshot::build(history, vec![first, revision]).unwrap()
}

fn a_million(model: &str, revision: Option<u32>) -> Value {
    json!({ "model": model, "catalog_revision": revision, "usage": { "input_tokens": 1_000_000 } })
}

#[tokio::test]
async fn an_old_revision_answers_with_the_price_known_then() {
    let desk = Desk::of(two_revisions());
    for (asked, answered, cost) in [(Some(1), 1, "2.50"), (Some(2), 2, "5.00"), (None, 2, "5.00")] {
        let quote = desk.quote(a_million("gpt-4o", asked)).await;
        assert_eq!((total(&quote), quote["catalog_revision"].as_u64()), (cost, Some(answered)));
        let cited = quote["references"].as_object().unwrap().values().next().unwrap();
        assert_eq!(cited["revision"], answered);
    }
}

#[tokio::test]
async fn a_model_is_unknown_before_the_revision_that_brought_it() {
    let desk = Desk::of(two_revisions());
    let faults = desk.refusal(a_million("gpt-5", Some(1))).await;
    assert_eq!(faults, [("/model".to_owned(), "unknown_model".to_owned())]);
    let faults = desk.refusal(a_million("gpt-5", Some(2))).await;
    assert_eq!(faults, [("/as_of".to_owned(), "not_in_force".to_owned())], "known, and without a card");
}

#[tokio::test]
async fn a_revision_that_there_is_not_is_refused() {
    let desk = Desk::of(two_revisions());
    for revision in [0_u64, 3, 4_294_967_297, u64::MAX] {
        let request =
            json!({ "model": "gpt-4o", "catalog_revision": revision, "usage": { "input_tokens": 1 } });
        let faults = desk.refusal(request).await;
        assert_eq!(faults, [("/catalog_revision".to_owned(), "unknown_revision".to_owned())]);
    }
}

/// Sends a request over the network and gives the body of the answer.
async fn ask(server: std::net::SocketAddr, body: &Value) -> Value {
    let body = body.to_string();
    let mut connection = TcpStream::connect(server).await.unwrap();
    let request = format!(
        "POST /estimate HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
}

#[tokio::test]
async fn quotes_go_on_when_the_database_is_removed_under_a_running_server() {
    let url = database("removed");
    let path = url.strip_prefix("sqlite://").unwrap();
    let (store, snapshot) = open_and_fill(&url, now()).await.unwrap();
    let catalog = Arc::new(Catalog::new(snapshot));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let app = App::new(Arc::clone(&catalog), now, Settings::default());
    let serving = tokio::spawn(async move { axum::serve(listener, router(app)).await });
    assert_eq!(total(&ask(server, &a_million("gpt-4o", None)).await), "2.50");

    let mut tables = built_in().unwrap().tables;
    let cards = tables.rate_cards.iter_mut().filter(|card| card.offering.as_str() == "openai/gpt-4o");
    cards.for_each(|card| card.rates.values_mut().for_each(|rate| rate.amount += rate.amount));
    store.import(&tables, "dearer", "test", None, now()).await.unwrap().unwrap();
    let (history, revisions) = store.load().await.unwrap();
    catalog.replace(Snapshot::build(history, revisions).unwrap());
    for file in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
        let _ = std::fs::remove_file(file); // the log may have been taken in already
    }
    assert!(!std::path::Path::new(path).exists());

    assert_eq!(total(&ask(server, &a_million("gpt-4o", None)).await), "5.00");
    assert_eq!(total(&ask(server, &a_million("gpt-4o", Some(1))).await), "2.50");
    store.close().await;
    assert_eq!(total(&ask(server, &a_million("gpt-4o", Some(2))).await), "5.00");
    serving.abort();
}
