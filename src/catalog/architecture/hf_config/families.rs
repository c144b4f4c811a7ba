//! What the configurations of a family of models leave unsaid, since its code knows it.

/// How a family's configurations give the width of experts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Experts {
    /// In a field of its own; `intermediate_size` is the dense layers'.
    OfTheirOwnWidth,
    /// `intermediate_size` is theirs: no layer is dense.
    OfTheCommonWidth,
    /// `intermediate_size` is theirs, `intermediate_size_mlp` the dense layers' (Llama 4).
    BesideDense,
}

/// Which layers a family windows, unless `layer_types` lists them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Windows {
    /// None: the field is not used.
    Ignored,
    /// All.
    Everywhere,
    /// All but every so-manieth.
    ButEvery(u32),
    /// Those from `max_window_layers` on.
    FromLayer,
    /// Those with rotary positions: 3 of 4 (Llama 4).
    WherePositions,
}

/// A family's habits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Family {
    pub(super) gated: bool,
    pub(super) tied: bool,
    pub(super) experts: Experts,
    pub(super) shared_experts: u32,
    pub(super) windows: Windows,
    /// Width of a feed-forward layer over the hidden size, where no width is given.
    pub(super) ffn_times: Option<u32>,
    pub(super) heads: Option<u32>,
    pub(super) kv_heads: Option<u32>,
    pub(super) head_dim: Option<u32>,
    pub(super) vocab: Option<u32>,
}

/// Types whose layers the fields read here do not describe.
pub(super) const REFUSED: [&str; 23] = [
    "bamba",
    "bert",
    "clip",
    "deepseek_v4",
    "falcon_h1",
    "falcon_mamba",
    "gemma3n",
    "gemma3n_text",
    "granitemoehybrid",
    "kimi_linear",
    "mamba",
    "mamba2",
    "minimax",
    "minimax_m1",
    "minimax_text_01",
    "nemotron_h",
    "recurrent_gemma",
    "rwkv",
    "rwkv7",
    "t5",
    "vit",
    "whisper",
    "zamba2",
];

/// Llama, and all that do as it does.
const LLAMA: Family = Family {
    gated: true,
    tied: false,
    experts: Experts::OfTheirOwnWidth,
    shared_experts: 0,
    windows: Windows::Ignored,
    ffn_times: None,
    heads: None,
    kv_heads: None,
    head_dim: None,
    vocab: None,
};

/// The older decoders: two matrices, four times as wide, one matrix at both ends.
const GPT: Family = Family { gated: false, tied: true, ffn_times: Some(4), ..LLAMA };

impl Family {
    pub(super) fn of(model_type: &str) -> Self {
        match model_type {
            "gpt2" | "gpt_bigcode" | "bloom" | "opt" | "mpt" | "falcon" | "RefinedWeb"
            | "RefinedWebModel" => GPT,
            "gptj" | "gpt_neox" | "phi" => Self { tied: false, ..GPT },
            "nemotron" => Self { gated: false, ..LLAMA },
            "starcoder2" => Self { windows: Windows::Everywhere, ..GPT },
            "mistral" | "phi3" => Self { windows: Windows::Everywhere, ..LLAMA },
            "mixtral" | "phimoe" => {
                Self { windows: Windows::Everywhere, experts: Experts::OfTheCommonWidth, ..LLAMA }
            }
            "olmoe" | "dbrx" | "granitemoe" | "minimax_m2" | "grok-1" => {
                Self { experts: Experts::OfTheCommonWidth, ..LLAMA }
            }
            "jamba" => Self { experts: Experts::OfTheCommonWidth, ..LLAMA },
            "gpt_oss" => Self { windows: Windows::ButEvery(2), experts: Experts::OfTheCommonWidth, ..LLAMA },
            "llama4" | "llama4_text" => Self {
                windows: Windows::WherePositions,
                experts: Experts::BesideDense,
                shared_experts: 1,
                ..LLAMA
            },
            "qwen2" | "qwen2_moe" | "qwen3" | "qwen3_moe" => Self { windows: Windows::FromLayer, ..LLAMA },
            "gemma" | "cohere" => Self { tied: true, ..LLAMA },
            "cohere2" => Self { tied: true, windows: Windows::ButEvery(4), ..LLAMA },
            "olmo3" => Self { windows: Windows::ButEvery(4), ..LLAMA },
            "gemma2" => Self { tied: true, windows: Windows::ButEvery(2), head_dim: Some(256), ..LLAMA },
            "gemma3" | "gemma3_text" => Self {
                tied: true,
                windows: Windows::ButEvery(6),
                heads: Some(8),
                kv_heads: Some(4),
                head_dim: Some(256),
                vocab: Some(262_208),
                ..LLAMA
            },
            _ => LLAMA,
        }
    }
}
