//! What the basis of a line tells besides: ranges, the share of the time, the conversation.

use std::borrow::Cow;

use super::{
    super::{Pricer, basis::input, lines::Price, split::Counts},
    load::{Group, Usage},
    pane::Pane,
    plan::Plan,
};
use crate::{
    catalog::{
        meter_table::MeterIndex,
        money::{Money, Quantity},
    },
    estimate::{
        quote::{Basis, Input, Origin},
        uncertain::Uncertain,
    },
};

impl<'a> Pricer<'a, '_> {
    /// The basis of a meter's line on a pane.
    pub(super) fn told_basis(
        &self,
        plan: &Plan<'a>,
        group: &Group,
        pane: &Pane<'a>,
        charged: &Counts,
        (meter, quantity, price): (MeterIndex, Money, Price<'a>),
        in_worlds: Option<&Uncertain>,
    ) -> Basis<'a> {
        let mut basis = self.usage_basis(meter, charged, quantity.into(), price);
        if let Some(spread) = &group.spread {
            let counts = spread.counts.iter().find(|(known, _)| *known == meter);
            with_range(&mut basis.inputs[0], counts.map(|(_, drawn)| drawn));
            let calls = if spread.times.is_exact() { &spread.of_calls } else { &spread.times };
            named(&mut basis, "calls").into_iter().for_each(|input| with_range(input, Some(calls)));
            named(&mut basis, "quantity").into_iter().for_each(|input| with_range(input, in_worlds));
        }
        if let Some(timeline) = &plan.timeline {
            let (names, unit) = if timeline.is_weighted {
                (["weighted_milliseconds", "weighted_period_milliseconds"], "weighted millisecond")
            } else {
                (["milliseconds", "period_milliseconds"], "millisecond")
            };
            let place = basis.inputs.iter().position(|input| input.name == "quantity").unwrap_or(0);
            let [part, whole] = names;
            basis.inputs.insert(place, figure(part, pane.weight, unit, Origin::Derived));
            basis.inputs.insert(place + 1, figure(whole, plan.whole, unit, Origin::Derived));
            let formula =
                format!("{}, where quantity = {} * {part} / {whole}", basis.formula, self.usage_in_words());
            basis.formula = Cow::Owned(formula);
        }
        self.tell_conversation(plan, group, &mut basis);
        basis
    }

    fn usage_in_words(&self) -> &'static str {
        use super::super::asked::Counted;
        match self.asked.counted {
            Counted::PerCall => "charged_per_call * calls",
            Counted::OverAllCalls => "charged_over_all_calls",
            Counted::PerConversation => "charged_per_conversation * calls",
        }
    }

    /// Counts of a conversation are derived; what from, and how.
    fn tell_conversation(&self, plan: &Plan<'a>, group: &Group, basis: &mut Basis<'a>) {
        let (Usage::Talks { talk, .. }, Some(run)) = (&plan.usage, group.run) else { return };
        basis.inputs[0].origin = Origin::Derived;
        if plan.timeline.is_none() {
            basis.formula =
                Cow::Owned(format!("{}, where quantity = {}", basis.formula, self.usage_in_words()));
        }
        basis.formula.to_mut().push_str(
            "; call n of turn k = ceil(n / calls_per_turn) sends system_tokens + user_tokens * k + reply_tokens * (n - 1) + tool_tokens * (n - k), of which a cache has what call n - 1 sent; summed from first_call to last_call",
        );
        let given = [
            ("turns", talk.turns, "turn"),
            ("calls_per_turn", talk.calls_per_turn, "call"),
            ("system_tokens", talk.system, "token"),
            ("user_tokens", talk.user, "token"),
            ("reply_tokens", talk.reply, "token"),
            ("tool_tokens", talk.tool, "token"),
        ];
        let given = given.map(|(name, count, unit)| figure(name, count.into(), unit, Origin::Request));
        let runs = [("first_call", run.first + 1), ("last_call", run.end)];
        let runs = runs.map(|(name, call)| figure(name, call.into(), "call", Origin::Derived));
        basis.inputs.extend(given.into_iter().chain(runs));
    }
}

fn figure<'a>(name: &'static str, value: u128, unit: &str, origin: Origin) -> Input<'a> {
    input(name, value.into(), unit.to_owned(), origin, None)
}

fn named<'b, 'a>(basis: &'b mut Basis<'a>, name: &str) -> Option<&'b mut Input<'a>> {
    basis.inputs.iter_mut().find(|input| input.name == name)
}

fn with_range(input: &mut Input<'_>, spread: Option<&Uncertain>) {
    if let Some((low, high)) = spread.and_then(Uncertain::range) {
        (input.low, input.high) = (Some(Quantity::of(low)), Some(Quantity::of(high)));
    }
}
