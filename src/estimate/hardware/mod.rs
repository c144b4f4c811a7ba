//! Machines: what they are, what an hour of one costs, rented or owned, and what they draw.

pub(crate) mod energy;
pub(crate) mod hour;
mod market;
pub(crate) mod owned;
pub(crate) mod part;
pub(crate) mod rental;
pub mod request;

#[cfg(test)]
mod energy_tests;
#[cfg(test)]
mod market_tests;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod rental_tests;
#[cfg(test)]
mod testing;
