//! Where something changes between two numbers, narrowed down to neighbours.
//!
//! A root finder that keeps its bracket (Brent's, of the crate `roots`) looks for the change; what it asks for is
//! rounded to numbers that may be asked, so that it ends between two of them that have no other in between, at a jump
//! as at a smooth root.

use std::cell::Cell;

use roots::{Convergency, find_root_brent};

use super::grid::in_digits;

/// Rounds of the root finder; halving alone takes fifty from one to 10^15.
const MOST_ROUNDS: usize = 100;

/// How far apart neighbours among the real numbers are, relative to their size.
const RESOLUTION: f64 = 1e-10;

/// Values this much smaller than those at both ends are close to a smooth root.
const NEAR_ROOT: f64 = 1e-4;

/// Numbers that may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Whole numbers.
    Whole,
    /// Numbers of at most twelve digits.
    Real,
}

impl Domain {
    /// The nearest number that may be asked.
    #[must_use]
    pub fn nearest(self, value: f64) -> f64 {
        match self {
            Self::Whole => value.round(),
            Self::Real => in_digits(value),
        }
    }

    /// The distance of neighbours around a number.
    pub(super) fn step(self, at: f64, span: f64) -> f64 {
        match self {
            Self::Whole => 1.0,
            Self::Real => RESOLUTION * at.abs().max(RESOLUTION * span),
        }
    }

    /// A number between two, halfway by ratio where they are far apart; none where they are neighbours.
    pub(super) fn between(self, low: f64, high: f64) -> Option<f64> {
        let middle =
            if low > 0.0 && high / low > 4.0 { (low * high).sqrt() } else { f64::midpoint(low, high) };
        let middle = self.nearest(middle);
        (low < middle && middle < high && high - low > self.step(high, high - low)).then_some(middle)
    }
}

/// Two neighbours between which something changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// The last number before.
    pub before: f64,
    /// The first number after.
    pub after: f64,
}

/// Finds the edge between a number at which a function is below zero and a larger one at which it is not.
///
/// # Errors
/// Those of the function.
///
/// ```
/// use farthing::decide::edge::{Domain, Edge, edge};
/// let square = |x: f64| Ok::<_, ()>(x * x - 10.0);
/// assert_eq!(edge(Domain::Whole, (0.0, -10.0), (100.0, 9990.0), square), Ok(Edge { before: 3.0, after: 4.0 }));
/// ```
pub fn edge<E>(
    domain: Domain,
    before: (f64, f64),
    after: (f64, f64),
    function: impl FnMut(f64) -> Result<f64, E>,
) -> Result<Edge, E> {
    let ends = Ends {
        domain,
        span: after.0 - before.0,
        before: before.0.into(),
        after: after.0.into(),
        has_failed: Cell::new(false),
    };
    let small = NEAR_ROOT * before.1.abs().min(after.1.abs());
    let mut search = Search { ends: &ends, known: vec![before, after], small, error: None, function };
    // By the size of the values first; then, should that not have got there, by their signs alone, which is halving.
    for by_size in [true, false] {
        let value = |at: f64| {
            let value = search.near(at);
            if by_size { value } else { value.signum() }
        };
        // What it finds is in the ends, whatever it says.
        let _ = find_root_brent(before.0, after.0, value, &mut Rounds(&ends));
        if ends.has_failed.get() || ends.are_neighbours() {
            break;
        }
    }
    match search.error {
        Some(error) => Err(error),
        None => Ok(Edge { before: ends.before.get(), after: ends.after.get() }),
    }
}

/// The bracket.
struct Ends {
    domain: Domain,
    span: f64,
    before: Cell<f64>,
    after: Cell<f64>,
    has_failed: Cell<bool>,
}

impl Ends {
    fn step(&self, at: f64) -> f64 {
        self.domain.step(at, self.span)
    }

    fn are_neighbours(&self) -> bool {
        let (before, after) = (self.before.get(), self.after.get());
        after - before <= self.step(before.abs().max(after.abs()))
    }

    fn narrow(&self, at: f64, value: f64) {
        let end = if value < 0.0 { &self.before } else { &self.after };
        if self.before.get() < at && at < self.after.get() {
            end.set(at);
        }
    }
}

/// A function that is asked, and what it has said.
struct Search<'e, E, F> {
    ends: &'e Ends,
    known: Vec<(f64, f64)>,
    /// Values of this size lie close to a smooth root.
    small: f64,
    error: Option<E>,
    function: F,
}

impl<E, F: FnMut(f64) -> Result<f64, E>> Search<'_, E, F> {
    /// The value at the nearest number that may be asked; where it is small, the other side is looked for close by.
    fn near(&mut self, at: f64) -> f64 {
        let at = self.ends.domain.nearest(at);
        let value = self.at(at);
        if value.abs() < self.small && !self.ends.are_neighbours() {
            self.walk(at, value);
        }
        value
    }

    /// Goes in growing steps towards the other side, until it is there.
    fn walk(&mut self, from: f64, value: f64) {
        let towards = if value < 0.0 { 1.0 } else { -1.0 };
        let mut step = self.ends.step(from);
        for _ in 0..8 {
            let at = self.ends.domain.nearest(from + towards * step);
            if (self.at(at) < 0.0) != (value < 0.0) {
                return;
            }
            step *= 8.0;
        }
    }

    fn at(&mut self, at: f64) -> f64 {
        let (before, after) = (self.ends.before.get(), self.ends.after.get());
        if at <= before || at >= after {
            let end = if at <= before { before } else { after };
            let same =
                |known: &&(f64, f64)| known.0.to_bits() == at.to_bits() || known.0.to_bits() == end.to_bits();
            return self.known.iter().rev().find(same).map_or(0.0, |known| known.1);
        }
        if self.ends.has_failed.get() {
            return 0.0;
        }
        match (self.function)(at) {
            Ok(value) => {
                // Brent's method divides by differences: zero counts as after, and nothing is without end.
                let value = if value == 0.0 { f64::MIN_POSITIVE } else { value.clamp(-1e100, 1e100) };
                self.known.push((at, value));
                self.ends.narrow(at, value);
                value
            }
            Err(error) => {
                self.error = Some(error);
                self.ends.has_failed.set(true);
                0.0
            }
        }
    }
}

/// When the root finder may stop.
struct Rounds<'e>(&'e Ends);

impl Convergency<f64> for Rounds<'_> {
    fn is_root_found(&mut self, _: f64) -> bool {
        self.0.has_failed.get() || self.0.are_neighbours()
    }

    fn is_converged(&mut self, one: f64, other: f64) -> bool {
        (one - other).abs() <= self.0.step(one.abs().max(other.abs()))
    }

    fn is_iteration_limit_reached(&mut self, rounds: usize) -> bool {
        rounds >= MOST_ROUNDS
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The edge, and how often the function was asked.
    fn found(domain: Domain, from: f64, to: f64, function: impl Fn(f64) -> f64) -> (Edge, usize) {
        let mut asked = 0;
        let counting = |at: f64| {
            asked += 1;
            Ok::<_, ()>(function(at))
        };
        let edge = edge(domain, (from, function(from)), (to, function(to)), counting).unwrap();
        (edge, asked)
    }

    #[test]
    fn a_smooth_root_takes_few_questions() {
        let (edge, asked) = found(Domain::Real, 0.0, 1e6, |x| 3.0 * x - 1e5);
        assert!((edge.after * 3e-5 - 1.0).abs() < 1e-9 && edge.before < edge.after, "{edge:?}");
        assert!(asked <= 12, "{asked}");
    }

    #[test]
    fn a_jump_is_found_to_the_number() {
        let (edge, asked) = found(Domain::Whole, 1.0, 1e9, |x| if x < 123_457.0 { -1.0 } else { 1e6 });
        assert_eq!(edge, Edge { before: 123_456.0, after: 123_457.0 });
        assert!(asked < 100, "{asked}");
    }

    #[test]
    fn nothing_counts_as_after() {
        let (edge, _) =
            found(Domain::Whole, 0.0, 100.0, |x| if (40.0..60.0).contains(&x) { 0.0 } else { x - 50.0 });
        assert_eq!(edge, Edge { before: 39.0, after: 40.0 });
    }

    #[test]
    fn what_goes_wrong_on_the_way_is_told() {
        let mut left = 3;
        let function = |at: f64| {
            left -= 1;
            if left == 0 { Err("stopped") } else { Ok(if at < 77.0 { -1.0 } else { 1.0 }) }
        };
        assert_eq!(edge(Domain::Whole, (0.0, -1.0), (1e12, 1.0), function), Err("stopped"));
        assert_eq!(left, 0);
    }

    proptest! {
        #[test]
        fn an_edge_lies_where_the_sign_changes(
            at in 1_u32..1_000_000, below in -1e9_f64..-1e-9, above in 0.0_f64..1e9, slope in 0.0_f64..10.0,
        ) {
            let at = f64::from(at);
            let function = |x: f64| (if x < at { below } else { above }) + slope * (x - at);
            let (edge, asked) = found(Domain::Whole, 0.0, 1e6, function);
            prop_assert_eq!(edge, Edge { before: at - 1.0, after: at });
            prop_assert!(asked <= 200);
        }

        #[test]
        fn real_neighbours_are_close(root in 1e-6_f64..1e6, power in 0.3_f64..3.0) {
            let (edge, _) = found(Domain::Real, 0.0, 2e6, |x| x.powf(power) - root.powf(power));
            prop_assert!(edge.before < edge.after && edge.after - edge.before <= 1.2e-10 * edge.after.max(2e6 * 1e-10));
            prop_assert!((edge.after / root - 1.0).abs() < 1e-9, "{:?} {}", edge, root);
        }
    }
}
