//! The handlers, one file for each resource.

pub mod accuracy;
pub mod admin;
pub mod assumptions;
pub mod batch;
pub mod break_even;
pub mod budget;
pub mod compare;
pub mod documents;
pub mod energy_prices;
pub mod estimate;
pub mod fx_rates;
pub mod gpu_prices;
pub mod gpus;
pub mod meters;
pub mod models;
pub mod offerings;
pub mod operations;
pub mod prices;
pub mod project;
pub mod providers;
pub mod published_runs;
pub mod published_throughputs;
pub mod quotes;
pub mod revisions;
pub mod scenarios;
pub mod sweep;
