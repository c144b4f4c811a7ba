//! Requests that may be sent twice: the header `idempotency-key`, and the answer given again.
//!
//! A handler takes [`Keyed`], asks [`answered`] first, and hands the [`Claim`] to the store with the work. Only
//! answers of success are kept: a request that was refused has done nothing, and may be put right under its key.

use std::{fmt::Write as _, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{App, auth::Caller, extract::json_response, problem::Problem};
use crate::store::idempotency::{Claim, Claimed, KeptAnswer};

/// The header that says that an answer is one given before.
pub(crate) const REPLAYED: &str = "idempotent-replayed";

const HEADER: &str = "idempotency-key";

const LONGEST: usize = 255;

/// The key that a request carries, if it does, and what it is for.
#[derive(Debug)]
pub(crate) struct Keyed {
    key: Option<String>,
    scope: String,
    query: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Keyed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let whose = parts.extensions.get::<Caller>();
        let whose = whose.map_or_else(String::new, |caller| format!(" {}", caller.key_id()));
        Ok(Self {
            key: key(&parts.headers)?,
            scope: format!("{} {}{whose}", parts.method, parts.uri.path()),
            query: parts.uri.query().unwrap_or_default().to_owned(),
        })
    }
}

/// The key; an empty one, as forms send it, is none.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all(HEADER).iter().filter(|key| !key.is_empty());
    let Some(key) = keys.next() else { return Ok(None) };
    let text = key.to_str().unwrap_or_default();
    if keys.next().is_some() || !(1..=LONGEST).contains(&text.len()) {
        let rule =
            format!("the header `{HEADER}` must come once, with 1 to {LONGEST} printable ASCII characters");
        return Err(Problem::bad_request(rule));
    }
    Ok(Some(text.to_owned()))
}

impl Keyed {
    /// What the store is to know of the request; `None`: it carries no key.
    pub(crate) fn claim(&self, body: &[u8], now: Timestamp, ttl: Duration) -> Option<Claim> {
        let key = self.key.clone()?;
        let digest = Sha256::new().chain_update(&self.query).chain_update([0]).chain_update(body).finalize();
        let request_hash = digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // a String takes everything
            text
        });
        let expires_at = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
        Some(Claim { scope: self.scope.clone(), key, request_hash, expires_at })
    }
}

/// The answer that the same request got before; `None`: it is to be carried out.
///
/// # Errors
/// 422 when another request came with the key, 503 when the database fails.
pub(crate) async fn answered(
    app: &App,
    claim: Option<&Claim>,
    now: Timestamp,
) -> Result<Option<Response>, Problem> {
    let Some(claim) = claim else { return Ok(None) };
    app.store()?.answered(claim, now).await?.map(given_before).transpose()
}

/// What to say to a request that was not the first with its key.
///
/// # Errors
/// 422 when the first one was another.
pub(crate) fn given_before(claimed: Claimed) -> Result<Response, Problem> {
    match claimed {
        Claimed::Again(answer) => {
            let mut response = response(answer)?;
            let name = HeaderName::from_static(REPLAYED);
            response.headers_mut().insert(name, HeaderValue::from_static("true"));
            Ok(response)
        }
        Claimed::Reused => Err(Problem::idempotency_key_reused()),
        Claimed::First => Err(Problem::internal("a key that is new has no answer")),
    }
}

/// An answer as it goes out.
///
/// # Errors
/// 500 when it is none.
pub(crate) fn response(answer: KeptAnswer) -> Result<Response, Problem> {
    let mut response = json_response(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(Problem::internal)?;
    if let Some(location) = answer.location {
        let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &[&str]) -> Result<Option<String>, ()> {
        let headers = keys.iter().map(|key| (HeaderName::from_static(HEADER), key.parse().unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        key(&map).map_err(drop)
    }

    #[test]
    fn a_key_is_one_text_of_sane_length() {
        assert_eq!(read(&["7d1f"]), Ok(Some("7d1f".to_owned())));
        assert_eq!((read(&[]), read(&[""])), (Ok(None), Ok(None)));
        assert!(read(&["a", "b"]).is_err() && read(&["é"]).is_err() && read(&[&"a".repeat(256)]).is_err());
    }

    #[test]
    fn a_query_and_a_body_are_told_apart() {
        let keyed =
            |query: &str| Keyed { key: Some("k".to_owned()), scope: String::new(), query: query.to_owned() };
        let hash = |query, body: &str| {
            let claim = keyed(query).claim(body.as_bytes(), Timestamp::UNIX_EPOCH, Duration::ZERO);
            claim.unwrap().request_hash
        };
        assert_eq!(hash("a", "b"), hash("a", "b"));
        assert_ne!(hash("a", "b"), hash("ab", ""));
    }
}
