//! Configurations as published, read into shapes.

use farthing::catalog::architecture::{FaultOf, Shape, hf_config};
use serde::Deserialize;
use serde_json::{Value, json};

use super::shape;

/// A published configuration, and the billions of parameters that its maker (or its files) say.
#[derive(Deserialize)]
struct Case {
    name: String,
    total: f64,
    active: Option<f64>,
    config: Value,
}

fn cases() -> Vec<Case> {
    let lines = include_str!("../../fixtures/hf_config/published.jsonl").lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn config(name: &str) -> Value {
    cases().into_iter().find(|case| case.name == name).unwrap().config
}

#[test]
fn configurations_come_within_a_percent_of_the_published_parameters() {
    let mut wrong = Vec::new();
    for Case { name, total, active, config } in cases() {
        let (read, _) = hf_config::read(&config).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
        let shape = shape(&read);
        let off = shape.total_params / (total * 1e9) - 1.0;
        // Active parameters are published with two digits.
        let active_off = active.map_or(0.0, |active| shape.active_params / (active * 1e9) - 1.0);
        if off.abs() > 0.01 || active_off.abs() > 0.035 {
            wrong.push((name, off, active_off));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn no_field_of_a_published_configuration_is_left_unread_but_these() {
    let expected = [
        ("Gemma-2-9B", vec!["cache_implementation", "sliding_window_size"]),
        ("Gemma-3-4B, its language model", vec!["mm_tokens_per_image", "vision_config"]),
        ("Command R v01", vec!["logit_scale"]),
        ("OPT-6.7B", vec!["word_embed_proj_dim"]),
        ("StarCoder2-7B", vec!["mlp_type"]),
        ("Llama-4-Maverick, its language model", vec!["vision_config"]),
    ];
    for Case { name, config, .. } in cases() {
        let (_, unread) = hf_config::read(&config).unwrap();
        let known = expected.iter().find(|(case, _)| *case == name).map(|(_, fields)| fields.clone());
        assert_eq!(unread, known.unwrap_or_default(), "{name}");
    }
}

/// (full, windowed, linear) layers of configurations that say it in different ways.
#[test]
fn layers_are_windowed_as_each_family_has_it() {
    let expected = [
        ("Mistral-7B-v0.1", (0.0, 32.0, 0.0)),
        ("Mistral-Nemo-12B", (40.0, 0.0, 0.0)),
        ("Qwen2.5-7B", (28.0, 0.0, 0.0)),
        ("Gemma-2-9B", (21.0, 21.0, 0.0)),
        ("Gemma-3-4B, its language model", (5.0, 29.0, 0.0)),
        ("gpt-oss-20b", (12.0, 12.0, 0.0)),
        ("Llama-4-Maverick, its language model", (12.0, 36.0, 0.0)),
        ("Qwen3-Next-80B-A3B", (12.0, 0.0, 36.0)),
        ("Jamba v0.1", (4.0, 0.0, 28.0)),
    ];
    for (name, layers) in expected {
        let mix = shape(&hf_config::read(&config(name)).unwrap().0).mix;
        assert_eq!((mix.full, mix.windowed, mix.linear), layers, "{name}");
    }
}

#[test]
fn layer_types_win_over_the_familys_habit() {
    let config = json!({
        "model_type": "gpt_oss", "head_dim": 64, "hidden_size": 2880, "intermediate_size": 2880,
        "num_attention_heads": 64, "num_experts_per_tok": 4, "num_hidden_layers": 4, "num_key_value_heads": 8,
        "num_local_experts": 32, "sliding_window": 128, "vocab_size": 201_088,
        "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention", "full_attention"]
    });
    let mix = shape(&hf_config::read(&config).unwrap().0).mix;
    assert_eq!((mix.full, mix.windowed, mix.window), (1.0, 3.0, 128.0));
}

#[test]
fn the_released_precision_is_read() {
    let dtype = |config: Value| hf_config::read(&config).unwrap().0.dtype_released;
    assert_eq!(dtype(config("DeepSeek-V3")).as_deref(), Some("fp8"));
    assert_eq!(dtype(config("Llama-3.1-8B")).as_deref(), Some("bf16"));
    assert_eq!(dtype(config("Qwen3-Next-80B-A3B")), None);
}

#[test]
fn a_type_that_is_not_known_is_read_by_the_common_names_or_told_what_is_missing() {
    let whole = json!({
        "model_type": "brand_new", "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 16,
        "num_hidden_layers": 24, "vocab_size": 32000, "memory_slots": 64
    });
    let (read, unread) = hf_config::read(&whole).unwrap();
    assert!(Shape::of(&read).is_ok());
    assert_eq!(unread, ["memory_slots"]);
    let faults = hf_config::read(&json!({ "model_type": "brand_new", "hidden_size": 2048 })).unwrap_err();
    let missing: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
    assert_eq!(missing, ["num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"]);
    assert!(faults.iter().all(|fault| fault.of == FaultOf::Missing));
}

#[test]
fn what_these_fields_cannot_describe_is_refused() {
    for model_type in ["mamba2", "nemotron_h", "t5", "deepseek_v4"] {
        let faults = hf_config::read(&json!({ "model_type": model_type, "hidden_size": 2048 })).unwrap_err();
        assert_eq!((faults[0].field, faults.len()), ("model_type", 1), "{model_type}");
    }
}

#[test]
fn a_configuration_of_other_types_is_a_fault_that_names_the_field() {
    let faults = |config: Value| {
        hf_config::read(&config)
            .unwrap_err()
            .into_iter()
            .map(|fault| (fault.field, fault.of))
            .collect::<Vec<_>>()
    };
    assert_eq!(faults(json!([1])), [("config", FaultOf::Type)]);
    let mut config = config("Llama-3.1-8B");
    config["hidden_size"] = json!("4096");
    config["tie_word_embeddings"] = json!(1);
    let found = faults(config);
    assert!(found.contains(&("hidden_size", FaultOf::Type)), "{found:?}");
    assert!(found.contains(&("tie_word_embeddings", FaultOf::Type)), "{found:?}");
}
