//! `POST /estimate/batch`: line n answers line n, however many lines there are.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{Method, Request, StatusCode, header},
};
use farthing::http::Settings;
use futures_util::stream;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::helpers::{Answer, app_with, ask, ask_of, router};

const LINE: &str = r#"{"model": "gpt-4o", "usage": {"input_tokens": 1000, "output_tokens": 100}}"#;

fn request(path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(Method::POST).uri(path);
    request.header(header::CONTENT_TYPE, "application/x-ndjson").body(body.into()).unwrap()
}

async fn batch(body: impl Into<Body>) -> Vec<Value> {
    let answer = ask(request("/estimate/batch", body)).await;
    assert_eq!(answer.status, StatusCode::OK);
    lines(&answer)
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = std::str::from_utf8(&answer.body).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The body in pieces of so many bytes, as a slow network brings it.
fn in_pieces(text: &str, length: usize) -> Body {
    let pieces: Vec<_> = text.as_bytes().chunks(length).map(Bytes::copy_from_slice).collect();
    Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
}

#[tokio::test]
async fn line_n_answers_line_n_with_a_quote_or_a_problem() {
    let body = format!("{LINE}\n{{\"model\": \"gpt-4p\", \"usage\": {{}}}}\nnot json\n\n{LINE}\n");
    let answers = batch(body).await;
    let numbers: Vec<_> = answers.iter().map(|answer| answer["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    assert_eq!(answers[0]["total"]["amount"], "0.0035");
    assert_eq!(answers[1]["errors"][0]["code"], "unknown_model");
    assert_eq!([&answers[2]["status"], &answers[3]["status"]], [400, 400]);
    assert_eq!(answers[4]["total"], answers[0]["total"]);
}

#[tokio::test]
async fn a_line_is_answered_as_post_estimate_answers_it() {
    let alone = crate::helpers::post("/estimate", serde_json::from_str(LINE).unwrap()).await.1;
    let mut answers = batch(LINE).await;
    answers[0].as_object_mut().unwrap().remove("line");
    assert_eq!(answers, [alone]);
}

#[tokio::test]
async fn lines_may_arrive_in_pieces_of_any_length() {
    let body = format!("{LINE}\r\n{LINE}\n{LINE}");
    let whole = batch(body.clone()).await;
    assert_eq!(whole.len(), 3);
    for length in [1, 7, LINE.len(), LINE.len() + 1, 10_000] {
        assert_eq!(batch(in_pieces(&body, length)).await, whole, "pieces of {length}");
    }
}

#[tokio::test]
async fn nothing_in_is_nothing_out() {
    assert_eq!(batch("").await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_line_is_as_long_as_a_body_may_be_and_no_longer() {
    let settings = Settings { body_limit: LINE.len(), ..Settings::default() };
    let body = format!("{LINE}\n{LINE} \n{LINE}\n{}\n{LINE}", " ".repeat(10 * LINE.len()));
    for length in [5, 10_000] {
        let router = farthing::http::router(app_with(settings.clone()));
        let answers = lines(&ask_of(router, request("/estimate/batch", in_pieces(&body, length))).await);
        let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_u64()).collect();
        assert_eq!(statuses, [None, Some(413), None, Some(413), None]);
        assert_eq!(answers[4]["line"], 5);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_answered_up_to_there() {
    let pieces = [Ok(Bytes::from(format!("{LINE}\n{{\"mod"))), Err(std::io::Error::other("gone"))];
    let answers = batch(Body::from_stream(stream::iter(pieces))).await;
    assert_eq!(answers[0]["line"], 1);
    assert_eq!((&answers[1]["line"], &answers[1]["status"]), (&json!(2), &json!(400)));
}

#[tokio::test]
async fn a_body_that_stops_arriving_is_given_up() {
    let silent = stream::unfold(Some(format!("{LINE}\n")), |piece| async {
        let Some(piece) = piece else {
            tokio::time::sleep(Duration::from_hours(24)).await;
            return None;
        };
        Some((Ok::<_, std::io::Error>(Bytes::from(piece)), None))
    });
    let settings = Settings { timeout: Duration::from_millis(50), ..Settings::default() };
    let router = farthing::http::router(app_with(settings));
    let answers = lines(&ask_of(router, request("/estimate/batch", Body::from_stream(silent))).await);
    assert_eq!((&answers[0]["total"]["amount"], &answers[1]["status"]), (&json!("0.0035"), &json!(408)));
}

/// Reads an answer piece by piece and looks how much of the body has been asked for by then.
#[tokio::test]
async fn no_more_is_read_than_is_answered() {
    const PIECE_LINES: usize = 100;
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let piece = Bytes::from(format!("{LINE}\n").repeat(PIECE_LINES));
    let endless = stream::repeat_with(move || {
        counter.fetch_add(PIECE_LINES, Ordering::Relaxed);
        Ok::<_, std::io::Error>(piece.clone())
    });
    let answer = router().oneshot(request("/estimate/batch", Body::from_stream(endless))).await.unwrap();
    let mut body = answer.into_body();
    let mut answered = 0;
    for _ in 0..200 {
        let chunk = body.frame().await.unwrap().unwrap().into_data().unwrap();
        answered += chunk.split(|byte| *byte == b'\n').count() - 1;
        let ahead = read.load(Ordering::Relaxed) - answered;
        assert!(ahead <= 2 * PIECE_LINES, "{ahead} lines were read ahead of {answered} answered");
    }
}

#[tokio::test]
async fn a_summary_adds_up_by_currency_and_by_group() {
    let mut in_yuan: Value = serde_json::from_str(LINE).unwrap();
    in_yuan["currency"] = json!("CNY");
    let mut grouped: Value = serde_json::from_str(LINE).unwrap();
    (grouped["group_by"], grouped["tags"]) = (json!("team"), json!({ "team": "search" }));
    let body = format!("{LINE}\n{in_yuan}\n{grouped}\n{grouped}\nnope\n");
    let answer = ask(request("/estimate/batch?summary=only", body)).await;
    insta::assert_json_snapshot!(answer.value(), @r#"
    {
      "catalog_revision": 1,
      "engine": "farthing 0.1.0",
      "groups": {
        "search": {
          "USD": {
            "amount": "0.007"
          }
        }
      },
      "lines": 5,
      "problems": [
        {
          "detail": "the body is not JSON: expected ident",
          "errors": [],
          "line": 5
        }
      ],
      "quoted": 4,
      "refused": 1,
      "totals": {
        "CNY": {
          "amount": "0.025"
        },
        "USD": {
          "amount": "0.0105"
        }
      }
    }
    "#);
}

#[tokio::test]
async fn a_summary_counts_every_problem_and_shows_the_first_twenty() {
    let answer = ask(request("/estimate/batch?summary=only", "nope\n".repeat(25))).await.value();
    assert_eq!(
        (&answer["lines"], &answer["refused"], &answer["quoted"]),
        (&json!(25), &json!(25), &json!(0))
    );
    assert_eq!(answer["problems"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn a_batch_is_newline_delimited_json_and_nothing_else() {
    let mut form = request("/estimate/batch", LINE);
    form.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(ask(form).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let unknown = ask(request("/estimate/batch?sumary=only", LINE)).await;
    assert_eq!(unknown.value()["errors"][0]["near_matches"], json!(["summary"]));
}
