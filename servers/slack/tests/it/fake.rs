//! The fake behaves as Slack does, spoken to directly.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use axum::{Json, Router, extract::State, routing::post as posts};
use connector::sandbox;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, UnboundedSender};

use crate::support::{ENGINEERS, GENERAL, ts};

/// The fake, spoken to by HTTP.
struct Office {
    running: sandbox::Running,
    client: Client,
}

impl Office {
    async fn start() -> Self {
        connector::tls::install();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = sandbox::start(slack_mcp::sandbox::fake(), loopback).await.unwrap();
        Self { running, client: Client::new() }
    }

    /// The status and the answer of a method.
    async fn ask(&self, token: &str, method: &str, arguments: Value) -> (u16, Value) {
        let url = format!("{}api/{method}", self.running.url());
        let answer = self.client.post(url).bearer_auth(token).form(&arguments).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn does(&self, method: &str, arguments: Value) -> Value {
        let (_, answer) = self.ask("xoxp-sandbox", method, arguments).await;
        assert_eq!(answer["ok"], true, "{method}: {answer}");
        answer
    }
}

/// What nobody else asks of it: neither the server nor the official SDK's test.
#[tokio::test]
async fn methods_that_no_client_of_ours_calls_answer_too() {
    let office = Office::start().await;
    let reacted = office.does("reactions.list", json!({"user": "U0SOFIA0001"})).await;
    assert!(reacted["items"].is_array(), "{reacted}");
    assert_eq!(office.does("assistant.search.info", json!({})).await["is_ai_search_enabled"], true);
    assert_eq!(office.does("auth.revoke", json!({"test": true})).await["revoked"], false);
    office.does("blocks.validate", json!({"blocks": "[]"})).await;
    let exchanged = office.does("oauth.v2.exchange", json!({"token": "xoxp-sandbox"})).await;
    assert!(
        exchanged["refresh_token"].is_string() || exchanged["authed_user"]["refresh_token"].is_string(),
        "{exchanged}"
    );
    for (method, arguments, error) in [
        ("files.upload", json!({}), "method_deprecated"),
        ("blocks.validate", json!({"blocks": "{}"}), "invalid_blocks"),
        ("oauth.v2.exchange", json!({"token": "xoxp-nobody"}), "invalid_auth"),
    ] {
        let (status, answer) = office.ask("xoxp-sandbox", method, arguments).await;
        assert_eq!((status, &answer["error"]), (200, &json!(error)), "{method}: {answer}");
    }
    let (_, answer) = office.ask("xoxp-sandbox", "oauth.v2.user.access", json!({"code": "wrong"})).await;
    assert_eq!(answer["ok"], false, "{answer}");
}

/// By its name, each method is asked by the server, a test of ours, or the official SDK's test.
#[test]
fn every_method_is_asked_by_somebody() {
    fn texts(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                if !entry.ends_with("sandbox") && !entry.ends_with("node_modules") {
                    texts(&entry, all);
                }
            } else if entry.extension().is_some_and(|kind| kind == "rs" || kind == "js") {
                all.push_str(&fs::read_to_string(entry).unwrap());
            }
        }
    }
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for folder in ["src", "tests", "../../tests/sdk/slack"] {
        texts(&server.join(folder), &mut all);
    }
    let asked = |method: &str| {
        let ends = |after: &str| after.starts_with(['"', '`', '(', ' ']);
        all.match_indices(method).any(|(at, _)| ends(&all[at + method.len()..]))
    };
    let nobody: Vec<_> = slack_mcp::sandbox::methods().filter(|method| !asked(method)).collect();
    assert!(slack_mcp::sandbox::methods().count() > 60 && nobody.is_empty(), "{nobody:?}");
}

/// A tier is one method's in one workspace for one application, whichever of its tokens asks
/// (docs.slack.dev/apis/web-api/rate-limits).
#[tokio::test]
async fn tokens_of_one_application_share_a_tier_and_other_methods_do_not() {
    let office = Office::start().await;
    for number in 0..20 {
        let token = if number % 2 == 0 { "xoxp-sandbox" } else { "xoxp-sandbox-2" };
        assert_eq!(office.ask(token, "users.list", json!({})).await.0, 200, "{number}");
    }
    let (status, answer) = office.ask("xoxb-sandbox", "users.list", json!({})).await;
    assert_eq!((status, &answer["error"]), (429, &json!("ratelimited")));
    assert_eq!(office.ask("xoxb-sandbox", "usergroups.list", json!({})).await.0, 200);
    assert_eq!(
        office.ask("xoxp-sandbox-unlisted", "users.list", json!({})).await.0,
        200,
        "another application"
    );
}

/// docs.slack.dev/reference/events: message, its subtypes message_changed and message_deleted, reaction_added,
/// reaction_removed, member_joined_channel, member_left_channel.
#[tokio::test]
async fn what_happens_is_told_by_events() {
    async fn heard(State(heard): State<UnboundedSender<Value>>, Json(event): Json<Value>) {
        let _ = heard.send(event["event"].clone());
    }
    let office = Office::start().await;
    let (sender, mut events) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let app = Router::new().route("/events", posts(heard)).with_state(sender);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let register = format!("{}_slack/events", office.running.url());
    let target = json!({"url": url, "secret": "s"});
    office.client.post(register).json(&target).send().await.unwrap();
    let posted = office.does("chat.postMessage", json!({"channel": ENGINEERS, "text": "first"})).await;
    let at = posted["ts"].clone();
    office.does("chat.update", json!({"channel": ENGINEERS, "ts": at, "text": "second"})).await;
    let review = json!({"channel": GENERAL, "timestamp": ts("review"), "name": "rocket"});
    office.does("reactions.add", review.clone()).await;
    office.does("reactions.remove", review).await;
    office.does("chat.delete", json!({"channel": ENGINEERS, "ts": at})).await;
    office.does("conversations.join", json!({"channel": "C0DESIGN000"})).await;
    office.does("conversations.leave", json!({"channel": "C0DESIGN000"})).await;
    let mut told = Vec::new();
    while told.len() < 7 {
        let next = tokio::time::timeout(Duration::from_secs(20), events.recv()).await;
        told.push(next.unwrap_or_else(|_| panic!("no more than {told:?}")).unwrap());
    }
    // Each is sent by itself, so they may come in another order.
    let of = |kind: &str, subtype: Option<&str>| {
        let found = told.iter().find(|event| event["type"] == kind && event["subtype"].as_str() == subtype);
        found.unwrap_or_else(|| panic!("{kind} {subtype:?}: {told:?}")).clone()
    };
    assert_eq!(
        (&of("message", None)["text"], &of("message", None)["channel"]),
        (&json!("first"), &json!(ENGINEERS))
    );
    let changed = of("message", Some("message_changed"));
    assert_eq!(
        (&changed["message"]["text"], &changed["previous_message"]["text"]),
        (&json!("second"), &json!("first"))
    );
    let deleted = of("message", Some("message_deleted"));
    assert_eq!((&deleted["deleted_ts"], &deleted["previous_message"]["text"]), (&at, &json!("second")));
    for kind in ["reaction_added", "reaction_removed"] {
        let reaction = of(kind, None);
        assert_eq!(
            (&reaction["reaction"], &reaction["item"]["ts"]),
            (&json!("rocket"), &json!(ts("review")))
        );
    }
    for kind in ["member_joined_channel", "member_left_channel"] {
        assert_eq!(of(kind, None)["channel"], "C0DESIGN000");
    }
}

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
