//! The lines of the stages.

use std::borrow::Cow;

use super::{
    plan::Planned,
    stage::{RlStage, Stage, Teacher},
    steps::Where,
    work::{Counted, RewardWork, TeacherWork},
};
use crate::{
    catalog::money::Currency,
    estimate::{
        api_usage,
        api_usage::request::ApiUsage,
        desk::{Desk, Sourced},
        draft::{Draft, Priced, UnitPrice},
        hardware::{hour::Hour, part::Part},
        quote::{LineCode, Ref, Warning},
        subject::Subject,
        uncertain::Uncertain,
    },
};

/// A unit of lines that count hours.
pub(super) const GPU_HOUR: &str = "gpu_hour";

/// A line of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Compute,
    Teacher,
    Reward,
}

/// What is on a line that counts hours.
struct HoursLine<'a> {
    role: Role,
    hours: Uncertain,
    formula: Cow<'static, str>,
    inputs: Vec<(&'static str, Sourced<'a>)>,
    /// How some of the inputs are come by.
    parts: Vec<Where<'a>>,
}

/// How the figures are come by that the hours of a stage hang on.
fn parts<'a>(planned: &Planned<'a>) -> Vec<Where<'a>> {
    let Some(hours) = &planned.hours.main else { return Vec::new() };
    let named = |name: &str| hours.gpu_hours.inputs.iter().any(|(input, _)| *input == name);
    let work = &planned.work.main;
    let counted = [("flops", &work.flops), ("tokens", &work.tokens)];
    let counted = counted.into_iter().filter_map(|(name, counted)| Some((name, counted.as_ref()?)));
    let counted = counted.filter(|(name, _)| named(name));
    let counted = counted.filter_map(|(name, counted)| Where::of(name, counted));
    counted.chain(hours.parts.iter().cloned()).collect()
}

/// What the lines of all stages rest on.
pub(super) struct Ground<'a, 's> {
    pub(super) part: &'s Part<'a>,
    pub(super) subject: Option<&'s Subject<'a>>,
    pub(super) hour: &'s Hour<'a>,
}

impl<'a> Ground<'a, '_> {
    /// The lines of one stage: `<stage>.compute`, `<stage>.teacher`, `<stage>.reward`.
    pub(super) fn lines(&self, desk: &mut Desk<'a, '_>, planned: &Planned<'a>) -> Vec<Priced<'a>> {
        let mut lines = Vec::with_capacity(1);
        if let Some(hours) = &planned.hours.main {
            let line = HoursLine {
                role: Role::Compute,
                hours: hours.gpu_hours.value.clone(),
                formula: if desk.is_full() { hours.formula() } else { Cow::Borrowed("") },
                inputs: hours.gpu_hours.inputs.clone(),
                parts: parts(planned), // their rows are named with any detail
            };
            lines.extend(self.hours_line(desk, planned, line));
        }
        let counted = |role, counted: &Counted<'a>| HoursLine {
            role,
            hours: counted.value.clone(),
            formula: Cow::Borrowed(counted.formula),
            inputs: counted.inputs.clone(),
            parts: Vec::new(),
        };
        if let Some(teacher) = &planned.hours.teacher {
            lines.extend(self.hours_line(desk, planned, counted(Role::Teacher, teacher)));
        }
        if let Some(TeacherWork::Calls { calls, .. }) = &planned.work.teacher {
            lines.extend(desk.calls_line(planned, calls));
        }
        if let Some(reward) = &planned.hours.reward {
            lines.extend(self.hours_line(desk, planned, counted(Role::Reward, reward)));
        }
        lines.extend(desk.judgements_line(planned));
        lines
    }

    fn hours_line(
        &self,
        desk: &mut Desk<'a, '_>,
        planned: &Planned<'a>,
        line: HoursLine<'a>,
    ) -> Option<Priced<'a>> {
        let HoursLine { role, hours, formula, mut inputs, parts } = line;
        let mut formula = if formula.contains(' ') { format!("({formula})") } else { formula.into_owned() };
        formula.push_str(" * price_per_gpu_hour");
        for (at, part) in parts.into_iter().enumerate() {
            formula.push_str(if at == 0 { ", where " } else { ", " });
            formula.extend([part.name, " = ", part.formula.as_ref()]);
            let told: Vec<&str> = inputs.iter().map(|(name, _)| *name).collect();
            let untold = part.inputs.into_iter().filter(|(name, _)| !told.contains(name));
            inputs.extend(untold.collect::<Vec<_>>());
        }
        let mut refs: Vec<Ref<'a>> = self.part.reference().into_iter().collect();
        refs.extend(self.subject.and_then(|subject| subject.reference));
        refs.extend(inputs.iter().filter_map(|(_, figure)| figure.reference));
        refs.extend(&self.hour.refs);
        inputs.push(("price_per_gpu_hour", self.hour.input.clone()));
        let draft = Draft {
            code: code(planned.stage, role),
            description: planned.description(role),
            quantity: hours,
            unit: GPU_HOUR,
            price: self.hour.price.clone(),
            refs: each_once(refs),
            formula: Cow::Owned(formula),
            inputs,
        };
        desk.price(draft, &planned.place)
    }

    /// Hours of whole machines and terms that are paid for and not used; a line of its own.
    pub(super) fn idle(
        &self,
        desk: &mut Desk<'a, '_>,
        count: Option<u64>,
        hours: &Uncertain,
    ) -> Option<Priced<'a>> {
        let (rented, count) = (self.hour.rented.as_ref()?, count?);
        let idle = rented.idle_gpu_hours(count, hours);
        let used = Sourced::derived(hours.clone(), GPU_HOUR);
        let billed = Sourced::derived(hours + &idle, GPU_HOUR);
        let draft = Draft {
            code: "idle",
            description: Cow::Borrowed("hours of whole machines and terms that are paid for and not used"),
            quantity: idle,
            unit: GPU_HOUR,
            price: self.hour.price.clone(),
            refs: self.hour.refs.clone(),
            formula: Cow::Borrowed("(billed_gpu_hours - gpu_hours) * price_per_gpu_hour"),
            inputs: vec![
                ("billed_gpu_hours", billed),
                ("gpu_hours", used),
                ("price_per_gpu_hour", self.hour.input.clone()),
            ],
        };
        desk.price(draft, "/hardware")
    }
}

impl<'a> Desk<'a, '_> {
    /// Samples that a hosted model writes, at what its vendor's list says of one call.
    fn calls_line(&mut self, planned: &Planned<'a>, calls: &Counted<'a>) -> Option<Priced<'a>> {
        let Stage::Distillation(stage) = planned.stage else { return None };
        let Some(Teacher::Hosted(usage)) = stage.teacher() else { return None };
        let place = format!("{}/teacher", planned.place);
        let price = self.call_price(usage, &place)?;
        let calls_needed = calls.value.map(f64::ceil);
        let draft = Draft {
            code: code(planned.stage, Role::Teacher),
            description: planned.description(Role::Teacher),
            quantity: calls_needed,
            unit: "call",
            refs: price.refs,
            formula: Cow::Owned(format!("{} * price_per_call", calls.formula)),
            inputs: calls.inputs.iter().cloned().chain([("price_per_call", price.input)]).collect(),
            price: price.unit,
        };
        self.price(draft, &place)
    }

    fn call_price(&mut self, usage: &'a ApiUsage, place: &str) -> Option<CallPrice<'a>> {
        let place = self.place(place);
        let mut scope = self.scope;
        scope.as_of = Some(self.at);
        let quoted = api_usage::quote(usage, &place, scope, self.references, self.sampler);
        match quoted {
            Ok(item) => {
                let warnings: Vec<Warning> = item.warnings;
                self.warnings.extend(warnings);
                let refs = each_once(item.lines.iter().flat_map(|line| line.refs.iter().copied()).collect());
                let currency = self.scope.currency;
                let mut unit = UnitPrice::exact(item.total.amount, currency);
                if let Some(spread) = item.spread {
                    unit.spread = spread;
                }
                let input = Sourced {
                    unit: Cow::Owned(format!("{currency} per call")),
                    ..Sourced::derived(unit.spread.clone(), "")
                };
                Some(CallPrice { unit, refs, input })
            }
            Err(faults) => {
                self.faults.extend(faults);
                None
            }
        }
    }

    /// Money for each judgement: a sandbox, or whoever else judges.
    fn judgements_line(&mut self, planned: &Planned<'a>) -> Option<Priced<'a>> {
        let Stage::Rl(stage) = planned.stage else { return None };
        let (samples, price, input) = match planned.work.reward.as_ref()? {
            RewardWork::Passes(_) => return None,
            RewardWork::Given { samples } => {
                let price = self.given_judgement(stage, &planned.place)?;
                let input = price.as_given();
                (samples, price, input)
            }
            RewardWork::Assumed { samples, usd_per_sample } => {
                let price = UnitPrice::modelled(usd_per_sample.value.clone(), Currency::USD);
                (samples, price, usd_per_sample.clone())
            }
        };
        let refs = input.reference.into_iter().collect();
        let draft = Draft {
            code: code(planned.stage, Role::Reward),
            description: planned.description(Role::Reward),
            quantity: samples.value.clone(),
            unit: "sample",
            price,
            refs,
            formula: Cow::Owned(format!("{} * price_per_sample", samples.formula)),
            inputs: samples.inputs.iter().cloned().chain([("price_per_sample", input)]).collect(),
        };
        self.price(draft, &planned.place)
    }

    fn given_judgement(&mut self, stage: &RlStage, place: &str) -> Option<UnitPrice> {
        let price = stage.reward_cost_per_sample?;
        let currency = self.currency(&format!("{place}/currency"), stage.currency.as_deref());
        Some(self.given_price(&format!("{place}/reward_cost_per_sample"), price, currency))
    }
}

/// What one call to a hosted model costs, in the answer's currency.
struct CallPrice<'a> {
    unit: UnitPrice,
    refs: Vec<Ref<'a>>,
    input: Sourced<'a>,
}

impl<'a> Planned<'a> {
    fn description(&self, role: Role) -> Cow<'a, str> {
        let what = match role {
            Role::Compute => "",
            Role::Teacher => ": the teacher",
            Role::Reward => ": the reward",
        };
        match self.stage.label() {
            Some(label) if what.is_empty() => Cow::Borrowed(label),
            Some(label) => Cow::Owned(format!("{label}{what}")),
            None if what.is_empty() => Cow::Borrowed(in_words(self.stage)),
            None => Cow::Owned(format!("{}{what}", in_words(self.stage))),
        }
    }
}

fn in_words(stage: &Stage) -> &'static str {
    match stage.name() {
        "pretraining" => "pre-training",
        "context_extension" => "context extension",
        "continued_pretraining" => "continued pre-training",
        "sft" => "supervised fine-tuning",
        "preference" => "preference tuning",
        "rl" => "reinforcement learning",
        "distillation" => "distillation",
        _ => "prompting",
    }
}

fn code(stage: &Stage, role: Role) -> &'static str {
    match (stage.name(), role) {
        ("pretraining", _) => "pretraining.compute",
        ("context_extension", _) => "context_extension.compute",
        ("continued_pretraining", _) => "continued_pretraining.compute",
        ("sft", _) => "sft.compute",
        ("preference", _) => "preference.compute",
        ("rl", Role::Reward) => "rl.reward",
        ("rl", _) => "rl.compute",
        ("distillation", Role::Teacher) => "distillation.teacher",
        ("distillation", _) => "distillation.compute",
        _ => "prompting.compute",
    }
}

fn each_once(mut refs: Vec<Ref<'_>>) -> Vec<Ref<'_>> {
    let mut at = 0;
    while at < refs.len() {
        if refs[..at].contains(&refs[at]) {
            refs.remove(at);
        } else {
            at += 1;
        }
    }
    refs
}

/// A stage's name; repeats carry a number, as the codes of their lines do.
pub(super) fn numbered(planned: &[Planned<'_>], at: usize) -> String {
    let name = planned[at].stage.name();
    let before = planned[..at].iter().filter(|stage| stage.stage.name() == name).count();
    let nth = u32::try_from(before + 1).unwrap_or(u32::MAX);
    LineCode { base: name, nth }.to_string()
}
