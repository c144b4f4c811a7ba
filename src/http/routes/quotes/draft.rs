//! What is said of a quote when it is to be kept.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    catalog::time::AsOf,
    estimate::{
        fault::{Fault, FaultKind, pointer},
        kept::KeptQuote,
        request::{Tags, each_once},
    },
    http::{
        extract::JsonBytes,
        plain::{is_plain, rule},
        problem::Problem,
        routes::estimate::EstimateBody,
    },
};

/// Longest label, and longest value of a tag, in characters.
const LONGEST: usize = 500;

/// Longest name of a tag, in characters.
const LONGEST_NAME: usize = 100;

/// Tags of a quote at most.
const MOST_TAGS: usize = 50;

/// A request to price, and what the quote is to be found by.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuoteToKeep<'a> {
    /// The request, as it would be sent to `POST /estimate`.
    #[serde(borrow)]
    #[schema(value_type = EstimateBody)]
    request: &'a RawValue,
    /// What to call it: at most 500 characters, none of them control characters.
    #[schema(max_length = 500, example = "search team, December")]
    label: Option<String>,
    /// Words to find it by, at most 50. Names have at most 100 characters and no colon, values at most 500.
    #[serde(default, deserialize_with = "each_once")]
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>, example = json!({"team": "search"}))]
    tags: Tags,
    /// From when on it may go: an RFC 3339 instant or a date (midnight UTC). Default: for as long as the service keeps
    /// quotes, and never longer than that.
    #[schema(value_type = Option<String>, example = "2099-12-31T00:00:00Z")]
    expires_at: Option<AsOf>,
}

/// What a quote is to be found by, and for how long.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) label: Option<String>,
    pub(super) tags: Tags,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) requote_of: Option<String>,
}

/// Reads a body.
pub(super) fn read(body: &JsonBytes) -> Result<(Draft, &RawValue), Problem> {
    let QuoteToKeep { request, label, tags, expires_at } = body.read()?;
    let expires_at = expires_at.map(|at| at.instant);
    Ok((Draft { label, tags, expires_at, requote_of: None }, request))
}

impl Draft {
    /// For the new answer to the request of a kept quote.
    pub(super) fn again(old: &KeptQuote<'_>) -> Self {
        Self {
            label: old.label.clone(),
            tags: old.tags.clone(),
            expires_at: None,
            requote_of: Some(old.id.clone()),
        }
    }

    /// Everything that is wrong with it.
    pub(super) fn faults(&self, now: Timestamp) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |place: String, detail: String| {
            faults.push(Fault::new(place, FaultKind::out_of_range(detail)));
        };
        if let Some(label) = self.label.as_deref().filter(|label| !is_plain(label, 0, LONGEST)) {
            fault("/label".to_owned(), rule(label, 0, LONGEST));
        }
        if self.tags.len() > MOST_TAGS {
            fault("/tags".to_owned(), format!("must be at most {MOST_TAGS}, got {}", self.tags.len()));
        }
        for (name, value) in &self.tags {
            let place = pointer("/tags", name);
            if !is_plain(name, 1, LONGEST_NAME) || name.contains(':') {
                fault(
                    place,
                    format!("the name of a tag {}, and must hold no colon", rule(name, 1, LONGEST_NAME)),
                );
            } else if !is_plain(value, 0, LONGEST) {
                fault(place, rule(value, 0, LONGEST));
            }
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            fault("/expires_at".to_owned(), format!("must be later than now, {now}"));
        }
        faults
    }
}
