//! Who may ask what: keys, what they are good for, and how often they may be used.
//!
//! A [`Gate`] stands before each route, in the [`House`](super::layers::House) that is built around it. A request
//! without the header `authorization` passes an open gate for the price of one look-up of a header.

mod bucket;
mod keyring;

use std::{sync::LazyLock, time::Instant};

use axum::{
    extract::{FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
};

pub use bucket::RateLimit;
pub use keyring::{Held, Keyring};

use self::bucket::Bucket;
use super::{App, problem::Problem, request_id::RequestId};
use crate::store::{
    audit::Actor,
    keys::{Hand, Scope},
};

/// The name of the way to say who one is, in the OpenAPI document.
pub const SCHEME: &str = "key";

/// Who gets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Everybody, always: health, and the document with its page.
    Open,
    /// Everybody, or, where the service is closed, who has a key of the scope `quote`. Never too often.
    Watching,
    /// The same, and no oftener than the rate limit allows.
    Asking,
    /// Who has a key of a scope, and no oftener than the rate limit allows.
    Closed(Scope),
}

/// Who asks, as handlers see it: in every request that came with a good key.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Held,
    request_id: RequestId,
}

impl Caller {
    /// The id of the key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key.row.id
    }

    /// In whose name a change is made.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand {
            actor: Actor::Key(self.key_id().to_owned()),
            request_id: Some(self.request_id.as_str().to_owned()),
        }
    }
}

/// Only behind a closed gate is there always a caller; elsewhere this is a mistake of ours.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::internal("a route that needs a key stands behind no gate"))
    }
}

/// Everybody who comes without a key has one bucket in common.
#[derive(Debug, Default)]
pub struct Anonymous(Bucket);

impl Gate {
    /// Lets a request through, with the [`Caller`] in it where there is one.
    ///
    /// # Errors
    /// 401 without a key where one is needed, or with one that is not good, wherever it is; 403 where the key is good
    /// and not for this; 429 when it is too early.
    pub(super) fn admit(self, app: &App, id: &RequestId, request: &mut Request) -> Result<(), Problem> {
        let wanted = match self {
            Self::Open => return Ok(()),
            Self::Watching | Self::Asking => app.settings.require_key.then_some(Scope::Quote),
            Self::Closed(scope) => Some(scope),
        };
        let limit = app.settings.rate_limit.filter(|_| self != Self::Watching);
        let key = match (token(request.headers()), wanted) {
            (Token::Absent, None) => None,
            (Token::Absent, Some(_)) => return Err(Problem::key_needed()),
            (Token::Unreadable, _) => return Err(Problem::key_refused()),
            (Token::Bearer(text), _) => {
                let found = app.keys.find(text, (app.now)());
                Some(found.ok_or_else(Problem::key_refused)?)
            }
        };
        if let (Some(key), Some(wanted)) = (&key, wanted)
            && !key.row.scopes.allow(wanted)
        {
            return Err(Problem::scope_needed(wanted));
        }
        if let Some(limit) = limit {
            let bucket = key.as_ref().map_or(&app.anonymous.0, |key| &key.used.bucket);
            bucket.take(limit, since_start()).map_err(|wait| Problem::too_often(limit, wait))?;
        }
        if let Some(key) = key {
            request.extensions_mut().insert(Caller { key, request_id: id.clone() });
        }
        Ok(())
    }
}

/// What the header `authorization` says.
enum Token<'h> {
    Absent,
    Unreadable,
    Bearer(&'h [u8]),
}

/// The key in the header. What is said in another scheme than `Bearer` is for somebody else, such as a proxy before
/// us, and says nothing to us.
fn token(headers: &HeaderMap) -> Token<'_> {
    const BEARER: &[u8] = b"bearer ";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Token::Absent };
    if values.next().is_some() {
        return Token::Unreadable;
    }
    match value.as_bytes().split_at_checked(BEARER.len()) {
        Some((scheme, text)) if scheme.eq_ignore_ascii_case(BEARER) => Token::Bearer(text.trim_ascii()),
        _ => Token::Absent,
    }
}

/// ns since the first time that somebody asked.
fn since_start() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&'static str]) -> Option<Result<Vec<u8>, ()>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        match token(&headers) {
            Token::Absent => None,
            Token::Unreadable => Some(Err(())),
            Token::Bearer(text) => Some(Ok(text.to_vec())),
        }
    }

    #[test]
    fn a_key_comes_once_and_as_a_bearer() {
        let key = || Some(Ok(b"fth_1".to_vec()));
        assert_eq!((read(&["Bearer fth_1"]), read(&["bearer  fth_1 "])), (key(), key()));
        assert_eq!((read(&[]), read(&["Basic Zm9vOmJhcg=="]), read(&["Bearer"])), (None, None, None));
        assert_eq!(read(&["Bearer fth_1", "Bearer fth_2"]), Some(Err(())));
    }
}
