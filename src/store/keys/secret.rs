//! The text of a key: how it is made, what it must look like, and what of it is kept.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every key begins with that was made here, so that scanners of repositories know one when they see it.
const MARK: &str = "fth_";

/// Characters of a key that are kept in clear. Those of a key made here are the mark and 48 random bits.
pub const PREFIX: usize = 16;

/// Random bytes of a key that are kept nowhere.
const SECRET_BYTES: usize = 32;

/// Least characters of a key that an operator brings along: 32 of them are then kept nowhere.
const LEAST: usize = 48;

/// Most characters of a key that an operator brings along.
const MOST: usize = 256;

/// What keys are looked up by.
pub type Prefix = [u8; PREFIX];

/// A key in clear. It has no `Display`, and its `Debug` says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    /// A new key: `fth_`, 12 hexadecimal digits to look it up by, and 64 of 32 random bytes.
    ///
    /// # Errors
    /// When the system has no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; (PREFIX - MARK.len()) / 2 + SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(MARK.to_owned() + &hexadecimal(&bytes)))
    }

    /// A key that somebody else has made: 48 to 256 characters that may stand in a header, such as those of
    /// `openssl rand -hex 32`.
    ///
    /// # Errors
    /// When it is too short, too long, or holds anything else. The text is not in the message.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (LEAST..=MOST).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(
            "48 to 256 letters, digits or -._~+/= that nobody can guess, such as those of `openssl rand -hex 32`",
        )
    }

    /// The key in clear, for the one time that it is shown.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { prefix: prefix_of(self.0.as_bytes()), hash: KeyHash::of(self.0.as_bytes()) }
    }
}

/// What is kept of a key: enough to know it again, not to make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The first characters, in clear.
    pub prefix: Prefix,
    /// SHA-256 of the whole. A slow hash protects passwords that can be guessed; a key cannot be.
    pub hash: KeyHash,
}

impl Mark {
    /// The prefix as text.
    #[must_use]
    pub fn prefix_text(&self) -> &str {
        std::str::from_utf8(&self.prefix).unwrap_or_default() // of ASCII
    }
}

/// The first characters of a text; of a shorter one, filled up with NUL, which no key has.
#[must_use]
pub fn prefix_of(text: &[u8]) -> Prefix {
    let mut prefix = [0; PREFIX];
    prefix.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    prefix
}

/// SHA-256 of a key.
#[derive(Debug, Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// What no key is known by: nobody knows a text of which this is the hash.
    pub const NOBODY: Self = Self([0; 32]);

    /// The hash of a key.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hexadecimal(&self.0))
    }
}

/// Takes the same time wherever two hashes differ.
impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_mark_and_76_digits_no_two_alike() {
        let (one, two) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let digits = one.reveal().strip_prefix("fth_").unwrap();
        assert_eq!(digits.len(), 12 + 64);
        assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one.mark().prefix, two.mark().prefix);
        assert_ne!(one.mark().hash, two.mark().hash);
        assert_eq!(Secret::parse(one.reveal()), Ok(one));
    }

    #[test]
    fn what_is_kept_is_the_start_and_the_hash() {
        let secret = Secret::parse(&"k".repeat(48)).unwrap();
        let mark = secret.mark();
        assert_eq!(mark.prefix_text(), "kkkkkkkkkkkkkkkk");
        assert_eq!(mark.hash, KeyHash::of(&[b'k'; 48]));
        assert_eq!(KeyHash::parse(&mark.hash.to_string()), Some(mark.hash));
    }

    #[test]
    fn the_hash_is_sha_256() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4, of `abc`
        assert_eq!(KeyHash::of(b"abc").to_string(), known);
        for bad in ["", "ba78", &known.replace('b', "x"), &known.replacen("ba", "+a", 1)] {
            assert!(KeyHash::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_secret_does_not_show_in_a_log() {
        let secret = Secret::generate().unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn a_key_that_could_be_guessed_or_not_be_sent_is_refused() {
        for bad in ["", "short", &"k".repeat(47), &"k".repeat(257), &("k".repeat(48) + " "), &"é".repeat(24)]
        {
            let refusal = Secret::parse(bad).unwrap_err();
            assert!(bad.is_empty() || !refusal.contains(bad), "{bad}");
        }
    }
}
