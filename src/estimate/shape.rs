//! Reading JSON into a typed request, and saying what is wrong with its shape, and where.
//!
//! [`read`] answers a value or the first fault. serde knows a fault only as a sentence, so this is the one
//! place that takes serde's sentences apart.

use std::fmt::Display;

use serde::{Deserialize, de::IgnoredAny};
use serde_path_to_error::{Path, Segment};

use super::{
    fault::{Fault, FaultKind, pointer as child},
    training::stage::Precision,
};
use crate::catalog::names::near;

/// Why a text could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapeError {
    /// It is not JSON at all; the sentence says why.
    NotJson(String),
    /// It is JSON of another shape.
    Fault(Fault),
}

/// Reads a JSON text. `base` is where the text stands in the whole request (`/items/3`), or empty.
///
/// A text that can be read is read once and without noting paths; only a faulty one is read again to find
/// out where.
///
/// # Errors
/// When it is not JSON, or not of the shape of `T`.
pub fn read<'de, T: Deserialize<'de>>(json: &'de [u8], base: &str) -> Result<T, ShapeError> {
    serde_json::from_slice(json).or_else(|_| read_noting_paths(json, base))
}

#[cold]
fn read_noting_paths<'de, T: Deserialize<'de>>(json: &'de [u8], base: &str) -> Result<T, ShapeError> {
    let not_json = |reason: &dyn Display| ShapeError::NotJson(reason.to_string());
    std::str::from_utf8(json).map_err(|_| not_json(&"not UTF-8"))?;
    serde_json::from_slice::<IgnoredAny>(json).map_err(|error| not_json(&sentence_of(&error)))?;
    let mut text = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut text).map_err(|error| {
        let pointer = format!("{base}{}", pointer_of(error.path()));
        ShapeError::Fault(fault_of(error.inner(), &pointer))
    })
}

/// A path as a JSON Pointer (RFC 6901).
#[must_use]
pub fn pointer_of(path: &Path) -> String {
    path.iter().fold(String::new(), |base, segment| match segment {
        Segment::Seq { index } => format!("{base}/{index}"),
        Segment::Map { key } => child(&base, key),
        Segment::Enum { variant } => child(&base, variant),
        Segment::Unknown => base,
    })
}

/// What serde says is wrong at a place, as a fault.
///
/// A missing field is reported where it would stand, a field given twice where it stands.
#[must_use]
pub fn fault_of(error: &serde_json::Error, pointer: &str) -> Fault {
    let sentence = sentence_of(error);
    match kind_of(&sentence) {
        Kind::Of(kind) => Fault::new(pointer, kind),
        Kind::OfMember(name, kind) => Fault::new(child(pointer, &name), kind),
        Kind::OfValue(name, kind) => {
            // The path to an unknown variant ends in its name, which is no member.
            let place = pointer.strip_suffix(&child("", &name)).unwrap_or(pointer);
            Fault::new(place, kind)
        }
    }
}

/// An error for `Deserialize` implementations that [`fault_of`] reports as `out_of_range`.
pub fn out_of_range<E: serde::de::Error>(detail: impl Display) -> E {
    E::custom(format_args!("{OUT_OF_RANGE}{detail}"))
}

const OUT_OF_RANGE: &str = "out of range: ";

/// An error for `Deserialize` implementations that [`fault_of`] reports as `unknown_precision`.
#[must_use]
pub fn unknown_precision<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("{UNKNOWN_PRECISION}{name}"))
}

const UNKNOWN_PRECISION: &str = "unknown precision: ";

/// The error's sentence without serde's " at line 1 column 2".
#[must_use]
pub fn sentence_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&place) {
        Some(sentence) => sentence.to_owned(),
        None => text,
    }
}

/// What is wrong, and where in relation to the path that serde noted.
enum Kind {
    /// At the end of the path.
    Of(FaultKind),
    /// At a member of what the path leads to.
    OfMember(String, FaultKind),
    /// At what the path leads to, which may or may not end in the value itself.
    OfValue(String, FaultKind),
}

fn kind_of(sentence: &str) -> Kind {
    if let Some(name) = quoted_after(sentence, "missing field `") {
        let name = name.to_owned();
        return Kind::OfMember(name.clone(), FaultKind::MissingField { name });
    }
    if let Some(name) = quoted_after(sentence, "duplicate field `") {
        let detail = format!("`{name}` is given twice");
        return Kind::OfMember(name.to_owned(), FaultKind::Contradiction { detail });
    }
    if let Some((name, known)) = unknown(sentence, "unknown field `") {
        let near = near(name, known.split('`').skip(1).step_by(2));
        let name = name.to_owned();
        return Kind::Of(FaultKind::UnknownField { name, near });
    }
    if let Some((name, known)) = unknown(sentence, "unknown variant `") {
        let known = known.strip_prefix("one of ").unwrap_or(known);
        let detail = format!("must be one of {known}, got `{}`", cut(name));
        return Kind::OfValue(name.to_owned(), FaultKind::out_of_range(detail));
    }
    Kind::Of(kind_of_value(sentence))
}

fn kind_of_value(sentence: &str) -> FaultKind {
    if let Some(detail) = sentence.strip_prefix(OUT_OF_RANGE) {
        return FaultKind::out_of_range(detail);
    }
    if let Some(name) = sentence.strip_prefix(UNKNOWN_PRECISION) {
        let known = Precision::ALL.map(Precision::name);
        let near = near(name, known.into_iter());
        return FaultKind::UnknownPrecision { name: name.to_owned(), known: known.join(", "), near };
    }
    if let Some((got, expected)) = got_and_expected(sentence, "invalid type: ") {
        return FaultKind::wrong_type(must_be(expected, got));
    }
    if let Some((got, expected)) = got_and_expected(sentence, "invalid value: ") {
        let is_number = got.starts_with("integer ") || got.starts_with("floating point ");
        let detail = must_be(expected, got);
        return if is_number { FaultKind::out_of_range(detail) } else { FaultKind::wrong_type(detail) };
    }
    if let Some((got, expected)) = got_and_expected(sentence, "invalid length ") {
        // serde would take an array for an object, if only it were long enough.
        let got = if expected.starts_with("struct ") {
            "sequence".to_owned()
        } else {
            format!("an array of length {got}")
        };
        return FaultKind::wrong_type(must_be(expected, &got));
    }
    match sentence {
        "number out of range" => FaultKind::out_of_range("is too large for a number"),
        "recursion limit exceeded" => FaultKind::out_of_range("is nested too deeply"),
        other => FaultKind::wrong_type(other),
    }
}

/// The name between backticks that ends a sentence.
fn quoted_after<'s>(sentence: &'s str, start: &str) -> Option<&'s str> {
    sentence.strip_prefix(start)?.strip_suffix('`')
}

/// The name and the list of what would have been known. The name is the asker's, and may hold anything.
fn unknown<'s>(sentence: &'s str, start: &str) -> Option<(&'s str, &'s str)> {
    let rest = sentence.strip_prefix(start)?;
    rest.rsplit_once("`, expected ").or_else(|| rest.rsplit_once("`, "))
}

fn got_and_expected<'s>(sentence: &'s str, start: &str) -> Option<(&'s str, &'s str)> {
    sentence.strip_prefix(start)?.rsplit_once(", expected ")
}

fn must_be(expected: &str, got: &str) -> String {
    format!("must be {}, got {}", in_json(expected), value_in_json(got))
}

/// What serde expected, in the words of JSON rather than Rust.
fn in_json(expected: &str) -> String {
    macro_rules! whole_numbers {
        ($($int:ident)+) => {
            match expected {
                $(stringify!($int) => {
                    return format!("a whole number from {} to {}", $int::MIN, $int::MAX);
                })+
                _ => {}
            }
        };
    }
    whole_numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    if let Some(length) = expected.strip_prefix("a tuple of size ") {
        return format!("an array of length {length}");
    }
    let first_word = expected.split(' ').next().unwrap_or_default();
    match (expected, first_word) {
        ("f32" | "f64", _) => "a number",
        ("a map", _) | (_, "struct" | "map") => "an object",
        ("a sequence", _) | (_, "tuple" | "sequence") => "an array",
        ("unit", _) => "null",
        (_, "enum") => "one of the known names",
        _ => expected,
    }
    .to_owned()
}

/// What serde got, in the words of JSON.
fn value_in_json(got: &str) -> String {
    match got {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "unit value" => "null".to_owned(),
        other => {
            let literal = ["string ", "integer ", "floating point ", "boolean "]
                .into_iter()
                .find_map(|start| other.strip_prefix(start))
                .unwrap_or(other);
            cut(literal.trim_matches('`'))
        }
    }
}

/// The start of what somebody sent: an answer must not repeat a megabyte.
pub(crate) fn cut(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    format!("{start}...")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their shapes matter here")]
    struct Request {
        name: String,
        count: Option<u32>,
        ratio: Option<f64>,
        #[serde(default)]
        stages: Vec<Stage>,
        pair: Option<(u8, u8)>,
        size: Option<Size>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only their shapes matter here")]
    struct Stage {
        tokens: u64,
        sequence_length: Option<u64>,
        scope: Option<Scope>,
        #[serde(rename = "a/b~c")]
        odd: Option<bool>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Scope {
        PerCall,
        Total,
    }

    #[derive(Debug)]
    struct Size;

    impl<'de> Deserialize<'de> for Size {
        fn deserialize<D: serde::Deserializer<'de>>(text: D) -> Result<Self, D::Error> {
            let size = f64::deserialize(text)?;
            Err(out_of_range(format_args!("must be in (0, 1], got {size}")))
        }
    }

    fn error(json: &str) -> ShapeError {
        read::<Request>(json.as_bytes(), "/items/2").unwrap_err()
    }

    /// Pointer and sentence, without the base.
    fn fault(json: &str) -> (String, String) {
        let ShapeError::Fault(fault) = error(json) else {
            panic!("{json} is not JSON");
        };
        let place = fault.pointer.strip_prefix("/items/2").unwrap().to_owned();
        (place, fault.kind.to_string())
    }

    fn kind(json: &str) -> FaultKind {
        let ShapeError::Fault(fault) = error(json) else {
            panic!("{json} is not JSON");
        };
        fault.kind
    }

    #[track_caller]
    fn is(json: &str, pointer: &str, sentence: &str) {
        assert_eq!(fault(json), (pointer.to_owned(), sentence.to_owned()));
    }

    #[test]
    fn what_fits_is_read() {
        let json = br#"{"name":"a","stages":[{"tokens":1,"scope":"per_call"}]}"#;
        let request: Request = read(json, "").unwrap();
        assert_eq!((request.name.as_str(), request.stages.len()), ("a", 1));
    }

    #[test]
    fn an_unknown_field_is_named_with_its_place() {
        is(
            r#"{"name":"a","stages":[{"tokens":1},{"tokens":1,"sequence_lenght":2}]}"#,
            "/stages/1/sequence_lenght",
            "there is no field called `sequence_lenght` here",
        );
    }

    #[test]
    fn an_unknown_field_comes_with_the_names_that_are_near() {
        let FaultKind::UnknownField { near, .. } = kind(r#"{"name":"a","cuont":1}"#) else {
            panic!("another fault");
        };
        assert_eq!(near, ["count"]);
    }

    #[test]
    fn an_unknown_field_may_be_called_anything() {
        let json = r#"{"name":"a","x`, expected `name":1}"#;
        let FaultKind::UnknownField { name, .. } = kind(json) else {
            panic!("another fault");
        };
        assert_eq!(name, "x`, expected `name");
    }

    #[test]
    fn a_missing_field_is_pointed_at_where_it_would_stand() {
        is(r#"{"count":1}"#, "/name", "`name` is missing");
        is(r#"{"name":"a","stages":[{"tokens":1},{}]}"#, "/stages/1/tokens", "`tokens` is missing");
    }

    #[test]
    fn a_field_given_twice_is_a_contradiction() {
        let json = r#"{"name":"a","stages":[{"tokens":1,"tokens":2}]}"#;
        is(json, "/stages/0/tokens", "`tokens` is given twice");
        assert!(matches!(kind(json), FaultKind::Contradiction { .. }));
    }

    #[test]
    fn a_wrong_type_is_told_in_the_words_of_json() {
        is(r#"{"name":7}"#, "/name", "must be a string, got 7");
        is(r#"{"name":null}"#, "/name", "must be a string, got null");
        is(r#"{"name":"a","ratio":"half"}"#, "/ratio", "must be a number, got \"half\"");
        is(r#"{"name":"a","stages":{}}"#, "/stages", "must be an array, got an object");
        is(r#"{"name":"a","stages":[3]}"#, "/stages/0", "must be an object, got 3");
        is("[]", "", "must be an object, got an array");
        is(r#""text""#, "", "must be an object, got \"text\"");
    }

    #[test]
    fn a_fraction_is_no_whole_number() {
        let json = r#"{"name":"a","count":1.5}"#;
        is(json, "/count", "must be a whole number from 0 to 4294967295, got 1.5");
        assert!(matches!(kind(json), FaultKind::WrongType { .. }));
    }

    #[test]
    fn a_number_that_does_not_fit_is_out_of_range() {
        for count in ["-1", "4294967296"] {
            let json = format!(r#"{{"name":"a","count":{count}}}"#);
            let sentence = format!("must be a whole number from 0 to 4294967295, got {count}");
            is(&json, "/count", &sentence);
            assert!(matches!(kind(&json), FaultKind::OutOfRange { .. }));
        }
    }

    #[test]
    fn a_number_larger_than_any_float_is_out_of_range() {
        let json = r#"{"name":"a","ratio":1e999}"#;
        is(json, "/ratio", "is too large for a number");
        assert!(matches!(kind(json), FaultKind::OutOfRange { .. }));
    }

    #[test]
    fn a_type_of_ours_says_itself_what_is_out_of_range() {
        let json = r#"{"name":"a","size":1.7}"#;
        is(json, "/size", "must be in (0, 1], got 1.7");
        assert!(matches!(kind(json), FaultKind::OutOfRange { .. }));
    }

    #[test]
    fn an_unknown_value_of_an_enumeration_comes_with_the_known_ones() {
        is(
            r#"{"name":"a","stages":[{"tokens":1,"scope":"all"}]}"#,
            "/stages/0/scope",
            "must be one of `per_call` or `total`, got `all`",
        );
    }

    #[test]
    fn places_in_arrays_of_arrays_are_counted() {
        let ShapeError::Fault(fault) = read::<Vec<Vec<u8>>>(b"[[1],[2,300]]", "").unwrap_err() else {
            panic!("not JSON");
        };
        assert_eq!(fault.pointer, "/1/1");
    }

    #[test]
    fn a_pointer_escapes_slash_and_tilde() {
        let json = r#"{"name":"a","stages":[{"tokens":1,"a/b~c":1}]}"#;
        assert_eq!(fault(json).0, "/stages/0/a~1b~0c");
    }

    #[test]
    fn a_tuple_of_another_length_is_the_wrong_type() {
        is(r#"{"name":"a","pair":[1]}"#, "/pair", "must be an array of length 2, got an array of length 1");
    }

    #[test]
    fn a_text_that_is_not_json_is_told_apart_whatever_comes_first() {
        for text in ["", "{", "nonsense", r#"{"name":"a"} x"#, r#"{"wrong":1,"#] {
            assert!(matches!(error(text), ShapeError::NotJson(_)), "{text}");
        }
        assert_eq!(
            read::<Request>(b"{\"name\":\"\xff\"}", "").unwrap_err(),
            ShapeError::NotJson("not UTF-8".to_owned())
        );
    }

    #[test]
    fn no_sentence_counts_lines_and_columns() {
        let ShapeError::NotJson(sentence) = error("{\n\"name\": }") else {
            panic!("is JSON");
        };
        assert_eq!(sentence, "expected value");
    }

    #[test]
    fn a_deeply_nested_text_is_refused_and_not_run_out_of_stack() {
        let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let error = read::<serde_json::Value>(json.as_bytes(), "").unwrap_err();
        let ShapeError::Fault(fault) = error else {
            panic!("not JSON");
        };
        assert_eq!(fault.kind.to_string(), "is nested too deeply");
    }

    #[test]
    fn what_somebody_sent_is_repeated_only_in_part() {
        let json = format!(r#"{{"name":"a","ratio":"{}"}}"#, "x".repeat(10_000));
        assert!(fault(&json).1.len() < 200);
    }
}
