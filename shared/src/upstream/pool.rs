//! How many requests are under way at once, and how long the next one waits for its turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

use crate::{Error, Kind, Result, Retry};

/// Bounds the requests under way. A place is given back when its permit is dropped, so a caller
/// that goes away frees it.
pub(super) struct Pool {
    places: Semaphore,
    limit: usize,
    waiting: AtomicUsize,
}

impl Pool {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Semaphore::new(limit), limit, waiting: AtomicUsize::new(0) }
    }

    /// Waits for a place until `deadline`.
    pub(super) async fn enter(&self, title: &str, deadline: Instant) -> Result<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let _waiting = Waiting::new(&self.waiting);
        match timeout_at(deadline, self.places.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Error::new(
                Kind::RateLimited,
                format!("all {} connections to {title} were busy until the call's deadline", self.limit),
            )
            .with_hint("Make fewer calls at once")
            .with_retry(Retry::NotExecuted)),
        }
    }

    pub(super) fn in_use(&self) -> usize {
        self.limit - self.places.available_permits()
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Counts a caller as waiting for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
