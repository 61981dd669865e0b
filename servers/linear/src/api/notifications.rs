//! The inbox of the person whose credential this is.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, document, documents::IssueKey, first, issues::PersonRef, names::Named,
};

const LIST: Operation = Operation::read("ListNotifications", document!("list_notifications"), |variables| {
    2 + first(variables) * 10
});
const GET: Operation = Operation::read("GetNotification", document!("get_notification"), |_| 4);
const MARK: Operation =
    Operation::write("MarkNotification", document!("mark_notification"), Replay::Idempotent);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &GET, &MARK];

/// A notification.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Notification {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) read_at: Option<String>,
    pub(crate) snoozed_until_at: Option<String>,
    pub(crate) created_at: String,
    pub(crate) actor: Option<PersonRef>,
    pub(crate) bot_actor: Option<Named>,
    pub(crate) issue: Option<IssueKey>,
    pub(crate) project: Option<Named>,
    pub(crate) comment: Option<Said>,
    pub(crate) project_update: Option<Said>,
}

/// The comment or status update that a notification is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) url: String,
}

/// A page of the inbox.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Inbox {
    #[serde(rename = "notificationsUnreadCount")]
    pub(crate) unread: Option<f64>,
    pub(crate) notifications: Connection<Notification>,
}

/// The answer to marking a notification.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NotificationPayload {
    pub(crate) success: bool,
    pub(crate) notification: Option<Notification>,
}

impl Api {
    /// A page of the inbox, the newest first.
    pub(crate) async fn list_notifications(&self, first: u32, after: Option<&str>) -> Result<Inbox> {
        self.run(&LIST, json!({"first": first, "after": after})).await
    }

    /// A notification by its id.
    pub(crate) async fn get_notification(&self, id: &str) -> Result<Notification> {
        #[derive(Deserialize)]
        struct Data {
            notification: Notification,
        }
        Ok(self.run::<Data>(&GET, json!({"id": id})).await?.notification)
    }

    /// Marks a notification.
    pub(crate) async fn mark_notification(&self, id: &str, input: Value) -> Result<NotificationPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "notificationUpdate")]
            payload: NotificationPayload,
        }
        Ok(self
            .write::<Data>(&MARK, json!({"id": id, "input": input}), "Check with list_notifications")
            .await?
            .payload)
    }
}
