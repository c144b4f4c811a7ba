//! Each key may ask so often, and all who have none together.

use std::{num::NonZeroU32, time::Instant};

use axum::http::StatusCode;
use farthing::http::{Settings, auth::RateLimit};

use super::{Office, get};

/// So slow that nothing comes back while a test runs.
fn limited(burst: u32) -> Settings {
    let number = |number| NonZeroU32::new(number).unwrap();
    let limit = RateLimit { per_second: number(1), burst: number(burst) };
    Settings { rate_limit: Some(limit), ..Settings::default() }
}

/// How many requests get through of many in a row, and how many more than the burst may have on a slow machine.
async fn passes(office: &Office, key: Option<&str>, asked: u64) -> (u64, u64) {
    let began = Instant::now();
    let mut passed = 0;
    for _ in 0..asked {
        let answer = office.ask(get("/models"), key).await;
        match answer.status {
            StatusCode::OK => passed += 1,
            status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
        }
    }
    (passed, began.elapsed().as_secs() + 1)
}

#[tokio::test]
async fn each_key_has_a_bucket_and_all_who_have_none_have_one() {
    let office = Office::with(limited(20)).await;
    let (_, one) = office.make(&["quote"]).await;
    let (_, two) = office.make(&["quote"]).await;
    for key in [Some(one.as_str()), None, Some(two.as_str())] {
        let (passed, more) = passes(&office, key, 50).await;
        assert!((20..=20 + more).contains(&passed), "{passed}, {more}");
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let office = Office::with(limited(1)).await;
    for _ in 0..100 {
        let answer = office.ask(get("/models"), None).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.header("retry-after"), "1");
            assert_eq!(answer.value()["type"], "/problems/too-many-requests");
            return;
        }
    }
    panic!("100 requests in less than 100 s are not too many");
}

#[tokio::test]
async fn health_metrics_and_the_document_are_never_too_often() {
    let office = Office::with(limited(1)).await;
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json"] {
        for _ in 0..3 {
            assert_eq!(office.ask(get(path), None).await.status, StatusCode::OK, "{path}");
        }
    }
}

#[tokio::test]
async fn a_bucket_stays_empty_when_keys_are_read_anew() {
    let office = Office::with(limited(3)).await;
    let (_, key) = office.make(&["quote"]).await;
    let began = Instant::now();
    let (before, _) = passes(&office, Some(&key), 10).await;
    assert!(office.app.follow_keys().await.unwrap());
    let (after, _) = passes(&office, Some(&key), 10).await;
    let most = 3 + began.elapsed().as_secs() + 1;
    assert!(before >= 3 && before + after <= most, "{before}, {after}, {most}");
}

#[tokio::test]
async fn without_a_limit_nobody_is_too_early() {
    let office = Office::new().await;
    assert_eq!(passes(&office, None, 100).await.0, 100);
}
