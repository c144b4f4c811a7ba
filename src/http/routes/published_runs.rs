//! `/published-runs`: training runs that others published.

use axum::{extract::State, response::Response};

use crate::{
    browse::published_runs::{PublishedRunList, PublishedRunQuery, PublishedRuns},
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List published training runs.
///
/// What the engine is held against: sizes, tokens, accelerators, hours, costs.
#[utoipa::path(get, path = "/published-runs", tag = "catalog", params(PublishedRunQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = PublishedRunList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_published_runs(
    State(app): State<App>,
    question: Question<PublishedRunQuery>,
) -> Result<Response, Problem> {
    browsing::list::<PublishedRuns>(&app, &question)
}
