//! What multiplies: modifiers that the context brings in, and the caller's own adjustments.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{
    Pricer,
    basis::{input, modifier_reference},
};
use crate::{
    catalog::{
        meter_table::{MeterIndex, MeterSet},
        money::{Money, Overflow},
        snapshot::{CardView, ModifierView},
    },
    estimate::{
        fault::Fault,
        quote::{Basis, Line, LineCode, Origin, Ref, Sum},
        request::Detail,
    },
};

impl<'a> Pricer<'a, '_> {
    /// Factors that the context brings in, each on the lines of the list and on the factors before it.
    pub(super) fn add_modifier_lines(&mut self) -> Result<(), Vec<Fault>> {
        let Some(card) = self.card else {
            return Ok(());
        };
        let (view, found, at) = (self.scope.view, self.asked.found, self.at());
        for modifier in view.modifiers(found) {
            if !modifier.in_force(at) || !self.applies(modifier, card) {
                continue;
            }
            self.add_modifier_line(modifier, card)?;
        }
        Ok(())
    }

    /// Whether the context brings a modifier in, and the chosen card does not name it already.
    pub(super) fn applies(&self, modifier: ModifierView<'a>, card: CardView<'a>) -> bool {
        modifier.row.row.context.iter().all(|(key, test)| {
            let said = self.asked.context.get(*key);
            said.is_some_and(|value| test.passes(value))
                && card.row.row.conditions.context.get(*key).is_none()
        })
    }

    pub(super) fn add_modifier_line(
        &mut self,
        modifier: ModifierView<'a>,
        card: CardView<'a>,
    ) -> Result<(), Vec<Fault>> {
        let factor = modifier.row.row.factor;
        let base = multiply(&mut self.list_amounts, modifier.meters, factor);
        let base = self.fits(base)?;
        if base.is_zero() {
            return Ok(());
        }
        let more = factor - Decimal::ONE;
        let charged = self.fits(base.scaled(more, Decimal::ONE))?;
        let source = Ref::Modifier(modifier.row.id);
        self.references.add(source, || modifier_reference(modifier));
        let basis = (self.scope.detail == Detail::Full).then(|| {
            Box::new(Basis {
                formula: Cow::Borrowed("list_amount * (factor - 1)"),
                inputs: vec![
                    input(
                        "list_amount",
                        base.into(),
                        card.row.row.currency.to_string(),
                        Origin::Derived,
                        Some(Ref::RateCard(card.row.id)),
                    ),
                    input("factor", factor.into(), String::new(), Origin::Catalog, Some(source)),
                ],
            })
        });
        let line = Line {
            code: LineCode { base: "modifier", nth: 1 },
            description: Cow::Borrowed(modifier.row.row.label.as_str()),
            quantity: more.into(),
            unit: "factor",
            unit_price: base,
            per: Decimal::ONE.into(),
            price_currency: card.row.row.currency,
            fx: None,
            amount: Money::ZERO,
            low: None,
            high: None,
            refs: vec![Ref::RateCard(card.row.id)],
            basis,
            spread: None,
        };
        self.add_line(line, charged, Some(source))
    }

    /// The caller's percentages, each on the total so far; answers the new total.
    pub(super) fn add_adjustment_lines(&mut self, list_total: Money) -> Result<Money, Vec<Fault>> {
        let mut running = list_total;
        for adjustment in &self.item.adjustments {
            let charged = self.fits(running.scaled(adjustment.percent.0, Decimal::ONE_HUNDRED))?;
            let basis = (self.scope.detail == Detail::Full).then(|| {
                Box::new(Basis {
                    formula: Cow::Borrowed("total_so_far * percent / 100"),
                    inputs: vec![
                        input(
                            "total_so_far",
                            running.into(),
                            self.scope.currency.to_string(),
                            Origin::Derived,
                            None,
                        ),
                        input(
                            "percent",
                            adjustment.percent.0.into(),
                            "percent".to_owned(),
                            Origin::Request,
                            None,
                        ),
                    ],
                })
            });
            let line = Line {
                code: LineCode { base: "adjustment", nth: 1 },
                description: Cow::Borrowed(adjustment.label.as_str()),
                quantity: adjustment.percent.0.into(),
                unit: "percent",
                unit_price: running,
                per: Decimal::ONE_HUNDRED.into(),
                price_currency: self.scope.currency,
                fx: None,
                amount: Money::ZERO,
                low: None,
                high: None,
                refs: Vec::new(),
                basis,
                spread: None,
            };
            running = self.fits(running.checked_add(charged.0))?;
            self.add_line(line, charged, None)?;
        }
        self.total()
    }
}

/// Adds up what some meters cost, and multiplies each of them by a factor for the modifiers to come.
fn multiply(
    amounts: &mut [(MeterIndex, Money)],
    meters: MeterSet,
    factor: Decimal,
) -> Result<Money, Overflow> {
    let mut sum = Sum::new();
    for (_, amount) in amounts.iter_mut().filter(|(meter, _)| meters.contains(*meter)) {
        sum.add(*amount)?;
        *amount = amount.scaled(factor, Decimal::ONE)?.0;
    }
    Ok(sum.get())
}
