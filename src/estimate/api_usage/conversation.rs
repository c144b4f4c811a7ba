//! Conversations: what all their calls use, when each sends again what was said before.
//!
//! Call `n` (from 1) belongs to turn `k = ceil(n / c)` of `c` calls each, and sends
//!
//! `input(n) = system + user * k + reply * (n - 1) + tool * (n - k)`
//!
//! tokens: every message and reply so far, and what the tools gave back between the calls of a turn. With a
//! cache, `input(n - 1)` of them are read from it and the rest is new, the reply before included: vendors whose
//! caches are written at a price write it, others charge it as input. Input grows from call to call, so a price
//! tier holds for a run of calls, and the sums over a run have closed forms.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use utoipa::ToSchema;

use crate::estimate::{
    fault::{Fault, FaultKind},
    number::{Count, MOST},
};

/// The most turns of one conversation.
pub const MOST_TURNS: u64 = 10_000;

/// The most calls of one turn.
pub const MOST_CALLS_PER_TURN: u64 = 1_000;

/// A conversation in place of `usage`; `calls` says how many there are.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// How often the user speaks, up to 10,000 times.
    #[schema(example = 10)]
    pub turns: Count,
    /// How many calls one turn takes, up to 1,000: one, and one more after each round of tools.
    #[schema(default = 1, example = 1)]
    pub calls_per_turn: Option<Count>,
    /// What stands before the first message: the system prompt, tool descriptions, documents.
    #[schema(default = 0, example = 2000)]
    pub system_tokens: Option<Count>,
    /// One message of the user.
    #[schema(example = 100)]
    pub user_tokens: Count,
    /// What one call writes; all of it is sent again by the calls that follow.
    #[schema(example = 300)]
    pub reply_tokens: Count,
    /// What tools give back between two calls of a turn.
    #[schema(default = 0, example = 0)]
    pub tool_tokens: Option<Count>,
    /// Whether each call reads what the one before it sent from a cache that has not expired.
    #[serde(default)]
    pub cache: Cache,
}

/// Whether prompts are cached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cache {
    /// They are not.
    #[default]
    Off,
    /// They are, for so long.
    On(Ttl),
}

/// How long a cached prompt is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Ttl {
    /// Five minutes, or whatever the vendor's own cache does.
    #[default]
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour, where the vendor has a price for it.
    #[serde(rename = "1h")]
    OneHour,
}

/// A cache and how long it keeps.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheTtl {
    /// For how long prompts are written.
    #[serde(default)]
    #[schema(default = "5m", example = "1h")]
    ttl: Ttl,
}

impl<'de> Deserialize<'de> for Cache {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagOrTtl;

        impl<'de> Visitor<'de> for FlagOrTtl {
            type Value = Cache;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or an object with ttl")
            }

            fn visit_bool<E>(self, on: bool) -> Result<Cache, E> {
                Ok(if on { Cache::On(Ttl::default()) } else { Cache::Off })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cache, A::Error> {
                let CacheTtl { ttl } = CacheTtl::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Cache::On(ttl))
            }
        }

        deserializer.deserialize_any(FlagOrTtl)
    }
}

impl utoipa::PartialSchema for Cache {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{ObjectBuilder, OneOfBuilder, Ref, schema::Type};
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::Boolean))
            .item(Ref::from_schema_name("CacheTtl"))
            .description(Some("Whether prompts are cached, and for how long."))
            .examples([true])
            .into()
    }
}

impl ToSchema for Cache {
    fn name() -> std::borrow::Cow<'static, str> {
        "CacheGiven".into()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("CacheTtl".to_owned(), <CacheTtl as utoipa::PartialSchema>::schema()));
        <CacheTtl as ToSchema>::schemas(schemas);
        schemas.push(("Ttl".to_owned(), <Ttl as utoipa::PartialSchema>::schema()));
    }
}

/// A conversation in which every figure is in range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    pub(super) turns: u64,
    pub(super) calls_per_turn: u64,
    pub(super) system: u64,
    pub(super) user: u64,
    pub(super) reply: u64,
    pub(super) tool: u64,
    pub(super) cache: Cache,
}

/// What a run of calls uses together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first call, from 0.
    pub(super) first: u64,
    /// The first call after it.
    pub(super) end: u64,
    pub(super) input: u64,
    /// Of the input, what the call before had sent already.
    pub(super) seen: u64,
    pub(super) output: u64,
    /// The input of the first call.
    pub(super) least_input: u64,
}

impl Talk {
    /// Checks the figures; none where one is out of range. `place` is where the conversation stands.
    pub(super) fn new(given: &Conversation, place: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let mut within = |field: &str, Count(count): Count, most: u64| {
            if !(1..=most).contains(&count) {
                let kind = FaultKind::out_of_range(format!("must be from 1 to {most}, got {count}"));
                faults.push(Fault::new(format!("{place}/{field}"), kind));
            }
            count.clamp(1, most)
        };
        let turns = within("turns", given.turns, MOST_TURNS);
        let calls = given.calls_per_turn.unwrap_or(Count::ONE);
        let calls_per_turn = within("calls_per_turn", calls, MOST_CALLS_PER_TURN);
        let or_none = |count: Option<Count>| count.map_or(0, |Count(count)| count);
        let talk = Self {
            turns,
            calls_per_turn,
            system: or_none(given.system_tokens),
            user: given.user_tokens.0,
            reply: given.reply_tokens.0,
            tool: or_none(given.tool_tokens),
            cache: given.cache,
        };
        talk.check(place, faults).then_some(talk)
    }

    /// The same with other replies; none where its calls then use too much.
    pub(super) fn with_replies(self, reply: u64, place: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let talk = Self { reply, ..self };
        talk.check(place, faults).then_some(talk)
    }

    fn check(&self, place: &str, faults: &mut Vec<Fault>) -> bool {
        let calls = u128::from(self.calls());
        let most = self.input_before(calls).max(calls * u128::from(self.reply));
        let fits = most <= u128::from(MOST);
        if !fits {
            let detail = "the calls of one conversation use more than 1e15 tokens";
            faults.push(Fault::new(place, FaultKind::out_of_range(detail)));
        }
        fits
    }

    /// How many calls one conversation makes.
    pub(super) fn calls(&self) -> u64 {
        self.turns * self.calls_per_turn
    }

    /// The input of a call, from 0.
    fn input_of(&self, call: u64) -> u64 {
        let turn = call / self.calls_per_turn;
        let sum = |tokens: u64, times: u64| u128::from(tokens) * u128::from(times);
        let input = u128::from(self.system)
            + sum(self.user, turn + 1)
            + sum(self.reply, call)
            + sum(self.tool, call - turn);
        u64::try_from(input).unwrap_or(u64::MAX)
    }

    /// The input of all calls before one, from 0.
    fn input_before(&self, call: u128) -> u128 {
        let (system, user, reply, tool) =
            (u128::from(self.system), u128::from(self.user), u128::from(self.reply), u128::from(self.tool));
        let per_turn = u128::from(self.calls_per_turn);
        let (turns, rest) = (call / per_turn, call % per_turn);
        let calls_before = call * call.saturating_sub(1) / 2;
        let turns_before = per_turn * (turns * turns.saturating_sub(1) / 2) + rest * turns;
        system * call
            + user * (turns_before + call)
            + reply * calls_before
            + tool * (calls_before - turns_before)
    }

    /// The runs of calls between thresholds of input.
    pub(super) fn runs(&self, thresholds: &[u64]) -> Vec<Run> {
        let calls = self.calls();
        let mut cuts: Vec<u64> = thresholds.iter().map(|limit| self.first_above(*limit)).collect();
        cuts.extend([0, calls]);
        cuts.sort_unstable();
        cuts.dedup();
        cuts.windows(2).map(|ends| self.run(ends[0], ends[1])).collect()
    }

    /// The first call whose input is more than a threshold; the number of calls where none is.
    fn first_above(&self, limit: u64) -> u64 {
        let (mut below, mut above) = (0, self.calls());
        while below < above {
            let call = below.midpoint(above);
            if self.input_of(call) > limit { above = call } else { below = call + 1 }
        }
        below
    }

    /// What the calls from one to before another use. Their sums fit: all calls' do.
    pub(super) fn run(&self, first: u64, end: u64) -> Run {
        let before = |call: u64| self.input_before(u128::from(call));
        let between = |first: u64, end: u64| u64::try_from(before(end) - before(first)).unwrap_or(u64::MAX);
        Run {
            first,
            end,
            input: between(first, end),
            seen: between(first.saturating_sub(1), end.saturating_sub(1)),
            output: self.reply * (end - first),
            least_input: self.input_of(first),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn talk(turns: u64, calls_per_turn: u64, [system, user, reply, tool]: [u64; 4]) -> Talk {
        Talk { turns, calls_per_turn, system, user, reply, tool, cache: Cache::Off }
    }

    /// 1000; 1000+10+100 ... by hand: inputs 1010, 1120, 1230 of three turns.
    #[test]
    fn each_turn_sends_all_that_was_said_before() {
        let talk = talk(3, 1, [1_000, 10, 100, 0]);
        assert_eq!([0, 1, 2].map(|call| talk.input_of(call)), [1_010, 1_120, 1_230]);
        let run = talk.run(0, 3);
        assert_eq!((run.input, run.seen, run.output), (3_360, 2_130, 300));
    }

    /// By hand: 1010; 1010+100+50 (a tool's answer); 1160+100+10 (the next message); 1270+100+50.
    #[test]
    fn calls_of_a_turn_send_what_its_tools_gave_back() {
        let talk = talk(2, 2, [1_000, 10, 100, 50]);
        assert_eq!([0, 1, 2, 3].map(|call| talk.input_of(call)), [1_010, 1_160, 1_270, 1_420]);
        assert_eq!(talk.run(0, 4).input, 4_860);
    }

    #[test]
    fn a_threshold_parts_the_calls_at_the_first_whose_input_is_more() {
        let talk = talk(3, 1, [1_000, 10, 100, 0]);
        let cuts = |limit| talk.runs(&[limit]).iter().map(|run| (run.first, run.end)).collect::<Vec<_>>();
        assert_eq!(cuts(1_119), [(0, 1), (1, 3)]);
        assert_eq!(cuts(1_120), [(0, 2), (2, 3)]);
        assert_eq!(cuts(1_009), [(0, 3)]);
        assert_eq!(cuts(9_999), [(0, 3)]);
    }

    proptest! {
        /// The oracle keeps a transcript, and adds to it call by call.
        #[test]
        fn closed_forms_agree_with_a_transcript(
            turns in 1_u64..20, calls in 1_u64..5, tokens in proptest::array::uniform4(0_u64..1_000), cut in 0_u64..40_000,
        ) {
            let talk = talk(turns, calls, tokens);
            let [system, user, reply, tool] = tokens;
            let (mut transcript, mut sent) = (system, Vec::new());
            for _ in 0..turns {
                transcript += user;
                for call in 0..calls {
                    transcript += if call > 0 { tool } else { 0 };
                    sent.push(transcript);
                    transcript += reply;
                }
            }
            let runs = talk.runs(&[cut]);
            prop_assert_eq!(runs.last().unwrap().end, talk.calls());
            for run in runs {
                let [first, end] = [run.first, run.end].map(|call| usize::try_from(call).unwrap());
                prop_assert_eq!(run.input, sent[first..end].iter().sum::<u64>());
                let seen = sent[first.saturating_sub(1)..end - 1].iter().sum::<u64>();
                prop_assert_eq!(run.seen, seen);
                prop_assert!(sent[first..end].iter().all(|input| (*input > cut) == (sent[first] > cut)));
            }
        }
    }
}
