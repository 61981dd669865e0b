//! Webhooks: signed, for the types and the team that were asked for, repeated until taken.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::sandbox_support::{Sandbox, TEAM, id};
use axum::{Router, body::Bytes, http::HeaderMap, http::StatusCode, routing::post};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

const CREATE: &str = "mutation W($input: WebhookCreateInput!) { webhookCreate(input: $input) { success webhook { id enabled secret resourceTypes } } }";

struct Receiver {
    url: String,
    got: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
    answer: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    async fn start() -> Self {
        let (tell, got) = mpsc::unbounded_channel();
        let answer = Arc::new(Mutex::new(StatusCode::OK));
        let told = Arc::clone(&answer);
        let take = async move |headers: HeaderMap, body: Bytes| {
            tell.send((headers, body)).unwrap();
            *told.lock().unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
        Self { url, got, answer }
    }

    async fn next(&mut self) -> (HeaderMap, Value, Bytes) {
        let (headers, body) =
            tokio::time::timeout(Duration::from_secs(30), self.got.recv()).await.unwrap().unwrap();
        (headers, serde_json::from_slice(&body).unwrap(), body)
    }
}

#[tokio::test]
async fn a_change_is_told_signed_and_with_what_was_before() {
    let sandbox = Sandbox::start().await;
    let mut receiver = Receiver::start().await;
    let input = json!({ "url": receiver.url, "resourceTypes": ["Issue", "Comment"], "allPublicTeams": true, "secret": "shh" });
    let data = sandbox.data(CREATE, json!({ "input": input })).await;
    let webhook = &data["webhookCreate"]["webhook"];
    assert_eq!(webhook["enabled"], true);
    sandbox
        .data("mutation { issueUpdate(id: \"ENG-1\", input: { title: \"New\" }) { success } }", json!({}))
        .await;
    let (headers, body, raw) = receiver.next().await;
    let mut mac = Hmac::<Sha256>::new_from_slice(b"shh").unwrap();
    mac.update(&raw);
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(headers["linear-signature"], signature);
    assert_eq!(headers["linear-event"], "Issue");
    assert_eq!(headers["linear-timestamp"], body["webhookTimestamp"].to_string());
    assert!(headers.contains_key("linear-delivery"));
    assert_eq!(
        (&body["action"], &body["type"], &body["webhookId"]),
        (&json!("update"), &json!("Issue"), &webhook["id"])
    );
    assert_eq!(body["updatedFrom"]["title"], "Issue 1");
    assert_eq!((&body["data"]["title"], &body["data"]["identifier"]), (&json!("New"), &json!("ENG-1")));
    assert_eq!(
        (&body["data"]["team"]["key"], &body["data"]["state"]["name"]),
        (&json!("ENG"), &json!("Todo"))
    );
    assert_eq!(body["actor"]["type"], "user");
    sandbox
        .data("mutation { commentCreate(input: { issueId: \"ENG-1\", body: \"x\" }) { success } }", json!({}))
        .await;
    let (_, body, _) = receiver.next().await;
    assert_eq!(
        (&body["action"], &body["type"], &body["data"]["issue"]["identifier"]),
        (&json!("create"), &json!("Comment"), &json!("ENG-1"))
    );
}

#[tokio::test]
async fn a_team_s_webhook_hears_of_that_team_only() {
    let sandbox = Sandbox::start().await;
    let mut receiver = Receiver::start().await;
    let input = json!({ "url": receiver.url, "resourceTypes": ["Issue"], "teamId": id(TEAM, 2) });
    sandbox.data(CREATE, json!({ "input": input })).await;
    for issue in ["ENG-1", "OPS-1"] {
        sandbox
            .data(
                "mutation T($id: String!) { issueUpdate(id: $id, input: { title: \"t\" }) { success } }",
                json!({ "id": issue }),
            )
            .await;
    }
    let (_, body, _) = receiver.next().await;
    assert_eq!(body["data"]["identifier"], "OPS-1");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_taken_is_repeated_and_given_up_after_six_hours() {
    let sandbox = Sandbox::start().await;
    let mut receiver = Receiver::start().await;
    *receiver.answer.lock().unwrap() = StatusCode::INTERNAL_SERVER_ERROR;
    let input = json!({ "url": receiver.url, "resourceTypes": ["Issue"], "allPublicTeams": true });
    sandbox.data(CREATE, json!({ "input": input })).await;
    sandbox
        .data("mutation { issueUpdate(id: \"ENG-1\", input: { title: \"New\" }) { success } }", json!({}))
        .await;
    let deliveries: Vec<_> = {
        let mut seen = Vec::new();
        for wait in [60, 3_600, 21_600, 0] {
            seen.push(receiver.got.recv().await.unwrap().0["linear-delivery"].clone());
            tokio::task::yield_now().await;
            sandbox.harness().clock().advance(Duration::from_secs(wait));
        }
        seen
    };
    assert!(deliveries.windows(2).all(|pair| pair[0] == pair[1]), "one delivery, four attempts");
    let mut enabled = json!(true);
    for _ in 0..50 {
        enabled = sandbox.nodes("webhooks", "{ webhooks(first: 5) { nodes { enabled } } }", json!({})).await
            [0]["enabled"]
            .clone();
        if enabled == json!(false) {
            break;
        }
    }
    assert_eq!(enabled, false, "a target that fails is switched off");
}

#[tokio::test]
async fn a_webhook_needs_a_target_types_and_a_scope() {
    let sandbox = Sandbox::start().await;
    let complain = async |input: Value| sandbox.complaint(CREATE, json!({ "input": input })).await;
    let url = "http://127.0.0.1:9/hook";
    assert_eq!(
        complain(json!({ "url": "nonsense", "resourceTypes": ["Issue"], "allPublicTeams": true })).await,
        "url must be a URL address."
    );
    assert!(
        complain(json!({ "url": url, "resourceTypes": ["Weather"], "allPublicTeams": true }))
            .await
            .contains("Weather")
    );
    assert!(complain(json!({ "url": url, "resourceTypes": ["Issue"] })).await.starts_with("Either teamId"));
}
