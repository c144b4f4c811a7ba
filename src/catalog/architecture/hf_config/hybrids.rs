//! Families with layers of another kind between those with attention: their parameters are counted here, since
//! the sizes of such layers have no place among the fields of an architecture.

use super::fields::Fields;
use crate::catalog::model::Architecture;

/// Adds the layers of a hybrid, and what it counts.
pub(super) fn read(fields: &mut Fields<'_>, model_type: &str, read: &mut Architecture) {
    match model_type {
        "qwen3_next" | "qwen3_5" | "qwen3_5_text" | "qwen3_5_moe" | "qwen3_5_moe_text" => {
            delta_net(fields, read);
        }
        "jamba" => jamba(fields, read),
        _ => {}
    }
}

/// Sizes that both have, as numbers.
struct Sizes {
    layers: f64,
    hidden: f64,
    ends: f64,
    /// One layer of full attention, without a gate.
    full: f64,
    /// Query heads times their width.
    queries: f64,
}

impl Sizes {
    fn of(read: &Architecture) -> Option<Self> {
        let hidden = f64::from(read.hidden_size?);
        let heads = f64::from(read.num_heads?);
        let width = read.head_dim.map_or(hidden / heads, f64::from);
        let shared = f64::from(read.num_kv_heads?);
        let ends = if read.tied_embeddings == Some(true) { 1.0 } else { 2.0 };
        Some(Self {
            layers: f64::from(read.num_layers?),
            hidden,
            ends: ends * hidden * f64::from(read.vocab_size?),
            full: 2.0 * hidden * width * (heads + shared),
            queries: heads * width,
        })
    }
}

/// Qwen3-Next and Qwen3.5: gated `DeltaNet` in three of four layers, gated attention in the fourth.
fn delta_net(fields: &mut Fields<'_>, read: &mut Architecture) {
    let every = fields.count(&["full_attention_interval"]).unwrap_or(4);
    let key_heads = fields.count(&["linear_num_key_heads"]);
    let value_heads = fields.count(&["linear_num_value_heads"]);
    let key_width = fields.count(&["linear_key_head_dim"]).unwrap_or(128);
    let value_width = fields.count(&["linear_value_head_dim"]).unwrap_or(128);
    let kernel = f64::from(fields.count(&["linear_conv_kernel_dim"]).unwrap_or(4));
    let _ = fields.flag(&["attn_output_gate"]); // always there: it is counted below
    read.attention_type = Some("hybrid_linear".to_owned());
    let (Some(key_heads), Some(value_heads)) = (key_heads, value_heads) else {
        fields.missing(if key_heads.is_none() { "linear_num_key_heads" } else { "linear_num_value_heads" });
        return;
    };
    let (Some(sizes), Some(layers)) = (Sizes::of(read), read.num_layers) else { return };
    let full = read.full_attention_layers.unwrap_or(layers / every);
    let linear = read.linear_attention_layers.unwrap_or(layers.saturating_sub(full));
    (read.full_attention_layers, read.linear_attention_layers) = (Some(full), Some(linear));
    let keys = f64::from(key_heads) * f64::from(key_width);
    let values = f64::from(value_heads) * f64::from(value_width);
    let mixer = sizes.hidden * (2.0 * keys + 2.0 * values + 2.0 * f64::from(value_heads))
        + kernel * (2.0 * keys + values)
        + values * sizes.hidden;
    let gated = sizes.full + sizes.hidden * sizes.queries;
    let body = sizes.ends + f64::from(full) * gated + f64::from(linear) * mixer;
    let (all, used) = feed_forward(read, &sizes, sizes.layers);
    (read.params_total, read.params_active) = (Some(body + all), Some(body + used));
}

/// Feed-forward parameters of all layers, of which so many have experts: in all, and those one token uses.
fn feed_forward(read: &Architecture, sizes: &Sizes, with_experts: f64) -> (f64, f64) {
    let of = |count: Option<u32>| count.map_or(0.0, f64::from);
    let (experts, active, shared) =
        (of(read.num_experts), of(read.experts_per_token), of(read.num_shared_experts));
    let of_width = |width: f64| 3.0 * sizes.hidden * width;
    if experts == 0.0 {
        let all = sizes.layers * of_width(of(read.ffn_size));
        return (all, all);
    }
    let expert = of_width(of(read.moe_ffn_size));
    let shared = shared * of_width(of(read.shared_ffn_size.or(read.moe_ffn_size))) + sizes.hidden * experts;
    let dense = (sizes.layers - with_experts) * of_width(of(read.ffn_size.or(read.moe_ffn_size)));
    (with_experts * (experts * expert + shared) + dense, with_experts * (active * expert + shared) + dense)
}

/// Jamba: attention in one of eight layers, Mamba in the others; experts in every second (arXiv:2403.19887).
fn jamba(fields: &mut Fields<'_>, read: &mut Architecture) {
    let period = fields.count(&["attn_layer_period"]).unwrap_or(8);
    let _ = fields.count(&["attn_layer_offset"]);
    let every = fields.count(&["expert_layer_period"]).unwrap_or(2);
    let _ = fields.count(&["expert_layer_offset"]);
    let expand = f64::from(fields.count(&["mamba_expand"]).unwrap_or(2));
    let state = f64::from(fields.count(&["mamba_d_state"]).unwrap_or(16));
    let kernel = f64::from(fields.count(&["mamba_d_conv"]).unwrap_or(4));
    let rank = fields.count(&["mamba_dt_rank"]);
    read.attention_type = Some("hybrid_mamba".to_owned());
    let (Some(sizes), Some(layers)) = (Sizes::of(read), read.num_layers) else { return };
    let full = layers / period;
    (read.full_attention_layers, read.linear_attention_layers) = (Some(full), Some(layers - full));
    let inner = expand * sizes.hidden;
    let rank = rank.map_or((sizes.hidden / 16.0).ceil(), f64::from);
    let mixer = sizes.hidden * 2.0 * inner
        + inner * (kernel + rank + 2.0 * state)
        + rank * inner
        + inner * state
        + inner * sizes.hidden;
    let body = sizes.ends + f64::from(full) * sizes.full + f64::from(layers - full) * mixer;
    let (all, used) = feed_forward(read, &sizes, f64::from(layers / every));
    read.moe_layer_freq = read.num_experts.map(|_| every);
    read.ffn_size = read.ffn_size.or(read.moe_ffn_size); // its dense layers are as wide as an expert
    (read.params_total, read.params_active) = (Some(body + all), Some(body + used));
}
