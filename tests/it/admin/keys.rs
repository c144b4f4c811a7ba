//! Keys over HTTP: made, shown once, listed, used, revoked.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use farthing::store::{Store, keys::Scope};
use serde_json::{Value, json};

use super::{Office, draft, get, is_refused, put, with_key};
use crate::{
    helpers::{Answer, ask_of, json_request, now},
    store::database,
};

#[tokio::test]
async fn a_key_is_made_shown_once_and_good_at_once() {
    let office = Office::new().await;
    let body = json!({ "label": "billing", "scopes": ["admin"], "expires_at": "2027-01-31" });
    let answer = office.create(&body).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let made = answer.value();
    let (key, secret) = (&made["key"], made["secret"].as_str().unwrap());
    assert_eq!(answer.header("location"), format!("/admin/keys/{}", key["id"].as_str().unwrap()));
    assert!(secret.starts_with(key["prefix"].as_str().unwrap()) && secret.len() == 80);
    assert_eq!(
        (&key["label"], &key["scopes"], &key["state"]),
        (&json!("billing"), &json!(["admin"]), &json!("active"))
    );
    assert_eq!(key["expires_at"], "2027-01-31T00:00:00Z");
    let shown = office.ask(get(answer.header("location")), Some(secret)).await;
    assert_eq!(shown.status, StatusCode::OK);
    let mut shown = shown.value();
    assert_eq!(shown["last_used_at"], "2026-11-24T12:00:00Z"); // by asking
    shown["last_used_at"] = Value::Null;
    assert_eq!(shown, *key);
}

#[tokio::test]
async fn a_key_itself_is_kept_nowhere() {
    let url = database("keys-nowhere");
    let office = Office::on(Store::open(&url).await.unwrap(), farthing::http::Settings::default()).await;
    let mut request =
        json_request(Method::POST, "/admin/keys", &json!({ "label": "x", "scopes": ["quote"] }));
    request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
    let answer = office.ask(request, Some(&office.admin)).await.value();
    let secret = answer["secret"].as_str().unwrap().as_bytes();
    office.store.close().await;
    let path = url.trim_start_matches("sqlite://");
    let contains = |file: &str| {
        let bytes = std::fs::read(file).unwrap_or_default();
        [secret, &secret[16..], office.admin.as_bytes()]
            .iter()
            .any(|part| bytes.windows(part.len()).any(|window| window == *part))
    };
    assert!(std::fs::metadata(path).unwrap().len() > 0);
    assert!(!contains(path) && !contains(&format!("{path}-wal")));
}

#[tokio::test]
async fn a_request_sent_twice_makes_one_key_and_shows_it_once() {
    let office = Office::new().await;
    let post = async |label: &str, key: &str| {
        let body = json!({ "label": label, "scopes": ["quote"] });
        let mut request = json_request(Method::POST, "/admin/keys", &body);
        request.headers_mut().insert("idempotency-key", "k".parse().unwrap());
        office.ask(request, Some(key)).await
    };
    let first = post("x", &office.admin).await;
    let again = post("x", &office.admin).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.value()["key"], first.value()["key"]);
    assert!(first.value()["secret"].is_string() && again.value()["secret"].is_null());
    let other = post("y", &office.admin).await;
    assert_eq!(other.value()["type"], "/problems/idempotency-key-reused");
    let (_, another_admin) = office.make(&["admin"]).await;
    let of_another = post("x", &another_admin).await; // what one caller sent is not shown to another
    assert_ne!(of_another.header("location"), first.header("location"));
    assert_eq!(office.store.keys().await.unwrap().1.len(), 4);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told_with_its_place() {
    let office = Office::new().await;
    let faults = async |body: Value| {
        let answer = office.create(&body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        let errors = answer.value()["errors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| {
                format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
            })
            .collect::<Vec<_>>()
    };
    let all = json!({ "label": "", "scopes": [], "expires_at": "2026-11-24T12:00:00Z" });
    assert_eq!(
        faults(all).await,
        ["/label out_of_range", "/scopes out_of_range", "/expires_at out_of_range"]
    );
    assert_eq!(faults(json!({ "scopes": ["quote"] })).await, ["/label missing_field"]);
    assert_eq!(faults(json!({ "label": "x\n", "scopes": ["quote"] })).await, ["/label out_of_range"]);
    let unknown = faults(json!({ "label": "x", "scopes": ["Admin"] })).await;
    assert!(unknown[0].starts_with("/scopes/0 "), "{unknown:?}");
    assert_eq!(faults(json!({ "label": "x", "scopes": ["quote"], "id": "1" })).await, ["/id unknown_field"]);
    assert_eq!(office.store.keys().await.unwrap().1.len(), 1);
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_then_on_and_is_still_listed() {
    let office = Office::new().await;
    let (id, secret) = office.make(&["admin"]).await;
    assert_eq!(office.ask(get("/admin/keys"), Some(&secret)).await.status, StatusCode::OK);
    let revoked = office.revoke(&id).await;
    assert_eq!((revoked.status, &revoked.value()["state"]), (StatusCode::OK, &json!("revoked")));
    is_refused(&office.ask(get("/admin/keys"), Some(&secret)).await, "revoked");
    let again = office.revoke(&id).await;
    assert_eq!((again.status, again.value()), (StatusCode::OK, revoked.value()));
    assert_eq!(office.get(&format!("/admin/keys/{id}")).await.value(), revoked.value());
}

#[tokio::test]
async fn what_is_no_key_is_not_there() {
    let office = Office::new().await;
    for id in ["019ab2c4-7a00-7c4d-8e5f-60718293a4b5", "x", "%00", &"9".repeat(500)] {
        assert_eq!(office.get(&format!("/admin/keys/{id}")).await.status, StatusCode::NOT_FOUND, "{id}");
        assert_eq!(office.revoke(id).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn a_key_may_revoke_itself() {
    let office = Office::new().await;
    let own = office.store.keys().await.unwrap().1[0].id.clone();
    assert_eq!(office.revoke(&own).await.status, StatusCode::OK);
    is_refused(&office.get("/admin/keys").await, "itself");
}

#[tokio::test]
async fn keys_are_listed_page_by_page_the_newest_first() {
    let office = Office::new().await;
    for number in 0..7 {
        put(&office.store, draft(&[Scope::Quote], Some(&format!("2027-01-0{}T00:00:00Z", number + 1)))).await;
    }
    let mut ids = Vec::new();
    let mut path = "/admin/keys?limit=3".to_owned();
    let mut pages = 0;
    loop {
        let answer = office.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let page = answer.value();
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/admin/keys?limit=3&cursor={cursor}");
        assert_eq!(answer.header("link"), format!("<{path}>; rel=\"next\""));
    }
    let mut expected: Vec<String> =
        office.store.keys().await.unwrap().1.into_iter().map(|key| key.id).collect();
    expected.reverse();
    assert_eq!((ids, pages), (expected, 3));
    let altered = office.get("/admin/keys?cursor=AAAA").await;
    assert_eq!(altered.value()["errors"][0]["pointer"], "/cursor");
}

#[tokio::test]
async fn a_key_that_others_make_or_revoke_counts_when_it_is_taken_over() {
    let office = Office::new().await;
    let (id, secret) = put(&office.store, draft(&[Scope::Admin], None)).await;
    is_refused(&office.ask(get("/admin/keys"), Some(&secret)).await, "not yet known");
    assert!(office.app.follow_keys().await.unwrap());
    assert!(!office.app.follow_keys().await.unwrap());
    assert_eq!(office.ask(get("/admin/keys"), Some(&secret)).await.status, StatusCode::OK);
    let hand = farthing::store::keys::Hand::local(farthing::store::audit::Actor::CommandLine);
    office.store.revoke_key(&id, &hand, now()).await.unwrap().unwrap();
    assert!(office.app.follow_keys().await.unwrap());
    is_refused(&office.ask(get("/admin/keys"), Some(&secret)).await, "revoked elsewhere");
}

#[tokio::test]
async fn a_key_is_good_until_the_instant_at_which_it_expires() {
    let office = Office::new().await;
    let (_, secret) = put(&office.store, draft(&[Scope::Admin], Some("2026-11-24T12:00:00.001Z"))).await;
    office.app.follow_keys().await.unwrap();
    assert_eq!(office.ask(get("/admin/keys"), Some(&secret)).await.status, StatusCode::OK);
    let later = office.at(|| "2026-11-24T12:00:00.001Z".parse().unwrap());
    later.follow_keys().await.unwrap();
    let router = farthing::http::router(later);
    is_refused(&ask_of(router, with_key(get("/admin/keys"), Some(&secret))).await, "expired");
}

#[tokio::test]
async fn when_a_key_was_last_used_is_written_down_later() {
    let office = Office::new().await;
    let used = async || office.store.keys().await.unwrap().1[0].last_used_at;
    office.get("/admin/keys").await;
    assert_eq!(used().await, None);
    office.app.note_key_uses().await.unwrap();
    assert_eq!(used().await, Some(now()));
    assert!(!office.app.follow_keys().await.unwrap(), "a use is no change");
}

/// Ten callers use a key without a pause while it is revoked: no request that began after the answer gets through.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_revoked_while_it_is_in_use_lets_nobody_through_afterwards() {
    let office = Office::new().await;
    for _ in 0..5 {
        let (id, secret) = office.make(&["quote"]).await;
        let is_revoked = Arc::new(AtomicBool::new(false));
        let using: Vec<_> = (0..10)
            .map(|_| {
                let (office, secret, is_revoked) = (office.clone(), secret.clone(), Arc::clone(&is_revoked));
                tokio::spawn(async move {
                    let (mut before, mut after) = (0, 0);
                    while after < 20 {
                        let began_after = is_revoked.load(Ordering::SeqCst);
                        let answer = office.ask(get("/models"), Some(&secret)).await;
                        match (began_after, answer.status) {
                            (true, StatusCode::UNAUTHORIZED) => after += 1,
                            (false, StatusCode::OK) => before += 1,
                            (false, StatusCode::UNAUTHORIZED) => {}
                            (began_after, status) => panic!("{status}, {began_after}"),
                        }
                        tokio::task::yield_now().await;
                    }
                    before
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        assert_eq!(office.revoke(&id).await.status, StatusCode::OK);
        is_revoked.store(true, Ordering::SeqCst);
        let mut before = 0;
        for task in using {
            before += task.await.unwrap();
        }
        assert!(before > 0, "nobody used it");
    }
}

/// Whoever makes keys and whoever takes them over do not undo each other's work.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_just_made_is_good_though_keys_are_taken_over_meanwhile() {
    let office = Office::new().await;
    let stop = Arc::new(AtomicBool::new(false));
    let following = {
        let (office, stop) = (office.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                office.app.follow_keys().await.unwrap();
                tokio::task::yield_now().await;
            }
        })
    };
    let making: Vec<_> = (0..4)
        .map(|_| {
            let office = office.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let (id, secret) = office.make(&["quote"]).await;
                    assert_eq!(office.ask(get("/models"), Some(&secret)).await.status, StatusCode::OK);
                    assert_eq!(office.revoke(&id).await.status, StatusCode::OK);
                    is_refused(&office.ask(get("/models"), Some(&secret)).await, "revoked");
                }
            })
        })
        .collect();
    for task in making {
        task.await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    following.await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_gone_makes_no_key_and_the_old_ones_go_on() {
    let url = database("keys-gone");
    let office = Office::on(Store::open(&url).await.unwrap(), farthing::http::Settings::default()).await;
    std::fs::remove_file(url.trim_start_matches("sqlite://")).unwrap();
    let answer: Answer = office.create(&json!({ "label": "x", "scopes": ["quote"] })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let read = Request::get("/models").body(Body::empty()).unwrap();
    assert_eq!(office.ask(read, Some(&office.admin)).await.status, StatusCode::OK);
}
