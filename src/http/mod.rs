//! The service as HTTP sees it: the list of routes, and what stands around them.
//!
//! Handlers load the catalog once, call the engine and answer. Every path is registered through
//! `routes!`, once, so that `openapi.json` cannot leave one out.

pub mod accept;
pub mod auth;
pub mod browsing;
pub mod extract;
pub mod heavy;
mod idempotency;
pub mod layers;
mod lines;
pub mod metrics;
pub mod openapi;
pub mod packing;
mod plain;
mod polish;
pub mod problem;
pub mod query;
pub mod request_id;
pub mod routes;
pub mod server;
mod walk;

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
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    auth::{Anonymous, Gate, Keyring, RateLimit},
    heavy::Heavy,
    layers::House,
    metrics::Metrics,
    packing::Packing,
    problem::Problem,
};
use crate::{
    catalog::handle::Catalog,
    store::{Store, StoreError, keys::Scope},
};

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
    /// Whether estimating and reading need a key.
    pub require_key: bool,
    /// How often each key may ask, and all who have none together; `None`: as often as they like.
    pub rate_limit: Option<RateLimit>,
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
            require_key: false,
            rate_limit: None,
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
    /// The keys of those who ask.
    pub keys: Keyring,
    anonymous: Anonymous,
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

    /// The same, keeping quotes in a database. Its keys are known once [`App::follow_keys`] has read them.
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
            keys: Keyring::default(),
            anonymous: Anonymous::default(),
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

    /// Takes over the keys that were made or revoked in the database; whether there were any.
    ///
    /// # Errors
    /// When the database fails; then the keys stay as they were.
    pub async fn follow_keys(&self) -> Result<bool, StoreError> {
        match &self.store {
            Some(store) => self.keys.follow(store).await,
            None => Ok(false),
        }
    }

    /// Writes down when keys were last used.
    ///
    /// # Errors
    /// When the database fails; then it is tried again the next time.
    pub async fn note_key_uses(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => self.keys.note_uses(store).await,
            None => Ok(()),
        }
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

/// Every route, with the gate that it stands behind. A route is in one of these lists, or it is not there: what the
/// document says of keys is read from the same lists.
struct Rooms {
    /// Whether the service lives.
    health: OpenApiRouter<App>,
    /// What it is doing.
    watching: OpenApiRouter<App>,
    /// The document, and where it is.
    documents: OpenApiRouter<App>,
    /// What is turned away, or given up, under too much load.
    asking: OpenApiRouter<App>,
    /// Answers that are streamed, and may take as long as they need.
    streamed: OpenApiRouter<App>,
    /// What nobody may do without a key, by the scope that it needs.
    closed: [(Scope, OpenApiRouter<App>); 1],
}

/// Routes that are turned away, or given up, under too much load.
fn bounded() -> OpenApiRouter<App> {
    OpenApiRouter::new()
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

impl Rooms {
    fn new() -> Self {
        Self {
            health: OpenApiRouter::new()
                .routes(routes!(routes::operations::healthz))
                .routes(routes!(routes::operations::readyz)),
            watching: OpenApiRouter::new().routes(routes!(routes::operations::metrics)),
            documents: OpenApiRouter::new()
                .routes(routes!(routes::documents::index))
                .routes(routes!(routes::documents::openapi_document)),
            asking: bounded(),
            streamed: OpenApiRouter::new().routes(routes!(routes::batch::estimate_batch)),
            closed: [(Scope::Admin, routes::admin::routes())],
        }
    }
}

/// The whole service.
pub fn router(app: App) -> Router {
    let Rooms { health, watching, documents, asking, streamed, closed } = Rooms::new();
    let plain = |routes: OpenApiRouter<App>| routes.split_for_parts().0;
    let health = plain(health).fallback(layers::unknown_route);
    let documents = plain(documents).merge(openapi::swagger_ui());
    let mut routes = housed(health, House::open(&app))
        .merge(housed(plain(watching), House::open(&app).behind(Gate::Watching)))
        .merge(housed(documents, House::bounded(&app)))
        .merge(housed(plain(asking), House::bounded(&app).behind(Gate::Asking)))
        .merge(housed(plain(streamed), House::streaming(&app).behind(Gate::Asking)));
    for (scope, behind) in closed {
        routes = routes.merge(housed(plain(behind), House::bounded(&app).behind(Gate::Closed(scope))));
    }
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
    let readable =
        [header::ETAG, header::LINK, header::LOCATION, header::RETRY_AFTER, header::WWW_AUTHENTICATE];
    let readable: Vec<HeaderName> = readable.into_iter().chain(own).collect();
    let layer = CorsLayer::new().allow_origin(origin);
    // Named and not `*`, which does not cover `authorization`.
    Some(layer.allow_methods(Any).allow_headers(AllowHeaders::mirror_request()).expose_headers(readable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_admin_is_closed_and_what_is_closed_is_under_admin() {
        let paths = |routes: OpenApiRouter<App>| routes.into_openapi().paths.paths.into_keys();
        let Rooms { health, watching, documents, asking, streamed, closed } = Rooms::new();
        let closed: Vec<String> = closed.into_iter().flat_map(|(_, routes)| paths(routes)).collect();
        assert!(closed.len() >= 3 && closed.iter().all(|path| path.starts_with("/admin/")), "{closed:?}");
        for routes in [health, watching, documents, asking, streamed] {
            assert!(paths(routes).all(|path| !path.starts_with("/admin")));
        }
    }
}
