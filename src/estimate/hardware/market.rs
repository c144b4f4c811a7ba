//! The rental market of a day: whose prices answer a question, and their median.
use super::{
    part::Part,
    rental::{HourPrice, Rent},
};
use crate::estimate::{desk::Desk, fault::FaultKind};

pub(super) fn hour_price<'a>(
    desk: &mut Desk<'a, '_>,
    _rent: Rent<'a>,
    part: &Part<'a>,
) -> Option<HourPrice<'a>> {
    let detail = format!("no price of `{}` is known", part.name);
    desk.fault("/hardware/gpu", FaultKind::UnpricedGpu { detail, near: Vec::new() });
    None
}

pub(super) fn kind_of<'a>(_desk: &mut Desk<'a, '_>, rent: Rent<'a>) -> Option<&'a str> {
    rent.provider_kind
}
