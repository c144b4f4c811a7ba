//! How near the engine comes to what others have published, without being told the answer.
//!
//! [`accuracy`] fits the prior of utilisation to a catalog's published runs and steady speeds ([`fitted_rows`] are
//! the assumption rows that come out), and holds every run against a fit that has not seen it. Beside it: runs
//! whose own utilisation is published, reinforcement learning with each model held out, steady speeds with each
//! model held out, and the rule of thumb that a spreadsheet would use; and every published speed of serving, with
//! factors that have not seen its accelerator, or its family of models.

mod answer;
mod fit;
mod rl;
mod rows;
mod scores;
mod serving;
mod serving_answer;
mod serving_fit;
mod training;
mod utilization;

use jiff::Timestamp;

use self::{
    answer::percent,
    rl::RlSpeed,
    rows::{Data, Speed},
    scores::{Off, by, score},
    training::{HeldOut, Model},
};
pub use self::{
    answer::{
        Accuracy, CatalogRow, FittedTerm, GroupScore, RlScore, RlScores, RunScore, RunScores, Score,
        SpeedScores, UnscoredRun, UtilizationScore, UtilizationScores,
    },
    serving_answer::{ServingScore, ServingScores, UnscoredSpeed},
    serving_fit::{Fold, FoldFound, ServingFit, ServingRefit, serving_factors},
    training::FittedRow,
};
use crate::catalog::{ids::ModelId, snapshot::View};

/// FLOPs for each parameter and token, and the share of the peak, of the rule of thumb.
const RULE_OF_THUMB: (f64, f64) = (6.0, 0.4);

/// The assumption rows that a catalog's published runs and speeds give, and how far each run is then off.
#[must_use]
pub fn fitted_rows(view: View<'_>, at: Timestamp) -> Vec<FittedRow> {
    let data = Data::read(view, at);
    let held_out = training::held_out(&data, |_, _| false);
    let mut rows = rl::rows(&rl::read(view));
    if let Some(model) = training::fit(&data) {
        rows.extend(training::rows(&model, training::spread(&held_out)));
    }
    rows.sort_unstable_by_key(|row| row.id);
    rows
}

/// Holds the engine against everything published that a view knows, with the assumptions of an instant.
#[must_use]
pub fn accuracy(view: View<'_>, at: Timestamp) -> Accuracy<'_> {
    let data = Data::read(view, at);
    let held_out = training::held_out(&data, |_, _| false);
    let spread = training::spread(&held_out);
    let mut fitted = rl::rows(&rl::read(view));
    fitted.extend(training::fit(&data).iter().flat_map(|model| training::rows(model, spread)));
    fitted.sort_unstable_by_key(|row| row.id);
    Accuracy {
        catalog_revision: view.revision,
        runs: runs(&data, &held_out, spread),
        published_utilization: utilization::scores(view, &data, at),
        reinforcement_learning: reinforcement_learning(view, at),
        steady_speeds: steady_speeds(&data),
        serving: serving::scores(view, at),
        fit: fitted.iter().map(|row| FittedTerm::of(row, view, at)).collect(),
    }
}

fn runs<'s>(data: &Data<'s>, held_out: &[HeldOut<'_, 's>], spread: f64) -> RunScores<'s> {
    let one = |held: &HeldOut<'_, 's>| {
        let run = held.run;
        let (predicted, low, high) = held.hours(spread);
        let (flops_per_param, share) = RULE_OF_THUMB;
        let thumb_flops = flops_per_param * run.shape.active_params * run.tokens;
        let thumb = thumb_flops / (3600.0 * share * run.part.reference_peak);
        RunScore {
            id: &run.row.id,
            name: &run.row.name,
            architecture: &run.row.architecture,
            kind: &run.row.kind,
            gpu: run.gpu.id.as_str(),
            gpu_count: run.row.gpu_count,
            precision: run.row.precision.as_deref().unwrap_or_default(),
            params_total: answer::digits(run.shape.total_params),
            params_active: answer::digits(run.shape.active_params),
            tokens: answer::digits(run.tokens),
            actual_gpu_hours: answer::digits(run.hours),
            predicted_gpu_hours: answer::digits(predicted),
            low: answer::digits(low),
            high: answer::digits(high),
            error_percent: percent(predicted / run.hours - 1.0),
            inside: held.is_inside(spread),
            utilization: answer::digits(run.observation().observed.exp()),
            predicted_utilization: answer::digits(held.ln_utilization.exp()),
            rule_of_thumb_error_percent: percent(thumb / run.hours - 1.0),
        }
    };
    let scored: Vec<_> = held_out.iter().map(one).collect();
    let of = |run: &RunScore<'_>| Off { error: run.error_percent, inside: Some(run.inside) };
    let apart = training::held_out(data, |other, run| other.row.org == run.row.org);
    let apart = apart.iter().map(|held| Off {
        error: percent(held.hours(spread).0 / held.run.hours - 1.0),
        inside: Some(held.is_inside(spread)),
    });
    let thumb = scored.iter().map(|run| Off { error: run.rule_of_thumb_error_percent, inside: None });
    RunScores {
        summary: score(scored.iter().map(of)),
        by_architecture: by(&scored, |run| run.architecture, of),
        by_gpu: by(&scored, |run| run.gpu, of),
        by_kind: by(&scored, |run| run.kind, of),
        without_its_organisation: score(apart),
        rule_of_thumb: score(thumb),
        scored,
        not_scored: data.others.iter().map(|(row, why)| UnscoredRun::of(row, why)).collect(),
    }
}

fn reinforcement_learning(view: View<'_>, at: Timestamp) -> RlScores {
    let row = |id: &str| view.assumption(id, at).map(|row| &row.row);
    let known =
        (row("training.rl.tokens.cap"), row("training.rl.tokens.sandbox"), row("training.rl.tokens.spread"));
    let (Some(cap), Some(sandbox), Some(spread)) = known else { return RlScores::default() };
    let speeds = rl::read(view);
    let one = |(speed, predicted): (&RlSpeed<'_>, f64)| RlScore {
        id: speed.row.id.clone(),
        model: speed.row.model_name.clone(),
        kind: speed.row.kind.clone(),
        gpu: speed.gpu.id.to_string(),
        gpu_count: speed.row.gpu_count,
        policy: speed.row.rl.as_ref().map(|setup| setup.policy.clone()),
        fitted: rl::is_fitted(speed),
        tokens_per_second_per_gpu: answer::digits(speed.measured),
        predicted: answer::digits(predicted),
        error_percent: percent(speed.measured / predicted - 1.0),
        inside: (predicted * spread.low..=predicted * spread.high).contains(&speed.measured),
        low: answer::digits(predicted * spread.low),
        high: answer::digits(predicted * spread.high),
    };
    let scored: Vec<_> = rl::held_out(&speeds, cap.mid, sandbox.mid).into_iter().map(one).collect();
    let fitted = scored.iter().filter(|row| row.fitted);
    let summary = score(fitted.map(|row| Off { error: row.error_percent, inside: Some(row.inside) }));
    RlScores { summary, scored }
}

/// The model of a speed.
fn name<'s>(speed: &Speed<'s>) -> Option<&'s ModelId> {
    speed.row.model.as_ref()
}

fn steady_speeds<'s>(data: &Data<'s>) -> SpeedScores<'s> {
    let mut fits: Vec<(Option<&'s ModelId>, Option<Model>)> = Vec::new();
    let mut offs: Vec<(&Speed<'s>, f64)> = Vec::new();
    for speed in &data.speeds {
        let model = name(speed);
        if !fits.iter().any(|(known, _)| *known == model) {
            fits.push((model, training::fit_without(data, |other| name(other) == model)));
        }
        let fitted = fits.iter().find(|(known, _)| *known == model).and_then(|(_, fit)| fit.as_ref());
        if let Some(fit) = fitted {
            // Hours by those of the published speed.
            let error = speed.utilization / fit.ln_utilization(&speed.features).exp() - 1.0;
            offs.push((speed, percent(error)));
        }
    }
    let of = |(_, error): &(&Speed<'s>, f64)| Off { error: *error, inside: None };
    SpeedScores {
        summary: score(offs.iter().map(of)),
        by_architecture: by(&offs, |(speed, _)| if speed.is_moe { "moe" } else { "dense" }, of),
        by_gpu: by(&offs, |(speed, _)| speed.gpu.id.as_str(), of),
        by_precision: by(&offs, |(speed, _)| speed.row.precision.as_str(), of),
        by_kind: by(&offs, |(speed, _)| speed.row.kind.as_str(), of),
        not_scored: data.speeds_left_out,
    }
}
