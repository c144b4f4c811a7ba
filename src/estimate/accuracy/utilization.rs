//! Runs whose own utilisation is published: from that to their hours, by the usual goodput.

use jiff::Timestamp;

use super::{
    answer::{UtilizationScore, UtilizationScores, digits, percent},
    rows::{Data, Run},
    scores::{Off, score},
};
use crate::{
    catalog::{architecture::Mask, published_run::MfuCounts, snapshot::View},
    estimate::training::prior::gpu_hours,
};

/// Model FLOPs by hardware FLOPs, where all activations are computed again.
const RECOMPUTED: f64 = 3.0 / 4.0;

/// The row that says which share of a run's hours its steady steps are.
const GOODPUT: &str = "training.goodput";

/// What is published of a run's steady steps.
struct Published {
    figure: &'static str,
    value: f64,
    /// Causal model FLOPs over the dense BF16 peak.
    mfu: f64,
}

/// Runs with a utilisation of their own, each against its hours; none where no row says what goodput is.
pub(super) fn scores<'s>(view: View<'s>, data: &Data<'s>, at: Timestamp) -> UtilizationScores<'s> {
    let Some(goodput) = view.assumption(GOODPUT, at).map(|row| row.row.mid) else {
        return UtilizationScores::default();
    };
    let one = |run: &Run<'s>| {
        let Published { figure, value, mfu } = published(run)?;
        let goodput = if run.is_benchmark() { 1.0 } else { goodput };
        let predicted = gpu_hours(run.flops, run.part.reference_peak, mfu * goodput);
        Some(UtilizationScore {
            id: &run.row.id,
            name: &run.row.name,
            published: figure,
            value: digits(value),
            counts: run.row.mfu_counts.filter(|_| figure != TOKENS),
            mfu: digits(mfu),
            goodput,
            actual_gpu_hours: digits(run.hours),
            predicted_gpu_hours: digits(predicted),
            error_percent: percent(predicted / run.hours - 1.0),
        })
    };
    let scored: Vec<_> = data.runs.iter().filter_map(one).collect();
    let off = |row: &UtilizationScore<'_>| Off { error: row.error_percent, inside: None };
    let of_mfu = scored.iter().filter(|row| row.published != TOKENS);
    UtilizationScores {
        summary: score(scored.iter().map(off)),
        without_token_speeds: score(of_mfu.map(off)),
        scored,
    }
}

const TOKENS: &str = "tokens_per_second_per_gpu";

fn published(run: &Run<'_>) -> Option<Published> {
    let row = run.row;
    let tflops = row.published_tflops_per_gpu.map(|tflops| tflops * 1e12 / run.part.reference_peak);
    let counted = match row.mfu_counts {
        Some(MfuCounts::Hardware) => None,
        _ => row.published_mfu.map(|mfu| ("mfu", mfu, mfu)),
    };
    let counted =
        counted.or(row.published_tflops_per_gpu.zip(tflops).map(|(value, mfu)| ("tflops", value, mfu)));
    if let Some(((figure, value, mfu), counts)) = counted.zip(row.mfu_counts) {
        let factor = match counts {
            MfuCounts::Causal => 1.0,
            MfuCounts::NonCausal => 1.0 / non_causal(run),
            MfuCounts::Hardware => RECOMPUTED / non_causal(run),
        };
        return Some(Published { figure, value, mfu: mfu * factor });
    }
    let value = row.tokens_per_second_per_gpu?;
    let flops = run.shape.training_flops_counting(run.sequence, Mask::Causal);
    Some(Published { figure: TOKENS, value, mfu: value * flops / run.part.reference_peak })
}

fn non_causal(run: &Run<'_>) -> f64 {
    run.shape.non_causal_over_causal(run.sequence)
}
