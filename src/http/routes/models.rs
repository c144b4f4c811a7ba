//! `/models`: AI models.

use axum::{extract::State, response::Response};

use crate::{
    browse::models::{self, ModelDetail, ModelList, ModelQuery, ModelRowQuery, Models},
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List AI models.
///
/// Whoever sells them; with their shape where it is published.
#[utoipa::path(get, path = "/models", tag = "catalog", params(ModelQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = ModelList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_models(
    State(app): State<App>,
    question: Question<ModelQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Models>(&app, &question)
}

/// Show a model.
///
/// By its id or another of its names; with the offerings that are this model, and what its shape comes to:
/// parameters by part, FLOPs and cache per token.
#[utoipa::path(get, path = "/models/{id}", tag = "catalog",
    params(("id" = String, Path, description = "Its id.", example = "deepseek-v3"), ModelRowQuery),
    responses((status = OK, description = "What is known of it.", body = ModelDetail<'static>),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_model(
    State(app): State<App>,
    Path(id): Path<String>,
    question: Question<ModelRowQuery>,
) -> Result<Response, Problem> {
    let sequence_length = question.asked().sequence_length()?;
    browsing::one(&app, &question, |scope| browsing::found(models::one(scope, &id, sequence_length)))
}
