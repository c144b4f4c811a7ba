//! `/gpus`: accelerators.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        gpus::{self, GpuItem, GpuList, GpuQuery, Gpus},
        query::RowQuery,
    },
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List accelerators.
///
/// Data sheets: dense peaks, memory, bandwidth, links, power.
#[utoipa::path(get, path = "/gpus", tag = "catalog", params(GpuQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = GpuList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_gpus(
    State(app): State<App>,
    question: Question<GpuQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Gpus>(&app, &question)
}

/// Show an accelerator.
///
/// By its id or another of its names.
#[utoipa::path(get, path = "/gpus/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "h100-sxm5-80gb"), RowQuery),
    responses((status = OK, description = "What is known of it.", body = GpuItem<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_gpu(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<RowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(gpus::one(scope, &id)))
}
