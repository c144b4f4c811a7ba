//! The page a person opens: for now, an index of links.

/// The index, whole: nothing in it is fetched from elsewhere.
pub const INDEX: &str = include_str!("index.html");
