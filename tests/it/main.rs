//! The tests that look at Farthing from outside, in one binary.

mod catalog_command;
mod store;
