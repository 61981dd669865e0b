//! The pipeline over real HTTP on loopback, with the time in the tests' hands.

mod auth;
mod breaking;
mod caching;
mod certificates;
mod limits;
mod names;
mod oauth;
mod repeating;
mod sharing;
mod transport;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    response::{IntoResponse as _, Response as Answer},
};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use url::Url;

use super::{
    Budget, Options, Reading, Request, Response, RetryOptions, Upstream, Vendor,
    auth::{Credential, Fixed},
    classify,
};
use crate::{Result, Secret, clock};

/// A vendor with the plainest manners.
struct Acme {
    budgets: Vec<Budget>,
    /// Whether it trusts every host with its credential.
    trusting: bool,
}

impl Vendor for Acme {
    fn name(&self) -> &'static str {
        "acme"
    }

    fn title(&self) -> &'static str {
        "Acme"
    }

    fn budgets(&self) -> Vec<Budget> {
        self.budgets.clone()
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).unwrap();
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    fn classify(&self, _request: &Request, response: &Response) -> Result<()> {
        classify::status("Acme", response)
    }

    fn trusts(&self, _url: &Url) -> bool {
        self.trusting
    }

    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        let number = |name| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let remaining = number("x-remaining").map(|remaining| remaining as u32);
        let reset = number("x-reset-in").map(|seconds| clock::wall() + Duration::from_secs(seconds));
        vec![Reading { bucket: "requests", limit: None, remaining, reset }]
    }
}

/// Options without chance in them.
fn options(url: &Url) -> Options {
    Options { retry: RetryOptions { jitter: false, ..RetryOptions::default() }, ..Options::new(url.clone()) }
}

/// Options that try once.
fn once(url: &Url) -> Options {
    let mut options = options(url);
    options.retry.max_attempts = 1;
    options
}

fn upstream(options: Options) -> Upstream {
    with_credential(options, Arc::new(Fixed::new(Secret::new("token-1"))))
}

fn with_credential(options: Options, credential: Arc<dyn Credential>) -> Upstream {
    Upstream::new(Arc::new(Acme { budgets: Vec::new(), trusting: false }), credential, options)
}

fn with_budgets(options: Options, budgets: Vec<Budget>) -> Upstream {
    Upstream::new(
        Arc::new(Acme { budgets, trusting: false }),
        Arc::new(Fixed::new(Secret::new("token-1"))),
        options,
    )
}

fn read() -> Request {
    Request::get("GetThing", "/thing")
}

/// A write that must not be repeated.
fn write() -> Request {
    Request::post("MakeThing", "/things").json(&serde_json::json!({"name": "x"})).unwrap()
}

fn ok(body: &'static str) -> Answer {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn status(code: u16) -> Answer {
    StatusCode::from_u16(code).unwrap().into_response()
}

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Seen {
    /// How many came before it.
    number: usize,
    method: Method,
    path: String,
    authorization: Option<String>,
    if_none_match: Option<String>,
    body: String,
}

/// An HTTP server on loopback that answers as a closure says.
struct Server {
    url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
    task: AbortHandle,
}

impl Server {
    async fn start<F>(answer: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        Self::answering(Arc::new(move |seen| Box::pin(answer(seen)))).await
    }

    /// [`Self::start`] without what each closure would have compiled once more.
    async fn answering(answer: Arc<dyn Fn(Seen) -> BoxFuture<'static, Answer> + Send + Sync>) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let journal = Arc::clone(&seen);
        let router = axum::Router::new().fallback(move |request: axum::extract::Request| {
            let (journal, answer) = (Arc::clone(&journal), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let authorization = parts.headers.get(header::AUTHORIZATION);
                let this = {
                    let mut journal = journal.lock().unwrap();
                    let this = Seen {
                        number: journal.len(),
                        method: parts.method,
                        path: parts.uri.to_string(),
                        authorization: authorization.map(|value| value.to_str().unwrap().to_owned()),
                        if_none_match: parts
                            .headers
                            .get(header::IF_NONE_MATCH)
                            .map(|value| value.to_str().unwrap().to_owned()),
                        body: String::from_utf8_lossy(&body).into_owned(),
                    };
                    journal.push(this.clone());
                    this
                };
                answer(this).await
            }
        });
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                count.fetch_add(1, Ordering::Relaxed);
                let service = TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { url, seen, connections, task: task.abort_handle() }
    }

    fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server below HTTP: gets each connection with its number.
async fn raw(
    mut handle: impl FnMut(usize, TcpStream) -> BoxFuture<'static, ()> + Send + 'static,
) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(handle(count.fetch_add(1, Ordering::Relaxed), stream));
        }
    });
    (url, connections)
}

/// Reads a request's head and a little body off a connection; false at its end.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut bytes = vec![0; 64 * 1024];
    matches!(stream.read(&mut bytes).await, Ok(length) if length > 0)
}

/// A body of `length` bytes of JSON.
fn long_json(length: usize) -> Body {
    Body::from(format!("\"{}\"", "x".repeat(length - 2)))
}
