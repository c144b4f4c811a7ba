//! What training a model costs, from pre-training to the last step of reinforcement learning.

pub mod answer;
pub mod request;
pub mod stage;

mod generation;
mod goodput;
mod lines;
mod memory;
pub(crate) mod months;
mod plan;
pub(crate) mod prior;
mod program;
mod quote;
mod steps;
#[cfg(test)]
mod testing;
mod work;

pub use quote::quote;
