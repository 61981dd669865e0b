//! How often callers may call over HTTP, and that none of them is in another's way.

use std::{collections::HashMap, fs};

use connector::access::{ApiKeys, Quotas};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::notes::{
    modern,
    site::{Site, options},
    text,
};

/// A site with two callers, and their keys.
struct Shared {
    site: Site,
    /// The file of the keys, for as long as they are to be good.
    _folder: tempfile::TempDir,
    ada: String,
    ben: String,
}

impl Shared {
    async fn with(quotas: Option<Quotas>, max_in_flight: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let [(ada, first), (ben, second)] = ["ada", "ben"].map(ApiKeys::generate);
        fs::write(&file, format!("{first}\n{second}\n")).unwrap();
        let mut options = options();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        options.quotas = quotas;
        options.max_in_flight = max_in_flight;
        Self { site: Site::with(options).await, _folder: folder, ada, ben }
    }

    async fn ask(&self, key: &str, method: &str, params: Value) -> Value {
        let request = self.site.modern(&modern(1, method, params)).bearer_auth(key);
        let response = request.send().await.unwrap();
        assert_ne!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        response.json().await.unwrap()
    }

    async fn call(&self, key: &str, tool: &str, arguments: Value) -> Value {
        self.ask(key, "tools/call", json!({"name": tool, "arguments": arguments})).await
    }
}

fn is_refused(answer: &Value) -> bool {
    answer["result"]["isError"] == true && text(answer).starts_with("rate_limited: ")
}

#[tokio::test]
async fn calls_beyond_a_quota_are_answered_in_words_and_lists_go_on() {
    let shared = Shared::with(Some(Quotas::new(3, HashMap::from([("delete_note", 1)]))), 64).await;
    for beyond in [false, false, false, true] {
        let answer = shared.call(&shared.ada, "read_note", json!({"name": "one"})).await;
        assert_eq!(is_refused(&answer), beyond, "{answer}");
    }
    let answer = shared.call(&shared.ada, "read_note", json!({"name": "one"})).await;
    assert!(text(&answer).contains("retry_after_s: ") && text(&answer).contains("3 calls"), "{answer}");
    // The tool that is counted apart, and the resource that is not.
    assert!(!is_refused(&shared.call(&shared.ada, "delete_note", json!({"name": "one"})).await));
    let answer = shared.call(&shared.ada, "delete_note", json!({"name": "one"})).await;
    assert!(is_refused(&answer) && text(&answer).contains("calls of delete_note"), "{answer}");
    let read = shared.ask(&shared.ada, "resources/read", json!({"uri": "notes://note/one"})).await;
    assert_eq!(read["error"]["data"]["kind"], "rate_limited", "{read}");
    assert!(read["error"]["data"]["retryAfterMs"].as_u64().unwrap() > 0);
    for method in ["tools/list", "prompts/list", "server/discover"] {
        let answer = shared.ask(&shared.ada, method, json!({})).await;
        assert!(answer["result"].is_object(), "{answer}");
    }
    assert!(!is_refused(&shared.call(&shared.ben, "read_note", json!({"name": "one"})).await));
}

#[tokio::test]
async fn a_flood_is_refused_unread_and_nobody_else_notices() {
    let shared = Shared::with(Some(Quotas::new(1, HashMap::new())), 64).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ask = |key: &str| {
        client.request(Method::GET, format!("http://{}/mcp", shared.site.addr)).bearer_auth(key).send()
    };
    let mut refused = None;
    for _ in 0..30 {
        let answers = join_all((0..50).map(|_| ask(&shared.ada))).await;
        let mut answers = answers.into_iter().map(Result::unwrap);
        refused = answers.find(|answer| answer.status() == StatusCode::TOO_MANY_REQUESTS);
        if refused.is_some() {
            break;
        }
    }
    let seconds = refused.expect("a flood is refused").headers()["retry-after"].to_str().unwrap().to_owned();
    assert!((1..=60).contains(&seconds.parse::<u64>().unwrap()), "{seconds}");
    assert!(!is_refused(&shared.call(&shared.ben, "read_note", json!({"name": "one"})).await));
}

#[tokio::test]
async fn who_tries_keys_is_told_to_wait_and_who_has_one_is_let_in() {
    let shared = Shared::with(None, 64).await;
    let list = modern(1, "tools/list", json!({}));
    let try_key = async |key: &str| shared.site.modern(&list).bearer_auth(key).send().await.unwrap();
    for number in 0..20 {
        assert_eq!(try_key(&format!("mcp_{number}")).await.status(), StatusCode::UNAUTHORIZED);
    }
    let refused = try_key("mcp_20").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(try_key(&shared.ada).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn one_caller_with_a_hundred_calls_is_in_nobodys_way() {
    let shared = Shared::with(None, 8).await;
    let wait = modern(1, "tools/call", json!({"name": "wait", "arguments": {}}));
    // Two run, eight wait, and the others are told at once what to do.
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let request = shared.site.modern(&wait).bearer_auth(&shared.ada);
        asking.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
    }
    for _ in 0..90 {
        let answer = asking.join_next().await.unwrap().unwrap();
        assert!(is_refused(&answer) && text(&answer).contains("fewer calls in parallel"), "{answer}");
    }
    assert_eq!(asking.len(), 10);
    for _ in 0..10 {
        assert_eq!(text(&shared.call(&shared.ben, "read_note", json!({"name": "one"})).await), "First.");
    }
}
