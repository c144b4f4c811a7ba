//! What the basis of a line tells besides: ranges, the share of the time, the conversation.

use std::borrow::Cow;

use super::{
    super::{Pricer, asked::Counted, basis::input, lines::Price},
    lines::OnPane,
    load::{Group, Usage},
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
        on: &OnPane<'_, 'a>,
        (meter, quantity, price): (MeterIndex, Money, Price<'a>),
        in_worlds: Option<&Uncertain>,
    ) -> Basis<'a> {
        let OnPane { plan, group, pane, counts, .. } = on;
        let mut basis = self.usage_basis(meter, counts, quantity.into(), price);
        if let Some(spread) = &group.spread {
            let drawn = spread.counts.iter().find(|(known, _)| *known == meter);
            with_range(Some(&mut basis.inputs[0]), drawn.map(|(_, drawn)| drawn));
            let calls = if spread.times.is_exact() { &spread.of_calls } else { &spread.times };
            with_range(named(&mut basis, "calls"), Some(calls));
            with_range(named(&mut basis, "quantity"), in_worlds);
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

fn with_range(input: Option<&mut Input<'_>>, spread: Option<&Uncertain>) {
    if let (Some(input), Some((low, high))) = (input, spread.and_then(Uncertain::range)) {
        (input.low, input.high) = (Some(Quantity::of(low)), Some(Quantity::of(high)));
    }
}
