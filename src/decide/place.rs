//! Places in a JSON text: what a pointer (RFC 6901) leads to, and the text with something else there.
//!
//! The text is left as its author wrote it: what is not replaced keeps every digit and its order.

use std::{fmt::Write as _, ops::Range};

use serde_json::value::RawValue;

use crate::{
    catalog::names,
    estimate::{fault::FaultKind, request::Fields},
};

/// How deep a place may lie: deeper than any field of a request.
const DEEPEST: usize = 64;

/// A JSON Pointer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads a pointer.
    ///
    /// # Errors
    /// When it is none, or deeper than any request.
    ///
    /// ```
    /// use farthing::decide::place::Pointer;
    /// assert_eq!(Pointer::parse("/items/0/a~1b").unwrap().name(), "a/b");
    /// assert!(Pointer::parse("items/0").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, FaultKind> {
        let wrong =
            |detail: &str| FaultKind::out_of_range(format!("must be a JSON Pointer (RFC 6901): {detail}"));
        let mut parts = text.split('/');
        if parts.next().is_some_and(|before| !before.is_empty()) {
            return Err(wrong("it begins with `/`, as in `/items/0/calls`"));
        }
        let tokens: Option<Vec<String>> = parts.map(unescaped).collect();
        let tokens = tokens.ok_or_else(|| wrong("`~` stands before `0` or `1` only"))?;
        if tokens.len() > DEEPEST {
            return Err(FaultKind::out_of_range("is deeper than any field of a request"));
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The last of its names; empty for the whole text.
    #[must_use]
    pub fn name(&self) -> &str {
        self.tokens.last().map_or("", String::as_str)
    }
}

/// A reference token without escapes (RFC 6901, section 4); none where `~` stands before anything else.
fn unescaped(token: &str) -> Option<String> {
    let plain = token.replace("~1", "/").replace("~0", "~");
    let mut after = token.split('~').skip(1);
    after.all(|rest| rest.starts_with(['0', '1'])).then_some(plain)
}

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands<'t> {
    /// A value, as it is written.
    Value(&'t str),
    /// Nothing yet, in an object that is there.
    Nothing,
}

/// A place in a text.
#[derive(Debug, Clone)]
pub struct Place<'t> {
    /// What stands there.
    pub stands: Stands<'t>,
    pointer: Pointer,
    at: Range<usize>,
    /// Whether the object that a field is added to has others.
    among_others: bool,
}

/// Finds a place. The last name of the pointer may be a field that an object does not have yet.
///
/// # Errors
/// When the pointer leads nowhere; with names that are near the one that is not there.
pub fn find<'t>(text: &'t str, pointer: &Pointer) -> Result<Place<'t>, FaultKind> {
    let place = |stands, at, among_others| Place { stands, pointer: pointer.clone(), at, among_others };
    let mut here = text.trim();
    for (depth, token) in pointer.tokens.iter().enumerate() {
        let is_last = depth + 1 == pointer.tokens.len();
        match child(here, token) {
            Child::Value(value) => here = value,
            Child::Absent(names) if is_last => {
                let inside = offset(text, here) + 1;
                return Ok(place(Stands::Nothing, inside..inside, !names.is_empty()));
            }
            Child::Absent(known) => {
                let near = names::near(token, known.iter().map(String::as_str));
                return Err(FaultKind::UnknownField { name: token.clone(), near });
            }
            Child::None => return Err(FaultKind::UnknownField { name: token.clone(), near: Vec::new() }),
        }
    }
    let start = offset(text, here);
    Ok(place(Stands::Value(here), start..start + here.len(), false))
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr().saturating_sub(text.as_ptr().addr())
}

/// What a value holds under a name.
enum Child<'t> {
    Value(&'t str),
    /// It is an object with these names.
    Absent(Vec<String>),
    /// It is a list without such a place, or holds nothing.
    None,
}

fn child<'t>(value: &'t str, token: &str) -> Child<'t> {
    if value.starts_with('{')
        && let Ok(Fields(fields)) = serde_json::from_str::<Fields<'t>>(value)
    {
        return match fields.iter().find(|(name, _)| name == token) {
            Some((_, raw)) => Child::Value(raw.get()),
            None => Child::Absent(fields.into_iter().map(|(name, _)| name.into_owned()).collect()),
        };
    }
    let is_index = token == "0" || !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit());
    if value.starts_with('[')
        && is_index
        && let Ok(at) = token.parse::<usize>()
        && let Ok(list) = serde_json::from_str::<Vec<&'t RawValue>>(value)
    {
        return list.get(at).map_or(Child::None, |raw| Child::Value(raw.get()));
    }
    Child::None
}

/// How the number at a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// As a number, or not yet at all.
    Number,
    /// As a decimal string: money.
    Text,
}

impl Place<'_> {
    /// How a number is written here.
    ///
    /// # Errors
    /// When something else stands here.
    pub fn spelling(&self) -> Result<Spelling, FaultKind> {
        let what = match self.stands {
            Stands::Nothing | Stands::Value("null") => return Ok(Spelling::Number),
            Stands::Value(value) => match value.as_bytes().first() {
                Some(b'0'..=b'9' | b'-') => return Ok(Spelling::Number),
                Some(b'"') if crate::catalog::money::parse_decimal(value.trim_matches('"')).is_ok() => {
                    return Ok(Spelling::Text);
                }
                Some(b'"') => "a text that is no number",
                Some(b'{') => "an object",
                Some(b'[') => "a list",
                _ => "true or false",
            },
        };
        Err(FaultKind::wrong_type(format!("must lead to a number, and `{}` is {what}", self.pointer.text)))
    }
}

/// A text with open places.
#[derive(Debug)]
pub struct Template {
    /// What stands before each hole and after the last.
    pieces: Vec<String>,
    /// The place that each hole is, in the order of the text.
    holes: Vec<usize>,
}

impl Template {
    /// Opens places of a text.
    ///
    /// # Errors
    /// When one lies in another: the index of the one.
    pub fn new(text: &str, places: &[Place<'_>]) -> Result<Self, usize> {
        let twice = |hole: &usize| {
            places[..*hole].iter().any(|other| other.pointer.tokens == places[*hole].pointer.tokens)
        };
        if let Some(hole) = (0..places.len()).find(twice) {
            return Err(hole);
        }
        let mut holes: Vec<usize> = (0..places.len()).collect();
        holes.sort_by_key(|hole| (places[*hole].at.start, places[*hole].at.end));
        let (mut pieces, mut after, mut end) = (Vec::with_capacity(holes.len() + 1), String::new(), 0);
        for (nth, &hole) in holes.iter().enumerate() {
            let place = &places[hole];
            let mut piece = std::mem::take(&mut after);
            piece.push_str(text.get(end..place.at.start).ok_or(hole)?);
            if place.stands == Stands::Nothing {
                // A string always serialises.
                let name = serde_json::to_string(place.pointer.name()).map_err(|_| hole)?;
                write!(piece, "{name}:").map_err(|_| hole)?;
                let next = holes.get(nth + 1).map(|next| &places[*next]);
                let goes_on = place.among_others || next.is_some_and(|next| next.at == place.at);
                after.push_str(if goes_on { "," } else { "" });
            }
            pieces.push(piece);
            end = place.at.end;
        }
        after.push_str(text.get(end..).unwrap_or_default());
        pieces.push(after);
        Ok(Self { pieces, holes })
    }

    /// Writes the text with these values, in the order in which the places were given.
    pub fn fill(&self, values: &[&str], out: &mut Vec<u8>) {
        out.clear();
        let mut pieces = self.pieces.iter();
        for (hole, piece) in self.holes.iter().zip(&mut pieces) {
            out.extend_from_slice(piece.as_bytes());
            out.extend_from_slice(values.get(*hole).map_or(b"null", |value| value.as_bytes()));
        }
        for piece in pieces {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &str =
        r#" {"model": "gpt-4o", "items": [{"calls": 1e3, "price": "2.00", "none": {}}, 7], "a/b": null} "#;

    fn pointer(text: &str) -> Pointer {
        Pointer::parse(text).unwrap()
    }

    /// The text with values at places.
    fn with(values: &[(&str, &str)]) -> Value {
        let places: Vec<Place<'_>> = values.iter().map(|(at, _)| find(TEXT, &pointer(at)).unwrap()).collect();
        let template = Template::new(TEXT, &places).unwrap();
        let mut out = Vec::new();
        template.fill(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>(), &mut out);
        serde_json::from_slice(&out)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&out)))
    }

    #[test]
    fn a_value_is_replaced_and_the_rest_keeps_its_spelling() {
        let place = find(TEXT, &pointer("/items/0/calls")).unwrap();
        assert_eq!(place.stands, Stands::Value("1e3"));
        let mut out = Vec::new();
        Template::new(TEXT, &[place]).unwrap().fill(&["12"], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), TEXT.replace("1e3", "12"));
    }

    #[test]
    fn fields_that_are_not_there_are_added_to_an_object_that_is() {
        let all =
            with(&[("/items/0/none/b", "2"), ("/calls", "3"), ("/items/0/none/a", "1"), ("/a~1b", "4")]);
        assert_eq!(all["items"][0]["none"], json!({"a": 1, "b": 2}));
        assert_eq!((&all["calls"], &all["a/b"], &all["model"]), (&json!(3), &json!(4), &json!("gpt-4o")));
        assert_eq!(with(&[("/x\"y", "1")])["x\"y"], json!(1));
    }

    #[test]
    fn what_leads_nowhere_is_told_with_names_that_are_near() {
        let nowhere = |text: &str| find(TEXT, &pointer(text)).unwrap_err();
        let unknown = |name: &str, near: &[&str]| FaultKind::UnknownField {
            name: name.to_owned(),
            near: near.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert_eq!(nowhere("/itms/0/calls"), unknown("itms", &["items"]));
        assert_eq!(nowhere("/items/2"), unknown("2", &[]));
        assert_eq!(nowhere("/items/00/calls"), unknown("00", &[]));
        assert_eq!(nowhere("/items/-"), unknown("-", &[]));
        assert_eq!(nowhere("/model/x"), unknown("x", &[]));
    }

    #[test]
    fn only_a_number_or_money_or_nothing_is_a_number() {
        let spelling = |text: &str| find(TEXT, &pointer(text)).unwrap().spelling();
        assert_eq!(spelling("/items/0/calls"), Ok(Spelling::Number));
        assert_eq!(spelling("/items/0/price"), Ok(Spelling::Text));
        assert_eq!((spelling("/a~1b"), spelling("/new")), (Ok(Spelling::Number), Ok(Spelling::Number)));
        for other in ["", "/model", "/items", "/items/0"] {
            assert!(matches!(spelling(other), Err(FaultKind::WrongType { .. })), "{other}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for wrong in ["calls", "/a~2", "/a~", &"/0".repeat(65)] {
            assert!(Pointer::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_in_another_is_refused() {
        let open = |a: &str, b: &str| {
            let places = [find(TEXT, &pointer(a)).unwrap(), find(TEXT, &pointer(b)).unwrap()];
            Template::new(TEXT, &places).err()
        };
        assert_eq!(open("/items/0", "/items/0/calls"), Some(1));
        assert_eq!(open("/items/0/none", "/items"), Some(0));
        assert_eq!(open("/calls", "/calls"), Some(1));
        assert_eq!(open("/model", "/model"), Some(1));
        assert_eq!(open("/model", "/calls"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_found_is_what_the_pointer_leads_to(text in "(/(items|model|calls|a~1b|0|1|none|price)){0,4}") {
            let known: Value = serde_json::from_str(TEXT).unwrap();
            let found = find(TEXT, &pointer(&text));
            match known.pointer(&text) {
                Some(value) => {
                    let Stands::Value(raw) = found.unwrap().stands else { panic!("nothing at {text}") };
                    prop_assert_eq!(&serde_json::from_str::<Value>(raw).unwrap(), value);
                }
                None => prop_assert!(found.is_err() || found.unwrap().stands == Stands::Nothing),
            }
        }
    }
}
