//! Prices and reported costs in another currency than the answer's.

use super::{Pricer, Scope};
use crate::{
    catalog::money::{Currency, Money},
    estimate::{
        exchange::Conversion,
        fault::{Fault, FaultKind},
        quote::ReportedCost,
    },
};

impl Pricer<'_, '_> {
    /// The change from a currency, looked up once and noted once.
    pub(super) fn conversion(&mut self, from: Currency) -> Result<Conversion, Vec<Fault>> {
        if let Some(known) = self.fx.filter(|known| known.shown.from == from) {
            return Ok(known);
        }
        let Scope { view, currency, .. } = self.scope;
        let conversion = Conversion::find(view, from, currency, self.at()).map_err(|kind| {
            self.fault(if matches!(kind, FaultKind::NoFxRate { .. }) { "/as_of" } else { "" }, kind)
        })?;
        conversion.cite(view, self.references);
        self.warnings.push(conversion.warning(self.place("")));
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
            amount = self.fits(conversion.convert(amount))?;
        }
        let difference = self.fits(amount.checked_add(-total))?;
        Ok(Some(ReportedCost { amount, difference }))
    }
}
