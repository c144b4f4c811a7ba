//! `/scenarios`: ready-to-send requests.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    browse::{
        query::RowQuery,
        scenarios::{self, ScenarioItem, ScenarioList, ScenarioQuery, Scenarios},
    },
    estimate::{quote::Quote, request::Detail},
    http::{
        App,
        browsing::{self, Question},
        extract::{Path, Query},
        problem::Problem,
        routes::estimate,
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

/// How a scenario is answered.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScenarioQuoteQuery {
    /// How much of the answer is wanted, in place of what the request says.
    #[param(example = "lines")]
    detail: Option<Detail>,
}

/// Answer a ready-to-send request.
///
/// What `POST /estimate` says to it.
#[utoipa::path(get, path = "/scenarios/{id}/quote", tag = "estimate",
    params(("id" = String, Path, description = "Its id.", example = "api-call-gpt-4o"), ScenarioQuoteQuery),
    responses((status = OK, description = "What it costs, line by line.", body = Quote), Problem))]
pub(crate) async fn quote_scenario(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<ScenarioQuoteQuery>,
) -> Result<Response, Problem> {
    let catalog = app.catalog.current();
    let Some(scenario) = catalog.newest().scenario(&id) else {
        return Err(Problem::not_found(format!("no scenario is called `{id}`; see /scenarios")));
    };
    let mut request = scenario.row.request.clone();
    if let (Some(detail), Some(fields)) = (query.detail, request.as_object_mut()) {
        let detail = serde_json::to_value(detail).map_err(Problem::internal)?;
        fields.insert("detail".to_owned(), detail);
    }
    let body = serde_json::to_vec(&request).map_err(Problem::internal)?;
    estimate::answer(&app, &body).await
}
