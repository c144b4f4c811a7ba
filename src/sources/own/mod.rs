//! The catalog's own forms: lines of its files, and its tables as spreadsheets.

pub(super) mod lines;
pub(super) mod sheet;
