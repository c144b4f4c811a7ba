//! A quote that somebody keeps: what was asked, what was answered, on what it rests; and the same asked again.
//!
//! The text of a [`KeptQuote`] is written once. Whoever asks for it later gets those bytes, whatever has become of
//! prices, of the engine, or of this type.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    answer::Answer,
    diff::{Diff, DiffError, diff, diff_since},
    estimate,
    fault::Fault,
    quote::{Quote, Total},
    request::{EstimateRequest, NotJson, Tags},
};
use crate::catalog::{money::Currency, snapshot::Snapshot};

/// A quote that is kept: request and answer as they were, and what the answer rests on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct KeptQuote<'a> {
    /// Its id: a UUID that sorts by time and cannot be guessed.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    pub id: String,
    /// When it was made; a request without `as_of` is about this instant.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub created_at: Timestamp,
    /// From when on it is gone; null: it stays.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-24T12:00:00Z")]
    pub expires_at: Option<Timestamp>,
    /// What it is called.
    #[schema(example = "search team, December")]
    pub label: Option<String>,
    /// Words to find it by.
    #[schema(example = json!({"team": "search"}))]
    pub tags: Tags,
    /// The quote whose request this one answered anew; null: it is the first.
    #[schema(example = "019ab2c4-7a00-7c4d-8e5f-60718293a4b5")]
    pub requote_of: Option<String>,
    /// The revision of the catalog that the answer rests on.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine that made the answer.
    #[schema(example = "farthing 0.1.0")]
    pub engine: String,
    /// The request as it was sent to `POST /estimate`, or as it would have been.
    #[serde(borrow)]
    #[schema(value_type = Object, example = json!({"model": "gpt-4o", "usage": {"input_tokens": 1200}}))]
    pub request: &'a RawValue,
    /// What `POST /estimate` answered to it at that time.
    #[serde(borrow)]
    #[schema(value_type = Quote)]
    pub answer: &'a RawValue,
}

/// An answer as text, and what it comes to.
#[derive(Debug)]
pub struct Priced {
    /// What `POST /estimate` answers.
    pub answer: Box<RawValue>,
    /// Currency of the total.
    pub currency: Currency,
    /// What it comes to.
    pub total: Total,
    /// The revision of the catalog that it rests on.
    pub catalog_revision: u32,
}

/// A kept request answered anew.
#[derive(Debug)]
pub struct Requoted {
    /// The new answer.
    pub priced: Priced,
    /// What moved since the answer that was kept, and why.
    pub moved: Diff,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unpriced {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] NotJson),
    /// It cannot be answered as it stands.
    #[error("the request has {} faults", .0.len())]
    Faults(Vec<Fault>),
    /// The answers cannot be compared.
    #[error(transparent)]
    Incomparable(#[from] DiffError),
    /// An answer cannot be written, or the one that was kept cannot be read.
    #[error("an answer is no JSON of the shape that it should have: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Prices a request given as text.
///
/// # Errors
/// When it cannot be answered; every fault of it at once.
pub fn price(request: &str, snapshot: &Snapshot, now: Timestamp) -> Result<Priced, Unpriced> {
    price_read(&EstimateRequest::parse(request.as_bytes())?, snapshot, now)
}

fn price_read(request: &EstimateRequest, snapshot: &Snapshot, now: Timestamp) -> Result<Priced, Unpriced> {
    let quote = estimate(request, snapshot, now).map_err(Unpriced::Faults)?;
    Ok(Priced {
        answer: serde_json::value::to_raw_value(&quote)?,
        currency: quote.currency,
        total: quote.total,
        catalog_revision: quote.catalog_revision,
    })
}

/// Answers a kept request anew: at the instant that it names, else `now`, with the newest catalog whatever revision it
/// names.
///
/// What moved is told against the kept answer. So that the engine's part in it can be told from the catalog's, the
/// request is also priced as it was then: at the instant and with the revision that the kept answer rests on.
///
/// # Errors
/// When it cannot be answered any more, as when a model is gone; every fault of it at once.
pub fn requote(kept: &KeptQuote<'_>, snapshot: &Snapshot, now: Timestamp) -> Result<Requoted, Unpriced> {
    let mut request = EstimateRequest::parse(kept.request.get().as_bytes())?;
    request.catalog_revision = None;
    let priced = price_read(&request, snapshot, now)?;
    request.catalog_revision = Some(kept.catalog_revision.into());
    let replayed = price_read(&request, snapshot, kept.created_at);
    let before: Answer = serde_json::from_str(kept.answer.get())?;
    let after: Answer = serde_json::from_str(priced.answer.get())?;
    let moved = match replayed {
        Ok(replayed) => diff_since(&before, &serde_json::from_str(replayed.answer.get())?, &after)?,
        Err(_) => diff(&before, &after)?, // of a catalog that is not here, or more than the engine of today takes
    };
    Ok(Requoted { priced, moved })
}
