//! The fake GitHub over real HTTP, asked in plain REST and GraphQL.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use connector::sandbox::{Fake, Harness, Running, start};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method, RequestBuilder, Url, header::HeaderMap, redirect};
use serde_json::{Value, json};

use super::{MAYA, REPO_PATH};

/// The key of the app of the seed, which has the public half.
const APP_KEY: &[u8] = include_bytes!("../app_key.pem");

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its JSON. Null for none; a text for what is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// A header; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The status and what the body says.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["message"].as_str().unwrap_or_default())
    }
}

/// Sends a request.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    Answer { status, headers, body }
}

/// A token with these claims, signed by the app's key.
pub(crate) fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(APP_KEY).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}

/// The values of a key in a list.
pub(crate) fn column(rows: &Value, key: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[key].clone()).collect()
}

/// The fake, and a client that does not follow redirects.
pub(crate) struct Sandbox {
    /// Where it is.
    pub(crate) url: Url,
    /// The client.
    pub(crate) client: Client,
    harness: Harness,
    fake: Arc<dyn Fake>,
    /// Keeps the fake running, unless somebody else does.
    _running: Option<Running>,
}

impl Sandbox {
    /// The fake over the story.
    pub(crate) async fn start() -> Self {
        Self::over(github_mcp::sandbox::fake()).await
    }

    /// The fake over another seed.
    pub(crate) async fn start_with(seed: String) -> Self {
        Self::over(github_mcp::sandbox::with_seed(seed)).await
    }

    async fn over(fake: Arc<dyn Fake>) -> Self {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = start(Arc::clone(&fake), loopback).await.unwrap();
        let mut sandbox = Self::beside(&running, &fake);
        sandbox._running = Some(running);
        sandbox
    }

    /// A fake that somebody else keeps running.
    pub(crate) fn beside(running: &Running, fake: &Arc<dyn Fake>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::builder().redirect(redirect::Policy::none()).user_agent("test").build().unwrap();
        let (url, harness) = (running.url().clone(), running.harness().clone());
        Self { url, client, harness, fake: Arc::clone(fake), _running: None }
    }

    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        &self.harness
    }

    /// Seconds since the epoch, on the fake's clock.
    pub(crate) fn now(&self) -> u64 {
        self.harness().clock().now().as_secs()
    }

    /// Time passes for the fake.
    pub(crate) fn pass(&self, seconds: u64) {
        self.harness().clock().advance(Duration::from_secs(seconds));
    }

    /// Everything that the fake remembers.
    pub(crate) fn dump(&self) -> Value {
        self.fake.dump()
    }
}

/// Asking as Maya.
impl Sandbox {
    /// A request.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(MAYA, method, path)
    }

    /// Status and body of a request; null is no body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.send_as(MAYA, method, path, body).await
    }

    /// Status and body of a GET.
    pub(crate) async fn try_get(&self, path: &str) -> (u16, Value) {
        self.send(Method::GET, path, Value::Null).await
    }

    /// The JSON at a path, which must answer 200.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.try_get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The JSON at a path below the story's repository.
    pub(crate) async fn of_repo(&self, path: &str) -> Value {
        self.get(&format!("{REPO_PATH}/{path}")).await
    }

    /// The bytes at a path, in a format of GitHub's.
    pub(crate) async fn bytes(&self, path: &str, format: &str) -> Vec<u8> {
        let request = self.request(Method::GET, path);
        let request = request.header("accept", format!("application/vnd.github.{format}"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.bytes().await.unwrap().to_vec()
    }

    /// Status and body of a POST.
    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, body).await
    }

    /// Status and body of a PATCH.
    pub(crate) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PATCH, path, body).await
    }

    /// Status and body of a PUT.
    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PUT, path, body).await
    }

    /// Status and body of a DELETE.
    pub(crate) async fn delete(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::DELETE, path, body).await
    }

    /// What a write that must succeed answers.
    pub(crate) async fn write(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, body) = self.send(method, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {body}");
        body
    }

    /// The data of a GraphQL request that must not fail.
    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql_as(MAYA, query, variables).await;
        assert_eq!((answer.status, &answer.body["errors"]), (200, &Value::Null), "{}", answer.body);
        answer.body["data"].clone()
    }
}

/// Asking with any token, or with none if it is empty.
impl Sandbox {
    /// A request.
    pub(crate) fn request_as(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    /// Status and body of a request; null is no body.
    pub(crate) async fn send_as(&self, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.request_as(token, method, path).header("accept", "application/vnd.github+json");
        let answer = answer(if body.is_null() { request } else { request.json(&body) }).await;
        (answer.status, answer.body)
    }

    /// The answer to a GET.
    pub(crate) async fn get_as(&self, token: &str, path: &str) -> Answer {
        answer(self.request_as(token, Method::GET, path)).await
    }

    /// The answer to a POST.
    pub(crate) async fn post_as(&self, token: &str, path: &str, body: Value) -> Answer {
        answer(self.request_as(token, Method::POST, path).json(&body)).await
    }

    /// The answer to a GraphQL request.
    pub(crate) async fn graphql_as(&self, token: &str, query: &str, variables: Value) -> Answer {
        self.post_as(token, "graphql", json!({"query": query, "variables": variables})).await
    }

    /// One of the routes that GitHub does not have.
    pub(crate) async fn control(&self, token: &str, what: &str, body: Value) {
        let answer = self.post_as(token, &format!("_github/{what}"), body).await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
    }

    /// The app's own token, of ten minutes less one.
    pub(crate) fn app_token(&self) -> String {
        let now = self.now();
        signed(&json!({"iss": "4100", "iat": now - 60, "exp": now + 480}))
    }
}

/// What git has in the story's repository.
impl Sandbox {
    /// The head of a branch.
    pub(crate) async fn head(&self, branch: &str) -> String {
        let found = self.of_repo(&format!("git/ref/heads/{branch}")).await;
        found["object"]["sha"].as_str().unwrap().to_owned()
    }

    /// A file's bytes at a ref.
    pub(crate) async fn file(&self, path: &str, at: &str) -> Vec<u8> {
        self.bytes(&format!("{REPO_PATH}/contents/{path}?ref={at}"), "raw").await
    }

    /// The mode of a file; none if it is not there.
    pub(crate) async fn mode(&self, path: &str, at: &str) -> Option<String> {
        let at = at.replace('/', "%2F");
        let tree = self.of_repo(&format!("git/trees/{at}?recursive=1")).await;
        let entry = tree["tree"].as_array().unwrap().iter().find(|entry| entry["path"] == path)?;
        Some(entry["mode"].as_str().unwrap().to_owned())
    }
}
