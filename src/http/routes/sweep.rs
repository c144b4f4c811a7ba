//! What workloads cost while one number changes.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    browse::{query::Format, sheet::Sheet},
    decide::sweep::{self, Sweep, SweepRequest},
    http::{
        App, accept,
        browsing::{CSV, JSON, csv_response},
        extract::{Json, JsonBytes, Query},
        problem::Problem,
    },
};

/// How a series is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SweepParameters {
    /// `csv`: a row for each point, for a spreadsheet. Default: as the header `accept` says, JSON first.
    #[param(inline, example = "json")]
    format: Option<Format>,
}

/// Price a request along a range of one number
///
/// A series ready to plot: the number that `pointer` leads to takes each value of `range` or `values`, and each point
/// is what `POST /estimate` says to the request with it, all at the same instant and revision. A point that cannot be
/// priced says why; where none can, the whole is refused.
#[utoipa::path(post, path = "/sweep", tag = "decide", params(SweepParameters), request_body = SweepRequest,
    responses((status = OK, description = "A point for each value.",
        content((Sweep = "application/json"), (String = "text/csv", example = "value,currency,amount,low,high,faults\r\n1,USD,0.006,,,\r\n"))), Problem))]
pub(crate) async fn sweep(
    State(app): State<App>,
    Query(parameters): Query<SweepParameters>,
    headers: HeaderMap,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let as_csv = match parameters.format {
        Some(format) => format == Format::Csv,
        None => accept::one_of(&headers, &[JSON, CSV])? == CSV,
    };
    let (catalog, now) = (app.catalog.current(), (app.now)());
    let series = app.heavy.run(move |stop| {
        let asked = body.read::<SweepRequest<'_>>()?;
        sweep::sweep(&asked, &catalog, now, stop).map_err(Problem::from)
    });
    let series = series.await??;
    if as_csv { csv(&series) } else { Ok(Json(series).into_response()) }
}

fn csv(series: &Sweep) -> Result<Response, Problem> {
    let mut sheet = Sheet::default();
    sheet.record(series.columns()).map_err(Problem::internal)?;
    for row in series.rows() {
        sheet.record(row).map_err(Problem::internal)?;
    }
    Ok(csv_response(sheet.into_text().map_err(Problem::internal)?.into()))
}
