//! Speeds that an operator measured himself, and how they move what is predicted for the same model and accelerator.
//!
//! A row of `published_throughputs` that an operator added says how much faster than predicted his machines are:
//! `r = ln(measured/predicted)`, by the physics that quotes use, with the row's own layout and load. A quote for that
//! model and accelerator is multiplied by `exp(Σ w·r / (n + k))`, `n = Σ w`: their mean, drawn towards 0 as if `k` rows
//! had met the prediction. A row of other weights, of another engine or under another load counts less for each of
//! these (`w`).
//!
//! Of the variance of a speed, `k/(1 + k)` is from one measurement of a model and accelerator to the next, and the rest
//! shared by all of them; what `n` rows leave of it narrows the range: `((k + k/(n + k)) / (1 + k))^(1/2)` of its width
//! in logarithms.

use super::{
    answer::CalibratedBy,
    asked::{Arrivals, Asked},
    candidates::Server,
    physics::{Constants, Engine, Format},
    published::{Measured, Regime},
};
use crate::{
    catalog::{published_throughput::PublishedThroughput, rows::Versioned},
    estimate::{
        desk::Desk,
        quote::{Ref, Reference, ReferenceValue, RowConditions, WarningCode},
        subject::Subject,
        uncertain::Uncertain,
    },
};

/// Rows that are looked at for a quote, the newest.
const MOST_ROWS: usize = 20;

/// A speed that is so many times another than predicted is of something else, or in another unit.
const MOST_OFF: f64 = 4.0;

/// The rows of assumptions: `k`, and what a row counts for each thing in which it differs.
const ROWS: &str = "serving.calibration.rows";
const OTHER: &str = "serving.calibration.other";

/// What an operator's own speeds say of a prediction.
#[derive(Debug)]
pub(super) struct Calibration<'a> {
    rows: Vec<&'a Versioned<PublishedThroughput>>,
    /// Rows that say nothing, and why.
    passed_over: Vec<(&'a str, String)>,
    /// `n`.
    weight: f64,
    /// `k`.
    prior: f64,
    /// `Σ w·r / n`.
    mean: f64,
}

impl Calibration<'_> {
    /// What speeds are multiplied by.
    pub(super) fn factor(&self) -> f64 {
        (self.mean * self.share()).exp()
    }

    /// `n/(n + k)`.
    fn share(&self) -> f64 {
        if self.weight > 0.0 { self.weight / (self.weight + self.prior) } else { 0.0 }
    }

    /// A range of measured over predicted speed, as wide as these rows leave it.
    pub(super) fn narrowed(&self, range: &Uncertain) -> Uncertain {
        let (n, k) = (self.weight, self.prior);
        if n <= 0.0 || k <= 0.0 {
            return range.clone();
        }
        let width = ((k + k / (n + k)) / (1.0 + k)).sqrt();
        range.map(|times| times.powf(width))
    }
}

/// What a row is compared with.
struct Wanted {
    weights: Format,
    engine: Engine,
    regime: Regime,
}

impl Wanted {
    fn of(asked: &Asked, server: &Server<'_>) -> Self {
        let regime = match asked.arrivals {
            Arrivals::Open { .. } => Regime::Server,
            Arrivals::Users(_) => Regime::Users,
            Arrivals::Saturated => Regime::Offline,
        };
        Self { weights: server.formats.weights, engine: asked.engine, regime }
    }

    /// In how many things a row differs.
    fn differences(&self, row: &Measured<'_>) -> i32 {
        let engine = self.engine != Engine::Any && self.engine != row.engine;
        let others = [row.formats.weights != self.weights, engine, row.regime != self.regime];
        others.into_iter().map(i32::from).sum()
    }
}

impl<'a> Desk<'a, '_> {
    /// The operator's own speeds of a model on the part of a server; none where there are none.
    pub(super) fn calibration(
        &self,
        server: &Server<'a>,
        asked: &Asked,
        subject: &Subject<'a>,
        constants: &Constants,
    ) -> Option<Calibration<'a>> {
        let (view, at) = (self.view(), self.instant());
        let (Some(Ref::Model(model)), Some(gpu)) = (subject.reference, server.part.row) else { return None };
        let mut rows = view.own_speeds_of(model, gpu.row.id.as_str()).take(MOST_ROWS).peekable();
        rows.peek()?;
        let known = |id: &str| view.assumption(id, at).map(|row| row.row.mid);
        let (prior, other) = (known(ROWS)?, known(OTHER)?);
        let wanted = Wanted::of(asked, server);
        let mut found =
            Calibration { rows: Vec::new(), passed_over: Vec::new(), weight: 0.0, prior, mean: 0.0 };
        let mut sum = 0.0;
        for row in rows {
            let said = Measured::read(view, row, at).and_then(|measured| {
                let beyond = self.beyond(&measured, constants)?;
                Ok((other.powi(wanted.differences(&measured)), beyond))
            });
            match said {
                Ok((weight, beyond)) => {
                    found.rows.push(row);
                    found.weight += weight;
                    sum += weight * beyond;
                }
                Err(why) => found.passed_over.push((&row.row.id, why)),
            }
        }
        if found.weight > 0.0 {
            found.mean = sum / found.weight;
        }
        Some(found)
    }

    /// `ln(measured/predicted)` of a row.
    fn beyond(&self, row: &Measured<'_>, constants: &Constants) -> Result<f64, String> {
        if !row.regime.is_fitted() {
            return Err(format!("`{}` is not how anybody is served", row.row.row.kind));
        }
        let factor = |id: &String| self.view().assumption(id, self.instant()).map(|row| row.row.mid);
        let factors: f64 = row.factors.iter().flatten().filter_map(factor).product();
        let predicted = row.predict(constants, factors).ok_or("no speed comes out of its figures")?;
        let times = row.figure / predicted.figure;
        if !(MOST_OFF.recip()..=MOST_OFF).contains(&times) {
            return Err(format!("its speed is {times:.3} times what is predicted for its layout and load"));
        }
        Ok(times.ln())
    }

    /// A server as fast as the operator's own speeds say.
    pub(super) fn calibrated(
        &self,
        mut server: Server<'a>,
        asked: &Asked,
        subject: &Subject<'a>,
        constants: &Constants,
    ) -> Server<'a> {
        if let Some(calibration) = self.calibration(&server, asked, subject, constants) {
            server.rules.speed *= calibration.factor();
        }
        server
    }

    /// Cites the rows of a calibration and warns of those that say nothing. None, where no row says anything.
    pub(super) fn cite_calibration(
        &mut self,
        calibration: &Calibration<'a>,
        refs: &mut Vec<Ref<'a>>,
    ) -> Option<CalibratedBy<'a>> {
        for (id, why) in &calibration.passed_over {
            let message = format!("the measured speed `{id}` is not used: {why}");
            self.warn(WarningCode::MeasurementUnused, "/model", message);
        }
        if calibration.rows.is_empty() {
            return None;
        }
        let mut measurements = Vec::with_capacity(calibration.rows.len());
        for row in &calibration.rows {
            let speed = &row.row;
            let key = Ref::PublishedThroughput(&speed.id);
            let figure = speed.tokens_per_second_per_gpu;
            self.references.add(key, || Reference {
                source: speed.source.as_deref(),
                observed_at: speed.observed_at,
                effective_from: None,
                effective_to: None,
                conditions: RowConditions::Always {},
                value: figure.map(|mid| ReferenceValue { low: mid, mid, high: mid, unit: "token/s" }),
                note: speed.note.as_deref(),
                revision: row.introduced.0,
            });
            measurements.push(key);
        }
        refs.extend(&measurements);
        refs.extend([ROWS, OTHER].into_iter().filter_map(|id| self.assumption(id)?.reference));
        Some(CalibratedBy {
            measurements,
            measured_over_predicted: calibration.mean.exp(),
            share: calibration.share(),
            factor: calibration.factor(),
        })
    }

    /// A fault for each assumption that is missing for speeds that are there.
    pub(super) fn check_calibration(&mut self, server: &Server<'a>, subject: &Subject<'a>) {
        let (Some(Ref::Model(model)), Some(gpu)) = (subject.reference, server.part.row) else { return };
        if self.view().own_speeds_of(model, gpu.row.id.as_str()).next().is_some() {
            let _ = (self.assumption(ROWS), self.assumption(OTHER));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::uncertain::{Range, Sampler};

    fn of(weight: f64, mean: f64) -> Calibration<'static> {
        Calibration { rows: Vec::new(), passed_over: Vec::new(), weight, prior: 1.0, mean }
    }

    /// By hand, `k = 1`: one row counts half, and leaves `(1 + 1/2)/2` of the variance.
    #[test]
    fn one_row_counts_as_much_as_the_prior() {
        let one = of(1.0, 0.2);
        assert!((one.factor() - 0.1_f64.exp()).abs() < 1e-12);
        let range = Sampler::default().draw("range", Range::new(0.8, 1.0, 1.25).unwrap());
        let (low, high) = one.narrowed(&range).range().unwrap();
        let width = 0.75_f64.sqrt();
        assert!((low - 0.8_f64.powf(width)).abs() < 1e-9 && (high - 1.25_f64.powf(width)).abs() < 1e-9);
    }

    #[test]
    fn no_row_changes_nothing() {
        let none = of(0.0, 0.0);
        assert_eq!(none.factor().to_bits(), 1.0_f64.to_bits());
        let range = Sampler::default().draw("range", Range::new(0.8, 1.0, 1.25).unwrap());
        assert_eq!(none.narrowed(&range).range(), range.range());
    }
}
