//! What `quote` and `diff` share: reading a request, the catalog to price it from, and the answer.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    path::Path,
};

use jiff::Timestamp;

use super::Failure;
use crate::{
    catalog::{edition, snapshot::Snapshot, time::AsOf},
    estimate::{self, fault::Fault, request::EstimateRequest},
    http::problem::ProblemError,
    store::{Store, StoreError},
};

/// The file that stands for standard input.
pub(super) const STDIN: &str = "-";

/// A catalog, and the time that requests without `as_of` are about.
pub(super) struct Prices {
    snapshot: Snapshot,
    now: Timestamp,
}

impl Prices {
    /// Opens a database, or the catalog inside the program where none is named.
    pub(super) fn open(database_url: Option<&str>, now: fn() -> Timestamp) -> Result<Self, Failure> {
        let snapshot = match database_url {
            None | Some("memory") => edition::built_in_snapshot().map_err(|error| error.to_string())?,
            Some(url) => stored_snapshot(url)?,
        };
        Ok(Self { snapshot, now: now() })
    }

    /// The answer, in the very bytes that a server would send.
    pub(super) fn answer(&self, request: &EstimateRequest) -> Result<Result<String, Vec<Fault>>, Failure> {
        match estimate::estimate(request, &self.snapshot, self.now) {
            Ok(quote) => serde_json::to_string(&quote).map(Ok).map_err(|error| error.to_string()),
            Err(faults) => Ok(Err(faults)),
        }
    }
}

/// The catalog in a database as it stands: none is made, and none is filled.
fn stored_snapshot(url: &str) -> Result<Snapshot, Failure> {
    let loaded = with_store(url, |store| async move { store.load().await })?;
    let (history, revisions) = loaded.map_err(|error| error.to_string())?;
    if revisions.is_empty() {
        return Err(format!("{url} holds no catalog yet: `farthing serve` fills it"));
    }
    Snapshot::build(history, revisions)
        .map_err(|error| format!("the catalog in {url} cannot be used: {error}"))
}

/// A quote that a service has kept in a database, as it gives it out.
pub(super) fn kept_quote(
    database_url: Option<&str>,
    id: &str,
    now: fn() -> Timestamp,
) -> Result<Vec<u8>, Failure> {
    let url =
        database_url.ok_or_else(|| format!("quote:{id} is in a database: say which with --database-url"))?;
    let wanted = id.to_ascii_lowercase();
    let found = with_store(url, |store| async move { store.quote(&wanted, now()).await })?;
    let document = found.map_err(|error| error.to_string())?;
    document.map(String::into_bytes).ok_or_else(|| format!("{url} holds no quote {id}, or it has expired"))
}

/// Asks a database that is there, and closes it.
fn with_store<T, F: Future<Output = Result<T, StoreError>>>(
    url: &str,
    ask: impl FnOnce(Store) -> F,
) -> Result<Result<T, StoreError>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no thread to run on: {error}"))?;
    Ok(runtime.block_on(async {
        let store = Store::open(&existing(url)).await?;
        let answer = ask(store.clone()).await;
        store.close().await;
        answer
    }))
}

/// The URL of a database that has to be there: to ask for a price must not make one.
fn existing(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    if url.contains("mode=") { url.to_owned() } else { format!("{url}{separator}mode=rw") }
}

/// Reads a file, or standard input.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() != STDIN {
        return std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()));
    }
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map(|_| text).map_err(|error| format!("standard input cannot be read: {error}"))
}

/// Writes to standard output. That its reader has seen enough is no failure.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Faults under the names that the service gives them.
pub(super) fn problem_errors(faults: Vec<Fault>) -> Vec<ProblemError> {
    faults.into_iter().map(ProblemError::from).collect()
}

/// `/model: no model is called `gpt-4p` (unknown_model; did you mean gpt-4, gpt-4o?)`
pub(super) fn fault_line(error: &ProblemError) -> String {
    let place = if error.pointer.is_empty() { "the request" } else { &error.pointer };
    let near = match error.near_matches.as_slice() {
        [] => String::new(),
        names => format!("; did you mean {}?", names.join(", ")),
    };
    super::table::plain(&format!("{place}: {} ({}{near})", error.detail, error.code))
}

/// Reads an instant for a flag.
pub(super) fn as_of(text: &str) -> Result<AsOf, &'static str> {
    AsOf::parse(text).ok_or("an instant such as 2026-11-24T12:00:00Z, or a date such as 2026-11-24")
}
