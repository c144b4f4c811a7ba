//! What happens around every handler, in one place and one order.
//!
//! From the outside in: name the request; see whose it is and whether it may (see [`super::auth`]); turn it away when
//! too many are being answered; pack the answer (see [`super::packing`]); let it take only so long; catch a panic. On the way out: make whatever went wrong a
//! [`Problem`], add the headers that every answer has, count, log.
//!
//! The stack that tower-http would make of this (trace, request-id, timeout, load-shed, concurrency,
//! catch-panic, set-header) boxes a future and clones a service at most of its steps and opens a span per
//! request; that is a large part of what answering from memory costs. So it is one service here, with one
//! box, and one log event in place of a span. Compression and CORS, which answer to more rules than fit
//! here and are used by few or cost nothing when idle, are tower-http's.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    response::{IntoResponse as _, Response},
};
use tower::{Layer, Service};

use super::{
    App,
    auth::Gate,
    metrics::{Call, Endpoint},
    problem::{Arrived, Problem},
    request_id::{self, RequestId},
};

/// A future that a service answers with.
type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Puts a [`Housed`] around a route.
#[derive(Debug, Clone)]
pub struct House {
    app: App,
    gate: Gate,
    sheds: bool,
    deadline: Option<Duration>,
}

impl House {
    /// For routes that must answer whatever the load: health and metrics.
    #[must_use]
    pub fn open(app: &App) -> Self {
        Self { app: app.clone(), gate: Gate::Open, sheds: false, deadline: None }
    }

    /// For all others: turned away under too much load, and given up when the answer takes too long. Twice
    /// the timeout, since the body may take the first half to arrive.
    #[must_use]
    pub fn bounded(app: &App) -> Self {
        Self { sheds: true, deadline: Some(app.settings.timeout * 2), ..Self::open(app) }
    }

    /// Like [`House::bounded`], but for answers that are streamed and may take as long as they need.
    #[must_use]
    pub fn streaming(app: &App) -> Self {
        Self { deadline: None, ..Self::bounded(app) }
    }

    /// The same behind a gate.
    #[must_use]
    pub fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }
}

impl<S> Layer<S> for House {
    type Service = Housed<S>;

    fn layer(&self, inner: S) -> Housed<S> {
        Housed { house: self.clone(), endpoint: Arc::default(), inner }
    }
}

/// A route with all that every route has around it.
#[derive(Debug, Clone)]
pub struct Housed<S> {
    house: House,
    /// One for each method of each path: axum applies a layer to each apart.
    endpoint: Arc<Endpoint>,
    inner: S,
}

impl<S> Service<Request> for Housed<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Answering {
        let House { app, gate, sheds, deadline } = &self.house;
        let visit = Visit::begin(app, &self.endpoint, *gate, &request);
        if let Err(problem) = gate.admit(app, &visit.id, &mut request) {
            return Box::pin(std::future::ready(Ok(visit.end(problem))));
        }
        let permit = match Permit::of(app, *sheds) {
            Ok(permit) => permit,
            Err(problem) => return Box::pin(std::future::ready(Ok(visit.end(problem)))),
        };
        let (answer, deadline) = (self.inner.call(request), *deadline);
        Box::pin(async move {
            let answer = within(deadline, unpanicked(answer)).await;
            drop(permit);
            Ok(visit.end(answer.unwrap_or_else(Problem::into_response)))
        })
    }
}

/// One request's stay.
struct Visit {
    app: App,
    endpoint: Arc<Endpoint>,
    gate: Gate,
    id: RequestId,
    route: Option<MatchedPath>,
    method: Method,
    began: Instant,
}

impl Visit {
    fn begin(app: &App, endpoint: &Arc<Endpoint>, gate: Gate, request: &Request) -> Self {
        Self {
            app: app.clone(),
            endpoint: Arc::clone(endpoint),
            gate,
            id: request_id::of(request.headers(), app.now),
            route: request.extensions().get::<MatchedPath>().cloned(),
            method: request.method().clone(),
            began: Instant::now(),
        }
    }

    fn end(self, answer: impl axum::response::IntoResponse) -> Response {
        let mut answer = answer.into_response();
        if answer.status().as_u16() >= 400 {
            answer = self.named(answer);
        }
        let headers = answer.headers_mut();
        headers.insert(HeaderName::from_static("x-request-id"), self.id.header());
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if matches!(self.gate, Gate::Closed(_)) {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        let took = self.began.elapsed();
        let call = Call { route: self.route.as_ref(), method: &self.method, status: answer.status() };
        self.app.metrics.record(&self.endpoint, &call, took);
        log(&call, self.id.as_str(), took);
        answer
    }

    /// Puts the request's name into the problem, and a problem where there is none: axum and tower-http
    /// answer some errors in plain text or with nothing.
    #[cold]
    fn named(&self, mut answer: Response) -> Response {
        let problem = match answer.extensions_mut().remove::<Arrived>() {
            Some(Arrived(problem)) => *problem,
            None => Problem::of_status(answer.status()),
        };
        if let Some(cause) = problem.cause() {
            let request_id = self.id.as_str();
            tracing::error!(request_id, cause, "request {request_id} failed: {cause}");
        }
        let from_below = std::mem::take(answer.headers_mut());
        let mut answer = problem.with_request_id(self.id.as_str()).into_response();
        for (name, value) in &from_below {
            if !describes_body(name) && !answer.headers().contains_key(name) {
                answer.headers_mut().append(name, value.clone());
            }
        }
        answer
    }
}

/// Headers that were true of the body that a problem's own replaces.
fn describes_body(name: &HeaderName) -> bool {
    let of_body = [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::CONTENT_ENCODING];
    of_body.contains(name)
}

/// The access log. What went well is only of interest to somebody who looks for it.
fn log(call: &Call<'_>, request_id: &str, took: Duration) {
    let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
    macro_rules! event {
        ($level:ident) => {{
            let (method, route, status) = (call.method, call.route(), call.status.as_u16());
            let duration_ms = f64::from(micros) / 1000.0;
            tracing::$level!(%method, route, status, duration_ms, request_id, "{method} {route} {status}");
        }};
    }
    match call.status.as_u16() {
        500.. => event!(error),
        400.. => event!(info),
        _ => event!(debug),
    }
}

/// A place among the requests being answered, given back when dropped: also when the asker hangs up.
///
/// It is held until the head of the answer. A streamed body goes on without it.
pub(super) struct Permit(Option<App>);

impl Permit {
    pub(super) fn of(app: &App, sheds: bool) -> Result<Self, Problem> {
        if !sheds {
            return Ok(Self(None));
        }
        if app.metrics.enter(app.settings.max_concurrency) {
            return Ok(Self(Some(app.clone())));
        }
        Err(Problem::overloaded())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(app) = &self.0 {
            app.metrics.leave();
        }
    }
}

async fn within<F>(deadline: Option<Duration>, answer: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Problem>>,
{
    let Some(deadline) = deadline else {
        return answer.await;
    };
    match tokio::time::timeout(deadline, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::too_slow(deadline)),
    }
}

/// Makes a panic a problem, so that it costs one request and not the connection.
async fn unpanicked<F>(answer: F) -> Result<Response, Problem>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    let mut answer = pin!(answer);
    let polled =
        std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Ok(answer))) => Poll::Ready(Ok(answer)),
            Ok(Poll::Ready(Err(never))) => match never {},
            Err(payload) => Poll::Ready(Err(payload)),
        });
    polled.await.map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Problem::internal(format_args!("panicked: {}", text.unwrap_or_default()))
    })
}

/// The answer to a path that is none.
pub(super) async fn unknown_route(request: Request<Body>) -> Problem {
    Problem::not_found(format!("nothing is at `{}`; `/` lists what there is", request.uri().path()))
}

/// The answer to a method that a path does not take; axum adds the header `allow`.
pub(super) async fn wrong_method(method: Method, request: Request<Body>) -> Problem {
    let path = request.uri().path();
    Problem::method_not_allowed(format!("`{path}` does not answer {method}; see the header `allow`"))
}
