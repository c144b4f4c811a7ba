//! What was done is written down with it, and found again.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};

use super::Office;

async fn entries(office: &Office, query: &str) -> Vec<Value> {
    let answer = office.get(&format!("/admin/audit?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.value()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_key_made_and_revoked_leaves_two_entries_with_before_and_after() {
    let office = Office::new().await;
    let admin_id = office.store.keys().await.unwrap().1[0].id.clone();
    let (id, secret) = office.make(&["quote"]).await;
    let request = Request::delete(format!("/admin/keys/{id}")).header("x-request-id", "edge-42");
    office.ask(request.body(Body::empty()).unwrap(), Some(&office.admin)).await;
    let entries = entries(&office, "").await;
    let [revoked, made, first] = &entries[..] else { panic!("{entries:#?}") };
    for entry in [revoked, made] {
        assert_eq!(entry["actor"], format!("key {admin_id}"));
        assert_eq!((&entry["key_id"], &entry["target"]), (&json!(admin_id), &json!(id)));
        assert_eq!((&entry["at"], &entry["outcome"]), (&json!("2026-11-24T12:00:00Z"), &json!("done")));
    }
    let key = |revoked_at: Value| {
        json!({ "prefix": &secret[..16], "label": "a test", "scopes": ["quote"], "expires_at": null,
            "revoked_at": revoked_at })
    };
    assert_eq!(
        (&made["action"], &made["before"], &made["after"]),
        (&json!("key.create"), &json!(null), &key(json!(null)))
    );
    assert_eq!(
        (&revoked["before"], &revoked["after"]),
        (&key(json!(null)), &key(json!("2026-11-24T12:00:00Z")))
    );
    assert_eq!((&revoked["action"], &revoked["request_id"]), (&json!("key.revoke"), &json!("edge-42")));
    assert_eq!(
        (&first["actor"], &first["key_id"], &first["request_id"]),
        (&json!("command line"), &json!(null), &json!(null))
    );
}

#[tokio::test]
async fn what_changes_nothing_leaves_no_entry() {
    let office = Office::new().await;
    let (id, _) = office.make(&["quote"]).await;
    office.revoke(&id).await;
    let count = entries(&office, "").await.len();
    office.revoke(&id).await;
    office.revoke("019ab2c4-7a00-7c4d-8e5f-60718293a4b5").await;
    office.create(&json!({ "label": "", "scopes": [] })).await;
    assert_eq!(entries(&office, "").await.len(), count);
}

#[tokio::test]
async fn entries_are_found_by_key_action_and_time() {
    let office = Office::new().await;
    let (other_id, other) = office.make(&["admin"]).await;
    let (id, _) = office.make(&["quote"]).await;
    let request = Request::delete(format!("/admin/keys/{id}")).body(Body::empty()).unwrap();
    assert_eq!(office.ask(request, Some(&other)).await.status, StatusCode::OK);
    let by_other = entries(&office, &format!("key={other_id}")).await;
    assert_eq!((by_other.len(), &by_other[0]["action"]), (1, &json!("key.revoke")));
    assert_eq!(entries(&office, "action=key.create").await.len(), 3);
    assert_eq!(entries(&office, "since=2026-11-24").await.len(), 3); // the first key is a year old
    assert_eq!(entries(&office, "since=2026-11-24T12:00:00.001Z").await.len(), 0);
    assert_eq!(entries(&office, "action=key.create&since=2026-01-01").await.len(), 2);
}

#[tokio::test]
async fn the_trail_is_walked_page_by_page_without_a_gap() {
    let office = Office::new().await;
    for _ in 0..5 {
        office.make(&["quote"]).await;
    }
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = office.get(&format!("/admin/audit?limit=4&cursor={cursor}")).await.value();
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()));
        office.make(&["quote"]).await; // which disturbs nothing
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(ids, [6, 5, 4, 3, 2, 1]);
}
