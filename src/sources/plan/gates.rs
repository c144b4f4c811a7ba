//! Gates: changes that look like somebody's mistake wait until somebody else has looked at them.
//!
//! Each rule is one function of a few figures; a change that trips one goes to pending with the reason, and the rest
//! of the plan goes in.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::catalog::check::UNIT_BOUNDS;

/// A price may move by this factor, either way, without anybody looking.
const BOUND: u64 = 2;

/// What one gets wrong when a price is per thousand, or per one, and not per million.
const SLIPS_OF_QUANTITY: [u64; 2] = [1_000, 1_000_000];

/// What one gets wrong about machines: a month for an hour, a node of eight for one accelerator.
const SLIPS_OF_MACHINES: [u64; 2] = [730, 8];

/// A factor counts as a slip when it is as near as this to one: prices may have moved a little besides.
const SLIP_PERCENT: u64 = 1;

/// A spot price below this share of the on-demand price is what may be bid, not what is paid: sellers give up to 90% off.
const BID_FLOOR_SHARE: u64 = 10;

/// How far a price per hour may be from the median of its accelerator: 0.35 to 2.6 times.
const MARKET_PERCENT: (u64, u64) = (35, 260);

/// A new price dearer than a tenth of what the catalog's check allows at all, and so than any price known, may be a slip.
const DEAR_SHARE: u64 = 10;

/// More than one in so many rows of a source gone at once is a broken source.
const WITHDRAWN_SHARE: u64 = 5;

/// Why a change waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// A price moves by more than a factor of 2.
    Moved,
    /// A price turns zero.
    Zero,
    /// A price is wrong by a factor that a slip of units makes.
    UnitSlip,
    /// A peak doubles: the figure for 2:4 sparsity in place of the dense one.
    SparsePeak,
    /// Left-over capacity dearer than the price by the hour.
    SpotAboveOnDemand,
    /// A spot price so low that it is the least one may bid.
    BidFloor,
    /// The price of a whole node given as that of one accelerator.
    NodeTotal,
    /// Many rows of the source are gone at once.
    ManyWithdrawn,
    /// The feed has one price where the catalog has tiers, and it is not that of the lowest tier.
    TiersLost,
    /// The feed has other hours of the day than the catalog.
    OtherWindow,
}

/// A reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Pending {
    /// The rule.
    pub gate: Gate,
    /// What tripped it, in a sentence.
    #[schema(example = "`input_tokens` goes from 2.5 to 0")]
    pub detail: String,
}

/// Whether two figures are as far apart as a factor, either way.
fn apart_by(old: Decimal, new: Decimal, factor: u64) -> bool {
    let near = |less: Decimal, more: Decimal| {
        let (low, high) = (factor * (100 - SLIP_PERCENT), factor * (100 + SLIP_PERCENT));
        let times = |percent: u64| less.checked_mul(percent.into());
        let scaled = more.checked_mul(100.into());
        scaled.is_some_and(|more| {
            times(low).is_some_and(|low| low <= more) && times(high).is_some_and(|high| more <= high)
        })
    };
    near(old, new) || near(new, old)
}

/// What is odd about a price of a quantity that changes from one figure to another; both per the same quantity.
#[must_use]
pub fn price_moves(old: Decimal, new: Decimal) -> Option<Gate> {
    moves(old, new, &SLIPS_OF_QUANTITY)
}

/// What is odd about a price of a machine and hour that changes from one figure to another.
#[must_use]
pub fn hour_moves(old: Decimal, new: Decimal) -> Option<Gate> {
    let mut slips = SLIPS_OF_QUANTITY.to_vec();
    slips.extend(SLIPS_OF_MACHINES);
    moves(old, new, &slips)
}

fn moves(old: Decimal, new: Decimal, slips: &[u64]) -> Option<Gate> {
    if new.is_zero() {
        return (!old.is_zero()).then_some(Gate::Zero);
    }
    if !old.is_zero() && slips.iter().any(|factor| apart_by(old, new, *factor)) {
        return Some(Gate::UnitSlip);
    }
    let beyond =
        |less: Decimal, more: Decimal| less.checked_mul(BOUND.into()).is_some_and(|most| more > most);
    (beyond(old, new) || beyond(new, old)).then_some(Gate::Moved)
}

/// Whether a new price is dearer than any that is known for its unit: money for `per` units.
#[must_use]
pub fn is_dear(unit: &str, amount: Decimal, per: Decimal) -> bool {
    let Some(bound) = UNIT_BOUNDS.iter().find(|bound| bound.unit == unit) else { return false };
    // amount / per > usd / share / quantity, without a division
    let cost = amount.checked_mul((bound.quantity * DEAR_SHARE).into());
    let limit = per.checked_mul(bound.usd.into());
    cost.zip(limit).is_none_or(|(cost, limit)| cost > limit)
}

/// Whether a peak goes up by the factor that sparsity is good for.
#[must_use]
pub fn is_sparse_peak(old: f64, new: f64) -> bool {
    (new / old - 2.0).abs() < 0.02
}

/// Whether left-over capacity is to cost more than the price by the hour.
#[must_use]
pub fn spot_above(spot: Decimal, on_demand: Decimal) -> bool {
    spot > on_demand
}

/// Whether a spot price is the least one may bid.
#[must_use]
pub fn is_bid_floor(spot: Decimal, on_demand: Decimal) -> bool {
    spot.checked_mul(BID_FLOOR_SHARE.into()).is_some_and(|tenfold| tenfold < on_demand)
}

/// Whether a price per accelerator makes sense only as the price of a node: far above the market's median, and near
/// it when shared among the node's accelerators, or among eight.
#[must_use]
pub fn is_node_total(price: Decimal, gpu_count: u32, median: Decimal) -> bool {
    const USUAL_NODE: u32 = 8;
    let percent = |percent: u64| median.checked_mul(percent.into());
    let (Some(low), Some(high)) = (percent(MARKET_PERCENT.0), percent(MARKET_PERCENT.1)) else {
        return false;
    };
    let Some(price) = price.checked_mul(100.into()) else { return false };
    let among =
        |count: u32| price.checked_div(count.into()).is_some_and(|share| low <= share && share <= high);
    price > high && ((gpu_count > 1 && among(gpu_count)) || among(USUAL_NODE))
}

/// Whether so many rows of a source are gone that the source is likely broken.
#[must_use]
pub fn are_many_withdrawn(gone: u64, of: u64) -> bool {
    gone.saturating_mul(WITHDRAWN_SHARE) > of
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn price(old: &str, new: &str) -> Option<Gate> {
        price_moves(decimal(old), decimal(new))
    }

    #[test]
    fn a_price_may_double_or_halve_and_no_more() {
        assert_eq!((price("2", "4"), price("2", "1")), (None, None));
        assert_eq!((price("2", "4.01"), price("2", "0.99")), (Some(Gate::Moved), Some(Gate::Moved)));
    }

    #[test]
    fn a_price_that_turns_zero_waits_and_one_that_stays_zero_does_not() {
        assert_eq!((price("2", "0"), price("0", "0")), (Some(Gate::Zero), None));
        assert_eq!(price("0", "0.01"), Some(Gate::Moved));
    }

    #[test]
    fn a_factor_of_a_thousand_or_a_million_is_a_slip_and_a_near_one_is_a_move() {
        for (old, new) in
            [("2.5", "2500"), ("2.5", "0.0025"), ("2.5", "2500000"), ("2.5", "2524"), ("2.5", "2475")]
        {
            assert_eq!(price(old, new), Some(Gate::UnitSlip), "{old} to {new}");
        }
        assert_eq!((price("2.5", "2526"), price("2.5", "2474")), (Some(Gate::Moved), Some(Gate::Moved)));
        assert_eq!(price("2.5", "20"), Some(Gate::Moved));
    }

    #[test]
    fn a_month_for_an_hour_and_a_node_for_one_are_slips_of_machines() {
        let hour = |old, new| hour_moves(decimal(old), decimal(new));
        assert_eq!(
            (hour("2", "1460"), hour("2", "16"), hour("16", "2")),
            (Some(Gate::UnitSlip), Some(Gate::UnitSlip), Some(Gate::UnitSlip))
        );
        assert_eq!((hour("2", "16.17"), hour("2", "1476")), (Some(Gate::Moved), Some(Gate::Moved)));
    }

    #[test]
    fn a_new_price_may_be_as_dear_as_a_tenth_of_the_checks_bound() {
        let million = decimal("1000000");
        assert!(!is_dear("token", decimal("1000"), million));
        assert!(is_dear("token", decimal("1000.01"), million));
        assert!(is_dear("token", decimal("0.0011"), decimal("1")));
        assert!(!is_dear("fathom", decimal("100000"), million));
    }

    #[test]
    fn a_peak_that_doubles_is_a_sparse_one() {
        assert!(is_sparse_peak(1978.9, 3958.0));
        assert!(!is_sparse_peak(1978.9, 3900.0) && !is_sparse_peak(989.4, 2250.0));
    }

    #[test]
    fn a_spot_price_is_at_most_the_on_demand_price_and_at_least_a_tenth_of_it() {
        let (three, tenth) = (decimal("3"), decimal("0.3"));
        assert!(!spot_above(three, three) && spot_above(decimal("3.01"), three));
        assert!(!is_bid_floor(tenth, three) && is_bid_floor(decimal("0.299"), three));
    }

    #[test]
    fn a_node_total_is_far_above_the_median_and_near_it_when_shared() {
        let median = decimal("2.5");
        assert!(is_node_total(decimal("20"), 1, median) && is_node_total(decimal("10"), 4, median));
        assert!(!is_node_total(decimal("6.5"), 4, median), "2.6 times the median is within the market");
        assert!(is_node_total(decimal("6.51"), 4, median));
        assert!(!is_node_total(decimal("60"), 1, median), "an eighth of it is no market price either");
    }

    #[test]
    fn a_fifth_of_a_source_may_go_at_once() {
        assert!(!are_many_withdrawn(20, 100) && are_many_withdrawn(21, 100));
        assert!(!are_many_withdrawn(0, 0));
    }
}
