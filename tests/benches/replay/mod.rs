//! An instant vendor: asks the sandbox once for each request it sees, answers from memory after that.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse, routing::post};
use connector::{Connector, sandbox};
use serde_json::Value;

use super::{Outcome, load::Target};

/// The instant vendor.
pub(crate) struct Vendor {
    pub(crate) url: String,
    pub(crate) target: Target,
    memory: Arc<Memory>,
    _fake: sandbox::Running,
}

struct Memory {
    sandbox: String,
    client: reqwest::Client,
    answers: Mutex<HashMap<Bytes, Bytes>>,
}

/// Starts it.
pub(crate) async fn start<S: Connector>() -> Outcome<Vendor> {
    connector::tls::install();
    let parts = S::sandbox().ok_or("no sandbox")?;
    let fake = sandbox::start(parts.fake, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let sandbox = format!("{}{}", fake.url().as_str().trim_end_matches('/'), parts.api_path);
    let memory = Arc::new(Memory { sandbox, client: reqwest::Client::new(), answers: Mutex::default() });
    let router = Router::new().route(parts.api_path, post(answer)).with_state(Arc::clone(&memory));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let target = Target { port, path: parts.api_path };
    Ok(Vendor { url: format!("http://127.0.0.1:{port}{}", parts.api_path), target, memory, _fake: fake })
}

impl Vendor {
    /// The body that the server sends for `operation` when it is called with `call`.
    pub(crate) async fn request_of(&self, operation: &str, server: &Target, call: &str) -> Outcome<String> {
        super::load::once(server, call).await?;
        let answers = self.memory.answers.lock().map_err(|_| "poisoned")?;
        answers
            .keys()
            .filter_map(|body| serde_json::from_slice::<Value>(body).ok())
            .find(|body| body["operationName"] == operation)
            .map(|body| body.to_string())
            .ok_or_else(|| format!("{operation} was not asked").into())
    }
}

async fn answer(State(memory): State<Arc<Memory>>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let kept = memory.answers.lock().ok().and_then(|answers| answers.get(&body).cloned());
    let answer = match kept {
        Some(answer) => answer,
        None => {
            let mut request = memory
                .client
                .post(&memory.sandbox)
                .header("content-type", "application/json")
                .body(body.clone());
            if let Some(token) = headers.get("authorization") {
                request = request.header("authorization", token);
            }
            let answer = match request.send().await {
                Ok(response) => response.bytes().await.unwrap_or_default(),
                Err(_) => Bytes::new(),
            };
            if let Ok(mut answers) = memory.answers.lock() {
                answers.insert(body, answer.clone());
            }
            answer
        }
    };
    // A vendor without limits: they are not what is measured.
    let limits = ["requests", "complexity"].map(|bucket| format!("x-ratelimit-{bucket}"));
    let mut response = ([("content-type", "application/json")], answer).into_response();
    for limit in limits {
        for (part, value) in
            [("limit", "2000000000"), ("remaining", "2000000000"), ("reset", "4102444800000")]
        {
            if let (Ok(name), Ok(value)) =
                (format!("{limit}-{part}").parse::<axum::http::HeaderName>(), value.parse())
            {
                response.headers_mut().insert(name, value);
            }
        }
    }
    response
}
