//! What the benches that run the program have in common.

pub(crate) mod client;
pub(crate) mod figures;
pub(crate) mod server;
