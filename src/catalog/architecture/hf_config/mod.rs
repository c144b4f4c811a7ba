//! Reading the `config.json` that comes with a model's weights on Hugging Face. Nothing is fetched.
//!
//! [`read`] knows the common model types by what their configurations leave unsaid (`families`); one it does
//! not know is read by the common names of fields, if these suffice. Fields that were not read and could
//! matter are named.

mod families;
mod fields;
mod hybrids;
mod unread;

use serde_json::Value;

use self::{
    families::{Experts, Family, Windows},
    fields::Fields,
};
use super::fault::{FaultOf, ShapeFault};
use crate::catalog::model::Architecture;

/// The shape that a configuration describes, and the names of the fields that were not read and could matter.
///
/// A model of several modalities is read by its `text_config`: the others are not counted.
///
/// # Errors
/// What is missing, of another type, or of a kind whose layers these fields do not describe. Faults name the
/// fields of the configuration.
///
/// ```
/// # use farthing::catalog::architecture::{Shape, hf_config};
/// let config = serde_json::json!({
///     "model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32,
///     "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256, "mlp_bias": false
/// });
/// let (architecture, unread) = hf_config::read(&config).unwrap();
/// let shape = Shape::of(&architecture).unwrap();
/// assert!((shape.total_params / 8.03e9 - 1.0).abs() < 0.01 && unread.is_empty());
/// ```
pub fn read(config: &Value) -> Result<(Architecture, Vec<String>), Vec<ShapeFault>> {
    let mut fields = Fields::of(config).map_err(|fault| vec![fault])?;
    let model_type = fields.text(&["model_type"]).unwrap_or_default();
    if families::REFUSED.contains(&model_type) {
        let detail =
            format!("the layers of `{model_type}` are not described by these fields: give params_total");
        fields.fault("model_type", FaultOf::Range, detail);
        return Err(fields.faults);
    }
    let family = Family::of(model_type);
    let mut read = common(&mut fields, &family);
    feed_forward(&mut fields, &family, &mut read);
    windows(&mut fields, &family, &mut read);
    hybrids::read(&mut fields, model_type, &mut read);
    needed(&mut fields, &read);
    if fields.faults.is_empty() {
        let unread = unread::unread(&fields);
        Ok((read, unread))
    } else {
        Err(fields.faults)
    }
}

/// What configurations of all families have, by whatever name.
fn common(fields: &mut Fields<'_>, family: &Family) -> Architecture {
    let hidden = fields.count(&["hidden_size", "n_embd", "d_model"]);
    let heads = fields.count(&["num_attention_heads", "n_head", "n_heads", "num_heads"]).or(family.heads);
    let kv_lora_rank = fields.count(&["kv_lora_rank"]);
    let latent = kv_lora_rank.is_some();
    let kv_heads = kv_heads(fields, family, heads);
    Architecture {
        attention_type: latent.then(|| "MLA".to_owned()),
        num_layers: fields.count(&["num_hidden_layers", "n_layer", "n_layers", "num_layers"]),
        hidden_size: hidden,
        num_heads: heads,
        num_kv_heads: kv_heads.filter(|_| !latent),
        head_dim: fields.count(&["head_dim"]).or(family.head_dim).filter(|_| !latent),
        q_lora_rank: fields.count(&["q_lora_rank"]),
        kv_lora_rank,
        qk_nope_head_dim: fields.count(&["qk_nope_head_dim"]),
        qk_rope_head_dim: fields.count(&["qk_rope_head_dim"]),
        v_head_dim: fields.count(&["v_head_dim"]),
        ffn_gated: Some(family.gated),
        vocab_size: fields.count(&["vocab_size", "padded_vocab_size"]).or(family.vocab),
        tied_embeddings: Some(fields.flag(&["tie_word_embeddings"]).unwrap_or(family.tied)),
        context_length: fields
            .count(&["max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "n_ctx"])
            .map(u64::from),
        sparse_attention_keys: fields.count(&["index_topk"]),
        mtp_layers: fields.count(&["num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules"]),
        dtype_released: dtype(fields),
        ..Architecture::default()
    }
}

/// Key and value heads, which older families say in words of their own; as many as heads where nothing is said.
fn kv_heads(fields: &mut Fields<'_>, family: &Family, heads: Option<u32>) -> Option<u32> {
    let said = fields.count(&["num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num"]);
    let nested = fields.within("attn_config", "kv_n_heads");
    let one = fields.flag(&["multi_query"]).unwrap_or(false)
        && !fields.flag(&["new_decoder_architecture"]).unwrap_or(false);
    if one { Some(1) } else { said.or(nested).or(family.kv_heads).or(heads) }
}

fn dtype(fields: &mut Fields<'_>) -> Option<String> {
    let said = fields.text(&["torch_dtype", "dtype"]);
    let quantised = fields.text_within("quantization_config", "quant_method");
    let name = match (quantised, said?) {
        (Some(method @ ("fp8" | "mxfp4")), _) => method,
        (_, "bfloat16") => "bf16",
        (_, "float16") => "fp16",
        (_, "float32") => "fp32",
        (_, other) => other,
    };
    Some(name.to_owned())
}

/// Feed-forward layers, with experts or without.
fn feed_forward(fields: &mut Fields<'_>, family: &Family, read: &mut Architecture) {
    let names = ["intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"];
    let width = fields.count(&names).or_else(|| {
        let times = fields.count(&["expansion_ratio"]).or(family.ffn_times)?;
        times.checked_mul(read.hidden_size?)
    });
    let experts = ["num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"];
    let nested = |fields: &mut Fields<'_>, name| fields.within("ffn_config", name);
    let experts = fields.count(&experts).or_else(|| nested(fields, "moe_num_experts"));
    let active = fields
        .count(&[
            "num_experts_per_tok",
            "num_experts_per_token",
            "experts_per_token",
            "moe_top_k",
            "moe_topk",
        ])
        .or_else(|| nested(fields, "moe_top_k"));
    let own = fields
        .count(&["moe_intermediate_size", "expert_ffn_hidden_size"])
        .or_else(|| nested(fields, "ffn_hidden_size"));
    if experts.is_none_or(|experts| experts <= 1) {
        read.ffn_size = width;
        return;
    }
    read.num_experts = experts;
    read.experts_per_token = active;
    let shared = fields.count(&["n_shared_experts", "num_shared_experts", "num_shared_expert"]);
    let shared_width = fields.count(&["shared_expert_intermediate_size", "shared_intermediate_size"]);
    match family.experts {
        Experts::OfTheirOwnWidth => {
            read.ffn_size = width;
            read.moe_ffn_size = own;
        }
        Experts::OfTheCommonWidth => read.moe_ffn_size = own.or(width),
        Experts::BesideDense => {
            read.moe_ffn_size = width;
            read.ffn_size = fields.count(&["intermediate_size_mlp"]);
        }
    }
    let usual = if shared_width.is_some() { 1 } else { family.shared_experts };
    read.num_shared_experts = Some(shared.unwrap_or(usual));
    read.shared_ffn_size = shared_width;
    read.first_dense_layers = fields.count_or_none(&["first_k_dense_replace"]);
    read.moe_layer_freq =
        fields.count_or_none(&["moe_layer_freq", "decoder_sparse_step", "interleave_moe_layer_step"]);
    if read.moe_ffn_size.is_none() {
        fields.missing("moe_intermediate_size");
    }
    if active.is_none() {
        fields.missing("num_experts_per_tok");
    }
}

/// Which layers see how far back: as `layer_types` lists them, or as the family has it.
fn windows(fields: &mut Fields<'_>, family: &Family, read: &mut Architecture) {
    let window = fields.count(&["sliding_window", "attention_chunk_size"]);
    let off = fields.flag(&["use_sliding_window"]) == Some(false);
    let listed = fields.layer_types();
    let Some(layers) = read.num_layers else { return };
    let usual = usually_windowed(fields, family, layers);
    let listed = listed.map(|types| {
        let of = |kinds: &[&str]| {
            u32::try_from(types.iter().filter(|kind| kinds.contains(kind)).count()).unwrap_or(u32::MAX)
        };
        (of(&["sliding_attention", "chunked_attention"]), of(&["linear_attention"]), of(&["full_attention"]))
    });
    if let Some((_, linear @ 1.., full)) = listed {
        (read.linear_attention_layers, read.full_attention_layers) = (Some(linear), Some(full));
    }
    let windowed = listed.map_or(usual, |(windowed, ..)| windowed);
    if let (Some(window), false, 1..) = (window, off, windowed) {
        (read.sliding_window, read.sliding_window_layers) = (Some(window), Some(windowed));
    }
}

/// How many layers a family windows when `layer_types` does not list them.
fn usually_windowed(fields: &mut Fields<'_>, family: &Family, layers: u32) -> u32 {
    let every = fields.count(&["sliding_window_pattern", "_sliding_window_pattern"]);
    let from = fields.count(&["max_window_layers"]);
    let with_position = fields.list(&["no_rope_layers"]).map(|list| {
        let marked = list.iter().filter(|mark| mark.as_u64() == Some(1)).count(); // 1 where there is a position
        u32::try_from(marked).unwrap_or(layers)
    });
    match family.windows {
        Windows::Ignored => 0,
        Windows::Everywhere => layers,
        Windows::ButEvery(usual) => layers - layers / every.unwrap_or(usual).max(1),
        Windows::FromLayer => layers.saturating_sub(from.unwrap_or(layers)),
        Windows::WherePositions => with_position.filter(|count| *count > 0).unwrap_or(layers - layers / 4),
    }
}

/// The fields without which there is no shape.
fn needed(fields: &mut Fields<'_>, read: &Architecture) {
    let width = read.ffn_size.or(read.moe_ffn_size);
    let needed = [
        ("num_hidden_layers", read.num_layers),
        ("hidden_size", read.hidden_size),
        ("num_attention_heads", read.num_heads),
        ("intermediate_size", width),
        ("vocab_size", read.vocab_size),
    ];
    for (name, value) in needed {
        if value.is_none() {
            fields.missing(name);
        }
    }
}
