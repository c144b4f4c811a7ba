//! `/gpu-prices`: what accelerators cost.

use axum::{extract::State, response::Response};

use crate::{
    browse::gpu_prices::{GpuPriceList, GpuPriceQuery, GpuPrices},
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List what accelerators cost to rent and to buy.
///
/// Rental prices in force at an instant, and purchase prices named by then; `kind` tells them apart.
#[utoipa::path(get, path = "/gpu-prices", tag = "prices", params(GpuPriceQuery),
    responses((status = OK, description = "A page, `link` names the next; or the table.",
            content((GpuPriceList = "application/json"),
                (String = "text/csv", example = "ServiceProviderName,SkuId,SkuMeter,SkuPriceId,..."))),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_gpu_prices(
    State(app): State<App>,
    question: Question<GpuPriceQuery>,
) -> Result<Response, Problem> {
    browsing::table::<GpuPrices>(&app, &question)
}
