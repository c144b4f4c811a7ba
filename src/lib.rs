//! Farthing: what an AI model costs, to the last farthing.

pub mod browse;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod estimate;
pub mod http;
pub mod store;
pub mod web;
