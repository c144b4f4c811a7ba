//! The name that a request goes by in the log, in its answer and in problems.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

/// Printable, and of a sane length.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default() // both ways to make one make printable ASCII
    }

    /// The name as a header's value.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The name that somebody upstream gave the request, if it is fit for a log; else a fresh UUID (version 7).
#[must_use]
pub fn of(headers: &HeaderMap, now: fn() -> Timestamp) -> RequestId {
    match headers.get("x-request-id") {
        Some(given) if is_sane(given) => RequestId(given.clone()),
        _ => fresh(now()),
    }
}

fn is_sane(given: &HeaderValue) -> bool {
    const LONGEST: usize = 128;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=LONGEST).contains(&given.len()) && given.as_bytes().iter().all(plain)
}

/// A version 7 UUID whose random part is a counter, scrambled with a number drawn at the start: names have
/// to differ, not to be secret, and a system call for random bits would cost more than the rest of them.
fn fresh(now: Timestamp) -> RequestId {
    static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = scramble(START.wrapping_add(count));
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.to_be_bytes());
    bytes[8..].copy_from_slice(&START.to_be_bytes()[..2]);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
    let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid();
    let mut text = uuid::Uuid::encode_buffer();
    let text = uuid.hyphenated().encode_lower(&mut text);
    RequestId(HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("")))
}

/// Spreads neighbouring numbers over all bits, one to one (Steele et al. 2014, `SplitMix`).
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn given(text: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_static(text));
        of(&headers, || Timestamp::UNIX_EPOCH).as_str().to_owned()
    }

    #[test]
    fn a_sane_name_is_kept() {
        assert_eq!(given("edge-7:4f/2"), "edge-7:4f/2");
    }

    #[test]
    fn a_name_that_could_forge_a_log_line_is_not_kept() {
        assert_ne!(given("a b\" status=200"), "a b\" status=200");
    }

    #[test]
    fn fresh_names_are_version_7_and_differ() {
        let at: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let names: HashSet<String> = (0..10_000).map(|_| fresh(at).as_str().to_owned()).collect();
        assert_eq!(names.len(), 10_000);
        for name in names {
            let uuid: uuid::Uuid = name.parse().unwrap();
            assert_eq!(uuid.get_version_num(), 7);
            let (seconds, _) = uuid.get_timestamp().unwrap().to_unix();
            assert_eq!(i64::try_from(seconds).unwrap(), at.as_second());
        }
    }
}
