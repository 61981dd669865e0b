//! The fake GitHub over real HTTP, and a client that speaks plain REST and GraphQL to it.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use connector::sandbox::{Fake, Running, start};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, redirect};
use serde_json::{Value, json};

/// Maya's token with every permission.
pub(crate) const TOKEN: &str = github_mcp::sandbox::TOKEN;

/// The fake, and a client that does not follow redirects.
pub(crate) struct Sandbox {
    pub(crate) running: Running,
    pub(crate) client: Client,
}

impl Sandbox {
    pub(crate) async fn start() -> Self {
        Self::over(github_mcp::sandbox::fake()).await
    }

    /// The fake over another seed.
    pub(crate) async fn start_with(seed: String) -> Self {
        Self::over(github_mcp::sandbox::with_seed(seed)).await
    }

    async fn over(fake: Arc<dyn Fake>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = start(fake, loopback).await.unwrap();
        let client = Client::builder().redirect(redirect::Policy::none()).user_agent("test").build().unwrap();
        Self { running, client }
    }

    /// A request with Maya's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(TOKEN)
    }

    /// A request without a token.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.running.url()))
    }

    /// The JSON at a path that answers 200.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.request(Method::GET, path).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Status and JSON (null for none) of a request with a body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        answer(self.request(method, path).json(&body).send().await.unwrap()).await
    }

    /// Status and JSON of a plain GET.
    pub(crate) async fn try_get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    /// The data of a GraphQL request that must not fail.
    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        let (status, answer) = self.send(Method::POST, "graphql", body).await;
        assert_eq!((status, &answer["errors"]), (200, &Value::Null), "{answer}");
        answer["data"].clone()
    }

    /// Time passes for the fake.
    pub(crate) fn pass(&self, seconds: u64) {
        self.running.harness().clock().advance(Duration::from_secs(seconds));
    }
}

async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
}

/// The values of a key in a list.
pub(crate) fn column(rows: &Value, key: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[key].clone()).collect()
}
