//! `/admin`: what nobody may do without a key.

pub mod audit;
pub mod keys;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::App;

/// What only an administrator may do.
pub(in crate::http) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::get_key, keys::revoke_key))
        .routes(routes!(audit::list_audit))
}
