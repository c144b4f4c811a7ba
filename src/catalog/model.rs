//! An AI model and, where it is known, its shape.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::ModelId;

/// A model, whoever sells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Lower-case name.
    #[schema(value_type = String, example = "deepseek-v3")]
    pub id: ModelId,
    /// The name its developer gave it.
    #[schema(example = "DeepSeek-V3")]
    pub name: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "DeepSeek")]
    pub developer: Option<String>,
    /// The line of models it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "deepseek-v3")]
    pub family: Option<String>,
    /// The day it came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2024-12-26")]
    pub released: Option<Date>,
    /// Terms of its weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "MIT")]
    pub license: Option<String>,
    /// `general`, `reasoning`, `multimodal`, `embedding`, `image`, `speech`, ...; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "general")]
    pub class: Option<String>,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["deepseek-ai/DeepSeek-V3"]))]
    pub aliases: Vec<String>,
    /// Its shape, where published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// URL or citation; null: none is known.
    #[schema(example = "https://arxiv.org/abs/2412.19437")]
    pub source: Option<String>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-11-23")]
    pub observed_at: Date,
}

macro_rules! architecture {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $example:expr;)+) => {
        /// The shape of a transformer (or of its relatives). What is absent is unknown, never zero.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct Architecture {$(
            $(#[doc = $doc])+
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schema(example = $example)]
            pub $field: Option<$type>,
        )+}

        impl Architecture {
            /// This, and of another what this leaves out.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {$($field: self.$field.or(other.$field),)+}
            }
        }
    };
}

architecture! {
    /// Name on Hugging Face.
    hf_id: String = "deepseek-ai/DeepSeek-V3";
    /// `MHA`, `GQA`, `MQA`, `MLA`, `hybrid_linear`, `hybrid_mamba`, `hybrid_compressed`.
    attention_type: String = "MLA";
    /// Transformer layers.
    num_layers: u32 = 61;
    /// Width of the residual stream.
    hidden_size: u32 = 7168;
    /// Query heads.
    num_heads: u32 = 128;
    /// Key and value heads.
    num_kv_heads: u32 = 128;
    /// Width of a head.
    head_dim: u32 = 128;
    /// MLA: rank of the compressed queries.
    q_lora_rank: u32 = 1536;
    /// MLA: rank of the compressed keys and values.
    kv_lora_rank: u32 = 512;
    /// MLA: width of a head without position.
    qk_nope_head_dim: u32 = 128;
    /// MLA: width of a head with rotary position.
    qk_rope_head_dim: u32 = 64;
    /// MLA: width of a value head.
    v_head_dim: u32 = 128;
    /// Width of the dense feed-forward layers.
    ffn_size: u32 = 18432;
    /// Whether the feed-forward layers have three matrices (gated) or two.
    ffn_gated: bool = true;
    /// Entries in the vocabulary.
    vocab_size: u32 = 129_280;
    /// Whether input and output embeddings are one matrix.
    tied_embeddings: bool = false;
    /// Routed experts of a mixture-of-experts layer.
    num_experts: u32 = 256;
    /// Routed experts that a token visits.
    experts_per_token: u32 = 8;
    /// Experts that every token visits.
    num_shared_experts: u32 = 1;
    /// Width of one routed expert.
    moe_ffn_size: u32 = 2048;
    /// Width of one shared expert; absent: as a routed one.
    shared_ffn_size: u32 = 2048;
    /// Dense layers before the first mixture-of-experts layer.
    first_dense_layers: u32 = 3;
    /// A mixture-of-experts layer every so many layers.
    moe_layer_freq: u32 = 1;
    /// Longest context, in tokens.
    context_length: u64 = 163_840;
    /// Tokens that a windowed layer sees.
    sliding_window: u32 = 4096;
    /// How many layers are windowed.
    sliding_window_layers: u32 = 32;
    /// Layers that pay the quadratic term.
    full_attention_layers: u32 = 61;
    /// Layers with linear attention or a state space.
    linear_attention_layers: u32 = 0;
    /// Keys that sparse attention keeps of a context, chosen by an indexer; absent: all.
    sparse_attention_keys: u32 = 2048;
    /// Multi-token-prediction layers.
    mtp_layers: u32 = 1;
    /// Precision the weights were released in.
    dtype_released: String = "fp8";
    /// Parameters in all, the figure to use.
    params_total: f64 = 671_026_279_424_u64;
    /// Parameters that one token uses, the figure to use.
    params_active: f64 = 37_552_157_696_u64;
    /// Parameters in all, as the vendor rounds them.
    params_total_published: f64 = 671_000_000_000_u64;
    /// Parameters that one token uses, as the vendor rounds them.
    params_active_published: f64 = 37_000_000_000_u64;
    /// Parameters in all, counted from the shape.
    params_total_computed: f64 = 671_026_279_424_u64;
    /// Parameters that one token uses, counted from the shape.
    params_active_computed: f64 = 37_552_157_696_u64;
    /// Relative difference of the two counts.
    params_check_rel_err: f64 = 0.0;
    /// How the shape was checked.
    verification: String = "config_file";
    /// Doubts and remarks.
    notes: String = "values of the model's own configuration";
}
