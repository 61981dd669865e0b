//! Serving one client over pipes: started by it, ended by it.

use std::{io, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use rmcp::{
    RoleServer, ServiceExt as _,
    service::{DynService, ServerInitializeError},
    transport::stdio_pipes,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{handler, lines::Lines, shutdown::Stop};
use crate::{
    Connector, Service,
    catalog::{Tool, Writes},
    protocol::HandlerOptions,
};

/// How to serve over pipes.
#[derive(Clone, Debug)]
pub struct StdioOptions {
    /// How long a call may take.
    pub call_timeout: Duration,
    /// Calls under way at once.
    pub max_in_flight: usize,
    /// The most bytes of one message. A longer one is refused without being kept.
    pub max_line: usize,
    /// How long writes under way may take to finish once the client has gone or the process is asked
    /// to end. 10 s.
    pub drain: Duration,
}

/// How long calls that only wait to be sent may go on waiting once the end has begun: then they are given up, while
/// there is still time to answer.
const WAITING: Duration = Duration::from_secs(4);

impl Default for StdioOptions {
    fn default() -> Self {
        let HandlerOptions { call_timeout, max_in_flight, .. } = HandlerOptions::default();
        Self { call_timeout, max_in_flight, max_line: 4 * 1024 * 1024, drain: Duration::from_secs(10) }
    }
}

/// Serves on standard input and output until the client closes its end or the process is asked to
/// end. Calls under way then have five seconds to be answered, and writes [`StdioOptions::drain`] to
/// finish; writes that are not sent by then are given up, and say so.
///
/// A `current_thread` runtime is enough. It should be ended with `shutdown_background`: where
/// standard input is no pipe, a thread of the runtime is stuck in reading it.
///
/// # Errors
/// The pipes or signals cannot be set up, or the client broke the protocol before it began.
pub async fn stdio<S: Connector>(service: Arc<Service<S>>, options: StdioOptions) -> io::Result<()> {
    let stop = Stop::on_signals()?;
    let (read, write) = stdio_pipes();
    pipes(service, options, read, write, stop.asked.cancelled_owned()).await
}

/// Serves on any pair of pipes, until `read` ends or `stop` resolves, and waits for the writes of
/// `service` that are under way then.
///
/// # Errors
/// The client broke the protocol before it began.
pub async fn pipes<S: Connector>(
    service: Arc<Service<S>>,
    options: StdioOptions,
    read: impl AsyncRead + Send + Unpin + 'static,
    write: impl AsyncWrite + Send + Unpin + 'static,
    stop: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let closing = CancellationToken::new();
    let handler = handler(
        Arc::clone(&service),
        HandlerOptions {
            call_timeout: options.call_timeout,
            max_in_flight: options.max_in_flight,
            reaches_legacy_clients: true,
            writes_schemas: true,
            closing: closing.clone(),
            metrics: None,
            quotas: None,
        },
    );
    let writes = service.writes().clone();
    let schemas = Arc::new(move |tool: &str| service.tool(tool).and_then(Tool::written_schema));
    let transport =
        Lines::new(Box::new(read) as _, Box::new(write) as _, options.max_line, closing.clone(), schemas);
    until_the_end(handler.into_dyn(), transport, writes, options.drain, closing, Box::pin(stop)).await
}

/// [`pipes`], but for what depends on the server: compiled once, with this crate, and not with each server.
async fn until_the_end(
    answerer: Box<dyn DynService<RoleServer>>,
    transport: Lines<Box<dyn AsyncRead + Send + Unpin>, Box<dyn AsyncWrite + Send + Unpin>>,
    writes: Writes,
    drain: Duration,
    closing: CancellationToken,
    stop: BoxFuture<'_, ()>,
) -> io::Result<()> {
    let serving = async {
        // The SDK's future takes tens of kB, and what stands around it would be moved with it.
        let ended = match Box::pin(answerer.serve(transport)).await {
            Ok(running) => running.waiting().await.map(drop).map_err(io::Error::other),
            // The client went away before it said what it wanted, which is its right: some only
            // probe a server and then start another.
            Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        };
        closing.cancel();
        ended
    };
    let draining = async {
        tokio::select! {
            () = closing.cancelled() => {}
            // To the transport this is the end of input: what is under way is finished and answered.
            () = stop => closing.cancel(),
        }
        Instant::now() + drain
    };
    let waiting = async {
        closing.cancelled().await;
        sleep(WAITING.min(drain / 2)).await;
        writes.stop_waiting();
        std::future::pending::<std::convert::Infallible>().await
    };
    let (ended, end) = tokio::select! {
        both = async { tokio::join!(serving, draining) } => both,
        never = waiting => match never {},
    };
    writes.stop_waiting();
    writes.finish(end).await;
    ended
}
