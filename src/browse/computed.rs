//! What a model's shape comes to: parameters, FLOPs and cache, counted anew for whoever asks.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use crate::catalog::{
    architecture::{Assumed, Parts, Shape},
    model::Architecture,
};

/// The usual length that FLOPs are told for, in tokens.
pub const USUAL_LENGTH: u64 = 4096;

/// The longest that may be asked about.
pub const LONGEST: u64 = 1_000_000_000;

/// What a shape comes to.
#[derive(Debug, Serialize, ToSchema)]
pub struct Computed {
    /// Parameters in all: the catalog's where it has them, else counted from the sizes.
    #[schema(example = 671_026_279_424_u64)]
    pub total_params: f64,
    /// Parameters that one token uses.
    #[schema(example = 37_552_157_696_u64)]
    pub active_params: f64,
    /// Active parameters that are multiplied with: without the look-up of the input embedding.
    #[schema(example = 36_625_456_898_u64)]
    pub matmul_params: f64,
    /// Parameters in all, counted from the sizes alone.
    #[schema(example = 671_026_279_424_u64)]
    pub counted_params: f64,
    /// The parameters in all by part.
    pub by_part: ParamsByPart,
    /// The length that the figures below are for, in tokens.
    #[schema(example = 4096)]
    pub sequence_length: u64,
    /// FLOPs of one token on its way forward, causal, in the mean over a sequence of that length.
    #[schema(example = 83_485_015_557_u64)]
    pub forward_flops_per_token: f64,
    /// FLOPs to train on one token of such a sequence: three times that.
    #[schema(example = 250_455_046_671_u64)]
    pub training_flops_per_token: f64,
    /// FLOPs that predicting further tokens adds to that, where the model is trained to.
    #[schema(example = 9_574_745_919_u64)]
    pub mtp_flops_per_token: f64,
    /// FLOPs of the token that follows a context of that length.
    #[schema(example = 142_842_805_765_u64)]
    pub decode_flops_per_token: f64,
    /// Bytes that the cache keeps per token of such a context, in BF16.
    #[schema(example = 70_272)]
    pub kv_cache_bytes_per_token: f64,
    /// What the shape leaves out, and what was taken instead.
    pub assumed: Vec<AssumedField>,
}

/// Parameters by part.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParamsByPart {
    /// The input embeddings; with tied embeddings the output head, too.
    #[schema(example = 926_679_040_u64)]
    pub embeddings: f64,
    /// The output head; 0 where it is the input embeddings.
    #[schema(example = 926_679_040_u64)]
    pub output_head: f64,
    /// Attention, and what hybrids have in its place.
    #[schema(example = 11_413_422_080_u64)]
    pub attention: f64,
    /// Feed-forward layers without experts.
    #[schema(example = 1_189_085_184_u64)]
    pub dense_ffn: f64,
    /// Routed experts.
    #[schema(example = 653_908_770_816_u64)]
    pub routed_experts: f64,
    /// Shared experts.
    #[schema(example = 2_554_331_136_u64)]
    pub shared_experts: f64,
    /// What chooses the experts.
    #[schema(example = 106_430_464)]
    pub router: f64,
}

/// Something that a shape leaves out, and what was taken instead.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssumedField {
    /// The field of the architecture.
    #[schema(example = "vocab_size")]
    pub field: &'static str,
    /// The value used; 1 and 0 for yes and no.
    #[schema(example = 50_545)]
    pub value: f64,
    /// How it was come by.
    #[schema(value_type = String, example = "what params_total leaves for it")]
    pub how: Cow<'static, str>,
}

impl Computed {
    /// What a shape comes to at a length, or why that cannot be told.
    ///
    /// # Errors
    /// A sentence on what is missing or wrong.
    pub fn of(given: &Architecture, sequence_length: u64) -> Result<Self, String> {
        let shape = Shape::of(given).map_err(|faults| {
            let said = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.detail));
            said.collect::<Vec<_>>().join("; ")
        })?;
        let length = f64::from(u32::try_from(sequence_length.min(LONGEST)).unwrap_or(u32::MAX));
        Ok(Self {
            total_params: shape.total_params,
            active_params: shape.active_params,
            matmul_params: shape.matmul_params,
            counted_params: shape.counted_total,
            by_part: shape.parts.into(),
            sequence_length,
            forward_flops_per_token: shape.forward_flops_per_token(length),
            training_flops_per_token: shape.training_flops_per_token(length),
            mtp_flops_per_token: shape.mtp_flops_per_token(length),
            decode_flops_per_token: shape.decode_flops_per_token(length),
            kv_cache_bytes_per_token: shape.kv_bytes_per_token(2.0, length),
            assumed: shape.assumed.into_iter().map(AssumedField::from).collect(),
        })
    }
}

impl From<Parts> for ParamsByPart {
    fn from(parts: Parts) -> Self {
        let Parts { embeddings, output_head, attention, dense_ffn, routed_experts, shared_experts, router } =
            parts;
        Self { embeddings, output_head, attention, dense_ffn, routed_experts, shared_experts, router }
    }
}

impl From<Assumed> for AssumedField {
    fn from(Assumed { field, value, how }: Assumed) -> Self {
        Self { field, value, how }
    }
}
