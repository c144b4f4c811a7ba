//! Where figures came from: the inputs of a line, and the rows it cites.

use std::borrow::Cow;

use super::{Pricer, asked::Counted, lines::Price, split::Counts};
use crate::{
    catalog::{
        meter_table::MeterIndex,
        money::Quantity,
        snapshot::{CardView, ModifierView},
    },
    estimate::quote::{Basis, Input, Origin, Ref, Reference, RowConditions},
};

impl<'a> Pricer<'a, '_> {
    /// `charged` is all that the item charges for, as the request counts it: per call, or in all.
    pub(super) fn usage_basis(
        &self,
        meter: MeterIndex,
        charged: &Counts,
        quantity: Quantity,
        price: Price<'a>,
    ) -> Basis<'a> {
        let meters = self.scope.view.meters;
        let definition = meters.get(meter);
        let (amount, per) = price.amount_per();
        let (origin, reference) = price.source();
        let of_unit = |name: &'a str, value: u64, origin| {
            input(name, value.into(), definition.unit.clone(), origin, None)
        };
        let (count, here) = (self.asked.counts.get(meter), charged.get(meter));
        let mut inputs = vec![of_unit(definition.id.as_str(), count, Origin::Request)];
        let mut apart = count.saturating_sub(here);
        for part in meters.parts(meter).intersection(charged.given()).iter() {
            let name = Cow::Owned(format!("charged_as_{}", meters.get(part).id));
            inputs.push(Input { name, ..of_unit("", charged.get(part), Origin::Derived) });
            apart = apart.saturating_sub(charged.get(part));
        }
        if apart > 0 {
            inputs.push(of_unit("charged_as_other_meters", apart, Origin::Derived));
        }
        let (charged_here, counted) = match self.asked.counted {
            Counted::PerCall => ("charged_per_call", "call"),
            Counted::OverAllCalls => ("charged_over_all_calls", "call"),
            Counted::PerConversation => ("charged_per_conversation", "conversation"),
        };
        inputs.push(of_unit(charged_here, here, Origin::Derived));
        inputs.push(input("calls", self.asked.calls.into(), counted.to_owned(), Origin::Request, None));
        inputs.push(input("quantity", quantity, definition.unit.clone(), Origin::Derived, None));
        inputs.push(input("rate", amount.into(), price.currency().to_string(), origin, reference));
        inputs.push(input("per", per.into(), definition.unit.clone(), origin, reference));
        Basis { formula: Cow::Borrowed("quantity * rate / per"), inputs }
    }
}

pub(super) fn input<'a>(
    name: &'a str,
    value: Quantity,
    unit: String,
    origin: Origin,
    reference: Option<Ref<'a>>,
) -> Input<'a> {
    Input {
        name: Cow::Borrowed(name),
        value,
        low: None,
        high: None,
        unit: Cow::Owned(unit),
        origin,
        reference,
    }
}

pub(super) fn card_reference(card: CardView<'_>) -> Reference<'_> {
    let row = &card.row.row;
    Reference {
        source: row.source.as_deref(),
        observed_at: row.observed_at,
        effective_from: row.effective_from,
        effective_to: row.effective_to,
        conditions: RowConditions::Card(&row.conditions),
        value: None,
        note: row.note.as_deref(),
        revision: card.row.introduced.0,
    }
}

pub(super) fn modifier_reference(modifier: ModifierView<'_>) -> Reference<'_> {
    let row = &modifier.row.row;
    Reference {
        source: row.source.as_deref(),
        observed_at: row.observed_at,
        effective_from: row.effective_from,
        effective_to: row.effective_to,
        conditions: RowConditions::Modifier { context: &row.context },
        value: None,
        note: None,
        revision: modifier.row.introduced.0,
    }
}
