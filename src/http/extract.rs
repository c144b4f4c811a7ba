//! What handlers take and give: axum's extractors, but refusing with a [`Problem`].

use std::time::Duration;

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{App, problem::Problem, query};
use crate::estimate::shape::{self, ShapeError};

/// JSON, in or out. (It is called `Json` because utoipa drops request bodies of any other name.)
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T>
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        JsonBytes::from_request(request, state).await?.read().map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        const USUAL_LENGTH: usize = 1024;
        let mut text = Vec::with_capacity(USUAL_LENGTH);
        match serde_json::to_writer(&mut text, &self.0) {
            Ok(()) => json_response(text),
            Err(error) => Problem::internal(error).into_response(),
        }
    }
}

/// Text that is JSON already, as an answer.
pub fn json_response(text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A whole body that claims to be JSON, not yet read.
#[derive(Debug, Clone)]
pub struct JsonBytes(pub Bytes);

impl JsonBytes {
    /// Reads it.
    ///
    /// # Errors
    /// 400 when it is not JSON, 422 when it is of another shape.
    pub fn read<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Problem> {
        shape::read(&self.0, "").map_err(Problem::from)
    }
}

impl From<ShapeError> for Problem {
    fn from(error: ShapeError) -> Self {
        match error {
            ShapeError::NotJson(reason) => Self::not_json(reason),
            ShapeError::Fault(fault) => fault.into(),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for JsonBytes
where
    App: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let app = App::from_ref(state);
        require_json(request.headers())?;
        let limit = app.settings.body_limit;
        whole(request.into_body(), limit, app.settings.timeout).await.map(Self)
    }
}

/// Takes in a body, within a length and a time.
///
/// The limits stand here and not in a layer because only here is it known that somebody wants the body: a
/// layer would wrap and box every one.
///
/// # Errors
/// 408 or 413 beyond a limit, 400 when the connection breaks off.
pub async fn whole(body: Body, limit: usize, timeout: Duration) -> Result<Bytes, Problem> {
    let told = body.size_hint().lower();
    if usize::try_from(told).is_ok_and(|told| told > limit) {
        return Err(Problem::too_large(limit));
    }
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(timeout, collected).await {
        Ok(Ok(whole)) => Ok(whole.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit)),
        Ok(Err(_)) => Err(Problem::bad_request("the body breaks off")),
        Err(_) => Err(Problem::request_timeout(timeout)),
    }
}

/// `application/json`, or a type built on it (`application/vnd.api+json`).
fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let named = media_type(headers);
    if named.is_some_and(is_json) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type("application/json", named))
}

/// One of several names of a media type; the first is the one to recommend.
///
/// # Errors
/// 415 when the body is of another type, or of none.
pub fn require_media_type(headers: &HeaderMap, accepted: &[&str]) -> Result<(), Problem> {
    let named = media_type(headers);
    let essence = named.and_then(|named| named.split(';').next()).unwrap_or_default().trim();
    if accepted.iter().any(|name| name.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(accepted.first().copied().unwrap_or_default(), named))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let named = headers.get(header::CONTENT_TYPE);
    named.map(|value| value.to_str().unwrap_or("not text"))
}

fn is_json(media_type: &str) -> bool {
    if media_type == "application/json" {
        return true; // nearly always, so look no further
    }
    let essence = media_type.split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    let built_on = |sub: &str| sub == "json" || sub.ends_with("+json");
    essence.strip_prefix("application/").is_some_and(built_on)
}

/// The query parameters. An unknown, wrong or repeated one is a fault with `/` and its name as pointer.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = query::pairs(&parts.uri);
        query::read(pairs).map(Self).map_err(Problem::from)
    }
}

/// The parts of the path that are names. One that cannot be read names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(names)) => Ok(Self(names)),
            Err(rejection) if rejection.status().is_server_error() => Err(Problem::internal(rejection)),
            Err(rejection) => Err(Problem::not_found(rejection.body_text())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_by_several_names() {
        for name in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/vnd.farthing+json",
        ] {
            assert!(is_json(name), "{name}");
        }
        for name in ["text/json", "application/jsonp", "application/x-www-form-urlencoded", ""] {
            assert!(!is_json(name), "{name}");
        }
    }
}
