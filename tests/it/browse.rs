//! Looking around in the built-in catalog: filters, search, order, single rows, and what is refused.

use std::sync::{Arc, LazyLock};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use crate::helpers::{Answer, DOCUMENT, ask_of, ask_unchecked, now};

/// The service on the built-in catalog.
pub fn built_in() -> App {
    static APP: LazyLock<App> = LazyLock::new(|| {
        let catalog = Catalog::new(built_in_snapshot().unwrap());
        App::new(Arc::new(catalog), now, Settings::default())
    });
    APP.clone()
}

/// Asks for a path with headers.
pub async fn ask(path: &str, headers: &[(&str, &str)]) -> Answer {
    let request =
        headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    ask_of(router(built_in()), request.body(Body::empty()).unwrap()).await
}

/// What is answered to a good question.
pub async fn get(path: &str) -> Value {
    let answer = ask(path, &[]).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    answer.value()
}

/// One field of each item.
pub async fn items(path: &str, field: &str) -> Vec<String> {
    let listing = get(path).await;
    let text = |item: &Value| item[field].as_str().map_or_else(|| item[field].to_string(), str::to_owned);
    listing["items"].as_array().unwrap().iter().map(text).collect()
}

/// The one fault of a question that is refused.
pub async fn fault(path: &str) -> Value {
    let answer = ask(path, &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    let problem = answer.value();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    problem["errors"][0].clone()
}

/// Pointer and code of that fault.
async fn code(path: &str) -> (String, String) {
    let fault = fault(path).await;
    (fault["pointer"].as_str().unwrap().to_owned(), fault["code"].as_str().unwrap().to_owned())
}

#[track_caller]
fn is(got: &(String, String), pointer: &str, code: &str) {
    assert_eq!((got.0.as_str(), got.1.as_str()), (pointer, code));
}

#[tokio::test]
async fn every_list_has_items_and_the_revision_it_shows() {
    for path in [
        "/providers",
        "/models",
        "/offerings",
        "/meters",
        "/gpus",
        "/gpu-prices",
        "/fx-rates",
        "/prices",
        "/prices/history?provider=openai",
        "/revisions",
    ] {
        let listing = get(path).await;
        assert!(!listing["items"].as_array().unwrap().is_empty(), "{path}");
        assert_eq!(listing["catalog_revision"], 1, "{path}");
    }
}

#[tokio::test]
async fn search_finds_the_exact_name_first() {
    assert_eq!(items("/offerings?q=gpt-4o&provider=openai", "name").await[0], "gpt-4o");
}

#[tokio::test]
async fn search_forgives_a_letter_or_two() {
    assert_eq!(items("/providers?q=antropic", "id").await[0], "anthropic");
    let found = items("/models?q=deepsek%20v3", "id").await;
    assert!(found.contains(&"deepseek-v3".to_owned()), "{found:?}");
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let sellers = items("/offerings?model=deepseek-r1&limit=500", "model").await;
    assert!(sellers.len() > 1 && sellers.iter().all(|model| model == "deepseek-r1"), "{sellers:?}");
    let embeddings = items("/offerings?kind=embedding", "kind").await;
    assert!(!embeddings.is_empty() && embeddings.iter().all(|kind| kind == "embedding"), "{embeddings:?}");
    let parts = items("/meters?part_of=input_tokens", "id").await;
    assert!(parts.contains(&"cache_read_tokens".to_owned()), "{parts:?}");
    let large = items("/gpus?min_memory_gb=141&vendor=nvidia", "id").await;
    assert!(!large.is_empty() && !large.contains(&"h100-sxm5-80gb".to_owned()), "{large:?}");
    let revisions = items("/revisions?from=2030-01-01", "revision").await;
    assert!(revisions.is_empty());
}

#[tokio::test]
async fn an_offering_without_a_known_model_is_found_by_its_own_name() {
    let found = items("/prices?provider=deepseek&model=deepseek-chat&as_of=2025-03-01", "offering").await;
    assert!(!found.is_empty() && found.iter().all(|id| id == "deepseek/deepseek-chat"), "{found:?}");
}

#[tokio::test]
async fn an_empty_parameter_says_nothing() {
    assert_eq!(get("/models?developer=&q=&cursor=").await, get("/models").await);
}

#[tokio::test]
async fn a_minus_turns_the_order_around() {
    let mut upwards = items("/providers?sort=id&limit=500", "id").await;
    assert!(upwards.is_sorted());
    upwards.reverse();
    assert_eq!(items("/providers?sort=-id&limit=500", "id").await, upwards);
}

#[tokio::test]
async fn what_has_no_value_to_sort_by_comes_last() {
    for sort in ["released", "-released"] {
        let released = items(&format!("/models?sort={sort}&limit=500"), "released").await;
        let first_unknown = released.iter().position(|day| day == "null").unwrap_or(released.len());
        assert!(first_unknown > 0 && released[first_unknown..].iter().all(|day| day == "null"), "{sort}");
    }
}

#[tokio::test]
async fn single_rows_are_found_by_any_of_their_names() {
    assert_eq!(get("/providers/OpenAI").await["id"], "openai");
    assert_eq!(get("/models/DEEPSEEK-V3").await["id"], "deepseek-v3");
    assert_eq!(get("/meters/input_tokens").await["unit"], "token");
    assert_eq!(get("/gpus/h100-sxm5-80gb").await["memory_gb"].as_f64(), Some(80.0));
    assert_eq!(get("/revisions/1").await["revision"], 1);
}

#[tokio::test]
async fn a_provider_is_shown_with_the_number_of_its_offerings() {
    let counted = items("/offerings?provider=deepseek&limit=500", "id").await.len();
    assert_eq!(get("/providers/deepseek").await["offerings"], counted);
}

#[tokio::test]
async fn a_model_is_shown_with_its_shape_and_its_offerings() {
    let model = get("/models/deepseek-v3").await;
    assert_eq!(model["architecture"]["num_layers"], 61);
    let offerings = model["offerings"].as_array().unwrap();
    assert!(offerings.contains(&"novita/deepseek/deepseek_v3".into()), "{offerings:?}");
}

#[tokio::test]
async fn an_offering_is_shown_with_its_prices_at_an_instant() {
    let offering = get("/offerings/deepseek%2Fdeepseek-chat?as_of=2025-02-01").await;
    let prices = offering["prices"].as_array().unwrap();
    let yuan = prices.iter().find(|price| price["currency"] == "CNY").unwrap();
    assert_eq!(yuan["rates"]["input_tokens"]["amount"], "1.00");
    assert_eq!(yuan["rates"]["input_tokens"]["per"], "1000000");
}

#[tokio::test]
async fn an_offering_is_shown_with_the_factors_on_its_prices() {
    let known = get("/prices?provider=anthropic&limit=500").await;
    let with_factor = known["items"].as_array().unwrap().iter();
    let price = with_factor.clone().find(|price| !price["modifiers"].as_array().unwrap().is_empty()).unwrap();
    let id = price["offering"].as_str().unwrap().replace('/', "%2F");
    let offering = get(&format!("/offerings/{id}")).await;
    assert!(offering["modifiers"].as_array().unwrap().iter().any(|it| it["id"] == price["modifiers"][0]));
}

#[tokio::test]
async fn the_slash_of_an_id_may_stand_as_it_is() {
    let request = || Request::get("/offerings/novita/deepseek/deepseek_v3").body(Body::empty()).unwrap();
    let answer = ask_unchecked(router(built_in()), request()).await;
    assert_eq!(answer.value(), get("/offerings/novita%2Fdeepseek%2Fdeepseek_v3").await);
}

#[tokio::test]
async fn an_unknown_name_in_the_path_is_not_found_and_near_ones_are_named() {
    for (path, near) in [
        ("/providers/opnai", "`openai`"),
        ("/models/deepseek-v33", "`deepseek-v3`"),
        ("/offerings/openai%2Fgpt-4p", "`openai/gpt-4o`"),
        ("/meters/input_token", "`input_tokens`"),
        ("/gpus/h100-sxm5-80", "`h100-sxm5-80gb`"),
        ("/revisions/2", "`1`"),
    ] {
        let answer = ask(path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        let detail = answer.value()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(near), "{path}: {detail}");
    }
}

#[tokio::test]
async fn an_unknown_name_in_a_filter_is_a_fault_with_near_ones() {
    is(&code("/offerings?provider=opnai").await, "/provider", "unknown_provider");
    is(&code("/prices?model=gpt-4oo0").await, "/model", "unknown_model");
    is(&code("/prices?offering=openai/gpt-4p").await, "/offering", "unknown_model");
    is(&code("/prices?meter=input_token").await, "/meter", "unknown_meter");
    is(&code("/prices?currency=XXX").await, "/currency", "unknown_currency");
    is(&code("/gpu-prices?gpu=h100-sxm5-80").await, "/gpu", "unknown_gpu");
    is(&code("/providers?catalog_revision=2").await, "/catalog_revision", "unknown_revision");
    assert_eq!(fault("/offerings?provider=opnai").await["near_matches"][0], "openai");
}

#[tokio::test]
async fn an_unknown_parameter_is_a_fault_with_near_ones() {
    is(&code("/models?develper=Meta").await, "/develper", "unknown_field");
    assert_eq!(fault("/models?develper=Meta").await["near_matches"][0], "developer");
    is(&code("/models?as_of=2025-01-01").await, "/as_of", "unknown_field");
}

#[tokio::test]
async fn an_unknown_order_is_a_fault_that_names_the_choices() {
    let fault = fault("/gpus?sort=price").await;
    assert_eq!(fault["pointer"], "/sort");
    assert!(fault["detail"].as_str().unwrap().contains("`-memory_gb`"), "{fault}");
}

#[tokio::test]
async fn a_page_has_between_1_and_500_rows() {
    assert_eq!(items("/offerings?limit=1", "id").await.len(), 1);
    assert_eq!(items("/offerings?limit=500", "id").await.len(), 500);
    assert_eq!(items("/offerings", "id").await.len(), 50);
    for limit in ["0", "501", "18446744073709551615"] {
        is(&code(&format!("/offerings?limit={limit}")).await, "/limit", "out_of_range");
    }
    is(&code("/offerings?limit=-1").await, "/limit", "wrong_type");
}

#[tokio::test]
async fn a_search_has_100_letters_at_most() {
    get(&format!("/models?q={}", "a".repeat(100))).await;
    is(&code(&format!("/models?q={}", "a".repeat(101))).await, "/q", "out_of_range");
}

#[tokio::test]
async fn instants_and_days_are_read_strictly() {
    is(&code("/prices?as_of=yesterday").await, "/as_of", "wrong_type");
    is(&code("/fx-rates?from=2025-02-30").await, "/from", "wrong_type");
}

/// The path with every example that the document gives, as the page on which a person tries it out sends it.
fn as_it_stands(path: &str, operation: &Value) -> String {
    let mut query = Vec::new();
    let mut path = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let example = match &parameter["example"] {
            Value::Null => continue,
            Value::String(text) => text.replace('/', "%2F").replace(' ', "%20"),
            other => other.to_string(),
        };
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &example);
        } else {
            query.push(format!("{name}={example}"));
        }
    }
    format!("{path}?{}", query.join("&"))
}

#[tokio::test]
async fn every_question_of_the_document_has_an_answer_as_it_stands() {
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        let operation = &item["get"];
        if operation["tags"] == json!(["catalog"]) || operation["tags"] == json!(["prices"]) {
            let answer = get(&as_it_stands(path, operation)).await;
            assert_ne!(answer["items"], json!([]), "{}", as_it_stands(path, operation));
        }
    }
}
