//! `/scenarios`: ready-to-send requests.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        query::RowQuery,
        scenarios::{self, ScenarioItem, ScenarioList, ScenarioQuery, Scenarios},
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List ready-to-send requests.
///
/// Each with the published figures that its answer is held against.
#[utoipa::path(get, path = "/scenarios", tag = "catalog", params(ScenarioQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = ScenarioList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_scenarios(
    State(app): State<App>,
    question: Question<ScenarioQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Scenarios>(&app, &question)
}

/// Show a ready-to-send request.
///
/// By its id.
#[utoipa::path(get, path = "/scenarios/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "api-call-gpt-4o"), RowQuery),
    responses((status = OK, description = "What is known of it.", body = ScenarioItem<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_scenario(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<RowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(scenarios::one(scope, &id)))
}
