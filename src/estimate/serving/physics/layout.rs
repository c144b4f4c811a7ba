//! How a replica divides a model among devices.

/// Degrees of parallelism; a replica is `tensor · pipeline · attention_data` devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::estimate::serving) struct Layout {
    /// `t`: devices that split each layer.
    pub(in crate::estimate::serving) tensor: u32,
    /// `p`: stages, each with its layers.
    pub(in crate::estimate::serving) pipeline: u32,
    /// `ep`: devices that divide the experts among them.
    pub(in crate::estimate::serving) expert: u32,
    /// `D`: ranks that each attend to requests of their own.
    pub(in crate::estimate::serving) attention_data: u32,
}

impl Layout {
    /// A model on one device.
    pub(in crate::estimate::serving) const ONE: Self =
        Self { tensor: 1, pipeline: 1, expert: 1, attention_data: 1 };

    /// `G = t·p·D`.
    pub(in crate::estimate::serving) fn gpus(self) -> u32 {
        self.stage().saturating_mul(self.pipeline)
    }

    /// `n = t·D`: devices of one stage.
    pub(in crate::estimate::serving) fn stage(self) -> u32 {
        self.tensor.saturating_mul(self.attention_data)
    }
}
