//! The call that requests belong to: its deadline is for all that it asks, however many requests that are,
//! and what goes wrong beside what it gets is told with its reply.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Error, Kind, Retry};

tokio::task_local! {
    static CALL: Mutex<Call>;
    static NOTES: Mutex<Vec<String>>;
    static PLACES: Mutex<Vec<String>>;
    static STOPPING: CancellationToken;
}

/// The time that a call has in any case to look for what a write did whose answer was lost.
const LOOK: Duration = Duration::from_secs(10);

/// Whose request it is, among those who share a vendor's budget. Nobody's by default: one person has it alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lane {
    caller: Option<Arc<str>>,
    background: bool,
}

impl Lane {
    /// A caller's, known by `name`.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self { caller: Some(Arc::from(name)), background: false }
    }

    /// The same, for what nobody waits for: a look at what is watched.
    #[must_use]
    pub fn background(self) -> Self {
        Self { background: true, ..self }
    }

    pub(super) fn caller(&self) -> Option<&Arc<str>> {
        self.caller.as_ref()
    }

    pub(super) fn is_background(&self) -> bool {
        self.background
    }
}

struct Call {
    lane: Lane,
    began: Instant,
    /// Until when may be looked for what a write did.
    look_until: Option<Instant>,
    /// Whether a write of it has been sent.
    written: bool,
}

/// Runs `work` as one call, which begins now, or as a part of the call that it is in already.
pub async fn whole<T>(work: impl Future<Output = T>) -> T {
    since(began(), work).await
}

/// Runs `work` as one call, which begins now and is `lane`'s.
pub async fn by<T>(lane: Lane, work: impl Future<Output = T>) -> T {
    scoped(lane, began(), work).await
}

/// Runs `work` as a part of the call that began at `moment`: on another task, say. It is the lane's in which this is
/// called.
pub fn since<T>(moment: Instant, work: impl Future<Output = T>) -> impl Future<Output = T> {
    scoped(lane(), moment, work)
}

async fn scoped<T>(lane: Lane, began: Instant, work: impl Future<Output = T>) -> T {
    // On the heap, here and in the guard: a worker's stack has no room for all of a call in each layer.
    CALL.scope(Mutex::new(Call { lane, began, look_until: None, written: false }), Box::pin(work)).await
}

/// Whose the call is that this is part of.
pub(super) fn lane() -> Lane {
    CALL.try_with(|call| lock(call).lane.clone()).unwrap_or_default()
}

/// When the call began that this is part of; now, if it is part of none.
#[must_use]
pub fn began() -> Instant {
    CALL.try_with(|call| lock(call).began).unwrap_or_else(|_| Instant::now())
}

/// Gives this call its time anew: it has waited on purpose, as it was asked to.
pub fn restart() {
    let _ = CALL.try_with(|call| lock(call).began = Instant::now());
}

/// When this call ends that may take `allowed`. A read has a while longer after a write whose answer was lost.
pub(super) fn deadline(allowed: Duration, writes: bool) -> Instant {
    let end = began() + allowed;
    let look = CALL.try_with(|call| lock(call).look_until).ok().flatten().filter(|_| !writes);
    look.map_or(end, |look| look.max(end))
}

/// The answer to a write was lost: what it did may be looked for.
pub(super) fn answer_lost() {
    let _ = CALL.try_with(|call| lock(call).look_until = Some(Instant::now() + LOOK));
}

/// A write has been sent, or may have been.
pub(super) fn written() {
    let _ = CALL.try_with(|call| lock(call).written = true);
}

/// Runs `work`, whose requests are given up once `stopping` is cancelled if they only wait to be sent.
pub async fn stoppable<T>(stopping: CancellationToken, work: impl Future<Output = T>) -> T {
    STOPPING.scope(stopping, work).await
}

/// Waits for something before a request is sent, unless the server is to stop first.
pub(super) async fn unless_stopping<T>(title: &str, waiting: impl Future<Output = T>) -> crate::Result<T> {
    let Ok(stopping) = STOPPING.try_with(CancellationToken::clone) else { return Ok(waiting.await) };
    let Some(waited) = stopping.run_until_cancelled(waiting).await else {
        let written = CALL.try_with(|call| lock(call).written).unwrap_or_default();
        let what = if written { "the rest was not sent" } else { "nothing was sent" };
        return Err(Error::new(Kind::Cancelled, format!("the server is being stopped: {what} to {title}"))
            .with_retry(Retry::Never)
            .with_hint("Try again when it is there"));
    };
    Ok(waited)
}

/// Runs `work`, and gives what was [noted](note) in it.
pub async fn noting<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    NOTES
        .scope(Mutex::default(), async {
            let done = work.await;
            (done, NOTES.with(|notes| std::mem::take(&mut *lock(notes))))
        })
        .await
}

/// Says something that belongs into the reply though it is no part of what was asked: a part of the vendor's
/// answer that failed. It is logged where nobody collects notes.
pub fn note(text: String) {
    let mut text = Some(text);
    let _ = NOTES.try_with(|notes| lock(notes).extend(text.take()));
    if let Some(note) = text {
        tracing::warn!(note, "a part of an answer failed");
    }
}

/// Runs `work`, and gives the places that it [concerns].
pub async fn placing<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    PLACES
        .scope(Mutex::default(), async {
            let done = work.await;
            (done, PLACES.with(|places| std::mem::take(&mut *lock(places))))
        })
        .await
}

/// Says which place is meant, of several that a call may be about: a repository, a workspace. A reply that does not
/// name it is told to, so that nobody takes one place for another, and no tool has to remember it.
pub fn concerns(place: &str) {
    let _ = PLACES.try_with(|places| {
        let mut places = lock(places);
        if !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
    });
}

/// What it holds is good after every statement, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
