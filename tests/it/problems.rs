//! All that can go wrong before or around a handler is a problem of one shape.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Request, StatusCode, header},
    routing::{self, get},
};
use farthing::http::{
    App, Settings,
    extract::{Json, Path, Query},
    housed,
    layers::House,
    problem::Problem,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::helpers::{Answer, app_with, ask, ask_unchecked, post};

/// Something to send to the echo below.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    text: String,
    stars: Option<u8>,
}

async fn echo(Json(note): Json<Note>) -> Json<Note> {
    Json(note)
}

async fn page(Query(note): Query<Note>) -> Json<Note> {
    Json(note)
}

async fn by_number(Path(number): Path<u32>) -> Json<u32> {
    Json(number)
}

async fn slow() -> Json<u32> {
    tokio::time::sleep(Duration::from_hours(1)).await;
    Json(1)
}

async fn panics() -> Json<u32> {
    panic!("the table rate_card is broken");
}

async fn fails() -> Result<Json<u32>, Problem> {
    Err(Problem::internal("the table rate_card is locked"))
}

async fn plain_text_error() -> (StatusCode, &'static str) {
    (StatusCode::FORBIDDEN, "from some layer below")
}

/// Routes that go wrong, behind the same layers as the real ones.
fn faulty(app: &App) -> Router {
    let routes = Router::new()
        .route("/echo", routing::post(echo))
        .route("/page", get(page))
        .route("/numbers/{number}", get(by_number))
        .route("/slow", get(slow))
        .route("/panics", get(panics))
        .route("/fails", get(fails))
        .route("/plain", get(plain_text_error));
    housed(routes, House::bounded(app)).with_state(app.clone())
}

fn settings() -> Settings {
    Settings { body_limit: 64, timeout: Duration::from_millis(50), ..Settings::default() }
}

async fn ask_faulty(request: Request<Body>) -> Answer {
    ask_unchecked(faulty(&app_with(settings())), request).await
}

fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

fn json_text(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("/echo").header(header::CONTENT_TYPE, "application/json");
    request.body(body.into()).unwrap()
}

/// Panics unless the answer is a problem with that status and type, and gives its body.
#[track_caller]
fn problem(answer: &Answer, status: u16, kind: &str) -> Value {
    let body = answer.value();
    assert_eq!(answer.status.as_u16(), status, "{body:#}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(body["status"], status);
    assert_eq!(body["type"], format!("/problems/{kind}"));
    assert_eq!(body["request_id"], answer.header("x-request-id"));
    for field in ["title", "detail"] {
        assert!(body[field].as_str().is_some_and(|text| !text.is_empty()), "{body:#}");
    }
    body
}

#[tokio::test]
async fn an_unknown_path() {
    let answer = ask(request(Method::GET, "/nowhere")).await;
    let body = problem(&answer, 404, "not-found");
    assert_eq!(body["detail"], "nothing is at `/nowhere`; `/` lists what there is");
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let answer = ask(request(Method::DELETE, "/healthz")).await;
    problem(&answer, 405, "method-not-allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_body_for_a_path_that_takes_none() {
    let (status, body) = post("/readyz", json!({})).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(body["detail"], "`/readyz` does not answer POST; see the header `allow`");
}

#[tokio::test]
async fn a_body_of_another_media_type() {
    let form = Request::post("/echo").header(header::CONTENT_TYPE, "text/plain");
    let answer = ask_faulty(form.body("{}".into()).unwrap()).await;
    let body = problem(&answer, 415, "unsupported-media-type");
    assert_eq!(body["detail"], "the header `content-type` must be `application/json`, got `text/plain`");
}

#[tokio::test]
async fn a_body_of_no_media_type() {
    let answer = ask_faulty(Request::post("/echo").body("{}".into()).unwrap()).await;
    problem(&answer, 415, "unsupported-media-type");
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large() {
    let answer = ask_faulty(json_text("x".repeat(65))).await;
    let body = problem(&answer, 413, "too-large");
    assert_eq!(body["detail"], "the body is larger than 64 bytes");
}

#[tokio::test]
async fn a_body_that_turns_out_too_large() {
    let chunks = (0..9).map(|_| Ok::<_, std::io::Error>(Bytes::from_static(b"12345678")));
    let body = Body::from_stream(futures_util::stream::iter(chunks));
    problem(&ask_faulty(json_text(body)).await, 413, "too-large");
}

#[tokio::test]
async fn a_body_as_large_as_may_be_is_taken() {
    let note = format!(r#"{{"text":"{}"}}"#, "x".repeat(64 - 11));
    assert_eq!(note.len(), 64);
    assert_eq!(ask_faulty(json_text(note)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_breaks_off() {
    let broken = Err::<Bytes, _>(std::io::Error::other("reset"));
    let body = Body::from_stream(futures_util::stream::iter([broken]));
    problem(&ask_faulty(json_text(body)).await, 400, "bad-request");
}

#[tokio::test]
async fn a_body_that_does_not_arrive() {
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = ask_faulty(json_text(Body::from_stream(never))).await;
    let body = problem(&answer, 408, "request-timeout");
    assert_eq!(body["detail"], "the body did not arrive within 50ms");
}

#[tokio::test]
async fn a_body_that_is_not_json() {
    let body = problem(&ask_faulty(json_text("{\"text\": ")).await, 400, "not-json");
    assert_eq!(body["detail"], "the body is not JSON: EOF while parsing a value");
}

#[tokio::test]
async fn a_body_of_another_shape_names_the_fault_and_its_place() {
    let answer = ask_faulty(json_text(r#"{"text":"a","star":1}"#)).await;
    let body = problem(&answer, 422, "invalid-request");
    assert_eq!(
        body["errors"],
        json!([{ "pointer": "/star", "code": "unknown_field",
            "detail": "there is no field called `star` here", "near_matches": ["stars"] }])
    );
}

#[tokio::test]
async fn a_query_of_another_shape_names_the_parameter() {
    let answer = ask_faulty(request(Method::GET, "/page?text=a&stars=many")).await;
    let body = problem(&answer, 422, "invalid-request");
    assert_eq!(body["errors"][0]["pointer"], "/stars");
    assert_eq!(body["errors"][0]["code"], "wrong_type");
}

#[tokio::test]
async fn a_path_that_names_nothing() {
    let answer = ask_faulty(request(Method::GET, "/numbers/seven")).await;
    problem(&answer, 404, "not-found");
}

#[tokio::test]
async fn an_answer_that_takes_too_long() {
    let answer = ask_faulty(request(Method::GET, "/slow")).await;
    problem(&answer, 503, "too-slow");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_panic_is_a_failure_that_tells_nothing() {
    let answer = ask_faulty(request(Method::GET, "/panics")).await;
    problem(&answer, 500, "internal");
    assert!(!answer.text().contains("rate_card"));
}

#[tokio::test]
async fn a_failure_keeps_its_cause_to_itself() {
    let answer = ask_faulty(request(Method::GET, "/fails")).await;
    problem(&answer, 500, "internal");
    assert!(!answer.text().contains("rate_card"));
}

#[tokio::test]
async fn an_error_without_a_body_of_ours_becomes_a_problem() {
    problem(&ask_faulty(request(Method::GET, "/plain")).await, 403, "bad-request");
}

/// A service that takes one request at a time, and the routes of a handler that waits to be let go.
fn busy() -> (App, Router, Arc<Notify>) {
    let let_go = Arc::new(Notify::new());
    let app = app_with(Settings { max_concurrency: 1, ..Settings::default() });
    let waited_for = Arc::clone(&let_go);
    let wait = async move || {
        waited_for.notified().await;
        Json(1)
    };
    let routes = Router::new().route("/wait", get(wait));
    let bounded = housed(routes, House::bounded(&app)).with_state(app.clone());
    (app, bounded, let_go)
}

#[tokio::test]
async fn a_request_too_many_is_turned_away_and_health_is_not() {
    let (app, bounded, let_go) = busy();
    let first = tokio::spawn(ask_unchecked(bounded.clone(), request(Method::GET, "/wait")));
    tokio::task::yield_now().await; // the first is now being answered
    let second = ask_unchecked(bounded.clone(), request(Method::GET, "/wait")).await;
    problem(&second, 503, "overloaded");
    assert_eq!(second.header("retry-after"), "1");

    let real = farthing::http::router(app);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = ask_unchecked(real.clone(), request(Method::GET, path)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    let metrics = ask_unchecked(real.clone(), request(Method::GET, "/metrics")).await;
    assert!(metrics.text().contains("farthing_http_requests_shed_total 1\n"));
    assert!(metrics.text().contains("farthing_http_requests_in_flight 1\n"));

    let_go.notify_one();
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    let_go.notify_one();
    let third = ask_unchecked(bounded, request(Method::GET, "/wait")).await;
    assert_eq!(third.status, StatusCode::OK);
}

#[tokio::test]
async fn a_request_given_up_by_its_asker_makes_room() {
    let (app, bounded, _) = busy();
    let gone = tokio::spawn(ask_unchecked(bounded, request(Method::GET, "/wait")));
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    let real = farthing::http::router(app);
    assert_eq!(ask_unchecked(real, request(Method::GET, "/")).await.status, StatusCode::OK);
}
