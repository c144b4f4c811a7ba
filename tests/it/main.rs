//! Farthing's tests from outside: one binary, a module a subject.

mod oracle;
