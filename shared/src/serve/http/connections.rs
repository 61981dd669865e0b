//! Connections: how many, how long they may say nothing, and how they end.
//!
//! Not `axum::serve`: that leaves Nagle's algorithm on, which holds back every streamed answer for
//! 40 ms, and lets a client take its time over a request's head, or over reading an answer, for ever.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse as _};
use http::{HeaderValue, Response, StatusCode, Version, header};
use hyper::{Request, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulConnection},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep_until},
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::{CancellationToken, WaitForCancellationFutureOwned},
    task::TaskTracker,
};
use tower::ServiceExt as _;

use super::{
    activity::{Activity, Patience},
    frames::Counted,
    tls::{Caller, Tls},
};
use crate::telemetry::Metrics;

/// The most bytes of a request's head.
const MAX_HEAD: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 128;
/// How often a silent HTTP/2 client is asked whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// The pause after the system could not give us a connection, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// How long what is under way may go on for a client that is not trusted any more.
const DISTRUSTED: Duration = Duration::from_secs(30);
/// What a connection too many is told.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Where a request's connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Takes connections and serves them.
pub(super) struct Connections {
    serving: Serving,
    tls: Option<Tls>,
    places: Arc<Semaphore>,
    most: usize,
    refused: Arc<AtomicU64>,
    tasks: TaskTracker,
}

/// What every connection is served with.
#[derive(Clone)]
struct Serving {
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    patience: Patience,
    /// How long there may be no room to write an answer.
    write: Duration,
    /// The server is about to stop: clients are asked to go elsewhere with their next request.
    leaving: CancellationToken,
    /// The server stops: what is under way is finished, nothing new begins.
    ending: CancellationToken,
    /// The client is not trusted any more: the same, but not for ever.
    distrusted: CancellationToken,
}

impl Connections {
    /// At most `most` connections at once to `router`, whose clients may leave an answer unread for `write`.
    pub(super) fn new(
        router: Router,
        most: usize,
        patience: Patience,
        write: Duration,
        tls: Option<Tls>,
    ) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(PING)
            .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX));
        let serving = Serving {
            router,
            builder: Arc::new(builder),
            patience,
            write,
            leaving: CancellationToken::new(),
            ending: CancellationToken::new(),
            distrusted: CancellationToken::new(),
        };
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            serving,
            tls,
            places: Arc::new(Semaphore::new(most)),
            most,
            refused: Arc::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Has them told by `metrics`.
    pub(super) fn measured_by(&self, metrics: &Metrics) {
        let (places, refused, most) = (Arc::clone(&self.places), Arc::clone(&self.refused), self.most);
        metrics.gauge("connector_connections", "Connections of callers", move || {
            (most - places.available_permits().min(most)) as f64
        });
        metrics.gauge("connector_connections_max", "The most connections of callers", move || most as f64);
        metrics.counter("connector_connections_refused", "Connections that were one too many", move || {
            refused.load(Ordering::Relaxed) as f64
        });
    }

    /// Takes connections until `stop` resolves.
    pub(super) async fn accept_until(&self, listener: &TcpListener, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut stop => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, Peer(peer.ip())),
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// From now on every client is asked to send its next request on another connection.
    pub(super) fn leave(&self) {
        self.serving.leaving.cancel();
    }

    /// Lets every connection finish what it has begun, at most until `end`.
    pub(super) async fn finish(self, end: Instant) {
        self.serving.ending.cancel();
        self.tasks.close();
        if tokio::time::timeout_at(end, self.tasks.wait()).await.is_err() {
            tracing::warn!("calls were still under way when the time to finish was over");
        }
    }

    fn take(&self, stream: TcpStream, peer: Peer) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            self.refused.fetch_add(1, Ordering::Relaxed);
            // A new connection's buffer is empty, so this does not wait. If the client has gone, so be it.
            if self.tls.is_none() {
                let _ = stream.try_write(FULL);
            }
            return;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection was gone before it was served");
            return;
        }
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.serving.write));
        let serving = self.serving.clone();
        match self.tls.clone() {
            None => self.tasks.spawn(serve(stream, peer, Caller::Unasked, serving, place)),
            Some(tls) => self.tasks.spawn(serve_tls(stream, peer, tls, serving, place)),
        };
    }
}

/// Shakes hands, which is as much as a request's head, and serves whoever may come in.
async fn serve_tls(
    stream: TimeoutStream<TcpStream>,
    peer: Peer,
    tls: Tls,
    mut serving: Serving,
    place: OwnedSemaphorePermit,
) {
    let (config, trust) = tls.current();
    serving.distrusted = trust;
    let shaken = tokio::select! {
        () = serving.ending.cancelled() => return,
        () = tokio::time::sleep(serving.patience.head) => return,
        shaken = TlsAcceptor::from(config).accept(Box::pin(stream)) => shaken,
    };
    match shaken {
        Ok(stream) => {
            let caller = tls.caller(stream.get_ref().1);
            serve(stream, peer, caller, serving, place).await;
        }
        Err(error) => {
            if let Some(reason) = tls.refusals().count_failed(&error) {
                tracing::debug!(reason, %error, "a connection was refused");
            }
        }
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    peer: Peer,
    caller: Caller,
    serving: Serving,
    _place: OwnedSemaphorePermit,
) {
    let Serving { router, builder, patience, leaving, ending, distrusted, .. } = serving;
    let activity = Activity::new();
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (version, asked) = (request.version(), activity.ask(request.version()));
        let (router, leaving) = (router.clone(), leaving.clone());
        let admitted = admit(&caller, request.extensions_mut());
        async move {
            let response = if admitted {
                into_response(router.oneshot(request.map(Body::new)).await)
            } else {
                (StatusCode::FORBIDDEN, "The certificate names nobody who may call.").into_response()
            };
            let mut response: Response<Body> = response.map(|body| asked.until_end_of(body));
            if version < Version::HTTP_2 && leaving.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(response)
        }
    });
    let stream = TokioIo::new(Counted::new(stream, activity.clone()));
    let connection = builder.serve_connection(stream, service);
    tokio::pin!(connection);
    let mut watch = Watch {
        patience,
        leaving: Some(Box::pin(leaving.clone().cancelled_owned())),
        ending: Some(Box::pin(ending.cancelled_owned())),
        distrusted: Some(Box::pin(distrusted.cancelled_owned())),
        last: None,
        alarm: Box::pin(sleep_until(Instant::now() + patience.head)),
        dismissed: None,
    };
    let ended = poll_fn(|context| match connection.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Some(ended)),
        Poll::Pending => watch.over(&activity, connection.as_mut(), context).map(|()| None),
    });
    if let Some(Err(error)) = ended.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// What can end a connection besides its client.
struct Watch {
    patience: Patience,
    leaving: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    ending: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    distrusted: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// When it is dropped, whatever it does.
    last: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
    /// When the client was asked to go, because it has been resting for too long.
    dismissed: Option<Instant>,
}

impl Watch {
    /// Resolves when the connection is to be dropped; before that, tells it to end when it is time.
    fn over(
        &mut self,
        activity: &Activity,
        mut connection: Pin<&mut impl GracefulConnection>,
        context: &mut Context<'_>,
    ) -> Poll<()> {
        let distrusted = is_ready(&mut self.distrusted, context);
        if distrusted {
            self.last = Some(Instant::now() + DISTRUSTED);
        }
        if distrusted || is_ready(&mut self.ending, context) {
            self.leaving = None;
            connection.as_mut().graceful_shutdown();
            context.waker().wake_by_ref();
        }
        // On HTTP/1.1 the answers say it. A new connection has its first request answered.
        if activity.version() == Some(Version::HTTP_2) && is_ready(&mut self.leaving, context) {
            connection.as_mut().graceful_shutdown();
            context.waker().wake_by_ref();
        }
        loop {
            let due = match self.dismissed {
                // The client has a moment to take what it was told, or what it asked for at the same time.
                Some(told) => {
                    let head = self.patience.head;
                    activity.due(Patience { head, rest: head }).map(|due| due.max(told + head))
                }
                None => activity.due(self.patience),
            };
            let due = due.into_iter().chain(self.last).min();
            let Some(due) = due else { return Poll::Pending };
            if due < self.alarm.deadline() {
                self.alarm.as_mut().reset(due);
            }
            if self.alarm.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let now = Instant::now();
            if now < due {
                self.alarm.as_mut().reset(due);
            } else if self.dismissed.is_none() && activity.rests() && self.last.is_none_or(|last| now < last)
            {
                // Where nothing more is sent on either side it is closed now; on HTTP/2 the client is told first.
                self.dismissed = Some(now);
                connection.as_mut().graceful_shutdown();
                context.waker().wake_by_ref();
            } else {
                return Poll::Ready(());
            }
        }
    }
}

/// Whether what is awaited has come; once only.
fn is_ready(
    awaited: &mut Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    context: &mut Context<'_>,
) -> bool {
    let ready = awaited.as_mut().is_some_and(|awaited| awaited.as_mut().poll(context).is_ready());
    if ready {
        *awaited = None;
    }
    ready
}

/// Lets a request in under its caller's name, if the connection has one; whether it may come in.
fn admit(caller: &Caller, extensions: &mut http::Extensions) -> bool {
    match caller {
        Caller::Unasked => true,
        Caller::Known(principal) => {
            extensions.insert(principal.clone());
            true
        }
        Caller::Refused => false,
    }
}

/// A router cannot fail.
fn into_response<T>(answered: Result<T, Infallible>) -> T {
    match answered {
        Ok(response) => response,
    }
}

/// Whether the failure is only that the client went away.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
