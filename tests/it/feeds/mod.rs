//! Other people's price tables, read and planned on top of the built-in catalog.

mod real;
