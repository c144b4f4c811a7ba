//! The handlers, one file for each resource.

pub mod documents;
pub mod operations;
