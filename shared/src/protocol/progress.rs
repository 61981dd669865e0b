//! Progress on its way to a client that asked for it.

use std::{fmt, sync::Mutex, time::Duration};

use futures::future::BoxFuture;
use rmcp::{
    Peer, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
};
use tokio::time::Instant;

use crate::catalog::Progress;

/// The least time between two notifications, except that the last step is always told.
const INTERVAL: Duration = Duration::from_millis(100);

/// Sends progress to the client that gave the token.
pub(super) struct ToClient {
    peer: Peer<RoleServer>,
    token: ProgressToken,
    last: Mutex<Option<(u32, Instant)>>,
}

impl ToClient {
    pub(super) fn new(peer: Peer<RoleServer>, token: ProgressToken) -> Self {
        Self { peer, token, last: Mutex::new(None) }
    }

    /// Whether to tell: only what is more than was told before, and not too often.
    fn is_due(&self, done: u32, total: Option<u32>) -> bool {
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = match *last {
            None => true,
            Some((told, at)) => done > told && (total == Some(done) || now.duration_since(at) >= INTERVAL),
        };
        if due {
            *last = Some((done, now));
        }
        due
    }
}

impl Progress for ToClient {
    fn report<'a>(&'a self, done: u32, total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if !self.is_due(done, total) {
                return;
            }
            let mut progress = ProgressNotificationParam::new(self.token.clone(), f64::from(done));
            if let Some(total) = total {
                progress = progress.with_total(f64::from(total));
            }
            if !message.is_empty() {
                progress = progress.with_message(message);
            }
            // A client that has gone away misses its progress; the call learns of it by being cancelled.
            let _ = self.peer.notify_progress(progress).await;
        })
    }
}

impl fmt::Debug for ToClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToClient").finish_non_exhaustive()
    }
}
