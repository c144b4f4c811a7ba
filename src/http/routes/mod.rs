//! The handlers, one file for each resource.

pub mod batch;
pub mod documents;
pub mod estimate;
pub mod operations;
