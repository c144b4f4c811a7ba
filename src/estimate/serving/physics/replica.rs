//! A replica: a model on devices that are divided in one way, under one engine.

use super::{
    Constants, Device, Formats, Layout, Model,
    device::{Format, Products},
};

/// What serves the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::estimate::serving) enum Engine {
    /// Not said: a scheduler in Python, kernels as vLLM starts them.
    Any,
    Vllm,
    Sglang,
    Trtllm,
    /// The C++ runtime before 1.0; of published speeds only.
    TrtllmCpp,
    LlamaCpp,
}

/// What the engine does, and how fast it all is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::estimate::serving) struct Rules {
    pub(in crate::estimate::serving) engine: Engine,
    /// `F`: engine's, accelerator's and family's factor, and the drift.
    pub(in crate::estimate::serving) speed: f64,
}

/// What is asked: tokens of one request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::estimate::serving) struct Load {
    /// `I`.
    pub(in crate::estimate::serving) input: f64,
    /// `O`.
    pub(in crate::estimate::serving) output: f64,
    /// `h`: share of the input whose keys and values are there already.
    pub(in crate::estimate::serving) cached: f64,
}

impl Load {
    /// Tokens of the input that are computed.
    pub(in crate::estimate::serving) fn fresh(self) -> f64 {
        self.input * (1.0 - self.cached)
    }
}

/// All that an iteration depends on besides the batch, worked out once.
#[derive(Debug, Clone)]
pub(in crate::estimate::serving) struct Replica<'p> {
    pub(super) model: &'p Model,
    pub(super) device: &'p Device,
    pub(super) constants: &'p Constants,
    pub(super) formats: Formats,
    pub(super) rules: Rules,
    pub(super) tensor: f64,
    pub(super) pipeline: f64,
    pub(super) ranks: f64,
    /// `n = t·D`.
    pub(super) stage: f64,
    /// Devices of the experts, at least one.
    pub(super) expert: f64,
    /// FLOP/s of dense products, efficiency included.
    pub(super) dense_flops: f64,
    /// FLOP/s of products with experts, efficiency included.
    pub(super) expert_flops: f64,
    /// Tokens below which a dense product gets no cheaper.
    pub(super) tile: f64,
    /// Seconds in which a device reads its dense weights and the head.
    pub(super) read_dense: f64,
    /// Seconds in which it reads one expert of every layer.
    pub(super) read_expert: f64,
    /// FLOP of a token in dense layers, all devices.
    pub(super) dense_work: f64,
    /// Seconds to start the kernels of a pass.
    pub(super) launch: f64,
    /// Seconds of one exchange without its bytes.
    pub(super) exchange: f64,
    /// Seconds that exchanges take for each token of a rank.
    pub(super) exchange_token: f64,
    /// Exchanges of a pass.
    pub(super) exchanges: f64,
}

impl<'p> Replica<'p> {
    pub(in crate::estimate::serving) fn new(
        model: &'p Model,
        device: &'p Device,
        constants: &'p Constants,
        layout: Layout,
        formats: Formats,
        rules: Rules,
    ) -> Self {
        let k = constants;
        let (tensor, pipeline) = (f64::from(layout.tensor), f64::from(layout.pipeline));
        let (ranks, stage) = (f64::from(layout.attention_data), f64::from(layout.stage()));
        let expert = f64::from(layout.expert).max(1.0);
        let (products, peak) = formats.weights.products(device);
        let share = match products {
            Products::Bf16 => k.gemm_bf16,
            Products::Fp8 => k.gemm_fp8,
            Products::Fp4 => k.gemm_fp4,
        };
        let width = if model.mlp > 0.0 { model.mlp_width() } else { model.hidden } / tensor;
        let dense_flops = peak * share * width / (width + k.half_width);
        let expert_flops = model.mixture.map_or(1.0, |mixture| {
            let width = mixture.width.min(mixture.width * f64::from(layout.expert) / stage);
            peak * share * k.expert_flops * width / (width + k.expert_half_width)
        });
        let four = products != Products::Bf16 && formats.weights.bytes() < 1.0;
        let int4 = if formats.weights == Format::Int4 { k.int4 } else { 1.0 };
        let read = device.bandwidth * k.read_weights * int4;
        let head = model.vocab * model.hidden;
        let bytes = formats.weights.bytes();
        let attention = model.layers * model.attention;
        let dense_bytes = attention * formats.weights.attention_bytes(model.is_mixture())
            + (model.dense_params() - attention) * bytes
            + head * formats.weights.vocabulary_bytes();
        let read_expert =
            model.mixture.map_or(0.0, |mixture| mixture.expert * bytes * mixture.layers / stage / read);
        let mut replica = Self {
            model,
            device,
            constants,
            formats,
            rules,
            tensor,
            pipeline,
            ranks,
            stage,
            expert,
            dense_flops,
            expert_flops,
            // Matrix-vector kernels have no tiles.
            tile: if rules.engine == Engine::LlamaCpp { 1.0 } else { k.tile },
            read_dense: dense_bytes / tensor / read * if four { k.fp4_dense } else { 1.0 },
            read_expert: read_expert * if four { k.fp4_experts } else { 1.0 },
            dense_work: 2.0 * model.dense_params(),
            launch: 0.0,
            exchange: 0.0,
            exchange_token: 0.0,
            exchanges: 0.0,
        };
        replica.launch = replica.launch(products);
        replica.count_exchanges();
        replica
    }

    /// `lx·(L·(layer + q + latent + sparse) + L_moe·experts + L_lin·linear)`, seconds.
    fn launch(&self, products: Products) -> f64 {
        let (k, model) = (self.constants, self.model);
        let factor = match self.rules.engine {
            Engine::Sglang => k.launch_sglang,
            Engine::TrtllmCpp => k.launch_cpp,
            Engine::Any | Engine::Vllm | Engine::Trtllm | Engine::LlamaCpp => 1.0,
        };
        let mut layer = k.layer_us;
        if products != Products::Bf16 {
            layer += k.quantised_us;
        }
        if model.latent.is_some() {
            layer += k.latent_us;
        }
        if model.sparse_keys.is_some() {
            layer += k.sparse_us;
        }
        let experts = model.mixture.map_or(0.0, |mixture| mixture.layers * k.experts_us);
        factor * (model.layers * layer + experts + model.linear_layers * k.linear_us) * 1e-6
    }

    /// Exchanges: two a layer among tensor ranks (`t > 1`: `2L(lat + 4·T_r·d·(t-1)/t/(link·B))`), two a layer of
    /// experts among attention ranks (`D > 1`: `L_moe(2·lat + 3·T_r·d·peers·(n-1)/n/(link·B))`), where `peers` is at
    /// most `k`, and beyond the fast domain at most four nodes.
    fn count_exchanges(&mut self) {
        let (k, model, device) = (self.constants, self.model, self.device);
        let link = device.link.unwrap_or(0.0);
        let slow = if link > 100e9 { 1.0 } else { k.exchange_pcie };
        let doublings = (self.stage / 2.0).max(1.0).log2();
        self.exchange = k.exchange_us * 1e-6 * slow * k.exchange_doubling.powf(doublings);
        let bandwidth = |devices: f64| {
            let link = if devices <= device.domain { link } else { k.between_nodes };
            link * k.link_share
        };
        let others = |devices: f64| (devices - 1.0) / devices;
        if self.tensor > 1.0 {
            self.exchanges += 2.0 * model.layers;
            self.exchange_token +=
                2.0 * model.layers * 4.0 * model.hidden * others(self.tensor) / bandwidth(self.tensor);
        }
        if let Some(mixture) = model.mixture.filter(|_| self.ranks > 1.0) {
            let inside = self.stage <= device.domain;
            let reach = if inside { self.stage } else { (self.stage / device.domain).min(4.0) };
            let peers = mixture.active.min(reach);
            self.exchanges += 2.0 * mixture.layers;
            self.exchange_token +=
                mixture.layers * 3.0 * model.hidden * peers * others(self.stage) / bandwidth(self.stage);
        }
    }

    /// `G`.
    pub(in crate::estimate::serving) fn gpus(&self) -> f64 {
        self.stage * self.pipeline
    }

    /// `D`.
    pub(in crate::estimate::serving) fn ranks(&self) -> f64 {
        self.ranks
    }
}
