//! What training a model costs, from pre-training to the last step of reinforcement learning.

pub mod answer;
#[allow(dead_code, reason = "its first callers are on their way")]
pub(crate) mod prior;
mod program;
pub mod request;
pub mod stage;
