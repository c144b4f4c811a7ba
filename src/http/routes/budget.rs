//! What a sum buys.

use axum::extract::State;

use crate::{
    decide::budget::{self, BudgetAnswer, BudgetQuestion},
    http::{
        App,
        extract::{Json, JsonBytes},
        problem::Problem,
    },
};

/// Find what a sum buys
///
/// The inverse of `POST /estimate`: the largest number, at the place that `pointer` leads to, with which the request
/// costs no more than the sum; what the next larger one costs; and, where the cost is uncertain, the numbers with
/// which its P90 and P10 stay within the sum. With `optimal` in place of `request` and `pointer`: the largest model
/// whose training costs no more than the sum, with as many tokens as are best for its size.
#[utoipa::path(post, path = "/budget", tag = "decide", request_body = BudgetQuestion,
    responses((status = OK, description = "What the sum buys.", body = BudgetAnswer), Problem))]
pub(crate) async fn budget(State(app): State<App>, body: JsonBytes) -> Result<Json<BudgetAnswer>, Problem> {
    let (catalog, now) = (app.catalog.current(), (app.now)());
    let found =
        app.heavy.run(move |stop| budget::answer(&body.0, &catalog, now, stop)?.map_err(Problem::from));
    found.await?.map(Json)
}
