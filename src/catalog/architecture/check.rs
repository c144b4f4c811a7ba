//! What is impossible, absurd or contradictory in what is given.

use super::{
    attention::{Kind, is_latent},
    fault::ShapeFault,
};
use crate::catalog::model::Architecture;

/// The most parameters that a model is believed to have.
pub(super) const MOST_PARAMS: f64 = 1e18;

/// All faults that show without deriving anything; the kind of attention when there are none.
pub(super) fn check(given: &Architecture) -> Result<Option<Kind>, Vec<ShapeFault>> {
    let mut faults = Vec::new();
    sizes(given, &mut faults);
    params(given, &mut faults);
    let kind = Kind::of(given).unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    heads(given, kind, &mut faults);
    experts(given, &mut faults);
    layers(given, &mut faults);
    if faults.is_empty() { Ok(kind) } else { Err(faults) }
}

/// Whole numbers between the least and the most that make sense.
fn sizes(given: &Architecture, faults: &mut Vec<ShapeFault>) {
    macro_rules! within {
        ($least:literal..=$most:literal: $($field:ident)+) => {$(
            if given.$field.is_some_and(|value| !($least..=$most).contains(&value)) {
                let detail = format!("must be from {} to {}", $least, $most);
                faults.push(ShapeFault::range(stringify!($field), detail));
            }
        )+};
    }
    within!(1..=10_000: num_layers moe_layer_freq);
    within!(0..=10_000: first_dense_layers sliding_window_layers full_attention_layers
        linear_attention_layers mtp_layers);
    within!(1..=10_000_000: hidden_size ffn_size moe_ffn_size);
    within!(0..=10_000_000: shared_ffn_size);
    within!(1..=1_000_000: num_heads num_kv_heads head_dim q_lora_rank kv_lora_rank qk_nope_head_dim
        qk_rope_head_dim v_head_dim);
    within!(1..=100_000_000: vocab_size);
    within!(1..=1_000_000_000: sliding_window sparse_attention_keys);
    within!(0..=1_000_000: num_experts experts_per_token num_shared_experts);
}

fn params(given: &Architecture, faults: &mut Vec<ShapeFault>) {
    for (field, value) in [("params_total", given.params_total), ("params_active", given.params_active)] {
        if value.is_some_and(|value| !(1.0..=MOST_PARAMS).contains(&value)) {
            faults.push(ShapeFault::range(field, format!("must be from 1 to {MOST_PARAMS:e}")));
        }
    }
    if let (Some(total), Some(active)) = (given.params_total, given.params_active)
        && active > total
    {
        let detail = format!("{active} active parameters are more than the {total} there are");
        faults.push(ShapeFault::contradiction("params_active", detail));
    }
}

fn heads(given: &Architecture, kind: Option<Kind>, faults: &mut Vec<ShapeFault>) {
    if is_latent(given, kind) {
        return; // its keys and values have sizes of their own
    }
    let Some(heads) = given.num_heads.filter(|heads| *heads > 0) else { return };
    if let Some(hidden) = given.hidden_size.filter(|hidden| hidden % heads != 0)
        && given.head_dim.is_none()
    {
        let detail = format!("{heads} heads do not divide a hidden size of {hidden}: give head_dim");
        faults.push(ShapeFault::contradiction("num_heads", detail));
    }
    let Some(shared) = given.num_kv_heads.filter(|shared| *shared > 0) else { return };
    if heads % shared != 0 {
        let detail = format!("{shared} key and value heads do not divide {heads} heads");
        faults.push(ShapeFault::contradiction("num_kv_heads", detail));
    }
    let wanted = match kind {
        Some(Kind::Mha) => Some(heads),
        Some(Kind::Mqa) => Some(1),
        _ => None,
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != shared) {
        let detail = format!("attention of that type has {wanted}, not {shared}");
        faults.push(ShapeFault::contradiction("num_kv_heads", detail));
    }
}

fn experts(given: &Architecture, faults: &mut Vec<ShapeFault>) {
    let experts = given.num_experts;
    match (experts, given.experts_per_token) {
        (Some(experts), Some(active)) if active > experts => {
            let detail = format!("{active} active experts are more than the {experts} there are");
            faults.push(ShapeFault::contradiction("experts_per_token", detail));
        }
        (None | Some(1..), Some(0)) => {
            faults.push(ShapeFault::range("experts_per_token", "a token visits one expert at least"));
        }
        _ => {}
    }
    let layers = given.num_layers.map(|layers| layers.saturating_sub(given.first_dense_layers.unwrap_or(0)));
    if let (Some(1..), Some(layers)) = (experts, layers)
        && layers / given.moe_layer_freq.unwrap_or(1).max(1) == 0
    {
        let detail = "no layer is left that has experts: see first_dense_layers and moe_layer_freq";
        faults.push(ShapeFault::contradiction("num_experts", detail));
    }
}

fn layers(given: &Architecture, faults: &mut Vec<ShapeFault>) {
    if given.sliding_window_layers.is_some_and(|layers| layers > 0) && given.sliding_window.is_none() {
        let detail = "what the windowed layers see is needed, in tokens";
        faults.push(ShapeFault::missing("sliding_window", detail));
    }
    let Some(layers) = given.num_layers else { return };
    if let Some(first) = given.first_dense_layers.filter(|first| *first > layers) {
        let detail = format!("{first} dense layers are more than the {layers} there are");
        faults.push(ShapeFault::contradiction("first_dense_layers", detail));
    }
    let of = |field: Option<u32>| u64::from(field.unwrap_or(0));
    let attending =
        of(given.sliding_window_layers) + of(given.full_attention_layers) + of(given.linear_attention_layers);
    if attending > u64::from(layers) {
        let detail =
            format!("{attending} full, windowed and linear layers are more than the {layers} there are");
        faults.push(ShapeFault::contradiction("full_attention_layers", detail));
    }
}
