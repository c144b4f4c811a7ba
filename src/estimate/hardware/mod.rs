//! Machines: what they are, what an hour of one costs, rented or owned, and what they draw.

pub(crate) mod energy;
pub(crate) mod market;
pub(crate) mod owned;
pub(crate) mod part;
pub(crate) mod rental;
pub mod request;
#[cfg(test)]
mod testing;
