//! `farthing diff` as a person runs it.

use serde_json::Value;

use crate::program::{code, file, run, run_with_input, stderr, stdout};

/// Three calls at list prices of January 2025, two of which DeepSeek's price change of 2025-02-08 moves.
const BEFORE: &str = r#"{
    "currency": "CNY", "as_of": "2025-02-08", "group_by": "team",
    "items": [
        {"id": "chat", "label": "a|b", "tags": {"team": "search"}, "model": "deepseek/deepseek-chat", "usage": {"input_tokens": 1e6, "output_tokens": 5e5}},
        {"id": "old", "model": "deepseek/deepseek-chat", "usage": {"input_tokens": 1e6}},
        {"id": "same", "model": "deepseek/deepseek-reasoner", "usage": {"output_tokens": 1e6}}
    ]}"#;

/// The day after: one call with another quantity, a part of it from the cache and a discount, one gone, one new.
const AFTER: &str = r#"{
    "currency": "CNY", "as_of": "2025-02-09", "group_by": "team",
    "items": [
        {"id": "same", "model": "deepseek/deepseek-reasoner", "usage": {"output_tokens": 1e6}},
        {"id": "chat", "label": "a|b", "tags": {"team": "search"}, "model": "deepseek/deepseek-chat",
         "usage": {"input_tokens": 2e6, "cache_read_tokens": 1e6, "output_tokens": 5e5},
         "adjustments": [{"label": "discount", "percent": "-10"}]},
        {"id": "new", "model": "deepseek/deepseek-chat", "usage": {"input_tokens": 1e6}}
    ]}"#;

/// An answer of one line.
fn kept(total: &str) -> String {
    format!(
        r#"{{"currency": "USD", "as_of": "2026-01-01T00:00:00Z", "catalog_revision": 1, "engine": "farthing 0.1.0",
        "total": {{"amount": "{total}"}}, "items": [{{"kind": "api_usage", "id": null, "label": null,
        "offering": "a/b", "total": {{"amount": "{total}"}}, "lines": [{{"code": "requests", "description": "requests",
        "quantity": "1", "unit": "request", "unit_price": "{total}", "per": "1", "price_currency": "USD", "fx": null,
        "amount": "{total}", "refs": []}}], "warnings": []}}], "references": {{}}, "warnings": []}}"#
    )
}

/// Compares two texts, the second from standard input.
fn diff(name: &str, before: &str, after: &str, flags: &[&str]) -> std::process::Output {
    let before = file(&format!("diff-{name}.json"), before);
    run_with_input(&[&["diff", &before, "-"], flags].concat(), after)
}

#[test]
fn what_moved_is_a_table_with_reasons() {
    let output = diff("text", BEFORE, AFTER, &[]);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    insta::assert_snapshot!(stdout(&output), @r#"
    Total: 19.00 → 23.85 CNY, +4.85 (+25.53%)
    Before adjustments: 19.00 → 24.50 CNY, +5.50 (+28.95%)
    before: as of 2025-02-08T00:00:00Z, catalog revision 1, farthing 0.1.0
    after:  as of 2025-02-09T00:00:00Z, catalog revision 1, farthing 0.1.0

    deepseek/deepseek-chat: a|b (chat)

                                before   after   change              why
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
     input tokens                 1.00    2.00    +1.00   +100.00%   price 1.00 → 2.00 CNY / 1M tokens (+100.00%)
     cached input tokens read        –    0.50    +0.50        new   new line
     output tokens                1.00    4.00    +3.00   +300.00%   price 2.00 → 8.00 CNY / 1M tokens (+300.00%)
     discount                        –   -0.65    -0.65        new   new line
     total                        2.00    5.85    +3.85   +192.50%

    deepseek/deepseek-chat (new), new

                    before   after   change         why
    ─────────────────────────────────────────────────────────
     input tokens        –    2.00    +2.00   new   new line
     total               –    2.00    +2.00   new

    deepseek/deepseek-chat (old), gone

                    before   after   change              why
    ───────────────────────────────────────────────────────────────
     input tokens     1.00       –    -1.00   -100.00%   line gone
     total            1.00       –    -1.00   -100.00%

    groups

                before   after   change
    ───────────────────────────────────────────────────
     (no tag)    17.00   18.00    +1.00     +5.88%
     search       2.00    5.85    +3.85   +192.50%

    1 item is as before.
    "#);
}

#[test]
fn markdown_is_fit_for_a_comment() {
    let output = diff("markdown", BEFORE, AFTER, &["--format", "markdown", "--fail-over", "500%"]);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    insta::assert_snapshot!(stdout(&output), @r#"
    ### Cost: 19.00 → 23.85 CNY, +4.85 (+25.53%)

    Before adjustments: 19.00 → 24.50 CNY, +5.50 (+28.95%)

    **The total did not rise by more than 500%.**

    **deepseek/deepseek-chat: a\|b (chat)**

    |  | before | after | change |  | why |
    |---|---:|---:|---:|---:|---|
    | input tokens | 1.00 | 2.00 | +1.00 | +100.00% | price 1.00 → 2.00 CNY / 1M tokens (+100.00%) |
    | cached input tokens read | – | 0.50 | +0.50 | new | new line |
    | output tokens | 1.00 | 4.00 | +3.00 | +300.00% | price 2.00 → 8.00 CNY / 1M tokens (+300.00%) |
    | discount | – | -0.65 | -0.65 | new | new line |
    | total | 2.00 | 5.85 | +3.85 | +192.50% |  |

    **deepseek/deepseek-chat (new), new**

    |  | before | after | change |  | why |
    |---|---:|---:|---:|---:|---|
    | input tokens | – | 2.00 | +2.00 | new | new line |
    | total | – | 2.00 | +2.00 | new |  |

    **deepseek/deepseek-chat (old), gone**

    |  | before | after | change |  | why |
    |---|---:|---:|---:|---:|---|
    | input tokens | 1.00 | – | -1.00 | -100.00% | line gone |
    | total | 1.00 | – | -1.00 | -100.00% |  |

    **groups**

    |  | before | after | change |  |  |
    |---|---:|---:|---:|---:|---|
    | (no tag) | 17.00 | 18.00 | +1.00 | +5.88% |  |
    | search | 2.00 | 5.85 | +3.85 | +192.50% |  |

    1 item is as before.

    <sub>Before: as of 2025-02-08T00:00:00Z, catalog revision 1, farthing 0.1.0. After: as of 2025-02-09T00:00:00Z, catalog revision 1, farthing 0.1.0.</sub>
    "#);
}

#[test]
fn json_names_each_figure_that_moved() {
    let output = diff("json", &kept("2.50"), &kept("5.00"), &["--format", "json", "--fail-over", "10%"]);
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!(diff, @r#"
    {
      "after": {
        "as_of": "2026-01-01T00:00:00Z",
        "catalog_revision": 1,
        "engine": "farthing 0.1.0"
      },
      "before": {
        "as_of": "2026-01-01T00:00:00Z",
        "catalog_revision": 1,
        "engine": "farthing 0.1.0"
      },
      "currency": "USD",
      "fail_over": {
        "exceeded": true,
        "limit": "10%"
      },
      "items": [
        {
          "id": null,
          "index_after": 0,
          "index_before": 0,
          "kind": "api_usage",
          "label": null,
          "lines": [
            {
              "amount": {
                "after": "5.00",
                "before": "2.50",
                "change": "2.50",
                "percent": "100.00"
              },
              "causes": [
                {
                  "after": {
                    "currency": "USD",
                    "per": "1",
                    "unit": "request",
                    "value": "5.00"
                  },
                  "before": {
                    "currency": "USD",
                    "per": "1",
                    "unit": "request",
                    "value": "2.50"
                  },
                  "percent": "100.00",
                  "why": "price"
                }
              ],
              "code": "requests",
              "description": "requests"
            }
          ],
          "offering_after": "a/b",
          "offering_before": "a/b",
          "total": {
            "after": "5.00",
            "before": "2.50",
            "change": "2.50",
            "percent": "100.00"
          },
          "unchanged_lines": 0,
          "warnings": []
        }
      ],
      "total": {
        "after": "5.00",
        "before": "2.50",
        "change": "2.50",
        "percent": "100.00"
      },
      "unchanged_items": 0,
      "warnings": []
    }
    "#);
}

#[test]
fn a_kept_answer_is_compared_with_its_request_priced_anew() {
    let answer = stdout(&run_with_input(&["quote", "-", "--json"], BEFORE));
    let same = diff("kept-same", &answer, BEFORE, &[]);
    insta::assert_snapshot!(stdout(&same), @r#"
    Total: 19.00 CNY, as before
    before: as of 2025-02-08T00:00:00Z, catalog revision 1, farthing 0.1.0
    after:  as of 2025-02-08T00:00:00Z, catalog revision 1, farthing 0.1.0

    3 items are as before.
    "#);
    let later = diff("kept-later", &answer, BEFORE, &["--as-of", "2025-02-09"]);
    assert!(stdout(&later).starts_with("Total: 19.00 → 24.00 CNY"), "{}", stdout(&later));
}

#[test]
fn each_side_may_be_of_its_own_time() {
    let request =
        r#"{"model": "deepseek/deepseek-chat", "currency": "CNY", "usage": {"output_tokens": 1000000}}"#;
    let path = file("diff-times.json", request);
    let flags = ["diff", &path, &path, "--as-of-a", "2025-02-08", "--as-of-b", "2025-02-09"];
    let output = run(&flags);
    assert!(stdout(&output).starts_with("Total: 2.00 → 8.00 CNY, +6.00 (+300.00%)"), "{}", stdout(&output));
}

#[test]
fn a_rise_of_exactly_the_limit_passes_and_a_digit_more_exits_with_3() {
    for (limit, before, after, expected) in [
        ("10%", "50.00", "55.00", 0),
        ("10%", "50.00", "55.000000000000000000000000000000000000000000000001", 3),
        ("5.00", "50.00", "55.00", 0),
        ("5.00", "50.00", "55.000000000000000000000000000000000000000000000001", 3),
        ("0%", "50.00", "49.00", 0),
        ("100000%", "0.00", "0.01", 3),
    ] {
        let name = format!("limit-{expected}-{}", limit.trim_end_matches('%'));
        let output = diff(&name, &kept(before), &kept(after), &["--fail-over", limit]);
        assert_eq!(code(&output), expected, "{limit}: {before} to {after}");
    }
}

#[test]
fn a_rise_beyond_the_limit_is_said_aloud() {
    let output = diff("aloud", &kept("50.00"), &kept("60.00"), &["--fail-over", "10%"]);
    assert_eq!(
        stderr(&output),
        "farthing: the total rose by more than 10%: 50.00 → 60.00 USD, +10.00 (+20.00%)\n"
    );
}

#[test]
fn a_total_out_of_nothing_is_new() {
    let output = diff("nothing", &kept("0.00"), &kept("1.00"), &[]);
    assert!(stdout(&output).starts_with("Total: 0.00 → 1.00 USD, +1.00 (new)"), "{}", stdout(&output));
}

#[test]
fn answers_in_two_currencies_are_refused() {
    let output = diff("currencies", &kept("1.00"), &kept("1.00").replace("USD", "EUR"), &[]);
    assert_eq!((code(&output), stdout(&output)), (1, String::new()));
    assert_eq!(
        stderr(&output),
        "farthing: the first answer is in USD, the second in EUR: ask for both in one currency\n"
    );
}

#[test]
fn faults_of_both_sides_are_named() {
    let output = diff("faults", r#"{"modle": "x"}"#, r#"{"total": {}}"#, &[]);
    assert_eq!((code(&output), stdout(&output)), (1, String::new()));
    insta::assert_snapshot!(stderr(&output), @r#"
    farthing: A: /modle: there is no field called `modle` here (unknown_field; did you mean model?)
    farthing: B: /total/amount: `amount` is missing (missing_field)
    "#);
}

#[test]
fn standard_input_stands_for_one_side_only() {
    let output = run_with_input(&["diff", "-", "-"], "{}");
    assert_eq!((code(&output), stderr(&output).lines().count()), (1, 1));
}

#[test]
fn the_time_of_a_kept_answer_cannot_be_changed() {
    let output = diff("time", &kept("1.00"), &kept("1.00"), &["--as-of-b", "2025-01-01"]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output), "farthing: B is a kept answer: --as-of-b would change nothing about it\n");
}

#[test]
fn a_doubt_that_appears_is_told() {
    let doubt =
        r#""warnings": [{"code": "zero_price", "message": "the price is zero", "pointer": "/model"}]}]"#;
    let after = kept("1.00").replace(r#""warnings": []}]"#, doubt);
    let output = diff("doubt", &kept("1.00"), &after, &[]);
    assert!(
        stdout(&output).contains("\n  warning appeared: the price is zero (zero_price)\n"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_limit_that_is_none_is_refused() {
    let output = diff("bad-limit", &kept("1.00"), &kept("1.00"), &["--fail-over", "ten"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).starts_with("farthing: --fail-over is `ten`; allowed: a percentage such as `10%`")
    );
}
