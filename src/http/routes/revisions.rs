//! `/revisions`: what changed in the catalog, when, by whom and why.

use axum::{extract::State, response::Response};

use crate::{
    browse::{
        query::RowQuery,
        revisions::{self, RevisionList, RevisionQuery, Revisions},
    },
    catalog::rows::Revision,
    http::{
        App,
        browsing::{self, Question},
        extract::Path,
        problem::Problem,
    },
};

/// List the changes of the catalog.
///
/// The newest first.
#[utoipa::path(get, path = "/revisions", tag = "catalog", params(RevisionQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = RevisionList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_revisions(
    State(app): State<App>,
    question: Question<RevisionQuery>,
) -> Result<Response, Problem> {
    browsing::list::<Revisions>(&app, &question)
}

/// Show a change of the catalog.
///
/// By its number.
#[utoipa::path(get, path = "/revisions/{revision}", tag = "catalog",
    params(("revision" = u32, Path, description = "Its number.", example = 1), RowQuery),
    responses((status = OK, description = "What is known of it.", body = Revision),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn get_revision(
    State(app): State<App>,
    Path(number): Path<String>,
    question: Question<RowQuery>,
) -> Result<Response, Problem> {
    browsing::one(&app, &question, |scope| browsing::found(revisions::one(scope, &number)))
}
