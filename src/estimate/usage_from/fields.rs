//! Walking a response: places in it by name, counts with their faults, and what nobody asked for.
//!
//! A stream is an array of events, each with some of the fields. [`Place`] lays them over one another,
//! so that a name means the last event that says something about it, and still knows where it stood.

use std::collections::HashSet;

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

use super::Reported;
use crate::{
    catalog::{money::Currency, rate_card::ContextKey, time::to_milliseconds},
    estimate::fault::{Fault, FaultKind, pointer},
};

/// The largest count that is taken.
const MOST: u64 = 1_000_000_000_000_000;

/// Something at a name, in every layer that has it; the last layer counts.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// Where it stands, or would stand if there were anything.
    pub(super) pointer: String,
    layers: Vec<(String, &'a Value)>,
}

impl<'a> Place<'a> {
    /// The response as a whole; an array is a stream of events.
    pub(super) fn root(response: &'a Value) -> Self {
        let layers = match response {
            Value::Array(events) => {
                (0..).zip(events).map(|(at, event): (usize, _)| (format!("/{at}"), event)).collect()
            }
            whole => vec![(String::new(), whole)],
        };
        Self { pointer: String::new(), layers }
    }

    /// What stands under a name; null is nothing.
    pub(super) fn get(&self, name: &str) -> Self {
        let layers: Vec<_> = self
            .layers
            .iter()
            .filter_map(|(at, value)| Some((pointer(at, name), value.get(name)?)))
            .filter(|(_, value)| !value.is_null())
            .collect();
        let pointer = layers.last().map_or_else(|| pointer(&self.pointer, name), |(at, _)| at.clone());
        Self { pointer, layers }
    }

    /// What stands under the first of these names that is there.
    pub(super) fn first(&self, names: &[&str]) -> Self {
        names
            .iter()
            .map(|name| self.get(name))
            .find(Self::exists)
            .unwrap_or_else(|| self.get(names.first().unwrap_or(&"")))
    }

    /// What stands under a name in camel case, or in the snake case of Python libraries.
    pub(super) fn spelled(&self, camel: &str) -> Self {
        let mut snake = String::with_capacity(camel.len() + 4);
        for letter in camel.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        self.first(&[camel, &snake])
    }

    /// Whether anything is there.
    pub(super) fn exists(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Whether one of these names is there.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.get(name).exists())
    }

    /// The text that counts, if it is a text.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value()?.as_str()
    }

    /// Whether some layer is one of these texts.
    pub(super) fn is_any_of(&self, texts: &[&str]) -> bool {
        let mut layers = self.layers.iter();
        layers.any(|(_, value)| value.as_str().is_some_and(|text| texts.contains(&text)))
    }

    /// The elements of the array that counts.
    pub(super) fn elements(&self) -> Vec<Self> {
        let Some((at, Value::Array(elements))) = self.layers.last() else {
            return Vec::new();
        };
        (0..)
            .zip(elements)
            .map(|(index, element): (usize, _)| Self {
                pointer: format!("{at}/{index}"),
                layers: vec![(format!("{at}/{index}"), element)],
            })
            .collect()
    }

    /// The layers one by one, each replaced by what is inside its wrapper, and laid over one another again.
    pub(super) fn unwrapped(&self, unwrap: impl Fn(Self) -> Self) -> Self {
        let layers = self.each().flat_map(|layer| unwrap(layer).layers).collect();
        let pointer = match self.layers.as_slice() {
            [_] => self.each().map(unwrap).map(|inner| inner.pointer).collect(),
            _ => self.pointer.clone(),
        };
        Self { pointer, layers }
    }

    /// The layers one by one.
    pub(super) fn each(&self) -> impl Iterator<Item = Self> {
        self.layers.iter().map(|(at, value)| Self { pointer: at.clone(), layers: vec![(at.clone(), *value)] })
    }

    pub(super) fn value(&self) -> Option<&'a Value> {
        self.layers.last().map(|(_, value)| *value)
    }
}

/// What has been read so far, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) reported: Reported,
    faults: Vec<Fault>,
    seen: HashSet<String>,
}

impl Reading {
    /// Notes something wrong.
    pub(super) fn fault(&mut self, place: &Place<'_>, kind: FaultKind) {
        self.faults.push(Fault::new(place.pointer.clone(), kind));
    }

    /// Notes that a field is missing from a place.
    pub(super) fn missing(&mut self, place: &Place<'_>, name: &str) {
        let name = name.to_owned();
        self.fault(place, FaultKind::MissingField { name });
    }

    /// An object inside another; it may be left out.
    pub(super) fn object<'a>(&mut self, place: Place<'a>) -> Place<'a> {
        if place.value().is_some_and(|value| !value.is_object()) {
            self.fault(&place, FaultKind::wrong_type("must be an object"));
        }
        place
    }

    /// A count; nothing is none.
    pub(super) fn count(&mut self, place: &Place<'_>) -> u64 {
        self.seen(place);
        self.checked(place, whole).unwrap_or(0)
    }

    /// A count without which the rest means nothing.
    pub(super) fn required(&mut self, parent: &Place<'_>, name: &str) -> u64 {
        let place = parent.get(name);
        if !place.exists() {
            self.missing(parent, name);
        }
        self.count(&place)
    }

    /// Seconds, to the nearest whole one.
    pub(super) fn seconds(&mut self, place: &Place<'_>) -> u64 {
        self.seen(place);
        self.checked(place, nearest).unwrap_or(0)
    }

    /// A count that a header spells as text.
    pub(super) fn count_in_text(&mut self, place: &Place<'_>) -> u64 {
        self.checked(place, |value| match value.as_str().map(str::parse::<u64>) {
            Some(Ok(count)) if count <= MOST => Ok(count),
            Some(_) => Err(range(value)),
            None => whole(value),
        })
        .unwrap_or(0)
    }

    /// Reports a meter, unless it is zero.
    pub(super) fn meter(&mut self, usage: &Place<'_>, meter: &'static str, count: u64) {
        if count > MOST {
            let detail = format!("`{meter}` must add up to at most 1e15, got {count}");
            self.fault(usage, FaultKind::out_of_range(detail));
        } else if count > 0 {
            self.reported.usage.push((meter, count));
        }
    }

    /// The model's name, as the vendor spells it.
    pub(super) fn model(&mut self, place: &Place<'_>) {
        self.reported.model = self.words(place);
    }

    /// A text that may be left out.
    pub(super) fn words(&mut self, place: &Place<'_>) -> Option<String> {
        let words = self.checked(place, |value| match value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(FaultKind::wrong_type("must be a text")),
        });
        words.filter(|text| !text.is_empty())
    }

    /// Says under what context it was served.
    pub(super) fn context(&mut self, key: ContextKey, value: impl Into<String>) {
        let value = value.into();
        if !key.is_standard(&value) {
            self.reported.context.push((key, value));
        }
    }

    /// The instant, in Unix seconds; some compatible servers fill in 0 for "not known".
    pub(super) fn at_seconds(&mut self, place: &Place<'_>) {
        let instant = self.checked(place, |value| {
            let seconds =
                value.as_f64().ok_or_else(|| FaultKind::wrong_type("must be a time in Unix seconds"))?;
            instant_of(seconds).ok_or_else(|| FaultKind::out_of_range("no such time"))
        });
        self.reported.at = instant.filter(|at| *at != Timestamp::UNIX_EPOCH);
    }

    /// The instant, as text.
    pub(super) fn at_text(&mut self, place: &Place<'_>, parse: impl Fn(&str) -> Option<Timestamp>) {
        let instant = self.checked(place, |value| {
            let instant = value.as_str().and_then(&parse);
            instant.ok_or_else(|| FaultKind::wrong_type("must be a date and time"))
        });
        self.reported.at = instant.map(to_milliseconds);
    }

    /// What the vendor says it costs, in dollars.
    pub(super) fn cost(&mut self, place: &Place<'_>) {
        self.seen(place);
        if let Some(cost) = self.checked(place, amount) {
            self.reported.reported_cost = Some((cost, Currency::USD));
        }
    }

    /// What stands here is known and charges nothing.
    pub(super) fn ignore(&mut self, parent: &Place<'_>, names: &[&str]) {
        for name in names {
            self.seen(&parent.get(name));
        }
    }

    /// Marks a place, with all that it holds, as read.
    pub(super) fn seen(&mut self, place: &Place<'_>) {
        self.seen.extend(place.layers.iter().map(|(at, _)| at.clone()));
    }

    /// Lists the numbers inside that nobody asked for; a name that a stream repeats once.
    pub(super) fn unread(&mut self, usage: &Place<'_>) {
        let mut named = HashSet::new();
        for (at, value) in usage.layers.iter().rev() {
            let mut found = Vec::new();
            self.unread_in(at.clone(), value, &mut found);
            found.retain(|pointer| named.insert(pointer[at.len()..].to_owned()));
            self.reported.unread.append(&mut found);
        }
    }

    fn unread_in(&self, at: String, value: &Value, found: &mut Vec<String>) {
        if self.seen.contains(&at) {
            return;
        }
        match value {
            Value::Number(number) if number.as_f64() != Some(0.0) => found.push(at),
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| self.unread_in(pointer(&at, name), value, found));
            }
            Value::Array(elements) => (0..).zip(elements).for_each(|(index, value): (usize, _)| {
                self.unread_in(format!("{at}/{index}"), value, found);
            }),
            _ => {}
        }
    }

    /// All of it, or all that is wrong with it.
    pub(super) fn finish(self) -> Result<Reported, Vec<Fault>> {
        if self.faults.is_empty() { Ok(self.reported) } else { Err(self.faults) }
    }

    fn checked<T>(&mut self, place: &Place<'_>, read: impl Fn(&Value) -> Result<T, FaultKind>) -> Option<T> {
        match read(place.value()?) {
            Ok(value) => Some(value),
            Err(kind) => {
                self.fault(place, kind);
                None
            }
        }
    }
}

/// A whole number in any of JSON's spellings: `1200`, `1200.0`, `1.2e3`.
fn whole(value: &Value) -> Result<u64, FaultKind> {
    let Value::Number(number) = value else {
        return Err(FaultKind::wrong_type("must be a whole number"));
    };
    number
        .as_u64()
        .or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).and_then(to_count))
        .filter(|count| *count <= MOST)
        .ok_or_else(|| range(value))
}

fn nearest(value: &Value) -> Result<u64, FaultKind> {
    let number = value.as_f64().ok_or_else(|| FaultKind::wrong_type("must be a number of seconds"))?;
    to_count(number).and_then(|_| to_count(number.round())).ok_or_else(|| range(value))
}

fn to_count(number: f64) -> Option<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e15")]
    (0.0..=1e15).contains(&number).then_some(number as u64)
}

fn range(value: &Value) -> FaultKind {
    FaultKind::out_of_range(format!("must be a whole number from 0 to 1e15, got {value}"))
}

fn instant_of(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "within jiff's range or refused")]
    let milliseconds = (-1e15..=1e15).contains(&seconds).then_some((seconds * 1000.0).round() as i64)?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// Money as a JSON number. `f64` prints the digits that were sent, never with an exponent.
fn amount(value: &Value) -> Result<Decimal, FaultKind> {
    let number = value.as_f64().ok_or_else(|| FaultKind::wrong_type("must be an amount of money"))?;
    (0.0..=1e15)
        .contains(&number)
        .then(|| number.to_string().parse::<Decimal>().ok())
        .flatten()
        .map(|amount| amount.normalize())
        .ok_or_else(|| FaultKind::out_of_range(format!("must be from 0 to 1e15, got {value}")))
}
