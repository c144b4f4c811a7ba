//! `farthing catalog check | export | import | fit`.

use std::{fs, path::PathBuf};

use farthing::{
    cli::catalog::{CatalogCommand, CatalogCommandError, CheckArgs, ExportArgs, FitArgs, ImportArgs, run},
    estimate::{estimate, request::EstimateRequest},
    store::open_and_fill,
};
use serde_json::{Value, json};

use crate::store::database;

async fn command(command: CatalogCommand, url: &str) -> (Result<(), CatalogCommandError>, String) {
    let mut out = Vec::new();
    let result = run(command, url, "2026-11-23T12:00:00Z".parse().unwrap(), &mut out).await;
    (result, String::from_utf8(out).unwrap())
}

/// A directory of a test's own, gone from the run before.
fn directory(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&path); // mostly not there
    path
}

async fn exported(test: &str) -> PathBuf {
    let dir = directory(test);
    let args = ExportArgs { dir: dir.clone(), revision: None };
    command(CatalogCommand::Export(args), "memory").await.0.unwrap();
    dir
}

fn check(dir: PathBuf) -> CatalogCommand {
    CatalogCommand::Check(CheckArgs { dir: Some(dir) })
}

fn import(dir: PathBuf) -> CatalogCommand {
    CatalogCommand::Import(ImportArgs { dir, reason: None })
}

#[tokio::test]
async fn the_built_in_catalog_is_sound() {
    let (result, out) = command(CatalogCommand::Check(CheckArgs { dir: None }), "memory").await;
    result.unwrap();
    assert!(out.contains(" is sound: "), "{out}");
}

#[tokio::test]
async fn what_is_exported_is_the_directory_that_was_built_in() {
    let dir = exported("exported").await;
    for file in ["catalog.json", "meters.jsonl", "fx_rates.csv", "rate_cards/deepseek.jsonl"] {
        let built_in = fs::read(PathBuf::from("catalog").join(file)).unwrap();
        assert!(fs::read(dir.join(file)).unwrap() == built_in, "{file}");
    }
}

#[tokio::test]
async fn a_fault_in_a_directory_is_printed_and_fails() {
    let dir = exported("fault").await;
    let path = dir.join("offerings.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"provider\": \"ai21\"", "\"provider\": \"ai22\"", 1)).unwrap();
    let (result, out) = command(check(dir), "memory").await;
    assert!(matches!(result, Err(CatalogCommandError::Findings(_))), "{result:?}");
    assert!(out.contains("names provider `ai22`, which does not exist"), "{out}");
}

#[tokio::test]
async fn a_directory_that_is_not_sound_is_not_imported() {
    let (dir, url) = (exported("unsound").await, database("unsound"));
    let path = dir.join("gpu_rentals.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"price_per_gpu_hour\": \"", "\"price_per_gpu_hour\": \"-", 1)).unwrap();
    let (result, _) = command(import(dir), &url).await;
    assert!(matches!(result, Err(CatalogCommandError::Findings(1))), "{result:?}");
    assert!(!PathBuf::from(url.trim_start_matches("sqlite://")).exists());
}

#[tokio::test]
async fn a_price_edited_by_hand_is_a_revision_and_the_export_of_the_first_is_as_before() {
    let (dir, url) = (exported("edited").await, database("edited"));
    command(import(dir.clone()), &url).await.0.unwrap();
    let path = dir.join("rate_cards/deepseek.jsonl");
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, before.replacen("\"output_tokens\": \"2\"", "\"output_tokens\": \"3\"", 1)).unwrap();
    let (result, out) = command(import(dir), &url).await;
    result.unwrap();
    assert_eq!(out, "revision 2: 1 rows added, 1 superseded\n");
    let first = directory("first");
    let args = ExportArgs { dir: first.clone(), revision: Some(1) };
    command(CatalogCommand::Export(args), &url).await.0.unwrap();
    assert_eq!(fs::read_to_string(first.join("rate_cards/deepseek.jsonl")).unwrap(), before);
}

/// Export, add what was measured, import: the next quote for that model and accelerator rests on it.
#[tokio::test]
async fn a_speed_that_an_operator_imports_calibrates_quotes() {
    let (dir, url) = (exported("measured").await, database("measured"));
    command(import(dir.clone()), &url).await.0.unwrap();
    let request = br#"{ "kind": "serving", "model": "llama-3.1-8b",
        "hardware": { "gpu": "h100-sxm5-80gb", "gpus_per_replica": 1, "price_per_gpu_hour": "2" },
        "traffic": { "input_tokens": 1000, "output_tokens": 1000, "concurrency": 64 } }"#;
    let request = EstimateRequest::parse(request).unwrap();
    let calibrated_by = async || {
        let (store, snapshot) = open_and_fill(&url, "2026-11-25T00:00:00Z".parse().unwrap()).await.unwrap();
        store.close().await;
        let quote = estimate(&request, &snapshot, "2026-11-25T00:00:00Z".parse().unwrap()).unwrap();
        serde_json::to_value(&quote).unwrap()["items"][0]["deployment"]["calibrated_by"].clone()
    };
    assert_eq!(calibrated_by().await, Value::Null);
    let path = dir.join("published_throughputs.jsonl");
    let own = json!({ "id": "our-cluster", "workload": "inference", "kind": "fixed_concurrency",
        "model": "llama-3.1-8b", "model_name": "Llama-3.1-8B", "gpu": "h100-sxm5-80gb", "hardware": "H100",
        "gpu_count": 1, "precision": "bf16", "tokens_per_second_per_gpu": 4000.0,
        "inference": { "engine": "vllm", "tensor_parallel": 1, "input_tokens": 1000, "output_tokens": 1000,
            "concurrency": 64, "metric": "output_tok_s_total", "value": 4000.0 },
        "source": "our own", "observed_at": "2026-11-24" });
    let before = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{before}{own}\n")).unwrap();
    let (result, out) = command(import(dir), &url).await;
    result.unwrap();
    assert_eq!(out, "revision 2: 1 rows added, 0 superseded\n");
    let by = calibrated_by().await;
    assert_eq!(by["measurements"], json!(["published_throughput:our-cluster"]));
    assert!((by["factor"].as_f64().unwrap() - 1.0).abs() > 0.001, "{by}");
}

#[tokio::test]
async fn a_revision_that_is_not_there_is_not_exported() {
    let args = ExportArgs { dir: directory("unknown"), revision: Some(7) };
    let (result, _) = command(CatalogCommand::Export(args), "memory").await;
    assert_eq!(result.unwrap_err().to_string(), "the database has no revision 7");
}

#[tokio::test]
async fn memory_takes_no_import() {
    let (result, _) = command(import(directory("memory")), "memory").await;
    assert!(matches!(result, Err(CatalogCommandError::NoDatabase)), "{result:?}");
}

/// Line for line: what it prints can be pasted, and has been.
#[tokio::test]
async fn a_fit_prints_the_rows_that_the_built_in_catalog_has() {
    let (result, out) = command(CatalogCommand::Fit(FitArgs { dir: None, serving: false }), "memory").await;
    result.unwrap();
    let committed = fs::read_to_string("catalog/assumptions.jsonl").unwrap();
    let fitted: Vec<_> = out.lines().filter(|line| line.starts_with('{')).collect();
    assert_eq!(fitted.len(), 15, "{out}");
    for row in fitted {
        assert!(committed.lines().any(|line| line == row), "{row}");
    }
    assert!(out.contains("# runs: {\"count\":56,"), "{out}");
}
