//! What an hour of a rented accelerator costs, and which hours are paid for without being used.

use super::{market, part::Part, request::TrainingHardware};
use crate::{
    catalog::{gpu::Commitment, money::Currency},
    estimate::{
        desk::Desk,
        figure::Price,
        quote::{Origin, Ref},
        uncertain::Uncertain,
    },
};

/// What a request says about renting, wherever it says it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rent<'a> {
    pub(crate) price_per_gpu_hour: Option<Price>,
    pub(crate) currency: Option<&'a str>,
    pub(crate) provider: Option<&'a str>,
    pub(crate) provider_kind: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) commitment: Option<Commitment>,
    /// Days after which a price that nobody has seen again is old. Default: 90.
    pub(crate) max_price_age_days: Option<f64>,
}

impl<'a> From<&'a TrainingHardware> for Rent<'a> {
    fn from(hardware: &'a TrainingHardware) -> Self {
        Self {
            price_per_gpu_hour: hardware.price_per_gpu_hour,
            currency: hardware.currency.as_deref(),
            provider: hardware.provider.as_deref(),
            provider_kind: hardware.provider_kind.as_deref(),
            region: hardware.region.as_deref(),
            commitment: hardware.commitment,
            max_price_age_days: None,
        }
    }
}

/// What an hour of one accelerator costs.
#[derive(Debug, Clone)]
pub(crate) struct HourPrice<'a> {
    pub(crate) price: Price,
    pub(crate) currency: Currency,
    /// The price in each world, in its currency.
    pub(crate) spread: Uncertain,
    pub(crate) origin: Origin,
    /// The rows it rests on.
    pub(crate) refs: Vec<Ref<'a>>,
    pub(crate) commitment: Commitment,
    /// The class of provider, where all that were asked are of one.
    pub(crate) provider_kind: Option<&'a str>,
    /// Accelerators in the smallest machine that is rented out; none where nothing is known of it.
    pub(crate) instance_gpus: Option<u32>,
}

impl HourPrice<'_> {
    /// Whether the capacity may be taken back at any time.
    pub(crate) fn is_spot(&self) -> bool {
        self.commitment == Commitment::Spot
    }

    /// The shortest time that is paid for, hours: the term of a reservation, a day of a capacity block.
    pub(crate) fn term_hours(&self) -> Option<f64> {
        match self.commitment {
            Commitment::Reserved1y => Some(8_760.0),
            Commitment::Reserved3y => Some(26_280.0),
            Commitment::CapacityBlock => Some(24.0),
            Commitment::OnDemand | Commitment::Spot => None,
        }
    }

    /// Accelerators that are paid for when so many are used: whole machines.
    pub(crate) fn billed_count(&self, count: u64) -> u64 {
        let size = self.instance_gpus.map_or(1, u64::from).max(1);
        count.div_ceil(size).saturating_mul(size)
    }

    /// Hours of one accelerator that are paid for and not used: `billed - used`, never negative.
    ///
    /// `billed = billed_count * hours`, where `hours = gpu_hours / count`, rounded up to whole terms: years of a
    /// reservation, days of a capacity block.
    pub(crate) fn idle_gpu_hours(&self, count: u64, gpu_hours: &Uncertain) -> Uncertain {
        if count == 0 {
            return Uncertain::exact(0.0);
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of machines lie far below 2^53")]
        let (used, billed) = (count as f64, self.billed_count(count) as f64);
        let term = self.term_hours();
        gpu_hours.map(|gpu_hours| {
            let hours = gpu_hours / used;
            let paid = term.map_or(hours, |term| whole_terms(hours, term));
            let idle = billed.mul_add(paid, -gpu_hours);
            // A part of a millionth is the noise of the division above.
            if idle > gpu_hours * 1e-9 { idle } else { 0.0 }
        })
    }
}

/// Accelerators that are paid for when so many replicas of `each` are kept on machines of `size`: small replicas share a
/// machine and do not straddle two, large ones take whole machines.
///
/// `r·each` where machines are not known; else `ceil(r / floor(size/each))·size`, or `ceil(r)·ceil(each/size)·size`.
pub(crate) fn billed_gpus(size: Option<u32>, each: f64, replicas: f64) -> f64 {
    let size = f64::from(size.unwrap_or(1));
    if size <= 1.0 {
        return replicas * each;
    }
    let whole = |count: f64| (count - 1e-9).ceil();
    if each <= size {
        whole(replicas / (size / each).floor()) * size
    } else {
        whole(replicas) * whole(each / size) * size
    }
}

/// Hours rounded up to whole terms; what is over by a millionth part of one is noise.
pub(crate) fn whole_terms(hours: f64, term: f64) -> f64 {
    let terms = hours / term;
    let whole = (terms - 1e-6).ceil().max(0.0);
    (whole * term).max(hours)
}

/// The price of an hour: the request's, or else the catalog's on the day asked about.
pub(crate) fn hour_price<'a>(
    desk: &mut Desk<'a, '_>,
    rent: Rent<'a>,
    part: &Part<'a>,
) -> Option<HourPrice<'a>> {
    let Some(price) = rent.price_per_gpu_hour else {
        return market::hour_price(desk, rent, part);
    };
    let currency = desk.currency("/hardware/currency", rent.currency);
    let place = desk.place("/hardware/price_per_gpu_hour");
    let spread = desk.sampler.draw(&place, price.range());
    Some(HourPrice {
        price,
        currency,
        spread,
        origin: Origin::Request,
        refs: Vec::new(),
        commitment: rent.commitment.unwrap_or(Commitment::OnDemand),
        provider_kind: market::kind_of(desk, rent),
        instance_gpus: None,
    })
}
