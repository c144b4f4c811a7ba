//! Published speeds of serving against the engine.

use jiff::Timestamp;

use super::{
    answer::{GroupScore, Score, digits, percent},
    scores::{Off, rank_correlation, score},
    serving_answer::{ServingScore, ServingScores, UnscoredSpeed},
};
use crate::{
    catalog::{published_throughput::PublishedThroughput, snapshot::View},
    estimate::serving::published::{HeldOut, Lacking, Prediction, Published},
};

/// All published speeds that a view knows, each from factors that have not seen its accelerator, or family.
pub(super) fn scores(view: View<'_>, at: Timestamp) -> ServingScores<'_> {
    let predicted = match Published::read(view, at).predicted(view, at) {
        Ok(predicted) => predicted,
        Err(Lacking(lacking)) => {
            return ServingScores { not_scored: unscored(&lacking), ..ServingScores::default() };
        }
    };
    let held_out = predicted.held_out();
    let scored: Vec<_> = held_out.iter().map(|held| one(view, held, at)).collect();
    let headline = || held_out.iter().zip(&scored).filter(|(held, _)| held.row.regime.is_fitted());
    let rows: Vec<_> = headline().map(|(_, row)| row).collect();
    let others: Vec<_> = held_out
        .iter()
        .zip(&scored)
        .filter(|(held, _)| !held.row.regime.is_fitted())
        .map(|(_, row)| row)
        .collect();
    let folding = |prediction: fn(&HeldOut<'_, '_>) -> Prediction| {
        summed(headline().map(|(held, _)| Compared::of(view, held, &prediction(held), at)))
    };
    let times = |error: fn(&ServingScore<'_>) -> Option<f64>| {
        score(rows.iter().filter_map(|row| error(row)).map(|error| Off { error, inside: None }))
    };
    ServingScores {
        summary: summed(rows.iter().map(|row| Compared::from(*row))),
        without_its_gpu: folding(|held| held.without_gpu),
        without_its_family: folding(|held| held.without_family),
        by_regime: groups(&rows, |row| row.regime),
        by_architecture: groups(&rows, |row| row.architecture),
        by_gpu: groups(&rows, |row| row.gpu),
        by_engine: groups(&rows, |row| row.engine),
        by_model: groups(&rows, |row| row.model),
        by_source: groups(&rows, |row| row.source),
        other_regimes: groups(&others, |row| row.regime),
        time_per_output_token: times(|row| row.tpot_error_percent),
        time_to_first_token: times(|row| row.ttft_error_percent),
        not_scored: unscored(&predicted.lacking),
        scored,
    }
}

fn unscored<'s>(lacking: &[(&'s PublishedThroughput, String)]) -> Vec<UnscoredSpeed<'s>> {
    let one = |(row, reason): &(&'s PublishedThroughput, String)| UnscoredSpeed {
        id: &row.id,
        model: &row.model_name,
        regime: &row.kind,
        reason: reason.clone(),
    };
    lacking.iter().map(one).collect()
}

/// A figure and what was predicted for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) measured: f64,
    pub(super) predicted: f64,
    pub(super) inside: Option<bool>,
}

impl Compared {
    fn of(view: View<'_>, held: &HeldOut<'_, '_>, prediction: &Prediction, at: Timestamp) -> Self {
        let (measured, predicted) = (held.row.figure, prediction.figure);
        let inside =
            range(view, held, at).map(|[low, high]| (predicted * low..=predicted * high).contains(&measured));
        Self { measured, predicted, inside }
    }

    fn error(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }
}

impl From<&ServingScore<'_>> for Compared {
    fn from(row: &ServingScore<'_>) -> Self {
        Self { measured: row.measured, predicted: row.predicted, inside: row.inside }
    }
}

/// P10 and P90 of measured over predicted speed, where they are known.
fn range(view: View<'_>, held: &HeldOut<'_, '_>, at: Timestamp) -> Option<[f64; 2]> {
    let row = view.assumption(held.row.regime.spread_id(held.row.is_mixture)?, at)?;
    Some([row.row.low / row.row.mid, row.row.high / row.row.mid])
}

fn one<'s>(view: View<'s>, held: &HeldOut<'_, 's>, at: Timestamp) -> ServingScore<'s> {
    let [gpu, family] =
        [held.without_gpu, held.without_family].map(|prediction| Compared::of(view, held, &prediction, at));
    // Twice too much is as far off as half.
    let off = |compared: &Compared| (compared.predicted / compared.measured).ln().abs();
    let (compared, prediction, without) = if off(&gpu) > off(&family) {
        (gpu, held.without_gpu, "gpu")
    } else {
        (family, held.without_family, "family")
    };
    let row = &held.row.row.row;
    let setup = held.row.setup;
    let range = range(view, held, at);
    let time = |at: usize, measured: Option<f64>| {
        let (times, measured) = prediction.times_ms.zip(measured)?;
        Some(percent(times[at] / measured - 1.0))
    };
    ServingScore {
        id: &row.id,
        model: row.model.as_ref().map_or(row.model_name.as_str(), |model| model.as_str()),
        architecture: if held.row.is_mixture { "moe" } else { "dense" },
        gpu: held.row.gpu.id.as_str(),
        gpu_count: row.gpu_count,
        engine: &setup.engine,
        regime: &row.kind,
        precision: &row.precision,
        layout: held.layout(&prediction),
        layout_told: held.row.tells_its_layout(),
        unit: held.row.regime.unit(),
        measured: digits(compared.measured),
        predicted: digits(compared.predicted),
        low: range.map(|[low, _]| digits(compared.predicted * low)),
        high: range.map(|[_, high]| digits(compared.predicted * high)),
        error_percent: percent(compared.error()),
        inside: compared.inside,
        without,
        tpot_error_percent: time(1, setup.tpot_ms),
        ttft_error_percent: time(0, setup.ttft_ms),
        source: row.source.as_deref().unwrap_or("no source"),
    }
}

/// Errors, ranges and ranks of some speeds.
pub(super) fn summed(rows: impl Iterator<Item = Compared>) -> Score {
    let rows: Vec<Compared> = rows.collect();
    let offs = rows.iter().map(|row| Off { error: percent(row.error()), inside: row.inside });
    let pairs: Vec<_> = rows.iter().map(|row| (row.predicted, row.measured)).collect();
    Score { rank_correlation: rank_correlation(&pairs), ..score(offs) }
}

fn groups<'n>(
    rows: &[&ServingScore<'n>],
    name: impl Fn(&ServingScore<'n>) -> &'n str,
) -> Vec<GroupScore<'n>> {
    let mut names: Vec<&str> = rows.iter().map(|row| name(row)).collect();
    names.sort_unstable();
    names.dedup();
    let of = |group: &'n str| {
        let among = rows.iter().filter(|row| name(row) == group);
        GroupScore { name: group, score: summed(among.map(|row| Compared::from(*row))) }
    };
    names.into_iter().map(of).collect()
}
