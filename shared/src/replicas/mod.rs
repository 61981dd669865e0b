//! What the replicas of one server know of each other.
//!
//! Everything is right without it, and more exact with it: nothing that a [`Store`] says grants anything, it can only
//! refuse, slow down, or make old. So a store that is not there costs precision, never an answer: each replica then
//! counts its own part of a quota, learns from the vendor when to pause, and keeps answers for a minute at most. Only
//! what must be done once and leaves no trace waits for it.

#[cfg(feature = "redis")]
mod redis;
#[cfg(any(test, feature = "testing"))]
mod wire;

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

#[cfg(feature = "redis")]
pub use self::redis::{Redis, RedisError, RedisOptions};
#[cfg(any(test, feature = "testing"))]
pub use self::wire::Wire;

/// The store did not answer in time, or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down;

/// What a store knows of a one-time token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// It is used for the first time, now.
    First,
    /// It was used before.
    Used,
    /// It was given before the store began to remember.
    TooOld,
}

/// What replicas have in common.
pub trait Store: fmt::Debug + Send + Sync {
    /// Takes one of `rate` a minute under `name`, or says how long to wait.
    fn take<'a>(
        &'a self,
        name: &'a str,
        rate: NonZeroU32,
    ) -> BoxFuture<'a, Result<Result<(), Duration>, Down>>;

    /// Uses the token `name`, which was `given` at that wall time and is good for `lifetime`.
    fn first<'a>(
        &'a self,
        name: &'a str,
        given: Duration,
        lifetime: Duration,
    ) -> BoxFuture<'a, Result<Token, Down>>;

    /// Tells the others, without waiting.
    fn tell(&self, news: News);

    /// Whether it answers, and news of others come.
    fn is_up(&self) -> bool;

    /// Keeps the way to it open, and tells `listener` what others tell, until it is dropped.
    fn keep(self: Arc<Self>, listener: Arc<dyn Listener>) -> BoxFuture<'static, ()>;
}

/// What replicas tell each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    /// Kept answers to this credential that depend on these counters are old.
    Old {
        /// Its fingerprint.
        credential: String,
        /// Which of the cache's counters.
        counters: Vec<u16>,
    },
    /// The vendor wants nothing of this credential's budget for a while.
    Paused {
        /// Its fingerprint.
        credential: String,
        /// The budget.
        bucket: String,
        /// How long.
        ms: u64,
    },
    /// Something of the server's own, for its other replicas.
    Noted {
        /// What only they understand.
        note: String,
    },
    /// Something could not be told.
    Missed,
}

/// Who hears what others tell.
pub trait Listener: Send + Sync {
    /// Another replica has told this.
    fn hear(&self, news: &News);

    /// News may have been missed.
    fn missed(&self);
}

/// One replica among others.
#[derive(Clone, Debug, Default)]
pub struct Replicas {
    count: Option<NonZeroU32>,
    store: Option<Arc<dyn Store>>,
    counts: Arc<Counts>,
}

/// How often it had to do without the others.
#[derive(Debug, Default)]
pub struct Counts {
    degraded: AtomicU64,
    unsure: AtomicU64,
}

impl Counts {
    /// Calls that were counted here alone, though there is a store.
    #[must_use]
    pub fn degraded(&self) -> u64 {
        self.degraded.load(Ordering::Relaxed)
    }

    /// Confirmations that were refused because nobody could tell whether they were used.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.unsure.load(Ordering::Relaxed)
    }

    /// Counts one of those.
    pub(crate) fn unsure(&self) {
        self.unsure.fetch_add(1, Ordering::Relaxed);
    }
}

impl Replicas {
    /// One of `count` replicas that share `store`, if anything.
    #[must_use]
    pub fn new(count: NonZeroU32, store: Option<Arc<dyn Store>>) -> Self {
        Self { count: Some(count), store, counts: Arc::default() }
    }

    /// Whether there is no other.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.store.is_none() && self.count.is_none_or(|count| count == NonZeroU32::MIN)
    }

    /// What they share.
    #[must_use]
    pub fn store(&self) -> Option<&Arc<dyn Store>> {
        self.store.as_ref()
    }

    /// How often this one had to do without the others.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The part of `rate` that falls to one replica: no caller is without any.
    pub(crate) fn part_of(&self, rate: u32) -> u32 {
        let count = self.count.unwrap_or(NonZeroU32::MIN);
        (rate / count).max(1)
    }

    /// Takes one of `rate` a minute of what `whose` names, among all replicas. None if nobody can tell.
    pub(crate) async fn take(&self, whose: &[&str], rate: u32) -> Option<Result<(), Duration>> {
        let (store, rate) = (self.store.as_ref()?, NonZeroU32::new(rate)?);
        // A digest: callers' names stay in this process.
        let mut digest = Sha256::new();
        for part in whose {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let taken = store.take(&URL_SAFE_NO_PAD.encode(&digest.finalize()[..16]), rate).await;
        if taken.is_err() {
            self.counts.degraded.fetch_add(1, Ordering::Relaxed);
        }
        taken.ok()
    }

    /// Whether the token `id` is used for the first time among all replicas. None if nobody can tell.
    pub(crate) async fn first(&self, id: &[u8], given: Duration, lifetime: Duration) -> Option<bool> {
        match self.store.as_ref()?.first(&URL_SAFE_NO_PAD.encode(id), given, lifetime).await {
            Ok(Token::First) => Some(true),
            Ok(Token::Used) => Some(false),
            Ok(Token::TooOld) | Err(Down) => None,
        }
    }
}
