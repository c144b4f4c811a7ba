//! What has to be in memory, and how many sequences are left room for.

use super::{Load, Replica};

impl Replica<'_> {
    /// Bytes of weights on one device:
    /// `(L·att·w_a/t + L_d·mlp·w/t + L_moe(E·ex·w/n + shared·w/t) + V·d·emb·w_v/t) / p`.
    pub(in crate::estimate::serving) fn weight_bytes(&self) -> f64 {
        let (model, format) = (self.model, self.formats.weights);
        let bytes = format.bytes();
        let attention = model.layers * model.attention * format.attention_bytes(model.is_mixture());
        let (experts, shared) = model.mixture.map_or((0.0, 0.0), |mixture| {
            (mixture.layers * mixture.expert * mixture.experts, mixture.layers * mixture.shared)
        });
        let dense = (model.dense_layers * model.mlp + shared) * bytes;
        let vocabulary = model.vocab * model.hidden * model.embeddings * format.vocabulary_bytes();
        ((attention + dense + vocabulary) / self.tensor + experts * bytes / self.stage) / self.pipeline
    }

    /// Bytes that a device has for keys and values; negative where weights alone do not fit:
    /// `fill·(M - weights - reserve - act)`, `act = a·tokens·2·(4d + 3·width)`, `width` = `k·f_e/n` or `f/t`.
    fn room(&self) -> f64 {
        let (k, model) = (self.constants, self.model);
        let width = match model.mixture {
            Some(mixture) => mixture.active * mixture.width / self.stage,
            None => model.mlp_width() / self.tensor,
        };
        let activations = k.activations * k.prefill_tokens * 2.0 * (4.0 * model.hidden + 3.0 * width);
        k.fill * (self.device.memory - self.weight_bytes() - k.reserve_gb * 1e9 - activations)
    }

    /// Bytes that one sequence keeps on each device of its rank:
    /// `kv·b·K·(I+O)/shard/p + states/t/p`, `K = L_att - saved·(L_att - L_windowed)`; latent keys and values are
    /// copied to every tensor rank, others to as many as there are heads for.
    fn sequence_bytes(&self, load: Load) -> f64 {
        let model = self.model;
        let context = load.input + load.output;
        let attending = model.attending_layers();
        let held = attending - self.constants.window_saved * (attending - model.kv_layers(context));
        let kv = model.kv_width * self.formats.kv_cache.bytes() * held * context;
        let states = model.linear_layers * model.state_bytes;
        (kv / self.shard() + states / self.tensor) / self.pipeline
    }

    /// Devices among which the keys and values of a sequence are divided.
    pub(super) fn shard(&self) -> f64 {
        if self.model.latent.is_some() { 1.0 } else { self.tensor.min(self.model.kv_heads) }
    }

    /// `B_max`: sequences that fit, over all ranks; below one a rank where nothing fits.
    pub(in crate::estimate::serving) fn largest_batch(&self, load: Load) -> f64 {
        self.room() / self.sequence_bytes(load) * self.ranks
    }

    /// Whether a sequence fits on every rank.
    pub(in crate::estimate::serving) fn fits(&self, load: Load) -> bool {
        self.largest_batch(load) >= self.ranks
    }

    /// Bytes of memory that one device of this layout would need for a sequence.
    pub(in crate::estimate::serving) fn needed_bytes(&self, load: Load) -> f64 {
        self.device.memory - (self.room() - self.sequence_bytes(load)) / self.constants.fill
    }

    /// Sequences that schedulers hold at most, over all ranks.
    pub(in crate::estimate::serving) fn cap(&self) -> f64 {
        self.constants.cap * self.ranks
    }
}
