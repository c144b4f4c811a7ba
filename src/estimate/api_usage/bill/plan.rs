//! What is to be priced, and when: looked up, and every contradiction told at once.

use super::{
    super::{
        asked::{self, Asked, Counted},
        conversation::Talk,
        period::{Piece, Timeline},
        request::{ApiUsage, UsageScope},
    },
    load::{TalkMeters, Usage, group_of_calls, times},
};
use crate::{
    catalog::meter_table::MeterTable,
    estimate::{
        desk::Scope,
        fault::{Fault, FaultKind, pointer},
        number::Count,
        object::ByName,
        tally::Tally,
        uncertain::Sampler,
    },
};

/// What is to be priced, and when.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) usage: Usage,
    pub(super) timeline: Option<Timeline>,
    /// The stretches of time; one instant where there is no period.
    pub(super) pieces: Vec<Piece>,
    /// The weight of all of them.
    pub(super) whole: u128,
}

impl Plan<'_> {
    /// Whether the usage says nothing about output.
    pub(super) fn is_without_output(&self, scope: Scope<'_>) -> bool {
        let output = scope.view.meters.find("output_tokens");
        matches!(&self.usage, Usage::Calls(group) if output.is_none_or(|meter| !group.load.counts.given().contains(meter)))
    }
}

/// Looks everything up.
pub(super) fn plan<'a>(
    item: &'a ApiUsage,
    base: &str,
    scope: Scope<'a>,
    sampler: &mut Sampler,
) -> Result<Plan<'a>, Vec<Fault>> {
    let mut faults = Vec::new();
    let at = item.as_of.or(scope.as_of);
    let asked =
        asked::look_up(item, base, scope.view, at, scope.now).map_err(|found| faults.extend(found)).ok();
    let timeline = timeline(item, base, scope, &mut faults);
    let talk = talk(item, base, scope.view.meters, &mut faults);
    if let Some(asked) = &asked {
        check_most(item, base, asked, scope.view.meters, &mut faults);
    }
    let Some(mut asked) = asked.filter(|_| faults.is_empty()) else { return Err(faults) };
    let usage = match talk {
        Some((talk, meters)) => {
            let (calls, times) = times(item, base, sampler);
            asked.counted = Counted::PerConversation;
            Usage::Talks { talk, meters, calls, times }
        }
        None => Usage::Calls(Box::new(group_of_calls(item, base, &asked, scope.view.meters, sampler))),
    };
    let (pieces, whole) = if let Some(timeline) = &timeline {
        asked.at.date_only = false;
        (timeline.pieces(scope.view, asked.found, &asked.context), timeline.weight())
    } else {
        let at = asked.at.instant;
        (vec![Piece { from: at, to: at, weight: 1, month: 0 }], 1)
    };
    Ok(Plan { asked, usage, timeline, pieces, whole })
}

fn timeline(item: &ApiUsage, base: &str, scope: Scope<'_>, faults: &mut Vec<Fault>) -> Option<Timeline> {
    let period = item.period.as_ref()?;
    let place = pointer(base, "period");
    // Of a request that is one workload, `as_of` stands in the envelope.
    if item.as_of.is_some() || base.is_empty() && scope.as_of.is_some() {
        let detail = "`as_of` and `period` both say when: give one of them".to_owned();
        faults.push(Fault::new(place.clone(), FaultKind::Contradiction { detail }));
    }
    period.timeline(&place, faults)
}

fn talk(
    item: &ApiUsage,
    base: &str,
    meters: &MeterTable,
    faults: &mut Vec<Fault>,
) -> Option<(Talk, TalkMeters)> {
    let conversation = item.conversation.as_ref()?;
    let place = pointer(base, "conversation");
    if item.usage.is_some() || item.usage_from.is_some() {
        let detail =
            "`conversation` says what is used, as `usage` and `usage_from` do: give one of them".to_owned();
        faults.push(Fault::new(place.clone(), FaultKind::Contradiction { detail }));
    }
    if item.usage_scope == UsageScope::Total {
        let detail = "a `conversation` is of one conversation; `calls` says how many there are".to_owned();
        faults.push(Fault::new(pointer(base, "usage_scope"), FaultKind::Contradiction { detail }));
    }
    let talk = Talk::new(conversation, &place, faults)?;
    Some((talk, TalkMeters::find(meters, &place, faults)?))
}

/// No call writes more than it may.
fn check_most(item: &ApiUsage, base: &str, asked: &Asked<'_>, meters: &MeterTable, faults: &mut Vec<Fault>) {
    let Some(Count(most)) = item.max_output_tokens else { return };
    let given = item.usage.iter().flat_map(ByName::iter).find(|(name, _)| *name == "output_tokens");
    let counted = || meters.find("output_tokens").map_or(0, |meter| asked.counts.get(meter));
    let replies = item.conversation.as_ref().map(|conversation| conversation.reply_tokens.0);
    let written = replies.or(given.map(|(_, tally)| tally.high())).unwrap_or_else(counted);
    let calls = match item.usage_scope {
        UsageScope::PerCall => 1,
        UsageScope::Total => item.calls.map_or(1, Tally::high),
    };
    if u128::from(written) > u128::from(most) * u128::from(calls) {
        let detail = format!("a call may write {most} tokens, and more than that are written: {written}");
        let place = pointer(base, "max_output_tokens");
        faults.push(Fault::new(place, FaultKind::Contradiction { detail }));
    }
}
