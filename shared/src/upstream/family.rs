//! What all pipelines to one vendor have in common: what their calls have made, and who is told of their work.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use super::{Claims, Inner, Status, Tag, Upstream, cache};
use crate::{
    Effect,
    replicas::{Listener, News, Store},
};

/// Is told of the work of a vendor's pipelines, for metrics. What it is given is never anybody's text: operations and
/// outcomes are words of this program.
pub trait Observer: Send + Sync {
    /// A request was sent and answered, or not: `outcome` is `ok` or the [kind](crate::Kind) of the failure.
    fn exchanged(&self, operation: &'static str, effect: Effect, outcome: &'static str, took: Duration);

    /// A request waited so long for the vendor's budget, or not at all.
    fn waited(&self, wait: Duration);
}

/// Whoever is told what other replicas say.
type Hears = Box<dyn Fn(&str) + Send + Sync>;

/// The pipelines to one vendor.
#[derive(Default)]
pub(super) struct Family {
    pub(super) claims: Claims,
    observer: OnceLock<Arc<dyn Observer>>,
    store: OnceLock<Arc<dyn Store>>,
    hears: OnceLock<Hears>,
    pipelines: Mutex<Vec<Weak<Inner>>>,
}

impl Family {
    /// Who is told, if anybody is: one look at an atomic where nobody is.
    pub(super) fn observer(&self) -> Option<&dyn Observer> {
        self.observer.get().map(AsRef::as_ref)
    }

    /// Tells the replicas, if there are any.
    pub(super) fn tell(&self, news: impl FnOnce() -> News) {
        if let Some(store) = self.store.get() {
            store.tell(news());
        }
    }

    /// How long an answer may be kept that is good for `ttl`: a minute while nobody tells what has become old.
    pub(super) fn kept(&self, ttl: Duration) -> Duration {
        let deaf = self.store.get().is_some_and(|store| !store.is_up());
        if deaf { ttl.min(cache::SHORT) } else { ttl }
    }

    /// Takes a pipeline in, for as long as it lives.
    pub(super) fn join(&self, pipeline: &Arc<Inner>) {
        let mut pipelines = self.pipelines();
        pipelines.retain(|other| other.strong_count() > 0);
        pipelines.push(Arc::downgrade(pipeline));
    }

    fn living(&self) -> Vec<Arc<Inner>> {
        self.pipelines().iter().filter_map(Weak::upgrade).collect()
    }

    /// The list is valid after every statement, so a panic elsewhere does not spoil it.
    fn pipelines(&self) -> MutexGuard<'_, Vec<Weak<Inner>>> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Family {
    fn hear(&self, news: &News) {
        if let (News::Noted { note }, Some(hears)) = (news, self.hears.get()) {
            hears(note);
        }
        for pipeline in self.living() {
            let own = pipeline.credential.fingerprint().to_string();
            match news {
                News::Old { credential, counters } if *credential == own => pipeline.cache.age(counters),
                News::Paused { credential, bucket, ms } if *credential == own => {
                    pipeline.limiter.pause_bucket(bucket, Duration::from_millis(*ms));
                }
                News::Old { .. } | News::Paused { .. } | News::Noted { .. } => {}
                News::Missed => pipeline.cache.age_all(),
            }
        }
    }

    fn missed(&self) {
        self.hear(&News::Missed);
    }
}

impl Upstream {
    /// Has the pipelines to this vendor tell others through `store` from now on. What is given back is to hear what
    /// these tell. The first store stays.
    #[must_use]
    pub fn share(&self, store: Arc<dyn Store>) -> Arc<dyn Listener> {
        let _ = self.0.family.store.set(store);
        Arc::clone(&self.0.family) as Arc<dyn Listener>
    }

    /// Tells the other replicas of this server something of its own, without waiting. It may be missed: what depends on
    /// it must be right without it.
    pub fn note(&self, note: impl FnOnce() -> String) {
        self.0.family.tell(|| News::Noted { note: note() });
    }

    /// Has `hears` told what other replicas [note](Self::note), from now on. The first who asks stays.
    pub fn hear_notes(&self, hears: impl Fn(&str) + Send + Sync + 'static) {
        let _ = self.0.family.hears.set(Box::new(hears));
    }

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
        self.0.family.living().iter().map(|pipeline| pipeline.status()).collect()
    }
}

impl Inner {
    /// Makes what depends on `tags` old, here and in other replicas.
    pub(super) fn invalidate(&self, tags: &[Tag]) {
        if tags.is_empty() {
            return;
        }
        let counters = self.cache.invalidate(tags);
        self.family.tell(|| News::Old { credential: self.credential.fingerprint().to_string(), counters });
    }

    /// Tells the others that the vendor wants nothing of these budgets for `wait`.
    pub(super) fn tell_paused(&self, buckets: &[&str], wait: Duration) {
        for bucket in buckets {
            self.family.tell(|| News::Paused {
                credential: self.credential.fingerprint().to_string(),
                bucket: (*bucket).to_owned(),
                ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            });
        }
    }

    fn status(&self) -> Status {
        Status {
            breaker: self.breaker.state(),
            in_use: self.pool.in_use(),
            limit: self.pool.limit(),
            waiting: self.pool.waiting(),
            buckets: self.limiter.status(),
            credential_refused: self.counters.credential_refused.load(Ordering::Relaxed),
            counts: self.counters.read(self.cache.len()),
        }
    }
}
