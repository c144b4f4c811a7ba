//! What is used: groups of calls whose counts are summed, and how sure the counts are.

use super::super::{
    asked::Asked,
    conversation::{Cache, Run, Talk, Ttl},
    request::{ApiUsage, UsageScope},
    split::Counts,
};
use crate::{
    catalog::{
        meter_table::{MeterIndex, MeterTable},
        rate_card::InputPerCall,
    },
    estimate::{
        fault::{Fault, FaultKind, pointer},
        object::ByName,
        tally::Tally,
        uncertain::{Sampler, Uncertain},
    },
};

/// Counts, how many calls they are sums over, how often they are used, and what decides their tier.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) counts: Counts,
    pub(super) of_calls: u64,
    pub(super) times: u64,
    pub(super) input: InputPerCall,
}

/// Calls that one card prices at an instant.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub(super) load: Load,
    pub(super) spread: Option<Box<Spread>>,
    /// Which calls of a conversation they are.
    pub(super) run: Option<Run>,
}

/// How far off a load may be.
#[derive(Debug, Clone)]
pub(super) struct Spread {
    pub(super) low: Load,
    pub(super) high: Load,
    /// The counts that have a range.
    pub(super) counts: Vec<(MeterIndex, Uncertain)>,
    pub(super) of_calls: Uncertain,
    pub(super) times: Uncertain,
}

/// What all groups are made from.
#[derive(Debug, Clone)]
pub(super) enum Usage {
    /// Calls with counts of their own.
    Calls(Box<Group>),
    /// Conversations, to be cut at thresholds.
    Talks { talk: Talk, meters: TalkMeters, calls: Tally, times: Uncertain },
}

/// The meters of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct TalkMeters {
    input: MeterIndex,
    cache_read: MeterIndex,
    cache_write: MeterIndex,
    cache_write_1h: MeterIndex,
    output: MeterIndex,
}

impl TalkMeters {
    /// Finds them; a fault names the first that the catalog lacks.
    pub(super) fn find(meters: &MeterTable, place: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut find = |id: &str| {
            let found = meters.find(id);
            if found.is_none() {
                faults.push(Fault::new(
                    place,
                    FaultKind::UnknownMeter { name: id.to_owned(), near: Vec::new() },
                ));
            }
            found
        };
        Some(Self {
            input: find("input_tokens")?,
            cache_read: find("cache_read_tokens")?,
            cache_write: find("cache_write_tokens")?,
            cache_write_1h: find("cache_write_1h_tokens")?,
            output: find("output_tokens")?,
        })
    }

    /// What a conversation's cache is charged by: reading, and writing for an hour.
    pub(super) fn of_cache(self) -> [MeterIndex; 2] {
        [self.cache_read, self.cache_write_1h]
    }

    fn counts(self, talk: Talk, run: Run) -> Counts {
        let mut counts = Counts::default();
        counts.set(self.input, run.input);
        counts.set(self.output, run.output);
        if let Cache::On(ttl) = talk.cache {
            let new = run.input - run.seen;
            counts.set(self.cache_read, run.seen);
            counts.set(self.cache_write, new);
            if ttl == Ttl::OneHour {
                counts.set(self.cache_write_1h, new);
            }
        }
        counts
    }
}

/// The group of a run of calls.
pub(super) fn group_of(talk: Talk, meters: TalkMeters, calls: Tally, times: &Uncertain, run: Run) -> Group {
    let load = |times: u64| Load {
        counts: meters.counts(talk, run),
        of_calls: run.end - run.first,
        times,
        input: InputPerCall { tokens: run.least_input.into(), calls: 1 },
    };
    let spread = (!calls.is_exact()).then(|| {
        Box::new(Spread {
            low: load(calls.low()),
            high: load(calls.high()),
            counts: Vec::new(),
            of_calls: Uncertain::exact(number(run.end - run.first)),
            times: times.clone(),
        })
    });
    Group { load: load(calls.mid()), spread, run: Some(run) }
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "sixteen digits of a range are enough")]
pub(super) fn number(count: u64) -> f64 {
    count as f64
}

/// How many calls, or conversations, in every world.
pub(super) fn times(item: &ApiUsage, base: &str, sampler: &mut Sampler) -> (Tally, Uncertain) {
    let calls = item.calls.unwrap_or(Tally::ONE);
    (calls, sampler.draw(&pointer(base, "calls"), calls.range()))
}

/// The one group of calls with counts of their own.
pub(super) fn group_of_calls(
    item: &ApiUsage,
    base: &str,
    asked: &Asked<'_>,
    meters: &MeterTable,
    sampler: &mut Sampler,
) -> Group {
    let load = Load {
        counts: asked.counts.clone(),
        of_calls: asked.of_calls,
        times: asked.times,
        input: asked.input,
    };
    let (calls, calls_drawn) = times(item, base, sampler);
    let ranged: Vec<(MeterIndex, &str, Tally)> = item
        .usage
        .iter()
        .flat_map(ByName::iter)
        .filter(|(_, tally)| !tally.is_exact())
        .filter_map(|(name, tally)| Some((meters.find(name)?, name, *tally)))
        .collect();
    if ranged.is_empty() && calls.is_exact() {
        return Group { load, spread: None, run: None };
    }
    let end = |of: fn(Tally) -> u64, other: fn(Tally) -> u64| {
        let mut end = load.clone();
        for (meter, _, tally) in &ranged {
            end.counts.set(*meter, of(*tally));
        }
        let tokens = meters.input_tokens().map_or(0, |meter| end.counts.get(meter));
        let per_call = match item.usage_scope {
            UsageScope::PerCall => {
                end.times = of(calls);
                1
            }
            UsageScope::Total => {
                end.of_calls = of(calls);
                other(calls).max(1) // the most input over the fewest calls is the most per call
            }
        };
        if item.input_tokens_per_call.is_none() {
            end.input = InputPerCall { tokens: tokens.into(), calls: per_call };
        }
        end
    };
    let (low, high) = (end(Tally::low, Tally::high), end(Tally::high, Tally::low));
    let one = Uncertain::exact(1.0);
    let (of_calls, times) = match item.usage_scope {
        UsageScope::PerCall => (one, calls_drawn),
        UsageScope::Total => (calls_drawn, one),
    };
    let usage = pointer(base, "usage");
    let draw = |(meter, name, tally): &(MeterIndex, &str, Tally)| {
        (*meter, sampler.draw(&pointer(&usage, name), tally.range()))
    };
    let counts = ranged.iter().map(draw).collect();
    let spread = Some(Box::new(Spread { low, high, counts, of_calls, times }));
    Group { load, spread, run: None }
}
