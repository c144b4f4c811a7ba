//! Work that keeps a processor busy: away from the threads that read and write, a few at a time, and given up when
//! nobody waits for it any more.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::available_parallelism,
    time::Duration,
};

use tokio::sync::Semaphore;

use super::problem::Problem;
use crate::decide::{Refused, Stop};

/// Places for heavy work.
#[derive(Debug)]
pub struct Heavy {
    places: Arc<Semaphore>,
    /// How long somebody waits for a place.
    patience: Duration,
}

impl Heavy {
    /// One place less than there are processors, so that one is left for answers that take no time; one at least.
    #[must_use]
    pub fn new(patience: Duration) -> Self {
        let processors = available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with_places(processors.saturating_sub(1).max(1), patience)
    }

    /// So many places.
    #[must_use]
    pub fn with_places(places: usize, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(places)), patience }
    }

    /// Places that are free now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// Does some work once there is a place for it. When this future is dropped, the work is told to stop; it has its
    /// place until it does.
    ///
    /// # Errors
    /// 503 where no place becomes free in time; 500 where the work panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Stop<'_>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let place = Arc::clone(&self.places).acquire_owned();
        let place = match tokio::time::timeout(self.patience, place).await {
            Ok(place) => place.map_err(Problem::internal)?,
            Err(_) => return Err(Problem::overloaded()),
        };
        let left = Arc::new(AtomicBool::new(false));
        let _leaving = Leaving(Arc::clone(&left));
        let done = tokio::task::spawn_blocking(move || {
            let answer = work(&|| left.load(Ordering::Relaxed));
            drop(place);
            answer
        });
        done.await.map_err(Problem::internal)
    }
}

/// Says that somebody has left, when it is dropped.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Faults(faults) => faults.into(),
            Refused::Stopped => Self::overloaded(), // read by nobody
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// Waits until so many places are free.
    async fn free(heavy: &Heavy, places: usize) {
        let all = async {
            while heavy.free() != places {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(SOON, all).await.unwrap();
    }

    /// Work that ends only when it is told to.
    fn endless(stop: Stop<'_>) {
        while !stop() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[tokio::test]
    async fn work_is_done_and_its_place_given_back() {
        let heavy = Heavy::with_places(1, SOON);
        assert_eq!(heavy.run(|_| 7).await.ok(), Some(7));
        assert_eq!(heavy.free(), 1);
    }

    #[tokio::test]
    async fn work_stops_when_its_asker_leaves() {
        let heavy = Arc::new(Heavy::with_places(1, SOON));
        let asker = tokio::spawn({
            let heavy = Arc::clone(&heavy);
            async move { heavy.run(endless).await }
        });
        free(&heavy, 0).await;
        asker.abort();
        free(&heavy, 1).await;
    }

    #[tokio::test]
    async fn who_finds_no_place_in_time_is_turned_away() {
        let heavy = Arc::new(Heavy::with_places(1, Duration::from_millis(20)));
        let first = tokio::spawn({
            let heavy = Arc::clone(&heavy);
            async move { heavy.run(endless).await }
        });
        free(&heavy, 0).await;
        let turned_away = heavy.run(|_| ()).await.unwrap_err();
        assert_eq!(turned_away.status(), axum::http::StatusCode::SERVICE_UNAVAILABLE);
        first.abort();
        free(&heavy, 1).await;
        assert!(heavy.run(|_| ()).await.is_ok());
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_place() {
        let heavy = Heavy::with_places(1, SOON);
        let failed = heavy.run::<()>(|_| panic!("planted")).await.unwrap_err();
        assert_eq!(failed.status(), axum::http::StatusCode::INTERNAL_SERVER_ERROR);
        free(&heavy, 1).await;
    }
}
