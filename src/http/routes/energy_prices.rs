//! `/energy-prices`: what electricity costs.

use axum::{extract::State, response::Response};

use crate::{
    browse::energy_prices::{EnergyPriceList, EnergyPriceQuery, EnergyPrices},
    http::{
        App,
        browsing::{self, Question},
        problem::Problem,
    },
};

/// List prices of electricity.
///
/// By region, in force at an instant, with the carbon dioxide of a kilowatt-hour.
#[utoipa::path(get, path = "/energy-prices", tag = "prices", params(EnergyPriceQuery),
    responses((status = OK, description = "A page; `link` names the next.", body = EnergyPriceList),
        (status = NOT_MODIFIED, description = "As `if-none-match` has it."), Problem))]
pub(crate) async fn list_energy_prices(
    State(app): State<App>,
    question: Question<EnergyPriceQuery>,
) -> Result<Response, Problem> {
    browsing::list::<EnergyPrices>(&app, &question)
}
