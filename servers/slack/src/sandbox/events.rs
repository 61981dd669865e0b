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

/// Tells of something that happened: `event` without its moment (docs.slack.dev/reference/events).
pub(super) fn tell(site: &Site, state: &State, mut event: Value) {
    let time = site.now();
    let team = state.team_id();
    let kind = event["type"].as_str().unwrap_or_default().to_owned();
    if event["event_ts"].is_null() {
        event["event_ts"] = json!(format!("{}.{:06}", time.as_secs(), time.subsec_micros()));
    }
    site.events.send(&kind, |_| {
        json!({
            "type": "event_callback", "team_id": team, "api_app_id": "A0SANDBOX01", "event": event,
            "event_id": format!("Ev{}", &Uuid::new_v4().simple().to_string()[..10]), "event_time": time.as_secs(),
        })
    });
}

/// Tells of a message that was posted.
pub(super) fn posted(site: &Site, state: &State, message: &Value, channel: &str) {
    let mut event = message.clone();
    event["channel"] = json!(channel);
    event["event_ts"] = message["ts"].clone();
    tell(site, state, event);
}

/// Tells of a message that was changed or is gone: `now` is what it is, `before` what it was.
pub(super) fn overtaken(site: &Site, state: &State, channel: &str, now: Option<&Value>, before: &Value) {
    let mut event = json!({
        "type": "message", "subtype": "message_changed", "hidden": true, "channel": channel, "ts": before["ts"],
        "previous_message": before,
    });
    match now {
        Some(now) => event["message"] = now.clone(),
        None => {
            event["subtype"] = json!("message_deleted");
            event["deleted_ts"] = before["ts"].clone();
        }
    }
    tell(site, state, event);
}
