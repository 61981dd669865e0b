//! The fake GitHub over real HTTP, and a client that speaks plain REST and GraphQL to it as somebody.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{net::SocketAddr, time::Duration};

use connector::sandbox::{Running, start};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Maya, who is an administrator.
pub(crate) const MAYA: &str = github_mcp::sandbox::TOKEN;
/// Tomás, who may write.
pub(crate) const TOMAS: &str = "ghp_sandbox0tomas";

/// The repository of the story.
pub(crate) const REPO: &str = "repos/harbor-example/import-api";

/// The fake, and a client.
pub(crate) struct Sandbox {
    pub(crate) running: Running,
    client: Client,
}

impl Sandbox {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = start(github_mcp::sandbox::fake(), loopback).await.unwrap();
        let client = Client::builder().user_agent("test").build().unwrap();
        Self { running, client }
    }

    /// Status and body of a request with a token and an `Accept` header. What is no JSON comes as a text.
    pub(crate) async fn request(
        &self,
        token: &str,
        accept: &str,
        method: Method,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let url = format!("{}{path}", self.running.url());
        let request = self.client.request(method, url).bearer_auth(token).header("accept", accept);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Status and JSON of a request as somebody.
    pub(crate) async fn send_as(&self, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.request(token, "application/vnd.github+json", method, path, body).await
    }

    /// The same as Maya.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        self.send_as(MAYA, method, path, body).await
    }

    /// The JSON at a path that answers 200.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.send(Method::GET, path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::DELETE, path, body).await
    }

    /// The data of a GraphQL request that must not fail.
    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql_as(MAYA, query, variables).await;
        assert_eq!(answer["errors"], Value::Null, "{answer}");
        answer["data"].clone()
    }

    /// The whole answer to a GraphQL request as somebody.
    pub(crate) async fn graphql_as(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({"query": query, "variables": variables});
        self.send_as(token, Method::POST, "graphql", body).await.1
    }

    /// Time passes for the fake.
    pub(crate) fn pass(&self, seconds: u64) {
        self.running.harness().clock().advance(Duration::from_secs(seconds));
    }
}

/// The values of a key in a list.
pub(crate) fn column(rows: &Value, key: &str) -> Vec<Value> {
    rows.as_array().unwrap().iter().map(|row| row[key].clone()).collect()
}
