//! A comparison as a page for a terminal.

use super::words;
use crate::{
    cli::table::{Column, Page as _, draw},
    estimate::diff::{Diff, WarningDiff},
};

const COLUMNS: [Column; 6] =
    [Column::Left, Column::Right, Column::Right, Column::Right, Column::Right, Column::Left];

/// The page.
pub(super) fn of(diff: &Diff) -> String {
    let mut page = format!("Total: {}\n", words::total(diff));
    if let Some(list_total) = &diff.list_total {
        page.add(format_args!(
            "Before adjustments: {}\n",
            words::movement(list_total, diff.currency.as_str())
        ));
    }
    page.add(format_args!("before: {}\n", words::side(&diff.before)));
    page.add(format_args!("after:  {}\n", words::side(&diff.after)));
    for item in &diff.items {
        page.add(format_args!("\n{}\n\n", words::heading(item)));
        page.add(draw(COLUMNS, words::HEADER, words::rows(item)));
        page.add(warnings(&item.warnings));
    }
    if !diff.groups.is_empty() {
        page.add(format_args!(
            "\ngroups\n\n{}",
            draw(COLUMNS, ["", "before", "after", "change", "", ""], words::groups(diff))
        ));
    }
    page.add(warnings(&diff.warnings));
    for sentence in [words::rest(diff), words::verdict(diff)].into_iter().flatten() {
        page.add(format_args!("\n{sentence}\n"));
    }
    page
}

fn warnings(warnings: &[WarningDiff]) -> String {
    let mut list = String::new();
    for warning in warnings {
        list.add(format_args!("  warning {}\n", words::warning(warning)));
    }
    list
}
