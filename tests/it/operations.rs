//! Health, readiness, metrics; and what every answer has around it.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, StatusCode, header},
};
use farthing::{
    catalog::handle::Catalog,
    http::{App, Settings},
};
use serde_json::json;

use crate::helpers::{app, app_with, ask, ask_of, get, now};

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_living_service_says_so() {
    let (status, body) = get("/healthz").await;
    assert_eq!((status, &body["status"]), (StatusCode::OK, &json!("ok")));
}

#[tokio::test]
async fn a_ready_service_names_its_catalog_revision() {
    let (status, body) = get("/readyz").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        body,
        json!({ "status": "ready", "catalog_revision": 1, "revision_made_at": "2026-11-23T12:00:00Z" })
    );
}

#[tokio::test]
async fn a_stopping_service_is_alive_but_not_ready() {
    let app = app();
    app.stop();
    let router = farthing::http::router(app);
    let ready = ask_of(router.clone(), request("/readyz")).await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ready.value()["type"], "/problems/stopping");
    assert_eq!(ask_of(router, request("/healthz")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let first = ask(request("/healthz")).await;
    let second = ask(request("/healthz")).await;
    let id: uuid::Uuid = first.header("x-request-id").parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn an_id_from_upstream_is_echoed() {
    let mut request = request("/healthz");
    request.headers_mut().insert("x-request-id", HeaderValue::from_static("edge-42"));
    assert_eq!(ask(request).await.header("x-request-id"), "edge-42");
}

#[tokio::test]
async fn an_id_that_is_no_id_is_replaced() {
    let mut request = request("/healthz");
    let odd = HeaderValue::from_static("two words");
    request.headers_mut().insert("x-request-id", odd);
    assert!(ask(request).await.header("x-request-id").parse::<uuid::Uuid>().is_ok());
}

#[tokio::test]
async fn no_browser_guesses_at_media_types() {
    assert_eq!(ask(request("/healthz")).await.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_large_answer_is_packed_for_who_asks() {
    let mut request = request("/openapi.json");
    let accepted = HeaderValue::from_static("br, gzip");
    request.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    let packed = ask(request).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert_eq!(packed.header("vary"), "accept-encoding");
    let plain = ask(self::request("/openapi.json")).await;
    assert!(packed.body.len() * 2 < plain.body.len());
}

#[tokio::test]
async fn a_large_answer_is_plain_for_others_and_caches_are_told() {
    let plain = ask(request("/openapi.json")).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(plain.header("vary"), "accept-encoding");
}

#[tokio::test]
async fn a_packed_answer_has_a_weak_tag_that_the_plain_one_is_known_by() {
    let path = "/offerings?limit=500";
    let ask_for = |header: header::HeaderName, value: String| {
        let mut request = request(path);
        request.headers_mut().insert(header, value.parse().unwrap());
        ask_of(farthing::http::router(built_in()), request)
    };
    let packed = ask_for(header::ACCEPT_ENCODING, "gzip".to_owned()).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    let tag = packed.header("etag").to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(ask_for(header::IF_NONE_MATCH, tag).await.status, StatusCode::NOT_MODIFIED);
}

/// A service on the whole catalog, whose lists are long.
fn built_in() -> App {
    let snapshot = farthing::catalog::edition::built_in_snapshot().unwrap();
    App::new(Arc::new(Catalog::new(snapshot)), now, Settings::default())
}

#[tokio::test]
async fn a_small_answer_is_never_packed() {
    let mut request = request("/healthz");
    let accepted = HeaderValue::from_static("gzip");
    request.headers_mut().insert(header::ACCEPT_ENCODING, accepted);
    assert_eq!(ask(request).await.header("content-encoding"), "");
}

fn from_page(method: Method, origin: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri("/healthz");
    let request = request.header(header::ORIGIN, origin);
    let request = request.header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn no_page_from_elsewhere_may_read_answers_by_default() {
    let answer = ask(from_page(Method::GET, "https://example.com")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn pages_of_a_listed_origin_may_read_answers_and_no_others() {
    let settings = Settings {
        cors_origins: vec![HeaderValue::from_static("https://example.com")],
        ..Settings::default()
    };
    let router = farthing::http::router(app_with(settings));
    for (origin, allowed) in [("https://example.com", "https://example.com"), ("https://evil.example", "")] {
        for method in [Method::GET, Method::OPTIONS] {
            let answer = ask_of(router.clone(), from_page(method, origin)).await;
            assert_eq!(answer.header("access-control-allow-origin"), allowed);
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_raw_path() {
    let router = farthing::http::router(app());
    ask_of(router.clone(), request("/healthz")).await;
    ask_of(router.clone(), request("/wp-admin/secret-path")).await;
    ask_of(router.clone(), request("/another-secret-path")).await;
    let metrics = ask_of(router, request("/metrics")).await;
    let text = metrics.text();
    let counts = |labels: &str, count: u32| {
        let line = format!("farthing_http_requests_total{{{labels}}} {count}\n");
        assert!(text.contains(&line), "{line}{text}");
    };
    counts(r#"route="/healthz",method="GET",status="200""#, 1);
    counts(r#"route="unknown",method="GET",status="404""#, 2);
    assert!(!text.contains("secret-path"));
}

#[tokio::test]
async fn an_endpoint_counts_each_of_its_statuses_apart() {
    let app = app();
    let router = farthing::http::router(app.clone());
    ask_of(router.clone(), request("/readyz")).await;
    app.stop();
    ask_of(router.clone(), request("/readyz")).await;
    ask_of(router.clone(), request("/readyz")).await;
    let metrics = ask_of(router, request("/metrics")).await;
    for (status, count) in [(200, 1), (503, 2)] {
        let line = format!(r#"route="/readyz",method="GET",status="{status}"}} {count}"#);
        assert!(metrics.text().contains(&line), "{line}");
    }
}

#[tokio::test]
async fn invented_methods_share_one_label() {
    let router = farthing::http::router(app());
    let odd = Method::from_bytes(b"FROBNICATE").unwrap();
    let request = Request::builder().method(odd).uri("/healthz").body(Body::empty()).unwrap();
    ask_of(router.clone(), request).await;
    let metrics = ask_of(router, self::request("/metrics")).await;
    assert!(metrics.text().contains(r#"route="/healthz",method="other",status="405""#));
    assert!(!metrics.text().contains("FROBNICATE"));
}

#[tokio::test]
async fn durations_are_counted_in_buckets() {
    let router = farthing::http::router(app());
    ask_of(router.clone(), request("/healthz")).await;
    let metrics = ask_of(router, request("/metrics")).await;
    let line = r#"farthing_http_request_duration_seconds_bucket{route="/healthz",method="GET",le="+Inf"} 1"#;
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

#[tokio::test]
async fn metrics_tell_the_catalogs_revision_and_its_age() {
    let metrics = ask(request("/metrics")).await;
    assert!(metrics.text().contains("farthing_catalog_revision 1\n"));
    assert!(metrics.text().contains("farthing_catalog_revision_age_seconds 86400\n"));
}

#[tokio::test]
async fn metrics_tell_the_version() {
    let line = format!("farthing_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
    assert!(ask(request("/metrics")).await.text().contains(&line));
}

#[tokio::test]
async fn the_index_links_only_to_what_is_there() {
    let index = ask(request("/")).await;
    let links: Vec<&str> =
        index.text().split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() >= 5, "{links:?}");
    for link in links {
        let answer = ask(request(&format!("/{}", link.replace("&amp;", "&")))).await;
        assert_eq!(answer.status, StatusCode::OK, "{link}");
    }
}

#[tokio::test]
async fn the_page_to_try_it_out_has_all_its_parts() {
    for part in [
        "",
        "swagger-ui.css",
        "index.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
        "favicon-32x32.png",
    ] {
        let answer = ask(request(&format!("/swagger-ui/{part}"))).await;
        assert_eq!(answer.status, StatusCode::OK, "{part}");
    }
}

#[tokio::test]
async fn the_page_to_try_it_out_asks_nobody_else() {
    let script = ask(request("/swagger-ui/swagger-initializer.js")).await;
    for setting in [r#""url": "../openapi.json""#, r#""tryItOutEnabled": true"#, r#""validatorUrl": "none""#]
    {
        assert!(script.text().contains(setting), "{}", script.text());
    }
}
