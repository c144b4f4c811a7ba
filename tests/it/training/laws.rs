//! What holds for every training, whatever its figures are.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{BUILT_IN, metric, near, number, total, training, with};

static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());

fn quote(request: &Value) -> Value {
    RUNTIME.block_on(BUILT_IN.quote(request))
}

const MODELS: [&str; 4] = ["llama-2-7b", "llama-3.1-70b", "deepseek-v3", "mixtral-8x7b"];
const PARTS: [&str; 4] = ["h100-sxm5-80gb", "a100-sxm4-80gb", "b200-sxm-180gb", "h800-sxm5-80gb"];

#[expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]
fn of(model: &str, gpu: &str, stage: Value) -> Value {
    with(training(json!([stage])), [("/model", json!(model)), ("/hardware/gpu", json!(gpu))])
}

/// A stage of each sort, with so much of what it takes.
fn stage(name: &str, much: f64) -> Value {
    match name {
        "sft" => json!({ "stage": name, "examples": much / 1000.0, "tokens_per_example": 1000 }),
        "preference" => json!({ "stage": name, "pairs": much / 1000.0, "tokens_per_example": 1000 }),
        "rl" => {
            json!({ "stage": name, "prompts": much / 1e4, "prompt_tokens": 100, "response_tokens": 1000 })
        }
        "distillation" => {
            json!({ "stage": name, "samples": much / 1000.0, "tokens_per_sample": 1000, "teacher": "llama-3.1-8b" })
        }
        _ => json!({ "stage": name, "tokens": much, "sequence_length": 8192 }),
    }
}

const STAGES: [&str; 7] =
    ["pretraining", "context_extension", "continued_pretraining", "sft", "preference", "rl", "distillation"];

/// A range about a middle, `spread` wide to each side as a factor.
fn about(mid: f64, spread: f64) -> Value {
    json!({ "low": mid / spread, "mid": mid, "high": mid * spread })
}

/// From low to high of a total.
fn width(quote: &Value) -> f64 {
    let total = &quote["total"];
    if total["low"].is_null() { 0.0 } else { number(&total["high"]) - number(&total["low"]) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn twice_the_work_is_twice_the_hours_and_twice_the_money(
        model in select(&MODELS[..]), gpu in select(&PARTS[..]), name in select(&STAGES[..]), much in 1e8..1e13_f64,
    ) {
        let (once, twice) = (quote(&of(model, gpu, stage(name, much))), quote(&of(model, gpu, stage(name, much * 2.0))));
        prop_assert!(near(metric(&twice, "gpu_hours"), 2.0 * metric(&once, "gpu_hours"), 1e-6));
        prop_assert!(near(total(&twice), 2.0 * total(&once), 1e-5));
    }

    #[test]
    fn more_gpus_never_take_fewer_gpu_hours(
        model in select(&MODELS[..]), name in select(&STAGES[..]), much in 1e9..1e13_f64, servers in 64..4096_u32, more in 1..4096_u32,
    ) {
        let with_count = |servers: u32| {
            quote(&with(of(model, "h100-sxm5-80gb", stage(name, much)), [("/hardware/count", json!(servers * 8))]))
        };
        let (few, many) = (with_count(servers), with_count(servers + more));
        prop_assert!(metric(&many, "gpu_hours") >= metric(&few, "gpu_hours"));
        prop_assert!(total(&many) >= total(&few));
    }

    #[test]
    fn a_higher_price_is_never_a_lower_total(name in select(&STAGES[..]), much in 1e8..1e13_f64, price in 0.01..50.0_f64, more in 0.0..50.0_f64) {
        let at = |price: f64| {
            let program = json!({ "experiment_multiplier": 2, "staff_share": 0.3 });
            quote(&with(of("llama-2-7b", "h100-sxm5-80gb", stage(name, much)), [
                ("/hardware/price_per_gpu_hour", json!(format!("{price:.4}"))), ("/program", program),
            ]))
        };
        let (low, high) = (at(price), at(price + more));
        prop_assert!(total(&high) >= total(&low));
        for part in ["low", "high"] {
            prop_assert!(number(&high["total"][part]) >= number(&low["total"][part]) * (1.0 - 1e-9));
        }
    }

    #[test]
    fn a_narrower_input_is_a_narrower_range(tokens in 1e9..1e13_f64, spread in 1.2..4.0_f64) {
        let narrow = spread.sqrt();
        let of_tokens = |spread: f64| quote(&of("llama-2-7b", "h100-sxm5-80gb", with(stage("pretraining", 1.0), [("/tokens", about(tokens, spread))])));
        prop_assert!(width(&of_tokens(narrow)) < width(&of_tokens(spread)));
        let of_price = |spread: f64| {
            let range = json!({ "low": format!("{:.4}", 2.0 / spread), "mid": "2", "high": format!("{:.4}", 2.0 * spread) });
            quote(&with(of("llama-2-7b", "h100-sxm5-80gb", stage("pretraining", tokens)), [("/hardware/price_per_gpu_hour", range)]))
        };
        prop_assert!(width(&of_price(narrow)) < width(&of_price(spread)));
        prop_assert!(width(&of_price(1.0)) < width(&of_price(narrow)));
    }

    #[test]
    fn the_range_of_one_input_alone_is_that_input(hours in 1.0..1e7_f64, spread in 1.05..4.0_f64) {
        let stage = with(json!({ "stage": "sft" }), [("/gpu_hours", about(hours, spread))]);
        let quote = quote(&of("llama-2-7b", "h100-sxm5-80gb", stage));
        prop_assert!(near(number(&quote["total"]["low"]), 2.0 * hours / spread, 1e-3));
        prop_assert!(near(number(&quote["total"]["high"]), 2.0 * hours * spread, 1e-3));
    }

    #[test]
    fn stages_cost_together_what_they_cost_apart(one in select(&STAGES[..]), other in select(&STAGES[..]), much in 1e9..1e12_f64) {
        let alone = |name: &str| total(&quote(&of("llama-2-7b", "h100-sxm5-80gb", stage(name, much))));
        let both = quote(&training(json!([stage(one, much), stage(other, much)])));
        prop_assert!((total(&both) - alone(one) - alone(other)).abs() < 0.02);
    }
}
