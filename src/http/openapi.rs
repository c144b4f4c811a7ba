//! The OpenAPI document, and the page on which a person tries it out.

use std::sync::LazyLock;

use axum::Router;
use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as OpenApiDocument, PathItem, SecurityRequirement,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{App, Rooms, auth::SCHEME, problem::Problem};
use crate::store::keys::Scope;

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
        (name = "admin", description = "Keys, and the trail of what was done with them."),
        (name = "operations", description = "For whoever runs the service.")
    )
)]
struct Base;

/// The document that the routes generate.
#[must_use]
pub fn openapi() -> OpenApiDocument {
    let Rooms { health, watching, documents, asking, streamed, closed } = Rooms::new();
    let mut described = OpenApiRouter::<App>::with_openapi(Base::openapi()).merge(health).merge(documents);
    for routes in [watching, asking, streamed] {
        described = described.merge(keyed(routes, None));
    }
    for (scope, routes) in closed {
        described = described.merge(keyed(routes, Some(scope)));
    }
    let mut document = described.into_openapi();
    document.components.get_or_insert_default().add_security_scheme(SCHEME, bearer());
    super::polish::polish(&mut document);
    document
}

/// How a key is brought along.
fn bearer() -> SecurityScheme {
    let description = "A key, as `POST /admin/keys` or `farthing keys create` gives it once. Its scopes: `quote` for \
        reading and estimating, which are open to all unless the service was started with `--require-key`; \
        `catalog:write` for changing the catalog; `admin` for everything.";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description));
    SecurityScheme::Http(scheme.build())
}

/// Says of operations which key they need: one of a scope; or one of the scope `quote`, and none where the service is
/// open.
fn keyed(mut routes: OpenApiRouter<App>, scope: Option<Scope>) -> OpenApiRouter<App> {
    for item in routes.get_openapi_mut().paths.paths.values_mut() {
        for operation in operations(item) {
            let Some(scope) = scope else {
                let quote = SecurityRequirement::new(SCHEME, [Scope::Quote.name()]);
                operation.security = Some(vec![SecurityRequirement::default(), quote]);
                continue;
            };
            operation.security = Some(vec![SecurityRequirement::new(SCHEME, [scope.name()])]);
            let needs = format!("Needs a key of the scope `{scope}`.");
            let said = operation.description.take().map_or_else(String::new, |said| said + "\n\n");
            operation.description = Some(said + &needs);
        }
    }
    routes
}

/// The operations of a path.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
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
