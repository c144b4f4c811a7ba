//! What a stage keeps in the memory of its machines, and the fewest that hold it.
//!
//! [`Load::of`] says which models are there, trained or frozen; [`fit()`] divides them among machines.

mod bytes;
mod fit;
mod layout;
mod load;

pub(crate) use self::{
    bytes::Bytes,
    fit::{Fit, Misfit, Room, fit},
    load::Load,
};
