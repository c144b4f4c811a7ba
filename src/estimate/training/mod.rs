//! What training a model costs, from pre-training to the last step of reinforcement learning.

pub mod answer;
mod months;
mod program;
pub mod request;
pub mod stage;

mod goodput;
mod memory;
mod steps;
mod work;
