//! What declines, by how much, and what follows for a line.

use jiff::Timestamp;

use super::{answer::ProjectedRate, request::Decline, span::years_between};
use crate::catalog::money::rounded_to_nine;
use crate::estimate::{
    desk::{Desk, Sourced},
    fault::FaultKind,
    figure::Figure,
    metric::Metric,
    uncertain::Uncertain,
};

/// What a rate is counted in.
const PER_YEAR: &str = "1/year";

/// From when on something declines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// The instant of today's quote: no price knows it.
    Today,
    /// The end of what is known of the price.
    LastPrice,
}

/// A yearly decline by its name.
#[derive(Debug, Clone)]
struct Rate<'a> {
    name: String,
    yearly: Sourced<'a>,
    since: Since,
}

/// What declines by how much.
#[derive(Debug, Default)]
pub(super) struct Rates<'a> {
    training: Vec<Rate<'a>>,
    inference: Vec<Rate<'a>>,
    hardware: Vec<Rate<'a>>,
    lines: Vec<Rate<'a>>,
}

/// When a line is priced, and when it is carried to.
#[derive(Debug, Clone, Copy)]
pub(super) struct When {
    pub(super) today: Timestamp,
    pub(super) known_until: Timestamp,
    pub(super) to: Timestamp,
}

/// What is left of a line, and how that comes about.
#[derive(Debug, Clone)]
pub(super) struct Factor {
    pub(super) left: Uncertain,
    pub(super) formula: String,
    pub(super) rates: Vec<ProjectedRate>,
}

impl Factor {
    /// Whether all is left, in every world.
    pub(super) fn is_one(&self) -> bool {
        self.left.is_exact() && self.left.mid() >= 1.0
    }
}

impl<'a> Rates<'a> {
    /// The rates that are given, and assumptions for the others; faults are left at the desk.
    pub(super) fn read(desk: &mut Desk<'a, '_>, asked: &Decline) -> Option<Self> {
        let before = desk.faults.len();
        let mut read = |name: &str, field: &str, given: Option<Figure>, row: &str, since| {
            let rate = match given {
                Some(figure) => given_rate(desk, field, figure),
                None => desk.assumption(row),
            };
            rate.map(|rate| Rate { name: name.to_owned(), yearly: rate, since })
        };
        let hardware =
            read("hardware", "/hardware", asked.hardware, "project.hardware_decline", Since::LastPrice);
        let algorithm =
            read("algorithm", "/algorithm", asked.algorithm, "project.algorithm_decline", Since::Today);
        let inference =
            read("inference", "/inference", asked.inference, "project.inference_decline", Since::LastPrice);
        let whole =
            asked.training.map(|figure| read("training", "/training", Some(figure), "", Since::LastPrice));
        let training: Vec<_> = match whole {
            Some(whole) => whole.into_iter().collect(),
            None => algorithm.into_iter().chain(hardware.clone()).collect(),
        };
        let mut lines = Vec::new();
        for (code, figure) in asked.lines.iter() {
            let field = crate::estimate::fault::pointer("/lines", code);
            lines.extend(read(code, &field, Some(*figure), "", Since::LastPrice));
        }
        if asked.training.is_some() && asked.algorithm.is_some() {
            let detail =
                "`training` stands for `algorithm` and `hardware` together: give it or them".to_owned();
            desk.fault("/training", FaultKind::Contradiction { detail });
        }
        let (inference, hardware) = (inference.into_iter().collect(), hardware.into_iter().collect());
        (desk.faults.len() == before).then_some(Self { training, inference, hardware, lines })
    }

    /// Codes that rates are given for.
    pub(super) fn codes(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|rate| rate.name.as_str())
    }

    /// What is left of a line.
    pub(super) fn factor(&self, kind: &str, code: &str, when: When) -> Factor {
        let own = self.lines.iter().find(|rate| rate.name == code).map(std::slice::from_ref);
        let rates = own.unwrap_or_else(|| self.usual(kind, code));
        let mut factor = Factor { left: Uncertain::exact(1.0), formula: String::new(), rates: Vec::new() };
        for Rate { name, yearly: rate, since } in rates {
            let from = match since {
                Since::Today => when.today,
                Since::LastPrice => when.known_until,
            };
            let years = years_between(from, when.to);
            let left = rate.value.map(|rate| (1.0 - rate).max(0.0).powf(years));
            factor.left = if factor.rates.is_empty() { left } else { &factor.left * &left };
            let times = if factor.formula.is_empty() { "" } else { " * " };
            let term = format!("{times}(1 - {name})^{}", rounded_to_nine(years));
            factor.formula.push_str(&term);
            factor.rates.push(ProjectedRate {
                name: name.clone(),
                rate: Metric::of(&rate.value, PER_YEAR),
                years: rounded_to_nine(years),
                origin: rate.origin,
                reference: rate.reference.map(|reference| reference.to_string()),
            });
        }
        if factor.rates.is_empty() {
            factor.formula.push('1');
        }
        factor
    }

    fn usual(&self, kind: &str, code: &str) -> &[Rate<'a>] {
        match (kind, code) {
            ("api_usage", _) | ("serving", "compute") => &self.inference,
            ("training", code) if code.ends_with(".teacher") => &self.inference,
            ("training", "experiments" | "failed_runs") => &self.training,
            ("training", code) if code.ends_with(".compute") || code.ends_with(".reward") => &self.training,
            // What is bought, and what is a share of that.
            ("ownership", "maintenance" | "capital" | "residual") => &self.hardware,
            ("ownership", code) if code.starts_with("hardware.") => &self.hardware,
            _ => &[],
        }
    }
}

fn given_rate<'a>(desk: &mut Desk<'a, '_>, field: &str, figure: Figure) -> Option<Sourced<'a>> {
    if figure.0.high() > 1.0 {
        let detail = format!("must be at most 1: nothing is left then; got {}", figure.0.high());
        desk.fault(field, FaultKind::out_of_range(detail));
        return None;
    }
    Some(desk.given(field, figure, PER_YEAR))
}
