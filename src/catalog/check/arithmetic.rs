//! What the arithmetic assumes and is held against: ids, spreads, spans, figures.

use std::collections::HashMap;

use super::Findings;
use crate::catalog::{
    assumption::Assumption,
    energy::EnergyPrice,
    published_run::PublishedRun,
    published_throughput::PublishedThroughput,
    rows::{Row, Tables},
    scenario::{PublishedFigure, Scenario},
    time::Span,
};

/// No grid is dirtier: brown coal alone stands for about 1.2.
const MOST_KG_CO2_PER_KWH: f64 = 2.0;

pub(super) fn check(tables: &Tables, findings: &mut Findings) {
    for row in &tables.assumptions {
        assumption(row, findings);
    }
    for row in &tables.energy_prices {
        energy_price(row, findings);
    }
    for row in &tables.published_runs {
        run(row, findings);
    }
    for row in &tables.published_throughputs {
        throughput(row, findings);
    }
    for row in &tables.scenarios {
        scenario(row, findings);
    }
    apart(&tables.assumptions, |row| (&row.id, row.span()), findings);
    apart(&tables.energy_prices, |row| (&row.region, row.span()), findings);
}

fn assumption(row: &Assumption, findings: &mut Findings) {
    let Assumption { id, low, mid, high, .. } = row;
    findings.unless(is_dotted(id), row, || "has an id that is not lower-case words and dots".to_owned());
    let ordered = [low, mid, high].iter().all(|figure| figure.is_finite()) && low <= mid && mid <= high;
    findings.unless(ordered, row, || format!("has the figures {low}, {mid}, {high}, which are not in order"));
    said(row, &[("description", &row.description), ("unit", &row.unit)], findings);
    not_empty(row, row.span(), findings);
}

fn energy_price(row: &EnergyPrice, findings: &mut Findings) {
    findings.unless(is_word(&row.region), row, || "has a region that is not a lower-case word".to_owned());
    said(row, &[("name", &row.name)], findings);
    not_empty(row, row.span(), findings);
    if let Some(co2) = row.kg_co2_per_kwh {
        let holds = (0.0..=MOST_KG_CO2_PER_KWH).contains(&co2);
        findings.unless(holds, row, || format!("has {co2} kg of CO2 per kWh: a slip of units?"));
        let cited = row.co2_source.as_ref().is_some_and(|source| !source.trim().is_empty());
        findings.unless(cited, row, || "does not say where its kg of CO2 come from".to_owned());
    }
}

fn run(row: &PublishedRun, findings: &mut Findings) {
    findings.unless(is_slug(&row.id), row, || "has an id that is not lower-case".to_owned());
    let figures = [
        ("params_total", row.params_total),
        ("params_active", row.params_active),
        ("tokens", row.tokens),
        ("peak_bf16_dense_tflops", row.peak_bf16_dense_tflops),
        ("gpu_hours", row.gpu_hours),
        ("wall_days", row.wall_days),
        ("published_tflops_per_gpu", row.published_tflops_per_gpu),
        ("tokens_per_second_per_gpu", row.tokens_per_second_per_gpu),
        ("published_flops", row.published_flops),
        ("energy_mwh", row.energy_mwh),
        ("co2_t", row.co2_t),
        ("gpu_count", row.gpu_count.map(f64::from)),
    ];
    positive(row, &figures, findings);
    let stages = row.stage_gpu_hours.iter().map(|(stage, hours)| (stage.as_str(), Some(*hours)));
    positive(row, &stages.collect::<Vec<_>>(), findings);
    utilization(row, row.published_mfu, findings);
    let whole = row.params_total.unwrap_or(f64::INFINITY);
    let part = row.params_active.is_none_or(|active| active <= whole);
    findings.unless(part, row, || "has more active parameters than parameters".to_owned());
    one_of(row, "tier", &row.tier, &["A", "B", "C"], findings);
    one_of(row, "architecture", &row.architecture, &["dense", "moe", "ssm"], findings);
}

fn throughput(row: &PublishedThroughput, findings: &mut Findings) {
    one_of(row, "workload", &row.workload, &["training", "rl", "inference"], findings);
    let figures = [
        ("tokens_per_second_per_gpu", row.tokens_per_second_per_gpu),
        ("params_total", row.params_total),
        ("model_tflops_per_gpu", row.model_tflops_per_gpu),
        ("gpu_count", Some(row.gpu_count.into())),
    ];
    positive(row, &figures, findings);
    utilization(row, row.published_mfu, findings);
    for (workload, is_there) in [("rl", row.rl.is_some()), ("inference", row.inference.is_some())] {
        let fits = is_there == (row.workload == workload);
        findings.unless(fits, row, || format!("has a workload and a set-up of `{workload}` that do not fit"));
    }
}

fn scenario(row: &Scenario, findings: &mut Findings) {
    findings.unless(is_slug(&row.id), row, || "has an id that is not lower-case".to_owned());
    said(row, &[("title", &row.title)], findings);
    findings.unless(row.request.is_object(), row, || "has a request that is no object".to_owned());
    for PublishedFigure { figure, value, tolerance, pointer, source, .. } in &row.published {
        let sound = value.is_finite() && tolerance.is_finite() && *tolerance >= 0.0;
        findings.unless(sound, row, || format!("has `{figure}` as {value} within {tolerance}"));
        let pointed = pointer.as_ref().is_none_or(|pointer| pointer.starts_with('/'));
        findings.unless(pointed, row, || format!("has a pointer to `{figure}` that does not start with /"));
        let cited = !source.trim().is_empty();
        findings.unless(cited, row, || format!("does not say where `{figure}` comes from"));
    }
}

/// Rows about one thing share no day: nobody could say which of them holds.
fn apart<'t, T: Row>(rows: &'t [T], of: impl Fn(&'t T) -> (&'t String, Span), findings: &mut Findings) {
    let mut known: HashMap<&str, Vec<&T>> = HashMap::new();
    for row in rows {
        let (name, span) = of(row);
        let same = known.entry(name).or_default();
        for other in same.iter().filter(|other| of(other).1.overlaps(span)) {
            findings.note(row, format!("holds on days on which `{}` does", other.key()));
        }
        same.push(row);
    }
}

fn not_empty(row: &impl Row, span: Span, findings: &mut Findings) {
    findings.unless(!span.is_empty(), row, || "ends before it starts".to_owned());
}

fn said(row: &impl Row, texts: &[(&str, &String)], findings: &mut Findings) {
    for (name, text) in texts {
        findings.unless(!text.trim().is_empty(), row, || format!("has an empty `{name}`"));
    }
}

fn positive(row: &impl Row, figures: &[(&str, Option<f64>)], findings: &mut Findings) {
    for (name, figure) in figures {
        if let Some(figure) = figure.filter(|figure| !(figure.is_finite() && *figure > 0.0)) {
            findings.note(row, format!("has `{name}` {figure}: write nothing where it is unknown"));
        }
    }
}

fn utilization(row: &impl Row, mfu: Option<f64>, findings: &mut Findings) {
    let holds = mfu.is_none_or(|mfu| mfu > 0.0 && mfu <= 1.0);
    findings.unless(holds, row, || "has an MFU outside (0, 1]".to_owned());
}

fn one_of(row: &impl Row, name: &str, word: &str, words: &[&str], findings: &mut Findings) {
    let known = words.contains(&word);
    findings.unless(known, row, || format!("has the {name} `{word}`, not one of {}", words.join(", ")));
}

/// Lower-case letters, digits and `_`, beginning with a letter.
fn is_word(text: &str) -> bool {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(sound)
}

/// Words with dots between; a word after the first may begin with a digit.
fn is_dotted(text: &str) -> bool {
    let sound = |word: &str| !word.is_empty() && is_word(&format!("a{word}"));
    is_word(text.split('.').next().unwrap_or_default()) && text.split('.').all(sound)
}

/// What goes into a path as it is.
fn is_slug(text: &str) -> bool {
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(sound)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::super::testing::*;
    use crate::catalog::rows::Tables;

    /// The end of the one finding.
    fn problem(fault: impl FnOnce(&mut Tables)) -> String {
        let found = planted(fault);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].split_once("` ").unwrap().1.to_owned()
    }

    #[rstest]
    #[case(0.9, 0.87, 0.96)]
    #[case(0.75, 0.97, 0.96)]
    #[case(f64::NEG_INFINITY, 0.87, 0.96)]
    #[case(0.75, f64::NAN, 0.96)]
    fn figures_that_are_not_in_order_are_found(#[case] low: f64, #[case] mid: f64, #[case] high: f64) {
        let found = problem(|tables| {
            let row = &mut tables.assumptions[0];
            (row.low, row.mid, row.high) = (low, mid, high);
        });
        assert_eq!(found, format!("has the figures {low}, {mid}, {high}, which are not in order"));
    }

    #[test]
    fn a_figure_without_a_spread_is_sound() {
        let found = planted(|tables| {
            let row = &mut tables.assumptions[0];
            (row.low, row.high) = (row.mid, row.mid);
        });
        assert_eq!(found, Vec::<String>::new());
    }

    #[rstest]
    #[case("")]
    #[case("Training.goodput")]
    #[case("training..goodput")]
    #[case("training.goodput.")]
    #[case(".goodput")]
    #[case("training goodput")]
    #[case("1.goodput")]
    fn an_id_that_is_not_words_and_dots_is_found(#[case] id: &str) {
        let found = problem(|tables| id.clone_into(&mut tables.assumptions[0].id));
        assert_eq!(found, "has an id that is not lower-case words and dots");
    }

    #[test]
    fn two_rows_of_an_assumption_that_share_a_day_are_found() {
        let second = |from: &str| {
            let from = from.parse().unwrap();
            planted(|tables| {
                let mut row = tables.assumptions[0].clone(); // until 2026-01-01
                (row.effective_from, row.effective_to) = (Some(from), None);
                tables.assumptions.push(row);
            })
        };
        assert_eq!(second("2026-01-01"), Vec::<String>::new());
        let problem = "holds on days on which `training.goodput` does";
        assert_eq!(second("2025-12-31"), [format!("assumption `training.goodput 2025-12-31` {problem}")]);
    }

    #[test]
    fn two_prices_of_a_region_that_share_a_day_are_found() {
        let found = problem(|tables| {
            let mut row = tables.energy_prices[0].clone();
            row.effective_from = "2026-01-01".parse().unwrap();
            tables.energy_prices.push(row);
        });
        assert_eq!(found, "holds on days on which `us 2025-01-01` does");
    }

    #[test]
    fn a_span_without_a_day_is_found() {
        let found =
            problem(|tables| tables.assumptions[0].effective_from = tables.assumptions[0].effective_to);
        assert_eq!(found, "ends before it starts");
        let found =
            problem(|tables| tables.energy_prices[0].effective_to = Some("2024-01-01".parse().unwrap()));
        assert_eq!(found, "ends before it starts");
    }

    #[rstest]
    #[case(Some(400.0), true, "has 400 kg of CO2 per kWh: a slip of units?")]
    #[case(Some(-0.1), true, "has -0.1 kg of CO2 per kWh: a slip of units?")]
    #[case(Some(0.4), false, "does not say where its kg of CO2 come from")]
    fn carbon_that_cannot_be_or_is_not_cited_is_found(
        #[case] co2: Option<f64>,
        #[case] cited: bool,
        #[case] expected: &str,
    ) {
        let found = problem(|tables| {
            tables.energy_prices[0].kg_co2_per_kwh = co2;
            tables.energy_prices[0].co2_source = cited.then(|| "Ember".to_owned());
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_empty_text_is_found() {
        assert_eq!(problem(|tables| tables.assumptions[0].unit.clear()), "has an empty `unit`");
        assert_eq!(problem(|tables| tables.scenarios[0].title.clear()), "has an empty `title`");
        assert_eq!(problem(|tables| tables.energy_prices[0].name.clear()), "has an empty `name`");
    }

    #[test]
    fn a_region_that_is_no_word_is_found() {
        let found = problem(|tables| "US".clone_into(&mut tables.energy_prices[0].region));
        assert_eq!(found, "has a region that is not a lower-case word");
    }

    #[test]
    fn a_figure_of_nothing_is_found() {
        let found = problem(|tables| tables.published_runs[0].gpu_hours = Some(0.0));
        assert_eq!(found, "has `gpu_hours` 0: write nothing where it is unknown");
        let found = problem(|tables| tables.published_throughputs[0].gpu_count = 0);
        assert_eq!(found, "has `gpu_count` 0: write nothing where it is unknown");
        let found = problem(|tables| {
            tables.published_runs[0].stage_gpu_hours.insert("sft".to_owned(), -1.0);
        });
        assert_eq!(found, "has `sft` -1: write nothing where it is unknown");
    }

    #[rstest]
    #[case(0.0)]
    #[case(1.01)]
    #[case(f64::NAN)]
    fn a_utilization_outside_its_range_is_found(#[case] mfu: f64) {
        let found = problem(|tables| tables.published_throughputs[0].published_mfu = Some(mfu));
        assert_eq!(found, "has an MFU outside (0, 1]");
    }

    #[test]
    fn more_active_parameters_than_parameters_are_found() {
        let found = problem(|tables| tables.published_runs[0].params_active = Some(7.1e9));
        assert_eq!(found, "has more active parameters than parameters");
    }

    #[test]
    fn words_that_nobody_knows_are_found() {
        let found = problem(|tables| tables.published_runs[0].tier = "D".to_owned());
        assert_eq!(found, "has the tier `D`, not one of A, B, C");
        let found = problem(|tables| tables.published_throughputs[0].workload = "mining".to_owned());
        assert_eq!(found, "has the workload `mining`, not one of training, rl, inference");
    }

    #[test]
    fn a_measurement_without_its_set_up_is_found() {
        let found = problem(|tables| tables.published_throughputs[0].workload = "rl".to_owned());
        assert_eq!(found, "has a workload and a set-up of `rl` that do not fit");
    }

    #[test]
    fn a_request_that_is_no_object_is_found() {
        let found = problem(|tables| tables.scenarios[0].request = json!([]));
        assert_eq!(found, "has a request that is no object");
    }

    #[test]
    fn a_published_figure_that_cannot_be_compared_is_found() {
        let found = problem(|tables| tables.scenarios[0].published[0].tolerance = -0.1);
        assert_eq!(found, "has `cost` as 1 within -0.1");
        let found = problem(|tables| tables.scenarios[0].published[0].pointer = Some("total".to_owned()));
        assert_eq!(found, "has a pointer to `cost` that does not start with /");
        let found = problem(|tables| tables.scenarios[0].published[0].source.clear());
        assert_eq!(found, "does not say where `cost` comes from");
    }

    #[test]
    fn an_id_that_does_not_fit_a_path_is_found() {
        let found = problem(|tables| tables.scenarios[0].id = "one call".to_owned());
        assert_eq!(found, "has an id that is not lower-case");
        let found = problem(|tables| tables.published_runs[0].id = "One".to_owned());
        assert_eq!(found, "has an id that is not lower-case");
    }
}
