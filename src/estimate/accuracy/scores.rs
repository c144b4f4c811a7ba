//! Errors summed up: median, P90, and how many ranges held.

use super::answer::{GroupScore, Score, tenths};

/// How far one prediction was off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Off {
    /// In percent of what is published, signed.
    pub(super) error: f64,
    /// Whether the range held; none where there is no range.
    pub(super) inside: Option<bool>,
}

/// The errors of some predictions; of none, all is absent.
pub(super) fn score(offs: impl IntoIterator<Item = Off>) -> Score {
    let (mut errors, mut inside, mut ranges) = (Vec::new(), 0, 0);
    for off in offs {
        errors.push(off.error.abs());
        ranges += usize::from(off.inside.is_some());
        inside += usize::from(off.inside == Some(true));
    }
    errors.sort_unstable_by(f64::total_cmp);
    let any = ranges > 0;
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let share = 100.0 * inside as f64 / ranges as f64;
    Score {
        count: errors.len(),
        median_error_percent: quantile(&errors, 0.5).map(tenths),
        p90_error_percent: quantile(&errors, 0.9).map(tenths),
        inside: any.then_some(inside),
        inside_percent: any.then_some(tenths(share)),
        rank_correlation: None,
    }
}

/// The same by some name, in the order of the names.
pub(super) fn by<'r, 'n, T>(
    rows: &'r [T],
    name: impl Fn(&'r T) -> &'n str,
    off: impl Fn(&'r T) -> Off,
) -> Vec<GroupScore<'n>> {
    let mut names: Vec<_> = rows.iter().map(&name).collect();
    names.sort_unstable();
    names.dedup();
    let of = |group: &'n str| {
        let among = rows.iter().filter(|row| name(row) == group);
        GroupScore { name: group, score: score(among.map(&off)) }
    };
    names.into_iter().map(of).collect()
}

/// Spearman's correlation of ranks, equals sharing theirs, to four decimals; none of fewer than three pairs.
pub(super) fn rank_correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let a = ranks(pairs.iter().map(|(a, _)| *a));
    let b = ranks(pairs.iter().map(|(_, b)| *b));
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mean = f64::midpoint(pairs.len() as f64, 1.0);
    let product = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    let correlation = product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt();
    correlation.is_finite().then(|| (correlation * 1e4).round() / 1e4)
}

/// Ranks from 1, equals at the mean of theirs.
fn ranks(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<(usize, f64)> = figures.enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut ranks = vec![0.0; sorted.len()];
    let mut before = 0.0;
    for equal in sorted.chunk_by(|(_, a), (_, b)| a.total_cmp(b).is_eq()) {
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let count = equal.len() as f64;
        for (at, _) in equal {
            ranks[*at] = before + f64::midpoint(count, 1.0);
        }
        before += count;
    }
    ranks
}

/// A quantile of sorted numbers, linear between the two nearest.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let place = share * sorted.len().checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the length")]
    let below = place.floor() as usize;
    let low = *sorted.get(below)?;
    let high = sorted.get(below + 1).copied().unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_two_nearest() {
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.5), Some(2.5));
        assert_eq!(quantile(&[1.0, 2.0], 0.9), Some(1.9));
        assert_eq!(quantile(&[7.0], 0.9), Some(7.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn ranks_correlate_by_their_order_alone() {
        let grows = [(1.0, 10.0), (2.0, 11.0), (3.0, 1e6)];
        assert_eq!(rank_correlation(&grows), Some(1.0));
        let falls = [(1.0, 3.0), (2.0, 2.0), (3.0, -1.0)];
        assert_eq!(rank_correlation(&falls), Some(-1.0));
        assert_eq!(rank_correlation(&grows[..2]), None);
        assert_eq!(ranks([5.0, 7.0, 5.0].into_iter()), [1.5, 3.0, 1.5]);
    }

    #[test]
    fn errors_count_by_their_size_and_ranges_by_whether_they_held() {
        let off = |error, inside| Off { error, inside: Some(inside) };
        let summed = score([off(-30.0, false), off(10.0, true), off(20.0, true)]);
        assert_eq!((summed.count, summed.median_error_percent, summed.inside), (3, Some(20.0), Some(2)));
        assert_eq!(summed.inside_percent, Some(66.7));
        assert_eq!(score([]).median_error_percent, None);
    }
}
