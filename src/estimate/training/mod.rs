//! What training a model costs, from pre-training to the last step of reinforcement learning.

pub mod answer;
pub mod request;
pub mod stage;

mod generation;
mod goodput;
mod memory;
mod months;
pub(crate) mod prior;
mod program;
mod steps;
mod subject;
#[cfg(test)]
mod testing;
mod work;
