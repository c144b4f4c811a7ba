//! Farthing's tests from outside: one binary, a module a subject.

mod catalog_command;
mod oracle;
mod store;
