//! Short texts that people give to things: labels, names, values of tags.

/// Whether a text can stand in a list: of that length, in characters, without control characters.
pub(crate) fn is_plain(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count()) && !text.contains(char::is_control)
}

/// What is said of one that cannot.
pub(crate) fn rule(text: &str, least: usize, most: usize) -> String {
    let count = text.chars().count();
    format!("must have {least} to {most} characters and no control characters, got {count} characters")
}
