//! Constants and factors of serving as published speeds give them, as assumption rows, and how near the engine comes
//! to what it has not seen: all constants fitted anew without each accelerator, and without each family of models.

use jiff::{Timestamp, civil::Date};

use super::{
    answer::Score,
    serving::{Compared, summed},
    training::fitted_assumption,
};
use crate::{
    catalog::{assumption::Assumption, snapshot::View, time::utc_day},
    estimate::serving::published::{self, Conclusion, UnseenRow},
};

/// Published speeds of serving, ready to be fitted.
#[derive(Debug)]
pub struct ServingRefit<'s>(published::Refit<'s>);

/// Which speeds a fit leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold(published::Fold);

/// What a fit found.
#[derive(Debug)]
pub struct FoldFound(published::Found);

/// What all fits together give.
#[derive(Debug)]
pub struct ServingFit {
    /// The assumption rows, in the order of their ids.
    pub rows: Vec<Assumption>,
    /// Errors of speeds that no constant and no factor has seen, by name.
    pub scores: Vec<(String, Score)>,
}

impl<'s> ServingRefit<'s> {
    /// Reads the published speeds that constants are fitted on.
    #[must_use]
    pub fn read(view: View<'s>, at: Timestamp) -> Self {
        Self(published::Refit::read(view, at))
    }

    /// The fits to do: of all rows, and one for each accelerator and family that is left out. Each takes a second or
    /// two, and none needs another.
    #[must_use]
    pub fn folds(&self) -> Vec<Fold> {
        self.0.folds().into_iter().map(Fold).collect()
    }

    /// Does one of them; none where the catalog lacks a constant that is not fitted.
    #[must_use]
    pub fn run(&self, fold: Fold) -> Option<FoldFound> {
        self.0.run(fold.0).map(FoldFound)
    }

    /// By how much the loss falls in so many steps of the fit from what the catalog has: the loss, and what is left.
    #[must_use]
    pub fn improved(&self, steps: usize) -> Option<(f64, f64)> {
        self.0.improved(steps)
    }

    /// What they give together; none where the fit of all rows is not among them.
    #[must_use]
    pub fn conclude(self, view: View<'_>, found: Vec<FoldFound>, at: Timestamp) -> Option<ServingFit> {
        let found: Vec<_> = found.into_iter().map(|found| found.0).collect();
        let conclusion = self.0.conclude(&found)?;
        let mut rows = assumptions(view, &conclusion, at);
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        Some(ServingFit { rows, scores: scores(&conclusion) })
    }
}

/// The factors of engines, accelerators and families that published speeds give with the constants that the catalog
/// has, by id.
#[must_use]
pub fn serving_factors(view: View<'_>, at: Timestamp) -> Vec<(String, f64)> {
    let predicted = published::Published::read(view, at).predicted(view, at);
    let factors = predicted.as_ref().map(published::Predicted::fitted_factors).unwrap_or_default();
    factors.into_iter().map(|(id, factor)| (id.to_owned(), factor)).collect()
}

fn assumptions(view: View<'_>, conclusion: &Conclusion<'_>, at: Timestamp) -> Vec<Assumption> {
    let day = utc_day(at);
    let constants = conclusion
        .constants
        .iter()
        .map(|(id, figures)| row(view, at, day, id, "a constant of serving", *figures));
    let factors = conclusion.predicted.fitted_factors();
    let factors = factors
        .into_iter()
        .map(|(id, factor)| row(view, at, day, id, "Measured over predicted speed", [factor; 3]));
    let ranges = conclusion
        .ranges
        .iter()
        .map(|(id, [low, high])| row(view, at, day, id, "Measured over predicted speed", [*low, 1.0, *high]));
    let mut rows: Vec<Assumption> = constants.chain(factors).chain(ranges).collect();
    if let Some(([own, iterations, queue], [low, high])) = conclusion.first_token {
        let what = "Time to the first token";
        rows.extend([
            row(view, at, day, "serving.ttft.prefill", what, [own; 3]),
            row(view, at, day, "serving.ttft.iterations", what, [iterations; 3]),
            row(view, at, day, "serving.ttft.queue", what, [queue; 3]),
            row(view, at, day, "serving.spread.ttft", what, [low, 1.0, high]),
        ]);
    }
    rows.extend(conclusion.calibration.map(|rows| {
        let what = "Measured speeds of a model on an accelerator that tell as much as is known without them";
        row(view, at, day, "serving.calibration.rows", what, [rows; 3])
    }));
    rows
}

fn row(
    view: View<'_>,
    at: Timestamp,
    day: Date,
    id: &str,
    description: &str,
    figures: [f64; 3],
) -> Assumption {
    let before = view.assumption(id, at).map(|before| &before.row);
    let source = "fit to the published speeds of serving: farthing catalog fit --serving";
    fitted_assumption(id, description, source, figures, before, day)
}

fn scores(conclusion: &Conclusion<'_>) -> Vec<(String, Score)> {
    let [by_gpu, by_family] = &conclusion.unseen;
    let of = |name: &str, rows: &[&UnseenRow]| (name.to_owned(), score(conclusion, rows));
    let pooled: Vec<&UnseenRow> = by_gpu.iter().chain(by_family).collect();
    let mut scores = vec![
        of("without its GPU", &by_gpu.iter().collect::<Vec<_>>()),
        of("without its family", &by_family.iter().collect::<Vec<_>>()),
        of("both", &pooled),
    ];
    let mut groups: Vec<(String, &UnseenRow)> = Vec::new();
    for unseen in pooled {
        let row = &conclusion.predicted.rows[unseen.at].row;
        let published = &row.row.row;
        let source = published.source.as_deref().unwrap_or("no source");
        groups.push((format!("both, {}", published.kind), unseen));
        groups.push((format!("both, {}", if row.is_mixture { "moe" } else { "dense" }), unseen));
        groups.push((format!("both, {}", row.gpu.id), unseen));
        groups.push((format!("both, {}", row.setup.engine), unseen));
        groups.push((format!("both, {source}"), unseen));
    }
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    for group in groups.chunk_by(|(a, _), (b, _)| a == b) {
        let rows: Vec<&UnseenRow> = group.iter().map(|(_, row)| *row).collect();
        scores.extend(group.first().map(|(name, _)| of(name, &rows)));
    }
    scores
}

fn score(conclusion: &Conclusion<'_>, rows: &[&UnseenRow]) -> Score {
    summed(rows.iter().map(|unseen| Compared {
        measured: conclusion.predicted.rows[unseen.at].row.figure,
        predicted: unseen.predicted,
        inside: Some(unseen.inside),
    }))
}
