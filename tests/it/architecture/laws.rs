//! What holds of every shape.

use farthing::catalog::{
    architecture::{Mask, Shape, hf_config},
    model::Architecture,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::shape;

/// All fields that are whole numbers.
const COUNTS: [&str; 26] = [
    "num_layers",
    "hidden_size",
    "num_heads",
    "num_kv_heads",
    "head_dim",
    "q_lora_rank",
    "kv_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "v_head_dim",
    "ffn_size",
    "vocab_size",
    "num_experts",
    "experts_per_token",
    "num_shared_experts",
    "moe_ffn_size",
    "shared_ffn_size",
    "first_dense_layers",
    "moe_layer_freq",
    "context_length",
    "sliding_window",
    "sliding_window_layers",
    "full_attention_layers",
    "linear_attention_layers",
    "mtp_layers",
    "layers_of_nothing",
];

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => (0_u32..4).prop_map(Value::from),
        4 => (0_u32..20_000).prop_map(Value::from),
        4 => (0_u32..14).prop_map(|power| Value::from(1_u32 << power)),
        1 => any::<u32>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
    ]
}

fn params() -> impl Strategy<Value = Value> {
    prop_oneof![4 => (1.0..30.0_f64).prop_map(|power| Value::from(10_f64.powf(power))), 1 => any::<f64>().prop_map(Value::from)]
}

fn kind() -> impl Strategy<Value = Value> {
    let kinds = ["MHA", "GQA", "MQA", "MLA", "hybrid_linear", "hybrid_mamba", "hybrid_compressed", "none"];
    prop::sample::select(kinds.to_vec()).prop_map(Value::from)
}

/// Any object with some of the fields of an architecture.
fn anything() -> impl Strategy<Value = Value> {
    let fields = prop::collection::vec((prop::sample::select(COUNTS[..25].to_vec()), number()), 0..16);
    let options = (
        prop::option::of(kind()),
        prop::option::of(params()),
        prop::option::of(params()),
        prop::option::of(any::<bool>()),
        prop::option::of(any::<bool>()),
    );
    (fields, options).prop_map(|(fields, (kind, total, active, tied, gated))| {
        let mut object: Map<String, Value> =
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let more = [
            ("attention_type", kind),
            ("params_total", total),
            ("params_active", active),
            ("tied_embeddings", tied.map(Value::from)),
            ("ffn_gated", gated.map(Value::from)),
        ];
        object.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Value::Object(object)
    })
}

/// Every number that a shape tells.
fn numbers(shape: &Shape) -> Vec<(&'static str, f64)> {
    let mut numbers = vec![
        ("total", shape.total_params),
        ("active", shape.active_params),
        ("matmul", shape.matmul_params),
        ("counted", shape.counted_total),
        ("counted active", shape.counted_active),
        ("parts", shape.parts.sum()),
        ("active parts", shape.active_parts.sum()),
        ("ffn", shape.ffn),
        ("full", shape.mix.full),
        ("windowed", shape.mix.windowed),
        ("linear", shape.mix.linear),
        ("state", shape.state_bytes_per_sequence(2.0)),
        ("ratio", shape.non_causal_over_causal(4096.0)),
    ];
    for context in [0.0, 1.0, 4096.0, 1e15] {
        numbers.extend([
            ("forward", shape.forward_flops_per_token(context)),
            ("training", shape.training_flops_per_token(context)),
            ("mtp", shape.mtp_flops_per_token(context)),
            ("attention", shape.attention_flops_per_token(context, Mask::NonCausal)),
            ("decode", shape.decode_flops_per_token(context)),
            ("cache", shape.kv_bytes_per_token(2.0, context)),
        ]);
    }
    numbers.extend(shape.assumed.iter().map(|assumed| (assumed.field, assumed.value)));
    if let Some(experts) = shape.experts {
        numbers.extend([("routed", experts.routed), ("visited", experts.active), ("width", experts.ffn)]);
    }
    numbers
}

/// A sound dense architecture, or a mixture.
fn sound() -> impl Strategy<Value = Architecture> {
    let sizes = (1_u32..100, 1_u32..64, 1_u32..8, 1_u32..40_000, 1_u32..200_000, any::<bool>());
    let more = (any::<bool>(), any::<bool>(), 1_u32..64, 1_u32..16, 0_u32..3);
    (sizes, more).prop_map(
        |((layers, groups, shared, ffn, vocab, tied), (gated, mixture, idle, active, always))| Architecture {
            num_layers: Some(layers),
            hidden_size: Some(groups * shared * 64),
            num_heads: Some(groups * shared),
            num_kv_heads: Some(shared),
            head_dim: Some(64),
            ffn_size: Some(ffn),
            ffn_gated: Some(gated),
            vocab_size: Some(vocab),
            tied_embeddings: Some(tied),
            num_experts: mixture.then_some(active + idle),
            experts_per_token: mixture.then_some(active),
            num_shared_experts: mixture.then_some(always),
            moe_ffn_size: mixture.then_some(ffn),
            ..Architecture::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_architecture_panics_or_yields_what_is_not_a_number(json in anything()) {
        let Ok(given) = serde_json::from_value::<Architecture>(json.clone()) else { return Ok(()) };
        match Shape::of(&given) {
            Ok(shape) => {
                for (name, number) in numbers(&shape) {
                    prop_assert!(number.is_finite() && number >= 0.0, "{name} = {number} of {json}");
                }
                let off = |sum: f64, whole: f64| (sum / whole - 1.0).abs();
                prop_assert!(off(shape.parts.sum(), shape.total_params) < 1e-9, "{json}");
                prop_assert!(off(shape.active_parts.sum(), shape.active_params) < 1e-9, "{json}");
                let least = 1.0 - 1e-9; // the last digit is rounding's
                prop_assert!(shape.matmul_params * least <= shape.active_params, "{json} {shape:?}");
                prop_assert!(shape.active_params * least <= shape.total_params, "{json} {shape:?}");
            }
            Err(faults) => prop_assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.detail.is_empty())),
        }
    }

    #[test]
    fn no_configuration_panics(json in anything(), model_type in "llama|gemma3|qwen3_next|jamba|falcon|llama4|x") {
        let mut config = json;
        config["model_type"] = model_type.into();
        let renamed = [("num_layers", "num_hidden_layers"), ("num_heads", "num_attention_heads"), ("ffn_size", "intermediate_size")];
        for (from, to) in renamed {
            let value = config[from].take();
            config[to] = value;
        }
        if let Ok((read, _)) = hf_config::read(&config)
            && let Ok(shape) = Shape::of(&read)
        {
            for (name, number) in numbers(&shape) {
                prop_assert!(number.is_finite() && number >= 0.0, "{name} = {number} of {config}");
            }
        }
    }
}

proptest! {
    #[test]
    fn more_of_anything_is_more_work(given in sound(), which in 0_usize..7, sequence in 1_u32..100_000) {
        let mut larger = given.clone();
        let twice = |field: &mut Option<u32>| *field = field.map(|value| value * 2);
        match which {
            0 => twice(&mut larger.num_layers),
            1 => twice(&mut larger.hidden_size),
            2 => twice(&mut larger.num_heads),
            3 => twice(&mut larger.head_dim),
            4 => (twice(&mut larger.ffn_size), twice(&mut larger.moe_ffn_size)).0,
            5 => twice(&mut larger.vocab_size),
            _ => twice(&mut larger.num_kv_heads),
        }
        if which == 6 {
            twice(&mut larger.num_heads); // they must go on dividing
        }
        let (less, more) = (shape(&given), shape(&larger));
        let sequence = f64::from(sequence);
        prop_assert!(more.training_flops_per_token(sequence) > less.training_flops_per_token(sequence));
        prop_assert!(more.decode_flops_per_token(sequence) > less.decode_flops_per_token(sequence));
        prop_assert!(more.total_params > less.total_params);
        prop_assert!(less.training_flops_per_token(sequence + 1.0) > less.training_flops_per_token(sequence));
    }

    #[test]
    fn more_experts_are_more_work_only_when_visited(given in sound()) {
        prop_assume!(given.num_experts.is_some());
        let more = |experts: u32, visited: u32| Architecture {
            num_experts: given.num_experts.map(|count| count + experts),
            experts_per_token: given.experts_per_token.map(|count| count + visited),
            ..given.clone()
        };
        let (base, idle, busy) = (shape(&given), shape(&more(16, 0)), shape(&more(16, 16)));
        let router = 16.0 * base.hidden * base.layers;
        prop_assert!((idle.active_params - base.active_params - router).abs() < 1.0);
        prop_assert!(idle.total_params > base.total_params && busy.active_params > idle.active_params);
    }

    #[test]
    fn twice_the_length_is_twice_the_attention_and_twice_the_tokens_twice_the_work(given in sound(), sequence in 1_u32..100_000) {
        let (shape, sequence) = (shape(&given), f64::from(sequence));
        for mask in [Mask::Causal, Mask::NonCausal] {
            let attention = |length| shape.attention_flops_per_token(length, mask);
            prop_assert!((attention(2.0 * sequence) / attention(sequence) - 2.0).abs() < 1e-12);
        }
        let work = |tokens: f64| tokens * shape.training_flops_per_token(sequence);
        prop_assert!((work(2e12) / work(1e12) - 2.0).abs() < 1e-12);
        prop_assert!((work(1e12) / (3e12 * shape.forward_flops_per_token(sequence)) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn heads_that_share_keys_do_the_same_attention(given in sound()) {
        let alone = Architecture { num_kv_heads: given.num_heads, ..given.clone() };
        let (shared, alone) = (shape(&given), shape(&alone));
        let attention = |shape: &Shape| shape.attention_flops_per_token(8192.0, Mask::Causal);
        prop_assert!((attention(&shared) - attention(&alone)).abs() < 1e-9);
        prop_assert!(shared.kv_bytes_per_token(2.0, 8192.0) <= alone.kv_bytes_per_token(2.0, 8192.0));
    }

    #[test]
    fn tied_embeddings_are_fewer_parameters_and_the_same_head(given in sound()) {
        let of = |tied| shape(&Architecture { tied_embeddings: Some(tied), ..given.clone() });
        let (tied, apart) = (of(true), of(false));
        let end = tied.vocab * tied.hidden;
        prop_assert!((apart.total_params - tied.total_params - end).abs() < 1.0);
        let (one, other) = (tied.forward_flops_per_token(2048.0), apart.forward_flops_per_token(2048.0));
        prop_assert!((one / other - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_window_never_adds_work(given in sound(), window in 1_u32..10_000, context in 1_u32..100_000) {
        let windowed = Architecture {
            sliding_window: Some(window),
            sliding_window_layers: given.num_layers,
            ..given.clone()
        };
        let (full, windowed, context) = (shape(&given), shape(&windowed), f64::from(context));
        let (decode, training) = (windowed.decode_flops_per_token(context), windowed.training_flops_per_token(context));
        prop_assert!(decode <= full.decode_flops_per_token(context));
        prop_assert!(training <= full.training_flops_per_token(context));
        if context <= f64::from(window) {
            prop_assert!((decode / full.decode_flops_per_token(context) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn parameters_alone_are_enough(power in 6.0..15.0_f64) {
        let total = 10_f64.powf(power);
        let shape = shape(&Architecture { params_total: Some(total), ..Architecture::default() });
        prop_assert!((shape.total_params - total).abs() < 1e-3 && (shape.active_params - total).abs() < 1e-3);
        prop_assert!((0.8..1.2).contains(&(shape.counted_total / total)), "{}", shape.counted_total);
        prop_assert!(shape.forward_flops_per_token(1.0) / (2.0 * total) > 0.8);
        for field in ["num_layers", "hidden_size", "num_heads", "ffn_size", "vocab_size"] {
            prop_assert!(shape.assumed.iter().any(|assumed| assumed.field == field), "{field}");
        }
    }

    #[test]
    fn both_counts_alone_are_a_mixture(power in 8.0..14.0_f64, sparsity in 2.0..40.0_f64) {
        let total = 10_f64.powf(power);
        let given = Architecture {
            params_total: Some(total * sparsity), params_active: Some(total), ..Architecture::default()
        };
        let shape = shape(&given);
        prop_assert!(shape.is_moe());
        prop_assert!((shape.total_params, shape.active_params) == (total * sparsity, total));
        prop_assert!((0.8..1.2).contains(&(shape.counted_total / shape.total_params)), "{}", shape.counted_total);
    }
}

#[test]
fn an_unknown_field_of_an_architecture_is_no_architecture() {
    let read = serde_json::from_value::<Architecture>(json!({ COUNTS[25]: 1 }));
    assert!(read.unwrap_err().to_string().contains("layers_of_nothing"));
}
