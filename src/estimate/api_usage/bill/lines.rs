//! From groups and pieces to lines: a line for each meter on each pane.

use jiff::Timestamp;

use super::{
    super::{Pricer, conversation::Cache, lines::Price, split::Counts},
    load::{Group, Usage, group_of},
    pane::Pane,
    plan::Plan,
    worlds::over_all_calls,
};
use crate::{
    catalog::{
        meter_table::{MeterIndex, MeterSet},
        money::{Money, Precision, Weighted},
    },
    estimate::{
        fault::Fault, quote::WarningCode, request::Detail, training::answer::MonthTotal, uncertain::Uncertain,
    },
};

/// What an item comes to. Its lines stand in the pricer; `spreads` and `pane_of` go with them.
#[derive(Debug)]
pub(super) struct Bill {
    pub(super) list: Money,
    pub(super) total: Money,
    pub(super) list_spread: Uncertain,
    pub(super) spread: Uncertain,
    pub(super) spreads: Vec<Uncertain>,
    /// The pane of each line; adjustments are on none.
    pub(super) pane_of: Vec<usize>,
    pub(super) by_month: Option<Vec<MonthTotal>>,
}

/// Lines on the way to a bill.
#[derive(Default)]
pub(super) struct Draft<'a> {
    pub(super) panes: Vec<Pane<'a>>,
    spreads: Vec<Uncertain>,
    pane_of: Vec<usize>,
    lists: Vec<List>,
}

/// What meters cost on a pane.
struct List {
    /// In the list's currency, where a modifier may act on it.
    amounts: Vec<(MeterIndex, Money)>,
    /// In every world, in the answer's.
    spreads: Vec<(MeterIndex, Uncertain)>,
}

impl List {
    const NONE: Self = Self { amounts: Vec::new(), spreads: Vec::new() };
}

/// A group of calls on one pane.
pub(super) struct OnPane<'p, 'a> {
    pub(super) plan: &'p Plan<'a>,
    pub(super) group: &'p Group,
    pub(super) pane: &'p Pane<'a>,
    /// What its card charges for at the middle, before times and shares.
    pub(super) counts: Counts,
    /// What it charges for at the middle or at an end of the ranges.
    pub(super) meters: MeterSet,
}

/// What one meter was charged up to a pane: exactly, and rounded.
struct Running {
    meter: MeterIndex,
    exact: Weighted,
    rounded: Money,
}

impl<'a> Pricer<'a, '_> {
    /// Prices everything.
    pub(super) fn bill(&mut self, plan: &Plan<'a>, usage: &Usage) -> Result<Bill, Vec<Fault>> {
        let mut draft = Draft::default();
        for (group, panes) in self.groups(plan, usage)? {
            self.group_lines(plan, &group, panes, &mut draft)?;
        }
        for at in 0..draft.panes.len() {
            self.modifiers_on(at, &mut draft)?;
        }
        let Draft { panes, mut spreads, pane_of, .. } = draft;
        let list = self.total()?;
        let list_spread = Uncertain::sum(&spreads);
        let of_lists = self.lines.len();
        let total = if self.item.adjustments.is_empty() { list } else { self.add_adjustment_lines(list)? };
        let mut spread = list_spread.clone();
        for adjustment in &self.item.adjustments {
            let change = spread.times(Money::from(adjustment.percent.0).to_f64() / 100.0);
            spread = &spread + &change;
            spreads.push(change);
        }
        let mut bill = Bill { list, total, list_spread, spread, spreads, pane_of, by_month: None };
        if let Some(timeline) = &plan.timeline {
            bill.by_month = Some(self.by_month(timeline, &panes, &bill, of_lists)?);
        }
        Ok(bill)
    }

    /// The groups with their panes. Calls of a conversation are parted only where a threshold changes a price.
    fn groups(&mut self, plan: &Plan<'a>, usage: &Usage) -> Result<Vec<(Group, Vec<Pane<'a>>)>, Vec<Fault>> {
        let (talk, meters, calls, times) = match usage {
            Usage::Calls(group) => {
                let panes = self.panes(&group.load, &plan.pieces)?;
                self.doubt_the_tier(group);
                return Ok(vec![((**group).clone(), panes)]);
            }
            Usage::Talks { talk, meters, calls, times } => (*talk, *meters, *calls, times),
        };
        let mut groups: Vec<(Group, Vec<Pane<'a>>)> = Vec::new();
        for run in talk.runs(&self.thresholds()) {
            let group = group_of(talk, meters, calls, times, run);
            let panes = self.panes(&group.load, &plan.pieces)?;
            let before = groups.last_mut().filter(|(_, known)| {
                known.len() == panes.len() && known.iter().zip(&panes).all(|(one, other)| one.is(other))
            });
            match before.map(|(before, _)| before) {
                Some(before) => {
                    let first = before.run.map_or(run.first, |run| run.first);
                    *before = group_of(talk, meters, calls, times, talk.run(first, run.end));
                }
                None => groups.push((group, panes)),
            }
        }
        Ok(groups)
    }

    /// Counts of input at which some card of the offering begins or ends to hold.
    fn thresholds(&self) -> Vec<u64> {
        let cards = self.scope.view.cards(self.asked.found);
        let limits = cards.flat_map(|card| {
            let conditions = &card.row.row.conditions;
            [conditions.input_tokens_above, conditions.input_tokens_at_most]
        });
        let mut limits: Vec<u64> = limits.flatten().collect();
        limits.sort_unstable();
        limits.dedup();
        limits
    }

    fn doubt_the_tier(&mut self, group: &Group) {
        let Some(spread) = &group.spread else { return };
        let mut cards = self.scope.view.cards(self.asked.found);
        let straddles = cards.any(|card| {
            let conditions = &card.row.row.conditions;
            conditions.context.holds_in(&self.asked.context)
                && conditions.admits(spread.low.input) != conditions.admits(spread.high.input)
        });
        if straddles {
            let message = "a price tier begins within the range of the input; the tier of the middle was taken for all of it";
            let field = if self.item.usage.is_some() { "/usage" } else { "/calls" };
            self.warn(WarningCode::TierStraddled, field, message.to_owned());
        }
    }

    fn group_lines(
        &mut self,
        plan: &Plan<'a>,
        group: &Group,
        panes: Vec<Pane<'a>>,
        draft: &mut Draft<'a>,
    ) -> Result<(), Vec<Fault>> {
        let mut running: Vec<Running> = Vec::new();
        for pane in panes {
            self.look_at(pane.first);
            self.take(&group.load);
            self.card = pane.card;
            if let Some(card) = pane.card {
                self.accept(card)?;
                self.doubt_the_calendar(plan.timeline.as_ref().map_or(pane.first, |_| just_before(pane.end)));
                self.doubt_the_cache(plan, group);
            }
            let (counts, meters) = self.charges(group)?;
            self.look_at(pane.middle());
            let on = OnPane { plan, group, pane: &pane, counts, meters };
            self.pane_lines(&on, &mut running, draft)?;
            draft.panes.push(pane);
        }
        Ok(())
    }

    /// Prices are asked for at another instant.
    fn look_at(&mut self, at: Timestamp) {
        if self.asked.at.instant != at {
            self.asked.at.instant = at;
            self.fx = None;
        }
    }

    /// What is charged at the middle, and the meters that are charged there or at an end of the ranges.
    fn charges(&mut self, group: &Group) -> Result<(Counts, MeterSet), Vec<Fault>> {
        let mut meters = MeterSet::default();
        for end in group.spread.iter().flat_map(|spread| [&spread.low, &spread.high]) {
            self.take(end);
            meters.extend(self.split()?.charged.given());
        }
        self.take(&group.load);
        let counts = self.split()?.charged;
        meters.extend(counts.given());
        Ok((counts, meters))
    }

    fn pane_lines(
        &mut self,
        on: &OnPane<'_, 'a>,
        running: &mut Vec<Running>,
        draft: &mut Draft<'a>,
    ) -> Result<(), Vec<Fault>> {
        let worlds = on.group.spread.as_deref().map(|spread| self.charged_worlds(spread));
        let worlds = worlds.unwrap_or_default();
        self.list_amounts.clear();
        let mut spreads = Vec::new();
        for meter in on.meters.iter() {
            let Some(price) = self.find_price(meter) else { continue }; // charged only where a price was found
            let of_meter = worlds.iter().find(|(known, _)| *known == meter);
            let in_worlds = of_meter.zip(on.group.spread.as_deref()).map(|((_, worlds), spread)| {
                over_all_calls(worlds, price, spread).times(share(on.pane.weight, on.plan.whole))
            });
            let in_worlds = in_worlds.filter(|worlds| !worlds.is_exact());
            let Some(spread) = self.meter_line(on, (meter, price), in_worlds.as_ref(), running)? else {
                continue;
            };
            spreads.push((meter, spread.clone()));
            draft.spreads.push(spread);
            draft.pane_of.push(draft.panes.len());
        }
        draft.lists.push(List { amounts: std::mem::take(&mut self.list_amounts), spreads });
        Ok(())
    }

    /// The line of a meter, and what it comes to in every world; none where nothing is charged in any.
    fn meter_line(
        &mut self,
        on: &OnPane<'_, 'a>,
        (meter, price): (MeterIndex, Price<'a>),
        in_worlds: Option<&Uncertain>,
        running: &mut Vec<Running>,
    ) -> Result<Option<Uncertain>, Vec<Fault>> {
        let used = self.charged_quantity(meter, on.counts.get(meter), price);
        let quantity = self.next_quantity(running, meter, used, on.pane.weight, on.plan.whole)?;
        if quantity.is_zero() && in_worlds.is_none() {
            return Ok(None);
        }
        let (amount, per) = price.amount_per();
        let money = self.fits(quantity.scaled(amount, per))?;
        let basis = (self.scope.detail == Detail::Full)
            .then(|| Box::new(self.told_basis(on, (meter, quantity, price), in_worlds)));
        self.put_line(meter, price, quantity.into(), money, basis)?;
        Ok(Some(match in_worlds {
            Some(worlds) => worlds.times(self.unit_money(price)),
            None => Uncertain::exact(self.lines.last().map_or(0.0, |line| line.amount.to_f64())),
        }))
    }

    /// The share of a quantity that falls on a pane: so that those up to it add up to their rounded sum.
    fn next_quantity(
        &mut self,
        running: &mut Vec<Running>,
        meter: MeterIndex,
        used: u128,
        weight: u128,
        whole: u128,
    ) -> Result<Money, Vec<Fault>> {
        let at = running.iter().position(|known| known.meter == meter).unwrap_or_else(|| {
            running.push(Running { meter, exact: Weighted::default(), rounded: Money::ZERO });
            running.len() - 1
        });
        let known = &mut running[at];
        let exact = self.fits(known.exact.plus(used, weight))?;
        let (rounded, precision) = self.fits(exact.over(whole))?;
        let rounded = Money::from(rounded);
        let quantity = self.fits(rounded.checked_sub(known.rounded))?;
        (known.exact, known.rounded) = (exact, rounded);
        if precision == Precision::Rounded {
            let message = "shares of time do not end; quantities were rounded to a billionth of a unit, and add up to the whole";
            self.warn(WarningCode::Rounded, "/period", message.to_owned());
        }
        Ok(quantity)
    }

    /// Money for one unit, in the answer's currency.
    fn unit_money(&self, price: Price<'a>) -> f64 {
        let (amount, per) = price.amount_per();
        let unit = Money::from(amount).to_f64() / Money::from(per).to_f64();
        if price.currency() == self.scope.currency {
            unit
        } else {
            self.fx.map_or(unit, |fx| unit * fx.factor())
        }
    }

    /// Modifier lines of a pane.
    fn modifiers_on(&mut self, at: usize, draft: &mut Draft<'a>) -> Result<(), Vec<Fault>> {
        let List { amounts, spreads: mut worlds } = std::mem::replace(&mut draft.lists[at], List::NONE);
        let pane = &draft.panes[at];
        let Some(card) = pane.card else { return Ok(()) };
        self.card = Some(card);
        self.list_amounts = amounts;
        for modifier in self.scope.view.modifiers(self.asked.found) {
            if !modifier.in_force(pane.first) || !self.applies(modifier, card) {
                continue;
            }
            self.look_at(pane.middle());
            let before = self.lines.len();
            self.add_modifier_line(modifier, card)?;
            let factor = Money::from(modifier.row.row.factor).to_f64();
            let acted_on = |(meter, _): &&mut (MeterIndex, Uncertain)| modifier.meters.contains(*meter);
            let mut change = Uncertain::exact(0.0);
            for (_, spread) in worlds.iter_mut().filter(acted_on) {
                change = &change + &spread.times(factor - 1.0);
                *spread = spread.times(factor);
            }
            if self.lines.len() > before {
                draft.spreads.push(change);
                draft.pane_of.push(at);
            }
        }
        Ok(())
    }

    /// A cache that has no price costs nothing less.
    fn doubt_the_cache(&mut self, plan: &Plan<'a>, group: &Group) {
        let Usage::Talks { talk, meters, .. } = &plan.usage else { return };
        if talk.cache == Cache::Off {
            return;
        }
        let [read, write_1h] = meters.of_cache();
        let priced = self.priced();
        let mut lacks = |meter: MeterIndex, message: &str| {
            if group.load.counts.given().contains(meter) && !priced.contains(meter) {
                self.warn(WarningCode::CacheUnpriced, "/conversation/cache", message.to_owned());
            }
        };
        lacks(read, "the vendor has no price for what is read from a cache: it is charged as input");
        lacks(
            write_1h,
            "the vendor has no price for writing to a one-hour cache: it is charged as any other writing, or as input",
        );
    }
}

fn just_before(end: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(end.as_millisecond() - 1).unwrap_or(end)
}

/// A part of a whole, as a number.
pub(super) fn share(part: u128, whole: u128) -> f64 {
    if part == whole { 1.0 } else { wide(part) / wide(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "sixteen digits of a range are enough")]
fn wide(weight: u128) -> f64 {
    weight as f64
}
