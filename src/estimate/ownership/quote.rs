//! A quote of an ownership: its lines, what is not money, its months.

use std::borrow::Cow;

use super::request::Ownership;
use crate::{
    catalog::money::{Money, Overflow},
    estimate::{
        desk::{Desk, Scope, Sourced},
        draft::{self, Draft, Priced, UnitPrice, number_repeats},
        fault::{Fault, FaultKind},
        hardware::{
            owned::{Asked, Owning, OwningLine, check, owning},
            part::Part,
        },
        quote::{ItemMetrics, ItemQuote, Ref, References},
        training::{
            answer::MonthTotal,
            months::{Spent, by_month},
        },
        uncertain::{Sampler, Uncertain},
    },
};

/// Days in a year: 8760 hours.
const DAYS_PER_YEAR: f64 = 365.0;

/// Prices one workload. `base` is its place in the request.
///
/// # Errors
/// Every fault of meaning that can be seen.
pub fn quote<'a>(
    item: &'a Ownership,
    base: &str,
    scope: Scope<'a>,
    references: &mut References<'a>,
    sampler: &mut Sampler,
) -> Result<ItemQuote<'a>, Vec<Fault>> {
    let mut desk = Desk::new(scope, base, item.as_of, references, sampler);
    let quoted = desk.ownership(item);
    match quoted {
        Some(quoted) if desk.faults.is_empty() => Ok(quoted),
        _ => Err(desk.faults),
    }
}

impl<'a> Desk<'a, '_> {
    /// The machine, and what one of it costs its owner; where there is none, faults say why.
    pub(super) fn owning_of(&mut self, item: &'a Ownership) -> Option<(Part<'a>, Owning<'a>)> {
        let count = item.hardware.count;
        if count == 0 {
            self.fault("/hardware/count", FaultKind::out_of_range("must be at least 1, got 0"));
        }
        let owned = item.owned();
        let asked = Asked {
            owned: &owned,
            field: "",
            price_field: "/hardware",
            count: Some(count.max(1)),
            energy_region: None,
        };
        let Some(part) = Part::find(self, &item.hardware.gpu) else {
            check(self, asked);
            return None;
        };
        let owning = owning(self, asked, &part)?;
        Some((part, owning))
    }

    /// The quote; where there is none, faults say why.
    fn ownership(&mut self, item: &'a Ownership) -> Option<ItemQuote<'a>> {
        let count = item.hardware.count;
        let (part, owning) = self.owning_of(item)?;
        #[expect(clippy::cast_precision_loss, reason = "sixteen digits of a count are enough")]
        let fleet = Fleet { item, part: &part, owning: &owning, count: count as f64 };
        let lines = fleet.lines(self);
        if !self.faults.is_empty() {
            return None;
        }
        fleet.quote(self, lines).unwrap_or_else(|Overflow| {
            let detail = "the sum of the lines has too many digits to be written";
            self.fault("", FaultKind::out_of_range(detail));
            None
        })
    }
}

/// All the machines.
struct Fleet<'a, 's> {
    item: &'a Ownership,
    part: &'s Part<'a>,
    /// What one of them costs.
    owning: &'s Owning<'a>,
    count: f64,
}

impl<'a> Fleet<'a, '_> {
    fn lines(&self, desk: &mut Desk<'a, '_>) -> Vec<Priced<'a>> {
        let mut lines = Vec::with_capacity(self.owning.lines.len());
        for line in &self.owning.lines {
            match (line.code, &self.item.staff) {
                ("staff", Some(staff)) => {
                    let days = self.owning.terms.years.value.times(DAYS_PER_YEAR);
                    for (at, staff) in staff.iter().enumerate() {
                        lines.extend(desk.staff(staff, Some(&days), &format!("/staff/{at}")));
                    }
                }
                _ if is_nothing(line) => {}
                _ => lines.extend(desk.price(self.draft(line), "/hardware")),
            }
        }
        lines
    }

    /// What one machine is charged for, times their number.
    fn draft(&self, line: &OwningLine<'a>) -> Draft<'a> {
        let currency = self.owning.currency;
        let price = if line.code == "hardware.chips" {
            let exact = Some(self.owning.price.mid.into());
            UnitPrice { exact, spread: line.charge.unit_price.clone(), currency }
        } else {
            UnitPrice::modelled(line.charge.unit_price.clone(), currency)
        };
        let mut inputs = vec![("count", Sourced::given(Uncertain::exact(self.count), "gpu"))];
        inputs.extend(line.inputs.iter().cloned());
        Draft {
            code: line.code,
            description: Cow::Borrowed(described(line.code)),
            quantity: line.charge.quantity.times(self.count),
            unit: line.charge.unit,
            price,
            refs: self.refs(line),
            formula: Cow::Owned(format!("count * {}", line.formula)),
            inputs,
        }
    }

    /// The rows that a line rests on; what was bought rests on the part, and on what it was bought for.
    fn refs(&self, line: &OwningLine<'a>) -> Vec<Ref<'a>> {
        let terms = &self.owning.terms;
        let of_part = matches!(line.code, "hardware.chips" | "energy" | "colocation");
        let bought = line.inputs.iter().any(|(name, _)| *name == "installed");
        let bought = [&terms.price_each, &terms.server_factor, &terms.network_share]
            .map(|it| it.reference)
            .into_iter()
            .filter(|_| bought);
        let inputs = line.inputs.iter().map(|(_, input)| input.reference);
        let all = self.part.reference().filter(|_| of_part).into_iter();
        let mut refs: Vec<Ref<'a>> = all.chain(bought.chain(inputs).flatten()).collect();
        refs.sort_unstable();
        refs.dedup();
        refs
    }

    fn quote(
        &self,
        desk: &mut Desk<'a, '_>,
        lines: Vec<Priced<'a>>,
    ) -> Result<Option<ItemQuote<'a>>, Overflow> {
        let (total, spread) = draft::sum(lines.iter())?;
        let Some(metrics) = desk.ownership_metrics(self.item, self.owning, self.count) else {
            return Ok(None);
        };
        if !metrics.is_finite() {
            let detail =
                "the figures are so large, or the hours so few, that what an hour costs cannot be written";
            desk.fault("", FaultKind::out_of_range(detail));
        }
        let by_month = self.months(desk, &lines);
        if !desk.faults.is_empty() {
            return Ok(None);
        }
        let mut lines: Vec<_> = lines.into_iter().map(|priced| priced.line).collect();
        number_repeats(&mut lines);
        Ok(Some(ItemQuote {
            kind: "ownership",
            id: self.item.id.as_deref(),
            label: self.item.label.as_deref(),
            provider: None,
            model: None,
            offering: None,
            as_of: desk.own_as_of.then_some(desk.at.instant),
            period: None,
            list_total: None,
            total,
            upper_bound: None,
            reported_cost: None,
            lines,
            headline_total: None,
            metrics: Some(ItemMetrics::Ownership(Box::new(metrics))),
            deployment: None,
            stages: None,
            by_month,
            warnings: std::mem::take(&mut desk.warnings),
            spread: Some(spread),
        }))
    }

    /// By when money moves: the purchase first, what is left of it on the last day, all else evenly.
    fn months(&self, desk: &mut Desk<'a, '_>, lines: &[Priced<'a>]) -> Option<Vec<MonthTotal>> {
        let start = self.item.start?;
        let days = self.owning.terms.years.value.mid() * DAYS_PER_YEAR;
        let spent: Vec<Spent<'_>> = lines
            .iter()
            .map(|priced| {
                let (from, to) = match priced.line.code.base {
                    "hardware.chips" | "hardware.servers" | "hardware.network" => (0.0, 0.0),
                    "residual" => ((days - 1.0).max(0.0), days),
                    _ => (0.0, days),
                };
                Spent { amount: priced.line.amount, spread: &priced.spread, from, to }
            })
            .collect();
        let months = by_month(start, &spent);
        if months.is_err() {
            let detail =
                "so many months, or months so far ahead, are not told: own for fewer years, or start earlier";
            desk.fault("/start", FaultKind::out_of_range(detail));
        }
        months.ok()
    }
}

/// Whether a line is of no money at all; accelerators are told even where they are a gift.
fn is_nothing(line: &OwningLine<'_>) -> bool {
    let written = Money::modelled(line.amount.mid());
    line.code != "hardware.chips" && line.amount.range().is_none() && written.is_ok_and(Money::is_zero)
}

fn described(code: &str) -> &'static str {
    match code {
        "hardware.chips" => "accelerators",
        "hardware.servers" => "servers around them",
        "hardware.network" => "network between them",
        "energy" => "electricity",
        "colocation" => "rented place, power and cooling",
        "maintenance" => "maintenance and spare parts",
        "staff" => "people who run them",
        "capital" => "cost of the money bound in them",
        _ => "what they are still worth at the end",
    }
}
