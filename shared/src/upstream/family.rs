//! What all pipelines to one vendor have in common: what their calls have made, and who is told of their work.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use super::{Claims, Inner, Status, Upstream};
use crate::Effect;

/// Is told of the work of a vendor's pipelines, for metrics. What it is given is never anybody's text: operations and
/// outcomes are words of this program.
pub trait Observer: Send + Sync {
    /// A request was sent and answered, or not: `outcome` is `ok` or the [kind](crate::Kind) of the failure.
    fn exchanged(&self, operation: &'static str, effect: Effect, outcome: &'static str, took: Duration);

    /// A request waited so long for the vendor's budget, or not at all.
    fn waited(&self, wait: Duration);
}

/// The pipelines to one vendor.
#[derive(Default)]
pub(super) struct Family {
    pub(super) claims: Claims,
    observer: OnceLock<Arc<dyn Observer>>,
    pipelines: Mutex<Vec<Weak<Inner>>>,
}

impl Family {
    /// Who is told, if anybody is: one look at an atomic where nobody is.
    pub(super) fn observer(&self) -> Option<&dyn Observer> {
        self.observer.get().map(AsRef::as_ref)
    }

    /// Takes a pipeline in, for as long as it lives.
    pub(super) fn join(&self, pipeline: &Arc<Inner>) {
        let mut pipelines = self.pipelines();
        pipelines.retain(|other| other.strong_count() > 0);
        pipelines.push(Arc::downgrade(pipeline));
    }

    /// The list is valid after every statement, so a panic elsewhere does not spoil it.
    fn pipelines(&self) -> MutexGuard<'_, Vec<Weak<Inner>>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upstream {
    /// Has `observer` told of the work of all pipelines to this vendor, from now on. The first who asks stays.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        // A second one has nothing to be told: it was asked for by nobody.
        let _ = self.0.family.observer.set(observer);
    }

    /// The pipeline's state now.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// The state of every pipeline to this vendor, in the order in which they were made.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        let pipelines: Vec<_> = self.0.family.pipelines().iter().filter_map(Weak::upgrade).collect();
        pipelines.iter().map(|pipeline| pipeline.status()).collect()
    }
}

impl Inner {
    fn status(&self) -> Status {
        Status {
            breaker: self.breaker.state(),
            in_use: self.pool.in_use(),
            limit: self.pool.limit(),
            waiting: self.pool.waiting(),
            buckets: self.limiter.status(),
            credential_refused: self.counters.credential_refused.load(Ordering::Relaxed),
            counts: self.counters.read(self.cache.entries()),
        }
    }
}
