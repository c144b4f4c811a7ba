//! What trainings are refused for: each fault with its place and its code, and all of them at once.

use serde_json::{Value, json};

use super::{BUILT_IN, pretraining, training, with};

/// Panics unless a request is refused for some reasons, and no others; the sentence of each has some words in it.
async fn is_refused<const N: usize>(request: Value, expected: [(&str, &str, &str); N]) {
    let faults = BUILT_IN.errors(&request).await;
    let found: Vec<_> = faults.iter().map(|(pointer, code, _)| (pointer.as_str(), code.as_str())).collect();
    assert_eq!(found, expected.map(|(pointer, code, _)| (pointer, code)), "{request}\n{faults:#?}");
    for ((_, _, detail), (_, _, words)) in faults.iter().zip(expected) {
        assert!(detail.contains(words), "{detail}");
    }
}

/// A trillion tokens with some members put in.
fn stage<const N: usize>(changes: [(&str, Value); N]) -> Value {
    training(json!([with(pretraining(), changes)]))
}

fn on<const N: usize>(changes: [(&str, Value); N]) -> Value {
    with(training(json!([pretraining()])), changes)
}

#[tokio::test]
async fn names_that_nobody_knows() {
    is_refused(on([("/model", json!("llama-9"))]), [("/model", "unknown_model", "llama-9")]).await;
    is_refused(on([("/hardware/gpu", json!("h1000"))]), [("/hardware/gpu", "unknown_gpu", "h1000")]).await;
    is_refused(stage([("/precision", json!("fp7"))]), [("/stages/0/precision", "unknown_precision", "fp7")])
        .await;
    is_refused(stage([("/stage", json!("pretrainig"))]), [("/stages/0/stage", "unknown_kind", "pretrainig")])
        .await;
    let hardware =
        |more: [(&str, Value); 1]| on([("/hardware", with(json!({ "gpu": "h100-sxm5-80gb" }), more))]);
    is_refused(hardware([("/provider", json!("awz"))]), [("/hardware/provider", "unknown_provider", "awz")])
        .await;
    is_refused(
        hardware([("/provider_kind", json!("cloud"))]),
        [("/hardware/provider_kind", "out_of_range", "hyperscaler")],
    )
    .await;
    is_refused(hardware([("/region", json!("atlantis"))]), [("/hardware/region", "unpriced", "atlantis")])
        .await;
    is_refused(
        on([("/hardware/energy_region", json!("atlantis"))]),
        [("/hardware/energy_region", "unknown_region", "atlantis")],
    )
    .await;
    is_refused(
        on([("/hardware/currency", json!("XXX"))]),
        [("/hardware/currency", "unknown_currency", "XXX")],
    )
    .await;
    is_refused(on([("/currency", json!("XXX"))]), [("/currency", "unknown_currency", "XXX")]).await;
    is_refused(stage([("/tokns", json!(1))]), [("/stages/0/tokns", "unknown_field", "tokns")]).await;
    is_refused(on([("/hardwear", json!({}))]), [("/hardwear", "unknown_field", "hardwear")]).await;
}

#[tokio::test]
async fn precisions_that_a_part_lacks() {
    let on_part = |gpu: &str, precision: &str| {
        with(stage([("/precision", json!(precision))]), [("/hardware/gpu", json!(gpu))])
    };
    let place = "/stages/0/precision";
    is_refused(
        on_part("a100-sxm4-80gb", "fp8"),
        [(place, "unknown_precision", "does not multiply in fp8; it has")],
    )
    .await;
    is_refused(on_part("h100-sxm5-80gb", "nvfp4"), [(place, "unknown_precision", "nvfp4")]).await;
    is_refused(on_part("v100-sxm2-32gb", "bf16"), [(place, "unknown_precision", "bf16")]).await;
}

#[tokio::test]
async fn utilisations_outside_zero_to_one() {
    for (mfu, got) in [(json!(0), "got 0"), (json!(1.7), "must be in (0, 1], got 1.7"), (json!(-1), "-1")] {
        is_refused(stage([("/mfu", mfu)]), [("/stages/0/mfu", "out_of_range", got)]).await;
    }
    let wide = json!({ "low": 0.4, "mid": 0.5, "high": 1.1 });
    is_refused(stage([("/mfu", wide)]), [("/stages/0/mfu", "out_of_range", "1.1")]).await;
}

#[tokio::test]
async fn quantities_of_nothing_and_quantities_that_are_missing() {
    is_refused(stage([("/tokens", json!(0))]), [("/stages/0/tokens", "out_of_range", "above 0")]).await;
    is_refused(
        training(json!([{ "stage": "pretraining" }])),
        [("/stages/0/tokens", "missing_field", "tokens")],
    )
    .await;
    let extension = json!([{ "stage": "context_extension", "tokens": 1e9 }]);
    is_refused(training(extension), [("/stages/0/sequence_length", "missing_field", "sequence_length")])
        .await;
    let rl = json!([{ "stage": "rl", "prompts": 1000 }]);
    let lacking = [
        ("/stages/0/prompt_tokens", "missing_field", "prompt_tokens"),
        ("/stages/0/response_tokens", "missing_field", "response_tokens"),
    ];
    is_refused(training(rl), lacking).await;
    is_refused(training(json!([])), [("/stages", "out_of_range", "1 to 64 stages, got 0")]).await;
}

#[tokio::test]
async fn shapes_that_cannot_be() {
    let shaped = |shape: Value| {
        let mut request = on([("/architecture", shape)]);
        request.as_object_mut().unwrap().remove("model");
        request
    };
    let heads = json!({ "params_total": 7e9, "num_layers": 32, "hidden_size": 4096, "num_heads": 32, "num_kv_heads": 5 });
    is_refused(
        shaped(heads),
        [("/architecture/num_kv_heads", "contradiction", "5 key and value heads do not divide 32 heads")],
    )
    .await;
    let experts = json!({
        "num_layers": 32, "hidden_size": 4096, "num_heads": 32, "num_kv_heads": 8, "moe_ffn_size": 14_336, "vocab_size": 32_000,
        "num_experts": 8, "experts_per_token": 9
    });
    is_refused(
        shaped(experts),
        [(
            "/architecture/experts_per_token",
            "contradiction",
            "9 active experts are more than the 8 there are",
        )],
    )
    .await;
    is_refused(
        shaped(json!({})),
        [
            ("/architecture/num_layers", "missing_field", "num_layers"),
            ("/architecture/hidden_size", "missing_field", "hidden_size"),
            ("/architecture/ffn_size", "missing_field", "ffn_size"),
            ("/architecture/vocab_size", "missing_field", "vocab_size"),
        ],
    )
    .await;
    is_refused(shaped(json!({ "params_total": 0 })), [("/architecture/params_total", "out_of_range", "")])
        .await;
}

#[tokio::test]
async fn a_model_is_named_once_and_where_it_is_needed() {
    let twice = on([("/architecture", json!({ "params_total": 7e9 }))]);
    is_refused(twice, [("/model", "contradiction", "give one of")]).await;
    let mut none = on([]);
    none.as_object_mut().unwrap().remove("model");
    is_refused(none, [("/model", "missing_field", "model")]).await;
    let in_part = on([("/model", json!("kimi-k3"))]); // how many parameters it has is not published
    is_refused(in_part, [("/model", "unknown_model", "give `architecture`")]).await;
}

#[tokio::test]
async fn a_reward_model_that_nothing_tells_the_size_of_is_not_free() {
    let mut request = training(json!([{
        "stage": "rl", "prompts": 1e4, "prompt_tokens": 100, "response_tokens": 900, "reward": "model", "tokens_per_second_per_gpu": 1000
    }]));
    request.as_object_mut().unwrap().remove("model");
    is_refused(request, [("/model", "missing_field", "model")]).await;
}

#[tokio::test]
async fn a_part_without_a_price_is_not_another_ones_price() {
    let request = on([("/hardware", json!({ "gpu": "h800-sxm5-80gb" }))]);
    is_refused(request.clone(), [("/hardware/gpu", "unpriced", "h800-sxm5-80gb")]).await;
    let answer = BUILT_IN.post(&request).await.value();
    let near = answer["errors"][0]["near_matches"].as_array().unwrap();
    assert!(near.iter().any(|name| name == "h100-sxm5-80gb"), "{near:?}");
}

#[tokio::test]
async fn days_and_commitments_without_a_price() {
    let at = |day: &str, hardware: Value| on([("/as_of", json!(day)), ("/hardware", hardware)]);
    let h100 = json!({ "gpu": "h100-sxm5-80gb" });
    is_refused(at("2020-01-01", h100), [("/as_of", "unpriced", "the first one is from 2023-05-12")]).await;
    let reserved = json!({ "gpu": "h100-sxm5-80gb", "provider": "lambda", "commitment": "reserved_3y" });
    is_refused(at("2025-01-01", reserved), [("/hardware/commitment", "unpriced", "on_demand")]).await;
    let yuan = with(on([("/as_of", json!("2010-01-01"))]), [("/currency", json!("CNY"))]);
    is_refused(yuan, [("/as_of", "no_fx_rate", "CNY")]).await;
}

#[tokio::test]
async fn counts_that_are_nothing_or_too_few() {
    is_refused(on([("/hardware/count", json!(0))]), [("/hardware/count", "out_of_range", "at least 1")])
        .await;
    let big = on([("/model", json!("llama-3.1-405b")), ("/hardware/count", json!(8))]);
    let faults = BUILT_IN.errors(&big).await;
    let [(pointer, code, detail)] = &faults[..] else { panic!("{faults:?}") };
    assert_eq!((pointer.as_str(), code.as_str()), ("/hardware/count", "does_not_fit"));
    // What it says would do, does; a server less does not.
    let words: Vec<&str> = detail.split(' ').collect();
    let fewest = words.windows(2).find(|pair| pair[1].starts_with("GPUs")).unwrap()[0];
    let fewest: u64 = fewest.parse().unwrap();
    let of = |count: u64| with(big.clone(), [("/hardware/count", json!(count))]);
    BUILT_IN.quote(&of(fewest)).await;
    assert_eq!(BUILT_IN.errors(&of(fewest - 8)).await[0].1, "does_not_fit", "{detail}");
}

#[tokio::test]
async fn what_contradicts_itself() {
    let disagree =
        with(stage([("/days", json!(10)), ("/gpu_hours", json!(1000))]), [("/hardware/count", json!(64))]);
    is_refused(
        disagree,
        [("/stages/0/gpu_hours", "contradiction", "1000 GPU-hours are not 10 days of 64 GPUs, 15360")],
    )
    .await;
    let both = on([("/hardware/count", json!(8)), ("/hardware/deadline_days", json!(30))]);
    is_refused(both, [("/hardware/deadline_days", "contradiction", "not both")]).await;
    let owned = on([("/hardware/owned", json!({}))]);
    is_refused(owned, [("/hardware/price_per_gpu_hour", "contradiction", "owned")]).await;
    let tokens = json!([{ "stage": "sft", "tokens": 1e6, "examples": 10, "tokens_per_example": 10 }]);
    is_refused(training(tokens), [("/stages/0/tokens", "contradiction", "examples times")]).await;
    let adapters = json!([{ "stage": "sft", "tokens": 1e6, "adapter_params": 1e6 }]);
    is_refused(training(adapters), [("/stages/0/adapter_params", "contradiction", "lora")]).await;
    let judge = json!([{ "stage": "rl", "prompts": 10, "prompt_tokens": 10, "response_tokens": 10, "reward_params": 1e9 }]);
    is_refused(training(judge), [("/stages/0/reward_params", "contradiction", "reward: model")]).await;
    let accepted = json!([{ "stage": "distillation", "teacher": "llama-3.1-70b", "samples": 9, "tokens_per_sample": 9, "accept_rate": 0.5 }]);
    is_refused(training(accepted), [("/stages/0/accept_rate", "contradiction", "logits")]).await;
}

#[tokio::test]
async fn programmes_that_make_no_sense() {
    let program = |program: Value| on([("/program", program)]);
    is_refused(
        program(json!({ "experiment_multiplier": 0.5 })),
        [("/program/experiment_multiplier", "out_of_range", "at least 1")],
    )
    .await;
    is_refused(program(json!({ "staff_share": 1 })), [("/program/staff_share", "out_of_range", "below 1")])
        .await;
    is_refused(
        program(json!({ "failed_run_fraction": -0.1 })),
        [("/program/failed_run_fraction", "out_of_range", "negative")],
    )
    .await;
    let staff = json!({ "staff": [{ "label": "a", "people": 3, "monthly_cost": "10" }] });
    is_refused(program(staff), [("/program/staff/0/months", "missing_field", "months")]).await;
    let data = |data: Value| program(json!({ "data": [with(data, [("/label", json!("a"))])] }));
    is_refused(data(json!({})), [("/program/data/0", "contradiction", "one of")]).await;
    is_refused(data(json!({ "amount": "1", "tokens": 5 })), [("/program/data/0", "contradiction", "one of")])
        .await;
    is_refused(data(json!({ "tokens": 5 })), [("/program/data/0/unit_price", "missing_field", "unit_price")])
        .await;
    is_refused(
        data(json!({ "labels": 5, "sort": "licensed_text" })),
        [("/program/data/0/sort", "contradiction", "million_tokens")],
    )
    .await;
    is_refused(data(json!({ "amount": "-1" })), [("/program/data/0/amount", "out_of_range", "negative")])
        .await;
    is_refused(
        data(json!({ "amount": "1", "currency": "XXX" })),
        [("/program/data/0/currency", "unknown_currency", "XXX")],
    )
    .await;
}

#[tokio::test]
async fn deadlines_that_cannot_be_met() {
    let deadline = |days: Value| on([("/hardware/deadline_days", days)]);
    is_refused(deadline(json!(0)), [("/hardware/deadline_days", "out_of_range", "above 0")]).await;
    is_refused(deadline(json!(0.001)), [("/hardware/deadline_days", "out_of_range", "no number of GPUs")])
        .await;
}

#[tokio::test]
async fn days_without_machines() {
    is_refused(stage([("/days", json!(10))]), [("/hardware/count", "missing_field", "count")]).await;
}

#[tokio::test]
async fn numbers_that_are_too_large() {
    for (field, words) in
        [("/tokens", "at most 1e18"), ("/gpu_hours", "at most 1e18"), ("/flops", "at most 1e36")]
    {
        let place = format!("/stages/0{field}");
        is_refused(stage([(field, json!(1e300))]), [(place.as_str(), "out_of_range", words)]).await;
    }
    let speed = stage([("/tokens_per_second_per_gpu", json!(1e300))]);
    is_refused(speed, [("/stages/0/tokens_per_second_per_gpu", "out_of_range", "at most")]).await;
    let price = json!("79228162514264337593543950335");
    let wide = json!({ "low": 1e16, "mid": 1e17, "high": 1e18 });
    let long = with(stage([("/gpu_hours", wide)]), [("/hardware/price_per_gpu_hour", price)]);
    is_refused(long, [("/stages/0", "out_of_range", "cannot be written")]).await;
}

#[tokio::test]
async fn teachers_that_cannot_teach() {
    let taught = |teacher: Value| {
        training(
            json!([{ "stage": "distillation", "samples": 100, "tokens_per_sample": 100, "teacher": teacher }]),
        )
    };
    is_refused(taught(json!("llama-9")), [("/stages/0/teacher", "unknown_model", "llama-9")]).await;
    is_refused(taught(json!(7)), [("/stages/0/teacher", "wrong_type", "model")]).await;
    let own = json!({ "kind": "serving", "model": "llama-9" });
    is_refused(taught(own), [("/stages/0/teacher/model", "unknown_model", "llama-9")]).await;
    let hosted = |more: [(&str, Value); 1]| {
        taught(with(json!({ "kind": "api_usage", "model": "openai/gpt-4o" }), more))
    };
    is_refused(
        hosted([("/model", json!("openai/gpt-9"))]),
        [("/stages/0/teacher/model", "unknown_model", "gpt-9")],
    )
    .await;
    is_refused(
        hosted([("/calls", json!(7))]),
        [("/stages/0/teacher/calls", "contradiction", "once for each sample")],
    )
    .await;
    let other = json!({ "output_tokens": 7 });
    is_refused(
        hosted([("/usage", other)]),
        [("/stages/0/teacher/usage/output_tokens", "contradiction", "tokens_per_sample")],
    )
    .await;
}

#[tokio::test]
async fn all_faults_are_told_at_once() {
    let request = json!({
        "kind": "training", "model": "llama-9", "hardware": { "gpu": "h100-sxm5-80gb", "price_per_gpu_hour": "2", "count": 0 },
        "stages": [{ "stage": "pretraining", "tokens": 1e12, "mfu": 1.7, "precision": "nvfp4" }, { "stage": "sft", "examples": 0 }]
    });
    let expected = [
        ("/hardware/count", "out_of_range", ""),
        ("/model", "unknown_model", ""),
        ("/stages/0/precision", "unknown_precision", ""),
        ("/stages/0/mfu", "out_of_range", "must be in (0, 1], got 1.7"),
        ("/stages/1/examples", "out_of_range", ""),
        ("/stages/1/tokens_per_example", "missing_field", ""),
    ];
    is_refused(request, expected).await;
}

#[tokio::test]
async fn faults_of_stages_are_told_whatever_is_wrong_with_the_machines() {
    for hardware in [json!({ "gpu": "h1000" }), json!({ "gpu": "h800-sxm5-80gb" })] {
        let request = json!({ "kind": "training", "model": "llama-3.1-8b", "hardware": hardware,
            "stages": [{ "stage": "pretraining", "tokens": 0 }, { "stage": "sft", "mfu": 2 }] });
        let machines = if hardware["gpu"] == "h1000" { "unknown_gpu" } else { "unpriced" };
        let expected = [
            ("/hardware/gpu", machines, ""),
            ("/stages/0/tokens", "out_of_range", ""),
            ("/stages/1/mfu", "out_of_range", ""),
            ("/stages/1/examples", "missing_field", ""),
            ("/stages/1/tokens_per_example", "missing_field", ""),
        ];
        is_refused(request, expected).await;
    }
}

#[tokio::test]
async fn one_bad_item_refuses_the_whole_request_with_its_place() {
    let request =
        json!({ "items": [on([]), on([("/model", json!("llama-9"))]), stage([("/mfu", json!(2))])] });
    let expected = [("/items/1/model", "unknown_model", ""), ("/items/2/stages/0/mfu", "out_of_range", "")];
    is_refused(request, expected).await;
}
