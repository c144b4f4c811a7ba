//! What is around the machines: people, and sums of money that a request names.

use std::borrow::Cow;

use super::{
    desk::{Desk, Sourced},
    draft::{Draft, Priced, UnitPrice},
    fault::FaultKind,
    figure::Price,
    hardware::request::Staff,
    training::request::Other,
    uncertain::Uncertain,
};
use crate::catalog::money::Currency;

/// Days in a month: 730 hours.
pub(crate) const DAYS_A_MONTH: f64 = 730.0 / 24.0;

impl<'a> Desk<'a, '_> {
    /// People, a line of their own; `days` is how long the workload takes, where that is known.
    pub(crate) fn staff(
        &mut self,
        staff: &'a Staff,
        days: Option<&Uncertain>,
        field: &str,
    ) -> Option<Priced<'a>> {
        let currency = self.currency(&format!("{field}/currency"), staff.currency.as_deref());
        let people = self.given(&format!("{field}/people"), staff.people, "person");
        let months = match (staff.months, days) {
            (Some(months), _) => self.given(&format!("{field}/months"), months, "month"),
            (None, Some(days)) => Sourced::derived(days.times(1.0 / DAYS_A_MONTH), "month"),
            (None, None) => {
                let kind = FaultKind::MissingField { name: "months".to_owned() };
                self.fault(&format!("{field}/months"), kind);
                return None;
            }
        };
        let price = self.given_price(&format!("{field}/monthly_cost"), staff.monthly_cost, currency);
        let draft = Draft {
            code: "staff",
            description: Cow::Borrowed(&staff.label),
            quantity: &people.value * &months.value,
            unit: "person_month",
            refs: Vec::new(),
            formula: Cow::Borrowed("people * months * monthly_cost"),
            inputs: vec![("people", people), ("months", months), ("monthly_cost", price.as_given())],
            price,
        };
        self.price(draft, field)
    }

    /// Whatever else costs money.
    pub(crate) fn other(&mut self, other: &'a Other, field: &str) -> Option<Priced<'a>> {
        let currency = self.currency(&format!("{field}/currency"), other.currency.as_deref());
        let price = UnitPrice::exact(other.amount.0.into(), currency);
        self.sum_given("other", &other.label, price, field)
    }

    /// A sum of money that the request names.
    pub(crate) fn sum_given(
        &mut self,
        code: &'static str,
        label: &'a str,
        price: UnitPrice,
        field: &str,
    ) -> Option<Priced<'a>> {
        let draft = Draft {
            code,
            description: Cow::Borrowed(label),
            quantity: Uncertain::exact(1.0),
            unit: "item",
            refs: Vec::new(),
            formula: Cow::Borrowed("amount"),
            inputs: vec![("amount", price.as_given())],
            price,
        };
        self.price(draft, field)
    }

    /// A price of the request, drawn by its place.
    pub(crate) fn given_price(&mut self, field: &str, price: Price, currency: Currency) -> UnitPrice {
        let place = self.place(field);
        let spread = self.sampler.draw(&place, price.range());
        UnitPrice { exact: Some(price.mid.into()), spread, currency }
    }
}
