//! `farthing openapi`: the description of the service, without starting it.

use std::io::Write as _;

use super::Failure;
use crate::http::openapi;

pub(super) fn run() -> Result<(), Failure> {
    let written = std::io::stdout().lock().write_all(openapi::text().as_bytes());
    written.map_err(|error| format!("the document cannot be written: {error}"))
}
