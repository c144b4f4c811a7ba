//! One pass through the model, in parts.

use super::{Replica, at_least, replica::Engine, smooth_max};

/// Seconds of one pass, by part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pass {
    pub(super) elementwise: f64,
    pub(super) attention: f64,
    pub(super) exchange: f64,
}

/// What a token that decodes sees, and keys and values that one of a prompt meets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen {
    /// Mean context of decoding.
    Decode { context: f64 },
    /// Length of a prompt with what is cached, and how many tokens of it are computed.
    Prompt { context: f64, fresh: f64 },
}

impl Replica<'_> {
    /// Products of dense layers and of experts for so many tokens of the replica; of a prompt's, the head sees the
    /// last token alone.
    ///
    /// Dense: `sm(sm_4(T_r, tile)·2·N/(t·F·eta), bytes/(t·W))`. Experts: `E(1-(1-k/E)^T)` of them are touched;
    /// `sm(2·ex·sm_4(k·T, tile·touched)·L_moe/(n·F·eta_e), ex·w·touched·L_moe/(n·W))`, times the excess of the fullest
    /// device: `1 + imb·sqrt(2 ln ep / max(touched/ep, 1)) + skew·(1-1/ep)`.
    pub(super) fn products(&self, tokens: f64, prompt: Option<f64>) -> f64 {
        let rank = tokens / self.ranks;
        let model = self.model;
        let head = prompt.map_or(rank, |context| rank.min((rank / context.max(1.0)).max(1.0)));
        let work = self.dense_work * at_least(rank, self.tile) + 2.0 * model.vocab * model.hidden * head;
        let arithmetic = work / self.tensor / self.dense_flops;
        let mut dense = smooth_max(self.constants.overlap, arithmetic, self.read_dense);
        if prompt.is_some() && self.rules.engine == Engine::LlamaCpp {
            dense *= self.constants.llama_cpp_prefill;
        }
        dense + self.experts(tokens)
    }

    fn experts(&self, tokens: f64) -> f64 {
        let Some(mixture) = self.model.mixture else { return 0.0 };
        let k = self.constants;
        let missed = (1.0 - mixture.active / mixture.experts).max(0.0);
        let touched = mixture.experts * (1.0 - missed.powf(tokens.min(1e6)));
        let rows = at_least(mixture.active * tokens, touched * k.expert_tile);
        let excess = 1.0
            + k.imbalance * (2.0 * self.expert.ln() / (touched / self.expert).max(1.0)).sqrt()
            + k.skew * (1.0 - self.expert.recip());
        let arithmetic = 2.0 * mixture.expert * rows * mixture.layers / self.stage / self.expert_flops;
        excess * smooth_max(k.overlap, arithmetic, self.read_expert * touched)
    }

    /// What comes between the products: activations that move, attention, exchanges.
    pub(super) fn between(&self, tokens: f64, seen: Seen) -> Pass {
        let rank = tokens / self.ranks;
        Pass {
            elementwise: self.elementwise(rank),
            attention: match seen {
                Seen::Decode { context } => self.decode_attention(rank, context),
                Seen::Prompt { context, fresh } => self.prompt_attention(rank, context, fresh),
            },
            exchange: self.exchanges * self.exchange + self.exchange_token * rank,
        }
    }

    /// `2·passes·T_r·(L·d·(1/2 + 1/2t) + L_moe·k·(d + f_e)/2t) / 0.8 W`.
    fn elementwise(&self, rank: f64) -> f64 {
        const SHARE: f64 = 0.8; // of the bandwidth, for long plain runs
        let model = self.model;
        let residual = model.layers * model.hidden * (0.5 + 0.5 / self.tensor);
        let experts = model.mixture.map_or(0.0, |mixture| {
            mixture.layers * mixture.active * (model.hidden + mixture.width) / self.tensor * 0.5
        });
        rank * 2.0 * self.constants.elementwise * (residual + experts) / (self.device.bandwidth * SHARE)
    }

    /// Layers that count in full at a context; sparse attention looks at the best keys, and a little at all.
    fn seen_layers(&self, context: f64) -> f64 {
        let layers = self.model.kv_layers(context);
        match self.model.sparse_keys {
            Some(keys) => layers * ((keys + self.constants.sparse_index * context) / context).min(1.0),
            None => layers,
        }
    }

    /// `h(e_qk + e_v)·layers·T_r·c/(t·F·eta)`, where `c` is the prompt; of a prompt that is cached in part, what is
    /// computed sees the cached part whole: `c + cached` in place of `c`.
    fn prompt_attention(&self, rank: f64, context: f64, fresh: f64) -> f64 {
        let model = self.model;
        let seen = 2.0 * context - fresh;
        let flops =
            model.heads * (model.query_dim + model.value_dim) * self.seen_layers(context) * rank * seen;
        flops / self.tensor / (self.device.bf16 * self.constants.attention_flops)
    }

    /// `kv·b·layers·T_r·c/(shard·W·eta)`; latent attention multiplies as well: `2h(2r + e_r)·layers·T_r·c`; and the
    /// states of linear layers are read and written.
    fn decode_attention(&self, rank: f64, context: f64) -> f64 {
        let (model, k) = (self.model, self.constants);
        let read = self.device.bandwidth * k.read_kv;
        let tokens = self.seen_layers(context) * rank * context;
        let kv = model.kv_width * self.formats.kv_cache.bytes() * tokens / self.shard() / read;
        let attention = model.latent.map_or(kv, |(rank, rope)| {
            let flops = 2.0 * model.heads * (2.0 * rank + rope) * tokens / self.tensor;
            let arithmetic = flops / (self.device.bf16 * k.attention_flops);
            (kv * kv * kv + arithmetic * arithmetic * arithmetic).cbrt()
        });
        attention + model.linear_layers * model.state_bytes * 2.0 * rank / self.tensor / read
    }
}
