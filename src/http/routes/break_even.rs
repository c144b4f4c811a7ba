//! Where two requests cost the same.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};

use crate::{
    browse::sheet::Sheet,
    decide::break_even::{self, BreakEvenAnswer, BreakEvenQuestion},
    http::{
        App, accept,
        browsing::{CSV, JSON, csv_response},
        extract::{Json, JsonBytes},
        problem::Problem,
    },
};

const SVG: &str = "image/svg+xml";

/// Find where two requests cost the same
///
/// A number that both requests have takes each value of `range` or `values`, and each point is what `POST /estimate`
/// says to the two of them; between the points the crossings are narrowed down to neighbouring values. With the header
/// `accept: text/csv` the curves come as a table, with `image/svg+xml` as a picture. With `rent` and `buy` in place of
/// `a` and `b`: from which use on, and after how many months, it pays to buy a machine.
#[utoipa::path(post, path = "/break-even", tag = "decide", request_body = BreakEvenQuestion,
    responses((status = OK, description = "Crossings, and both curves.",
        content((BreakEvenAnswer = "application/json"),
            (String = "text/csv", example = "value,currency,a,a_low,a_high,b,b_low,b_high,cheaper,faults\r\n1,USD,0.006,,,0.01,,,a,\r\n"),
            (String = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>"))), Problem))]
pub(crate) async fn break_even(
    State(app): State<App>,
    headers: HeaderMap,
    body: JsonBytes,
) -> Result<Response, Problem> {
    let wanted = accept::one_of(&headers, &[JSON, CSV, SVG])?;
    let (catalog, now) = (app.catalog.current(), (app.now)());
    let found = app.heavy.run(move |stop| {
        break_even::answer(&body.0, wanted == SVG, &catalog, now, stop)?.map_err(Problem::from)
    });
    let found = found.await??;
    match wanted {
        CSV => csv(&found),
        SVG => Ok(drawn(found.svg().unwrap_or_default())),
        _ => Ok(Json(found).into_response()),
    }
}

fn csv(found: &BreakEvenAnswer) -> Result<Response, Problem> {
    let mut sheet = Sheet::default();
    sheet.record(found.columns()).map_err(Problem::internal)?;
    for row in found.rows() {
        sheet.record(row).map_err(Problem::internal)?;
    }
    Ok(csv_response(sheet.into_text().map_err(Problem::internal)?.into()))
}

fn drawn(picture: &str) -> Response {
    let mut response = Response::new(picture.to_owned().into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SVG));
    response
}
