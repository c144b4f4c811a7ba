//! How a bill falls on months.

use super::{
    super::{Pricer, period::Timeline},
    lines::{Bill, share},
    pane::Pane,
};
use crate::{
    catalog::money::Money,
    estimate::{draft, fault::Fault, quote::Sum, training::answer::MonthTotal, uncertain::Uncertain},
};

impl Pricer<'_, '_> {
    /// What falls on each month, adjustments included. What falls on all months up to one is rounded to 12 places, and
    /// a month is the difference of two such sums: they add up to the total. The first `of_lists` lines are on panes.
    pub(super) fn by_month(
        &self,
        timeline: &Timeline,
        panes: &[Pane<'_>],
        bill: &Bill,
        of_lists: usize,
    ) -> Result<Vec<MonthTotal>, Vec<Fault>> {
        let mut totals = Vec::with_capacity(timeline.months.len());
        let mut before = Money::ZERO;
        for (month, (name, _)) in timeline.months.iter().enumerate() {
            let until = self.until(month, panes, bill, of_lists)?;
            let amount = self.fits(until.checked_sub(before))?;
            before = until;
            let total = self.fits(draft::total(amount, &self.spread_of(month, panes, bill)))?;
            totals.push(MonthTotal { month: name.clone(), total });
        }
        Ok(totals)
    }

    /// What falls on a month and all before it.
    fn until(
        &self,
        month: usize,
        panes: &[Pane<'_>],
        bill: &Bill,
        of_lists: usize,
    ) -> Result<Money, Vec<Fault>> {
        let mut sum = Sum::new();
        for (line, pane) in self.lines[..of_lists].iter().zip(&bill.pane_of) {
            let pane = &panes[*pane];
            let passed = pane.months.iter().filter(|(of, _)| *of <= month).map(|(_, weight)| weight).sum();
            let part = self.fits(line.amount.portion(passed, pane.weight))?;
            self.fits(sum.add(part))?;
        }
        let mut until = sum.get();
        for adjustment in &self.item.adjustments {
            let (change, _) =
                self.fits(until.scaled(adjustment.percent.0, rust_decimal::Decimal::ONE_HUNDRED))?;
            until = self.fits(until.checked_add(change))?;
        }
        Ok(until)
    }

    fn spread_of(&self, month: usize, panes: &[Pane<'_>], bill: &Bill) -> Uncertain {
        if bill.spread.is_exact() {
            return Uncertain::exact(0.0); // says nothing
        }
        let parts = bill.spreads.iter().zip(&bill.pane_of).map(|(spread, pane)| {
            let pane = &panes[*pane];
            let weight = pane.months.iter().filter(|(of, _)| *of == month).map(|(_, weight)| weight).sum();
            spread.times(share(weight, pane.weight))
        });
        let parts: Vec<Uncertain> = parts.collect();
        let percent = |percent| Money::from(percent).to_f64() / 100.0;
        let factors = self.item.adjustments.iter().map(|adjustment| 1.0 + percent(adjustment.percent.0));
        Uncertain::sum(&parts).times(factors.product())
    }
}
