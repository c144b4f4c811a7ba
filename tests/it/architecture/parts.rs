//! Shapes given in part: what is derived, against models whose shape is known; and what is refused.

use farthing::catalog::{
    architecture::{FaultOf, Shape},
    model::Architecture,
};
use rstest::rstest;
use serde_json::{Value, json};

use super::{architecture, models, shape};

/// FLOPs from the parameters alone over those from the whole shape, at 4096 tokens, for all dense models.
fn errors() -> Vec<(String, f64)> {
    let known = models().into_iter().filter_map(|model| Some((model.id.to_string(), model.architecture?)));
    let dense = known.filter(|(_, given)| given.params_total.is_some() && given.num_experts.is_none());
    let alone =
        |given: &Architecture| Architecture { params_total: given.params_total, ..Architecture::default() };
    let flops = |given: &Architecture| shape(given).training_flops_per_token(4096.0);
    dense.map(|(id, given)| (id, flops(&alone(&given)) / flops(&given) - 1.0)).collect()
}

#[test]
fn parameters_alone_give_the_training_flops_of_dense_models_within_some_percent() {
    let mut errors = errors();
    errors.sort_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let at = |share: usize| &errors[errors.len() * share / 100];
    assert!(at(50).1.abs() < 0.05, "{:?}", at(50));
    assert!(at(90).1.abs() < 0.15, "{:?}", at(90));
}

#[rstest]
#[case::of_a_size(json!({ "params_total": 70.55e9, "num_layers": 80, "hidden_size": 8192 }))]
#[case::of_more_of_it(json!({ "params_total": 70.55e9, "num_layers": 80, "hidden_size": 8192, "num_heads": 64,
    "num_kv_heads": 8, "vocab_size": 128_256 }))]
fn the_width_of_feed_forward_layers_is_what_the_parameters_leave(#[case] given: Value) {
    let shape = shape(&serde_json::from_value(given).unwrap());
    assert!((shape.ffn / 28_672.0 - 1.0).abs() < 0.01, "{}", shape.ffn);
}

/// Qwen3-235B-A22B by its two counts, by these with its number of experts, and by its sizes without experts'.
#[rstest]
#[case(json!({ "params_total": 235.1e9, "params_active": 22.2e9 }))]
#[case(json!({ "params_total": 235.1e9, "params_active": 22.2e9, "num_experts": 128, "experts_per_token": 8 }))]
#[case(json!({ "params_total": 235.1e9, "num_experts": 128, "experts_per_token": 8, "hidden_size": 4096,
    "num_layers": 94, "num_kv_heads": 4, "num_heads": 64, "head_dim": 128, "vocab_size": 151_936 }))]
fn a_mixture_of_which_some_is_known_works_as_hard_as_the_whole_one(#[case] given: Value) {
    let part = shape(&serde_json::from_value(given).unwrap());
    let whole = shape(&architecture("qwen3-235b-a22b"));
    let flops = |shape: &Shape| shape.training_flops_per_token(4096.0);
    assert!((flops(&part) / flops(&whole) - 1.0).abs() < 0.15, "{} {}", flops(&part), flops(&whole));
    let routed = part.parts.routed_experts / whole.parts.routed_experts;
    assert!((routed - 1.0).abs() < 0.05, "{routed}");
}

#[test]
fn an_expert_width_that_is_not_given_is_what_the_parameters_leave() {
    let mut given = architecture("deepseek-v3");
    (given.moe_ffn_size, given.shared_ffn_size, given.params_active) = (None, None, None);
    let shape = shape(&given);
    let width = shape.experts.unwrap().ffn;
    assert!((width / 2048.0 - 1.0).abs() < 0.01, "{width}");
    assert!((shape.active_params / 37.55e9 - 1.0).abs() < 0.01, "{}", shape.active_params);
}

#[rstest]
#[case::heads_that_do_not_divide("num_heads", json!({ "hidden_size": 4096, "num_heads": 33 }))]
#[case::shared_heads_that_do_not("num_kv_heads", json!({ "num_heads": 32, "num_kv_heads": 5 }))]
#[case::multi_head_that_shares("num_kv_heads", json!({ "attention_type": "MHA", "num_heads": 32, "num_kv_heads": 8 }))]
#[case::experts_that_are_not_there("experts_per_token", json!({ "num_experts": 4, "experts_per_token": 5 }))]
#[case::more_active_than_there_are("params_active", json!({ "params_active": 8e9 }))]
#[case::layers_that_do_not_add_up("full_attention_layers",
    json!({ "num_layers": 8, "full_attention_layers": 6, "linear_attention_layers": 4 }))]
#[case::layers_without_attention("full_attention_layers", json!({ "num_layers": 8, "full_attention_layers": 6 }))]
#[case::more_dense_layers_than_layers("first_dense_layers", json!({ "num_layers": 8, "first_dense_layers": 9 }))]
#[case::no_layer_for_experts("num_experts",
    json!({ "num_layers": 8, "first_dense_layers": 8, "num_experts": 8, "experts_per_token": 2 }))]
#[case::a_shape_of_another_size("params_total", json!({ "num_layers": 80, "hidden_size": 8192, "num_heads": 64,
    "ffn_size": 28672, "vocab_size": 32000 }))]
#[case::too_few_for_its_layers("params_total", json!({ "num_layers": 80, "hidden_size": 8192 }))]
fn what_contradicts_itself_is_named(#[case] field: &str, #[case] mut given: Value) {
    given["params_total"] = json!(7e9);
    let faults = Shape::of(&serde_json::from_value(given).unwrap()).unwrap_err();
    assert_eq!((faults[0].field, faults[0].of), (field, FaultOf::Contradiction), "{faults:?}");
}

#[rstest]
#[case::no_layers("num_layers", json!({ "num_layers": 0, "params_total": 7e9 }))]
#[case::no_heads("num_heads", json!({ "num_heads": 0, "params_total": 7e9 }))]
#[case::no_parameters("params_total", json!({ "params_total": 0 }))]
#[case::fewer_than_none("params_total", json!({ "params_total": -7e9 }))]
#[case::more_than_is_believed("params_total", json!({ "params_total": 1e300 }))]
#[case::a_vast_width("hidden_size", json!({ "hidden_size": 4_000_000_000_u32, "params_total": 7e9 }))]
#[case::no_visits("experts_per_token", json!({ "num_experts": 8, "experts_per_token": 0, "params_total": 7e9 }))]
#[case::an_unheard_of_kind("attention_type", json!({ "attention_type": "telepathy", "params_total": 7e9 }))]
fn what_cannot_be_is_named(#[case] field: &str, #[case] given: Value) {
    let faults = Shape::of(&serde_json::from_value(given).unwrap()).unwrap_err();
    assert_eq!((faults[0].field, faults[0].of), (field, FaultOf::Range), "{faults:?}");
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let missing = |given: Value| {
        let faults = Shape::of(&serde_json::from_value(given).unwrap()).unwrap_err();
        assert!(faults.iter().all(|fault| fault.of == FaultOf::Missing), "{faults:?}");
        faults.iter().map(|fault| fault.field).collect::<Vec<_>>()
    };
    assert_eq!(missing(json!({})), ["num_layers", "hidden_size", "ffn_size", "vocab_size"]);
    let mixture = missing(json!({ "num_layers": 32, "num_experts": 8 }));
    assert_eq!(mixture, ["hidden_size", "experts_per_token", "moe_ffn_size", "vocab_size"]);
    assert_eq!(missing(json!({ "params_total": 1e11, "num_experts": 64 })), ["experts_per_token"]);
    let window = json!({ "params_total": 7e9, "num_layers": 32, "sliding_window_layers": 16 });
    assert_eq!(missing(window), ["sliding_window"]);
}
