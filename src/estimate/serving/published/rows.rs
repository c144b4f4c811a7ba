//! The published speeds of a catalog, and what the physics says of each with factors that have not seen it.

use jiff::Timestamp;

use super::{
    factors::{Factors, Observation},
    predict::Prediction,
    read::{FAMILY, GPU, Measured},
};
use crate::{
    catalog::{published_throughput::PublishedThroughput, rows::Versioned, snapshot::View},
    estimate::serving::{physics::Constants, request::Parallelism},
};

/// The published speeds of serving that a view knows.
#[derive(Debug)]
pub(in crate::estimate) struct Published<'s> {
    pub(in crate::estimate) rows: Vec<Measured<'s>>,
    /// The others, and what they lack.
    pub(in crate::estimate) lacking: Vec<(&'s PublishedThroughput, String)>,
}

/// Constants as a view has them at an instant; else the name of one that it lacks.
pub(super) fn constants(view: View<'_>, at: Timestamp) -> Result<Constants, &'static str> {
    let mut missing = None;
    let constants = Constants::read(|id| {
        let row = view.assumption(id, at);
        missing = missing.or(row.is_none().then_some(id));
        row.map(|row| row.row.mid)
    });
    constants.ok_or(missing.unwrap_or_default())
}

impl<'s> Published<'s> {
    /// Reads all of them.
    pub(in crate::estimate) fn read(view: View<'s>, at: Timestamp) -> Self {
        let (mut rows, mut lacking) = (Vec::new(), Vec::new());
        let all = view.known(&view.snapshot().history().published_throughputs);
        for row in all.filter(|row: &&'s Versioned<_>| row.row.workload == "inference") {
            match Measured::read(view, row, at) {
                Ok(measured) => rows.push(measured),
                Err(lack) => lacking.push((&row.row, lack)),
            }
        }
        Self { rows, lacking }
    }

    /// What the physics says of all of them with the catalog's constants.
    ///
    /// # Errors
    /// All rows, where a constant is missing.
    pub(in crate::estimate) fn predicted(
        mut self,
        view: View<'_>,
        at: Timestamp,
    ) -> Result<Predicted<'s>, Lacking<'s>> {
        match constants(view, at) {
            Ok(constants) => Ok(self.predicted_by(constants)),
            Err(id) => {
                let lack = |row: &Measured<'s>| (&row.row.row, format!("the assumption `{id}` is missing"));
                self.lacking.extend(self.rows.iter().map(lack));
                Err(Lacking(self.lacking))
            }
        }
    }

    /// What the physics says of all of them; rows of which it says nothing go to the others.
    pub(super) fn predicted_by(mut self, constants: Constants) -> Predicted<'s> {
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in self.rows {
            if let Some(without_factors) = row.predict(&constants, 1.0) {
                let slope = row.slope(&constants);
                rows.push(Plain { row, without_factors, slope });
            } else {
                self.lacking.push((&row.row.row, "no speed comes out of its figures".to_owned()));
            }
        }
        let fitted = rows.iter().map(|plain: &Plain<'s>| &plain.row).filter(|row| row.regime.is_fitted());
        let factors = Factors::of(fitted);
        Predicted { rows, lacking: self.lacking, constants, factors }
    }
}

/// Rows that cannot be scored, and why.
#[derive(Debug)]
pub(in crate::estimate) struct Lacking<'s>(pub(in crate::estimate) Vec<(&'s PublishedThroughput, String)>);

/// A published speed with what is predicted for it without factors.
#[derive(Debug)]
pub(in crate::estimate) struct Plain<'s> {
    pub(in crate::estimate) row: Measured<'s>,
    without_factors: Prediction,
    /// How much the speed follows a factor.
    slope: f64,
}

impl Plain<'_> {
    /// What is predicted at so many times the speed.
    fn at(&self, constants: &Constants, factor: f64) -> Prediction {
        if self.row.limit.is_some() {
            return self.row.predict(constants, factor).unwrap_or(self.without_factors);
        }
        // Where nothing limits time, the batch does not depend on the speed.
        Prediction {
            figure: self.without_factors.figure * factor.powf(self.slope),
            layout: self.without_factors.layout,
            times_ms: self.without_factors.times_ms.map(|times| times.map(|time| time / factor)),
        }
    }

    fn observation(&self, factors: &Factors) -> Observation {
        Observation {
            beyond: (self.row.figure / self.without_factors.figure).ln(),
            slope: self.slope,
            factors: factors.places_of(&self.row),
        }
    }
}

impl Measured<'_> {
    /// `d ln(figure) / d ln(factor)`: 1 of speeds, -1 of times; less than that of what a limit of time holds back.
    fn slope(&self, constants: &Constants) -> f64 {
        const STEP: f64 = 1.05;
        if self.limit.is_none() {
            return if self.regime.unit() == "ms" { -1.0 } else { 1.0 };
        }
        let at = |factor: f64| self.best(constants, factor).map_or(1.0, |(_, figure)| figure);
        (at(STEP) / at(STEP.recip())).ln() / (2.0 * STEP.ln())
    }
}

/// Published speeds that the physics has an answer for.
#[derive(Debug)]
pub(in crate::estimate) struct Predicted<'s> {
    pub(in crate::estimate) rows: Vec<Plain<'s>>,
    pub(in crate::estimate) lacking: Vec<(&'s PublishedThroughput, String)>,
    constants: Constants,
    pub(super) factors: Factors,
}

/// A published speed as engines would quote it that have not seen its accelerator, or not its family of models.
#[derive(Debug, Clone, Copy)]
pub(in crate::estimate) struct HeldOut<'p, 's> {
    pub(in crate::estimate) row: &'p Measured<'s>,
    pub(in crate::estimate) without_gpu: Prediction,
    pub(in crate::estimate) without_family: Prediction,
}

impl HeldOut<'_, '_> {
    /// How a prediction divides the model.
    pub(in crate::estimate) fn layout(&self, prediction: &Prediction) -> Parallelism {
        self.row.layout(prediction.layout).into()
    }
}

impl<'s> Predicted<'s> {
    /// The logarithms of the factors that all fitted regimes give, by place.
    pub(super) fn fitted(&self) -> Vec<f64> {
        self.fit(&self.observations(), None, &vec![0.0; self.factors.len()])
    }

    /// The factors that all fitted regimes give, by id, to four decimals.
    pub(in crate::estimate) fn fitted_factors(&self) -> Vec<(&str, f64)> {
        let values = self.fitted();
        let decimals = |value: f64| (value.exp() * 1e4).round() / 1e4;
        self.factors.ids().map(|(id, at)| (id, decimals(values[at]))).collect()
    }

    /// The fitted regimes' rows, and `ln(measured/predicted)` with factors.
    pub(super) fn residuals(&self, factors: &[f64]) -> impl Iterator<Item = (&Measured<'s>, f64)> {
        let fitted = self.rows.iter().filter(|plain| plain.row.regime.is_fitted());
        fitted.map(|plain| {
            let figure = plain.at(&self.constants, self.factor(plain, factors)).figure;
            (&plain.row, (plain.row.figure / figure).ln())
        })
    }

    /// Of rows whose time to the first token is published: what it is made of, and that time; seconds.
    pub(super) fn first_token_parts(&self, factors: &[f64]) -> Vec<([f64; 3], f64)> {
        let fitted = self.rows.iter().filter(|plain| plain.row.regime.is_fitted());
        let parts = fitted.filter_map(|plain| {
            let measured = plain.row.setup.ttft_ms.filter(|time| *time > 0.0)? / 1e3;
            let factor = self.factor(plain, factors);
            let layout = plain.at(&self.constants, factor).layout;
            Some((plain.row.first_token_parts(&self.constants, layout, factor), measured))
        });
        parts.collect()
    }

    fn factor(&self, plain: &Plain<'s>, factors: &[f64]) -> f64 {
        let places = self.factors.places_of(&plain.row).into_iter().flatten();
        places.map(|at| factors[at]).sum::<f64>().exp()
    }

    fn observations(&self) -> Vec<Observation> {
        self.rows.iter().map(|plain| plain.observation(&self.factors)).collect()
    }

    /// The logarithms of the factors without the rows of one of them.
    fn fit(&self, observations: &[Observation], without: Option<usize>, start: &[f64]) -> Vec<f64> {
        let rows = self.rows.iter().zip(observations).filter(|(plain, observation)| {
            let left_out = without.is_some() && observation.factors.contains(&without);
            plain.row.regime.is_fitted() && !left_out
        });
        self.factors.fit(&rows.map(|(_, observation)| observation), start)
    }

    /// Each row by factors that were fitted without its accelerator's rows, and without its family's.
    pub(in crate::estimate) fn held_out(&self) -> Vec<HeldOut<'_, 's>> {
        let observations = self.observations();
        let all = self.fit(&observations, None, &vec![0.0; self.factors.len()]);
        let without: Vec<Vec<f64>> =
            (0..self.factors.len()).map(|at| self.fit(&observations, Some(at), &all)).collect();
        let factor = |observation: &Observation, kind: usize| {
            let values = observation.factors[kind].map_or(&all, |at| &without[at]);
            observation.factors.into_iter().flatten().map(|at| values[at]).sum::<f64>().exp()
        };
        let held_out = self.rows.iter().zip(&observations).map(|(plain, observation)| {
            let at = |kind| plain.at(&self.constants, factor(observation, kind));
            HeldOut { row: &plain.row, without_gpu: at(GPU), without_family: at(FAMILY) }
        });
        held_out.collect()
    }
}
