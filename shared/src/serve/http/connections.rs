//! Connections: how many, how long they may say nothing, and how they end.
//!
//! Not `axum::serve`: that leaves Nagle's algorithm on, which holds back every streamed answer for
//! 40 ms, and lets a client take its time over a request's head, or over reading an answer, for ever.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::frames::Counted;

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// How often a silent HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// The pause after the system could not give us a connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// What a connection too many is told.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Takes connections and serves them.
pub(super) struct Connections {
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    places: Arc<Semaphore>,
    timeouts: Timeouts,
    graceful: GracefulShutdown,
}

/// How long a client may keep a connection waiting.
#[derive(Clone, Copy)]
pub(super) struct Timeouts {
    /// For the head of a request.
    pub(super) head: Duration,
    /// For room to write an answer.
    pub(super) write: Duration,
}

impl Connections {
    pub(super) fn new(router: Router, most: usize, timeouts: Timeouts) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(timeouts.head).max_buf_size(MAX_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(PING)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
        Self {
            router,
            builder: Arc::new(builder),
            places: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            timeouts,
            graceful: GracefulShutdown::new(),
        }
    }

    /// Takes connections until `stop` resolves; the listener is closed then.
    pub(super) async fn accept_until(&self, listener: TcpListener, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.take(stream),
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Lets every connection finish what it has begun, at most until `end`.
    pub(super) async fn finish(self, end: Instant) {
        if tokio::time::timeout_at(end, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("calls were still under way when the time to finish was over");
        }
    }

    fn take(&self, stream: TcpStream) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            // A new connection's buffer is empty, so this does not wait. If the client has gone, so be it.
            let _ = stream.try_write(FULL);
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was served");
            return;
        }
        tokio::spawn(serve(
            stream,
            self.router.clone(),
            Arc::clone(&self.builder),
            self.graceful.watcher(),
            self.timeouts,
            place,
        ));
    }
}

async fn serve(
    stream: TcpStream,
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    watcher: Watcher,
    timeouts: Timeouts,
    _place: OwnedSemaphorePermit,
) {
    let asked = CancellationToken::new();
    let asking = asked.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        asking.cancel();
        let router = router.clone();
        async move { Ok::<_, Infallible>(into_response(router.oneshot(request.map(Body::new)).await)) }
    });
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(timeouts.write));
    let connection = builder.serve_connection(TokioIo::new(Counted::new(stream)), service).into_owned();
    let connection = watcher.watch(connection);
    tokio::pin!(connection);
    // hyper's own timeout begins only when it knows which version of HTTP is spoken.
    tokio::select! {
        ended = &mut connection => return note(ended),
        () = asked.cancelled() => {}
        () = tokio::time::sleep(timeouts.head) => return,
    }
    note(connection.await);
}

/// A router cannot fail.
fn into_response<T>(answered: Result<T, Infallible>) -> T {
    match answered {
        Ok(response) => response,
    }
}

fn note(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Whether the failure is only that the client went away.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
