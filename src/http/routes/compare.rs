//! Which of many is cheapest.

use axum::{extract::State, response::Response};

use crate::{
    decide::compare::{self, CompareRequest, Comparison},
    http::{
        App,
        extract::{JsonBytes, json_response},
        problem::Problem,
    },
};

/// Rank what could do a workload, cheapest first
///
/// One workload over lists and filters of models, providers, offerings, accelerators or anything else that a request
/// says, and beside whole workloads of other kinds. Ranked is what it costs to succeed once, `total * usage_factor /
/// success_rate`; what is unpriced, stale, too large or too slow is listed apart with its reason. Where two names of one
/// vendor sell the same, there is one row. How many a filter passed over, because it could not tell, is said.
#[utoipa::path(post, path = "/compare", tag = "decide", request_body = CompareRequest,
    responses((status = OK, description = "The candidates, cheapest first.", body = Comparison), Problem))]
pub(crate) async fn compare(State(app): State<App>, body: JsonBytes) -> Result<Response, Problem> {
    let (catalog, now) = (app.catalog.current(), (app.now)());
    let answer = app.heavy.run(move |stop| {
        let asked = body.read::<CompareRequest<'_>>()?;
        let comparison = compare::compare(&asked, &catalog, now, stop)?;
        serde_json::to_vec(&comparison).map_err(Problem::internal)
    });
    Ok(json_response(answer.await??))
}
