//! A line for each meter that is charged.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{
    Pricer,
    asked::Contract,
    basis::card_reference,
    split::{Charges, Counts, split},
};
use crate::{
    catalog::{
        meter_table::{MeterIndex, MeterSet},
        money::{self, Currency, Money, Precision, Quantity},
        snapshot::{CardRate, CardView},
    },
    estimate::{
        fault::{Fault, FaultKind},
        quote::{Basis, Line, LineCode, Origin, Ref, Warning, WarningCode},
        request::Detail,
    },
};

/// A price that was found for a meter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Price<'a> {
    List(CardView<'a>, CardRate),
    Contract(Contract),
}

impl Price<'_> {
    pub(super) fn amount_per(self) -> (Decimal, Decimal) {
        match self {
            Self::List(_, rate) => (rate.amount, rate.per),
            Self::Contract(contract) => (contract.amount, contract.per),
        }
    }

    pub(super) fn currency(self) -> Currency {
        match self {
            Self::List(card, _) => card.row.row.currency,
            Self::Contract(contract) => contract.currency,
        }
    }

    /// The smallest quantity that the vendor charges for a call.
    pub(super) fn least_per_call(self) -> u64 {
        match self {
            Self::List(_, rate) => rate.min_quantity.unwrap_or(0),
            Self::Contract(_) => 0,
        }
    }

    pub(super) fn source(self) -> (Origin, Option<Ref<'static>>) {
        match self {
            Self::List(card, _) => (Origin::Catalog, Some(Ref::RateCard(card.row.id))),
            Self::Contract(_) => (Origin::Request, None),
        }
    }
}

impl<'a> Pricer<'a, '_> {
    /// Takes parts off their wholes, and deals with what has no price.
    pub(super) fn split(&mut self) -> Result<Charges, Vec<Fault>> {
        let meters = self.scope.view.meters;
        let priced = self.priced();
        if let Some(requests) = meters.requests()
            && priced.contains(requests)
            && !self.asked.counts.given().contains(requests)
        {
            self.asked.counts.set(requests, self.asked.of_calls);
        }
        for meter in self.asked.alternatives.iter() {
            if !priced.contains(meter) {
                self.asked.counts.clear(meter);
            }
        }
        let charges = split(&self.asked.counts, priced, meters).map_err(|faults| {
            faults
                .into_iter()
                .map(|(meter, kind)| Fault::new(self.usage_pointer(meter), kind))
                .collect::<Vec<_>>()
        })?;
        self.refuse_unpriced(charges.unpriced)?;
        for (part, whole) in &charges.chosen {
            let (part, whole) = (&meters.get(*part).id, &meters.get(*whole).id);
            self.warn(
                WarningCode::ChargedAsPart,
                "/usage",
                format!("`{part}` has no price of its own and was charged as `{whole}`"),
            );
        }
        Ok(charges)
    }

    /// The meters that the caller's own prices and the card price.
    pub(super) fn priced(&self) -> MeterSet {
        let mut priced: MeterSet = self.asked.contracts.iter().map(|contract| contract.meter).collect();
        if let Some(card) = self.card {
            priced.extend(card.card().priced);
        }
        priced
    }

    pub(super) fn refuse_unpriced(&mut self, unpriced: MeterSet) -> Result<(), Vec<Fault>> {
        let mut faults = Vec::new();
        for meter in unpriced.iter() {
            let kind = FaultKind::Unpriced {
                meter: self.scope.view.meters.get(meter).id.to_string(),
                as_of: self.at(),
            };
            let pointer = self.usage_pointer(meter);
            if self.item.allow_unpriced {
                self.warnings.push(Warning {
                    code: WarningCode::UnpricedMeter,
                    message: format!("{kind}; it was left out"),
                    pointer,
                });
            } else {
                faults.push(Fault::new(pointer, kind));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    pub(super) fn find_price(&self, meter: MeterIndex) -> Option<Price<'a>> {
        if let Some(contract) = self.asked.contracts.iter().find(|contract| contract.meter == meter) {
            return Some(Price::Contract(*contract));
        }
        let card = self.card?;
        let rate = card.card().rates.iter().find(|rate| rate.meter == meter)?;
        Some(Price::List(card, *rate))
    }

    pub(super) fn add_usage_line(&mut self, meter: MeterIndex, counts: &Counts) -> Result<(), Vec<Fault>> {
        let Some(price) = self.find_price(meter) else {
            return Ok(()); // charged only where a price was found
        };
        let quantity = self.charged_quantity(meter, counts.get(meter), price);
        if quantity == 0 {
            return Ok(());
        }
        let (amount, per) = price.amount_per();
        let charged = self.fits(money::charge(quantity, amount, per))?;
        let basis = (self.scope.detail == Detail::Full)
            .then(|| Box::new(self.usage_basis(meter, counts, quantity.into(), price)));
        self.put_line(meter, price, quantity.into(), charged, basis)
    }

    /// Adds the line of a quantity that is charged.
    pub(super) fn put_line(
        &mut self,
        meter: MeterIndex,
        price: Price<'a>,
        quantity: Quantity,
        charged: (Money, Precision),
        basis: Option<Box<Basis<'a>>>,
    ) -> Result<(), Vec<Fault>> {
        let definition = self.scope.view.meters.get(meter);
        let (amount, per) = price.amount_per();
        if amount.is_zero() {
            self.warn(
                WarningCode::ZeroPrice,
                "/model",
                format!("the price of `{}` is literally zero", definition.id),
            );
        }
        if matches!(price, Price::List(..)) && self.scope.view.modifiers(self.asked.found).next().is_some() {
            self.list_amounts.push((meter, charged.0));
        }
        if let Price::List(card, _) = price
            && card.row.row.inherited.contains(&definition.id)
        {
            self.warn(
                WarningCode::RateInherited,
                "/context",
                format!(
                    "the vendor prices no `{}` under these conditions; its standard rate stands in",
                    definition.id
                ),
            );
        }
        let line = Line {
            code: LineCode { base: definition.id.as_str(), nth: 1 },
            description: Cow::Borrowed(definition.name.as_str()),
            quantity,
            unit: &definition.unit,
            unit_price: amount.into(),
            per: per.into(),
            price_currency: price.currency(),
            fx: None,
            amount: Money::ZERO,
            low: None,
            high: None,
            refs: Vec::new(),
            basis,
            spread: None,
        };
        self.add_line(line, charged, price.source().1)
    }

    /// What is charged over all calls: at least the vendor's smallest quantity for each.
    pub(super) fn charged_quantity(&mut self, meter: MeterIndex, count: u64, price: Price<'a>) -> u128 {
        let least = price.least_per_call();
        let (of_calls, times) = (u128::from(self.asked.of_calls), u128::from(self.asked.times));
        let used = u128::from(count) * times;
        let floor = (u128::from(least) * of_calls).saturating_mul(times);
        if count > 0 && used < floor {
            let id = &self.scope.view.meters.get(meter).id;
            let message = format!("the vendor charges at least {least} `{id}` a call");
            self.warnings.push(Warning {
                code: WarningCode::MinQuantityApplied,
                message,
                pointer: self.usage_pointer(meter),
            });
            return floor;
        }
        used
    }

    /// Converts a line's amount, notes what it rests on, and puts it with the others.
    pub(super) fn add_line(
        &mut self,
        mut line: Line<'a>,
        (amount, precision): (Money, Precision),
        source: Option<Ref<'a>>,
    ) -> Result<(), Vec<Fault>> {
        if precision == Precision::Rounded {
            self.warn(
                WarningCode::Rounded,
                "",
                format!(
                    "the amount of `{}` does not end; it was rounded to 28 significant digits",
                    line.code
                ),
            );
        }
        if let Some(source) = source {
            line.refs.push(source);
            self.cite(source);
        }
        line.amount = amount;
        if line.price_currency != self.scope.currency {
            let conversion = self.conversion(line.price_currency)?;
            line.amount = self.fits(conversion.convert(amount))?;
            line.fx = Some(Box::new(conversion.shown));
            line.refs.extend(conversion.refs());
            if let Some(basis) = &mut line.basis {
                let (amount, rest) =
                    basis.formula.split_at(basis.formula.find(", where").unwrap_or(basis.formula.len()));
                basis.formula = Cow::Owned(format!("{amount} * fx{rest}"));
                basis.inputs.push(conversion.input());
            }
        }
        self.lines.push(line);
        Ok(())
    }

    pub(super) fn cite(&mut self, source: Ref<'a>) {
        if let (Ref::RateCard(_), Some(card)) = (source, self.card) {
            self.references.add(source, || card_reference(card));
        }
    }
}
