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

/// After this much real time without a write that had to wait, or went on, everything has arrived or
/// the client does not mean to read: time flows again. Long enough for a machine that is busy.
const PATIENCE: Duration = Duration::from_millis(250);

type AtEnd<T> = Box<dyn Fn(&T) + Send>;

/// A connection that holds a paused clock while a write waits. Where time is not paused it does
/// nothing.
pub(super) struct Paced<T> {
    io: T,
    /// What is done to the connection before it is closed.
    at_end: Option<AtEnd<T>>,
    paused: bool,
    /// Each message prolongs the hold; dropping it lets the clock go.
    hold: Option<mpsc::Sender<()>>,
}

impl<T> Paced<T> {
    pub(super) fn new(io: T) -> Self {
        Self { io, at_end: None, paused: is_paused(), hold: None }
    }

    /// The same, with something to be done before it is closed.
    pub(super) fn until(io: T, at_end: impl Fn(&T) + Send + 'static) -> Self {
        let mut paced = Self::new(io);
        paced.at_end = Some(Box::new(at_end));
        paced
    }

    fn written<R>(&mut self, result: Poll<R>) -> Poll<R> {
        let held = self.hold.as_ref().is_some_and(|hold| hold.send(()).is_ok());
        if result.is_pending() && self.paused && !held {
            let (hold, prolonged) = mpsc::channel();
            tokio::task::spawn_blocking(move || while prolonged.recv_timeout(PATIENCE).is_ok() {});
            self.hold = Some(hold);
        }
        result
    }
}

impl<T> Drop for Paced<T> {
    fn drop(&mut self) {
        if let Some(at_end) = &self.at_end {
            at_end(&self.io);
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
