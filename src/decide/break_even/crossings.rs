//! Where two curves cross.
//!
//! Between two points that have been asked, curves that go one way stay within the box of their ends: where the boxes
//! do not overlap there is no crossing; where they do, the span is halved, [`DEEPEST`] times at most. Of curves that
//! only rise no crossing is missed then, unless two of them lie closer together than that.

use crate::decide::edge::{Domain, edge};

/// How often a span between two points is halved.
const DEEPEST: u32 = 8;

/// Numbers that are asked besides the points, to find where a crossing may hide.
const MOST_ASKED: usize = 2_000;

/// Crossings that are looked for.
pub(super) const MOST_CROSSINGS: usize = 100;

/// What is called a jump is this many times as large as what happens beside it.
const JUMP: f64 = 3.0;

/// What is called a jump is at least so large, relative to the curve: sums of money are rounded.
const LEAST_JUMP: f64 = 1e-7;

/// Both curves at a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Both {
    pub(super) a: f64,
    pub(super) b: f64,
    /// `a - b`; its sign is exact.
    pub(super) gap: f64,
    /// P10 and P90 of `a - b`.
    pub(super) range: (f64, f64),
}

/// A number, and both curves there; none where one of them has no value.
pub(super) type Asked = (f64, Option<Both>);

/// How the curves cross.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Manner {
    /// They meet.
    Meeting,
    /// One of them jumps over the other, or both do.
    Jump { a: bool, b: bool },
    /// Somewhere between two numbers; in between one of them has no value.
    Gap,
}

/// A place where the other curve becomes the lower one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Crossing {
    /// The last number at which the one is lower that was.
    pub(super) before: f64,
    /// The first at which it is not.
    pub(super) after: f64,
    /// Whether it is `b` that is lower from here on.
    pub(super) to_b: bool,
    pub(super) manner: Manner,
    /// P10 of where they cross; none: before the first point.
    pub(super) low: Option<f64>,
    /// P90; none: beyond the last point.
    pub(super) high: Option<f64>,
    /// Whether the two are more than the crossing itself.
    pub(super) is_uncertain: bool,
}

/// Asks for both curves at a number.
pub(super) trait Ask<E>: FnMut(f64) -> Result<Option<Both>, E> {}

impl<E, F: FnMut(f64) -> Result<Option<Both>, E>> Ask<E> for F {}

/// All crossings of two curves that have been asked at points.
pub(super) fn crossings<E>(
    points: &[Asked],
    domain: Domain,
    mut ask: impl Ask<E>,
) -> Result<Vec<Crossing>, E> {
    let points = refined(points, domain, &mut ask)?;
    let mut found = changes(&points, domain, &mut ask, |both| both.gap)?;
    let is_known = |(_, both): &Asked| both.is_none_or(|both| both.range.0 >= both.range.1);
    if !found.is_empty() && !points.iter().all(is_known) {
        let of_low = changes(&points, domain, &mut ask, |both| both.range.0)?;
        let of_high = changes(&points, domain, &mut ask, |both| both.range.1)?;
        for crossing in &mut found {
            // `a - b` rises where `b` becomes the lower one: its P90 gets there first.
            let (early, late) = if crossing.to_b { (&of_high, &of_low) } else { (&of_low, &of_high) };
            let same = |other: &&Crossing| other.to_b == crossing.to_b;
            let low = early.iter().filter(same).rfind(|other| other.after <= crossing.after);
            let high = late.iter().filter(same).find(|other| other.after >= crossing.after);
            (crossing.low, crossing.high) = (low.map(|low| low.after), high.map(|high| high.after));
            crossing.is_uncertain = true;
        }
    }
    Ok(found)
}

/// The points, and more where a crossing may hide.
fn refined<E>(points: &[Asked], domain: Domain, ask: &mut impl Ask<E>) -> Result<Vec<Asked>, E> {
    let (mut all, mut left) = (Vec::with_capacity(points.len()), MOST_ASKED);
    for pair in points.windows(2) {
        all.push(pair[0]);
        halve((pair[0], pair[1]), DEEPEST, domain, ask, &mut left, &mut all)?;
    }
    all.extend(points.last());
    Ok(all)
}

fn halve<E>(
    (low, high): (Asked, Asked),
    depth: u32,
    domain: Domain,
    ask: &mut impl Ask<E>,
    left: &mut usize,
    all: &mut Vec<Asked>,
) -> Result<(), E> {
    if depth == 0 || *left == 0 || !may_hide_a_crossing(low.1, high.1) {
        return Ok(());
    }
    let Some(at) = domain.between(low.0, high.0) else { return Ok(()) };
    *left -= 1;
    let middle = (at, ask(at)?);
    halve((low, middle), depth - 1, domain, ask, left, all)?;
    all.push(middle);
    halve((middle, high), depth - 1, domain, ask, left, all)
}

fn may_hide_a_crossing(low: Option<Both>, high: Option<Both>) -> bool {
    let (Some(low), Some(high)) = (low, high) else { return false };
    let below = |one: [f64; 2], other: [f64; 2]| one[0].max(one[1]) < other[0].min(other[1]);
    let (a, b) = ([low.a, high.a], [low.b, high.b]);
    // Curves that do not move have no crossing in between, unless they move there and back.
    let moves = |curve: [f64; 2]| curve[0].to_bits() != curve[1].to_bits();
    (moves(a) || moves(b)) && !below(a, b) && !below(b, a)
}

/// Where a difference changes its sign.
fn changes<E>(
    points: &[Asked],
    domain: Domain,
    ask: &mut impl Ask<E>,
    difference: impl Fn(&Both) -> f64,
) -> Result<Vec<Crossing>, E> {
    let mut found = Vec::new();
    let mut last: Option<(usize, f64)> = None;
    for (at, (_, both)) in points.iter().enumerate() {
        let Some(gap) = both.as_ref().map(&difference) else { continue };
        if gap == 0.0 {
            continue;
        }
        if let Some((from, before)) = last
            && (before < 0.0) != (gap < 0.0)
            && found.len() < MOST_CROSSINGS
        {
            found.push(change(&points[from..=at], gap > 0.0, domain, ask, &difference)?);
        }
        last = Some((at, gap));
    }
    Ok(found)
}

/// Where it does between the first and the last of these.
fn change<E>(
    points: &[Asked],
    to_b: bool,
    domain: Domain,
    ask: &mut impl Ask<E>,
    difference: &impl Fn(&Both) -> f64,
) -> Result<Crossing, E> {
    let (from, to) = (points[0].0, points[points.len() - 1].0);
    let crossing = |before, after, manner| Crossing {
        before,
        after,
        to_b,
        manner,
        low: None,
        high: None,
        is_uncertain: false,
    };
    if points.iter().any(|(_, both)| both.is_none()) {
        return Ok(crossing(from, to, Manner::Gap));
    }
    // Below zero before, whichever way it goes.
    let sided = |both: &Both| if to_b { difference(both) } else { -difference(both) };
    let at = |point: &Asked| (point.0, point.1.as_ref().map_or(0.0, sided));
    let after = points
        .iter()
        .map(at)
        .find(|(_, value)| *value >= 0.0)
        .unwrap_or_else(|| at(&points[points.len() - 1]));
    let found = edge(domain, at(&points[0]), after, |at| Ok(ask(at)?.as_ref().map_or(1.0, sided)))?;
    let manner = manner(domain, found.before, found.after, (from, to), ask)?;
    Ok(crossing(found.before, found.after, manner))
}

/// Whether what happens between two neighbours is more than what happens beside them.
fn manner<E>(
    domain: Domain,
    before: f64,
    after: f64,
    (from, to): (f64, f64),
    ask: &mut impl Ask<E>,
) -> Result<Manner, E> {
    let beside = (domain.step(after, to - from)).max(1e-6 * after.abs());
    let (far_before, far_after) = (domain.nearest(before - beside), domain.nearest(after + beside));
    let asked = [far_before, before, after, far_after].map(&mut *ask);
    let [far_before, before, after, far_after] = asked;
    let (Some(before), Some(after)) = (before?, after?) else { return Ok(Manner::Gap) };
    // Where there is no value beside them, what happens there is nothing to compare with.
    let (far_before, far_after) = (far_before?.unwrap_or(before), far_after?.unwrap_or(after));
    let jumps = |of: fn(&Both) -> f64| {
        let [far_before, before, after, far_after] =
            [far_before, before, after, far_after].map(|both| of(&both));
        let jump = (after - before).abs();
        let usual = (before - far_before).abs().max((far_after - after).abs());
        jump > JUMP * usual && jump > LEAST_JUMP * before.abs().max(after.abs())
    };
    let (a, b) = (jumps(|both| both.a), jumps(|both| both.b));
    Ok(if a || b { Manner::Jump { a, b } } else { Manner::Meeting })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Curves that are known to a tenth.
    fn both(a: f64, b: f64, spread: f64) -> Both {
        Both { a, b, gap: a - b, range: (a * (1.0 - spread) - b, a * (1.0 + spread) - b) }
    }

    fn found(grid: &[f64], domain: Domain, curves: impl Fn(f64) -> Option<Both>) -> Vec<Crossing> {
        let points: Vec<Asked> = grid.iter().map(|at| (*at, curves(*at))).collect();
        crossings(&points, domain, |at| Ok::<_, ()>(curves(at))).unwrap()
    }

    /// So much for each hundred that has begun.
    fn stairs(at: f64, each: f64) -> f64 {
        each * (at / 100.0).ceil()
    }

    #[test]
    fn lines_meet_once_and_the_range_is_where_their_ends_do() {
        let crossing = found(&[0.0, 1e3, 1e6], Domain::Whole, |x| Some(both(x, 5e4, 0.1)));
        let [crossing] = crossing[..] else { panic!("{crossing:?}") };
        assert_eq!((crossing.before, crossing.after, crossing.to_b), (49_999.0, 50_000.0, true));
        assert_eq!(crossing.manner, Manner::Meeting);
        assert_eq!((crossing.low, crossing.high), (Some(45_455.0), Some(55_556.0)));
    }

    #[test]
    fn a_staircase_is_crossed_at_treads_and_at_jumps_also_between_two_points() {
        // 1 each against 90 for each hundred that has begun: below at 90, above from 101, below from 180, ...
        let found = found(&[1.0, 400.0], Domain::Whole, |x| Some(both(x, stairs(x, 90.0), 0.0)));
        let jump = Manner::Jump { a: false, b: true };
        let told: Vec<_> = found.iter().map(|it| (it.after, it.to_b, it.manner)).collect();
        let steps = [
            (90.0, true, Manner::Meeting),
            (101.0, false, jump),
            (180.0, true, Manner::Meeting),
            (201.0, false, jump),
        ];
        assert_eq!(told[..4], steps);
        assert!(found.iter().all(|it| it.low.is_none() && it.high.is_none()));
    }

    #[test]
    fn curves_that_do_not_cross_do_not() {
        assert_eq!(found(&[0.0, 1e6], Domain::Real, |x| Some(both(x, x + 1.0, 0.0))), []);
        assert_eq!(found(&[0.0, 1e6], Domain::Real, |x| Some(both(x, x, 0.0))), []);
        assert_eq!(found(&[0.0, 1e6], Domain::Real, |_| None), []);
    }

    #[test]
    fn where_a_curve_has_no_value_only_the_ends_of_that_are_known() {
        let curves = |x: f64| (!(40.0..60.0).contains(&x)).then(|| both(x, 50.0, 0.0));
        let grid: Vec<f64> = (0..=10).map(|ten| f64::from(ten) * 10.0).collect();
        let found = found(&grid, Domain::Whole, curves);
        assert_eq!((found[0].before, found[0].after, found[0].manner), (30.0, 60.0, Manner::Gap));
    }

    #[test]
    fn what_is_wrong_stops_the_search() {
        let points = [(0.0, Some(both(0.0, 5.0, 0.0))), (10.0, Some(both(10.0, 5.0, 0.0)))];
        assert_eq!(crossings(&points, Domain::Real, |_| Err::<Option<Both>, _>("stopped")), Err("stopped"));
    }

    proptest! {
        /// Against every whole number there is.
        #[test]
        fn crossings_of_a_line_and_a_staircase_are_those_of_a_walk(
            slope in 0.2_f64..3.0, each in 10.0_f64..200.0, floor in 0.0_f64..300.0, steps in 20_u32..60,
        ) {
            let curves = |x: f64| Some(both(slope * x, floor + stairs(x, each), 0.0));
            let grid: Vec<f64> = (0..=steps).map(|at| (1.0 + 999.0 * f64::from(at) / f64::from(steps)).round()).collect();
            let mut walked = Vec::new();
            let mut lower = None;
            for x in 1..=1000 {
                let gap = curves(f64::from(x)).unwrap().gap;
                let now = if gap == 0.0 { lower } else { Some(gap > 0.0) };
                if let (Some(is), Some(was)) = (now, lower) && is != was {
                    walked.push(f64::from(x));
                }
                lower = now;
            }
            let found: Vec<f64> = found(&grid, Domain::Whole, curves).iter().map(|it| it.after).collect();
            walked.truncate(MOST_CROSSINGS);
            prop_assert_eq!(found, walked);
        }
    }
}
