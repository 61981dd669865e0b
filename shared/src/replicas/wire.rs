//! A store for tests.

use std::{
    fmt,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;

use super::{Down, Listener, News, Store, Token};

/// A wire between replicas in one process, as long as it is up: what one tells, all hear at once. It counts nothing and
/// remembers nothing.
pub struct Wire {
    up: AtomicBool,
    ends: Mutex<Vec<Arc<dyn Listener>>>,
}

impl Wire {
    /// One that is up.
    #[must_use]
    pub fn up() -> Arc<Self> {
        Arc::new(Self { up: true.into(), ends: Mutex::default() })
    }

    /// As a store does that is away, or there again.
    pub fn turn(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
        self.each(|end| end.missed());
    }

    fn each(&self, tell: impl FnMut(&Arc<dyn Listener>)) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(tell);
    }
}

impl Store for Wire {
    fn take<'a>(&'a self, _: &'a str, _: NonZeroU32) -> BoxFuture<'a, Result<Result<(), Duration>, Down>> {
        Box::pin(std::future::ready(Err(Down)))
    }

    fn first<'a>(&'a self, _: &'a str, _: Duration, _: Duration) -> BoxFuture<'a, Result<Token, Down>> {
        Box::pin(std::future::ready(Err(Down)))
    }

    fn tell(&self, news: News) {
        if self.is_up() {
            self.each(|end| end.hear(&news));
        }
    }

    fn is_up(&self) -> bool {
        self.up.load(Ordering::SeqCst)
    }

    /// It hears from now on, and is kept with the wire.
    fn keep(self: Arc<Self>, listener: Arc<dyn Listener>) -> BoxFuture<'static, ()> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
        Box::pin(std::future::pending())
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("up", &self.up).finish_non_exhaustive()
    }
}
