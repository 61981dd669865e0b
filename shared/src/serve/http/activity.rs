//! What a connection is doing, and since when: a client that keeps one waiting is hung up on, one that only rests
//! is kept for longer.
//!
//! hyper's own timeout for a request's head runs between requests too. It would close a resting connection as soon as
//! a slow one, just when a load balancer, which keeps connections longer, sends the next request on it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::{Body, Bytes};
use http::Version;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

/// How long a client may keep a connection waiting.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// For the head of a request, from its first byte on, and for a new connection to say anything.
    pub(super) head: Duration,
    /// Between requests.
    pub(super) rest: Duration,
}

/// What one connection is doing. Clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<State>>);

struct State {
    doing: Doing,
    /// The version of HTTP that is spoken, once something was asked.
    version: Option<Version>,
}

#[derive(Clone, Copy)]
enum Doing {
    /// The head of a request is awaited since then: the connection is new, or the request's first byte has come.
    Awaiting(Instant),
    /// So many requests are under way.
    Asking(usize),
    /// Nothing since then.
    Resting(Instant),
}

impl Activity {
    /// That of a new connection.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { doing: Doing::Awaiting(Instant::now()), version: None })))
    }

    /// Bytes have come. On HTTP/2 they can be of no request, such as the answer to a ping.
    pub(super) fn hear(&self) {
        let mut state = self.lock();
        if matches!(state.doing, Doing::Resting(_)) && state.version != Some(Version::HTTP_2) {
            state.doing = Doing::Awaiting(Instant::now());
        }
    }

    /// A request has come, which is under way until what is returned is dropped.
    pub(super) fn ask(&self, version: Version) -> Asked {
        let mut state = self.lock();
        state.version = Some(version);
        state.doing = match state.doing {
            Doing::Asking(under_way) => Doing::Asking(under_way + 1),
            Doing::Awaiting(_) | Doing::Resting(_) => Doing::Asking(1),
        };
        Asked(self.clone())
    }

    /// The version of HTTP that is spoken, once something was asked.
    pub(super) fn version(&self) -> Option<Version> {
        self.lock().version
    }

    /// When the client's time is up, if it goes on as now.
    pub(super) fn due(&self, patience: Patience) -> Option<Instant> {
        match self.lock().doing {
            Doing::Awaiting(since) => Some(since + patience.head),
            Doing::Asking(_) => None,
            Doing::Resting(since) => Some(since + patience.rest),
        }
    }

    /// Whether it only rests, so that nothing of a request is lost with it.
    pub(super) fn rests(&self) -> bool {
        matches!(self.lock().doing, Doing::Resting(_))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is valid after every statement, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way, until it is dropped.
pub(super) struct Asked(Activity);

impl Asked {
    /// The body of its answer, with whose end the request ends.
    pub(super) fn until_end_of(self, body: Body) -> Body {
        Body::new(Answer { body, _asked: self })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.doing = match state.doing {
            Doing::Asking(under_way) if under_way > 1 => Doing::Asking(under_way - 1),
            _ => Doing::Resting(Instant::now()),
        };
    }
}

/// A body that keeps its request under way.
struct Answer {
    body: Body,
    _asked: Asked,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { head: Duration::from_secs(10), rest: Duration::from_secs(75) };

    fn left(activity: &Activity) -> Option<u64> {
        activity.due(PATIENCE).map(|due| (due - Instant::now()).as_secs())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_has_less_time_than_a_rest_and_a_request_all_it_needs() {
        let activity = Activity::new();
        assert_eq!(left(&activity), Some(10));
        activity.hear();
        tokio::time::advance(Duration::from_secs(4)).await;
        activity.hear();
        assert_eq!(left(&activity), Some(6), "bytes that trickle give no more time");

        let asked = activity.ask(Version::HTTP_11);
        activity.hear();
        assert_eq!(left(&activity), None);
        drop(asked);
        assert_eq!((left(&activity), activity.rests()), (Some(75), true));
        tokio::time::advance(Duration::from_secs(60)).await;
        activity.hear();
        assert_eq!((left(&activity), activity.rests()), (Some(10), false));
    }

    #[tokio::test(start_paused = true)]
    async fn on_http_2_several_requests_are_under_way_and_pings_are_none() {
        let activity = Activity::new();
        let (first, second) = (activity.ask(Version::HTTP_2), activity.ask(Version::HTTP_2));
        drop(first);
        assert_eq!(left(&activity), None);
        drop(second);
        tokio::time::advance(Duration::from_secs(20)).await;
        activity.hear();
        assert_eq!(left(&activity), Some(55));
    }
}
