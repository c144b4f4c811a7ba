//! Farthing: what an AI model costs, to the last farthing.

pub mod catalog;
pub mod cli;
pub mod estimate;
pub mod store;
