//! The fake GitHub over real HTTP, asked with any token, answers whole: status, headers, JSON.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::SocketAddr, time::Duration};

use connector::sandbox::{Running, start};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap, redirect};
use serde_json::{Value, json};

/// Maya's token with every permission.
pub(crate) const MAYA: &str = github_mcp::sandbox::TOKEN;
/// Others of hers: classic; with a scope for nothing here; with every permission to read; for one repository.
pub(crate) const CLASSIC: &str = "ghp_sandbox0maya0classic";
pub(crate) const SCOPELESS: &str = "ghp_sandbox0maya0scopeless";
pub(crate) const READONLY: &str = "github_pat_sandbox0maya0readonly";
pub(crate) const IMPORT_API: &str = "github_pat_sandbox0maya0importapi";
/// Tomás's, classic.
pub(crate) const TOMAS: &str = "ghp_sandbox0tomas";

/// The key of the app of the seed, which has the public half.
const APP_KEY: &[u8] = include_bytes!("../app_key.pem");

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
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

/// The fake, and a client that does not follow redirects.
pub(crate) struct Sandbox {
    pub(crate) running: Running,
    client: Client,
}

impl Sandbox {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = start(github_mcp::sandbox::fake(), loopback).await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).user_agent("test").build().unwrap();
        Self { running, client }
    }

    /// A request with a token, or with none if it is empty.
    pub(crate) fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.running.url()));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        answer(self.request(token, Method::GET, path)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        answer(self.request(token, Method::POST, path).json(&body)).await
    }

    pub(crate) async fn graphql(&self, token: &str, query: &str, variables: Value) -> Answer {
        self.post(token, "graphql", json!({"query": query, "variables": variables})).await
    }

    /// One of the routes that GitHub does not have.
    pub(crate) async fn control(&self, token: &str, what: &str, body: Value) {
        let answer = self.post(token, &format!("_github/{what}"), body).await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
    }

    /// Seconds since the epoch, on the fake's clock.
    pub(crate) fn now(&self) -> u64 {
        self.running.harness().clock().now().as_secs()
    }

    /// Time passes for the fake.
    pub(crate) fn pass(&self, seconds: u64) {
        self.running.harness().clock().advance(Duration::from_secs(seconds));
    }

    /// The app's own token, of ten minutes less one.
    pub(crate) fn app_token(&self) -> String {
        let now = self.now();
        signed(&json!({"iss": "4100", "iat": now - 60, "exp": now + 480}))
    }
}

/// Sends a request.
pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default();
    Answer { status, headers, body }
}

/// A token with these claims, signed by the app's key.
pub(crate) fn signed(claims: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(APP_KEY).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
}
