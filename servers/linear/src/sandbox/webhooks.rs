//! Webhooks: who asked to be told, and what they are told.
//!
//! A target hears of the types it named, in its team or in all public teams. The harness knows
//! events by one word only, so the word here is `Issue@<team>` or `Issue@*`.

use std::time::Duration;

use connector::{
    Secret,
    sandbox::{Attempt, Harness, WebhookRules, WebhookTarget, Webhooks},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use sha2::Sha256;
use url::Url;
use uuid::Uuid;

use super::{
    Site,
    auth::Caller,
    errors::{ApiError, Outcome},
    fields::View,
    store::{Row, RowEvent, State, flag, text},
    time::Now,
};

/// What Linear tells about.
const TYPES: [&str; 11] = [
    "Issue",
    "Comment",
    "IssueLabel",
    "Project",
    "ProjectUpdate",
    "Cycle",
    "Document",
    "Initiative",
    "InitiativeUpdate",
    "Attachment",
    "User",
];

const MINUTE: Duration = Duration::from_secs(60);

/// Linear's deliveries: five seconds to answer, repeated after a minute, an hour and six hours.
pub(super) fn sender(harness: &Harness) -> Webhooks {
    let retries = vec![MINUTE, 60 * MINUTE, 360 * MINUTE];
    Webhooks::new(WebhookRules { retries, timeout: Duration::from_secs(5), headers }, harness.clock())
}

fn headers(attempt: &Attempt<'_>) -> HeaderMap {
    let event = attempt.event.split('@').next().unwrap_or_default();
    let body: Value = serde_json::from_slice(attempt.body).unwrap_or_default();
    let timestamp = body.get("webhookTimestamp").map(ToString::to_string).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("linear-delivery", attempt.delivery.to_string()),
        ("linear-event", event.to_owned()),
        ("linear-signature", signature(attempt.secret.expose(), attempt.body)),
        ("linear-timestamp", timestamp),
        ("user-agent", "Linear-Webhook".to_owned()),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    headers
}

/// HMAC-SHA256 of the raw body, in hexadecimal.
fn signature(secret: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Registers the target of a webhook's row and notes its id there.
pub(super) fn register(site: &Site, row: &mut Row) -> Outcome<()> {
    let url = text(row, "url").and_then(|url| Url::parse(url).ok());
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| ApiError::invalid("url must be a URL address."))?;
    let types = row.get("resourceTypes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let scope = text(row, "teamId").unwrap_or("*");
    let mut events = Vec::new();
    for ty in types.iter().filter_map(Value::as_str) {
        if !TYPES.contains(&ty) {
            return Err(ApiError::invalid(format!(
                "resourceTypes: {ty} is not a type that webhooks tell about."
            )));
        }
        events.push(format!("{ty}@{scope}"));
    }
    if events.is_empty() {
        return Err(ApiError::invalid("resourceTypes should not be empty."));
    }
    remove_target(site, row);
    if flag(row, "enabled") {
        let secret = Secret::new(text(row, "secret").unwrap_or_default());
        let target = site.webhooks.register(WebhookTarget { url, secret, events });
        row.insert("target".to_owned(), json!(target));
    }
    Ok(())
}

/// Takes the target of a webhook's row away.
pub(super) fn remove_target(site: &Site, row: &Row) {
    if let Some(target) = text(row, "target").and_then(|id| Uuid::try_parse(id).ok()) {
        site.webhooks.remove(target);
    }
}

/// Tells what has changed since the last time.
pub(super) fn tell(site: &Site, now: &Now, caller: &Caller) {
    let mut state = site.state();
    let events = state.take_events();
    if state.all("Webhook").next().is_none() {
        return;
    }
    for event in events.iter().filter(|event| TYPES.contains(&event.table.as_str())) {
        let body = payload(&state, now, caller, event);
        let webhooks: Vec<(Value, Value)> = state
            .all("Webhook")
            .map(|row| {
                (row.get("target").cloned().unwrap_or_default(), row.get("id").cloned().unwrap_or_default())
            })
            .collect();
        let for_target = |target: Uuid| {
            let mut body = body.clone();
            let own = webhooks.iter().find(|(known, _)| *known == json!(target));
            body["webhookId"] = own.map(|(_, id)| id.clone()).unwrap_or_default();
            body
        };
        site.webhooks.send(&format!("{}@*", event.table), for_target);
        if let Some(team) = team_of(&state, &event.row) {
            site.webhooks.send(&format!("{}@{team}", event.table), for_target);
        }
    }
}

/// The team an entity belongs to, by itself or by its issue.
fn team_of(state: &State, row: &Row) -> Option<String> {
    let issue =
        || text(row, "issueId").and_then(|id| state.get("Issue", id)).and_then(|issue| text(issue, "teamId"));
    text(row, "teamId").or_else(issue).map(str::to_owned)
}

fn payload(state: &State, now: &Now, caller: &Caller, event: &RowEvent) -> Value {
    let view = View { state, now, viewer: &caller.user };
    let mut data = Row::clone(&event.row);
    data.remove("stateHistory");
    let brief = |ty: &str, id: Option<&str>, keys: &[&str]| {
        let row = id.and_then(|id| state.get(ty, id))?;
        let pick = |key: &&str| Some(((*key).to_owned(), view.value(ty, row, key)?));
        Some(Value::Object(keys.iter().filter_map(pick).collect()))
    };
    for (field, ty, keys) in [
        ("state", "WorkflowState", &["id", "name", "type", "color"][..]),
        ("team", "Team", &["id", "key", "name"]),
        ("assignee", "User", &["id", "name", "email"]),
        ("user", "User", &["id", "name", "email"]),
        ("project", "Project", &["id", "name", "url"]),
        ("issue", "Issue", &["id", "identifier", "title", "url", "teamId"]),
    ] {
        if let Some(other) = brief(ty, text(&event.row, &format!("{field}Id")), keys) {
            data.insert(field.to_owned(), other);
        }
    }
    if event.table == "Issue" {
        let labels = state.listed("IssueLabel", event.row.get("labelIds"));
        let labels = labels
            .iter()
            .filter_map(|label| brief("IssueLabel", text(label, "id"), &["id", "name", "color"]));
        data.insert("labels".to_owned(), labels.collect());
    }
    let url = view.value(&event.table, &event.row, "url").unwrap_or_default();
    data.insert("url".to_owned(), url.clone());
    let mut body = json!({
        "action": event.action,
        "type": event.table,
        "actor": brief("User", Some(&caller.user), &["id", "name", "email", "url"]),
        "createdAt": now.iso(),
        "data": data,
        "url": url,
        "organizationId": state.organization().and_then(|row| row.get("id").cloned()),
        "webhookTimestamp": now.millis(),
    });
    if let Some(actor) = body.get_mut("actor").and_then(Value::as_object_mut) {
        actor.insert("type".to_owned(), json!("user"));
    }
    if let Some(before) = &event.before {
        body["updatedFrom"] = Value::Object(before.clone());
    }
    body
}
