//! `/prices`: price tables of hosted models.

use axum::{extract::State, response::Response};

use crate::{
    browse::prices::{HistoryQuery, PriceHistory, PriceList, PriceQuery, Prices},
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List the prices in force at an instant.
///
/// One item a rate card, with all of its rates; as CSV one row a rate, under FOCUS column names.
#[utoipa::path(get, path = "/prices", tag = "prices", params(PriceQuery),
    responses((status = OK, description = "A page, `link` names the next; or the table.",
            content((PriceList = "application/json"),
                (String = "text/csv", example = "ServiceProviderName,SkuId,SkuMeter,SkuPriceId,..."))),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_prices(
    State(app): State<App>,
    question: Question<PriceQuery>,
) -> Result<Response, Problem> {
    browsing::table::<Prices>(&app, &question)
}

/// List the prices that were, are, and are announced.
///
/// Of an offering, of a provider or of a model, in the order of time; or what later revisions brought. One of `offering`, `provider`, `model` and `since_revision` has to be given.
#[utoipa::path(get, path = "/prices/history", tag = "prices", params(HistoryQuery),
    responses((status = OK, description = "A page, `link` names the next; or the table.",
            content((PriceList = "application/json"),
                (String = "text/csv", example = "ServiceProviderName,SkuId,SkuMeter,SkuPriceId,..."))),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_price_history(
    State(app): State<App>,
    question: Question<HistoryQuery>,
) -> Result<Response, Problem> {
    browsing::table::<PriceHistory>(&app, &question)
}
