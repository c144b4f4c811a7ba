//! Hours in which a teacher on the same hardware writes its samples.

use super::{steps::positive, work::Counted};
use crate::{
    catalog::architecture::Shape,
    estimate::{
        desk::{Desk, Sourced},
        figure::Figure,
        uncertain::Uncertain,
    },
};

/// No fewer of a divisor in any world.
const LEAST: f64 = 1e-6;

/// Bytes of a number in the cache, and of a weight: 16 bits.
const BYTES: f64 = 2.0;

/// What bounds how fast a machine writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Writer {
    /// Bytes of memory of one GPU that can be used.
    pub(crate) usable_bytes: f64,
    /// Bytes a second that one reads.
    pub(crate) bandwidth: f64,
    /// Dense BF16 peak of one, FLOP/s.
    pub(crate) peak: f64,
}

/// The most tokens a second that one GPU writes with full batches: `B / (g·t)`, where a step of `B` sequences on `g` GPUs takes
/// `t = max((W + B·K)/(g·w), B·f/(g·P))` seconds.
///
/// - `W`: bytes of the weights, all experts, in 16 bits; `g`: GPUs whose memory is twice that
/// - `K`: bytes of the cache of one sequence, half of `length` in the mean; `B`: as many as fit beside the weights
/// - `w`, `P`: memory bandwidth and dense peak of one GPU; `f`: [`Shape::decode_flops_per_token`] at half of `length`
///
/// A bound, not an estimate: prompts, batches that are not full and the longest answer are left out. None where a
/// figure of the part is zero. Source: Pope et al. 2022, arXiv:2211.05102, section 2.
#[must_use]
pub(crate) fn roofline(shape: &Shape, writer: Writer, length: f64) -> Option<f64> {
    let Writer { usable_bytes, bandwidth, peak } = writer;
    let context = (length / 2.0).max(1.0);
    let weights = BYTES * shape.total_params;
    let gpus = (2.0 * weights / usable_bytes).ceil().max(1.0);
    let cache = shape.kv_bytes_per_token(BYTES, context) * context + shape.state_bytes_per_sequence(BYTES);
    let sequences = ((gpus * usable_bytes - weights) / cache).floor().max(1.0);
    let read = (weights + sequences * cache) / (gpus * bandwidth);
    let computed = sequences * shape.decode_flops_per_token(context) / (gpus * peak);
    let speed = sequences / (gpus * read.max(computed));
    Some(speed).filter(|speed| speed.is_finite() && *speed > 0.0)
}

/// The hours of one GPU for so many tokens at a speed that is given, or else at what engines get of the [`roofline`]
/// (`training.generation.efficiency`: prompts, batches that are not full and the tail included).
///
/// `place` is where the teacher stands in the item; none, where a figure is out of range or lacking.
pub(crate) fn hours<'a>(
    desk: &mut Desk<'a, '_>,
    place: &str,
    given: Option<Figure>,
    tokens: &Counted<'a>,
    roofline: Option<f64>,
) -> Option<Counted<'a>> {
    if given.is_some() {
        let name = "output_tokens_per_second_per_gpu";
        let speed = positive(desk, place, name, given, "token/s").ok()??;
        let gpu_hours = Counted {
            value: &tokens.value.times(1.0 / 3600.0) / &speed.value,
            formula: "tokens / (3600 * output_tokens_per_second_per_gpu)",
            inputs: vec![("tokens", tokens.sourced("token")), (name, speed)],
        };
        return Some(gpu_hours);
    }
    let efficiency = desk.assumption("training.generation.efficiency")?;
    let bounded = efficiency.value.map(|share| share.clamp(LEAST, 1.0));
    let roofline = Sourced::derived(Uncertain::exact(roofline?), "token/s");
    let gpu_hours = Counted {
        value: &tokens.value.times(1.0 / 3600.0) / &(&bounded * &roofline.value),
        formula: "tokens / (3600 * roofline_tokens_per_second_per_gpu * generation_efficiency)",
        inputs: vec![
            ("tokens", tokens.sourced("token")),
            ("roofline_tokens_per_second_per_gpu", roofline),
            ("generation_efficiency", efficiency),
        ],
    };
    Some(gpu_hours)
}
