//! What the benches that run the program have in common.

#![allow(dead_code, reason = "each bench uses a part of it")]

pub(crate) mod client;
pub(crate) mod figures;
pub(crate) mod server;
