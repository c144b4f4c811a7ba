//! The command line, one command per file.

pub mod catalog;
