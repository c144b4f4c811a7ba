//! What a quote will be.

use axum::extract::State;

use crate::{
    decide::project::{self, ProjectRequest, Projection},
    http::{
        App,
        extract::{Json, JsonBytes},
        problem::Problem,
    },
};

/// Carry a quote forward
///
/// Each line is priced as late as the catalog knows prices; only what lies beyond is discounted, by yearly rates of
/// decline: those given, else assumptions. Training falls by the arithmetic that a given performance takes and by the
/// price of arithmetic, inference by its price; people and data stay as they are unless told.
#[utoipa::path(post, path = "/project", tag = "decide", request_body = ProjectRequest,
    responses((status = OK, description = "Today and then, line by line.", body = Projection), Problem))]
pub(crate) async fn project(State(app): State<App>, body: JsonBytes) -> Result<Json<Projection>, Problem> {
    let (catalog, now) = (app.catalog.current(), (app.now)());
    let carried = app.heavy.run(move |stop| {
        let asked = body.read::<ProjectRequest<'_>>()?;
        project::project(&asked, &catalog, now, stop).map_err(Problem::from)
    });
    carried.await?.map(Json)
}
