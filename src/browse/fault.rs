//! What can be wrong with a question about the catalog.

use std::fmt;

/// One thing wrong, and the parameter that it is wrong in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The name of the parameter.
    pub parameter: &'static str,
    /// What is wrong.
    pub kind: FaultKind,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says what it is; the fields are what it names")]
pub enum FaultKind {
    #[error("{detail}")]
    OutOfRange { detail: String },
    #[error("{} is missing", one_of(names))]
    Missing { names: &'static [&'static str] },
    #[error(transparent)]
    Unknown(#[from] Unknown),
    #[error("there is no catalog revision {revision}; the newest is {newest}")]
    UnknownRevision { revision: u64, newest: u32 },
}

impl Fault {
    /// A value that the parameter does not take.
    pub fn out_of_range(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self { parameter, kind: FaultKind::OutOfRange { detail: detail.into() } }
    }

    /// One of several parameters has to be given; the fault stands at the first of them.
    #[must_use]
    pub fn missing(names: &'static [&'static str]) -> Self {
        let parameter = names.first().copied().unwrap_or_default();
        Self { parameter, kind: FaultKind::Missing { names } }
    }

    /// A name that nothing has.
    #[must_use]
    pub fn unknown(parameter: &'static str, unknown: Unknown) -> Self {
        Self { parameter, kind: unknown.into() }
    }
}

/// The names as a phrase: "`a`, `b` or `c`".
#[must_use]
pub fn one_of(names: &[impl fmt::Display]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

/// A name that nothing has, with names that may have been meant, nearest first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no {thing} is called `{name}`")]
pub struct Unknown {
    /// What it should be the name of.
    pub thing: Thing,
    /// The name.
    pub name: String,
    /// Names that may have been meant.
    pub near: Vec<String>,
}

/// Kinds of things that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kinds are what the catalog calls them")]
pub enum Thing {
    Provider,
    Model,
    Offering,
    Meter,
    Currency,
    Gpu,
    Revision,
    Assumption,
    Scenario,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Offering => "offering",
            Self::Meter => "meter",
            Self::Currency => "currency",
            Self::Gpu => "GPU",
            Self::Revision => "revision",
            Self::Assumption => "assumption",
            Self::Scenario => "scenario",
        })
    }
}
