//! The notes over HTTP, and a client of them.

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use connector::{
    Service,
    serve::{HttpOptions, ServeError, http_until},
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
    pub(crate) client: reqwest::Client,
    pub(crate) service: Arc<Service<Notes>>,
    pub(crate) stop: CancellationToken,
    pub(crate) server: JoinHandle<Result<(), ServeError>>,
}

/// The defaults, at any port of loopback.
pub(crate) fn options() -> HttpOptions {
    HttpOptions::new(([127, 0, 0, 1], 0).into())
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: HttpOptions) -> Self {
        Self::of(super::service(), options).await
    }

    pub(crate) async fn of(service: Arc<Service<Notes>>, options: HttpOptions) -> Self {
        let stop = CancellationToken::new();
        let (tell, told) = oneshot::channel();
        let server = tokio::spawn(http_until(
            Arc::clone(&service),
            options,
            move |addr| tell.send(addr).unwrap(),
            stop.clone().cancelled_owned(),
        ));
        connector::tls::install();
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
        Self { addr: told.await.unwrap(), client, service, stop, server }
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
