//! `/fx-rates`: reference rates between currencies.

use axum::{extract::State, response::Response};

use crate::{
    browse::fx_rates::{FxRateList, FxRateQuery, FxRates},
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List exchange rates.
///
/// The latest of each currency at an instant, or all of some days.
#[utoipa::path(get, path = "/fx-rates", tag = "prices", params(FxRateQuery),
    responses((status = OK, description = "A page, `link` names the next; or the table.",
            content((FxRateList = "application/json"),
                (String = "text/csv", example = "x_Currency,x_Date,x_UsdPerUnit,..."))),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_fx_rates(
    State(app): State<App>,
    question: Question<FxRateQuery>,
) -> Result<Response, Problem> {
    browsing::table::<FxRates>(&app, &question)
}
