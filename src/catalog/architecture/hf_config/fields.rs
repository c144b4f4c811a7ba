//! The fields of a configuration, as they are read one by one.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::catalog::architecture::fault::{FaultOf, ShapeFault};

/// A configuration, what has been read of it, and what was wrong.
#[derive(Debug)]
pub(super) struct Fields<'c> {
    /// The part that describes the language model.
    pub(super) text: &'c Map<String, Value>,
    /// The whole.
    pub(super) whole: &'c Map<String, Value>,
    pub(super) read: BTreeSet<&'static str>,
    pub(super) faults: Vec<ShapeFault>,
}

/// Where models of several modalities keep their language model.
pub(super) const NESTED: [&str; 3] = ["text_config", "language_config", "llm_config"];

impl<'c> Fields<'c> {
    pub(super) fn of(config: &'c Value) -> Result<Self, ShapeFault> {
        let Value::Object(whole) = config else {
            return Err(fault(
                "config",
                FaultOf::Type,
                "must be a JSON object, the content of a config.json",
            ));
        };
        let nested = NESTED.into_iter().find_map(|name| whole.get(name).and_then(Value::as_object));
        Ok(Self { text: nested.unwrap_or(whole), whole, read: BTreeSet::new(), faults: Vec::new() })
    }

    /// The first of these fields that says something; all count as read.
    fn first(&mut self, names: &[&'static str]) -> Option<(&'static str, &'c Value)> {
        self.read.extend(names);
        let said = |map: &'c Map<String, Value>, name| map.get(name).filter(|value| !value.is_null());
        let find = |map| names.iter().find_map(|name| said(map, *name).map(|value| (*name, value)));
        find(self.text).or_else(|| find(self.whole))
    }

    /// A whole number above 0; 0 and null say nothing.
    pub(super) fn count(&mut self, names: &[&'static str]) -> Option<u32> {
        let (name, value) = self.first(names)?;
        self.whole_number(name, value).filter(|number| *number > 0)
    }

    /// The same where a list, one value for each layer, may stand instead: that says nothing.
    pub(super) fn count_or_none(&mut self, names: &[&'static str]) -> Option<u32> {
        let (name, value) = self.first(names)?;
        if value.is_array() { None } else { self.whole_number(name, value).filter(|number| *number > 0) }
    }

    /// A count inside a field that is an object.
    pub(super) fn within(&mut self, outer: &'static str, name: &'static str) -> Option<u32> {
        self.read.insert(outer);
        let value = self.text.get(outer)?.as_object()?.get(name).filter(|value| !value.is_null())?;
        self.whole_number(name, value).filter(|number| *number > 0)
    }

    pub(super) fn text_within(&mut self, outer: &'static str, name: &'static str) -> Option<&'c str> {
        self.first(&[outer])?.1.as_object()?.get(name)?.as_str()
    }

    fn whole_number(&mut self, name: &'static str, value: &Value) -> Option<u32> {
        let exact = value.as_u64().and_then(|number| u32::try_from(number).ok());
        // 4.0 is 4: some configurations are written by programs that have no integers.
        let number = exact.or_else(|| {
            let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
            (0.0..=f64::from(u32::MAX)).contains(&number).then(|| format!("{number:.0}").parse().ok())?
        });
        if number.is_none() {
            self.fault(name, FaultOf::Type, "must be a whole number that is not negative");
        }
        number
    }

    pub(super) fn text(&mut self, names: &[&'static str]) -> Option<&'c str> {
        let (name, value) = self.first(names)?;
        if !value.is_string() {
            self.fault(name, FaultOf::Type, "must be a text");
        }
        value.as_str()
    }

    pub(super) fn flag(&mut self, names: &[&'static str]) -> Option<bool> {
        let (name, value) = self.first(names)?;
        if !value.is_boolean() {
            self.fault(name, FaultOf::Type, "must be true or false");
        }
        value.as_bool()
    }

    pub(super) fn list(&mut self, names: &[&'static str]) -> Option<&'c [Value]> {
        self.first(names)?.1.as_array().map(Vec::as_slice)
    }

    /// `layer_types`, one word for each layer.
    pub(super) fn layer_types(&mut self) -> Option<Vec<&'c str>> {
        self.list(&["layer_types"])?.iter().map(Value::as_str).collect()
    }

    pub(super) fn fault(&mut self, field: &'static str, of: FaultOf, detail: impl Into<String>) {
        self.faults.push(fault(field, of, detail));
    }

    /// A field that is needed.
    pub(super) fn missing(&mut self, field: &'static str) {
        self.fault(field, FaultOf::Missing, "the configuration needs it, or another name for it");
    }
}

fn fault(field: &'static str, of: FaultOf, detail: impl Into<String>) -> ShapeFault {
    ShapeFault { field, of, detail: detail.into() }
}
