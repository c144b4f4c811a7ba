//! The work of every kind of stage: published figures, laws, and random input.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::estimate::{
    fault::{Fault, FaultKind},
    training::testing::{at_desk, dense, shape, stage},
};

fn count(request: &Value, trained: &Shape) -> (StageWork<'static>, Vec<Fault>) {
    let models = Models { trained: Some(trained), context_length: None, teacher: Some(trained) };
    at_desk(|desk| of(&stage(request), "/stages/0", models, desk))
}

fn work(request: &Value, trained: &Shape) -> StageWork<'static> {
    let (work, faults) = count(request, trained);
    assert_eq!(faults, [], "{request}");
    work
}

fn flops(request: &Value, trained: &Shape) -> f64 {
    work(request, trained).main.flops.unwrap().value.mid()
}

/// FLOPs of a stage for each parameter and token.
fn each(request: &Value, trained: &Shape) -> f64 {
    let main = work(request, trained).main;
    main.flops.unwrap().value.mid() / main.tokens.unwrap().value.mid() / trained.matmul_params
}

fn near(figure: f64, expected: f64, tolerance: f64) -> bool {
    (figure / expected - 1.0).abs() <= tolerance
}

fn with(request: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut request = request.clone();
    request[field] = value.into();
    request
}

/// Each kind of stage, in each of its forms.
fn stages() -> Vec<Value> {
    let hosted = json!({ "provider": "openai", "model": "gpt-4o" });
    let own = json!({ "kind": "serving", "model": "deepseek-r1" });
    let sft =
        json!({ "stage": "sft", "examples": 1e6, "tokens_per_example": 800, "packing_efficiency": 0.5 });
    let dpo = json!({ "stage": "preference", "pairs": 1e5, "tokens_per_example": 1000 });
    let rl = json!({ "stage": "rl", "prompts": 1e5, "prompt_tokens": 200, "response_tokens": 8000 });
    let distilled = json!({ "stage": "distillation", "teacher": "llama-3.1-70b", "samples": 8e5, "tokens_per_sample": 5000 });
    vec![
        json!({ "stage": "pretraining", "tokens": 1e12 }),
        json!({ "stage": "continued_pretraining", "tokens": 1e10, "sequence_length": 8192 }),
        json!({ "stage": "context_extension", "tokens": 1e11, "sequence_length": 131_072 }),
        json!({ "stage": "sft", "tokens": 1e9, "epochs": 2 }),
        json!({ "stage": "pretraining", "flops": 2e25 }),
        sft.clone(),
        with(&sft, "method", "lora"),
        with(&with(&sft, "method", "qlora"), "adapter_params", 4e7),
        dpo.clone(),
        with(&dpo, "cached_reference", true),
        with(&dpo, "method", "lora"),
        rl.clone(),
        with(&with(&rl, "no_reference", true), "epochs", 2),
        with(&with(&rl, "algorithm", "ppo"), "reward", "model"),
        with(&rl, "reward", "sandbox"),
        with(&rl, "reward_cost_per_sample", "0.02"),
        distilled.clone(),
        with(&with(&distilled, "teacher", hosted), "accept_rate", 0.25),
        with(&distilled, "teacher", own),
    ]
}

fn counted(work: StageWork<'static>) -> Vec<Counted<'static>> {
    let of = |work: Work<'static>| [work.tokens, work.flops].into_iter().flatten();
    let mut all: Vec<_> = of(work.main).collect();
    match work.teacher {
        Some(TeacherWork::Passes(work)) => all.extend(of(work)),
        Some(TeacherWork::Calls { calls, .. }) => all.push(calls),
        Some(TeacherWork::Writes { tokens, .. }) => all.push(tokens),
        None => {}
    }
    match work.reward {
        Some(RewardWork::Passes(work)) => all.extend(of(work)),
        Some(RewardWork::Given { samples } | RewardWork::Assumed { samples, .. }) => all.push(samples),
        None => {}
    }
    all
}

#[test]
fn every_formula_names_exactly_its_inputs() {
    let model = shape("llama-3.1-8b");
    for request in stages() {
        for Counted { formula, inputs, .. } in counted(work(&request, &model)) {
            let words = formula.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let mut named: Vec<_> =
                words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
            let mut known: Vec<_> = inputs.iter().map(|(name, _)| *name).collect();
            named.sort_unstable();
            named.dedup();
            known.sort_unstable();
            assert_eq!(named, known, "{formula}");
        }
    }
}

/// arXiv:2412.19437, table 1 and arXiv:2505.09343, table 4: 2.664M H800-hours, 385 TFLOP/s causal.
#[test]
fn deepseek_v3_pre_trains_at_370_to_395_tflops_by_its_hours() {
    let request =
        json!({ "stage": "pretraining", "tokens": 14.8e12, "sequence_length": 4096, "precision": "fp8" });
    let tflops = flops(&request, &shape("deepseek-v3")) / (2_664_000.0 * 3600.0) / 1e12;
    assert!((370.0..=395.0).contains(&tflops), "{tflops}");
}

#[test]
fn multi_token_prediction_is_kept_apart_from_what_an_mfu_is_told_of() {
    let request = json!({ "stage": "pretraining", "tokens": 14.8e12 });
    let main = work(&request, &shape("deepseek-v3")).main;
    let share = main.mtp_flops.unwrap().mid() / main.flops.unwrap().value.mid();
    assert!((0.02..0.06).contains(&share), "{share}");
    assert!(work(&request, &shape("llama-3.1-8b")).main.mtp_flops.is_none());
}

#[test]
fn a_context_extension_has_to_say_how_long_its_sequences_are() {
    let (_, faults) = count(&json!({ "stage": "context_extension", "tokens": 1e11 }), &dense(7e9));
    let kind = FaultKind::MissingField { name: "sequence_length".to_owned() };
    assert_eq!(faults, [Fault::new("/stages/0/sequence_length", kind)]);
}

#[test]
fn a_sequence_is_4096_tokens_or_all_that_the_model_takes() {
    let model = dense(7e9);
    let length = |context_length| {
        let models = Models { trained: Some(&model), context_length, teacher: None };
        let request = stage(&json!({ "stage": "pretraining", "tokens": 1e12 }));
        at_desk(|desk| of(&request, "/stages/0", models, desk)).0.main.sequence_length.unwrap().value.mid()
    };
    let lengths = [None, Some(2048.0), Some(131_072.0)].map(length);
    assert!(
        lengths.iter().zip([4096.0, 2048.0, 4096.0]).all(|(length, expected)| near(*length, expected, 0.0)),
        "{lengths:?}"
    );
}

/// NVIDIA's speeds of a 70B model on H100: 1,638 tokens/s with all parameters, 2,643 with `LoRA`: 1.61 times.
#[test]
fn adapters_are_two_thirds_of_the_work() {
    let request = json!({ "stage": "sft", "examples": 1e5, "tokens_per_example": 4096 });
    let model = shape("llama-3.1-70b");
    let (full, lora) = (each(&request, &model), each(&with(&request, "method", "lora"), &model));
    assert!((1.4..1.61).contains(&(full / lora)), "{full} {lora}");
    assert!(near(
        flops(&with(&request, "method", "qlora"), &model),
        flops(&with(&request, "method", "lora"), &model),
        0.0
    ));
}

#[test]
fn padding_is_computed_too() {
    let request = json!({ "stage": "sft", "examples": 1e5, "tokens_per_example": 800 });
    let (packed, padded) =
        (flops(&request, &dense(7e9)), flops(&with(&request, "packing_efficiency", 0.5), &dense(7e9)));
    assert!(near(padded, packed * 2.0, 1e-12));
}

#[test]
fn a_pair_is_two_sequences_and_eight_flops_a_parameter_or_six() {
    let request = json!({ "stage": "preference", "pairs": 1e5, "tokens_per_example": 100 });
    let model = shape("llama-3.1-70b");
    assert!(near(each(&request, &model), 8.0, 0.01), "{}", each(&request, &model));
    assert!(near(each(&with(&request, "cached_reference", true), &model), 6.0, 0.01));
    assert!(near(work(&request, &model).main.tokens.unwrap().value.mid(), 2e7, 1e-12));
}

/// With as many parameters in each model: 20 to 22 N against 10 to 12 N.
#[test]
fn ppo_is_1_8_to_2_times_the_work_of_grpo() {
    let model = shape("llama-3.1-70b");
    let grpo =
        json!({ "stage": "rl", "prompts": 1e4, "group_size": 8, "prompt_tokens": 50, "response_tokens": 50 });
    let ppo = with(&with(&grpo, "algorithm", "ppo"), "reward", "model");
    let ratio = |grpo: &Value, ppo: &Value| {
        let ppo = work(ppo, &model);
        let Some(RewardWork::Passes(judge)) = ppo.reward else { panic!("no reward model") };
        let all = ppo.main.flops.unwrap().value.mid() + judge.flops.unwrap().value.mid();
        all / flops(grpo, &model)
    };
    assert!(near(each(&grpo, &model), 12.0, 0.01) && near(each(&ppo, &model), 20.0, 0.01));
    let (grpo_free, ppo_free) = (with(&grpo, "no_reference", true), with(&ppo, "no_reference", true));
    assert!((1.8..=2.01).contains(&ratio(&grpo, &ppo)), "{}", ratio(&grpo, &ppo));
    assert!((1.8..=2.01).contains(&ratio(&grpo_free, &ppo_free)), "{}", ratio(&grpo_free, &ppo_free));
}

#[test]
fn judging_is_free_by_a_rule_passes_of_a_model_or_money() {
    let model = dense(7e9);
    let rl = json!({ "stage": "rl", "prompts": 1e3, "group_size": 8, "prompt_tokens": 100, "response_tokens": 900 });
    assert!(work(&rl, &model).reward.is_none());
    let Some(RewardWork::Passes(judge)) =
        work(&with(&with(&rl, "reward", "model"), "reward_params", 1e9), &model).reward
    else {
        panic!("no passes");
    };
    assert!(near(judge.flops.unwrap().value.mid(), 2.0 * 1e9 * 8e6, 1e-12));
    let Some(RewardWork::Assumed { samples, usd_per_sample }) =
        work(&with(&rl, "reward", "sandbox"), &model).reward
    else {
        panic!("no money");
    };
    assert_eq!((samples.value.mid(), usd_per_sample.value.mid()), (8e3, 0.03));
    let given = work(&with(&with(&rl, "reward", "model"), "reward_cost_per_sample", "0.02"), &model).reward;
    assert!(matches!(given, Some(RewardWork::Given { .. })));
    let both =
        with(&with(&with(&rl, "reward", "model"), "reward_cost_per_sample", "0.02"), "reward_params", 1e9);
    assert_eq!(count(&both, &model).1[0].pointer, "/stages/0/reward_params");
}

/// Llama 3.2: 86K of 916K H100-hours were the teachers' logits, of 8B and 70B, for students of 1B and 3B.
#[test]
fn a_teacher_of_logits_passes_once_over_all_that_the_student_sees() {
    let (student, teacher) = (dense(1e9), dense(8e9));
    let request = json!({
        "stage": "distillation", "teacher": "llama-3.1-8b", "samples": 1e6, "tokens_per_sample": 100, "epochs": 2
    });
    let models = Models { trained: Some(&student), context_length: None, teacher: Some(&teacher) };
    let (work, faults) = at_desk(|desk| of(&stage(&request), "/stages/0", models, desk));
    assert_eq!(faults, []);
    let Some(TeacherWork::Passes(passes)) = work.teacher else { panic!("no passes") };
    let ratio = passes.flops.unwrap().value.mid() / work.main.flops.unwrap().value.mid();
    assert!(near(ratio, 2.0 * teacher.matmul_params / (6.0 * student.matmul_params), 0.01), "{ratio}");
}

#[test]
fn a_hosted_teacher_is_called_once_for_each_sample_also_those_turned_down() {
    let request = json!({
        "stage": "distillation", "teacher": { "provider": "openai", "model": "gpt-4o" },
        "samples": 8e5, "tokens_per_sample": 5000, "accept_rate": 0.25
    });
    let Some(TeacherWork::Calls { calls }) = work(&request, &dense(7e9)).teacher else {
        panic!("no calls");
    };
    assert!(near(calls.value.mid(), 3.2e6, 0.0));
}

#[test]
fn prompting_is_no_work() {
    let work =
        work(&json!({ "stage": "prompting", "examples": 50, "tokens_per_example": 2000 }), &dense(7e9));
    assert!(
        work.main.tokens.is_none()
            && work.main.flops.is_none()
            && work.teacher.is_none()
            && work.reward.is_none()
    );
}

#[test]
fn what_the_hours_do_not_hang_on_need_not_be_said() {
    for known in [json!({ "gpu_hours": 101_000 }), json!({ "flops": 1e22 })] {
        for (kind, field) in
            [("rl", None), ("sft", None), ("pretraining", None), ("distillation", Some("llama-3.1-8b"))]
        {
            let mut request = with(&known, "stage", kind);
            if let Some(teacher) = field {
                request["teacher"] = teacher.into();
            }
            let (work, faults) = count(&request, &dense(7e9));
            assert_eq!(faults, [], "{request}");
            assert_eq!(work.main.flops.is_some(), known.get("flops").is_some());
        }
    }
}

#[test]
fn a_speed_needs_tokens() {
    let request = json!({ "stage": "rl", "tokens_per_second_per_gpu": 1000, "prompt_tokens": 100, "response_tokens": 100 });
    let (_, faults) = count(&request, &dense(7e9));
    assert_eq!(
        faults,
        [Fault::new("/stages/0/prompts", FaultKind::MissingField { name: "prompts".to_owned() })]
    );
}

#[test]
fn what_is_missing_zero_or_out_of_range_is_told_with_its_place() {
    let cases = [
        (json!({ "stage": "pretraining", "tokens": 0 }), "/stages/0/tokens", "must be above 0, got 0"),
        (
            json!({ "stage": "pretraining", "tokens": 1e300 }),
            "/stages/0/tokens",
            "must be at most 1e18, got 1e300",
        ),
        (json!({ "stage": "pretraining" }), "/stages/0/tokens", "`tokens` is missing"),
        (
            json!({ "stage": "sft", "tokens": 1e9, "packing_efficiency": 1.2 }),
            "/stages/0/packing_efficiency",
            "must be in (0, 1], got 1.2",
        ),
        (
            json!({ "stage": "sft", "tokens": 1e9, "packing_efficiency": 0 }),
            "/stages/0/packing_efficiency",
            "must be in (0, 1], got 0",
        ),
        (json!({ "stage": "sft", "tokens": 1e9, "epochs": 0 }), "/stages/0/epochs", "must be above 0, got 0"),
        (
            json!({ "stage": "sft", "tokens": 1e9, "examples": 10, "tokens_per_example": 10 }),
            "/stages/0/tokens",
            "1000000000 tokens are not examples times tokens_per_example, 100",
        ),
        (json!({ "stage": "pretraining", "flops": 0 }), "/stages/0/flops", "must be above 0, got 0"),
    ];
    for (request, pointer, detail) in cases {
        let (_, faults) = count(&request, &dense(7e9));
        assert_eq!(faults.len(), 1, "{request}: {faults:?}");
        assert_eq!((faults[0].pointer.as_str(), faults[0].kind.to_string().as_str()), (pointer, detail));
    }
}

/// A field of any stage.
fn fields() -> impl Strategy<Value = (&'static str, f64)> {
    const NAMES: [&str; 17] = [
        "tokens",
        "sequence_length",
        "examples",
        "tokens_per_example",
        "epochs",
        "adapter_params",
        "packing_efficiency",
        "pairs",
        "prompts",
        "group_size",
        "prompt_tokens",
        "response_tokens",
        "reward_params",
        "samples",
        "tokens_per_sample",
        "accept_rate",
        "flops",
    ];
    (
        prop::sample::select(&NAMES[..]),
        prop_oneof![Just(0.0), (-320.0..308.0_f64).prop_map(|power| 10_f64.powf(power)), 0.0..1.5],
    )
}

proptest! {
    #[test]
    fn twice_the_tokens_are_twice_the_work(of in 0..3_usize, tokens in 1e6..1e14_f64, params in 1e8..1e12_f64) {
        let model = dense(params);
        let (stage, field) = [("pretraining", "tokens"), ("preference", "pairs"), ("rl", "prompts")][of];
        let request = json!({ "stage": stage, field: tokens });
        let request = match stage {
            "preference" => with(&request, "tokens_per_example", 1000),
            "rl" => with(&with(&request, "prompt_tokens", 100), "response_tokens", 900),
            _ => request,
        };
        let twice = flops(&with(&request, field, tokens * 2.0), &model);
        prop_assert!(near(twice, flops(&request, &model) * 2.0, 1e-9));
    }

    #[test]
    fn a_larger_model_is_more_work(params in 1e8..1e12_f64, factor in 1.1..10.0_f64, of in 0..19_usize) {
        let request = &stages()[of];
        let known = request.get("flops").is_some();
        let (small, large) = (flops(request, &dense(params)), flops(request, &dense(params * factor)));
        let holds = if known { small.to_bits() == large.to_bits() } else { small < large };
        prop_assert!(holds, "{} {}", small, large);
    }

    #[test]
    fn nothing_panics_and_all_that_comes_out_is_finite(
        of in 0..19_usize,
        changes in prop::collection::vec(fields(), 0..4),
        wide in any::<bool>(),
        params in 1e6..1e13_f64,
    ) {
        let mut request = stages()[of].clone();
        for (field, figure) in changes {
            if request.get(field).is_some() && figure.is_finite() {
                request[field] = if wide { json!({ "low": 0.0, "mid": figure / 2.0, "high": figure }) } else { json!(figure) };
            }
        }
        let (work, faults) = count(&request, &dense(params));
        for counted in counted(work) {
            let finite = |figure: f64| figure.is_finite() && figure >= 0.0;
            let (low, high) = counted.value.range().unwrap_or((0.0, 0.0));
            prop_assert!(finite(counted.value.mid()) && finite(low) && finite(high), "{request} {counted:?}");
        }
        prop_assert!(faults.iter().all(|fault| fault.pointer.starts_with("/stages/0/")));
    }
}
