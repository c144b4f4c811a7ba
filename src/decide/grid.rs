//! Which numbers a question goes through: a range in even steps or even ratios, or a list.

use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::money::parse_decimal,
    estimate::{
        fault::{Fault, FaultKind, pointer},
        object::Object,
    },
};

/// Numbers of one question at most.
pub const MOST_VALUES: usize = 10_000;

/// Numbers of a range where it does not say.
const USUAL_STEPS: u64 = 50;

/// Significant digits that the numbers between the ends are rounded to: so many are free of rounding on the way.
const DIGITS: usize = 12;

/// From one number to another.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GridRange)]
pub struct Range {
    /// The first number.
    #[schema(example = 1)]
    pub from: f64,
    /// The last number, larger than the first.
    #[schema(example = 1.0e6)]
    pub to: f64,
    /// How many numbers, both ends among them.
    #[schema(minimum = 2, maximum = 10_000, default = 50, example = 7)]
    pub steps: Option<u64>,
    /// How they lie between the ends.
    #[serde(default)]
    pub scale: Scale,
}

/// How numbers lie between two ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GridScale)]
pub enum Scale {
    /// At even distances.
    #[default]
    Linear,
    /// At even ratios; both ends are greater than zero.
    Log,
}

/// The numbers, each as JSON spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The numbers in their order.
    pub values: Vec<Box<str>>,
    /// Whether they come from a range, and may be rounded to whole ones where nothing else will do.
    pub is_range: bool,
}

impl Grid {
    /// The numbers of a range or of a list, one of which has to be given.
    ///
    /// # Errors
    /// Every fault of either, with pointers from the body that holds them as `range` and `values`.
    pub fn new(range: Option<&Object<Range>>, values: Option<&[&RawValue]>) -> Result<Self, Vec<Fault>> {
        match (range, values) {
            (Some(range), None) => Self::of_range(range.0),
            (None, Some(values)) => Self::of_list(values),
            (None, None) => {
                let kind = FaultKind::MissingField { name: "range".to_owned() };
                Err(vec![Fault::new("/range", kind)])
            }
            (Some(_), Some(_)) => {
                let detail = "`range` and `values` say the same thing: give one of them".to_owned();
                Err(vec![Fault::new("/values", FaultKind::Contradiction { detail })])
            }
        }
    }

    fn of_range(range: Range) -> Result<Self, Vec<Fault>> {
        let Range { from, to, scale, .. } = range;
        let steps = steps(range);
        let mut faults = Vec::new();
        let mut fault = |field: &str, detail: String| {
            faults.push(Fault::new(pointer("/range", field), FaultKind::out_of_range(detail)));
        };
        if steps.is_none() {
            fault("steps", format!("must be a whole number from 2 to {MOST_VALUES}"));
        }
        if !(from.is_finite() && to.is_finite()) {
            fault("to", "must be finite".to_owned());
        } else if from >= to {
            fault("to", format!("must be more than `from`, which is {from}, got {to}"));
        }
        if scale == Scale::Log && from <= 0.0 {
            fault("from", format!("must be more than 0 on a logarithmic scale, got {from}"));
        }
        match steps {
            Some(steps) if faults.is_empty() => Ok(Self { values: between(range, steps), is_range: true }),
            _ => Err(faults),
        }
    }

    fn of_list(values: &[&RawValue]) -> Result<Self, Vec<Fault>> {
        if !(1..=MOST_VALUES).contains(&values.len()) {
            let detail = format!("must hold 1 to {MOST_VALUES} numbers, got {}", values.len());
            return Err(vec![Fault::new("/values", FaultKind::out_of_range(detail))]);
        }
        let (mut read, mut faults) = (Vec::with_capacity(values.len()), Vec::new());
        for (at, value) in values.iter().enumerate() {
            match number(value.get()) {
                Some(text) => read.push(text.into()),
                None => faults.push(Fault::new(
                    format!("/values/{at}"),
                    FaultKind::wrong_type("must be a number or a decimal string"),
                )),
            }
        }
        if faults.is_empty() { Ok(Self { values: read, is_range: false }) } else { Err(faults) }
    }

    /// Whether every number is whole.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.values.iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
    }

    /// The nearest whole numbers, each once.
    #[must_use]
    pub fn rounded(&self) -> Self {
        let nearest =
            |value: &str| value.parse::<f64>().map_or_else(|_| value.into(), |value| spelt(value.round()));
        let mut values: Vec<Box<str>> = self.values.iter().map(|value| nearest(value)).collect();
        values.dedup();
        Self { values, is_range: self.is_range }
    }
}

fn steps(range: Range) -> Option<usize> {
    let steps = usize::try_from(range.steps.unwrap_or(USUAL_STEPS)).ok()?;
    (2..=MOST_VALUES).contains(&steps).then_some(steps)
}

/// The numbers of a range: the ends as they are, what lies between rounded to twelve digits.
///
/// Number `i` of `n`, with `t = i / (n - 1)`: `from (1 - t) + to t`, or `from^(1 - t) to^t`.
fn between(Range { from, to, scale, .. }: Range, steps: usize) -> Vec<Box<str>> {
    #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
    let inner = |at: usize| {
        let t = at as f64 / (steps - 1) as f64;
        let value = match scale {
            Scale::Linear => from * (1.0 - t) + to * t,
            Scale::Log => (from.ln() * (1.0 - t) + to.ln() * t).exp(),
        };
        in_digits(value)
    };
    let inner = (1..steps - 1).map(inner).map(|value: f64| value.clamp(from, to));
    let mut values: Vec<Box<str>> = std::iter::once(from).chain(inner).chain([to]).map(spelt).collect();
    values.dedup();
    values
}

/// A number rounded to twelve digits.
pub(super) fn in_digits(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value)
}

/// A number without exponent, and without point where it is whole; with an exponent only where it would be very long.
pub(super) fn spelt(value: f64) -> Box<str> {
    let size = value.abs();
    if size == 0.0 {
        return "0".into();
    }
    if (1e-28..1e28).contains(&size) { format!("{value}").into() } else { format!("{value:e}").into() }
}

/// The text of a JSON number, or of a decimal string.
fn number(json: &str) -> Option<&str> {
    match json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) => parse_decimal(text).is_ok().then_some(text),
        None => json.starts_with(|c: char| c.is_ascii_digit() || c == '-').then_some(json),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(from: f64, to: f64, steps: u64, scale: Scale) -> Result<Vec<Box<str>>, Vec<String>> {
        let range = Object(Range { from, to, steps: Some(steps), scale });
        let pointers = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.pointer).collect();
        Grid::new(Some(&range), None).map(|grid| grid.values).map_err(pointers)
    }

    #[test]
    fn numbers_lie_at_even_distances_or_ratios() {
        let texts = |values: Vec<Box<str>>| values.join(" ");
        assert_eq!(
            texts(range(0.0, 1.0, 11, Scale::Linear).unwrap()),
            "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"
        );
        assert_eq!(texts(range(1.0, 1e6, 7, Scale::Log).unwrap()), "1 10 100 1000 10000 100000 1000000");
        assert_eq!(texts(range(-2.0, 2.0, 3, Scale::Linear).unwrap()), "-2 0 2");
    }

    #[test]
    fn a_range_upside_down_too_fine_or_without_a_logarithm_is_refused() {
        let refused = |from, to, steps, scale| range(from, to, steps, scale).unwrap_err();
        assert_eq!(refused(2.0, 1.0, 5, Scale::Linear), ["/range/to"]);
        assert_eq!(refused(1.0, 1.0, 5, Scale::Linear), ["/range/to"]);
        assert_eq!(refused(1.0, 2.0, 1, Scale::Linear), ["/range/steps"]);
        assert_eq!(refused(1.0, 2.0, 10_001, Scale::Linear), ["/range/steps"]);
        assert_eq!(refused(0.0, 2.0, 5, Scale::Log), ["/range/from"]);
        assert_eq!(refused(1.0, f64::INFINITY, 5, Scale::Log), ["/range/to"]);
        assert_eq!(refused(-1.0, -2.0, 0, Scale::Log), ["/range/steps", "/range/to", "/range/from"]);
    }

    #[test]
    fn a_list_holds_numbers_and_decimal_strings() {
        let list = |json: &str| {
            let raw: Vec<&RawValue> = serde_json::from_str(json).unwrap();
            Grid::new(None, Some(&raw)).map(|grid| grid.values.join(" "))
        };
        assert_eq!(list(r#"[1, 2.50, "3.10", 1e3, -4]"#).unwrap(), "1 2.50 3.10 1e3 -4");
        let faults = list(r#"[1, "many", null, true]"#).unwrap_err();
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, ["/values/1", "/values/2", "/values/3"]);
        assert!(list("[]").is_err());
    }

    #[test]
    fn one_of_the_two_is_given() {
        assert_eq!(Grid::new(None, None).unwrap_err()[0].pointer, "/range");
        let range = Object(Range { from: 0.0, to: 1.0, steps: None, scale: Scale::Linear });
        assert_eq!(Grid::new(Some(&range), Some(&[])).unwrap_err()[0].kind.code(), "contradiction");
        assert_eq!(Grid::new(Some(&range), None).unwrap().values.len(), 50);
    }

    #[test]
    fn whole_numbers_come_once() {
        let grid = Grid { values: range(1.0, 10.0, 30, Scale::Log).unwrap(), is_range: true };
        assert!(!grid.is_whole());
        assert_eq!(grid.rounded().values.join(" "), "1 2 3 4 5 6 7 8 9 10");
        assert!(grid.rounded().is_whole());
    }

    proptest! {
        #[test]
        fn numbers_rise_from_end_to_end(from in -1e9_f64..1e9, width in 1e-3_f64..1e12, steps in 2_u64..60, log: bool) {
            let (from, scale) = if log { (from.abs() + 1e-6, Scale::Log) } else { (from, Scale::Linear) };
            let values = range(from, from + width, steps, scale).unwrap();
            let numbers: Vec<f64> = values.iter().map(|value| value.parse().unwrap()).collect();
            prop_assert_eq!((numbers[0], numbers[numbers.len() - 1]), (from, from + width));
            prop_assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
