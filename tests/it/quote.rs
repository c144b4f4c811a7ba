//! `farthing quote` as a person runs it.

use farthing::{
    catalog::edition::{built_in, built_in_snapshot},
    estimate::{estimate, request::EstimateRequest},
    store::Store,
};

use crate::program::{code, file, run, run_with_input, stderr, stdout};

/// Two calls, one with a label, an id and two adjustments, one at an instant of its own.
const REQUEST: &str = r#"{
    "as_of": "2025-02-08T16:00:00Z", "currency": "CNY", "group_by": "team",
    "items": [
        {"provider": "deepseek", "model": "deepseek-chat", "id": "req_7d1f", "label": "nightly summaries",
         "tags": {"team": "search"}, "usage": {"input_tokens": 1200, "cache_read_tokens": 200, "output_tokens": 300},
         "calls": 1000, "adjustments": [{"label": "discount", "percent": "-10"}, {"label": "VAT", "percent": "19"}]},
        {"provider": "deepseek", "model": "deepseek-chat", "as_of": "2025-02-08T15:59:59Z",
         "usage": {"input_tokens": 1e6, "output_tokens": 1e6}}
    ]}"#;

#[test]
fn an_answer_is_a_table_for_each_item_and_the_totals() {
    let output = run_with_input(&["quote", "-"], REQUEST);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    insta::assert_snapshot!(stdout(&output), @r#"
    deepseek/deepseek-chat: nightly summaries (req_7d1f)

                                 quantity         unit price      CNY
    ──────────────────────────────────────────────────────────────────
     input tokens               1,000,000   2.00 / 1M tokens     2.00
     cached input tokens read     200,000   0.50 / 1M tokens     0.10
     output tokens                300,000   8.00 / 1M tokens     2.40
     discount                        -10%            of 4.50    -0.45
     VAT                              19%            of 4.05   0.7695
     total before adjustments                                    4.50
     total                                                     4.8195

    deepseek/deepseek-chat, as of 2025-02-08T15:59:59Z

                      quantity         unit price    CNY
    ─────────────────────────────────────────────────────
     input tokens    1,000,000   1.00 / 1M tokens   1.00
     output tokens   1,000,000   2.00 / 1M tokens   2.00
     total                                          3.00

    Total before adjustments: 7.50 CNY
    Total: 7.8195 CNY
    as of 2025-02-08T16:00:00Z, catalog revision 1, farthing 0.1.0

     group         CNY
    ───────────────────
     (no tag)     3.00
     search     4.8195
    "#);
}

#[test]
fn json_is_what_the_engine_answers_byte_for_byte() {
    let output = run_with_input(&["quote", "-", "--json"], REQUEST);
    let (request, snapshot) =
        (EstimateRequest::parse(REQUEST.as_bytes()).unwrap(), built_in_snapshot().unwrap());
    let quote = estimate(&request, &snapshot, "2026-11-24T12:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(stdout(&output), serde_json::to_string(&quote).unwrap() + "\n");
}

#[test]
fn a_request_may_stand_in_a_file() {
    let path = file("quote-request.json", REQUEST);
    assert_eq!(stdout(&run(&["quote", &path])), stdout(&run_with_input(&["quote", "-"], REQUEST)));
}

#[test]
fn flags_say_what_a_request_says() {
    let request = r#"{"model": "gpt-4o", "provider": "openai", "as_of": "2026-11-20", "currency": "EUR", "calls": 10,
        "usage": {"input_tokens": 1200, "output_tokens": 300}, "context": {"service_tier": "batch"}}"#;
    let mut flags =
        vec!["quote", "--json", "--model", "gpt-4o", "--provider", "openai", "--as-of", "2026-11-20"];
    flags.extend(["--currency", "EUR", "--calls", "10", "--context", "service_tier=batch"]);
    flags.extend(["--usage", "input_tokens=1200", "--usage", "output_tokens=300"]);
    let output = run(&flags);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    assert_eq!(stdout(&output), stdout(&run_with_input(&["quote", "-", "--json"], request)));
}

#[test]
fn as_of_takes_the_place_of_the_requests_own() {
    let request =
        r#"{"model": "deepseek/deepseek-chat", "as_of": "2025-02-08", "usage": {"output_tokens": 1000000}}"#;
    let then = ["quote", "-", "--currency", "CNY", "--as-of", "2025-02-09"];
    assert!(stdout(&run_with_input(&then, request)).contains("Total: 8.00 CNY"));
    assert!(stdout(&run_with_input(&then[..4], request)).contains("Total: 2.00 CNY"));
}

#[test]
fn sources_stand_under_the_table_when_asked_for() {
    let flags =
        ["quote", "--model", "deepseek/deepseek-chat", "--usage", "output_tokens=1", "--as-of", "2025-02-20"];
    assert!(!stdout(&run(&flags)).contains("sources:"));
    let with_sources = stdout(&run(&[&flags[..], &["--sources"]].concat()));
    assert!(with_sources.contains("https://api-docs.deepseek.com"), "{with_sources}");
}

#[test]
fn a_total_alone_is_a_page_too() {
    let output = run_with_input(&["quote", "-", "--detail", "total"], REQUEST);
    insta::assert_snapshot!(stdout(&output), @r#"
    Total before adjustments: 7.50 CNY
    Total: 7.8195 CNY
    as of 2025-02-08T16:00:00Z, catalog revision 1, farthing 0.1.0

     group         CNY
    ───────────────────
     (no tag)     3.00
     search     4.8195
    "#);
}

#[test]
fn every_fault_has_its_line() {
    let request = r#"{"items": [{"model": "gpt-4p", "usage": {"input_tokens": 1}},
        {"model": "openai/gpt-4o", "usage": {"input_tokens": 1, "output_tokns": 2}}, {"modle": "x"}]}"#;
    let output = run_with_input(&["quote", "-"], request);
    assert_eq!((code(&output), stdout(&output)), (1, String::new()));
    let said = stderr(&output);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(
        lines[0],
        "farthing: /items/2/modle: there is no field called `modle` here (unknown_field; did you mean model?)"
    );
    assert!(
        lines[1].starts_with("farthing: /items/0/model: no model is called `gpt-4p` (unknown_model; did"),
        "{said}"
    );
}

#[test]
fn with_json_the_faults_are_json() {
    let output = run_with_input(&["quote", "-", "--json"], r#"{"modle": "x"}"#);
    assert_eq!((code(&output), stderr(&output)), (1, String::new()));
    insta::assert_snapshot!(stdout(&output), @r#"{"errors":[{"pointer":"/modle","code":"unknown_field","detail":"there is no field called `modle` here","near_matches":["model"]}]}"#);
}

#[test]
fn what_is_not_json_is_refused_in_one_line() {
    for flags in [&["quote", "-"][..], &["quote", "-", "--json"]] {
        let output = run_with_input(flags, "{\"model\":");
        assert_eq!((code(&output), stdout(&output)), (1, String::new()));
        assert_eq!(stderr(&output), "farthing: the body is not JSON: EOF while parsing a value\n");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = run(&["quote", "no-such-file.json"]);
    assert_eq!((code(&output), stderr(&output).lines().count()), (1, 1));
    assert!(stderr(&output).starts_with("farthing: no-such-file.json cannot be read"));
}

#[test]
fn a_wrong_flag_is_named_without_a_variable() {
    let output = run(&["quote", "-", "--as-of", "yesterday"]);
    assert_eq!(code(&output), 2);
    assert_eq!(
        stderr(&output),
        "farthing: --as-of is `yesterday`; allowed: an instant such as 2026-11-24T12:00:00Z, or a date such as \
         2026-11-24\n"
    );
}

/// A database whose only revision is the built-in catalog without what DeepSeek sells.
async fn database() -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("quote.db");
    drop(std::fs::remove_file(&path)); // left by an earlier run
    let url = format!("sqlite:{}", path.display());
    let mut tables = built_in().unwrap().tables;
    tables.rate_cards.retain(|card| !card.offering.as_str().starts_with("deepseek/"));
    let store = Store::open(&url).await.unwrap();
    let at = "2026-11-24T12:00:00Z".parse().unwrap();
    store.import(&tables, "a test", "test", None, at).await.unwrap();
    store.close().await;
    url
}

#[tokio::test]
async fn a_database_is_priced_from_as_it_stands() {
    let url = database().await;
    let flags =
        ["quote", "--database-url", &url, "--as-of", "2025-02-20", "--usage", "output_tokens=1e6", "--model"];
    let quoted = run(&[&flags[..], &["openai/gpt-4o"]].concat());
    assert!(stdout(&quoted).contains("Total: 10.00 USD"), "{}", stderr(&quoted));
    let withdrawn = run(&[&flags[..], &["deepseek/deepseek-chat"]].concat());
    assert!(stderr(&withdrawn).contains("(not_in_force)"), "{}", stderr(&withdrawn));
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let path = format!("{}/no-such.db", env!("CARGO_TARGET_TMPDIR"));
    let url = format!("sqlite:{path}");
    let output = run(&["quote", "--database-url", &url, "--model", "gpt-4o", "--usage", "input_tokens=1"]);
    assert_eq!((code(&output), stderr(&output).lines().count()), (1, 1), "{}", stderr(&output));
    assert!(stderr(&output).contains("no-such.db"), "{}", stderr(&output));
    assert!(!std::path::Path::new(&path).exists());
}
