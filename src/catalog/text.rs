//! The one spelling of a row as text: keys in their order, `", "` and `": "` between the parts.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A row as one line of its file, without the line break.
///
/// # Errors
/// When the value is not one that JSON can hold; rows of the catalog always are.
///
/// ```
/// use farthing::catalog::text::to_line;
/// let row = serde_json::json!({"gpu": "h100", "memory_gb": 80.0});
/// assert_eq!(to_line(&row).unwrap(), r#"{"gpu": "h100", "memory_gb": 80}"#);
/// ```
pub fn to_line(row: &impl Serialize) -> serde_json::Result<String> {
    let mut line = Vec::with_capacity(256);
    row.serialize(&mut Serializer::with_formatter(&mut line, OneLine))?;
    String::from_utf8(line).map_err(serde::ser::Error::custom)
}

/// JSON on one line with a space after commas and colons, and whole numbers without a point.
struct OneLine;

impl Formatter for OneLine {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        separate(w, first)
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        separate(w, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, w: &mut W, value: f64) -> io::Result<()> {
        write!(w, "{value}")
    }
}

fn separate<W: ?Sized + io::Write>(w: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { w.write_all(b", ") }
}
