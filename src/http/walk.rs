//! Walks through lists of what is kept in the database: the newest first, each page going on after the last row of
//! the one before. New rows do not disturb them.

use uuid::Uuid;

use crate::browse::{Listing, cursor, fault::Fault};

/// The text that goes on after the row of an id.
pub(crate) fn next_cursor(id: &str, binding: &str) -> Option<String> {
    let id = id.parse::<Uuid>().ok()?;
    Some(cursor::seal(id.as_bytes().to_vec(), binding))
}

/// The id to go on after.
pub(crate) fn resume(text: Option<&str>, binding: &str) -> Result<Option<String>, Fault> {
    resume_with(text, binding, |bytes| Uuid::from_slice(bytes).ok().map(|id| id.hyphenated().to_string()))
}

/// What to go on after, read from the bytes that were sealed.
pub(crate) fn resume_with<T>(
    text: Option<&str>,
    binding: &str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let found = cursor::open(text, binding).and_then(|bytes| read(&bytes));
    let detail = "is not a cursor of this list: it was altered, or belongs to another query";
    found.map(Some).ok_or_else(|| Fault::out_of_range("cursor", detail))
}

/// A page of rows of which one more was read than it takes, to see whether the list goes on.
pub(crate) fn page<R, T: From<R>>(
    mut rows: Vec<R>,
    limit: usize,
    catalog_revision: u32,
    next: impl Fn(&R) -> Option<String>,
) -> Listing<T> {
    let goes_on = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| goes_on).and_then(next);
    Listing { items: rows.into_iter().map(T::from).collect(), next_cursor, catalog_revision }
}
