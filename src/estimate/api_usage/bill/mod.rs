//! Calls that are not all alike, not known, or not made at one instant.
//!
//! What is used is a list of [`load::Group`]s, when it is used a list of pieces of time; where a group meets a card,
//! that is a [`pane::Pane`] with its share of the time, and each meter charged on a pane is a line:
//!
//! `quantity = charged * times * weight / weight of the period`, `amount = quantity * rate / per`.
//!
//! Quantities are rounded to 9 places so that those of one meter add up to the whole (the sum up to each pane is
//! rounded, and a line is the difference of two such sums); with one pane nothing is rounded. A price in another
//! currency is converted at the rate of the day in the middle of its pane.
//!
//! Counts with a range are judged three times: the tier by the middle, parts against their wholes at P10, at P50 and
//! at P90. In each world a whole is no less than its parts.

mod bound;
mod lines;
mod load;
mod months;
mod pane;
mod plan;
mod told;
mod worlds;

use self::{
    lines::Bill,
    plan::{Plan, plan},
};
use super::{Pricer, request::ApiUsage};
use crate::{
    catalog::money::Money,
    estimate::{
        desk::Scope,
        draft::{self, number_repeats},
        fault::Fault,
        quote::{ItemQuote, QuotedPeriod, References, Warning, WarningCode},
        uncertain::Sampler,
    },
};

/// Prices one workload.
pub(super) fn quote<'a>(
    item: &'a ApiUsage,
    base: &str,
    scope: Scope<'a>,
    references: &mut References<'a>,
    sampler: &mut Sampler,
) -> Result<ItemQuote<'a>, Vec<Fault>> {
    let plan = plan(item, base, scope, sampler)?;
    let mut pricer = Pricer::new(item, base, scope, plan.asked.clone(), references);
    let bill = pricer.bill(&plan, &plan.usage)?;
    let bound = bound::upper_bound(item, base, scope, &plan)?;
    if item.max_output_tokens.is_some() && plan.is_without_output(scope) {
        let message = "no `output_tokens` are given: the total is of the input alone, `upper_bound` is of all that may be written";
        pricer.warn(WarningCode::OutputNotCounted, "/max_output_tokens", message.to_owned());
    }
    pricer.warnings.extend(bound.warnings);
    pricer.finish(&plan, bill, bound.amount)
}

impl<'a> Pricer<'a, '_> {
    fn finish(
        mut self,
        plan: &Plan<'a>,
        bill: Bill,
        upper_bound: Option<Money>,
    ) -> Result<ItemQuote<'a>, Vec<Fault>> {
        let Bill { list, total, list_spread, spread, spreads, by_month, .. } = bill;
        let ranges = self.lines.iter().zip(&spreads);
        let ranges = ranges.map(|(line, spread)| self.fits(draft::total(line.amount, spread)));
        let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
        for (line, total) in self.lines.iter_mut().zip(ranges) {
            (line.low, line.high) = (total.low.map(Box::new), total.high.map(Box::new));
        }
        number_repeats(&mut self.lines);
        let shown_total = self.fits(draft::total(total, &spread))?;
        let shown_list = self.fits(draft::total(list, &list_spread))?;
        let reported_cost = if plan.timeline.is_none() { self.reported_cost(total)? } else { None };
        let Self { scope, item, mut asked, lines, warnings, .. } = self;
        each_once(&mut asked.warnings, warnings);
        let default_at = scope.as_of.unwrap_or(scope.now).instant;
        let own = plan.timeline.is_none() && plan.asked.at.instant != default_at;
        Ok(ItemQuote {
            kind: "api_usage",
            id: item.id.as_deref(),
            label: item.label.as_deref(),
            provider: Some(&asked.found.offering.provider),
            model: Some(&asked.found.offering.name),
            offering: Some(&asked.found.offering.id),
            as_of: own.then_some(plan.asked.at.instant),
            period: plan
                .timeline
                .as_ref()
                .map(|timeline| QuotedPeriod { from: timeline.from, to: timeline.to }),
            list_total: (!item.adjustments.is_empty()).then_some(shown_list),
            total: shown_total,
            upper_bound,
            reported_cost,
            lines,
            headline_total: None,
            metrics: None,
            deployment: None,
            stages: None,
            by_month,
            warnings: asked.warnings,
            spread: (!spread.is_exact()).then_some(spread),
        })
    }
}

/// Adds warnings that are not there yet: panes have most of them in common.
fn each_once(known: &mut Vec<Warning>, more: Vec<Warning>) {
    for warning in more {
        if !known.contains(&warning) {
            known.push(warning);
        }
    }
}
