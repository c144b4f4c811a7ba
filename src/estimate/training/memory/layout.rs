//! Bytes of one GPU under one way to divide what is in memory.

use super::{bytes::Bytes, load::Load};
use crate::estimate::hardware::request::{Recomputation, Sharding};

/// A way to divide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Layout {
    pub(super) sharding: Sharding,
    pub(super) recomputation: Recomputation,
    pub(super) tensor_parallel: u32,
    pub(super) pipeline_parallel: u32,
    pub(super) context_parallel: u32,
    pub(super) micro_batch: u32,
}

/// Bytes of one of `n` GPUs: `fixed + divided / n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Demand {
    pub(super) fixed: f64,
    pub(super) divided: f64,
}

impl Demand {
    pub(super) fn on(self, gpus: f64) -> f64 {
        self.fixed + self.divided / gpus
    }
}

impl Layout {
    /// GPUs that work on one sequence: `t·p·c`.
    pub(super) fn model_parallel(self) -> f64 {
        self.split() * f64::from(self.context_parallel)
    }

    /// GPUs that hold one copy of what ranks repeat: `t·p`; those of one context repeat it too.
    fn split(self) -> f64 {
        f64::from(self.tensor_parallel) * f64::from(self.pipeline_parallel)
    }

    /// What one GPU holds: states, frozen weights, activations, logits.
    pub(super) fn demand(self, load: &Load, bytes: &Bytes) -> Demand {
        let states = self.states(load, bytes);
        Demand { fixed: states.fixed + self.activations(load, bytes) + self.logits(load, bytes), ..states }
    }

    /// States and frozen weights. With sharding
    ///
    /// - `full` (`ZeRO`-3, FSDP): all of it over `n`
    /// - `optimizer`: `r` bytes a trained parameter, and frozen weights, over `t·p`; the rest of the states over `n`
    /// - `none`: all of it over `t·p`
    ///
    /// Source: NVIDIA/Megatron-LM, `theoretical_memory_usage.py`: `6 + 12/dp`, where `dp = n/(t·p)`.
    fn states(self, load: &Load, bytes: &Bytes) -> Demand {
        let trained = bytes.trained * load.trained + bytes.adapter * load.adapters;
        let frozen = bytes.frozen * load.frozen + bytes.frozen_4bit * load.frozen_4bit;
        let repeated = match self.sharding {
            Sharding::Full => 0.0,
            Sharding::Optimizer => (bytes.replicated * (load.trained + load.adapters)).min(trained) + frozen,
            Sharding::None => trained + frozen,
        };
        Demand { fixed: repeated / self.split(), divided: trained + frozen - repeated }
    }

    /// Activations of the layers of one stage of the pipeline, which has as many micro-batches in flight as there are stages,
    /// so that all layers count. For each layer, with `s·b` tokens, width `h`, `n_h` heads, `t` GPUs a layer:
    ///
    /// - `none`: `34·s·b·h/t`, and `5·n_h·s²·b/t` of attention
    /// - `selective` (or flash attention): `34·s·b·h/t`
    /// - `full`: `2·s·b·h`, and one layer of the above while it is computed again
    ///
    /// Source: Korthikanti et al. 2022, arXiv:2205.05198, table 2 (with sequence parallelism).
    fn activations(self, load: &Load, bytes: &Bytes) -> f64 {
        let tokens = self.tokens(load);
        let split = f64::from(self.tensor_parallel);
        let layer = bytes.activation * tokens * load.hidden / split;
        match self.recomputation {
            Recomputation::None => {
                let attention = bytes.attention * load.heads * tokens * load.sequence_length / split;
                load.layers * (layer + attention)
            }
            Recomputation::Selective => load.layers * layer,
            Recomputation::Full => load.layers * bytes.activation_recomputed * tokens * load.hidden + layer,
        }
    }

    /// Logits, in 32 bits: `4·s·b·V/t`.
    fn logits(self, load: &Load, bytes: &Bytes) -> f64 {
        bytes.logit * self.tokens(load) * load.vocab / f64::from(self.tensor_parallel)
    }

    /// Tokens that one GPU has at a time: those of `c` GPUs of one context are pieces of the same sequences.
    fn tokens(self, load: &Load) -> f64 {
        load.sequence_length * load.sequences * f64::from(self.micro_batch) / f64::from(self.context_parallel)
    }
}
