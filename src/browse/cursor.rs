//! Where a walk through a list goes on: opaque to whoever carries it, worthless anywhere else.
//!
//! 25 bytes in base64url: a version, the revision, the instant in milliseconds, the offset, and a digest
//! over these and over the query that the cursor belongs to. Rows of a revision never change, so an offset
//! means the same row for as long as the query is the same. The digest keeps a cursor from being used with
//! another query by mistake; there is nothing in it to protect from malice.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::catalog::ids::RevisionNumber;

/// The layout below.
const VERSION: u8 = 1;

const PAYLOAD: usize = 1 + 4 + 8 + 4;
const DIGEST: usize = 8;

/// Where a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The revision that the walk sees.
    pub revision: RevisionNumber,
    /// The instant that it asks about.
    pub as_of: Timestamp,
    /// How many rows came before.
    pub offset: usize,
}

impl Cursor {
    /// The cursor as text, for one query.
    #[must_use]
    pub fn encode(self, binding: &str) -> String {
        let mut bytes = Vec::with_capacity(PAYLOAD + DIGEST);
        bytes.push(VERSION);
        bytes.extend(self.revision.0.to_be_bytes());
        bytes.extend(self.as_of.as_millisecond().to_be_bytes());
        bytes.extend(u32::try_from(self.offset).unwrap_or(u32::MAX).to_be_bytes());
        seal(bytes, binding)
    }

    /// Reads a cursor; `None` when it was altered, or made for another query.
    #[must_use]
    pub fn decode(text: &str, binding: &str) -> Option<Self> {
        let payload: [u8; PAYLOAD] = open(text, binding)?.try_into().ok()?;
        if payload[0] != VERSION {
            return None;
        }
        let revision = u32::from_be_bytes(payload[1..5].try_into().ok()?);
        let as_of = i64::from_be_bytes(payload[5..13].try_into().ok()?);
        let offset = u32::from_be_bytes(payload[13..].try_into().ok()?);
        Some(Self {
            revision: RevisionNumber(revision),
            as_of: Timestamp::from_millisecond(as_of).ok()?,
            offset: usize::try_from(offset).ok()?,
        })
    }
}

/// A text that brings bytes back, for one query.
#[must_use]
pub fn seal(mut payload: Vec<u8>, binding: &str) -> String {
    payload.extend(digest(&payload, binding));
    to_base64url(&payload)
}

/// The bytes of a text; `None` when it was altered, or made for another query.
#[must_use]
pub fn open(text: &str, binding: &str) -> Option<Vec<u8>> {
    let mut bytes = from_base64url(text)?;
    let claimed = bytes.split_off(bytes.len().checked_sub(DIGEST)?);
    (claimed == digest(&bytes, binding)).then_some(bytes)
}

fn digest(payload: &[u8], binding: &str) -> [u8; DIGEST] {
    let whole = Sha256::new().chain_update(payload).chain_update(binding).finalize();
    let mut start = [0; DIGEST];
    start.copy_from_slice(&whole[..DIGEST]);
    start
}

/// RFC 4648, section 5, without padding.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn to_base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..=chunk.len() {
            let six = bits >> (18 - 6 * at) & 63;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

/// `None` unless the text is exactly what [`to_base64url`] writes.
fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        let mut bits: u32 = 0;
        for at in 0..4 {
            let six = match chunk.get(at) {
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
                None => 0,
            };
            bits = bits << 6 | u32::try_from(six).ok()?;
        }
        bytes.extend(&bits.to_be_bytes()[1..chunk.len()]);
    }
    (to_base64url(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "/models?developer=OpenAI";

    fn cursor() -> Cursor {
        let as_of = "2026-11-24T12:00:00.123Z".parse().unwrap();
        Cursor { revision: RevisionNumber(7), as_of, offset: 150 }
    }

    #[test]
    fn a_cursor_comes_back_whole() {
        assert_eq!(Cursor::decode(&cursor().encode(QUERY), QUERY), Some(cursor()));
    }

    #[test]
    fn a_cursor_is_worth_nothing_to_another_query() {
        assert_eq!(Cursor::decode(&cursor().encode(QUERY), "/models?developer=Meta"), None);
    }

    #[test]
    fn no_letter_of_a_cursor_can_be_altered() {
        let text = cursor().encode(QUERY);
        for at in 0..text.len() {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            let altered = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(Cursor::decode(&altered, QUERY), None, "{altered}");
        }
    }

    #[test]
    fn a_cursor_can_be_neither_cut_nor_lengthened() {
        let text = cursor().encode(QUERY);
        for wrong in [&text[..text.len() - 1], &text[1..], &format!("{text}A"), "", "%", "é"] {
            assert_eq!(Cursor::decode(wrong, QUERY), None, "{wrong}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base64url_is_as_published() {
        for (bytes, text) in [("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(to_base64url(bytes.as_bytes()), text);
            assert_eq!(from_base64url(text).as_deref(), Some(bytes.as_bytes()));
        }
    }
}
