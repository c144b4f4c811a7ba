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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::estimate::training::testing::{at_desk, dense, shape};

    const H800: Writer = Writer { usable_bytes: 72e9, bandwidth: 3.35e12, peak: 989.4e12 };

    fn tokens(count: f64) -> Counted<'static> {
        Counted { value: Uncertain::exact(count), formula: "tokens", inputs: Vec::new() }
    }

    fn figure(number: f64) -> Figure {
        serde_json::from_value(json!(number)).unwrap()
    }

    /// deepseek-ai/open-infra-index, day 6: 14,800 tokens/s written by a node of eight, contexts of 5,000 tokens in the mean.
    #[test]
    fn deepseeks_own_speed_is_within_the_range() {
        let bound = roofline(&shape("deepseek-v3"), H800, 10_000.0);
        assert!(bound.is_some_and(|bound| bound > 1_850.0), "{bound:?}");
        let (hours, faults) = at_desk(|desk| hours(desk, "/stages/0/teacher", None, &tokens(3.6e9), bound));
        assert_eq!(faults, []);
        let (low, high) = hours.unwrap().value.range().unwrap();
        assert!((low..=high).contains(&(1e6 / 1_850.0)), "{low} {high}");
    }

    #[test]
    fn a_speed_that_is_given_is_used_as_it_stands() {
        let (hours, _) = at_desk(|desk| hours(desk, "/t", Some(figure(1000.0)), &tokens(3.6e9), None));
        let hours = hours.unwrap().value;
        assert!(hours.is_exact() && (hours.mid() - 1000.0).abs() < 1e-9, "{hours:?}");
        let (none, faults) =
            at_desk(|desk| super::hours(desk, "/t", Some(figure(0.0)), &tokens(3.6e9), None));
        assert!(none.is_none());
        assert_eq!(faults[0].pointer, "/t/output_tokens_per_second_per_gpu");
    }

    #[test]
    fn a_part_without_bandwidth_has_no_roofline() {
        assert_eq!(roofline(&dense(7e9), Writer { bandwidth: 0.0, ..H800 }, 1000.0), None);
        assert_eq!(roofline(&dense(7e9), Writer { usable_bytes: 0.0, ..H800 }, 1000.0), None);
    }

    proptest! {
        #[test]
        fn twice_the_bandwidth_and_peak_write_twice_as_fast(params in 1e8..1e12_f64, length in 16.0..1e5_f64) {
            let speed = |factor| {
                let writer = Writer { bandwidth: H800.bandwidth * factor, peak: H800.peak * factor, ..H800 };
                roofline(&dense(params), writer, length).unwrap()
            };
            prop_assert!((speed(2.0) / speed(1.0) - 2.0).abs() < 1e-9);
        }

        #[test]
        fn no_part_writes_more_than_its_peak_computes(
            params in 1e6..1e13_f64, length in 0.0..1e18_f64, usable_bytes in 0.0..1e13_f64, bandwidth in 0.0..1e14_f64,
        ) {
            let writer = Writer { usable_bytes, bandwidth, peak: H800.peak };
            let model = dense(params);
            if let Some(speed) = roofline(&model, writer, length) {
                prop_assert!(speed <= H800.peak / (2.0 * model.matmul_params) * (1.0 + 1e-9));
            }
        }
    }
}
