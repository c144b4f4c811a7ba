//! The service as HTTP sees it: the list of routes, and what stands around them.
//!
//! Handlers load the catalog once, call the engine and answer. Every path is registered through
//! `routes!`, once, so that `openapi.json` cannot leave one out.

pub mod accept;
pub mod browsing;
pub mod extract;
pub mod heavy;
mod idempotency;
pub mod layers;
mod lines;
pub mod metrics;
pub mod openapi;
pub mod packing;
mod polish;
pub mod problem;
pub mod query;
pub mod request_id;
pub mod routes;
pub mod server;

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
};
use jiff::Timestamp;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{heavy::Heavy, layers::House, metrics::Metrics, packing::Packing, problem::Problem};
use crate::{catalog::handle::Catalog, store::Store};

/// What the routes may do at most, and for whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest body, in bytes.
    pub body_limit: usize,
    /// How long a body may take to arrive; the answer may take as long again.
    pub timeout: Duration,
    /// Requests being answered at once; those beyond are turned away.
    pub max_concurrency: usize,
    /// Pages from elsewhere that may read answers: origins, or `*`. None: no page may.
    pub cors_origins: Vec<HeaderValue>,
    /// How long quotes are kept; `None`: for ever.
    pub quote_retention: Option<Duration>,
    /// How long the answer to a request with an `idempotency-key` is kept.
    pub idempotency_ttl: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            timeout: Duration::from_secs(10),
            max_concurrency: 1024,
            cors_origins: Vec::new(),
            quote_retention: None,
            idempotency_ttl: Duration::from_hours(24),
        }
    }
}

/// What handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Shared>);

/// What an [`App`] points to.
#[derive(Debug)]
pub struct Shared {
    /// The prices.
    pub catalog: Arc<Catalog>,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// The bounds.
    pub settings: Settings,
    /// The counters.
    pub metrics: Metrics,
    store: Option<Store>,
    /// Where work is done that keeps a processor busy.
    pub heavy: Heavy,
    accuracy: routes::accuracy::Kept,
    stopping: AtomicBool,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// A service that has not answered anything yet, and keeps no quotes.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>, now: fn() -> Timestamp, settings: Settings) -> Self {
        Self::with_store(catalog, None, now, settings)
    }

    /// The same, keeping quotes in a database.
    #[must_use]
    pub fn keeping(catalog: Arc<Catalog>, store: Store, now: fn() -> Timestamp, settings: Settings) -> Self {
        Self::with_store(catalog, Some(store), now, settings)
    }

    fn with_store(
        catalog: Arc<Catalog>,
        store: Option<Store>,
        now: fn() -> Timestamp,
        settings: Settings,
    ) -> Self {
        let heavy = Heavy::new(settings.timeout);
        Self(Arc::new(Shared {
            catalog,
            now,
            settings,
            metrics: Metrics::new(),
            store,
            heavy,
            accuracy: routes::accuracy::Kept::default(),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Where quotes are kept.
    ///
    /// # Errors
    /// 503 when there is no such place.
    pub fn store(&self) -> Result<&Store, Problem> {
        self.store.as_ref().ok_or_else(|| Problem::no_database("the service was started without a database"))
    }

    /// Says that no more requests should be sent here.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the service is about to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Routes that answer whatever the load.
fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(routes::operations::healthz))
        .routes(routes!(routes::operations::readyz))
        .routes(routes!(routes::operations::metrics))
}

/// Routes that are turned away, or given up, under too much load.
fn bounded() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(routes::documents::index))
        .routes(routes!(routes::documents::openapi_document))
        .routes(routes!(routes::estimate::estimate, routes::estimate::estimate_call))
        .routes(routes!(routes::accuracy::get_accuracy))
        .routes(routes!(routes::break_even::break_even))
        .routes(routes!(routes::budget::budget))
        .routes(routes!(routes::project::project))
        .routes(routes!(routes::quotes::list_quotes, routes::quotes::keep_quote))
        .routes(routes!(routes::quotes::get_quote))
        .routes(routes!(routes::quotes::requote))
        .routes(routes!(routes::sweep::sweep))
        .routes(routes!(routes::compare::compare))
        .merge(browsing::routes())
}

/// Answers that are streamed, and may take as long as they need.
fn streamed() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(routes::batch::estimate_batch))
}

/// The whole service.
pub fn router(app: App) -> Router {
    let (operations, _) = operations().split_for_parts();
    let (bounded, _) = bounded().split_for_parts();
    let (streamed, _) = streamed().split_for_parts();
    let bounded = bounded.merge(openapi::swagger_ui());
    let operations = operations.fallback(layers::unknown_route);
    let routes = housed(operations, House::open(&app))
        .merge(housed(bounded, House::bounded(&app)))
        .merge(housed(streamed, House::streaming(&app)));
    let routes = match cors(&app.settings.cors_origins) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    routes.with_state(app)
}

/// Puts around routes what every route has around it.
pub fn housed(routes: Router<App>, house: House) -> Router<App> {
    let routes = routes.method_not_allowed_fallback(layers::wrong_method);
    routes.layer((house, Packing))
}

/// The rules for pages from elsewhere; none, unless somebody asked for them.
fn cors(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let origin = match origins {
        [] => return None,
        [any] if any == "*" => AllowOrigin::any(),
        listed => AllowOrigin::list(listed.iter().cloned()),
    };
    let own = ["x-request-id", idempotency::REPLAYED].map(HeaderName::from_static);
    let readable = [header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER].into_iter().chain(own);
    let readable: Vec<HeaderName> = readable.collect();
    let layer = CorsLayer::new().allow_origin(origin);
    Some(layer.allow_methods(Any).allow_headers(Any).expose_headers(readable))
}
