//! The one place where the current snapshot is swapped.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::snapshot::Snapshot;

/// Shares the current [`Snapshot`] with everyone who quotes.
#[derive(Debug)]
pub struct Catalog(ArcSwap<Snapshot>);

impl Catalog {
    /// Starts with a snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self(ArcSwap::from_pointee(snapshot))
    }

    /// The current snapshot: load it once per request.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// Makes a snapshot current, unless one of a later revision already is.
    pub fn replace(&self, snapshot: Snapshot) {
        let fresh = Arc::new(snapshot);
        self.0.rcu(|current| {
            let newest = if fresh.revision() > current.revision() { &fresh } else { current };
            Arc::clone(newest)
        });
    }
}
