//! What running a model yourself costs: how many accelerators of which sort, how fast, and what a million tokens cost.
//!
//! [`quote`](fn@quote) is the whole of it. What is asked is read and checked, the cheapest machines and layout that
//! fit and keep the service level are searched for, a fleet is sized for the load, and its hours are paid: what stands
//! idle, too. Money falls on input, cached input and output tokens by the time that each takes of the accelerators.

pub mod answer;
mod asked;
mod calibration;
mod candidates;
mod factor_ids;
mod fleet;
mod idle;
mod metrics;
mod physics;
mod pools;
pub(in crate::estimate) mod published;
mod quote;
pub mod request;
mod search;

pub use quote::quote;
