//! An instant vendor: asks the sandbox once for each request it sees, answers from memory after that.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse, Response},
};
use connector::{Connector, sandbox};

use super::{Outcome, load::Target};

/// The instant vendor.
pub(crate) struct Vendor {
    pub(crate) url: String,
    port: u16,
    memory: Arc<Memory>,
    _fake: sandbox::Running,
}

struct Memory {
    /// The sandbox's address, without a path.
    sandbox: String,
    client: reqwest::Client,
    answers: Mutex<HashMap<Question, Kept>>,
    last: Mutex<Option<Question>>,
}

/// Method, path with query, body.
type Question = (Method, String, Bytes);

/// Status, headers, body.
type Kept = (u16, HeaderMap, Bytes);

/// Starts it.
pub(crate) async fn start<S: Connector>() -> Outcome<Vendor> {
    connector::tls::install();
    let parts = S::sandbox().ok_or("no sandbox")?;
    let fake = sandbox::start(parts.fake, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let sandbox = fake.url().as_str().trim_end_matches('/').to_owned();
    let client = reqwest::Client::new();
    let memory = Arc::new(Memory { sandbox, client, answers: Mutex::default(), last: Mutex::default() });
    let router = Router::new().fallback(answer).with_state(Arc::clone(&memory));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(Vendor { url: format!("http://127.0.0.1:{port}{}", parts.api_path), port, memory, _fake: fake })
}

impl Vendor {
    /// The request that the server sends, the last one, when it is called with `call`: where it goes, and its body.
    pub(crate) async fn request_of(&self, server: &Target, call: &str) -> Outcome<(Target, String)> {
        super::load::once(server, call).await?;
        let last = self.memory.last.lock().map_err(|_| "poisoned")?.clone();
        let (method, path, body) = last.ok_or("the vendor was not asked")?;
        Ok((Target { method, path, ..Target::plain(self.port) }, String::from_utf8(body.to_vec())?))
    }
}

async fn answer(
    State(memory): State<Arc<Memory>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let question = (method, path, body);
    if let Ok(mut last) = memory.last.lock() {
        *last = Some(question.clone());
    }
    let kept = memory.answers.lock().ok().and_then(|answers| answers.get(&question).cloned());
    let (status, mut told, body) = match kept {
        Some(kept) => kept,
        None => {
            let kept = ask(&memory, &question, &headers).await;
            if let Ok(mut answers) = memory.answers.lock() {
                answers.insert(question, kept.clone());
            }
            kept
        }
    };
    // A vendor without limits: they are not what is measured.
    let names: Vec<_> =
        told.keys().filter(|name| name.as_str().starts_with("x-ratelimit")).cloned().collect();
    for name in names {
        let value = match name.as_str() {
            name if name.ends_with("-limit") || name.ends_with("-remaining") => "2000000000",
            "x-ratelimit-reset" => "4102444800",
            name if name.ends_with("-reset") => "4102444800000",
            _ => continue,
        };
        if let Ok(value) = value.parse() {
            told.insert(name, value);
        }
    }
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    (status, told, body).into_response()
}

/// The sandbox's own answer.
async fn ask(memory: &Memory, (method, path, body): &Question, headers: &HeaderMap) -> Kept {
    let mut request =
        memory.client.request(method.clone(), format!("{}{path}", memory.sandbox)).body(body.clone());
    let of_the_connection = ["host", "content-length", "connection", "accept-encoding"];
    for (name, value) in headers.iter().filter(|(name, _)| !of_the_connection.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            let mut told = response.headers().clone();
            for framing in ["content-length", "transfer-encoding", "connection"] {
                told.remove(framing);
            }
            (status, told, response.bytes().await.unwrap_or_default())
        }
        Err(_) => (502, HeaderMap::new(), Bytes::new()),
    }
}
