//! Changing a price's currency into the answer's.

use rust_decimal::Decimal;

use super::{Pricer, basis::fx_reference};
use crate::{
    catalog::{
        money::{Currency, Money},
        time::utc_day,
    },
    estimate::{
        fault::{Fault, FaultKind},
        quote::{Fx, Ref, ReportedCost, WarningCode},
    },
};

/// A change of currency, looked up once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversion {
    pub(super) shown: Fx,
    pub(super) from_usd: Decimal,
    pub(super) to_usd: Decimal,
    pub(super) refs: [Option<i64>; 2],
}

impl Pricer<'_, '_> {
    /// The reference rate of the day of `as_of`, or the last one before it.
    pub(super) fn conversion(&mut self, from: Currency) -> Result<Conversion, Vec<Fault>> {
        if let Some(known) = self.fx.filter(|known| known.shown.from == from) {
            return Ok(known);
        }
        let to = self.scope.currency;
        let rate_of = |currency: Currency| {
            let rate = self.scope.view.usd_per_unit(currency, self.at());
            rate.ok_or_else(|| self.fault("/as_of", FaultKind::NoFxRate { currency, as_of: self.at() }))
        };
        let (from_usd, to_usd) = (rate_of(from)?, rate_of(to)?);
        let one = Money::from(Decimal::ONE);
        let rate = self.fits(one.convert(from_usd.rate, to_usd.rate))?;
        let date = from_usd.day.min(to_usd.day);
        let age_days = utc_day(self.at()).since(date).map_or(0, |age| age.get_days());
        let conversion = Conversion {
            shown: Fx { from, to, rate: rate.into(), date, age_days },
            from_usd: from_usd.rate,
            to_usd: to_usd.rate,
            refs: [from_usd.row, to_usd.row],
        };
        for row in conversion.refs.into_iter().flatten() {
            if let Some(reference) = fx_reference(self.scope.view, row) {
                self.references.add(Ref::FxRate(row), || reference);
            }
        }
        self.warn(WarningCode::FxConverted, "", format!("the price is in {from}; converted at the reference rate of {date}, {age_days} days before the day asked about"));
        self.fx = Some(conversion);
        Ok(conversion)
    }

    pub(super) fn reported_cost(&mut self, total: Money) -> Result<Option<ReportedCost>, Vec<Fault>> {
        let Some((cost, currency)) = self.asked.reported.as_ref().and_then(|reported| reported.reported_cost)
        else {
            return Ok(None);
        };
        let mut amount = Money::from(cost);
        if currency != self.scope.currency {
            let conversion = self.conversion(currency)?;
            amount = self.fits(amount.convert(conversion.from_usd, conversion.to_usd))?;
        }
        let difference = self.fits(amount.checked_add(-total))?;
        Ok(Some(ReportedCost { amount, difference }))
    }
}
