//! Serves a fake over real HTTP, with its own accept loop, so that a fault can do to a connection
//! what a framework would not.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use axum::{Router, body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};
use tower::ServiceExt as _;
use url::Url;

use super::{
    Action, Fake, Harness, control,
    damage::{self, Ending, Outcome},
    faults::Fault,
    pacing::Paced,
    rest::http_date,
};

/// No fake takes a larger request.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// Starts `fake` at `addr`; port 0 takes a free one. It answers until what is returned is dropped.
///
/// # Errors
/// If `addr` cannot be bound.
pub async fn start(fake: Arc<dyn Fake>, addr: SocketAddr) -> io::Result<Running> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let base = Url::parse(&format!("http://{addr}/")).map_err(io::Error::other)?;
    let harness = Harness::new(base);
    let site = Arc::new(Site {
        vendor: fake.router(&harness),
        control: control::router(Arc::clone(&fake), harness.clone()),
        harness: harness.clone(),
        fake,
    });
    let server = tokio::spawn(accept(listener, site)).abort_handle();
    Ok(Running { addr, harness, server })
}

/// A fake that answers. Dropping it closes its connections and frees the address.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    harness: Harness,
    server: AbortHandle,
}

impl Running {
    /// Where it answers: `http://127.0.0.1:4010/`.
    #[must_use]
    pub fn url(&self) -> Url {
        self.harness.url().clone()
    }

    /// The bound address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Clock, faults and journal.
    #[must_use]
    pub fn harness(&self) -> &Harness {
        &self.harness
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Everything that answers a request.
struct Site {
    fake: Arc<dyn Fake>,
    harness: Harness,
    vendor: Router,
    control: Router,
}

/// Accepts connections; dropping the future drops them all.
async fn accept(listener: TcpListener, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that broke before it was accepted is its client's loss.
                let Ok((stream, _)) = accepted else { continue };
                connections.spawn(serve(stream, Arc::clone(&site)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Serves one connection until the client, or a fault, ends it.
async fn serve(stream: TcpStream, site: Arc<Site>) {
    // Without it, small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let ending = Arc::new(Ending::default());
    let service = service_fn({
        let ending = Arc::clone(&ending);
        move |request| answer(Arc::clone(&site), Arc::clone(&ending), request)
    });
    let stream = Paced::until(stream, {
        let ending = Arc::clone(&ending);
        move |stream: &TcpStream| {
            if ending.reset.load(Ordering::Relaxed) {
                // A socket that lingers for no time is reset when it is closed.
                let _ = stream.set_zero_linger();
            }
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // A broken connection is either a fault at work or the client's own doing.
        _ = &mut connection => {}
        () = ending.hang_up.notified() => {
            // The answer has been handed over whole; let it out before hanging up.
            let _ = tokio::time::timeout(damage::FLUSH, connection).await;
        }
    }
}

/// The connection is to be cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut by a fault")]
struct Cut;

/// Answers one request, as the fault in force wants it.
async fn answer(site: Arc<Site>, ending: Arc<Ending>, request: Request<Incoming>) -> Result<Response, Cut> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_REQUEST).collect().await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    let body = body.to_bytes();
    if parts.uri.path().starts_with(control::PREFIX) {
        return Ok(call(&site.control, parts, body).await);
    }
    let journal = site.harness.journal();
    let operation = site.fake.operation(&parts, &body);
    let number = journal.open(&parts, &body, &operation, site.harness.clock().now());
    let cleared = site.harness.faults().cleared();
    let fault = site.harness.faults().take(&operation);
    let name = fault.as_ref().map(|fault| fault.action.name());
    journal.close(number, |entry| entry.fault = name);

    // The work is a task of its own, so that it is done even if the client hangs up meanwhile.
    let work = tokio::spawn({
        let (site, ending) = (Arc::clone(&site), Arc::clone(&ending));
        async move {
            let Some(Fault { action, committed }) = fault else {
                return Outcome::Response(handle(&site, number, parts, body).await);
            };
            if let Action::Delay { by } = action {
                let _ = tokio::time::timeout(by, cleared).await;
            }
            if let Action::LateLanding { by } = action {
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    handle(&site, number, parts, body).await;
                });
                return Outcome::Cut;
            }
            let instead = damage::instead(&action, &*site.fake);
            match instead {
                Some(answer) if !committed => answer,
                Some(answer) => {
                    handle(&site, number, parts, body).await;
                    answer
                }
                None => damage::apply(&action, handle(&site, number, parts, body).await, ending).await,
            }
        }
    });
    match work.await {
        Ok(Outcome::Response(mut response)) => {
            journal.close(number, |entry| entry.status = Some(response.status().as_u16()));
            // By the fake's own clock: whoever compares it with the times of things compares one clock's times.
            if let Ok(date) = HeaderValue::from_str(&http_date(site.harness.clock().now())) {
                response.headers_mut().entry(header::DATE).or_insert(date);
            }
            Ok(response)
        }
        Ok(Outcome::Silence) => std::future::pending().await,
        Ok(Outcome::Reset) => {
            ending.reset.store(true, Ordering::Relaxed);
            Err(Cut)
        }
        // The work fails only by a panic in the fake, which its own test has to show.
        Ok(Outcome::Cut) | Err(_) => Err(Cut),
    }
}

/// Lets the fake do its work, which the journal tells.
async fn handle(site: &Site, number: u64, parts: Parts, body: Bytes) -> Response {
    site.harness.journal().close(number, |entry| entry.handled = true);
    call(&site.vendor, parts, body).await
}

async fn call(router: &Router, parts: Parts, body: Bytes) -> Response {
    let request = Request::from_parts(parts, Body::from(body));
    router.clone().oneshot(request).await.unwrap_or_else(|never: Infallible| match never {})
}
