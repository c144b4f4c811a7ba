//! For whoever runs the service: is it alive, is it ready, what is it doing.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    catalog::ids::RevisionNumber,
    http::{App, extract::Json, problem::Problem},
};

/// The service answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`: what is not alive does not answer.
    #[schema(value_type = String, example = "ok")]
    status: &'static str,
    /// The program's version.
    #[schema(value_type = String, example = "0.1.0")]
    version: &'static str,
}

/// Say that the process is alive.
///
/// Touches nothing but the process itself: for the question whether to restart it.
#[utoipa::path(get, path = "/healthz", tag = "operations",
    responses((status = OK, description = "Alive.", body = Health), Problem))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// The service has prices to quote from.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Readiness {
    /// Always `ready`: otherwise the answer is a problem.
    #[schema(value_type = String, example = "ready")]
    status: &'static str,
    /// The newest revision of the catalog.
    #[schema(value_type = u32, example = 1)]
    catalog_revision: RevisionNumber,
    /// When that revision was made.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-23T00:00:00Z")]
    revision_made_at: Option<Timestamp>,
}

/// Say whether requests should be sent here.
///
/// 503 while the service is stopping.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = OK, description = "Ready.", body = Readiness), Problem))]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Json<Readiness>, Problem> {
    if app.is_stopping() {
        return Err(Problem::stopping());
    }
    let catalog = app.catalog.current();
    Ok(Json(Readiness {
        status: "ready",
        catalog_revision: catalog.revision(),
        revision_made_at: catalog.revisions().last().map(|newest| newest.made_at),
    }))
}

/// Report counters for Prometheus.
///
/// Requests by route, method and status, durations, load, and the catalog's revision and age.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = OK, description = "The text format of Prometheus.", body = String,
        content_type = "text/plain",
        example = "farthing_catalog_revision 1"), Problem))]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics.render(&app.catalog.current(), (app.now)());
    let media_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, media_type)], text).into_response()
}
