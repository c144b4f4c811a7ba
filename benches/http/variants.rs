//! Servers to compare with: a bare axum handler, and what stands between it and the service, one layer at a time.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt as _,
};
use farthing::{
    catalog::{edition::built_in_snapshot, handle::Catalog},
    estimate::{estimate, request::EstimateRequest},
    http::{
        self, App, Settings,
        extract::{JsonBytes, json_response},
        layers::House,
        packing::Packing,
        problem::Problem,
    },
};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use crate::stored::{Quote, stored};

/// A server: how it is called, and what it does.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) does: &'static str,
    router: fn(Stored) -> Router,
}

/// Each does what the one before does, and one thing more.
pub(crate) const LAYERS: [Variant; 8] = [
    Variant { name: "static", does: "axum answers a text", router: answering_a_text },
    Variant { name: "parse", does: "+ read the body, parse the request", router: parsing },
    Variant { name: "bare", does: "+ serialise a stored quote (the bare handler)", router: bare },
    Variant { name: "extract", does: "+ media type, limits of length and time", router: extracting },
    Variant { name: "quote", does: "+ price it, in place of the stored quote", router: quoting },
    Variant { name: "packing", does: "+ gzip for those who ask", router: packing },
    Variant { name: "house", does: "+ id, load, deadline, panics, headers, metrics, log", router: housed },
    Variant { name: "router", does: "+ all the other routes", router: whole },
];

/// The bare handler again, but parsing into `serde_json::Value`, through axum's own `Json` both ways.
pub(crate) const VALUE: Variant =
    Variant { name: "value", does: "axum::Json<Value> in, Json out", router: by_value };

/// What a server needs: the answer as a text and as a structure, and the service's own state.
struct Stored {
    text: Bytes,
    quote: Arc<Quote>,
    app: App,
}

/// Serves a variant until a signal.
pub(crate) fn serve(name: &str, body: &str) {
    let variant = LAYERS.into_iter().chain([VALUE]).find(|variant| variant.name == name).unwrap();
    let (text, quote) = stored(body);
    let catalog = Arc::new(Catalog::new(built_in_snapshot().unwrap()));
    let app = App::new(catalog, Timestamp::now, Settings::default());
    let router = (variant.router)(Stored { text: text.into(), quote: Arc::new(quote), app });
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        eprintln!("http://{}/", listener.local_addr().unwrap());
        let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        tokio::select! {
            served = axum::serve(listener, router).into_future() => served.unwrap(),
            _ = terminate.recv() => {}
        }
    });
}

fn answering_a_text(stored: Stored) -> Router {
    let text = stored.text;
    Router::new().route("/estimate", post(async move || json_response(text)))
}

fn parsing(stored: Stored) -> Router {
    let handler = async |State(text): State<Bytes>, body: Bytes| {
        let request = EstimateRequest::parse(&body).unwrap();
        assert_eq!(request.items.len(), 1);
        json_response(text)
    };
    Router::new().route("/estimate", post(handler)).with_state(stored.text)
}

fn bare(stored: Stored) -> Router {
    let handler = async |State(quote): State<Arc<Quote>>, body: Bytes| {
        let request = EstimateRequest::parse(&body).unwrap();
        assert_eq!(request.items.len(), 1);
        serialised(&*quote)
    };
    Router::new().route("/estimate", post(handler)).with_state(stored.quote)
}

fn by_value(stored: Stored) -> Router {
    let handler = async |State(quote): State<Arc<Quote>>,
                         axum::Json(request): axum::Json<serde_json::Value>| {
        assert!(request.is_object());
        axum::Json(quote).into_response()
    };
    Router::new().route("/estimate", post(handler)).with_state(stored.quote)
}

fn extracting(stored: Stored) -> Router {
    let quote = stored.quote;
    let handler = async move |body: JsonBytes| {
        let request = EstimateRequest::parse(&body.0).unwrap();
        assert_eq!(request.items.len(), 1);
        serialised(&*quote)
    };
    Router::new().route("/estimate", post(handler)).with_state(stored.app)
}

fn quoting(stored: Stored) -> Router {
    estimating().with_state(stored.app)
}

fn packing(stored: Stored) -> Router {
    estimating().layer(Packing).with_state(stored.app)
}

fn housed(stored: Stored) -> Router {
    let house = House::bounded(&stored.app);
    estimating().layer((house, Packing)).with_state(stored.app)
}

fn whole(stored: Stored) -> Router {
    http::router(stored.app)
}

/// The service's route by itself.
fn estimating() -> Router<App> {
    let handler = async |State(app): State<App>, body: JsonBytes| -> Result<Response, Problem> {
        let catalog = app.catalog.current();
        let request = EstimateRequest::parse(&body.0).map_err(|error| Problem::not_json(error.0))?;
        Ok(serialised(&estimate(&request, &catalog, (app.now)())?))
    };
    Router::new().route("/estimate", post(handler))
}

/// As the service does it, so that the bare handler is no slower than it has to be.
fn serialised(quote: &impl serde::Serialize) -> Response {
    let mut text = Vec::with_capacity(2048);
    serde_json::to_writer(&mut text, quote).unwrap();
    let mut response = Response::new(text.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
