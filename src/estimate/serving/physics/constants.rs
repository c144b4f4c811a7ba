//! The constants of the arithmetic: assumption rows, read once for a quote.

macro_rules! constants {
    ($($(#[doc = $doc:literal])+ $field:ident: $id:literal,)+) => {
        /// What the rows `serving.*` say, at their middle. How far speeds are off with them is in `serving.spread.*`.
        #[derive(Debug, Clone)]
        pub(in crate::estimate::serving) struct Constants {$(
            $(#[doc = $doc])+
            pub(super) $field: f64,
        )+}

        impl Constants {
            /// The constants, each by the id of its row; none where one is not known.
            pub(in crate::estimate::serving) fn read(mut row: impl FnMut(&'static str) -> Option<f64>) -> Option<Self> {
                $(let $field = row($id);)+
                Some(Self {$($field: $field?,)+})
            }
        }
    };
}

constants! {
    /// Share of the peak in 16 bits.
    gemm_bf16: "serving.gemm.bf16",
    /// Share of the peak in 8 bits.
    gemm_fp8: "serving.gemm.fp8",
    /// Share of the peak in 4 bits.
    gemm_fp4: "serving.gemm.fp4",
    /// Columns at which a product reaches half its share.
    half_width: "serving.gemm.half_width",
    /// Tokens below which a product gets no cheaper.
    tile: "serving.gemm.tile",
    /// Share of the 16-bit peak in attention over a prompt.
    attention_flops: "serving.attention.flops",
    /// Cost of choosing among keys.
    sparse_index: "serving.attention.sparse_index",
    /// Share of the bandwidth at which weights are read.
    read_weights: "serving.memory.weights",
    /// Share of the bandwidth at which keys and values are read.
    read_kv: "serving.memory.kv",
    /// Speed of reading 4-bit integers.
    int4: "serving.memory.int4",
    /// Time of reading 4-bit floats of dense layers.
    fp4_dense: "serving.memory.fp4_dense",
    /// Time of reading 4-bit floats of experts.
    fp4_experts: "serving.memory.fp4_experts",
    /// Efficiency of products with experts.
    expert_flops: "serving.experts.flops",
    /// Tokens below which an expert's product gets no cheaper.
    expert_tile: "serving.experts.tile",
    /// Columns at which an expert's product reaches half its share.
    expert_half_width: "serving.experts.half_width",
    /// How much the fullest device exceeds the mean, by chance.
    imbalance: "serving.experts.imbalance",
    /// The same, because some experts are liked better.
    skew: "serving.experts.skew",
    /// Times that activations pass through memory.
    elementwise: "serving.elementwise",
    /// Exponent by which arithmetic and memory join.
    overlap: "serving.overlap",
    /// Kernels of a layer, µs.
    layer_us: "serving.launch.layer",
    /// Kernels of a layer's experts, µs.
    experts_us: "serving.launch.experts",
    /// Kernels of latent attention, µs.
    latent_us: "serving.launch.latent",
    /// Kernels of linear attention, µs.
    linear_us: "serving.launch.linear",
    /// Kernels that change number formats, µs.
    quantised_us: "serving.launch.quantised",
    /// Kernels of sparse attention, µs.
    sparse_us: "serving.launch.sparse",
    /// Kernels under `SGLang`, as a factor.
    launch_sglang: "serving.launch.factor.sglang",
    /// Kernels under the C++ runtime of TensorRT-LLM, as a factor.
    launch_cpp: "serving.launch.factor.trtllm_cpp",
    /// Latency of an exchange, µs.
    exchange_us: "serving.link.latency",
    /// The same over slow links, as a factor.
    exchange_pcie: "serving.link.latency_pcie",
    /// The same with twice as many devices, as a factor.
    exchange_doubling: "serving.link.latency_doubling",
    /// Share of a link's bandwidth.
    link_share: "serving.link.share",
    /// Bandwidth between nodes, bytes a second.
    between_nodes: "serving.link.between_nodes",
    /// The scheduler's work in an iteration, ms.
    host_ms: "serving.host.iteration",
    /// Its work for a sequence, µs.
    sequence_us: "serving.host.sequence",
    /// The same in Python, as a factor.
    python: "serving.host.python",
    /// Work for a request, ms.
    request_ms: "serving.host.request",
    /// Share of the prompt's products that run with those of decoding.
    mixing: "serving.mixing",
    /// Time that a further pipeline stage adds.
    bubble: "serving.pipeline.bubble",
    /// Time that ranks wait for the slowest.
    rank_wait: "serving.attention_data.wait",
    /// Share of the free memory that is filled.
    fill: "serving.memory.fill",
    /// Memory that the runtime keeps, GB.
    reserve_gb: "serving.memory.reserve",
    /// Memory of activations over their count.
    activations: "serving.memory.activations",
    /// Share of what windows could save that engines do save.
    window_saved: "serving.memory.window_saved",
    /// Sequences that a rank holds at most.
    cap: "serving.batch.cap",
    /// Tokens of prompts in one pass at most.
    prefill_tokens: "serving.prefill.tokens",
    /// Time of a prompt's products under llama.cpp, as a factor.
    llama_cpp_prefill: "serving.llama_cpp.prefill",
    /// 99th percentile of the time for each token, over the mean.
    p99: "serving.p99",
    /// Speed under arrivals at random.
    server: "serving.server",
    /// Times of the prompt's own pass until the first token.
    ttft_prefill: "serving.ttft.prefill",
    /// Iterations until the first token.
    ttft_iterations: "serving.ttft.iterations",
    /// Share of half a batch of prompts that a request waits for.
    ttft_queue: "serving.ttft.queue",
    /// 99th percentile of the time to the first token, over the mean.
    ttft_p99: "serving.ttft.p99",
    /// Speed after a year of better software.
    drift: "serving.drift",
    /// The year at which the others stand.
    drift_zero: "serving.drift.zero",
    /// Before it nothing changes.
    drift_first: "serving.drift.first",
    /// After it nothing changes.
    drift_last: "serving.drift.last",
}

impl Constants {
    /// The 99th percentile of the time for each output token, over its mean.
    pub(in crate::estimate::serving) fn tpot_p99(&self) -> f64 {
        self.p99
    }

    /// The 99th percentile of the time to the first token, over its mean.
    pub(in crate::estimate::serving) fn ttft_p99(&self) -> f64 {
        self.ttft_p99
    }

    /// Speed under arrivals at random, over that of a batch of the same size.
    pub(in crate::estimate::serving) fn server(&self) -> f64 {
        self.server
    }

    /// The scheduler's work in an iteration, seconds.
    pub(in crate::estimate::serving) fn host_seconds(&self) -> f64 {
        self.host_ms * 1e-3
    }

    /// The year at which the other figures stand.
    pub(in crate::estimate::serving) fn drift_zero(&self) -> f64 {
        self.drift_zero
    }

    /// Speed of software of a year, over that of the middle of 2025: `drift^(year - zero)`, within the years fitted.
    pub(in crate::estimate::serving) fn drift_of(&self, year: f64) -> f64 {
        self.drift.powf(year.clamp(self.drift_first, self.drift_last.max(self.drift_first)) - self.drift_zero)
    }
}
