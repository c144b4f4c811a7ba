//! `/accuracy`: the engine against what others have published, with the bars that it is held to.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use farthing::{
    catalog::{
        edition::{Edition, built_in, built_in_snapshot},
        handle::Catalog,
        published_throughput::PublishedThroughput,
        rows::Tables,
        snapshot::Snapshot,
    },
    estimate::accuracy::{Accuracy, ServingRefit, accuracy, fitted_rows, serving_factors},
    http::{App, Settings, router},
};
use serde_json::{Value, json};

use crate::{
    browse,
    helpers::{ask_of, get, now, rows},
};

/// The built-in catalog, changed.
fn changed(change: impl FnOnce(&mut Tables)) -> Snapshot {
    let mut edition: Edition = built_in().unwrap();
    change(&mut edition.tables);
    edition.into_snapshot().unwrap()
}

fn found(snapshot: &Snapshot) -> Accuracy<'_> {
    accuracy(snapshot.newest(), now())
}

/// Issue 3: median 22 %, P90 60 %, the range holds 75 to 95 %.
#[tokio::test]
async fn hours_of_published_runs_are_within_the_bars_when_each_is_left_out() {
    let answer = browse::get("/accuracy").await;
    let summary = &answer["runs"]["summary"];
    assert_eq!(summary["count"], 56);
    assert!(summary["median_error_percent"].as_f64().unwrap() <= 22.0, "{summary}");
    assert!(summary["p90_error_percent"].as_f64().unwrap() <= 60.0, "{summary}");
    assert!((75.0..=95.0).contains(&summary["inside_percent"].as_f64().unwrap()), "{summary}");
    let thumb = &answer["runs"]["rule_of_thumb"];
    for figure in ["median_error_percent", "p90_error_percent"] {
        assert!(thumb[figure].as_f64() > summary[figure].as_f64(), "{figure}: {thumb} {summary}");
    }
}

/// Issue 3: 10 % and 20 % where a run's own utilisation is published.
#[tokio::test]
async fn hours_from_a_runs_own_utilisation_are_within_the_bars() {
    let answer = browse::get("/accuracy").await;
    let summary = &answer["published_utilization"]["summary"];
    assert_eq!(summary["count"], 14);
    assert!(summary["median_error_percent"].as_f64().unwrap() <= 10.0, "{summary}");
    assert!(summary["p90_error_percent"].as_f64().unwrap() <= 20.0, "{summary}");
}

/// Too few for a bar: printed one by one, and each named.
#[tokio::test]
async fn mixtures_of_experts_are_told_one_by_one() {
    let answer = browse::get("/accuracy").await;
    let scored = answer["runs"]["scored"].as_array().unwrap();
    let mut names = Vec::new();
    for run in scored.iter().filter(|run| run["architecture"] == "moe") {
        let [actual, predicted, low, high, error] =
            ["actual_gpu_hours", "predicted_gpu_hours", "low", "high", "error_percent"]
                .map(|figure| run[figure].as_f64().unwrap());
        println!("{}: {actual} h, {predicted} h ({low} to {high}), {error:+} %", run["name"]);
        assert!(low < predicted && predicted < high);
        assert_eq!(run["inside"], low <= actual && actual <= high, "{run}");
        names.push(run["id"].as_str().unwrap());
    }
    names.sort_unstable();
    assert_eq!(names, ["deepseek-v3", "llama-3-8b-e8t2-upcycled", "olmoe-1b-7b", "snowflake-arctic"]);
}

#[test]
fn every_published_run_is_scored_or_has_a_reason() {
    let snapshot = built_in_snapshot().unwrap();
    let answer = found(&snapshot);
    let runs = built_in().unwrap().tables.published_runs;
    assert_eq!(answer.runs.scored.len() + answer.runs.not_scored.len(), runs.len());
    let fit_to_judge = runs.iter().filter(|run| run.baseline_ok).count();
    assert_eq!(answer.runs.scored.len(), fit_to_judge, "no run that is fit to judge by drops out");
    for run in &answer.runs.not_scored {
        assert!(!run.reasons.is_empty() && run.reasons.iter().all(|reason| reason.len() > 10), "{run:?}");
    }
}

/// To the last digit that is written.
#[test]
fn the_committed_rows_are_those_of_the_fit() {
    let snapshot = built_in_snapshot().unwrap();
    let answer = found(&snapshot);
    assert_eq!(answer.fit.len(), 15);
    for term in &answer.fit {
        let used = term.used.unwrap_or_else(|| panic!("{} is not in the catalog", term.id));
        let told = |low: f64, mid: f64, high: f64| format!("{low} {mid} {high}");
        assert_eq!(told(used.low, used.mid, used.high), told(term.low, term.mid, term.high), "{}", term.id);
    }
}

#[tokio::test]
async fn the_answer_is_the_same_every_time() {
    let ask = async |app: &App| {
        let request = Request::get("/accuracy").body(Body::empty()).unwrap();
        let answer = ask_of(router(app.clone()), request).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.body
    };
    let fresh = || App::new(Arc::new(Catalog::new(built_in_snapshot().unwrap())), now, Settings::default());
    let (one, other) = (fresh(), fresh());
    let first = ask(&one).await;
    assert_eq!(first, ask(&one).await, "kept");
    assert_eq!(first, ask(&other).await, "worked out anew");
}

fn planted() -> Value {
    json!({ "id": "planted", "name": "Planted", "org": "Acme", "date": "2026-10-01", "kind": "pretrain",
        "architecture": "dense", "params_total": 70e9, "params_active": 70e9, "tokens": 1e12,
        "sequence_length": 8192, "precision": "bf16", "gpu": "h100-sxm5-80gb", "gpu_count": 1024,
        "gpu_hours": 1e6, "tier": "A", "baseline_ok": true, "verification": "primary_read" })
}

#[test]
fn a_run_that_is_added_is_scored_and_moves_the_fit() {
    let before = built_in_snapshot().unwrap();
    let after = changed(|tables| tables.published_runs.extend(rows(json!([planted()]))));
    let answer = found(&after);
    let run = answer.runs.scored.iter().find(|run| run.id == "planted").unwrap();
    assert!(run.utilization < 0.15 && run.error_percent < -30.0 && !run.inside, "{run:?}");
    let base = |snapshot: &Snapshot| {
        let rows = fitted_rows(snapshot.newest(), now());
        rows.into_iter().find(|row| row.id == "training.utilization.base").unwrap().figures[1]
    };
    assert!(base(&after) < base(&before), "{} {}", base(&after), base(&before));
}

#[test]
fn a_run_that_is_added_without_its_hours_is_told_so() {
    let mut row = planted();
    row["gpu_hours"] = Value::Null;
    row["precision"] = json!("fp12");
    let after = changed(|tables| tables.published_runs.extend(rows(json!([row]))));
    let answer = found(&after);
    let run = answer.runs.not_scored.iter().find(|run| run.id == "planted").unwrap();
    assert_eq!(run.reasons, ["its hours are not published", "`fp12` is no precision of the engine's"]);
}

#[test]
fn without_the_row_of_the_start_of_a_job_no_run_is_scored() {
    let id = "training.job_startup_minutes";
    let snapshot = changed(|tables| tables.assumptions.retain(|row| row.id != id));
    let answer = found(&snapshot);
    assert!(answer.runs.scored.is_empty());
    assert!(answer.runs.not_scored.iter().all(|run| run.reasons[0].contains(id)));
}

#[tokio::test]
async fn a_catalog_without_anything_published_has_nothing_to_say() {
    let (status, answer) = get("/accuracy").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["runs"]["summary"], json!({ "count": 0 }));
    assert_eq!(answer["fit"], json!([]));
}

/// Left out with its model, a steady speed is still nearer than the rule of thumb is to a run.
#[tokio::test]
async fn steady_speeds_and_reinforcement_learning_are_told() {
    let answer = browse::get("/accuracy").await;
    let speeds = &answer["steady_speeds"];
    assert_eq!((&speeds["summary"]["count"], &speeds["not_scored"]), (&215.into(), &5.into()));
    assert!(speeds["summary"]["median_error_percent"].as_f64().unwrap() < 20.0, "{speeds}");
    let rl = &answer["reinforcement_learning"];
    assert_eq!((&rl["summary"]["count"], rl["scored"].as_array().unwrap().len()), (&18.into(), 19));
    assert!(rl["summary"]["inside_percent"].as_f64().unwrap() >= 75.0, "{rl}");
}

/// Issue 4: median 15 %, P90 46 %, Spearman 0.985, ranges hold 75 to 90 %; of the two fits that each row is held
/// against, the one that is further off.
#[tokio::test]
async fn speeds_of_serving_are_within_the_bars_by_factors_that_have_not_seen_part_or_family() {
    let answer = browse::get("/accuracy").await;
    let serving = &answer["serving"];
    for name in ["summary", "without_its_gpu", "without_its_family"] {
        let score = &serving[name];
        assert_eq!(score["count"], 1287, "{name}");
        assert!(score["median_error_percent"].as_f64().unwrap() <= 15.0, "{name}: {score}");
        assert!(score["p90_error_percent"].as_f64().unwrap() <= 46.0, "{name}: {score}");
        assert!(score["rank_correlation"].as_f64().unwrap() >= 0.985, "{name}: {score}");
        assert!((75.0..=90.0).contains(&score["inside_percent"].as_f64().unwrap()), "{name}: {score}");
    }
    let by_regime = serving["by_regime"].as_array().unwrap();
    assert_eq!(by_regime.len(), 3);
    for regime in by_regime {
        println!("{regime}");
        // Thirty rows are of servers, most of one benchmark: a submitter's tuning is a fifth of the speed.
        let (median, p90, rank) =
            if regime["name"] == "server_slo" { (25.0, 70.0, 0.9) } else { (15.0, 46.0, 0.985) };
        assert!(regime["median_error_percent"].as_f64().unwrap() <= median, "{regime}");
        assert!(regime["p90_error_percent"].as_f64().unwrap() <= p90, "{regime}");
        assert!(regime["rank_correlation"].as_f64().unwrap() >= rank, "{regime}");
    }
    let names =
        |list: &Value| list.as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    let others = names(&serving["other_regimes"]);
    assert_eq!(others, ["decode_only", "prefill_only", "single_stream_ttft", "static_batch"]);
    assert!(serving["time_per_output_token"]["median_error_percent"].as_f64().unwrap() <= 15.0);
    assert!(serving["time_to_first_token"]["median_error_percent"].as_f64().unwrap() <= 50.0);
}

#[test]
fn every_published_speed_of_serving_is_scored_or_has_a_reason() {
    let snapshot = built_in_snapshot().unwrap();
    let serving = found(&snapshot).serving;
    let rows = built_in().unwrap().tables.published_throughputs;
    let inference = rows.iter().filter(|row| row.workload == "inference").count();
    assert_eq!(serving.scored.len() + serving.not_scored.len(), inference);
    let mut reasons: Vec<_> = serving.not_scored.iter().map(|row| row.reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let expected = [
        "`gh200-144gb` has no data sheet in the catalog",
        "`h200-nvl-141gb` has no data sheet in the catalog",
        "`production` is no load that a replica could be put under",
    ];
    assert_eq!(reasons, expected);
    for row in &serving.scored {
        let factor = row.predicted / row.measured;
        assert!((row.error_percent / 100.0 + 1.0 - factor).abs() < 1e-3, "{row:?}");
        let inside = row.low.zip(row.high).map(|(low, high)| low <= row.measured && row.measured <= high);
        assert_eq!(row.inside, inside, "{row:?}");
    }
}

/// One row tells of the part, and of its model no family is known: only the part's factor could follow the row.
#[test]
fn a_measured_speed_does_not_move_its_own_prediction_through_its_parts_factor() {
    let measured = |speed: f64| {
        changed(|tables| {
            let of_part = |row: &&mut PublishedThroughput| {
                row.workload == "inference"
                    && row.gpu.as_ref().is_some_and(|gpu| gpu.as_str() == "mi325x-256gb")
            };
            let row = tables.published_throughputs.iter_mut().find(of_part).unwrap();
            row.tokens_per_second_per_gpu = Some(speed);
            let name = row.model.clone().unwrap();
            tables.models.iter_mut().find(|model| model.id == name).unwrap().family = None;
        })
    };
    let (slow, fast) = (measured(7_000.0), measured(9_000.0));
    let of = |snapshot: &Snapshot| {
        let serving = found(snapshot).serving;
        serving
            .scored
            .iter()
            .find(|row| row.gpu == "mi325x-256gb")
            .map(|row| (row.predicted, row.without == "gpu"))
    };
    let ((slow, seen), (fast, _)) = (of(&slow).unwrap(), of(&fast).unwrap());
    assert!(seen, "with the row's own part in the fit it is nearer");
    // The engine's factor is shared with hundreds of other rows.
    assert!((fast / slow - 1.0).abs() < 0.002, "{slow} {fast}");
}

#[test]
fn without_a_constant_no_speed_of_serving_is_scored() {
    let snapshot = changed(|tables| tables.assumptions.retain(|row| row.id != "serving.overlap"));
    let serving = found(&snapshot).serving;
    assert!(serving.scored.is_empty() && !serving.not_scored.is_empty());
    assert!(serving.not_scored.iter().any(|row| row.reason == "the assumption `serving.overlap` is missing"));
}

/// To the last digit that is written.
#[test]
fn the_committed_factors_of_serving_are_those_of_the_fit() {
    let snapshot = built_in_snapshot().unwrap();
    let factors = serving_factors(snapshot.newest(), now());
    assert!(factors.len() > 20);
    for (id, factor) in factors {
        let used = snapshot.newest().assumption(&id, now());
        assert_eq!(used.map(|used| used.row.mid), Some(factor), "{id}");
    }
}

/// The constants are where the fit puts them: a step of it from there lowers the loss by less than a hundredth.
#[test]
fn the_committed_constants_of_serving_are_those_of_the_fit() {
    let snapshot = built_in_snapshot().unwrap();
    let refit = ServingRefit::read(snapshot.newest(), now());
    let (before, after) = refit.improved(1).unwrap();
    println!("loss {before}, after a step {after}");
    assert!(after <= before && after > 0.99 * before, "{before} {after}");
}
