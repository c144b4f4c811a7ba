//! Farthing: what an AI model costs, to the last farthing.

pub mod catalog;
pub mod estimate;
