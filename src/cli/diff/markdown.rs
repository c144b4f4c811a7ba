//! A comparison as Markdown, fit for a comment on a pull request.

use super::words;
use crate::{
    cli::table::Page as _,
    estimate::diff::{Diff, WarningDiff},
};

/// The page.
pub(super) fn of(diff: &Diff) -> String {
    let mut page = format!("### Cost: {}\n", words::total(diff));
    if let Some(list_total) = &diff.list_total {
        let movement = words::movement(list_total, diff.currency.as_str());
        page.add(format_args!("\nBefore adjustments: {movement}\n"));
    }
    if let Some(sentence) = words::verdict(diff) {
        page.add(format_args!("\n**{sentence}**\n"));
    }
    for item in &diff.items {
        page.add(format_args!("\n**{}**\n\n", escaped(&words::heading(item))));
        page.add(table(words::HEADER, words::rows(item)));
        page.add(warnings(&item.warnings));
    }
    if !diff.groups.is_empty() {
        page.add(format_args!(
            "\n**groups**\n\n{}",
            table(["", "before", "after", "change", "", ""], words::groups(diff))
        ));
    }
    page.add(warnings(&diff.warnings));
    if let Some(sentence) = words::rest(diff) {
        page.add(format_args!("\n{sentence}\n"));
    }
    let (before, after) = (words::side(&diff.before), words::side(&diff.after));
    page.add(format_args!("\n<sub>Before: {}. After: {}.</sub>\n", escaped(&before), escaped(&after)));
    page
}

fn table(header: [&str; 6], rows: impl IntoIterator<Item = [String; 6]>) -> String {
    let mut table = format!("| {} |\n|---|---:|---:|---:|---:|---|\n", header.join(" | "));
    for row in rows {
        table.add(format_args!("| {} |\n", row.map(|cell| escaped(&cell)).join(" | ")));
    }
    table
}

fn warnings(warnings: &[WarningDiff]) -> String {
    let mut list = String::new();
    for (at, warning) in warnings.iter().enumerate() {
        let space_before = if at == 0 { "\n" } else { "" };
        list.add(format_args!("{space_before}- warning {}\n", escaped(&words::warning(warning))));
    }
    list
}

/// Text of others as Markdown that says just that: no markup, no table cell more, nobody called.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '&' => escaped += "&amp;",
            '@' => escaped += "@\u{200b}", // a mention that is none
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(escaped("a|b <img> @all *x*"), "a\\|b &lt;img> @\u{200b}all \\*x\\*");
    }
}
