//! `/meters`: what is counted and charged.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        meters::{self, MeterItem, MeterList, MeterQuery, Meters},
        query::RowQuery,
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List what is counted and charged.
///
/// The names that `usage` takes, and which count contains which.
#[utoipa::path(get, path = "/meters", tag = "catalog", params(MeterQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = MeterList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_meters(
    State(app): State<App>,
    question: Question<MeterQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Meters>(&app, &question)
}

/// Show a meter.
///
/// By its id.
#[utoipa::path(get, path = "/meters/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "input_tokens"), RowQuery),
    responses((status = OK, description = "What is known of it.", body = MeterItem<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_meter(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<RowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(meters::one(scope, &id)))
}
