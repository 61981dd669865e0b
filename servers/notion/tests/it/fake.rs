//! The fake behaves as Notion does, spoken to directly.

use std::net::SocketAddr;

use connector::sandbox::{self, Running};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

struct Fake {
    running: Running,
    client: Client,
}

impl Fake {
    async fn start() -> Self {
        connector::tls::install();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            running: sandbox::start(notion_mcp::sandbox::fake(), loopback).await.unwrap(),
            client: Client::new(),
        }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.running.url()))
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The statuses and codes of developers.notion.com/reference/status-codes.
#[tokio::test]
async fn a_request_needs_a_token_and_a_version_in_this_order() {
    let fake = Fake::start().await;
    let token = |request: RequestBuilder| request.bearer_auth("ntn_sandbox");
    let version = |request: RequestBuilder| request.header("notion-version", "2026-03-11");

    let (status, body) = answer(version(fake.get("v1/users/me"))).await;
    assert_eq!((status, &body["object"], &body["code"]), (401, &json!("error"), &json!("unauthorized")));
    let (status, body) = answer(token(fake.get("v1/users/me"))).await;
    assert_eq!((status, &body["code"]), (400, &json!("missing_version")));
    let (status, body) = answer(version(token(fake.get("v1/users/me")))).await;
    assert_eq!((status, &body["object"], &body["type"]), (200, &json!("user"), &json!("bot")), "{body}");
}
