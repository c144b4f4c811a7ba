//! An open service with and without keys, and what a page of another origin needs to send one.

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
};
use farthing::http::{Settings, router};

use super::{Office, get, is_refused, with_key};
use crate::helpers::{app, ask_of};

#[tokio::test]
async fn an_open_service_answers_without_a_key_and_with_any_good_one() {
    let office = Office::new().await;
    let (_, write) = office.make(&["catalog:write"]).await;
    for key in [None, Some(office.admin.as_str()), Some(write.as_str())] {
        assert_eq!(office.ask(get("/models"), key).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_open_service_refuses_a_key_that_is_not_good_and_health_does_not_look() {
    let office = Office::new().await;
    for path in ["/models", "/metrics"] {
        is_refused(&office.ask(get(path), Some("fth_wrong")).await, path);
    }
    for path in ["/healthz", "/readyz", "/", "/openapi.json"] {
        assert_eq!(office.ask(get(path), Some("fth_wrong")).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn two_keys_in_one_request_are_none() {
    let office = Office::new().await;
    let mut request = with_key(get("/admin/keys"), Some(&office.admin));
    let again = request.headers()[header::AUTHORIZATION].clone();
    request.headers_mut().append(header::AUTHORIZATION, again);
    is_refused(&office.ask(request, None).await, "two keys");
}

#[tokio::test]
async fn what_is_said_to_a_proxy_is_nothing_to_an_open_service_and_no_key_to_a_closed_one() {
    let basic = |path: &str| {
        let mut request = get(path);
        let value = HeaderValue::from_static("Basic Zm9vOmJhcg==");
        request.headers_mut().insert(header::AUTHORIZATION, value);
        request
    };
    let office = Office::new().await;
    assert_eq!(office.ask(basic("/models"), None).await.status, StatusCode::OK);
    is_refused(&office.ask(basic("/admin/keys"), None).await, "basic");
}

#[tokio::test]
async fn a_service_without_a_database_has_no_key_and_admin_is_closed() {
    is_refused(&ask_of(router(app()), get("/admin/keys")).await, "no database");
}

#[tokio::test]
async fn the_page_to_try_it_out_is_open_where_all_else_is_closed() {
    let office = Office::with(Settings { require_key: true, ..Settings::default() }).await;
    for part in ["", "swagger-ui-bundle.js"] {
        let answer = office.ask(get(&format!("/swagger-ui/{part}")), None).await;
        assert_eq!(answer.status, StatusCode::OK, "{part}");
    }
}

#[tokio::test]
async fn a_page_of_a_listed_origin_may_send_a_key() {
    let cors_origins = vec![HeaderValue::from_static("https://example.com")];
    let office = Office::with(Settings { cors_origins, ..Settings::default() }).await;
    let request = Request::builder().method(Method::OPTIONS).uri("/admin/keys");
    let request = request.header(header::ORIGIN, "https://example.com");
    let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "GET");
    let request = request.header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization");
    let answer = office.ask(request.body(Body::empty()).unwrap(), None).await;
    // `*` would not do: the Fetch standard has `authorization` named.
    assert_eq!(answer.header("access-control-allow-headers"), "authorization");
}
