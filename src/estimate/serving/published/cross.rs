//! The fit of all constants and factors to published speeds, and the same again without each accelerator and without
//! each family of models: how near the engine comes to what it has not seen.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    super::physics::Constants,
    factors::Factors,
    fit::{FITTED, PRIORS, Point, Problem},
    read::{FAMILY, GPU, Measured, Regime},
    rows::{Predicted, Published},
};
use crate::catalog::snapshot::View;

/// Steps of the fit to all rows, and of one that leaves some out.
const STEPS: [usize; 2] = [30, 16];

/// Shares of rows beyond a range, on either side: for ranges of P10 to P90 that hold four in five of what was not seen.
const BEYOND: f64 = 0.08;

/// Rows that count as much as all others when a class of them makes its range.
const CLASS: f64 = 20.0;

/// Published speeds, ready to be fitted.
#[derive(Debug)]
pub(in crate::estimate) struct Refit<'s> {
    view: View<'s>,
    at: Timestamp,
    published: Published<'s>,
    factors: Factors,
}

/// Rows that a fit leaves out: those that one factor is of; none: all take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::estimate) struct Fold {
    /// Which of a row's factors.
    kind: usize,
    place: Option<usize>,
}

/// What a fit found.
#[derive(Debug)]
pub(in crate::estimate) struct Found {
    fold: Fold,
    point: Point,
    /// The rows that it has not seen, and what it says of them.
    unseen: Vec<(usize, f64)>,
}

impl<'s> Refit<'s> {
    /// Reads the published speeds of the regimes that constants are fitted on.
    pub(in crate::estimate) fn read(view: View<'s>, at: Timestamp) -> Self {
        let mut published = Published::read(view, at);
        published.rows.retain(|row| row.regime.is_fitted());
        let factors = Factors::of(published.rows.iter());
        Self { view, at, published, factors }
    }

    /// The fit of all rows, and each that leaves out an accelerator or a family.
    pub(in crate::estimate) fn folds(&self) -> Vec<Fold> {
        let mut folds = vec![Fold { kind: GPU, place: None }];
        for kind in [GPU, FAMILY] {
            let mut places: Vec<usize> =
                self.published.rows.iter().filter_map(|row| self.factors.places_of(row)[kind]).collect();
            places.sort_unstable();
            places.dedup();
            folds.extend(places.into_iter().map(|place| Fold { kind, place: Some(place) }));
        }
        folds
    }

    /// A constant that is set beside the fit.
    fn set(&self, id: &str) -> Option<f64> {
        self.view.assumption(id, self.at).map(|row| row.row.mid)
    }

    /// Fits the rows that a fold leaves, and predicts those that it leaves out. None: a constant is missing.
    pub(in crate::estimate) fn run(&self, fold: Fold) -> Option<Found> {
        let left_out =
            |row: &Measured<'s>| fold.place.is_some() && self.factors.places_of(row)[fold.kind] == fold.place;
        let set = |id: &str| self.set(id);
        let (unseen, seen): (Vec<_>, Vec<_>) =
            self.published.rows.iter().enumerate().partition(|(_, row)| left_out(row));
        let problem = Problem::new(seen.into_iter().map(|(_, row)| row).collect(), &self.factors, &set);
        let point = problem.descend(problem.start(), STEPS[usize::from(fold.place.is_some())])?;
        let constants = problem.constants(&point.constants)?;
        let predict = |(at, row): (usize, &Measured<'s>)| {
            let places = self.factors.places_of(row).into_iter().flatten();
            let factor = places.map(|place| point.factors[place]).sum::<f64>().exp();
            row.best(&constants, factor).map(|(_, figure)| (at, figure))
        };
        let unseen = unseen.into_iter().filter_map(predict).collect();
        Some(Found { fold, point, unseen })
    }

    /// By how much the loss falls in so many steps from what the catalog has: the loss, and what is left of it. None: a
    /// constant is missing.
    pub(in crate::estimate) fn improved(&self, steps: usize) -> Option<(f64, f64)> {
        let set = |id: &str| self.set(id);
        let problem = Problem::new(self.published.rows.iter().collect(), &self.factors, &set);
        let mut from = problem.start();
        for (x, prior) in from.constants.iter_mut().zip(&PRIORS) {
            *x = self.set(prior.id)?.ln();
        }
        for (id, place) in self.factors.ids() {
            from.factors[place] = self.set(id)?.ln();
        }
        let loss = |point: &Point| Some(problem.loss(point, &problem.answers(point)?));
        let before = loss(&from)?;
        Some((before, loss(&problem.descend(from, steps)?)?))
    }

    /// What all fits together give; the first is of all rows. None: a constant is missing.
    pub(in crate::estimate) fn conclude(self, found: &[Found]) -> Option<Conclusion<'s>> {
        let constants = constants(found)?;
        let fitted: BTreeMap<&str, f64> = constants.iter().map(|(id, [_, mid, _])| (*id, *mid)).collect();
        let all = Constants::read(|id| fitted.get(id).copied().or_else(|| self.set(id)))?;
        let unseen = Unseen::of(&self.published.rows, found);
        let (ranges, inside) = unseen.ranges(&self.published.rows);
        let rows = unseen.rows(&inside);
        let predicted = self.published.predicted_by(all);
        let values = predicted.fitted();
        let first_token = first_token(&predicted, &values);
        let calibration = rows_worth_a_prior(&predicted, &values);
        Some(Conclusion { constants, ranges, unseen: rows, first_token, calibration, predicted })
    }
}

/// All that comes of the fits.
#[derive(Debug)]
pub(in crate::estimate) struct Conclusion<'s> {
    /// Constants by id: the middle from all rows, the extremes from all fits.
    pub(in crate::estimate) constants: Vec<(&'static str, [f64; 3])>,
    /// Ranges of measured over predicted speed, by id.
    pub(in crate::estimate) ranges: Ranges,
    /// Speeds by fits that have not seen their accelerator, then by those that have not seen their family.
    pub(in crate::estimate) unseen: [Vec<UnseenRow>; 2],
    /// The three constants of the time to the first token, and the range of measured over predicted time.
    pub(in crate::estimate) first_token: Option<([f64; 3], [f64; 2])>,
    /// How many measured speeds tell as much as is known before of a model on an accelerator.
    pub(in crate::estimate) calibration: Option<f64>,
    /// The rows with the new constants.
    pub(in crate::estimate) predicted: Predicted<'s>,
}

/// A speed and what a fit says that has not seen it.
#[derive(Debug, Clone, Copy)]
pub(in crate::estimate) struct UnseenRow {
    /// Its place among the fitted rows.
    pub(in crate::estimate) at: usize,
    pub(in crate::estimate) predicted: f64,
    /// Whether the range that others give holds it.
    pub(in crate::estimate) inside: bool,
}

/// The constants to six digits: the middle of the fit to all rows, the extremes of all.
fn constants(found: &[Found]) -> Option<Vec<(&'static str, [f64; 3])>> {
    let all = found.iter().find(|found| found.fold.place.is_none())?;
    let one = |at: usize| {
        let mid = all.point.constants[at].exp();
        let values = || found.iter().map(|found| found.point.constants[at].exp());
        let (low, high) = (values().fold(mid, f64::min), values().fold(mid, f64::max));
        (PRIORS[at].id, [low, mid, high].map(six_digits))
    };
    Some((0..FITTED).map(one).collect())
}

/// Six significant digits.
fn six_digits(figure: f64) -> f64 {
    format!("{figure:.5e}").parse().unwrap_or(figure)
}

/// Two decimals.
fn hundredths(figure: f64) -> f64 {
    (figure * 100.0).round() / 100.0
}

/// P10 and P90 of measured over predicted speed, by the id of their row.
pub(in crate::estimate) type Ranges = Vec<(&'static str, [f64; 2])>;

/// A class of speeds that has a range of its own.
type Class = (Regime, bool);

/// `ln(measured/predicted)` of rows by fits that have not seen them.
struct Unseen {
    /// By folding: place of the row, the place of what was left out, the prediction, and by how much it is off.
    foldings: [Vec<(usize, usize, f64, f64)>; 2],
}

impl Unseen {
    fn of(rows: &[Measured<'_>], found: &[Found]) -> Self {
        let folding = |kind: usize| {
            let of = found.iter().filter(move |found| found.fold.kind == kind);
            let of = of.filter_map(|found| Some((found.fold.place?, &found.unseen)));
            let each =
                of.flat_map(|(place, unseen)| unseen.iter().map(move |(at, figure)| (*at, place, *figure)));
            let mut all: Vec<_> = each
                .map(|(at, place, figure)| (at, place, figure, (rows[at].figure / figure).ln()))
                .collect();
            all.sort_unstable_by_key(|(at, ..)| *at);
            all
        };
        Self { foldings: [folding(GPU), folding(FAMILY)] }
    }

    /// The range of each class, and whether each row lies in the one that is made without what its fit left out.
    fn ranges(&self, rows: &[Measured<'_>]) -> (Ranges, [Vec<bool>; 2]) {
        let class = |at: usize| -> Class { (rows[at].regime, rows[at].is_mixture) };
        let all: Vec<f64> = self.foldings.iter().flatten().map(|(.., off)| *off).collect();
        let whole = edges(all);
        let range = |of: Class, without: Option<(usize, usize)>| {
            let kept = |folding: usize, place: usize| without != Some((folding, place));
            let of_class = self.foldings.iter().enumerate().flat_map(|(folding, rows)| {
                rows.iter().filter(move |(at, place, ..)| class(*at) == of && kept(folding, *place))
            });
            let offs: Vec<f64> = of_class.map(|(.., off)| *off).collect();
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let count = offs.len() as f64 / 2.0; // each row is there twice
            let (own, share) = (edges(offs), count / (count + CLASS));
            [0, 1].map(|end| share * own[end] + (1.0 - share) * whole[end])
        };
        let mut ranges = BTreeMap::new();
        for (at, ..) in self.foldings.iter().flatten() {
            if let Some(id) = rows[*at].regime.spread_id(rows[*at].is_mixture) {
                ranges.entry(id).or_insert(class(*at));
            }
        }
        let told = ranges.into_iter().map(|(id, class)| {
            let [low, high] = range(class, None).map(|edge| hundredths(edge.exp()));
            // Few rows are of servers, and most of them of one benchmark.
            if class.0 == Regime::Server { (id, [low.min(0.5), high.max(1.4)]) } else { (id, [low, high]) }
        });
        let told = told.collect();
        let inside = [0, 1].map(|folding| {
            let mut known: BTreeMap<(Class, usize), [f64; 2]> = BTreeMap::new();
            let one = |(at, place, _, off): &(usize, usize, f64, f64)| {
                let key = (class(*at), *place);
                let [low, high] = *known.entry(key).or_insert_with(|| range(key.0, Some((folding, *place))));
                (low..=high).contains(off)
            };
            self.foldings[folding].iter().map(one).collect()
        });
        (told, inside)
    }

    fn rows(&self, inside: &[Vec<bool>; 2]) -> [Vec<UnseenRow>; 2] {
        [0, 1].map(|folding| {
            let rows = self.foldings[folding].iter().zip(&inside[folding]);
            rows.map(|((at, _, predicted, _), inside)| UnseenRow {
                at: *at,
                predicted: *predicted,
                inside: *inside,
            })
            .collect()
        })
    }
}

/// The ends beyond which few are; of none, both 0.
fn edges(mut offs: Vec<f64>) -> [f64; 2] {
    offs.sort_unstable_by(f64::total_cmp);
    [BEYOND, 1.0 - BEYOND].map(|share| quantile(&offs, share))
}

/// A quantile of sorted numbers, linear between the two nearest; of none, 0.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let place = share * last as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the length")]
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    low + (high - low) * place.fract()
}

/// The constants of the time to the first token that put the mean of `|ln(measured/predicted)|` lowest: of the
/// prompt's own pass, of iterations and of the queue. By steps of single constants, coarse and fine ones.
fn first_token(predicted: &Predicted<'_>, factors: &[f64]) -> Option<([f64; 3], [f64; 2])> {
    const STEPS: [f64; 8] = [0.5, 2.0, 0.8, 1.25, 0.95, 1.05, 0.99, 1.01];
    let rows: Vec<([f64; 3], f64)> = predicted.first_token_parts(factors);
    let off = |parts: &[f64; 3], measured: f64, k: &[f64; 3]| {
        (measured / parts.iter().zip(k).map(|(part, k)| part * k).sum::<f64>()).ln()
    };
    let loss =
        |k: &[f64; 3]| rows.iter().map(|(parts, measured)| off(parts, *measured, k).abs()).sum::<f64>();
    let mut best = ([1.2, 8.0, 0.2], loss(&[1.2, 8.0, 0.2]));
    for at in (0..30).flat_map(|_| 0..3) {
        for step in STEPS {
            let mut k = best.0;
            k[at] *= step;
            let found = loss(&k);
            if found < best.1 {
                best = (k, found);
            }
        }
    }
    let k = best.0.map(|k| format!("{k:.3e}").parse().unwrap_or(k));
    let mut offs: Vec<f64> = rows.iter().map(|(parts, measured)| off(parts, *measured, &k)).collect();
    offs.sort_unstable_by(f64::total_cmp);
    let range = [0.1, 0.9].map(|share| hundredths(quantile(&offs, share).exp()));
    (!offs.is_empty()).then_some((k, range))
}

/// How many speeds of a model on an accelerator by one source tell as much of it as is known before: the variance
/// within such groups over that between them (analysis of variance, rows of one group sharing its mean).
fn rows_worth_a_prior(predicted: &Predicted<'_>, factors: &[f64]) -> Option<f64> {
    let mut groups: BTreeMap<[&str; 3], Vec<f64>> = BTreeMap::new();
    for (row, off) in predicted.residuals(factors) {
        let published = &row.row.row;
        let model = published.model.as_ref().map_or("", |model| model.as_str());
        let source = published.source.as_deref().unwrap_or_default();
        groups.entry([model, row.gpu.id.as_str(), source]).or_default().push(off);
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let count = |rows: usize| rows as f64;
    let mean = |of: &[f64]| of.iter().sum::<f64>() / count(of.len());
    let (all, rows) = (count(groups.len()), count(groups.values().map(Vec::len).sum()));
    let whole = groups.values().flatten().sum::<f64>() / rows;
    let squares = |of: &Vec<f64>| of.iter().map(|off| (off - mean(of)).powi(2)).sum::<f64>();
    let within = groups.values().map(squares).sum::<f64>() / (rows - all);
    let between =
        groups.values().map(|of| count(of.len()) * (mean(of) - whole).powi(2)).sum::<f64>() / (all - 1.0);
    let shared = groups.values().map(|of| count(of.len()).powi(2)).sum::<f64>() / rows;
    let prior = (between - within) * (all - 1.0) / (rows - shared);
    let worth = within / prior;
    (worth.is_finite() && worth > 0.0).then(|| hundredths(worth))
}
