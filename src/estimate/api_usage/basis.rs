//! Where figures came from: the inputs of a line, and the rows it cites.

use std::borrow::Cow;

use super::{Pricer, currency::Conversion, lines::Price};
use crate::{
    catalog::{
        meter_table::MeterIndex,
        money::Quantity,
        snapshot::{CardView, ModifierView, View},
        time::start_of_day,
    },
    estimate::quote::{Basis, Fx, Input, Origin, Ref, Reference, RowConditions},
};

impl<'a> Pricer<'a, '_> {
    pub(super) fn usage_basis(
        &self,
        meter: MeterIndex,
        count: u64,
        quantity: u128,
        price: Price<'a>,
    ) -> Basis<'a> {
        let meters = self.scope.view.meters;
        let definition = meters.get(meter);
        let (amount, per) = price.amount_per();
        let (origin, reference) = price.source();
        let unit = &definition.unit;
        let mut inputs = vec![input(
            definition.id.as_str(),
            self.asked.counts.get(meter).into(),
            unit.clone(),
            Origin::Request,
            None,
        )];
        for part in meters.parts(meter).intersection(self.asked.counts.given()).iter() {
            let part_id = meters.get(part).id.as_str();
            inputs.push(input(
                part_id,
                self.asked.counts.get(part).into(),
                unit.clone(),
                Origin::Request,
                None,
            ));
        }
        inputs.push(input("charged_per_call", count.into(), unit.clone(), Origin::Derived, None));
        if let Some(calls) = self.item.calls {
            inputs.push(input("calls", calls.0.into(), "call".to_owned(), Origin::Request, None));
        }
        inputs.push(input("quantity", quantity.into(), unit.clone(), Origin::Derived, None));
        inputs.push(input("rate", amount.into(), price.currency().to_string(), origin, reference));
        inputs.push(input("per", per.into(), unit.clone(), origin, reference));
        Basis { formula: "quantity * rate / per", inputs }
    }
}

pub(super) fn input(
    name: &str,
    value: Quantity,
    unit: String,
    origin: Origin,
    reference: Option<Ref>,
) -> Input<'_> {
    Input { name: Cow::Borrowed(name), value, unit: Cow::Owned(unit), origin, reference }
}

pub(super) fn fx_input<'a>(conversion: &Conversion) -> Input<'a> {
    let Fx { from, to, rate, .. } = conversion.shown;
    let reference = conversion.refs.into_iter().flatten().next().map(Ref::FxRate);
    input("fx", rate, format!("{to} per {from}"), Origin::Catalog, reference)
}

pub(super) fn card_reference(card: CardView<'_>) -> Reference<'_> {
    let row = &card.row.row;
    Reference {
        source: row.source.as_deref(),
        observed_at: row.observed_at,
        effective_from: row.effective_from,
        effective_to: row.effective_to,
        conditions: RowConditions::Card(&row.conditions),
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
        note: None,
        revision: modifier.row.introduced.0,
    }
}

pub(super) fn fx_reference(view: View<'_>, id: i64) -> Option<Reference<'_>> {
    let row = view.snapshot().fx_row(id)?;
    Some(Reference {
        source: row.row.source.as_deref(),
        observed_at: row.row.observed_at,
        effective_from: start_of_day(row.row.date),
        effective_to: None,
        conditions: RowConditions::Always {},
        note: None,
        revision: row.introduced.0,
    })
}
