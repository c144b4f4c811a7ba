//! `/providers`: who sells.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        providers::{self, ProviderItem, ProviderList, ProviderQuery, Providers},
        query::RowQuery,
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List who sells.
///
/// Companies, and shops of companies, that sell calls of models or rent out accelerators.
#[utoipa::path(get, path = "/providers", tag = "catalog", params(ProviderQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = ProviderList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_providers(
    State(app): State<App>,
    question: Question<ProviderQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Providers>(&app, &question)
}

/// Show a provider.
///
/// With the number of its offerings.
#[utoipa::path(get, path = "/providers/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "openai"), RowQuery),
    responses((status = OK, description = "What is known of it.", body = ProviderItem<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_provider(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<RowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(providers::one(scope, &id)))
}
