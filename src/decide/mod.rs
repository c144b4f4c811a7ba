//! Questions made of many quotes: what changes with a number, which is cheapest.
//!
//! [`place`] finds what a JSON Pointer leads to in a request, [`open`] prices the request with something else there,
//! [`number`] with one number after the other, and [`grid`] says which; [`edge`] narrows down where something changes.
//!
//! [`sweep`] makes a series of quotes, [`compare`] ranks what could be had instead, [`break_even`] finds where two
//! curves cross, [`budget`] how much of something a sum buys, [`project`] carries a quote forward. No more arithmetic
//! than that is here: each figure rests on what [`estimate()`](crate::estimate::estimate) says to a request that
//! anybody could send.

pub mod break_even;
pub mod budget;
pub mod compare;
pub mod edge;
pub mod grid;
pub mod number;
pub mod open;
pub mod place;
pub mod project;
pub mod sweep;

use crate::estimate::{
    fault::{Fault, FaultKind},
    request::Fields,
};

/// Asks whether nobody waits for the answer any more. It is asked between one quote and the next.
pub type Stop<'s> = &'s dyn Fn() -> bool;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The question cannot be answered as it stands.
    Faults(Vec<Fault>),
    /// Nobody waits for the answer.
    Stopped,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Faults(vec![fault])
    }
}

impl From<Vec<Fault>> for Refused {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Faults(faults)
    }
}

/// The same faults, seen from a body that holds the request under `base`.
pub(crate) fn under(base: &str, mut faults: Vec<Fault>) -> Vec<Fault> {
    for fault in &mut faults {
        fault.pointer.insert_str(0, base);
    }
    faults
}

/// Different faults that are told where no value can be priced.
const MOST_FAULTS: usize = 20;

/// Keeps the faults that are not there yet, by place and code.
pub(crate) fn remember(known: &mut Vec<Fault>, found: &[Fault]) {
    for fault in found {
        let is_known =
            |known: &Fault| known.pointer == fault.pointer && known.kind.code() == fault.kind.code();
        if known.len() < MOST_FAULTS && !known.iter().any(is_known) {
            known.push(fault.clone());
        }
    }
}

/// Whether a body is an object with this field.
pub(crate) fn has_field(body: &[u8], name: &str) -> bool {
    serde_json::from_slice::<Fields<'_>>(body)
        .is_ok_and(|Fields(fields)| fields.iter().any(|(known, _)| known == name))
}

/// Whether a request is refused for something that no value at the open places can mend: a name that nothing has, a
/// field that is missing, anywhere else. What it costs to find near names is then spent once.
pub(crate) fn is_hopeless(faults: &[Fault], open: &[&str]) -> bool {
    let decides_names = |pointer: &&str| pointer.ends_with("/catalog_revision") || pointer.ends_with("/kind");
    let elsewhere = |fault: &Fault| !open.iter().any(|pointer| touches(pointer, &fault.pointer));
    !open.iter().any(decides_names)
        && faults.iter().any(|fault| is_of_a_name(&fault.kind) && elsewhere(fault))
}

/// Whether one of two places is in the other, or both are one.
fn touches(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a name is wrong by itself, whatever else the request says.
fn is_of_a_name(kind: &FaultKind) -> bool {
    match kind {
        // Nothing of that name at that seller, no such key there: another seller may have it.
        FaultKind::UnknownModel { provider, .. } => provider.is_none(),
        FaultKind::UnknownContextKey { offering, .. } => offering.is_none(),
        // It says what an accelerator lacks.
        FaultKind::PrecisionLacking { .. } => false,
        FaultKind::MissingField { .. } | FaultKind::AmbiguousModel { .. } => true,
        other => other.code().starts_with("unknown_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown_model(pointer: &str) -> Vec<Fault> {
        let kind = FaultKind::UnknownModel { name: "gpt-9".to_owned(), provider: None, near: Vec::new() };
        vec![Fault::new(pointer, kind)]
    }

    #[test]
    fn an_unknown_name_is_hopeless_unless_it_stands_where_something_else_may() {
        assert!(is_hopeless(&unknown_model("/model"), &["/calls"]));
        assert!(is_hopeless(&unknown_model("/model"), &["/model_of"]));
        assert!(!is_hopeless(&unknown_model("/model"), &["/calls", "/model"]));
        assert!(!is_hopeless(&unknown_model("/items/0/model"), &["/items/0"]));
        assert!(!is_hopeless(&unknown_model("/model"), &["/catalog_revision"]));
    }

    #[test]
    fn what_one_seller_lacks_another_may_have() {
        let (name, near) = ("gpt-9".to_owned(), Vec::new());
        let of = |kind| is_hopeless(&[Fault::new("/context/speed", kind)], &["/provider"]);
        let offering = Some("openai/gpt-4o".to_owned());
        assert!(!of(FaultKind::UnknownContextKey { name: name.clone(), offering, near: near.clone() }));
        assert!(!of(FaultKind::UnknownModel {
            name: name.clone(),
            provider: Some("openai".to_owned()),
            near
        }));
        assert!(of(FaultKind::UnknownContextKey { name, offering: None, near: Vec::new() }));
    }

    #[test]
    fn a_number_out_of_range_may_be_another_time_in_range() {
        let fault = Fault::new("/calls", FaultKind::out_of_range("must be a whole number from 0 to 1e15"));
        assert!(!is_hopeless(&[fault], &["/usage/input_tokens"]));
    }
}
