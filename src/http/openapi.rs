//! The OpenAPI document, and the page on which a person tries it out.

use std::sync::LazyLock;

use axum::Router;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{App, problem::Problem};

/// What the document says of the service as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Farthing",
        description = "What an AI model costs, to the last farthing: exact, dated quotes with every \
            figure's source.\n\nMoney is a decimal string. Instants are RFC 3339. Fields are only ever \
            added; a breaking change gets a new path. Every error is an RFC 9457 problem \
            (`application/problem+json`)."
    ),
    servers((url = "/", description = "Where this document came from")),
    components(schemas(Problem)),
    tags(
        (name = "estimate", description = "What workloads cost."),
        (name = "quotes", description = "Quotes that are kept: read back unchanged, priced again."),
        (name = "decide", description = "Questions made of many quotes."),
        (name = "prices", description = "Price tables, as of any instant, also as CSV."),
        (name = "catalog", description = "What there is to be priced, and what changed."),
        (name = "documents", description = "What the service is and how to use it."),
        (name = "operations", description = "For whoever runs the service.")
    )
)]
struct Base;

/// The document that the routes generate.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    let described = OpenApiRouter::<App>::with_openapi(Base::openapi());
    let mut document =
        described.merge(super::operations()).merge(super::bounded()).merge(super::streamed()).into_openapi();
    super::polish::polish(&mut document);
    document
}

/// The document as text: the same bytes every time, so that a file of it can be compared.
#[must_use]
pub fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = openapi().to_pretty_json().unwrap_or_default(); // plain data always serialises
        text.push('\n');
        text
    });
    &TEXT
}

/// The page, with everything it needs in the binary. Its path to the document is relative, so it works
/// behind a proxy that adds a prefix.
pub(super) fn swagger_ui() -> Router<App> {
    let config = Config::new(["../openapi.json"])
        .try_it_out_enabled(true)
        .display_request_duration(true)
        .doc_expansion("list")
        .validator_url("none"); // the default asks a server on the internet
    SwaggerUi::new("/swagger-ui").config(config).into()
}
