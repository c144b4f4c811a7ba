//! Lines of modelled workloads: a quantity times a price, with the range of the product.

use std::borrow::Cow;

use super::{
    desk::{Desk, Sourced},
    exchange::Conversion,
    fault::FaultKind,
    quote::{Basis, Input, Line, LineCode, Ref, Sum, Total},
    uncertain::Uncertain,
};
use crate::catalog::money::{Currency, Money, Overflow, Quantity};

/// A line before it is priced.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) code: &'a str,
    pub(crate) description: Cow<'a, str>,
    pub(crate) quantity: Uncertain,
    pub(crate) unit: &'a str,
    pub(crate) price: UnitPrice,
    pub(crate) refs: Vec<Ref<'a>>,
    pub(crate) formula: Cow<'a, str>,
    /// What the formula names; told with `detail=full` only.
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
}

/// Money for one unit: what the line says, and what it is in every world.
#[derive(Debug, Clone)]
pub(crate) struct UnitPrice {
    /// None: it is too large to be written.
    pub(crate) exact: Option<Money>,
    pub(crate) spread: Uncertain,
    pub(crate) currency: Currency,
}

impl UnitPrice {
    /// A price that is known.
    pub(crate) fn exact(amount: Money, currency: Currency) -> Self {
        let spread = Uncertain::exact(amount.to_f64());
        Self { exact: Some(amount), spread, currency }
    }

    /// A price that is modelled: cents, or six digits where that is finer.
    pub(crate) fn modelled(spread: Uncertain, currency: Currency) -> Self {
        let exact = Money::modelled(spread.mid()).ok();
        Self { exact, spread, currency }
    }

    /// A price of the request, as an input of a formula.
    pub(crate) fn as_given<'a>(&self) -> Sourced<'a> {
        let unit = Cow::Owned(self.currency.to_string());
        Sourced { unit, ..Sourced::given(self.spread.clone(), "") }
    }
}

/// A line, and what it comes to in every world.
#[derive(Debug)]
pub(crate) struct Priced<'a> {
    pub(crate) line: Line<'a>,
    pub(crate) spread: Uncertain,
}

const TOO_LARGE: &str = "the quantities are so large that the amount cannot be written";

impl<'a> Desk<'a, '_> {
    /// The line of a draft; none where its quantity is nothing in every world, or where it cannot be priced (a
    /// fault says why). `field` is the place in the request that an amount too large is blamed on.
    pub(crate) fn price(&mut self, draft: Draft<'a>, field: &str) -> Option<Priced<'a>> {
        let Draft { code, description, quantity, unit, price, mut refs, formula, inputs } = draft;
        let shown = Quantity::of(quantity.mid());
        if quantity.range().is_none() && shown == Quantity::from(0_u64) && quantity.mid().is_finite() {
            return None;
        }
        let same = price.currency == self.scope.currency;
        let conversion = if same { None } else { Some(self.conversion(price.currency)?) };
        let mut spread = &quantity * &price.spread;
        if let Some(conversion) = &conversion {
            spread = spread.times(conversion.factor());
            refs.extend(conversion.refs());
        }
        let amount = price.exact.filter(|_| quantity.mid().is_finite()).and_then(|exact| {
            let amount = exact.checked_mul(shown);
            let amount = amount.and_then(|amount| match &conversion {
                Some(conversion) => conversion.convert(amount),
                None => Ok(amount),
            });
            total(amount.ok()?.rounded_as_modelled(), &spread).ok()
        });
        let (Some(total), Some(unit_price)) = (amount, price.exact) else {
            self.fault(field, FaultKind::out_of_range(TOO_LARGE));
            return None;
        };
        if shown == Quantity::from(0_u64) && total.low.is_none() {
            return None; // next to nothing in every world
        }
        let basis = self.is_full().then(|| {
            let mut told: Vec<Input<'a>> = inputs.iter().map(|(name, figure)| figure.input(name)).collect();
            told.extend(conversion.as_ref().map(Conversion::input));
            Box::new(Basis { formula, inputs: told })
        });
        let line = Line {
            code: LineCode { base: code, nth: 1 },
            description,
            quantity: shown,
            unit,
            unit_price,
            per: Quantity::from(1_u64),
            price_currency: price.currency,
            fx: conversion.map(|conversion| Box::new(conversion.shown)),
            amount: total.amount,
            low: total.low.map(Box::new),
            high: total.high.map(Box::new),
            refs,
            basis,
            spread: Some(Box::new(spread.clone())),
        };
        Some(Priced { line, spread })
    }
}

/// An amount with the range of its worlds.
pub(crate) fn total(amount: Money, spread: &Uncertain) -> Result<Total, Overflow> {
    let Some((low, high)) = spread.range() else { return Ok(amount.into()) };
    let (low, high) = (Money::modelled(low)?, Money::modelled(high)?);
    if low == high {
        return Ok(amount.into());
    }
    // The printed amount is rounded by itself, and may lie a digit beyond a narrow range.
    let (low, high) = (low.min(amount), high.max(amount));
    Ok(Total { amount, low: Some(low), high: Some(high) })
}

/// The sum of lines as printed, with the range of the sum.
pub(crate) fn sum<'p, 'a: 'p>(
    lines: impl Iterator<Item = &'p Priced<'a>> + Clone,
) -> Result<(Total, Uncertain), Overflow> {
    let mut amount = Sum::new();
    for priced in lines.clone() {
        amount.add(priced.line.amount)?;
    }
    let spread = Uncertain::sum(lines.map(|priced| &priced.spread));
    Ok((total(amount.get(), &spread)?, spread))
}

/// Numbers codes that come again: `sft.compute`, `sft.compute#2`.
pub(crate) fn number_repeats(lines: &mut [Line<'_>]) {
    for at in 1..lines.len() {
        let base = lines[at].code.base;
        let before = lines[..at].iter().filter(|line| line.code.base == base).count();
        lines[at].code.nth = u32::try_from(before + 1).unwrap_or(u32::MAX);
    }
}
