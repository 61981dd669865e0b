//! What the pipeline says of itself: for `whoami`, health and metrics.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use super::{breaker::BreakerState, bucket::BucketStatus};

/// The pipeline's state at one moment.
#[derive(Clone, Debug)]
pub struct Status {
    /// Whether the vendor is being asked.
    pub breaker: BreakerState,
    /// Requests under way.
    pub in_use: usize,
    /// The most requests under way at once.
    pub limit: usize,
    /// Calls waiting for a place.
    pub waiting: usize,
    /// The vendor's budgets.
    pub buckets: Vec<BucketStatus>,
    /// Whether the vendor refused the credential when it was last used.
    pub credential_refused: bool,
    /// Counts since the start.
    pub counts: Counts,
}

/// Counts since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests sent, repetitions included.
    pub sent: u64,
    /// Requests sent that failed, refusals included.
    pub failed: u64,
    /// Repetitions.
    pub retries: u64,
    /// Refusals of the vendor because of pace, and our own.
    pub rate_limited: u64,
    /// Answers served from the cache.
    pub cache_hits: u64,
    /// Answers that were not in the cache although they may be kept there.
    pub cache_misses: u64,
    /// Answers in the cache, roughly.
    pub cache_entries: u64,
    /// Places where an answer differed from what is expected, and was read all the same; see
    /// [`tolerant`](crate::tolerant).
    pub drift: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) sent: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) cache_hits: AtomicU64,
    pub(super) cache_misses: AtomicU64,
    /// Shared with the answers, which count when they are read.
    pub(super) drift: Arc<AtomicU64>,
    pub(super) credential_refused: AtomicBool,
}

impl Counters {
    pub(super) fn read(&self, cache_entries: u64) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            sent: read(&self.sent),
            failed: read(&self.failed),
            retries: read(&self.retries),
            rate_limited: read(&self.rate_limited),
            cache_hits: read(&self.cache_hits),
            cache_misses: read(&self.cache_misses),
            cache_entries,
            drift: read(&self.drift),
        }
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
