//! The programme around a run: experiments, failed runs, evaluation, data, people, whatever else.
//!
//! Each is a line of its own, beside the lines of the stages and never inside them. Experiments, failed runs and
//! evaluation are shares of the stages' compute: of their lines in GPU-hours.

use std::borrow::Cow;

use super::request::{Data, DataSort, Program};
use crate::{
    catalog::money::{Currency, Money},
    estimate::{
        desk::{Desk, Sourced},
        draft::{Draft, Priced, UnitPrice},
        fault::FaultKind,
        figure::Figure,
        uncertain::Uncertain,
    },
};

/// What the stages' GPU-hours come to.
#[derive(Debug)]
pub(super) struct Compute {
    pub(super) amount: Money,
    pub(super) spread: Uncertain,
}

impl Compute {
    /// The run and what is computed around it.
    fn with(&self, around: &[Priced<'_>]) -> Option<Self> {
        let mut amount = self.amount;
        let mut spread = self.spread.clone();
        for priced in around {
            amount = amount.checked_add(priced.line.amount).ok()?;
            spread = &spread + &priced.spread;
        }
        Some(Self { amount, spread })
    }
}

impl<'a> Desk<'a, '_> {
    /// The lines of a programme. `days` is how long the stages take, where that is known.
    pub(super) fn program(
        &mut self,
        program: &'a Program,
        compute: &Compute,
        days: Option<&Uncertain>,
    ) -> Vec<Priced<'a>> {
        let mut lines = Vec::new();
        lines.extend(self.experiments(program, compute));
        let failed = (program.failed_run_fraction, "failed_runs", "runs that failed");
        lines.extend(self.fraction(failed, "/program/failed_run_fraction", compute));
        let evaluation = (program.evaluation_fraction, "evaluation", "evaluation");
        lines.extend(self.fraction(evaluation, "/program/evaluation_fraction", compute));
        let developed = compute.with(&lines);
        for (at, data) in program.data.iter().enumerate() {
            lines.extend(self.data(data, &format!("/program/data/{at}")));
        }
        for (at, staff) in program.staff.iter().enumerate() {
            lines.extend(self.staff(staff, days, &format!("/program/staff/{at}")));
        }
        lines.extend(developed.and_then(|developed| self.staff_share(program, &developed)));
        for (at, other) in program.other.iter().enumerate() {
            lines.extend(self.other(other, &format!("/program/other/{at}")));
        }
        lines
    }

    fn experiments(&mut self, program: &'a Program, compute: &Compute) -> Option<Priced<'a>> {
        let field = "/program/experiment_multiplier";
        let multiplier = program.experiment_multiplier?;
        if multiplier.0.low() < 1.0 {
            let got = multiplier.0.low();
            self.fault(field, FaultKind::out_of_range(format!("must be at least 1, got {got}")));
            return None;
        }
        let multiplier = self.given(field, multiplier, "ratio");
        let draft = Draft {
            code: "experiments",
            description: Cow::Borrowed("experiments before the run"),
            quantity: multiplier.value.map(|multiplier| multiplier - 1.0),
            unit: "run",
            price: self.of_compute(compute),
            refs: Vec::new(),
            formula: Cow::Borrowed("(experiment_multiplier - 1) * compute"),
            inputs: vec![("experiment_multiplier", multiplier), ("compute", self.compute_sourced(compute))],
        };
        self.price(draft, field)
    }

    fn fraction(
        &mut self,
        (fraction, code, description): (Option<Figure>, &'static str, &'static str),
        field: &str,
        compute: &Compute,
    ) -> Option<Priced<'a>> {
        let fraction = self.given(field, fraction?, "ratio");
        let draft = Draft {
            code,
            description: Cow::Borrowed(description),
            quantity: fraction.value.clone(),
            unit: "run",
            price: self.of_compute(compute),
            refs: Vec::new(),
            formula: Cow::Borrowed("fraction * compute"),
            inputs: vec![("fraction", fraction), ("compute", self.compute_sourced(compute))],
        };
        self.price(draft, field)
    }

    /// One run's compute, as a price.
    fn of_compute(&self, compute: &Compute) -> UnitPrice {
        UnitPrice {
            exact: Some(compute.amount),
            spread: compute.spread.clone(),
            currency: self.scope.currency,
        }
    }

    fn compute_sourced(&self, compute: &Compute) -> Sourced<'a> {
        let unit = Cow::Owned(self.scope.currency.to_string());
        Sourced { unit, ..Sourced::derived(compute.spread.clone(), "") }
    }

    fn data(&mut self, data: &'a Data, field: &str) -> Option<Priced<'a>> {
        let currency = self.currency(&format!("{field}/currency"), data.currency.as_deref());
        if data.reused {
            return None; // it was paid for once
        }
        match (data.amount, data.tokens, data.labels) {
            (Some(amount), None, None) => {
                let place = format!("{field}/amount");
                let price = self.given_price(&place, amount, currency);
                self.sum_given("data", &data.label, price, &place)
            }
            (None, Some(tokens), None) => self.data_by_unit(data, tokens, "million_tokens", currency, field),
            (None, None, Some(labels)) => self.data_by_unit(data, labels, "label", currency, field),
            _ => {
                let detail = "give one of `amount`, `tokens` and `labels`";
                self.fault(field, FaultKind::Contradiction { detail: detail.to_owned() });
                None
            }
        }
    }

    fn data_by_unit(
        &mut self,
        data: &'a Data,
        count: Figure,
        unit: &'static str,
        currency: Currency,
        field: &str,
    ) -> Option<Priced<'a>> {
        let (name, of_unit) = if unit == "label" { ("labels", 1.0) } else { ("tokens", 1e6) };
        let count = self.given(&format!("{field}/{name}"), count, name);
        let mut refs = Vec::new();
        let mut inputs = vec![(name, count.clone())];
        let price = match (data.unit_price, data.sort) {
            (Some(price), _) => {
                let price = self.given_price(&format!("{field}/unit_price"), price, currency);
                inputs.push(("unit_price", price.as_given()));
                price
            }
            (None, Some(sort)) => {
                let (id, wanted) = usual_price(sort);
                if wanted != unit {
                    let detail = format!("{id} is a price for one {wanted}, and {name} are given");
                    self.fault(&format!("{field}/sort"), FaultKind::Contradiction { detail });
                    return None;
                }
                let usual = self.assumption(id)?;
                refs.extend(usual.reference);
                inputs.push(("unit_price", usual.clone()));
                UnitPrice::modelled(usual.value, Currency::USD)
            }
            (None, None) => {
                let kind = FaultKind::MissingField { name: "unit_price".to_owned() };
                self.fault(&format!("{field}/unit_price"), kind);
                return None;
            }
        };
        let draft = Draft {
            code: "data",
            description: Cow::Borrowed(&data.label),
            quantity: count.value.times(1.0 / of_unit),
            unit,
            price,
            refs,
            formula: Cow::Borrowed(if unit == "label" {
                "labels * unit_price"
            } else {
                "tokens / 1000000 * unit_price"
            }),
            inputs,
        };
        self.price(draft, field)
    }

    fn staff_share(&mut self, program: &'a Program, compute: &Compute) -> Option<Priced<'a>> {
        let field = "/program/staff_share";
        let share = program.staff_share?;
        if share.0.high() >= 1.0 {
            self.fault(field, FaultKind::out_of_range("must be below 1"));
            return None;
        }
        let share = self.given(field, share, "ratio");
        let draft = Draft {
            code: "staff",
            description: Cow::Borrowed("staff, as a share of staff and compute together"),
            quantity: share.value.map(|share| share / (1.0 - share)),
            unit: "run",
            price: self.of_compute(compute),
            refs: Vec::new(),
            formula: Cow::Borrowed("staff_share / (1 - staff_share) * compute"),
            inputs: vec![("staff_share", share), ("compute", self.compute_sourced(compute))],
        };
        self.price(draft, field)
    }
}

/// The assumption that holds the usual price of a sort of data, and what it is a price for.
fn usual_price(sort: DataSort) -> (&'static str, &'static str) {
    match sort {
        DataSort::LicensedText => ("data.text_usd_per_million_tokens", "million_tokens"),
        DataSort::CrawledText => ("data.crawled_usd_per_million_tokens", "million_tokens"),
        DataSort::HumanLabels => ("data.preference_label_human_usd", "label"),
        DataSort::AiLabels => ("data.preference_label_ai_usd", "label"),
    }
}
