//! Webhooks: what changed, signed in version 3 (developers.hubspot.com, "Validate requests from HubSpot").

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use connector::{
    Secret,
    sandbox::{Attempt, Harness, WebhookRules, WebhookTarget, Webhooks},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;

use super::{
    errors::{ApiError, Outcome},
    routes::Ctx,
    types::ObjectType,
};

/// An answer within five seconds, else up to ten repetitions over a day (developers.hubspot.com, "Webhooks API",
/// retries). How they are spread is not documented.
pub(super) fn sender(harness: &Harness) -> Webhooks {
    let minutes = [1, 5, 15, 30, 60, 120, 180, 240, 300, 480];
    let rules = WebhookRules {
        retries: minutes.map(|minutes| Duration::from_secs(60 * minutes)).to_vec(),
        timeout: Duration::from_secs(5),
        headers,
    };
    Webhooks::new(rules, harness.clock())
}

/// The signature is the HMAC-SHA256, in Base64, of method, address, body and time, under the app's secret; the time is
/// told in milliseconds.
fn headers(attempt: &Attempt<'_>) -> HeaderMap {
    let time = attempt.time.as_millis().to_string();
    let mut headers = HeaderMap::new();
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(attempt.secret.expose().as_bytes()) {
        for part in [b"POST".as_slice(), attempt.url.as_str().as_bytes(), attempt.body, time.as_bytes()] {
            mac.update(part);
        }
        if let Ok(value) = HeaderValue::from_str(&STANDARD.encode(mac.finalize().into_bytes())) {
            headers.insert("x-hubspot-signature-v3", value);
        }
    }
    if let Ok(value) = HeaderValue::from_str(&time) {
        headers.insert("x-hubspot-request-timestamp", value);
    }
    headers
}

/// Registers a target, as `{"url": "http://…", "secret": "…"}` beside `webhook` in the fake's control has it.
pub(super) fn register(hooks: &Webhooks, target: &Value) -> Outcome<()> {
    let url = target["url"].as_str().and_then(|url| Url::parse(url).ok());
    let url = url.ok_or_else(|| ApiError::invalid("webhook needs url and secret"))?;
    let secret = Secret::new(target["secret"].as_str().unwrap_or_default());
    hooks.register(WebhookTarget { url, secret, events: Vec::new() });
    Ok(())
}

/// Tells what happened to a record: `creation`, `deletion`, `propertyChange`, `associationChange`, `merge`,
/// `privacyDeletion`. HubSpot sends a list, here of one event.
pub(super) fn tell(ctx: &Ctx<'_>, kind: &ObjectType, id: u64, what: &str, more: &Value) {
    let named = match kind.id.as_str() {
        "0-1" => "contact",
        "0-2" => "company",
        "0-3" => "deal",
        "0-5" => "ticket",
        "0-7" => "product",
        "0-8" => "line_item",
        _ => "object",
    };
    let event = format!("{named}.{what}");
    let now = ctx.now_exact().as_millis() as u64;
    ctx.webhooks().send(&event, |target| {
        let mut body = json!({
            // HubSpot does not promise that it is unique.
            "eventId": now ^ id, "subscriptionId": target.as_u128() as u32,
            "portalId": ctx.state.account["portalId"], "appId": 33001, "occurredAt": now,
            "subscriptionType": event, "attemptNumber": 0, "objectId": id, "changeSource": "INTEGRATION",
        });
        if named == "object" {
            body["objectTypeId"] = json!(kind.id);
        }
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        json!([body])
    });
}
