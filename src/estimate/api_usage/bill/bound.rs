//! The most that a request can cost: every call writes as much as it may.

use super::{
    super::{Pricer, request::ApiUsage},
    load::{Group, Load, Usage},
    plan::Plan,
};
use crate::{
    catalog::{meter_table::MeterTable, money::Money},
    estimate::{
        desk::Scope,
        fault::Fault,
        number::Count,
        quote::{References, Warning, WarningCode},
        request::Detail,
        tally::Tally,
        uncertain::Uncertain,
    },
};

/// A bound, and what it leaves out.
#[derive(Debug, Default)]
pub(super) struct Bound {
    pub(super) amount: Option<Money>,
    pub(super) warnings: Vec<Warning>,
}

/// The bound of a request that says how much a call may write; none of any other.
///
/// What is written beyond the usage is charged as `output_tokens`, or as reasoning where that costs more. Counts with
/// a range are at their P90.
pub(super) fn upper_bound<'a>(
    item: &'a ApiUsage,
    base: &str,
    scope: Scope<'a>,
    plan: &Plan<'a>,
) -> Result<Bound, Vec<Fault>> {
    let Some(Count(most)) = item.max_output_tokens else { return Ok(Bound::default()) };
    let field = format!("{base}/max_output_tokens");
    let price = |usage: Usage| -> Result<(Money, Vec<Warning>), Vec<Fault>> {
        let mut aside = References::default();
        let scope = Scope { detail: Detail::Lines, ..scope };
        let mut pricer = Pricer::new(item, base, scope, plan.asked.clone(), &mut aside);
        let bill = pricer.bill(plan, &usage)?;
        Ok((bill.total, pricer.warnings))
    };
    // The usage itself has been priced: what is wrong now is wrong with the maximum.
    let blamed = |faults: Vec<Fault>| -> Vec<Fault> {
        faults.into_iter().map(|fault| Fault { pointer: field.clone(), ..fault }).collect()
    };
    let usage = most_of(plan, most, scope.view.meters, &field)?;
    let (mut amount, mut warnings) = price(usage.clone()).map_err(blamed)?;
    if let Some(thinking) = all_reasoning(usage, plan, scope.view.meters)
        && let Ok((other, _)) = price(thinking)
        && other.checked_sub(amount).is_ok_and(|more| more.to_f64() > 0.0)
    {
        amount = other;
    }
    warnings.retain(|warning| warning.code == WarningCode::UnpricedMeter);
    Ok(Bound { amount: Some(amount), warnings })
}

/// The usage with as much output as may be, and counts at their P90.
fn most_of(plan: &Plan<'_>, most: u64, meters: &MeterTable, field: &str) -> Result<Usage, Vec<Fault>> {
    match &plan.usage {
        Usage::Talks { talk, meters, calls, .. } => {
            let mut faults = Vec::new();
            let talk = talk.with_replies(most, field, &mut faults).ok_or(faults)?;
            let calls = Tally::exact(calls.high());
            Ok(Usage::Talks { talk, meters: *meters, calls, times: Uncertain::exact(1.0) })
        }
        Usage::Calls(group) => {
            let mut load = group.spread.as_ref().map_or(&group.load, |spread| &spread.high).clone();
            if let Some(output) = meters.find("output_tokens") {
                // 1e15 tokens of 1e15 calls do not fit, and are refused as too large an amount would be.
                let written = most.checked_mul(load.of_calls).ok_or_else(|| vec![too_much(field)])?;
                load.counts.set(output, written);
            }
            Ok(Usage::Calls(Box::new(Group { load, spread: None, run: None })))
        }
    }
}

fn too_much(field: &str) -> Fault {
    let detail = "the output of all calls together is more than 64 bits count";
    Fault::new(field, crate::estimate::fault::FaultKind::out_of_range(detail))
}

/// The same with all that is written beyond the usage spent on reasoning.
fn all_reasoning(usage: Usage, plan: &Plan<'_>, meters: &MeterTable) -> Option<Usage> {
    let (Usage::Calls(mut group), Usage::Calls(given)) = (usage, &plan.usage) else { return None };
    let (output, reasoning) = (meters.find("output_tokens")?, meters.find("output_reasoning_tokens")?);
    let given: &Load = given.spread.as_ref().map_or(&given.load, |spread| &spread.high);
    let counts = &mut group.load.counts;
    let more = counts.get(output).checked_sub(given.counts.get(output))?;
    counts.set(reasoning, counts.get(reasoning).checked_add(more)?);
    Some(Usage::Calls(group))
}
