//! Ways to a reasoning model, and ways to train, side by side.

use serde_json::{Value, json};

use super::{codes, line, metric, near, number, quote, total, training, with};

fn rl(more: &Value) -> Value {
    let mut stage = json!({ "stage": "rl", "prompts": 20_000, "group_size": 16, "prompt_tokens": 200, "response_tokens": 4000 });
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage
}

fn sft(more: &Value) -> Value {
    let mut stage = json!({ "stage": "sft", "examples": 100_000, "tokens_per_example": 2000 });
    stage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage
}

async fn cost(stages: Value) -> f64 {
    total(&quote(training(stages)).await)
}

async fn flops(stages: Value) -> f64 {
    metric(&quote(training(stages)).await, "flops")
}

/// Pure RL; SFT, then RL; pure SFT; prompting: four lists of stages.
#[tokio::test]
async fn four_ways_to_a_reasoning_model_are_four_lists_of_stages() {
    let prompting = json!({ "stage": "prompting", "examples": 50, "tokens_per_example": 2000 });
    let none = json!({});
    let (pure_rl, sft_rl) = (cost(json!([rl(&none)])).await, cost(json!([sft(&none), rl(&none)])).await);
    let (pure_sft, prompted) = (cost(json!([sft(&none)])).await, cost(json!([prompting])).await);
    assert!((sft_rl - pure_rl - pure_sft).abs() <= 0.01, "{sft_rl} {pure_rl} {pure_sft}");
    assert!(pure_rl > 3.0 * pure_sft && pure_sft > 0.0, "{pure_rl} {pure_sft}");
    assert_eq!(prompted.to_string(), "0");
}

#[tokio::test]
async fn a_prompt_whose_hours_are_given_costs_them() {
    let stages = json!([{ "stage": "prompting", "examples": 1, "tokens_per_example": 1, "gpu_hours": 3 }]);
    assert!(near(cost(stages).await, 6.0, 0.0));
}

/// Frozen parameters have no gradients of their own: 4 of 6 FLOPs.
#[tokio::test]
async fn lora_is_two_thirds_of_full_fine_tuning_and_needs_less_memory() {
    let of = async |method: &str| quote(training(json!([sft(&json!({ "method": method }))]))).await;
    let (full, lora, qlora) = (of("full").await, of("lora").await, of("qlora").await);
    let share = metric(&lora, "flops") / metric(&full, "flops");
    assert!((0.65..0.72).contains(&share), "{share}");
    assert!(near(metric(&qlora, "flops"), metric(&lora, "flops"), 1e-9));
    let memory = |quote: &Value| quote["items"][0]["stages"][0]["memory_bytes"]["value"].as_f64().unwrap();
    assert!(memory(&qlora) < memory(&lora) && memory(&lora) < memory(&full) / 2.0);
    assert!(total(&lora) < total(&full));
}

/// Two sequences a pair, each trained on (6) and seen once by the reference (2).
#[tokio::test]
async fn dpo_is_eight_thirds_of_fine_tuning_on_one_answer_of_each_pair() {
    let dpo = |cached: bool| json!([{ "stage": "preference", "pairs": 100_000, "tokens_per_example": 2000, "cached_reference": cached }]);
    let of_sft = flops(json!([sft(&json!({}))])).await;
    assert!(near(flops(dpo(false)).await, of_sft * 8.0 / 3.0, 1e-6));
    assert!(near(flops(dpo(true)).await, of_sft * 2.0, 1e-6));
}

/// A value model as large as the policy, and a reward model: 20 to 22 N a token against 12 or 10.
#[tokio::test]
async fn ppo_is_about_twice_the_flops_of_grpo() {
    for no_reference in [false, true] {
        let grpo = flops(json!([rl(&json!({ "no_reference": no_reference }))])).await;
        let ppo = rl(&json!({ "algorithm": "ppo", "no_reference": no_reference, "reward": "model" }));
        let ratio = flops(json!([ppo])).await / grpo;
        assert!((1.75..2.01).contains(&ratio), "{ratio}");
    }
}

#[tokio::test]
async fn logits_are_learnt_beside_a_teacher_on_the_same_hardware() {
    let distilled = |teacher: Value| json!([{ "stage": "distillation", "samples": 100_000, "tokens_per_sample": 2000, "teacher": teacher }]);
    let quote = quote(training(distilled(json!("llama-3.1-70b")))).await;
    assert_eq!(codes(&quote), ["distillation.compute", "distillation.teacher"]);
    let (student, teacher) = (line(&quote, "distillation.compute"), line(&quote, "distillation.teacher"));
    let ratio = number(&teacher["quantity"]) / number(&student["quantity"]);
    // 2 N of 70 billion against 6 N of 6.7 billion.
    assert!((3.0..4.0).contains(&ratio), "{ratio}");
    // The student's own work is that of fine-tuning; the teacher's comes on top.
    let student = flops(json!([sft(&json!({}))])).await;
    assert!(near(metric(&quote, "flops"), student * (1.0 + ratio), 1e-6));
}

#[tokio::test]
async fn a_hosted_teacher_costs_a_call_for_each_sample() {
    let teacher = json!({ "kind": "api_usage", "provider": "openai", "model": "gpt-4o", "usage": { "input_tokens": 300 } });
    let stage = json!({ "stage": "distillation", "samples": 8000, "tokens_per_sample": 5000, "accept_rate": 0.5, "teacher": teacher });
    let distilled = quote(training(json!([stage]))).await;
    let call = json!({ "provider": "openai", "model": "gpt-4o", "usage": { "input_tokens": 300, "output_tokens": 5000 } });
    let one = super::BUILT_IN.post(&call).await.value();
    let line = line(&distilled, "distillation.teacher");
    assert_eq!((&line["quantity"], &line["unit"]), (&json!("16000"), &json!("call")));
    assert_eq!(line["unit_price"], one["total"]["amount"]);
    assert!(near(number(&line["amount"]), 16_000.0 * number(&one["total"]["amount"]), 1e-9));
}

#[tokio::test]
async fn a_teacher_that_one_runs_oneself_writes_on_the_same_hardware() {
    let stage = |teacher: Value| json!([{ "stage": "distillation", "samples": 7200, "tokens_per_sample": 5000, "teacher": teacher }]);
    let given =
        json!({ "kind": "serving", "model": "llama-3.1-70b", "output_tokens_per_second_per_gpu": 1000 });
    let written = quote(training(stage(given))).await;
    assert_eq!(line(&written, "distillation.teacher")["amount"], "20.00"); // 36 million tokens in ten hours
    let modelled = quote(training(stage(json!({ "kind": "serving", "model": "llama-3.1-70b" })))).await;
    assert!(line(&modelled, "distillation.teacher")["low"].is_string());
}

/// arXiv:2401.06066, table 2: DeepSeekMoE-16B computes 40% of what LLaMA2-7B does.
#[tokio::test]
async fn a_mixture_of_experts_computes_what_its_active_experts_do() {
    let of = async |model: &str| {
        let stages = json!([{ "stage": "pretraining", "tokens": 2e12 }]);
        metric(&quote(with(training(stages), [("/model", json!(model))])).await, "flops")
    };
    let ratio = of("deepseekmoe-16b").await / of("llama-2-7b").await;
    assert!((0.36..0.46).contains(&ratio), "{ratio}");
}
