//! The index page and the description of the service.

use axum::{
    http::header,
    response::{Html, IntoResponse as _, Response},
};

use crate::{
    http::{extract::json_response, openapi, problem::Problem},
    web,
};

/// Show what there is.
///
/// A page of links, for a person who opens the service in a browser.
#[utoipa::path(get, path = "/", tag = "documents",
    responses((status = OK, description = "A page.", body = String, content_type = "text/html",
        example = "<!doctype html>"), Problem))]
pub(crate) async fn index() -> Html<&'static str> {
    Html(web::INDEX)
}

/// Describe the service as OpenAPI 3.1.
///
/// This document: generated from the routes, so it cannot say anything else than they do.
#[utoipa::path(get, path = "/openapi.json", tag = "documents",
    responses((status = OK, description = "The document.", body = Object), Problem))]
pub(crate) async fn openapi_document() -> Response {
    let forever_until_restart = [(header::CACHE_CONTROL, "no-cache")];
    (forever_until_restart, json_response(openapi::text())).into_response()
}
