//! What stands around every piece of work that a client can ask for: a place among those under way,
//! a deadline, an ear for cancellation, and a net for panics.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::places::{Full, Places};
use crate::{Effect, Error, Kind, access::Principal};

/// Guards all the work of one server.
pub(super) struct Guard {
    places: Places,
    timeout: Duration,
}

/// Why work was stopped, or not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The client does not want the answer any more.
    Cancelled,
    /// It took too long.
    TooLate(Duration),
    /// It panicked.
    Panicked,
    /// Too much is under way.
    Busy,
}

impl Guard {
    pub(super) fn new(max_in_flight: usize, timeout: Duration) -> Self {
        Self { places: Places::new(max_in_flight), timeout }
    }

    /// How many places are in use, and how many there are.
    pub(super) fn load(&self) -> impl Fn() -> (usize, usize) + Send + Sync + 'static {
        let places = self.places.clone();
        move || places.in_use()
    }

    /// Does `work` for `who`. It is dropped as soon as there is a reason to stop; a write that is already on
    /// its way to the vendor runs in a task of its own and is not touched by that.
    pub(super) async fn run<T>(
        &self,
        who: &Principal,
        cancelled: &CancellationToken,
        work: impl Future<Output = T>,
    ) -> Result<T, Stopped> {
        let placed = async {
            let _place = self.places.enter(who).await.map_err(|Full| Stopped::Busy)?;
            AssertUnwindSafe(Box::pin(work)).catch_unwind().await.map_err(|_| Stopped::Panicked)
        };
        tokio::select! {
            biased;
            () = cancelled.cancelled() => Err(Stopped::Cancelled),
            outcome = tokio::time::timeout(self.timeout, placed) => {
                outcome.unwrap_or(Err(Stopped::TooLate(self.timeout)))
            }
        }
    }
}

impl Stopped {
    /// What an agent is told about work with this effect.
    pub(super) fn into_error(self, effect: Effect) -> Error {
        match self {
            Self::Cancelled => Error::new(Kind::Cancelled, "The client cancelled the call"),
            Self::TooLate(limit) if effect.writes() => Error::new(
                Kind::UnknownOutcome,
                format!(
                    "The call took longer than {} s; what it writes may or may not be done",
                    limit.as_secs()
                ),
            )
            .with_hint("Look before repeating it"),
            Self::TooLate(limit) => Error::new(
                Kind::Upstream,
                format!("The call took longer than {} s and was stopped", limit.as_secs()),
            )
            .with_hint("Ask for less at once, or try again later"),
            Self::Panicked if effect.writes() => Error::internal(
                "The server failed in a way that it should not; what the call writes may or may not be done",
            )
            .with_hint("Look before repeating it"),
            Self::Panicked => Error::internal("The server failed in a way that it should not")
                .with_hint("Other calls are not affected"),
            Self::Busy => {
                Error::new(Kind::RateLimited, "Too many calls are under way at once; this one was not begun")
                    .with_hint("Make fewer calls in parallel")
                    .with_retry_after(Duration::from_secs(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, sync::Arc};

    use super::{super::places::WAITING_PER_PLACE, *};

    #[tokio::test(start_paused = true)]
    async fn work_over_the_deadline_is_dropped() {
        let guard = Guard::new(1, Duration::from_secs(2));
        let dropped = Arc::new(());
        let held = Arc::clone(&dropped);
        let outcome = guard
            .run(&Principal::local(), &CancellationToken::new(), async move {
                let _held = held;
                pending::<()>().await;
            })
            .await;
        assert_eq!(outcome, Err(Stopped::TooLate(Duration::from_secs(2))));
        assert_eq!(Arc::strong_count(&dropped), 1);
    }

    #[tokio::test]
    async fn a_panic_is_an_outcome_and_frees_the_place() {
        let guard = Guard::new(1, Duration::from_secs(2));
        let never = CancellationToken::new();
        assert_eq!(
            guard.run(&Principal::local(), &never, async { panic!("a bug") as () }).await,
            Err(Stopped::Panicked)
        );
        assert_eq!(guard.run(&Principal::local(), &never, async { 7 }).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn more_than_may_wait_are_refused_at_once() {
        let guard = Arc::new(Guard::new(1, Duration::from_secs(60)));
        let never = CancellationToken::new();
        let running: Vec<_> = (0..=WAITING_PER_PLACE)
            .map(|_| {
                let (guard, never) = (Arc::clone(&guard), never.clone());
                tokio::spawn(async move { guard.run(&Principal::local(), &never, pending::<()>()).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(guard.run(&Principal::local(), &never, async {}).await, Err(Stopped::Busy));
        for task in running {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
        assert_eq!(guard.run(&Principal::local(), &never, async {}).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_does_not_keep_others_out() {
        let guard = Arc::new(Guard::new(4, Duration::from_secs(60)));
        let (ada, ben) = (Principal::key("ada"), Principal::key("ben"));
        let never = CancellationToken::new();
        let running: Vec<_> = (0..64)
            .map(|_| {
                let (guard, ada, never) = (Arc::clone(&guard), ada.clone(), never.clone());
                tokio::spawn(async move { guard.run(&ada, &never, pending::<()>()).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert_eq!(guard.run(&ada, &never, async {}).await, Err(Stopped::Busy));
        let soon = tokio::time::timeout(Duration::from_secs(1), guard.run(&ben, &never, async { 7 })).await;
        assert_eq!(soon.unwrap(), Ok(7));
        running.iter().for_each(tokio::task::JoinHandle::abort);
    }
}
