//! The fake behaves as Slack does, spoken to directly.

use std::net::SocketAddr;

use connector::sandbox;
use reqwest::Client;
use serde_json::{Value, json};

/// A refusal comes under HTTP 200, and a body is a form or JSON (docs.slack.dev/apis/web-api).
#[tokio::test]
async fn refusals_come_under_http_200_and_a_body_is_a_form_or_json() {
    connector::tls::install();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = sandbox::start(slack_mcp::sandbox::fake(), loopback).await.unwrap();
    let client = Client::new();
    let post = |method: &str| client.post(format!("{}api/{method}", running.url()));

    let answer = post("auth.test").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ok": false, "error": "not_authed"}));

    let arguments = json!({"channel": "C000000000"});
    let json = post("conversations.info").bearer_auth("xoxb-sandbox").json(&arguments);
    let form = post("conversations.info").bearer_auth("xoxb-sandbox").form(&arguments);
    for request in [json, form] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        assert_eq!(answer.json::<Value>().await.unwrap()["error"], "channel_not_found");
    }
}
