//! When buying pays: at which use, and after how long, against a rent.
//!
//! Symbols, of one accelerator: `K` installed cost, `O` operation a year, `A + O` everything a year; `U` used hours
//! over all, `p` rent of an hour, `g` by which it falls a year; `V(t) = K 10^(-d t)` what newer machines leave of its
//! worth, `h` what a sale costs. A year has 8760 hours.
//!
//! - By use: `U* = (A + O) / (8760 p)`.
//! - By time, the least `t` with `8760 U P(t) >= K - (1 - h) V(t) + O t`, where `P(t) = p t` of a rent that stays, else
//!   `p / g' (1 - exp(-g' t))` with `g' = -ln(1 - g)`; without a sale `V = 0`.

use super::HOURS_PER_YEAR;
#[cfg(test)]
use super::Owning;

/// Who has not got even after a century never does.
const MOST_YEARS: f64 = 100.0;

const MONTHS_PER_YEAR: f64 = 12.0;

/// What buying one accelerator comes to: money of one currency.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Buying {
    /// `K`.
    pub(crate) installed: f64,
    /// `O`.
    pub(crate) operating_per_year: f64,
    /// `A + O`.
    pub(crate) cost_per_year: f64,
}

/// What an hour is rented for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rent {
    /// `p`, in the currency of what is bought.
    pub(crate) price_per_gpu_hour: f64,
    /// `g`, below 1; what is negative rises.
    pub(crate) decline_per_year: f64,
}

/// What a used machine is sold for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Resale {
    /// `d`: by how many powers of ten newer machines are better for their price, a year.
    pub(crate) decades_per_year: f64,
    /// `h`, from 0 to 1.
    pub(crate) haircut: f64,
}

impl Buying {
    /// With every figure in its middle.
    #[cfg(test)]
    pub(crate) fn of(owning: &Owning<'_>) -> Self {
        Self {
            installed: owning.installed().mid(),
            operating_per_year: owning.operating_per_year().mid(),
            cost_per_year: owning.cost_per_year().mid(),
        }
    }

    /// Used over all hours from which on buying is cheaper; above 1 it never is, whatever the use. None where the
    /// rent is nothing.
    pub(crate) fn break_even_utilization(&self, price_per_gpu_hour: f64) -> Option<f64> {
        (price_per_gpu_hour > 0.0).then(|| self.cost_per_year / (HOURS_PER_YEAR * price_per_gpu_hour))
    }

    /// Months after which the rent that was saved has paid for the machine; none where it never does.
    pub(crate) fn break_even_months(
        &self,
        utilization: f64,
        rent: Rent,
        resale: Option<Resale>,
    ) -> Option<f64> {
        Race { buying: *self, utilization, rent, resale }.first_even().map(|years| years * MONTHS_PER_YEAR)
    }

    /// What has been saved after some years, were the machine sold then; below zero, what it still has to earn.
    pub(crate) fn saved(&self, utilization: f64, rent: Rent, resale: Option<Resale>, years: f64) -> f64 {
        Race { buying: *self, utilization, rent, resale }.saved(years)
    }
}

/// Rent against purchase.
#[derive(Debug, Clone, Copy)]
struct Race {
    buying: Buying,
    utilization: f64,
    rent: Rent,
    resale: Option<Resale>,
}

impl Race {
    /// `g'`.
    fn decline(&self) -> f64 {
        -(-self.rent.decline_per_year).ln_1p()
    }

    /// Rent of the first year, were it to stay.
    fn rent_per_year(&self) -> f64 {
        HOURS_PER_YEAR * self.utilization * self.rent.price_per_gpu_hour
    }

    /// What a sale on the first day brings, and by which rate a year that falls.
    fn worth(&self) -> (f64, f64) {
        self.resale.map_or((0.0, 0.0), |resale| {
            let rate = resale.decades_per_year * std::f64::consts::LN_10;
            ((1.0 - resale.haircut) * self.buying.installed, rate)
        })
    }

    fn saved(&self, years: f64) -> f64 {
        let (worth, loss) = self.worth();
        let decline = self.decline();
        let span = if decline.abs() < 1e-9 { years } else { -(-decline * years).exp_m1() / decline };
        self.rent_per_year() * span + worth * (-loss * years).exp()
            - self.buying.installed
            - self.buying.operating_per_year * years
    }

    /// By how much a year that grows.
    fn growth(&self, years: f64) -> f64 {
        let (worth, loss) = self.worth();
        self.rent_per_year() * (-self.decline() * years).exp()
            - self.buying.operating_per_year
            - worth * loss * (-loss * years).exp()
    }

    /// Where growth itself turns, if anywhere: it is a difference of two exponentials.
    fn turn(&self) -> Option<f64> {
        let (worth, loss) = self.worth();
        let decline = self.decline();
        let turn = (worth * loss * loss / (decline * self.rent_per_year())).ln() / (loss - decline);
        (0.0..MOST_YEARS).contains(&turn).then_some(turn)
    }

    /// The first year at which nothing has to be earned any more.
    ///
    /// Between the turns of its growth, and the zeros of that, the sum that was saved goes one way only.
    fn first_even(&self) -> Option<f64> {
        let turns = [Some(0.0), self.turn(), Some(MOST_YEARS)];
        let mut ends: Vec<f64> = turns.into_iter().flatten().collect();
        let peaks: Vec<f64> =
            ends.windows(2).filter_map(|span| zero(|years| self.growth(years), span[0], span[1])).collect();
        ends.extend(peaks);
        ends.sort_by(f64::total_cmp);
        if self.saved(0.0) >= 0.0 {
            return Some(0.0);
        }
        ends.windows(2).find_map(|span| {
            (self.saved(span[1]) >= 0.0).then(|| zero(|years| self.saved(years), span[0], span[1])).flatten()
        })
    }
}

/// Where a function that goes one way changes its sign, by halving; none where it does not.
fn zero(function: impl Fn(f64) -> f64, from: f64, to: f64) -> Option<f64> {
    let rises = function(to) >= 0.0;
    if rises == (function(from) >= 0.0) {
        return None;
    }
    let (mut from, mut to) = (from, to);
    for _ in 0..64 {
        let middle = f64::midpoint(from, to);
        if (function(middle) >= 0.0) == rises {
            to = middle;
        } else {
            from = middle;
        }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{costs, hgx},
        *,
    };

    const SOLD: Resale = Resale { decades_per_year: 0.14, haircut: 0.15 };

    fn flat(price_per_gpu_hour: f64) -> Rent {
        Rent { price_per_gpu_hour, decline_per_year: 0.0 }
    }

    /// The worked example "Buy one HGX H100": `U*`, months at 0.9 without and with a sale, at 0.7 with one.
    #[test]
    fn an_hgx_h100_pays_when_the_worked_example_says() {
        let buying = Buying::of(&costs("h100-sxm5-80gb", "2025-01-31", &hgx()));
        for (rent, use_, months) in [
            (6.88, 0.265, [10.0, 2.0, 3.0]),
            (3.29, 0.555, [23.0, 7.0, 13.0]),
            (2.99, 0.611, [26.0, 9.0, 17.0]),
            (2.35, 0.777, [36.0, 16.0, 35.0]),
            (1.70, 1.07, [59.0, 43.0, 84.0]),
        ] {
            let even = buying.break_even_utilization(rent).unwrap();
            let after =
                |utilization, resale| buying.break_even_months(utilization, flat(rent), resale).unwrap();
            let figures = [after(0.9, None), after(0.9, Some(SOLD)), after(0.7, Some(SOLD))];
            assert!((even - use_).abs() <= 0.005, "{rent}: {even} {use_}");
            // The table has the month that it falls in.
            for (figure, month) in figures.into_iter().zip(months) {
                assert!((0.0..1.0).contains(&(month - figure)), "{rent}: {figures:?} {months:?}");
            }
        }
    }

    #[test]
    fn what_costs_more_to_run_than_to_rent_never_pays() {
        let buying = Buying { installed: 40_000.0, operating_per_year: 5_000.0, cost_per_year: 15_000.0 };
        assert_eq!(buying.break_even_months(0.5, flat(1.0), None), None);
        assert_eq!(buying.break_even_months(0.5, flat(1.0), Some(SOLD)), None);
        assert_eq!(buying.break_even_utilization(0.0), None);
        // Half of the rent goes each year: what has not paid in the first years does not pay later.
        let falling = Rent { price_per_gpu_hour: 3.0, decline_per_year: 0.5 };
        assert_eq!(buying.break_even_months(0.9, falling, None), None);
        assert!(buying.break_even_months(0.9, flat(3.0), None).is_some());
    }

    /// `p / g' (1 - exp(-g' t))` at 1 year and a quarter less: 0.869 of a year's rent.
    #[test]
    fn a_rent_that_falls_saves_its_integral() {
        let buying = Buying { installed: 0.0, operating_per_year: 0.0, cost_per_year: 0.0 };
        let falling = Rent { price_per_gpu_hour: 1.0, decline_per_year: 0.25 };
        let saved = buying.saved(1.0, falling, None, 1.0);
        assert!((saved / HOURS_PER_YEAR - 0.25 / (4.0_f64 / 3.0).ln()).abs() < 1e-12, "{saved}");
    }

    proptest! {
        /// A walk of a day at a time gets there on the same day.
        #[test]
        fn months_are_those_of_a_walk_through_the_days(
            operating in 0.0_f64..12_000.0,
            used in 0.1_f64..1.0,
            rent in 0.5_f64..8.0,
            decline in prop_oneof![Just(0.0), -0.2_f64..0.6],
            resale in prop_oneof![Just(None), (0.0_f64..0.4, 0.01_f64..0.5).prop_map(|(decades_per_year, haircut)| {
                Some(Resale { decades_per_year, haircut })
            })],
        ) {
            let buying = Buying { installed: 40_000.0, operating_per_year: operating, cost_per_year: 0.0 };
            let rent = Rent { price_per_gpu_hour: rent, decline_per_year: decline };
            let walked = (0..36_500_u32).map(|day| f64::from(day) / 365.0)
                .find(|years| buying.saved(used, rent, resale, *years) >= 0.0);
            match (buying.break_even_months(used, rent, resale), walked) {
                (Some(months), Some(years)) => {
                    let years_exact = months / 12.0;
                    prop_assert!(years_exact <= years + 1e-9 && years - years_exact <= 1.0 / 365.0 + 1e-9);
                }
                (None, None) => {}
                // It may be ahead for less than a day.
                (Some(months), None) => prop_assert!(buying.saved(used, rent, resale, months / 12.0).abs() < 1.0),
                (None, Some(years)) => prop_assert!(false, "{years}"),
            }
        }

        #[test]
        fn a_higher_rent_pays_sooner(rent in 0.5_f64..8.0, more in 0.0_f64..4.0, used in 0.1_f64..1.0) {
            let buying = Buying { installed: 40_000.0, operating_per_year: 5_000.0, cost_per_year: 15_000.0 };
            for resale in [None, Some(SOLD)] {
                let after = |rent| buying.break_even_months(used, flat(rent), resale).unwrap_or(f64::INFINITY);
                prop_assert!(after(rent + more) <= after(rent) + 1e-9);
            }
        }
    }
}
