//! Events over HTTP, signed as Slack signs them (docs.slack.dev/authentication/verifying-requests-from-slack).

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use connector::{
    Secret,
    sandbox::{Attempt, Harness, WebhookRules, WebhookTarget, Webhooks},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use super::{Site, state::State};

/// Three repetitions, the last an hour later.
pub(super) fn sender(harness: &Harness) -> Webhooks {
    let rules = WebhookRules {
        retries: [1, 60, 3_600].map(Duration::from_secs).to_vec(),
        timeout: Duration::from_secs(3),
        headers,
    };
    Webhooks::new(rules, harness.clock())
}

fn headers(attempt: &Attempt<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let time = attempt.time.as_secs().to_string();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(attempt.secret.expose().as_bytes()) {
        mac.update(format!("v0:{time}:").as_bytes());
        mac.update(attempt.body);
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        if let Ok(value) = HeaderValue::from_str(&format!("v0={hex}")) {
            headers.insert("x-slack-signature", value);
        }
    }
    if let Ok(value) = HeaderValue::from_str(&time) {
        headers.insert("x-slack-request-timestamp", value);
    }
    headers
}

/// Where events are to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    url: Url,
    secret: String,
}

/// `POST /_slack/events`.
pub(super) async fn register(Shared(site): Shared<Arc<Site>>, Json(target): Json<Target>) -> Response {
    let target = WebhookTarget { url: target.url, secret: Secret::new(&target.secret), events: Vec::new() };
    site.events.register(target);
    StatusCode::CREATED.into_response()
}

/// Tells of a message that was posted.
pub(super) fn tell(site: &Site, state: &State, message: &Value, channel: &str) {
    let time = site.now().as_secs();
    let team = state.team_id();
    site.events.send("message", |_| {
        let mut event = message.clone();
        event["channel"] = json!(channel);
        event["event_ts"] = message["ts"].clone();
        json!({
            "type": "event_callback", "team_id": team, "api_app_id": "A0SANDBOX01", "event": event,
            "event_id": format!("Ev{}", &Uuid::new_v4().simple().to_string()[..10]), "event_time": time,
        })
    });
}
