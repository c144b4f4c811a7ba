//! Names of the assumptions that say how much faster than predicted something is.

/// Of an engine.
pub(super) fn engine(name: &str) -> String {
    spelled(format!("serving.factor.engine.{name}"))
}

/// Of an accelerator.
pub(super) fn gpu(name: &str) -> String {
    spelled(format!("serving.factor.gpu.{name}"))
}

/// Of a family of models, dense ones and mixtures apart.
pub(super) fn family(name: &str, mixture: bool) -> String {
    spelled(format!("serving.factor.family.{name}.{}", if mixture { "moe" } else { "dense" }))
}

/// Ids of assumptions have no hyphens.
fn spelled(id: String) -> String {
    if id.contains('-') { id.replace('-', "_") } else { id }
}
