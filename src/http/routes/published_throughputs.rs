//! `/published-throughputs`: speeds that others measured.

use axum::{extract::State, response::Response};

use crate::{
    browse::published_throughputs::{
        PublishedThroughputList, PublishedThroughputQuery, PublishedThroughputs,
    },
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List published speeds.
///
/// Of training, reinforcement learning and serving: tokens in a second for each accelerator.
#[utoipa::path(get, path = "/published-throughputs", tag = "catalog", params(PublishedThroughputQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = PublishedThroughputList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_published_throughputs(
    State(app): State<App>,
    question: Question<PublishedThroughputQuery>,
) -> Result<Response, Problem> {
    browsing::list::<PublishedThroughputs>(&app, &question)
}
