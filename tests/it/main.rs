//! The service from outside: one binary, a module for each floor.

#![expect(unreachable_pub, reason = "`pub` here says what other modules use")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod helpers;

mod accuracy;
mod admin;
mod architecture;
mod batch;
mod browse;
mod browse_arithmetic;
mod browse_models;
mod browse_prices;
mod browse_walk;
mod catalog_command;
mod cli;
mod decide;
mod diff;
mod dockerfile;
mod estimate;
mod feeds;
mod openapi;
mod operations;
mod oracle;
mod ownership;
mod problems;
mod program;
mod purity;
mod quote;
mod quotes;
mod readme;
mod serving;
mod shutdown;
mod store;
mod training;
