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
const MAX_WATCHED: usize = 100;
/// Resources that one caller may watch, by all connections together: others have theirs.
const MAX_PER_PRINCIPAL: usize = 50;
/// Resources that one subscriber may watch.
pub(super) const MAX_PER_SUBSCRIBER: usize = 32;
/// Looks at once. They wait among themselves, so that they take few places from calls.
const MAX_LOOKS: usize = 4;
/// How far apart watches begin, and with that how far apart they look.
const APART: Duration = Duration::from_millis(100);
/// The longest pause after failures, unless the vendor asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(10 * 60);

/// All that is watched. Holds nothing until something is.
pub(super) struct Watches {
    interval: Duration,
    looks: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    watched: HashMap<Key, Watched>,
    /// Tells watches and subscribers apart.
    last_id: u64,
    last_begin: Option<Instant>,
}

type Key = (Principal, Arc<str>);

struct Watched {
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
pub(super) struct Watching {
    watches: Arc<Watches>,
    key: Key,
    subscriber: u64,
}

impl Watches {
    /// Nothing watched yet; one look follows the other after `interval`.
    pub(super) fn new(interval: Duration) -> Arc<Self> {
        Arc::new(Self { interval, looks: Semaphore::const_new(MAX_LOOKS), state: Mutex::default() })
    }

    /// Those of `uris` that there is room to watch for one subscriber more.
    pub(super) fn room_for(&self, uris: BTreeSet<&str>) -> Vec<String> {
        let state = lock(&self.state);
        let mut free = MAX_WATCHED.saturating_sub(state.watched.len());
        let mut fitting: Vec<String> = Vec::new();
        for uri in uris {
            if fitting.len() == MAX_PER_SUBSCRIBER {
                break;
            }
            // Whoever watches it already may be somebody else: then it takes a place, or is refused.
            if !state.watched.keys().any(|(_, known)| **known == *uri) {
                if free == 0 {
                    continue;
                }
                free -= 1;
            }
            fitting.push(uri.to_owned());
        }
        fitting
    }

    /// Tells `mailbox` whenever the resource at `uri` has another version, which `look` finds.
    ///
    /// # Errors
    /// [`Kind::RateLimited`] if too much is watched.
    pub(super) fn watch<F>(
        self: &Arc<Self>,
        principal: &Principal,
        uri: &str,
        mailbox: &Arc<Mailbox>,
        look: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Watching>
    where
        F: Future<Output = Result<String>> + Send + 'static,
    {
        let mut state = lock(&self.state);
        state.last_id += 1;
        let id = state.last_id;
        let key = (principal.clone(), Arc::from(uri));
        let subscriber = (id, Arc::clone(mailbox));
        let many = state.watched.len() >= MAX_WATCHED;
        let theirs = state.watched.keys().filter(|(who, _)| who == principal).count();
        match state.watched.get_mut(&key) {
            Some(watched) => watched.subscribers.push(subscriber),
            None if many => return Err(too_many(MAX_WATCHED, "at once")),
            // The person at this machine is alone, and has them all.
            None if theirs >= MAX_PER_PRINCIPAL && *principal != Principal::local() => {
                return Err(too_many(MAX_PER_PRINCIPAL, "by one caller"));
            }
            None => {
                let now = Instant::now();
                let begin = state.last_begin.map_or(now, |last| now.max(last + APART));
                state.last_begin = Some(begin);
                let task = tokio::spawn(Arc::clone(self).look_on(key.clone(), id, begin, look));
                let subscribers = vec![subscriber];
                state.watched.insert(key.clone(), Watched { id, subscribers, task: task.abort_handle() });
            }
        }
        Ok(Watching { watches: Arc::clone(self), key, subscriber: id })
    }

    /// Looks again and again, until it is aborted or the resource is gone.
    async fn look_on<F: Future<Output = Result<String>>>(
        self: Arc<Self>,
        key: Key,
        id: u64,
        begin: Instant,
        look: impl Fn() -> F,
    ) {
        sleep_until(begin).await;
        let mut version = None;
        let mut pause = self.interval;
        let mut failures: Vec<Kind> = Vec::new();
        loop {
            let looked = {
                // The semaphore is never closed.
                let _turn = self.looks.acquire().await;
                look().await
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
        if let Some(watched) = lock(&self.state).watched.get(key).filter(|watched| watched.id == id) {
            watched.tell(&key.1);
        }
    }

    /// Tells the subscribers of a resource that is gone. Whoever watches it from now on begins anew.
    fn end(&self, key: &Key, id: u64) {
        let mut state = lock(&self.state);
        if state.watched.get(key).is_some_and(|watched| watched.id == id)
            && let Some(watched) = state.watched.remove(key)
        {
            watched.tell(&key.1);
        }
    }

    /// How many are watched.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.state).watched.len()
    }
}

impl Watched {
    fn tell(&self, uri: &Arc<str>) {
        for (_, mailbox) in &self.subscribers {
            mailbox.put(uri);
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let mut state = lock(&self.watches.state);
        let Some(watched) = state.watched.get_mut(&self.key) else { return };
        watched.subscribers.retain(|(id, _)| *id != self.subscriber);
        if watched.subscribers.is_empty() {
            watched.task.abort();
            state.watched.remove(&self.key);
            if state.watched.is_empty() {
                state.watched = HashMap::new();
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
    let (who, kind) = (principal.name(), error.kind().as_str());
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
