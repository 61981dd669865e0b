//! Webhooks, as a program takes them that follows HubSpot's documents.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, Uri},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc;

use crate::support::Office;

const SECRET: &str = "the app's client secret";

struct Receiver {
    url: String,
    got: mpsc::UnboundedReceiver<(HeaderMap, Bytes)>,
}

impl Receiver {
    async fn start() -> Self {
        let (tell, got) = mpsc::unbounded_channel();
        let take = async move |_: Uri, headers: HeaderMap, body: Bytes| {
            tell.send((headers, body)).unwrap();
            StatusCode::NO_CONTENT
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?from=hubspot", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
        Self { url, got }
    }

    async fn next(&mut self) -> (HeaderMap, Bytes) {
        tokio::time::timeout(Duration::from_secs(30), self.got.recv()).await.unwrap().unwrap()
    }

    /// The event of the next delivery, whose signature must be good.
    async fn event(&mut self, office: &Office) -> Value {
        let (headers, body) = self.next().await;
        let time = headers["x-hubspot-request-timestamp"].to_str().unwrap();
        assert!(is_signed(&headers, &self.url, &body, SECRET));
        assert!(!is_signed(&headers, &self.url, &body, "another secret"));
        assert!(!is_signed(&headers, "http://127.0.0.1/hook", &body, SECRET), "of another address");
        let changed = [&body[..], b" "].concat();
        assert!(!is_signed(&headers, &self.url, &changed, SECRET), "of another body");
        // What is older than five minutes is to be refused, so it must be now.
        let now = office.harness().clock().now().as_millis();
        assert!(now.abs_diff(time.parse().unwrap()) < 5 * 60_000, "{time}");
        let events: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(events.as_array().unwrap().len(), 1);
        events[0].clone()
    }
}

/// As HubSpot documents it: method, address with its query, body and time, in this order, under the app's secret
/// (developers.hubspot.com, "Validate requests from HubSpot", version 3).
fn is_signed(headers: &HeaderMap, url: &str, body: &[u8], secret: &str) -> bool {
    let time = headers["x-hubspot-request-timestamp"].to_str().unwrap();
    let text = [b"POST", url.as_bytes(), body, time.as_bytes()].concat();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&text);
    let given = STANDARD.decode(headers["x-hubspot-signature-v3"].as_bytes()).unwrap();
    mac.verify_slice(&given).is_ok()
}

#[tokio::test]
async fn what_changes_is_told_and_signed_in_version_3() {
    let office = Office::open().await;
    let mut receiver = Receiver::start().await;
    office.steer(json!({"webhook": {"url": receiver.url, "secret": SECRET}})).await;
    let rows = json!([{"fields": {"email": "ana@new.example"}}]);
    office.call("create_records", json!({"object": "contacts", "records": rows})).await;
    let event = receiver.event(&office).await;
    assert_eq!(
        (&event["subscriptionType"], &event["portalId"], &event["attemptNumber"]),
        (&json!("contact.creation"), &json!(4_815_162), &json!(0))
    );
    let rows = json!([{"id": "201", "fields": {"phone": "+49 40 1"}}]);
    office.call("update_records", json!({"object": "companies", "records": rows})).await;
    let event = receiver.event(&office).await;
    assert_eq!(
        (&event["subscriptionType"], &event["objectId"], &event["propertyName"], &event["propertyValue"]),
        (&json!("company.propertyChange"), &json!(201), &json!("phone"), &json!("+49 40 1"))
    );
    office.call("archive_records", json!({"object": "Sites", "ids": ["3004"]})).await;
    let event = receiver.event(&office).await;
    assert_eq!(
        (&event["subscriptionType"], &event["objectTypeId"], &event["objectId"]),
        (&json!("object.deletion"), &json!("2-987"), &json!(3_004))
    );
    office.call("merge_records", json!({"object": "companies", "keep": "204", "absorb": "209"})).await;
    let event = receiver.event(&office).await;
    assert_eq!(event["subscriptionType"], "company.merge");
    assert_eq!(
        (&event["primaryObjectId"], &event["mergedObjectIds"], &event["newObjectId"]),
        (&json!(204), &json!([209]), &event["objectId"])
    );
    for (tool, removed) in [("associate_records", false), ("dissociate_records", true)] {
        office.call(tool, json!({"from": ["contacts:110"], "to": ["companies:203"]})).await;
        let event = receiver.event(&office).await;
        assert_eq!(
            (&event["subscriptionType"], &event["associationType"], &event["associationRemoved"]),
            (&json!("contact.associationChange"), &json!("CONTACT_TO_COMPANY"), &json!(removed))
        );
        assert_eq!((&event["fromObjectId"], &event["toObjectId"]), (&json!(110), &json!(203)));
    }
    office.call("gdpr_delete_contact", json!({"id": "110"})).await;
    assert_eq!(receiver.event(&office).await["subscriptionType"], "contact.privacyDeletion");
}
