//! What is answered when something is wrong: RFC 9457 problem details, and nothing else.

use std::{borrow::Cow, collections::BTreeMap, fmt::Display, num::NonZeroU16, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder},
};

use super::auth::RateLimit;
use crate::{
    estimate::fault::Fault,
    store::{StoreError, keys::Scope},
};

/// One fault of a request, as problems tell it.
pub use crate::estimate::fault::Told as ProblemError;

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Seconds that somebody who is turned away is asked to wait.
const RETRY_AFTER: NonZeroU16 = NonZeroU16::MIN; // 1

/// Why a request was not answered as asked (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem: a stable path, to compare with and not to open.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/invalid-request")]
    kind: &'static str,
    /// The kind of problem in a few words, the same each time.
    #[schema(value_type = String, example = "The request cannot be answered as it stands")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong this time.
    #[schema(value_type = String, example = "1 fault: there is no field called `modle` here")]
    detail: Cow<'static, str>,
    /// The request's name in the log; also in the header `x-request-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "0192f0c1-2ab3-7c4d-8e5f-60718293a4b5")]
    request_id: Option<Box<str>>,
    /// Each fault of the request, where there are any to name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemError>,
    /// For the log only.
    #[serde(skip)]
    cause: Option<Box<str>>,
    /// Seconds to wait before another try, where one is worth it.
    #[serde(skip)]
    retry_after: Option<NonZeroU16>,
    /// What to bring along.
    #[serde(skip)]
    challenge: Option<Challenge>,
}

/// What the header `www-authenticate` asks for (RFC 6750, section 3).
#[derive(Debug, Clone, Copy)]
enum Challenge {
    Key,
    GoodKey,
    Scope(Scope),
}

impl Challenge {
    fn text(self) -> &'static str {
        match self {
            Self::Key => r#"Bearer realm="farthing""#,
            Self::GoodKey => r#"Bearer realm="farthing", error="invalid_token""#,
            Self::Scope(Scope::Quote) => {
                r#"Bearer realm="farthing", error="insufficient_scope", scope="quote""#
            }
            Self::Scope(Scope::CatalogWrite) => {
                r#"Bearer realm="farthing", error="insufficient_scope", scope="catalog:write""#
            }
            Self::Scope(Scope::Admin) => {
                r#"Bearer realm="farthing", error="insufficient_scope", scope="admin""#
            }
        }
    }
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            request_id: None,
            errors: Vec::new(),
            cause: None,
            retry_after: None,
            challenge: None,
        }
    }

    /// 400: the request is malformed below the level of a field.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "The request is malformed";
        Self::new(StatusCode::BAD_REQUEST, "/problems/bad-request", title, detail)
    }

    /// 400: the body is not JSON.
    pub fn not_json(reason: impl Display) -> Self {
        let title = "The body is not JSON";
        let detail = format!("the body is not JSON: {reason}");
        Self::new(StatusCode::BAD_REQUEST, "/problems/not-json", title, detail)
    }

    /// 401: this needs a key, and none came.
    #[must_use]
    pub fn key_needed() -> Self {
        let detail = "this needs a key, in the header `authorization: Bearer KEY`";
        Self::unauthorized(detail, Challenge::Key)
    }

    /// 401: the key is not good. Which of the reasons it is, is not said: whoever has a good key knows.
    #[must_use]
    pub fn key_refused() -> Self {
        let detail = "the key in the header `authorization` is unknown, has expired or was revoked";
        Self::unauthorized(detail, Challenge::GoodKey)
    }

    fn unauthorized(detail: &'static str, challenge: Challenge) -> Self {
        let title = "A good key is needed";
        let mut problem = Self::new(StatusCode::UNAUTHORIZED, "/problems/unauthorized", title, detail);
        problem.challenge = Some(challenge);
        problem
    }

    /// 403: the key is good, and not for this.
    #[must_use]
    pub fn scope_needed(scope: Scope) -> Self {
        let title = "The key is not good for this";
        let detail = format!("this needs a key of the scope `{scope}`");
        let mut problem = Self::new(StatusCode::FORBIDDEN, "/problems/forbidden", title, detail);
        problem.challenge = Some(Challenge::Scope(scope));
        problem
    }

    /// 429: more requests came than the rate limit allows.
    #[must_use]
    pub fn too_often(limit: RateLimit, wait: Duration) -> Self {
        let title = "Too many requests";
        let RateLimit { per_second, burst } = limit;
        let detail = format!("{per_second} requests a second are allowed, {burst} at once after a pause");
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut problem = Self::new(status, "/problems/too-many-requests", title, detail);
        problem.retry_after = Some(whole_seconds(wait));
        problem
    }

    /// 404: nothing is there.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "Nothing is there";
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", title, detail)
    }

    /// 405: the path is right, the method is not. The header `allow` names those that are.
    pub fn method_not_allowed(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "The path does not answer that method";
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Self::new(status, "/problems/method-not-allowed", title, detail)
    }

    /// 406: what is there does not come in any media type asked for.
    pub fn not_acceptable(detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "There is no answer in a media type asked for";
        Self::new(StatusCode::NOT_ACCEPTABLE, "/problems/not-acceptable", title, detail)
    }

    /// 408: the body did not arrive in time. The asker was slow, not we.
    #[must_use]
    pub fn request_timeout(limit: Duration) -> Self {
        let title = "The body did not arrive in time";
        let detail = format!("the body did not arrive within {limit:?}");
        let status = StatusCode::REQUEST_TIMEOUT;
        Self::new(status, "/problems/request-timeout", title, detail)
    }

    /// 413: the body is larger than the path takes.
    #[must_use]
    pub fn too_large(limit: usize) -> Self {
        let title = "The body is too large";
        let detail = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "/problems/too-large", title, detail)
    }

    /// 415: the body is of another media type, or of none.
    #[must_use]
    pub fn unsupported_media_type(expected: &str, got: Option<&str>) -> Self {
        let title = "The body is of another media type";
        let rule = format!("the header `content-type` must be `{expected}`");
        let detail = match got {
            Some(got) => format!("{rule}, got `{got}`"),
            None => format!("{rule}; there is none"),
        };
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "/problems/unsupported-media-type", title, detail)
    }

    /// 500: a fault of ours. The cause goes to the log, never into the answer.
    pub fn internal(cause: impl Display) -> Self {
        let title = "Farthing failed";
        let detail = "this is a fault of the service; the log has its cause under the request's id";
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let mut problem = Self::new(status, "/problems/internal", title, detail);
        problem.cause = Some(cause.to_string().into());
        problem
    }

    /// 503: more requests are being answered than the service takes on at once.
    #[must_use]
    pub fn overloaded() -> Self {
        let detail = "too many requests are being answered at this moment";
        Self::unavailable("/problems/overloaded", detail)
    }

    /// 503: the answer took too long to make.
    #[must_use]
    pub fn too_slow(limit: Duration) -> Self {
        let detail = format!("no answer was found within {limit:?}");
        Self::unavailable("/problems/too-slow", detail)
    }

    /// 503: the service is stopping.
    #[must_use]
    pub fn stopping() -> Self {
        Self::unavailable("/problems/stopping", "the service is stopping")
    }

    /// 503: there is no database, or it does not do as it should. The cause goes to the log.
    pub fn no_database(cause: impl Display) -> Self {
        let detail = "the database does not answer, and nothing has been kept; estimates go on";
        let mut problem = Self::unavailable("/problems/no-database", detail);
        problem.cause = Some(cause.to_string().into());
        problem
    }

    /// 422: the key of another request.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        let title = "The Idempotency-Key came with another request";
        let detail = "another request came with this `idempotency-key`; a new request takes a new key";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "/problems/idempotency-key-reused", title, detail)
    }

    fn unavailable(kind: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let title = "Not now";
        let mut problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, title, detail);
        problem.retry_after = Some(RETRY_AFTER);
        problem
    }

    /// For an answer that came from below without a body of ours.
    #[must_use]
    pub(super) fn of_status(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or("refused");
        match status {
            StatusCode::NOT_FOUND => Self::not_found("nothing is at this path"),
            status if status.is_server_error() => Self::internal(reason),
            status => Self { status: status.as_u16(), ..Self::bad_request(reason.to_lowercase()) },
        }
    }

    /// What the log should know and the asker should not.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Names the request that it answers.
    #[must_use]
    pub fn with_request_id(mut self, id: &str) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Its body.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // strings and numbers always serialise
    }
}

/// A wait in whole seconds, at least one: never too short.
fn whole_seconds(wait: Duration) -> NonZeroU16 {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    u16::try_from(seconds).map_or(NonZeroU16::MAX, |seconds| NonZeroU16::new(seconds).unwrap_or(RETRY_AFTER))
}

/// 422: the request is JSON and says something that cannot be answered.
impl From<Vec<Fault>> for Problem {
    fn from(faults: Vec<Fault>) -> Self {
        let title = "The request cannot be answered as it stands";
        let first = faults.first().map(|fault| fault.kind.to_string());
        let detail = match (faults.len(), first) {
            (1, Some(first)) => format!("1 fault: {first}"),
            (count, Some(first)) => format!("{count} faults, the first: {first}"),
            (_, None) => "no fault is named".to_owned(),
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Self::new(status, "/problems/invalid-request", title, detail);
        problem.errors = faults.into_iter().map(ProblemError::from).collect();
        problem
    }
}

/// 503 for a database that fails; 500 for a row in it that is none.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cell { .. } => Self::internal(error),
            error => Self::no_database(error),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        vec![fault].into()
    }
}

impl Problem {
    /// What is wrong, for an answer that is more than this problem.
    #[must_use]
    pub fn into_detail(self) -> (String, Vec<ProblemError>) {
        (self.detail.into_owned(), self.errors)
    }

    /// The same problem for a query: its meters and context keys are parameters, not members of an object.
    #[must_use]
    pub fn of_parameters(mut self) -> Self {
        for error in &mut self.errors {
            let inner =
                ["/usage/", "/context/"].into_iter().find_map(|object| error.pointer.strip_prefix(object));
            if let Some(name) = inner {
                error.pointer = format!("/{name}");
            }
        }
        self
    }
}

impl IntoResponse for Problem {
    /// The problem also travels beside its body, for the outermost layer to log it and to name the request.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.to_json()));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.get().into());
        }
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge.text()));
        }
        response.extensions_mut().insert(Arrived(Box::new(self)));
        response
    }
}

/// A problem on its way out.
#[derive(Debug, Clone)]
pub(super) struct Arrived(pub(super) Box<Problem>);

impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        let response = |description: &str| {
            let schema = Ref::from_schema_name("Problem");
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let response = ResponseBuilder::new().description(description);
            RefOr::T(response.content(PROBLEM_JSON, content).build())
        };
        let refused = "The request is refused: `detail` and `errors` say why.";
        let failed = "The service cannot answer now (503, with `retry-after`) or has failed (500).";
        BTreeMap::from([("4XX".to_owned(), response(refused)), ("5XX".to_owned(), response(failed))])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::fault::FaultKind;

    #[test]
    fn an_unknown_name_carries_its_near_matches() {
        let kind =
            FaultKind::UnknownMeter { name: "input_token".to_owned(), near: vec!["input_tokens".to_owned()] };
        let error = ProblemError::from(Fault::new("/usage/input_token", kind));
        assert_eq!(error.near_matches, ["input_tokens"]);
    }

    #[test]
    fn the_cause_of_a_failure_is_not_in_its_body() {
        let problem = Problem::internal("table rate_card is locked");
        assert!(!String::from_utf8(problem.to_json()).unwrap().contains("rate_card"));
        assert_eq!(problem.cause(), Some("table rate_card is locked"));
    }

    #[test]
    fn who_waits_as_long_as_told_is_not_too_early() {
        let waits = [1, 1000, 2000, 2001].map(|ms| whole_seconds(Duration::from_millis(ms)).get());
        assert_eq!(waits, [1, 1, 2, 3]);
        assert_eq!(whole_seconds(Duration::MAX).get(), u16::MAX);
    }

    #[test]
    fn several_faults_are_one_problem() {
        let fault = |name: &str| {
            let name = name.to_owned();
            Fault::new(format!("/{name}"), FaultKind::MissingField { name })
        };
        let problem = Problem::from(vec![fault("model"), fault("usage")]);
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem.detail, "2 faults, the first: `model` is missing");
        let pointers: Vec<&str> = problem.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/model", "/usage"]);
    }
}
