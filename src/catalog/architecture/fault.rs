//! What can be wrong with a shape, and what was taken for granted in one.

use std::borrow::Cow;

/// One thing wrong with a shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ShapeFault {
    /// The field of [`Architecture`](crate::catalog::model::Architecture), or of a configuration.
    pub field: &'static str,
    /// What sort of fault it is.
    pub of: FaultOf,
    /// What is wrong, in a sentence.
    pub detail: String,
}

/// The sorts of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultOf {
    /// The field is needed, and nothing it could be derived from is there.
    Missing,
    /// The value is impossible, or absurd.
    Range,
    /// It disagrees with another field.
    Contradiction,
    /// It is of another type.
    Type,
}

impl ShapeFault {
    pub(super) fn missing(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field, of: FaultOf::Missing, detail: detail.into() }
    }

    pub(super) fn range(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field, of: FaultOf::Range, detail: detail.into() }
    }

    pub(super) fn contradiction(field: &'static str, detail: impl Into<String>) -> Self {
        Self { field, of: FaultOf::Contradiction, detail: detail.into() }
    }
}

/// Something that was not given, and what it was taken to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumed {
    /// The field of [`Architecture`](crate::catalog::model::Architecture).
    pub field: &'static str,
    /// The value that was used; 1 and 0 for yes and no.
    pub value: f64,
    /// How it was come by.
    pub how: Cow<'static, str>,
}

/// The list of what was assumed, while it grows.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Assumed>);

impl Notes {
    /// Notes a value and hands it back.
    pub(super) fn take(&mut self, field: &'static str, value: f64, how: impl Into<Cow<'static, str>>) -> f64 {
        self.0.push(Assumed { field, value, how: how.into() });
        value
    }

    /// The value given, or else the one noted.
    pub(super) fn or(
        &mut self,
        given: Option<u32>,
        field: &'static str,
        value: f64,
        how: impl Into<Cow<'static, str>>,
    ) -> f64 {
        given.map_or_else(|| self.take(field, value, how), f64::from)
    }
}
