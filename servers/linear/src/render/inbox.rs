//! Notifications as compact text.

use connector::catalog::{one_line, words::short};
use schemars::JsonSchema;
use serde::Serialize;

use super::{minute, with_names};
use crate::api::notifications::Notification;

/// Characters of what was said that a row shows.
const SAID: usize = 240;

/// A notification in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NotificationItem {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    read: bool,
    created_at: String,
    /// The beginning of the comment or status update.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The id of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

/// A notification as a row: its id, when, whether it is read, who, about what, what happened; below it what was
/// said, with the id of the comment or status update.
pub(crate) fn notification_row(notification: &Notification) -> (String, NotificationItem) {
    let about = None
        .or_else(|| notification.issue.as_ref().map(|issue| issue.identifier.clone()))
        .or_else(|| notification.project.as_ref().map(|project| project.name.clone()));
    let actor = None
        .or_else(|| notification.actor.as_ref().map(|actor| actor.display_name.clone()))
        .or_else(|| notification.bot_actor.as_ref().map(|bot| bot.name.clone()))
        .filter(|actor| !actor.is_empty());
    let comment = notification.comment.as_ref().map(|said| ("comment", said));
    let said = comment.or_else(|| notification.project_update.as_ref().map(|said| ("update", said)));
    let item = NotificationItem {
        id: notification.id.clone(),
        kind: notification.kind.clone(),
        title: notification.title.clone(),
        about,
        actor,
        read: notification.read_at.is_some(),
        created_at: notification.created_at.clone(),
        text: said.map(|(_, said)| short(&with_names(&said.body, &said.url), SAID)),
        said: said.map(|(_, said)| said.id.clone()),
    };
    let mut row =
        format!("{} {} {}", item.id, minute(&item.created_at), if item.read { "read" } else { "unread" });
    if let Some(until) = &notification.snoozed_until_at {
        row.push_str(&format!(", snoozed until {}", minute(until)));
    }
    let subtitle = one_line(&notification.subtitle);
    // Linear says in words what happened; its name for that is for where it does not.
    if subtitle.is_empty() {
        row.push_str(&format!(" {}", one_line(&item.kind)));
    }
    if let Some(actor) = &item.actor {
        row.push_str(&format!(" @{}", one_line(actor)));
    }
    match &item.about {
        Some(about) if !notification.title.contains(about.as_str()) => {
            row.push_str(&format!(" {}: {}", one_line(about), one_line(&notification.title)));
        }
        _ => row.push_str(&format!(" {}", one_line(&notification.title))),
    }
    if !subtitle.is_empty() {
        row.push_str(&format!(" ({subtitle})"));
    }
    if let (Some((word, said)), Some(text)) = (said, &item.text) {
        row.push_str(&format!("\n  {word} {}: {text}", said.id));
    }
    (row, item)
}
