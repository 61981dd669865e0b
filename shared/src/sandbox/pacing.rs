//! Keeps a paused clock from running ahead of the wire.
//!
//! A paused tokio clock jumps to the next timer whenever every task waits. A task that waits for a
//! socket counts as waiting, so between a client's write and the server's read the clock would jump
//! straight to the client's timeout. Tokio does not jump while a blocking task runs; so after
//! anything moved on a connection, one runs until the wire has been quiet for a moment. Then time
//! may flow, in steps small against what has passed since, so that a request made after a jump is
//! seen before the clock has gone noticeably further.
//!
//! Where time is not paused this does nothing at all.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
    task::yield_now,
    time::{Instant, sleep},
};

/// How long nothing must have moved, in real time, for the wire to count as quiet.
const QUIET: Duration = Duration::from_millis(1);
/// Time flows in steps of one hundredth of what has passed in quiet, within these bounds.
const STEP: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(600));

/// Counts what moves on the server's connections, and paces a paused clock by it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    moves: AtomicU64,
    moved: Notify,
}

impl Pace {
    /// Something moved.
    pub(super) fn mark(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
        self.moved.notify_one();
    }

    /// Paces the clock for as long as it is polled; returns at once where time is not paused.
    pub(super) async fn run(self: Arc<Self>) {
        if !is_paused() {
            return;
        }
        loop {
            self.settle().await;
            let quiet_since = Instant::now();
            loop {
                let step = (quiet_since.elapsed() / 100).clamp(STEP.0, STEP.1);
                tokio::select! {
                    biased;
                    () = self.moved.notified() => break,
                    () = sleep(step) => {}
                }
            }
        }
    }

    /// Holds the clock until nothing has moved for [`QUIET`].
    async fn settle(&self) {
        loop {
            let before = self.moves.load(Ordering::Relaxed);
            // It may wake early and may fail only when the runtime ends; either way we look again.
            let _ = tokio::task::spawn_blocking(|| std::thread::park_timeout(QUIET)).await;
            // What is ready by now gets its turn before we judge.
            for _ in 0..4 {
                yield_now().await;
            }
            if self.moves.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Whether tokio's clock stands still: two looks, some thousand instructions apart, see one time.
fn is_paused() -> bool {
    let before = Instant::now();
    for _ in 0..1_000 {
        std::hint::spin_loop();
    }
    Instant::now() == before
}

/// A connection whose every move is marked.
#[derive(Debug)]
pub(super) struct Paced<T> {
    io: T,
    pace: Arc<Pace>,
}

impl<T> Paced<T> {
    pub(super) fn new(io: T, pace: Arc<Pace>) -> Self {
        Self { io, pace }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.io).poll_read(cx, buf));
        self.pace.mark();
        Poll::Ready(result)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write(cx, buf));
        self.pace.mark();
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
        self.pace.mark();
        Poll::Ready(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs));
        self.pace.mark();
        Poll::Ready(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
