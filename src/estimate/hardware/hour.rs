//! What an hour of one accelerator costs, however it is come by.

use std::borrow::Cow;

use super::{
    owned::{Asked, Owning, owning},
    part::Part,
    rental::{HourPrice, Rent, hour_price},
    request::{Owned, TrainingHardware},
};
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        draft::UnitPrice,
        fault::FaultKind,
        quote::Ref,
    },
};

/// How a request comes by its machines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machines<'a> {
    pub(crate) rent: Rent<'a>,
    pub(crate) owned: Option<&'a Owned>,
    pub(crate) count: Option<u64>,
    pub(crate) energy_region: Option<&'a str>,
}

impl<'a> From<&'a TrainingHardware> for Machines<'a> {
    fn from(hardware: &'a TrainingHardware) -> Self {
        Self {
            rent: Rent::from(hardware),
            owned: hardware.owned.as_deref(),
            count: hardware.count,
            energy_region: hardware.energy_region.as_deref(),
        }
    }
}

/// What an hour of one accelerator costs.
#[derive(Debug)]
pub(crate) struct Hour<'a> {
    pub(crate) price: UnitPrice,
    pub(crate) refs: Vec<Ref<'a>>,
    /// The price as an input of a formula.
    pub(crate) input: Sourced<'a>,
    /// How it is rented.
    pub(crate) rented: Option<HourPrice<'a>>,
    /// What owning costs.
    pub(crate) owned: Option<Owning<'a>>,
}

impl Hour<'_> {
    /// Whether the machines may be taken away at any time.
    pub(crate) fn is_spot(&self) -> bool {
        self.rented.as_ref().is_some_and(HourPrice::is_spot)
    }

    /// The class of provider, where all prices are of one.
    pub(crate) fn provider_kind(&self) -> Option<&str> {
        self.rented.as_ref().and_then(|rented| rented.provider_kind)
    }
}

impl<'a> Desk<'a, '_> {
    /// What an hour costs; none, and faults, where it cannot be told.
    pub(crate) fn hour(&mut self, machines: Machines<'a>, part: &Part<'a>) -> Option<Hour<'a>> {
        let Machines { rent, owned, count, energy_region } = machines;
        let Some(owned) = owned else {
            return hour_price(self, rent, part).map(rented);
        };
        self.refuse_renting_what_is_owned(rent);
        let field = "/hardware/owned";
        let asked = Asked { owned, field, price_field: field, count, energy_region };
        let owning = owning(self, asked, part)?;
        let spread = owning.price_per_used_gpu_hour.clone();
        let price = UnitPrice::modelled(spread.clone(), owning.currency);
        let inputs = owning.lines.iter().flat_map(|line| &line.inputs);
        let mut refs: Vec<Ref<'a>> = inputs.filter_map(|(_, figure)| figure.reference).collect();
        refs.sort_unstable();
        refs.dedup();
        let input = Sourced { unit: per_hour(owning.currency), ..Sourced::derived(spread, "") };
        Some(Hour { price, refs, input, rented: None, owned: Some(owning) })
    }

    fn refuse_renting_what_is_owned(&mut self, rent: Rent<'_>) {
        let Rent { price_per_gpu_hour, provider, provider_kind, region, commitment, .. } = rent;
        let said = [
            ("price_per_gpu_hour", price_per_gpu_hour.is_some()),
            ("provider", provider.is_some()),
            ("provider_kind", provider_kind.is_some()),
            ("region", region.is_some()),
            ("commitment", commitment.is_some()),
        ];
        for (name, _) in said.into_iter().filter(|(_, said)| *said) {
            let detail = format!("`{name}` is said of machines that are rented, and these are `owned`");
            self.fault(&format!("/hardware/{name}"), FaultKind::Contradiction { detail });
        }
    }
}

fn rented(hour: HourPrice<'_>) -> Hour<'_> {
    let price = UnitPrice {
        exact: Some(hour.price.mid.into()),
        spread: hour.spread.clone(),
        currency: hour.currency,
    };
    let input = Sourced {
        value: hour.spread.clone(),
        unit: per_hour(hour.currency),
        origin: hour.origin,
        reference: hour.refs.first().copied(),
    };
    Hour { price, refs: hour.refs.clone(), input, rented: Some(hour), owned: None }
}

fn per_hour<'a>(currency: Currency) -> Cow<'a, str> {
    Cow::Owned(format!("{currency} per gpu_hour"))
}
