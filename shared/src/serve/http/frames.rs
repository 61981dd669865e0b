//! A bound on the frames of HTTP/2 that cost a client nothing and keep us busy: priorities, window updates, settings,
//! pings, resets. hyper takes any number of them; a client that has something to ask needs few.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::activity::Activity;

/// What a client of HTTP/2 begins with (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The bytes of a frame's head (RFC 9113, 4.1).
const HEAD: usize = 9;
/// How many such frames may come at once, and how many more a second: a window update for every 16 kB of an answer
/// allows 16 MB a second.
const BURST: u32 = 10_000;
const PER_SECOND: u32 = 1_000;

/// A connection whose frames are counted as they are read, and whose activity is told that bytes have come.
pub(super) struct Counted<S> {
    stream: Pin<Box<S>>,
    frames: Frames,
    activity: Activity,
}

impl<S> Counted<S> {
    pub(super) fn new(stream: S, activity: Activity) -> Self {
        Self { stream: Box::pin(stream), frames: Frames::new(Instant::now()), activity }
    }
}

impl<S: AsyncRead> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.stream.as_mut().poll_read(context, buffer);
        let come = &buffer.filled()[before..];
        if matches!(read, Poll::Ready(Ok(()))) && !come.is_empty() {
            self.activity.hear();
            if !self.frames.admit(come, Instant::now()) {
                let flood =
                    io::Error::new(io::ErrorKind::ConnectionAborted, "too many frames that ask for nothing");
                return Poll::Ready(Err(flood));
            }
        }
        read
    }
}

impl<S: AsyncWrite> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Reads the heads of frames as they pass.
struct Frames {
    at: Place,
    /// Frames that may still come, as of `since`.
    left: u32,
    since: Instant,
}

/// Where the next byte stands.
enum Place {
    /// In the preface, after so many bytes of it.
    Preface(usize),
    /// In the head of a frame, after so many bytes of it.
    Head([u8; HEAD], usize),
    /// In a frame, so many bytes before its end.
    Body(usize),
    /// It is no HTTP/2.
    Other,
}

impl Frames {
    fn new(now: Instant) -> Self {
        Self { at: Place::Preface(0), left: BURST, since: now }
    }

    /// Whether `bytes` may be taken, which come `now`.
    fn admit(&mut self, mut bytes: &[u8], now: Instant) -> bool {
        while let Some((&byte, rest)) = bytes.split_first() {
            match &mut self.at {
                Place::Other => return true,
                Place::Preface(read) => {
                    self.at = match PREFACE.get(*read) {
                        Some(expected) if *expected != byte => Place::Other,
                        _ if *read + 1 == PREFACE.len() => Place::Head([0; HEAD], 0),
                        _ => Place::Preface(*read + 1),
                    };
                    bytes = rest;
                }
                Place::Head(head, read) => {
                    head[*read] = byte;
                    *read += 1;
                    bytes = rest;
                    if *read == HEAD {
                        let [high, middle, low, kind, ..] = *head;
                        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
                        self.at = if length == 0 { Place::Head([0; HEAD], 0) } else { Place::Body(length) };
                        if !asks(kind, length) && !self.take(now) {
                            return false;
                        }
                    }
                }
                Place::Body(left) => {
                    let passed = bytes.len().min(*left);
                    bytes = &bytes[passed..];
                    *left -= passed;
                    if *left == 0 {
                        self.at = Place::Head([0; HEAD], 0);
                    }
                }
            }
        }
        true
    }

    /// Counts a frame; false if it is one too many.
    fn take(&mut self, now: Instant) -> bool {
        let seconds = u32::try_from(now.saturating_duration_since(self.since).as_secs()).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.left = self.left.saturating_add(seconds.saturating_mul(PER_SECOND)).min(BURST);
            self.since += Duration::from_secs(seconds.into());
        }
        let enough = self.left > 0;
        self.left = self.left.saturating_sub(1);
        enough
    }
}

/// Whether a frame carries something of a request: its head or a part of its body (RFC 9113, 6.1, 6.2 and 6.10).
fn asks(kind: u8, length: usize) -> bool {
    const DATA: u8 = 0x0;
    const HEADERS: u8 = 0x1;
    const CONTINUATION: u8 = 0x9;
    length > 0 && matches!(kind, DATA | HEADERS | CONTINUATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIORITY: [u8; 14] = [0, 0, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 15];

    #[tokio::test(start_paused = true)]
    async fn frames_that_ask_for_nothing_are_counted_however_they_are_cut() {
        for step in [1, 5, 4_096] {
            let now = Instant::now();
            let mut frames = Frames::new(now);
            let mut sent = PREFACE.to_vec();
            sent.extend(PRIORITY.repeat(BURST as usize));
            assert!(sent.chunks(step).all(|part| frames.admit(part, now)), "{step}");
            assert!(!frames.admit(&PRIORITY, now), "{step}");
            let later = now + Duration::from_secs(2);
            assert!(frames.admit(&PRIORITY.repeat(2 * PER_SECOND as usize), later));
            assert!(!frames.admit(&PRIORITY, later));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_and_other_protocols_are_not_counted() {
        let now = Instant::now();
        let mut frames = Frames::new(now);
        assert!(frames.admit(PREFACE, now));
        let data = [&[0, 0x40, 0, 0, 0, 0, 0, 0, 1][..], &[7; 0x4000]].concat();
        assert!((0..=BURST).all(|_| frames.admit(&data, now)));
        let mut frames = Frames::new(now);
        assert!(frames.admit(b"POST /mcp HTTP/1.1\r\n", now) && frames.admit(&PRIORITY.repeat(100_000), now));
    }
}
