//! Watched resources: one task looks at each, however many subscribers wait for its news.
//!
//! A resource is watched for a principal from its first subscription to the end of its last. What is
//! looked at is its *version*; the first look only learns it, and every other version after that is
//! news. News wait in the subscriber's [`Mailbox`], once for each resource, so that a client that reads
//! slowly neither holds up the looking nor costs more memory.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::{Error, Kind, Result, access::Principal};

/// Resources watched at once, for all subscribers together.
const MAX_POLLED: usize = 100;
/// Resources that one caller may watch, by all connections together: others have theirs.
const MAX_PER_PRINCIPAL: usize = 50;
/// Resources that one subscriber may watch.
pub(super) const MAX_PER_SUBSCRIBER: usize = 32;
/// Looks at once. They wait among themselves, so that they take few places from calls.
const MAX_AT_ONCE: usize = 4;
/// How far apart polls begin, and with that how far apart they look.
const APART: Duration = Duration::from_millis(100);
/// The longest pause after failures, unless the vendor asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);

/// All that is watched. Holds nothing until something is.
pub(super) struct Polls {
    interval: Duration,
    turns: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    polled: HashMap<Key, Polled>,
    /// Tells polls and subscribers apart.
    last_id: u64,
    last_begin: Option<Instant>,
}

type Key = (Principal, Arc<str>);

struct Polled {
    id: u64,
    subscribers: Vec<(u64, Arc<Mailbox>)>,
    task: AbortHandle,
}

/// News for one subscriber that it has not been told yet.
#[derive(Default)]
pub(super) struct Mailbox {
    news: Mutex<BTreeSet<Arc<str>>>,
    arrived: Notify,
}

impl Mailbox {
    /// Waits for the address of a resource that has changed.
    pub(super) async fn next(&self) -> Arc<str> {
        loop {
            let first = lock(&self.news).pop_first();
            match first {
                Some(uri) => return uri,
                None => self.arrived.notified().await,
            }
        }
    }

    fn put(&self, uri: &Arc<str>) {
        lock(&self.news).insert(Arc::clone(uri));
        self.arrived.notify_one();
    }
}

/// One resource watched by one subscriber, as long as it lives.
pub(super) struct Subscription {
    polls: Arc<Polls>,
    key: Key,
    subscriber: u64,
}

impl Polls {
    /// Nothing watched yet; one look follows the other after `interval`.
    pub(super) fn new(interval: Duration) -> Arc<Self> {
        Arc::new(Self { interval, turns: Semaphore::const_new(MAX_AT_ONCE), state: Mutex::default() })
    }

    /// Those of `uris` that there is room to watch for one subscriber more.
    pub(super) fn room_for(&self, uris: BTreeSet<&str>) -> Vec<String> {
        let state = lock(&self.state);
        let mut free = MAX_POLLED.saturating_sub(state.polled.len());
        let mut fitting: Vec<String> = Vec::new();
        for uri in uris {
            if fitting.len() == MAX_PER_SUBSCRIBER {
                break;
            }
            // Whoever polls it already may be somebody else: then it takes a place, or is refused.
            if !state.polled.keys().any(|(_, known)| **known == *uri) {
                if free == 0 {
                    continue;
                }
                free -= 1;
            }
            fitting.push(uri.to_owned());
        }
        fitting
    }

    /// Tells `mailbox` whenever the resource at `uri` has another version, which `poll` finds.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] if too much is watched.
    pub(super) fn subscribe<F>(
        self: &Arc<Self>,
        principal: &Principal,
        uri: &str,
        mailbox: &Arc<Mailbox>,
        poll: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Subscription>
    where
        F: Future<Output = Result<String>> + Send + 'static,
    {
        let mut state = lock(&self.state);
        state.last_id += 1;
        let id = state.last_id;
        let key = (principal.clone(), Arc::from(uri));
        let subscriber = (id, Arc::clone(mailbox));
        let many = state.polled.len() >= MAX_POLLED;
        let theirs = state.polled.keys().filter(|(who, _)| who == principal).count();
        match state.polled.get_mut(&key) {
            Some(polled) => polled.subscribers.push(subscriber),
            None if many => return Err(too_many(MAX_POLLED, "at once")),
            // The person at this machine is alone, and has them all.
            None if theirs >= MAX_PER_PRINCIPAL && !principal.is_local() => {
                return Err(too_many(MAX_PER_PRINCIPAL, "by one caller"));
            }
            None => {
                let now = Instant::now();
                let begin = state.last_begin.map_or(now, |last| now.max(last + APART));
                state.last_begin = Some(begin);
                let task = tokio::spawn(Arc::clone(self).poll_on(key.clone(), id, begin, poll));
                let subscribers = vec![subscriber];
                state.polled.insert(key.clone(), Polled { id, subscribers, task: task.abort_handle() });
            }
        }
        Ok(Subscription { polls: Arc::clone(self), key, subscriber: id })
    }

    /// Looks again and again, until it is aborted or the resource is gone.
    async fn poll_on<F: Future<Output = Result<String>>>(
        self: Arc<Self>,
        key: Key,
        id: u64,
        begin: Instant,
        poll: impl Fn() -> F,
    ) {
        sleep_until(begin).await;
        let mut version = None;
        let mut pause = self.interval;
        let mut failures: Vec<Kind> = Vec::new();
        loop {
            let looked = {
                // The semaphore is never closed.
                let _turn = self.turns.acquire().await;
                poll().await
            };
            let mut wait = self.interval;
            match looked {
                Ok(now) => {
                    if version.as_ref().is_some_and(|before| *before != now) {
                        self.tell(&key, id);
                    }
                    version = Some(now);
                    pause = self.interval;
                    failures.clear();
                }
                Err(error) if error.kind() == Kind::NotFound && version.is_some() => {
                    self.end(&key, id);
                    return;
                }
                Err(error) => {
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(self.interval));
                    wait = pause.max(error.retry_after().unwrap_or_default());
                    if !failures.contains(&error.kind()) {
                        failures.push(error.kind());
                        log(&key.0, &error);
                    }
                }
            }
            sleep(wait).await;
        }
    }

    fn tell(&self, key: &Key, id: u64) {
        if let Some(polled) = lock(&self.state).polled.get(key).filter(|polled| polled.id == id) {
            polled.tell(&key.1);
        }
    }

    /// Tells the subscribers of a resource that is gone. Whoever polls it from now on begins anew.
    fn end(&self, key: &Key, id: u64) {
        let mut state = lock(&self.state);
        if state.polled.get(key).is_some_and(|polled| polled.id == id)
            && let Some(polled) = state.polled.remove(key)
        {
            polled.tell(&key.1);
        }
    }

    /// How many are watched.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.state).polled.len()
    }
}

impl Polled {
    fn tell(&self, uri: &Arc<str>) {
        for (_, mailbox) in &self.subscribers {
            mailbox.put(uri);
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = lock(&self.polls.state);
        let Some(polled) = state.polled.get_mut(&self.key) else { return };
        polled.subscribers.retain(|(id, _)| *id != self.subscriber);
        if polled.subscribers.is_empty() {
            polled.task.abort();
            state.polled.remove(&self.key);
            if state.polled.is_empty() {
                state.polled = HashMap::new();
            }
        }
    }
}

/// Refuses one more than `most`.
pub(super) fn too_many(most: usize, whose: &str) -> Error {
    Error::new(Kind::RateLimited, format!("At most {most} resources can be watched {whose}"))
        .with_hint("End a subscription that is not needed any more first")
}

/// Logs a failure, without what is looked at: addresses are arguments, and those are never logged.
fn log(principal: &Principal, error: &Error) {
    let (who, kind) = (principal.label(), error.kind().as_str());
    match error.kind() {
        // What passes by itself, or that the pipeline has told of already.
        Kind::RateLimited | Kind::Upstream | Kind::Unavailable | Kind::NotFound | Kind::Cancelled => {
            tracing::debug!(who, error = kind, "a watched resource could not be looked at; trying again");
        }
        _ => tracing::warn!(who, error = kind, "a watched resource cannot be looked at; trying again"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
