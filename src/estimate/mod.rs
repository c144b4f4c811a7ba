//! The arithmetic: pure functions from a request and a snapshot to a quote.

pub mod fault;
pub mod shape;
