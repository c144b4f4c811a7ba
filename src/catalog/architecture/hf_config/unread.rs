//! Which fields were not read, and could matter.

use serde_json::Value;

use super::fields::{Fields, NESTED};

/// Parts of names that say nothing of parameters or work: tokens, training, numerics, positions, files.
const HARMLESS: [&str; 43] = [
    "_token_id",
    "_token_index",
    "dropout",
    "pdrop",
    "rope_",
    "rotary",
    "_rope",
    "position",
    "alibi",
    "norm",
    "epsilon",
    "_eps",
    "init",
    "hidden_act",
    "activation",
    "bias",
    "use_cache",
    "transformers",
    "architectures",
    "auto_map",
    "_name_or_path",
    "attn_implementation",
    "torch",
    "quantization",
    "loss",
    "_coef",
    "jitter",
    "gate_",
    "scoring_func",
    "topk_",
    "n_group",
    "routed_scaling",
    "softcap",
    "scalar",
    "pretraining_tp",
    "summary_",
    "id2label",
    "label2id",
    "task_specific",
    "attention_multiplier",
    "scale_",
    "output_router",
    "problem_type",
];

/// Names that say nothing, as they are.
const NAMES: [&str; 29] = [
    "_attn_implementation_autoset",
    "apply_residual_connection_post_layernorm",
    "attention_softmax_in_fp32",
    "aux_loss_alpha",
    "clip_qkv",
    "do_layer_norm_before",
    "embedding_multiplier",
    "emb_pdrop",
    "eos_token_id",
    "ep_size",
    "hidden_activation",
    "is_decoder",
    "learned_pos_emb",
    "logits_scaling",
    "model_type",
    "moe_layer_freq",
    "n_ctx",
    "no_bias",
    "parallel_attn",
    "prefix",
    "query_pre_attn_scalar",
    "reorder_and_upcast_attn",
    "residual_multiplier",
    "seq_aux",
    "swiglu_limit",
    "tokenizer_class",
    "use_parallel_residual",
    "vision_feature_layer",
    "attn_logit_softcapping",
];

/// The names, a path where nested, in alphabetical order.
pub(super) fn unread(fields: &Fields<'_>) -> Vec<String> {
    let says = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let matters = |name: &str| {
        !fields.read.contains(name)
            && !NAMES.contains(&name)
            && !HARMLESS.iter().any(|part| name.contains(part))
    };
    let nested = !std::ptr::eq(fields.text, fields.whole);
    let of_text = if nested {
        let name = NESTED.into_iter().find(|name| fields.whole.get(*name).is_some_and(Value::is_object));
        format!("{}.", name.unwrap_or_default())
    } else {
        String::new()
    };
    let own = fields.text.iter().filter(|(name, value)| says(value) && matters(name));
    let mut unread: Vec<String> = own.map(|(name, _)| format!("{of_text}{name}")).collect();
    if nested {
        let others = fields
            .whole
            .iter()
            .filter(|(name, value)| says(value) && matters(name) && !NESTED.contains(&name.as_str()));
        unread.extend(others.map(|(name, _)| name.clone()));
    }
    unread.sort_unstable();
    unread
}
