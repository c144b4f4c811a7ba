//! A comparison as a page for a terminal.

use super::words;
use crate::{
    cli::table::{Column, draw},
    estimate::diff::{Diff, WarningDiff},
};

const COLUMNS: [Column; 6] =
    [Column::Left, Column::Right, Column::Right, Column::Right, Column::Right, Column::Left];

/// The page.
pub(super) fn of(diff: &Diff) -> String {
    let mut page = format!("Total: {}\n", words::total(diff));
    if let Some(list_total) = &diff.list_total {
        page += &format!("Before adjustments: {}\n", words::movement(list_total, diff.currency.as_str()));
    }
    page += &format!("before: {}\n", words::side(&diff.before));
    page += &format!("after:  {}\n", words::side(&diff.after));
    for item in &diff.items {
        page += &format!("\n{}\n\n", words::heading(item));
        page += &draw(COLUMNS, words::HEADER, words::rows(item));
        page += &warnings(&item.warnings);
    }
    if !diff.groups.is_empty() {
        page += &format!(
            "\ngroups\n\n{}",
            draw(COLUMNS, ["", "before", "after", "change", "", ""], words::groups(diff))
        );
    }
    page += &warnings(&diff.warnings);
    let verdict =
        words::exceeded(diff).map(|sentence| format!("{sentence}.")).or_else(|| words::within(diff));
    for sentence in [words::rest(diff), verdict].into_iter().flatten() {
        page += &format!("\n{sentence}\n");
    }
    page
}

fn warnings(warnings: &[WarningDiff]) -> String {
    warnings.iter().map(|warning| format!("  warning {}\n", words::warning(warning))).collect()
}
