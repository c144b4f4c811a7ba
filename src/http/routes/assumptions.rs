//! `/assumptions`: defaults of the arithmetic.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        assumptions::{self, AssumptionItem, AssumptionList, AssumptionQuery, Assumptions},
        query::DatedRowQuery,
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List the defaults of the arithmetic.
///
/// What a quote takes when the request says nothing, as P10, P50 and P90, at an instant.
#[utoipa::path(get, path = "/assumptions", tag = "catalog", params(AssumptionQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = AssumptionList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_assumptions(
    State(app): State<App>,
    question: Question<AssumptionQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Assumptions>(&app, &question)
}

/// Show a default of the arithmetic.
///
/// By its id, as it holds at an instant.
#[utoipa::path(get, path = "/assumptions/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "training.goodput"), DatedRowQuery),
    responses((status = OK, description = "What is known of it.", body = AssumptionItem<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_assumption(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<DatedRowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(assumptions::one(scope, &id)))
}
