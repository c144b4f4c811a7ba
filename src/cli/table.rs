//! Figures and tables for people: thousands apart, numbers to the right, every digit there.

use std::fmt::{self, Write as _};

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::catalog::money::{Money, Quantity};

/// Text that grows piece by piece.
pub(super) trait Page {
    /// Writes on.
    fn add(&mut self, text: impl fmt::Display);
}

impl Page for String {
    fn add(&mut self, text: impl fmt::Display) {
        let _ = write!(self, "{text}"); // a string takes everything
    }
}

/// Where a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Draws rows under a header, each line ended.
pub(super) fn draw<const N: usize>(
    columns: [Column; N],
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_header(header);
    table.add_rows(rows);
    for (at, column) in columns.into_iter().enumerate() {
        if let (Column::Right, Some(drawn)) = (column, table.column_mut(at)) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

/// `1234567.891` as `1,234,567.891`.
pub(super) fn grouped(number: &str) -> String {
    let (sign, digits) = match number.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", number),
    };
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

/// An amount.
pub(super) fn amount(money: Money) -> String {
    grouped(&money.to_string())
}

/// A change, with its sign.
pub(super) fn signed(money: Money) -> String {
    let sign = if money > Money::ZERO { "+" } else { "" };
    format!("{sign}{}", amount(money))
}

/// What a price is for: `token`, `1M tokens`, `3,600 seconds`.
pub(super) fn per(per: Quantity, unit: &str) -> String {
    let unit = plain(unit);
    match per.to_string().as_str() {
        "1" => unit,
        "1000" => format!("1K {}", plural(&unit)),
        "1000000" => format!("1M {}", plural(&unit)),
        other => counted(other, &unit),
    }
}

/// `1 token`, `1,200 tokens`
pub(super) fn counted(count: &str, unit: &str) -> String {
    let unit = plain(unit);
    let unit = if count == "1" { unit } else { plural(&unit) };
    format!("{} {unit}", grouped(count))
}

fn plural(unit: &str) -> String {
    let ending = if unit.ends_with("ch") || unit.ends_with('s') || unit.ends_with('x') { "es" } else { "s" };
    format!("{unit}{ending}")
}

/// The name of a group; items without the tag are grouped under nothing.
pub(super) fn group(name: &str) -> String {
    if name.is_empty() { "(no tag)".to_owned() } else { plain(name) }
}

/// Text of others on one line, with nothing in it that a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) { ' ' } else { c }).collect()
}

/// Control characters, and those that turn the direction of writing round.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_and_fractions_do_not() {
        for (number, shown) in [
            ("0.00", "0.00"),
            ("999", "999"),
            ("1000", "1,000"),
            ("-123456.7891", "-123,456.7891"),
            ("1234567", "1,234,567"),
        ] {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn a_price_says_what_it_is_for() {
        let per = |count: u64, unit| per(Quantity::from(count), unit);
        assert_eq!(per(1, "search"), "search");
        assert_eq!(per(1000, "search"), "1K searches");
        assert_eq!(per(1_000_000, "token"), "1M tokens");
        assert_eq!(per(3600, "second"), "3,600 seconds");
    }

    #[test]
    fn a_terminal_is_given_nothing_to_obey() {
        assert_eq!(plain("a\u{1b}[31m\nb\u{202e}c"), "a [31m b c");
    }

    #[test]
    fn a_table_has_its_numbers_on_the_right() {
        let rows = [["a".into(), "1".into()], ["bc".into(), "1,000".into()]];
        insta::assert_snapshot!(draw([Column::Left, Column::Right], ["what", "count"], rows), @r#"
         what   count
        ──────────────
         a          1
         bc     1,000
        "#);
    }
}
