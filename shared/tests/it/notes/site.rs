//! The notes over HTTP, and a client of them.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use connector::{
    Service,
    serve::{HttpOptions, Listening, ServeError, Stop, http_until},
};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::Notes;

/// A server on loopback, and a client of it.
pub(crate) struct Site {
    pub(crate) addr: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) client: reqwest::Client,
    pub(crate) service: Arc<Service<Notes>>,
    pub(crate) stop: CancellationToken,
    pub(crate) at_once: CancellationToken,
    pub(crate) server: JoinHandle<Result<(), ServeError>>,
}

/// The defaults, at any port of loopback; stopped without a wait.
pub(crate) fn options() -> HttpOptions {
    let mut options = HttpOptions::new(([127, 0, 0, 1], 0).into());
    options.lame_duck = Duration::ZERO;
    options
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: HttpOptions) -> Self {
        Self::of(super::service(), options).await
    }

    pub(crate) async fn of(service: Arc<Service<Notes>>, options: HttpOptions) -> Self {
        let stop = Stop::default();
        let (tell, told) = oneshot::channel();
        let server = tokio::spawn(http_until(
            Arc::clone(&service),
            options,
            move |at| tell.send(at).unwrap(),
            stop.clone(),
        ));
        connector::tls::install();
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        let Stop { asked, at_once } = stop;
        let Listening { callers: addr, admin } = told.await.unwrap();
        Self { addr, admin, client, service, stop: asked, at_once, server }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.addr))
    }

    pub(crate) fn post(&self) -> RequestBuilder {
        self.client
            .post(format!("http://{}/mcp", self.addr))
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json")
    }

    /// A modern request with the headers that go with it.
    pub(crate) fn modern(&self, message: &Value) -> RequestBuilder {
        let params = &message["params"];
        let mut request = self
            .post()
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", message["method"].as_str().unwrap());
        if let Some(name) = params["name"].as_str().or(params["uri"].as_str()) {
            request = request.header("mcp-name", name);
        }
        request.body(message.to_string())
    }

    pub(crate) async fn ask(&self, message: Value) -> Value {
        let response = self.modern(&message).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    pub(crate) async fn begun(&self, calls: usize) {
        while self.service.server().slow_begun.load(Ordering::SeqCst) < calls {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Sends bytes on a connection of their own and reads until the server closes it.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A reset counts as closed.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// A connection that is kept.
pub(crate) struct Kept {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Kept {
    pub(crate) async fn open(site: &Site) -> Self {
        Self { stream: TcpStream::connect(site.addr).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads until `done` says so of all that came since the last time.
    pub(crate) async fn until(&mut self, done: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        while !done(&self.read) {
            let read = self.stream.read_buf(&mut self.read).await.unwrap();
            assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
        }
        std::mem::take(&mut self.read)
    }

    /// The answer to a GET over HTTP/1.1.
    pub(crate) async fn get(&mut self, path: &str) -> String {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).await;
        let is_whole = |read: &[u8]| {
            let text = String::from_utf8_lossy(read);
            let (head, body) = text.split_once("\r\n\r\n")?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            (body.len() >= length.parse().ok()?).then_some(())
        };
        String::from_utf8(self.until(|read| is_whole(read).is_some()).await).unwrap()
    }

    /// Whether the server closes it, whatever it still says.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.stream.read_to_end(&mut self.read).await.is_ok()
    }
}
