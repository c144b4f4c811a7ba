//! What buying machines and running them costs: purchase, power, place, upkeep, people, and the money bound in them.
//!
//! [`quote`](fn@quote) is the whole of it. The arithmetic is that of machines that a training or a serving owns
//! (`hardware.owned`), told line by line and for all of them.

pub(crate) mod against_rent;
pub mod answer;
mod metrics;
mod quote;
pub mod request;

pub use quote::quote;
