//! What an hour of an accelerator costs its owner.

use super::{part::Part, request::Owned};
use crate::{
    catalog::money::Currency,
    estimate::{
        desk::{Desk, Sourced},
        uncertain::Uncertain,
    },
};

/// What one accelerator costs its owner over its life: money of one currency.
#[derive(Debug, Clone)]
pub(crate) struct Owning<'a> {
    pub(crate) currency: Currency,
    /// One accelerator.
    pub(crate) price_each: Sourced<'a>,
    pub(crate) years: Sourced<'a>,
    pub(crate) utilization: Sourced<'a>,
    /// The lines, in order; they add up to the total.
    pub(crate) lines: Vec<OwningLine<'a>>,
    /// `total / (8760 * years * utilization)`.
    pub(crate) price_per_used_gpu_hour: Uncertain,
}

/// One sort of cost of one accelerator over its life.
#[derive(Debug, Clone)]
pub(crate) struct OwningLine<'a> {
    /// `hardware.chips`.
    pub(crate) code: &'static str,
    pub(crate) amount: Uncertain,
    /// What it is computed from, by name.
    pub(crate) inputs: Vec<(&'static str, Sourced<'a>)>,
    pub(crate) formula: &'static str,
}

/// What owning costs; `field` is where `owned` stands in the item.
pub(crate) fn owning<'a>(
    _desk: &mut Desk<'a, '_>,
    _field: &str,
    _owned: &'a Owned,
    _part: &Part<'a>,
    _count: Option<u64>,
) -> Option<Owning<'a>> {
    None
}
