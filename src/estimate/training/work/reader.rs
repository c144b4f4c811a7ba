//! Reads the fields of a stage: present where they are needed, and in bounds.

use super::{Counted, Wanted};
use crate::estimate::{
    desk::{Desk, Sourced},
    fault::FaultKind,
    figure::Figure,
    uncertain::Uncertain,
};

/// No count is larger: a million times the tokens that there are. Products of five of them stay finite.
const MOST: f64 = 1e18;

/// No count is smaller, so that neither hours nor amounts vanish.
const LEAST: f64 = 1e-6;

/// No run has more arithmetic.
const MOST_FLOPS: f64 = 1e36;

/// A share is not smaller: what is divided by it stays finite.
const LEAST_SHARE: f64 = 1e-6;

/// The fields of one stage.
pub(super) struct Reader<'d, 'a, 'r> {
    pub(super) desk: &'d mut Desk<'a, 'r>,
    place: &'d str,
    pub(super) wanted: Wanted,
}

impl<'d, 'a, 'r> Reader<'d, 'a, 'r> {
    pub(super) fn new(desk: &'d mut Desk<'a, 'r>, place: &'d str, wanted: Wanted) -> Self {
        Self { desk, place, wanted }
    }

    /// Notes a fault of a field.
    pub(super) fn fault(&mut self, field: &str, kind: FaultKind) {
        let place = format!("{}/{field}", self.place);
        self.desk.fault(&place, kind);
    }

    /// A count above zero. Where it is needed and missing, that is a fault.
    pub(super) fn count(
        &mut self,
        field: &str,
        figure: Option<Figure>,
        unit: &'static str,
    ) -> Option<Sourced<'a>> {
        if figure.is_none() && self.wanted.tokens {
            self.fault(field, FaultKind::MissingField { name: field.to_owned() });
        }
        self.above_zero(field, figure?, MOST, unit)
    }

    /// A count above zero that is one where nothing is said.
    pub(super) fn times(&mut self, field: &str, figure: Option<Figure>) -> Option<Sourced<'a>> {
        self.count_or(field, figure, 1.0, "ratio")
    }

    /// A count above zero that has a default.
    pub(super) fn count_or(
        &mut self,
        field: &str,
        figure: Option<Figure>,
        default: f64,
        unit: &'static str,
    ) -> Option<Sourced<'a>> {
        match figure {
            Some(figure) => self.above_zero(field, figure, MOST, unit),
            None => Some(Sourced::derived(Uncertain::exact(default), unit)),
        }
    }

    /// A count above zero, if it is given.
    pub(super) fn optional(
        &mut self,
        field: &str,
        figure: Option<Figure>,
        unit: &'static str,
    ) -> Option<Sourced<'a>> {
        self.above_zero(field, figure?, MOST, unit)
    }

    fn above_zero(
        &mut self,
        field: &str,
        figure: Figure,
        most: f64,
        unit: &'static str,
    ) -> Option<Sourced<'a>> {
        let wrong = if figure.mid() < LEAST {
            format!("must be above 0, got {}", figure.mid())
        } else if figure.0.high() > most {
            format!("must be at most {most:e}, got {:e}", figure.0.high())
        } else {
            let place = format!("{}/{field}", self.place);
            return Some(self.desk.given(&place, figure, unit));
        };
        self.fault(field, FaultKind::out_of_range(wrong));
        None
    }

    /// A share in (0, 1] that is one where nothing is said.
    pub(super) fn share(&mut self, field: &str, figure: Option<Figure>) -> Option<Sourced<'a>> {
        let Some(figure) = figure else {
            return Some(Sourced::derived(Uncertain::exact(1.0), "ratio"));
        };
        let (low, high) = (figure.0.low(), figure.0.high());
        if low < LEAST_SHARE || high > 1.0 {
            let got = if high > 1.0 { high } else { low };
            self.fault(field, FaultKind::out_of_range(format!("must be in (0, 1], got {got}")));
            return None;
        }
        let place = format!("{}/{field}", self.place);
        let mut share = self.desk.given(&place, figure, "ratio");
        share.value = share.value.map(|share| share.clamp(LEAST_SHARE, 1.0));
        Some(share)
    }

    /// The arithmetic that the request itself names.
    pub(super) fn flops(&mut self, given: Option<Figure>) -> Option<Counted<'a>> {
        let given = self.above_zero("flops", given?, MOST_FLOPS, "FLOP")?;
        Some(Counted { value: given.value.clone(), formula: "flops", inputs: vec![("flops", given)] })
    }
}

impl<'a> Counted<'a> {
    /// The product of some figures, over some others.
    pub(crate) fn quotient<const M: usize, const N: usize>(
        formula: &'static str,
        factors: [(&'static str, Sourced<'a>); M],
        divisors: [(&'static str, Sourced<'a>); N],
    ) -> Self {
        let mut value = Uncertain::exact(1.0);
        for (_, factor) in &factors {
            value = &value * &factor.value;
        }
        for (_, divisor) in &divisors {
            value = &value / &divisor.value;
        }
        let inputs = factors.into_iter().chain(divisors).collect();
        Self { value, formula, inputs }
    }

    /// It, as an input of the next formula.
    pub(crate) fn sourced(&self, unit: &'static str) -> Sourced<'a> {
        match self.inputs.as_slice() {
            [(name, only)] if *name == self.formula => only.clone(),
            _ => Sourced::derived(self.value.clone(), unit),
        }
    }
}
