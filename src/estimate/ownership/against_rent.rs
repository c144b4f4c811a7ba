//! One machine, bought or rented by the hour: what both come to, in the currency of the answer.

use super::request::Ownership;
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        exchange::Conversion,
        figure::Figure,
        hardware::rental::{Rent, hour_price},
        quote::Ref,
        uncertain::Uncertain,
    },
};

/// What a sale brings, where the machine is sold in the end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sale {
    /// `h`: what it costs.
    pub(crate) haircut: Option<Figure>,
    /// `d`: by how many powers of ten newer machines are better for their price, a year.
    pub(crate) decades_per_year: Option<Figure>,
}

/// The figures of one accelerator.
#[derive(Debug, Clone)]
pub(crate) struct AgainstRent {
    /// `K`.
    pub(crate) installed: Uncertain,
    /// `O`.
    pub(crate) operating_per_year: Uncertain,
    /// `A + O`.
    pub(crate) cost_per_year: Uncertain,
    /// `p`.
    pub(crate) price_per_gpu_hour: Uncertain,
    /// `U`.
    pub(crate) utilization: Uncertain,
    /// `h` and `d`.
    pub(crate) sale: Option<(Uncertain, Uncertain)>,
    /// Rows that the rent rests on.
    pub(crate) refs: Vec<String>,
}

impl<'a> Desk<'a, '_> {
    /// The figures; where there are none, faults say why. The rent's faults are under `/hardware`, those of its own
    /// fields under `/resale`.
    pub(crate) fn against_rent(
        &mut self,
        item: &'a Ownership,
        rent: Rent<'a>,
        utilization: Option<Figure>,
        sale: Option<Sale>,
    ) -> Option<AgainstRent> {
        let (part, owning) = self.owning_of(item)?;
        let rent = hour_price(self, rent, &part)?;
        let utilization = match utilization {
            Some(given) => self.given("/utilization", given, "ratio").value,
            None => owning.terms.utilization.value.clone(),
        };
        let sale = match sale {
            Some(sale) => Some((
                self.of_sale("/resale/haircut", sale.haircut, "ownership.resale_haircut")?,
                self.of_sale(
                    "/resale/decades_per_year",
                    sale.decades_per_year,
                    "ownership.price_performance_decades_per_year",
                )?,
            )),
            None => None,
        };
        let (owning_in, rent_in) = (self.rate(owning.currency)?, self.rate(rent.currency)?);
        Some(AgainstRent {
            installed: owning.installed().times(owning_in),
            operating_per_year: owning.operating_per_year().times(owning_in),
            cost_per_year: owning.cost_per_year().times(owning_in),
            price_per_gpu_hour: rent.spread.times(rent_in),
            utilization,
            sale,
            refs: rent.refs.iter().map(Ref::to_string).collect(),
        })
    }

    fn of_sale(&mut self, field: &str, given: Option<Figure>, row: &str) -> Option<Uncertain> {
        let sourced: Option<Sourced<'a>> = match given {
            Some(given) => Some(self.given(field, given, "ratio")),
            None => self.assumption(row),
        };
        sourced.map(|sourced| sourced.value)
    }

    /// Units of the answer's currency for one of another.
    fn rate(&mut self, from: Currency) -> Option<f64> {
        if from == self.scope.currency {
            return Some(1.0);
        }
        self.conversion(from).as_ref().map(Conversion::factor)
    }
}
