//! The machines of a training: what an hour of one costs, however it is come by.

use std::borrow::Cow;

use super::request::Training;
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        draft::UnitPrice,
        fault::FaultKind,
        hardware::{
            owned::{Asked, Owning, owning},
            part::Part,
            rental::{HourPrice, Rent, hour_price},
            request::TrainingHardware,
        },
        quote::Ref,
    },
};

/// What an hour of one accelerator costs.
#[derive(Debug)]
pub(super) struct Hour<'a> {
    pub(super) price: UnitPrice,
    pub(super) refs: Vec<Ref<'a>>,
    /// The price as an input of a formula.
    pub(super) input: Sourced<'a>,
    /// How it is rented.
    pub(super) rented: Option<HourPrice<'a>>,
    /// What owning costs.
    pub(super) owned: Option<Owning<'a>>,
}

impl Hour<'_> {
    /// Whether the machines may be taken away at any time.
    pub(super) fn is_spot(&self) -> bool {
        self.rented.as_ref().is_some_and(HourPrice::is_spot)
    }

    /// The class of provider, where all prices are of one.
    pub(super) fn provider_kind(&self) -> Option<&str> {
        self.rented.as_ref().and_then(|rented| rented.provider_kind)
    }
}

impl<'a> Desk<'a, '_> {
    /// What an hour costs; none, and faults, where it cannot be told.
    pub(super) fn hour(&mut self, training: &'a Training, part: &Part<'a>) -> Option<Hour<'a>> {
        let hardware = &training.hardware.0;
        let Some(owned) = &hardware.owned else {
            return hour_price(self, Rent::from(hardware), part).map(rented);
        };
        self.refuse_renting_what_is_owned(hardware);
        let asked = Asked {
            owned,
            field: "/hardware/owned",
            count: hardware.count,
            energy_region: hardware.energy_region.as_deref(),
        };
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

    fn refuse_renting_what_is_owned(&mut self, hardware: &TrainingHardware) {
        let TrainingHardware { price_per_gpu_hour, provider, provider_kind, region, commitment, .. } =
            hardware;
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
