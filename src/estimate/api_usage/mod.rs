//! What calls to a hosted model cost: the vendor's list, to the last digit.
//!
//! [`request`] says what may be asked, `asked` looks the names up, [`select`] chooses the rate card,
//! [`split`] turns nested counts into what is charged, and this page prices it:
//!
//! `amount = quantity * calls * rate / per`, then currency, then modifiers, then adjustments.
//!
//! What is known, alike and at one instant goes no further. Counts with a range, a [`period`], a
//! [`conversation`] and a maximum of output are priced by `bill`, with the same methods.

mod asked;
mod basis;
mod bill;
mod card;
pub mod conversation;
mod currency;
mod factors;
mod hours;
mod lines;
pub mod period;
pub mod request;
pub mod select;
pub mod split;

pub(crate) use asked::known_currency;

use jiff::Timestamp;

use self::{asked::Asked, request::ApiUsage};
use super::{
    desk::Scope,
    draft::number_repeats,
    exchange::Conversion,
    fault::{Fault, FaultKind, pointer},
    quote::{ItemQuote, Line, References, Sum, Warning, WarningCode},
    uncertain::Sampler,
};
use crate::catalog::{
    meter_table::MeterIndex,
    money::{Money, Overflow},
    snapshot::CardView,
};

/// Prices one workload. `base` is its place in the request.
///
/// # Errors
/// Every fault of meaning that can be seen.
pub fn quote<'a>(
    item: &'a ApiUsage,
    base: &str,
    scope: Scope<'a>,
    references: &mut References<'a>,
    sampler: &mut Sampler,
) -> Result<ItemQuote<'a>, Vec<Fault>> {
    if !item.is_plain() {
        return bill::quote(item, base, scope, references, sampler);
    }
    let asked = asked::look_up(item, base, scope.view, item.as_of.or(scope.as_of), scope.now)?;
    let mut pricer = Pricer::new(item, base, scope, asked, references);
    pricer.choose_card()?;
    pricer.price()
}

/// Prices one item. Fields are filled in the order of the methods.
struct Pricer<'a, 'r> {
    scope: Scope<'a>,
    base: &'r str,
    item: &'a ApiUsage,
    asked: Asked<'a>,
    card: Option<CardView<'a>>,
    references: &'r mut References<'a>,
    lines: Vec<Line<'a>>,
    /// What each meter costs by the list, in the list's currency, where a modifier may act on it.
    list_amounts: Vec<(MeterIndex, Money)>,
    warnings: Vec<Warning>,
    fx: Option<Conversion>,
}

impl<'a, 'r> Pricer<'a, 'r> {
    fn new(
        item: &'a ApiUsage,
        base: &'r str,
        scope: Scope<'a>,
        asked: Asked<'a>,
        references: &'r mut References<'a>,
    ) -> Self {
        Self {
            scope,
            base,
            item,
            lines: Vec::with_capacity(asked.counts.given().len()),
            asked,
            card: None,
            references,
            list_amounts: Vec::new(),
            warnings: Vec::new(),
            fx: None,
        }
    }
}

impl<'a> Pricer<'a, '_> {
    fn at(&self) -> Timestamp {
        self.asked.at.instant
    }

    fn fault(&self, field: &str, kind: FaultKind) -> Vec<Fault> {
        vec![Fault::new(self.place(field), kind)]
    }

    /// Where a field of the workload stands in the request. An instant that the workload does not give itself is
    /// the request's; a period stands in for it.
    fn place(&self, field: &str) -> String {
        let field = if field == "/as_of" && self.item.period.is_some() { "/period" } else { field };
        let base = if field == "/as_of" && self.item.as_of.is_none() { "" } else { self.base };
        format!("{base}{field}")
    }

    /// A result, or the fault that it is too large.
    fn fits<T>(&self, result: Result<T, Overflow>) -> Result<T, Vec<Fault>> {
        let detail = "the counts are so large that the amount has more than 76 digits";
        result.map_err(|Overflow| self.fault("", FaultKind::out_of_range(detail)))
    }

    fn warn(&mut self, code: WarningCode, field: &str, message: String) {
        self.warnings.push(Warning { code, message, pointer: self.place(field) });
    }

    /// Where usage stands in the request.
    fn usage_pointer(&self, meter: MeterIndex) -> String {
        match (&self.item.usage, &self.item.conversation) {
            (Some(_), _) => {
                pointer(&format!("{}/usage", self.base), self.scope.view.meters.get(meter).id.as_str())
            }
            (None, Some(_)) => format!("{}/conversation", self.base),
            (None, None) => format!("{}/usage_from", self.base),
        }
    }

    fn price(mut self) -> Result<ItemQuote<'a>, Vec<Fault>> {
        let charges = self.split()?;
        for meter in charges.charged.given().iter() {
            self.add_usage_line(meter, &charges.charged)?;
        }
        self.add_modifier_lines()?;
        let list_total = self.total()?;
        let adjusted = !self.item.adjustments.is_empty();
        let total = if adjusted { self.add_adjustment_lines(list_total)? } else { list_total };
        number_repeats(&mut self.lines);
        let reported_cost = self.reported_cost(total)?;
        let Self { scope, item, mut asked, lines, mut warnings, .. } = self;
        asked.warnings.append(&mut warnings);
        let default_at = scope.as_of.unwrap_or(scope.now).instant;
        Ok(ItemQuote {
            kind: "api_usage",
            id: item.id.as_deref(),
            label: item.label.as_deref(),
            provider: Some(&asked.found.offering.provider),
            model: Some(&asked.found.offering.name),
            offering: Some(&asked.found.offering.id),
            as_of: (asked.at.instant != default_at).then_some(asked.at.instant),
            period: None,
            list_total: adjusted.then(|| list_total.into()),
            total: total.into(),
            upper_bound: None,
            reported_cost,
            lines,
            headline_total: None,
            metrics: None,
            deployment: None,
            stages: None,
            by_month: None,
            warnings: asked.warnings,
            spread: None,
        })
    }

    fn total(&self) -> Result<Money, Vec<Fault>> {
        let mut sum = Sum::new();
        self.fits(self.lines.iter().try_for_each(|line| sum.add(line.amount)))?;
        Ok(sum.get())
    }
}
