//! What things are and cost: plain types, and the immutable [`snapshot`] that quotes are made from.

pub mod architecture;
pub mod calendar;
pub mod changes;
pub mod check;
pub(crate) mod digits;
pub mod edition;
pub mod files;
pub mod fx;
mod fx_file;
pub mod gpu;
pub mod handle;
pub(crate) mod hash;
pub mod ids;
pub mod meter;
pub mod meter_table;
pub mod model;
pub mod money;
pub mod names;
pub mod offering;
pub mod provider;
pub mod rate_card;
pub mod rows;
pub mod snapshot;
pub mod text;
pub mod time;
