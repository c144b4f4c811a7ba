//! Bytes of each thing that training keeps: assumptions of the catalog, at their middle.

use crate::estimate::{desk::Desk, hardware::request::Optimizer};

/// Bytes by what they are for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bytes {
    /// For each parameter trained: weights, gradients, the optimiser's states.
    pub(crate) trained: f64,
    /// Of these, what every data-parallel rank has where only the optimiser's states are divided.
    pub(crate) replicated: f64,
    /// For each parameter of an adapter.
    pub(crate) adapter: f64,
    /// For each frozen parameter.
    pub(crate) frozen: f64,
    /// For each frozen parameter in 4 bits.
    pub(crate) frozen_4bit: f64,
    /// Of activations, for each token, layer and unit of width, without the matrices of attention.
    pub(crate) activation: f64,
    /// The same where all of them are computed again.
    pub(crate) activation_recomputed: f64,
    /// Of the matrices of attention, for each head and pair of tokens of a layer.
    pub(crate) attention: f64,
    /// Of logits, for each token and entry of the vocabulary.
    pub(crate) logit: f64,
    /// Share of the memory that a run can use.
    pub(crate) usable: f64,
    /// Bytes of it that drivers, communication and fragmentation take besides.
    pub(crate) reserve: f64,
    /// For each parameter trained with 8-bit Adam: what a run that does not fit may be told to try.
    pub(crate) adam_8bit: f64,
}

impl Bytes {
    /// The rows for an optimiser; none, and faults, where the catalog lacks one.
    pub(crate) fn of(desk: &mut Desk<'_, '_>, optimizer: Optimizer) -> Option<Self> {
        let mut row = |id: &str| desk.assumption(id).map(|row| row.value.mid().max(0.0));
        let trained = row(match optimizer {
            Optimizer::Adam => "training.adam_bytes_per_param",
            Optimizer::Adam8bit => "training.adam_8bit_bytes_per_param",
            Optimizer::AdamBf16Moments => "training.fp8_bytes_per_param",
            Optimizer::Muon => "training.muon_bytes_per_param",
        });
        let replicated = row("training.distributed_optimizer.replicated_bytes_per_param");
        let adapter = row("training.lora.trained_bytes_per_param");
        let frozen = row("training.lora.frozen_bytes_per_param");
        let frozen_4bit = row("training.lora.frozen_bytes_per_param_4bit");
        let activation = row("training.activation_bytes");
        let activation_recomputed = row("training.activation_bytes_full_recompute");
        let attention = row("training.attention_matrix_bytes");
        let logit = row("training.logit_bytes");
        let usable = row("training.usable_memory_fraction");
        let reserve = row("training.memory_reserve_gb").map(|gb| gb * 1e9);
        let adam_8bit = row("training.adam_8bit_bytes_per_param");
        Some(Self {
            trained: trained?,
            replicated: replicated?,
            adapter: adapter?,
            frozen: frozen?,
            frozen_4bit: frozen_4bit?,
            activation: activation?,
            activation_recomputed: activation_recomputed?,
            attention: attention?,
            logit: logit?,
            usable: usable?.min(1.0),
            reserve: reserve?,
            adam_8bit: adam_8bit?,
        })
    }
}
