//! How fast a model answers on given machines: pure arithmetic in closed form.
//!
//! In the order of evaluation: [`Model`] and [`Device`] say what there is, [`Layout`] how it is divided, [`Rules`]
//! what the engine does; [`Replica`] has all of them. [`Replica::largest_batch`] is what memory holds,
//! a pass what the devices do at once, [`Replica::step`] an iteration of continuous batching,
//! [`Replica::latency`] what a request sees of it.
//!
//! Symbols: `t`, `p`, `D`, `ep` tensor, pipeline, attention-data and expert parallel; `n = t·D` devices of one
//! pipeline stage; `T` tokens in a pass of the replica, `T_r = T/D` on a rank; `b` sequences of a micro-batch; `I`,
//! `O` tokens of a request's input and output; `F` peak FLOP/s, `W` memory bytes/s; `sm_q(x, y) = (x^q + y^q)^(1/q)`.
//! Constants are `assumption` rows `serving.*`, fitted on 1,287 published speeds ([`Constants`]); in grouped
//! cross-validation the median error is 12 %, the ninetieth percentile 34 %.

mod constants;
mod device;
mod latency;
mod layout;
mod memory;
mod model;
mod pass;
mod pool;
mod replica;
mod step;

#[cfg(test)]
mod law_tests;
#[cfg(test)]
mod tests;

pub(super) use constants::Constants;
pub(super) use device::{Device, Format, Formats};
pub(super) use layout::Layout;
#[cfg(test)]
use model::Mixture;
pub(super) use model::Model;
pub(super) use replica::{Engine, Load, Replica, Rules};
pub(super) use step::Step;

/// `(x^q + y^q)^(1/q)`: the larger of two times, where they overlap the more the larger `q` is.
fn smooth_max(q: f64, x: f64, y: f64) -> f64 {
    let (less, more) = if x < y { (x, y) } else { (y, x) };
    if more <= 0.0 {
        return more;
    }
    // As logarithms: `powf` takes twice as long for digits that nobody needs.
    let share = ((less / more).ln() * q).exp();
    more * ((1.0 + share).ln() / q).exp()
}

/// The same with `q = 4`.
fn at_least(x: f64, least: f64) -> f64 {
    let (x, least) = (x * x, least * least);
    (x * x + least * least).sqrt().sqrt()
}
