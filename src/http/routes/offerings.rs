//! `/offerings`: models as providers sell them.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        offerings::{self, OfferingDetail, OfferingList, OfferingQuery, Offerings},
        query::DatedRowQuery,
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List models as providers sell them.
///
/// Each under the provider's own name for it, with the model that it is where somebody has said so.
#[utoipa::path(get, path = "/offerings", tag = "catalog", params(OfferingQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = OfferingList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_offerings(
    State(app): State<App>,
    question: Question<OfferingQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Offerings>(&app, &question)
}

/// Show an offering with its prices.
///
/// By `provider/name`, the `/` written as `%2F`; with the rate cards and factors in force at the instant asked about.
#[utoipa::path(get, path = "/offerings/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "openai/gpt-4o"), DatedRowQuery),
    responses((status = OK, description = "What is known of it.", body = OfferingDetail<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_offering(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<DatedRowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(offerings::one(scope, &id)))
}

/// The same where the `/` of the id was not written as `%2F`.
pub(crate) async fn get_offering_in_two_segments(
    state: State<App>,
    Path((provider, name)): Path<(String, String)>,
    question: Question<DatedRowQuery>,
) -> Result<Response, Problem> {
    get_offering(state, Path(format!("{provider}/{name}")), question).await
}
