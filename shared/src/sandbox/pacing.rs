//! Keeps a paused clock from running ahead of a large answer.
//!
//! A paused tokio clock jumps to the next timer when no task has anything to do. On loopback what
//! was written is there to be read at once, so a jump never comes between a request and its answer;
//! except when a socket's buffer is full, for then the kernel takes a moment to pass on what it has.
//! Tokio does not jump while a blocking task runs, so one waits beside every write that must wait.

use std::{
    io,
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// A client that has not read on after this much real time does not mean to: time flows again.
const PATIENCE: Duration = Duration::from_millis(50);

/// A connection that holds a paused clock while a write waits. Where time is not paused it does
/// nothing.
#[derive(Debug)]
pub(super) struct Paced<T> {
    io: T,
    paused: bool,
    /// Dropping it lets the clock go.
    hold: Option<mpsc::Sender<()>>,
}

impl<T> Paced<T> {
    pub(super) fn new(io: T) -> Self {
        Self { io, paused: is_paused(), hold: None }
    }

    fn written<R>(&mut self, result: Poll<R>) -> Poll<R> {
        if result.is_ready() {
            self.hold = None;
        } else if self.paused && self.hold.is_none() {
            let (hold, held) = mpsc::channel::<()>();
            tokio::task::spawn_blocking(move || held.recv_timeout(PATIENCE));
            self.hold = Some(hold);
        }
        result
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

impl<T: AsyncRead + Unpin> AsyncRead for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, buf);
        self.written(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
