//! Looking around in what the arithmetic assumes and is held against, in the built-in catalog.

use axum::http::{Method, StatusCode};
use farthing::http::router;
use serde_json::{Value, json};

use crate::{
    browse::{ask, built_in, fault, get, items},
    helpers::{ask_of, json_request},
};

#[tokio::test]
async fn every_list_has_items_and_the_revision_that_introduced_them() {
    for path in ["/assumptions", "/energy-prices", "/published-runs", "/published-throughputs", "/scenarios"]
    {
        let listing = get(path).await;
        assert_eq!(listing["items"][0]["revision"], 1, "{path}");
        assert_eq!(listing["catalog_revision"], 1, "{path}");
    }
}

#[tokio::test]
async fn an_assumption_is_shown_with_its_spread_and_source() {
    let goodput = get("/assumptions/training.goodput").await;
    assert_eq!(
        (&goodput["low"], &goodput["mid"], &goodput["high"]),
        (&0.75.into(), &0.87.into(), &0.96.into())
    );
    assert_eq!(goodput["unit"], "ratio");
    assert!(goodput["source"].as_str().is_some_and(|source| !source.is_empty()), "{goodput}");
}

#[tokio::test]
async fn assumptions_are_found_by_how_they_begin_by_unit_and_by_a_word() {
    let energy = items("/assumptions?prefix=energy.&limit=500", "id").await;
    assert!(energy.len() > 5 && energy.iter().all(|id| id.starts_with("energy.")), "{energy:?}");
    assert!(energy.is_sorted());
    let hours = items("/assumptions?unit=MIN", "id").await;
    assert_eq!(hours, ["training.job_startup_minutes"]);
    assert_eq!(items("/assumptions?q=cost_of_capital", "id").await, ["ownership.cost_of_capital"]);
}

#[tokio::test]
async fn the_price_of_electricity_is_that_of_the_instant_asked_about() {
    assert_eq!(items("/energy-prices?region=US&as_of=2024-12-31", "price_per_kwh").await, ["0.0771"]);
    assert_eq!(items("/energy-prices?region=us&as_of=2025-01-01", "price_per_kwh").await, ["0.0826"]);
    assert_eq!(items("/energy-prices?region=us&as_of=2018-12-31", "region").await, [""; 0]);
}

#[tokio::test]
async fn what_has_no_carbon_intensity_comes_last_in_either_direction() {
    for sort in ["kg_co2_per_kwh", "-kg_co2_per_kwh"] {
        let found = items(&format!("/energy-prices?as_of=2026-01-01&sort={sort}"), "kg_co2_per_kwh").await;
        let known = found.iter().take_while(|co2| *co2 != "null").count();
        assert!(known > 0 && known < found.len(), "{found:?}");
        assert!(found[known..].iter().all(|co2| co2 == "null"), "{found:?}");
    }
}

#[tokio::test]
async fn published_runs_are_found_by_model_part_and_kind() {
    let runs = get("/published-runs?model=deepseek-v3&gpu=h800-sxm5-80gb&kind=pretrain").await;
    let [run] = runs["items"].as_array().unwrap().as_slice() else { panic!("{runs}") };
    assert_eq!((&run["gpu_hours"], &run["hardware"]), (&2_664_000.0.into(), &"H800".into()));
    let whole = get("/published-runs?q=deepseek-v3-full-training").await;
    let stages = json!({"pretrain": 2_664_000.0, "context_extension": 119_000.0, "post_training": 5_000.0});
    assert_eq!(whole["items"][0]["stage_gpu_hours"], stages);
}

#[tokio::test]
async fn the_dearest_published_run_comes_first_when_asked_for() {
    let hours = get("/published-runs?sort=-gpu_hours&limit=500").await;
    let hours = hours["items"].as_array().unwrap().iter().map(|run| run["gpu_hours"].as_f64());
    let hours: Vec<Option<f64>> = hours.collect();
    let known = hours.iter().take_while(|hours| hours.is_some()).count();
    assert_eq!((hours.len(), known), (98, 87));
    assert!(hours[..known].is_sorted_by(|one, next| one >= next), "{hours:?}");
}

#[tokio::test]
async fn published_speeds_are_found_by_workload_part_and_engine() {
    let rl = get("/published-throughputs?workload=rl&gpu=H100&limit=500").await;
    let rows = rl["items"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["workload"] == "rl" && row["gpu"] == "h100-sxm5-80gb"));
    assert!(rows.iter().all(|row| row["rl"]["step_seconds"].as_f64() > Some(0.0)));
    assert_eq!(rows.len(), 11);
    let served = get("/published-throughputs?engine=vllm&model=llama-3.1-405b").await;
    assert!(!served["items"].as_array().unwrap().is_empty());
    assert!(served["items"].as_array().unwrap().iter().all(|row| row["inference"]["engine"] == "vllm"));
}

#[tokio::test]
async fn a_walk_sees_every_published_speed_once() {
    let mut path = "/published-throughputs?sort=-tokens_per_second_per_gpu&limit=500".to_owned();
    let mut seen = Vec::new();
    loop {
        let listing = get(&path).await;
        let ids = listing["items"].as_array().unwrap().iter();
        seen.extend(ids.map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = listing["next_cursor"].as_str() else { break };
        path = format!("/published-throughputs?sort=-tokens_per_second_per_gpu&limit=500&cursor={cursor}");
    }
    let unique: std::collections::HashSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), unique.len()), (1654, 1654));
}

#[tokio::test]
async fn an_unknown_name_in_the_path_is_not_found_and_near_ones_are_named() {
    for (path, near) in [
        ("/assumptions/training.godput", "`training.goodput`"),
        ("/scenarios/api-call-gpt-4", "`api-call-gpt-4o`"),
    ] {
        let answer = ask(path, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.value()["detail"].as_str().unwrap().contains(near), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn an_unknown_name_in_a_filter_is_a_fault() {
    for (path, pointer, code) in [
        ("/published-runs?model=deepseek-v33", "/model", "unknown_model"),
        ("/published-throughputs?gpu=h100-sxm5-80", "/gpu", "unknown_gpu"),
        ("/energy-prices?currency=XXX", "/currency", "unknown_currency"),
        ("/assumptions?catalog_revision=2", "/catalog_revision", "unknown_revision"),
        ("/scenarios?as_of=2025-01-01", "/as_of", "unknown_field"),
    ] {
        let fault = fault(path).await;
        assert_eq!((&fault["pointer"], &fault["code"]), (&pointer.into(), &code.into()), "{path}");
    }
}

/// Every figure that names a place in the answer, of every scenario.
#[tokio::test]
async fn the_engine_answers_every_scenario_within_the_tolerance_of_its_published_figures() {
    let scenarios = get("/scenarios?limit=500").await;
    for scenario in scenarios["items"].as_array().unwrap() {
        let request = json_request(Method::POST, "/estimate", &scenario["request"]);
        let sent = ask_of(router(built_in()), request).await;
        let answer = ask(&format!("/scenarios/{}/quote", scenario["id"].as_str().unwrap()), &[]).await;
        assert_eq!(answer.value()["total"], sent.value()["total"], "{}", scenario["id"]);
        assert_eq!(answer.status, StatusCode::OK, "{}: {}", scenario["id"], answer.text());
        for figure in scenario["published"].as_array().into_iter().flatten() {
            let Some(pointer) = figure["pointer"].as_str() else { continue };
            let told = |pointer: &str| number(answer.value().pointer(pointer).unwrap());
            let answered = told(pointer) / figure["over"].as_str().map_or(1.0, told);
            let published = number(&figure["value"]);
            let off = if published == 0.0 { answered.abs() } else { (answered / published - 1.0).abs() };
            assert!(off <= number(&figure["tolerance"]), "{}: {answered} for {figure}", scenario["id"]);
        }
    }
}

/// A number, or an amount of money.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}
