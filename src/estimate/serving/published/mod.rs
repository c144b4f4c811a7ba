//! What others have measured of serving, and what the physics says of the same machines under the same load.
//!
//! [`Measured`] is a published speed as the physics takes it: the row's own layout, formats, engine and load; where
//! its submitter kept the layout to himself, every one that his machines could have had. [`Prediction`] is what comes
//! out. [`factors`] fits how much faster engines, accelerators and families of models are than predicted, [`fit`]
//! all constants with them, and [`cross`] does so again without each accelerator and each family.

mod cross;
mod factors;
mod fit;
mod predict;
mod read;
mod rows;

pub(in crate::estimate) use cross::{Conclusion, Fold, Found, Refit, UnseenRow};
pub(in crate::estimate) use predict::Prediction;
pub(in crate::estimate) use read::{Measured, Regime};
pub(in crate::estimate) use rows::{HeldOut, Lacking, Predicted, Published};
