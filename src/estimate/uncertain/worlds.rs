//! The worlds in which uncertain figures are drawn: a fixed table of normal scores.
//!
//! Each column is one input. It holds the same 155 scores, the middles of 155 slices of equal probability, so
//! that P10, P50 and P90 are scores of their own; only their order differs (Latin hypercube sampling, `McKay` et
//! al. 1979). The orders are random but fixed, and chosen so that columns are hardly correlated: random scores
//! are made orthogonal to all columns before them, and their ranks are the order (after Iman and Conover 1982).

use std::sync::LazyLock;

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// How many worlds there are.
pub const DRAWS: usize = 155;

/// Place of P10 in the order of the draws.
pub(super) const AT_P10: usize = 15;

/// Place of P90.
pub(super) const AT_P90: usize = DRAWS - 1 - AT_P10;

/// The normal score of P90.
pub(super) const Z_P90: f64 = 1.281_551_565_544_600_4;

/// Columns that are prepared; a quote seldom has as many uncertain inputs.
const PREPARED: usize = 32;

/// Of the random orders: of a few, one that draws products as wide as theory says. Another seed, other digits.
const SEED: u64 = 0x0fa7_7418;

type Scores = [f64; DRAWS];

static COLUMNS: LazyLock<Vec<Scores>> = LazyLock::new(|| {
    let scores = scores();
    let mut columns: Vec<Scores> = Vec::with_capacity(PREPARED);
    for at in 0..PREPARED {
        let mut keys = random(at);
        for known in &columns {
            let share = dot(&keys, known) / dot(known, known);
            keys.iter_mut().zip(known).for_each(|(key, known)| *key -= share * known);
        }
        columns.push(in_order_of(&keys, &scores));
    }
    columns
});

/// The scores of an input, one for each world.
pub(super) fn column(at: usize) -> Scores {
    match COLUMNS.get(at) {
        Some(column) => *column,
        None => in_order_of(&random(at), &scores()),
    }
}

/// The middles of slices of equal probability, in order.
fn scores() -> Scores {
    let mut scores = [0.0; DRAWS];
    let middle = DRAWS / 2;
    for at in 0..middle {
        #[expect(clippy::cast_precision_loss, reason = "155 is exact")]
        let score = normal_quantile((at as f64 + 0.5) / DRAWS as f64);
        scores[at] = score;
        scores[DRAWS - 1 - at] = -score;
    }
    scores[AT_P10] = -Z_P90;
    scores[AT_P90] = Z_P90;
    scores
}

fn in_order_of(keys: &Scores, scores: &Scores) -> Scores {
    let mut order: [usize; DRAWS] = std::array::from_fn(|at| at);
    order.sort_unstable_by(|a, b| keys[*a].total_cmp(&keys[*b]));
    let mut column = [0.0; DRAWS];
    for (rank, place) in order.into_iter().enumerate() {
        column[place] = scores[rank];
    }
    column
}

/// Independent normal scores of a column, the same every time.
fn random(column: usize) -> Scores {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    random.set_stream(column as u64);
    std::array::from_fn(|_| normal_quantile((f64::from(random.next_u32()) + 0.5) / 4_294_967_296.0))
}

fn dot(a: &Scores, b: &Scores) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The score below which a normal variable lies with a probability.
///
/// Rational approximation of relative error 1.15e-9: P. J. Acklam, "An algorithm for computing the inverse normal
/// cumulative distribution function", 2003.
fn normal_quantile(probability: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.024_25;
    let of = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, next| sum * x + next);
    let tail = |probability: f64| {
        let q = (-2.0 * probability.ln()).sqrt();
        of(&C, q) / of(&D, q)
    };
    if probability < TAIL {
        return tail(probability);
    }
    if probability > 1.0 - TAIL {
        return -tail(1.0 - probability);
    }
    let q = probability - 0.5;
    let r = q * q;
    of(&A, r) * q / of(&B, r)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Abramowitz and Stegun, table 26.1 and 26.5.
    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (probability, score) in
            [(0.5, 0.0), (0.975, 1.959_963_985), (0.9, Z_P90), (0.001, -3.090_232_306)]
        {
            assert!((normal_quantile(probability) - score).abs() < 1e-8, "{probability}");
        }
    }

    #[test]
    fn columns_hold_the_same_scores_and_are_hardly_correlated() {
        let scores = scores();
        for (at, column) in COLUMNS.iter().enumerate() {
            let mut sorted = *column;
            sorted.sort_unstable_by(f64::total_cmp);
            assert!(sorted.iter().zip(&scores).all(|(a, b)| a.to_bits() == b.to_bits()));
            for before in &COLUMNS[..at] {
                let correlation = dot(column, before) / dot(before, before);
                assert!(correlation.abs() < 0.04, "column {at}: {correlation}");
            }
        }
    }
}
