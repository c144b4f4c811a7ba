//! The feed-forward layers of a mixture of experts.

/// Routed and shared experts.
///
/// The counts are numbers, not integers: of a model of which only `params_total` and `params_active` are
/// known, they are what would have these.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experts {
    /// Layers that have experts.
    pub layers: f64,
    /// Routed experts of a layer.
    pub routed: f64,
    /// Routed experts that a token visits.
    pub active: f64,
    /// Experts that every token visits.
    pub shared: f64,
    /// Width of a routed expert.
    pub ffn: f64,
    /// Width of a shared expert.
    pub shared_ffn: f64,
}
