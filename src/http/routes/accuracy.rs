//! `/accuracy`: how near the engine comes to what others have published.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use axum::{body::Bytes, extract::State, response::Response};
use jiff::civil::Date;

use crate::{
    catalog::{ids::RevisionNumber, time::utc_day},
    estimate::accuracy::{self, Accuracy},
    http::{App, extract::json_response, problem::Problem},
};

/// The answer that was last worked out: it stays the same until the catalog or the day changes.
#[derive(Debug, Default)]
pub(crate) struct Kept(ArcSwapOption<((RevisionNumber, Date), Bytes)>);

/// Hold the engine against everything published.
///
/// Every published training run of the catalog: its hours against those that the engine gives from a fit that has
/// not seen it, with range and error; sums by architecture, part and kind; the rule of thumb `6·N·D` beside it. Then
/// runs from their own published utilisation, reinforcement learning and steady speeds with each model held out, and
/// the assumptions that come out of the fit beside those that quotes use. Worked out from the current catalog: a run
/// that is added counts at once.
#[utoipa::path(get, path = "/accuracy", tag = "catalog",
    responses((status = OK, description = "Run by run, and summed up.", body = Accuracy), Problem))]
pub(crate) async fn get_accuracy(State(app): State<App>) -> Result<Response, Problem> {
    let snapshot = app.catalog.current();
    let now = (app.now)();
    let asked = (snapshot.revision(), utc_day(now));
    if let Some(kept) = app.accuracy.0.load().as_ref().filter(|kept| kept.0 == asked) {
        return Ok(json_response(kept.1.clone()));
    }
    let work = app.heavy.run(move |_| serde_json::to_vec(&accuracy::accuracy(snapshot.newest(), now)));
    let text = Bytes::from(work.await?.map_err(Problem::internal)?);
    app.accuracy.0.store(Some(Arc::new((asked, text.clone()))));
    Ok(json_response(text))
}
