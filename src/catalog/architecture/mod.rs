//! The shape of a model, with everything that arithmetic needs: parameters, FLOPs, cache.
//!
//! [`Shape::of`] reads what the catalog or a request says ([`Architecture`](super::model::Architecture)), in
//! full or in part, and derives what was left out; [`hf_config`] reads the `config.json` that comes with a
//! model's weights. What was derived is told in [`Shape::assumed`], never silent.

mod attention;
mod check;
mod count;
mod derive;
mod experts;
mod fault;
mod flops;
pub mod hf_config;
mod memory;
mod params;
mod regularities;
mod shape;

pub use attention::{Attention, LayerMix};
pub use experts::Experts;
pub use fault::{Assumed, FaultOf, ShapeFault};
pub use flops::Mask;
pub use params::Parts;
pub use shape::Shape;
