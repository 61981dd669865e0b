//! Conversations of the shared inbox, and workflows.

use connector::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Listed};

/// A conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) latest_message_timestamp: String,
    pub(crate) associated_contact_id: String,
}

/// A message of a conversation, or a comment that only colleagues see.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Message {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) created_at: String,
    pub(crate) direction: String,
    pub(crate) senders: Vec<Sender>,
    pub(crate) text: String,
    pub(crate) channel_id: String,
    pub(crate) channel_account_id: String,
}

/// Who wrote a message.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Sender {
    pub(crate) name: String,
    pub(crate) actor_id: String,
}

/// A workflow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Flow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_enabled: bool,
    pub(crate) object_type_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) updated_at: String,
    pub(crate) actions: Vec<Action>,
}

/// A step of a workflow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Action {
    pub(crate) action_id: String,
    pub(crate) action_type_id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// Before every message.
const BEGINNING: &str = "1970-01-01T00:00:00.000Z";
const THREADS: &str = "GET /conversations/conversations/{version}/threads";
const MESSAGES: &str = "GET /conversations/conversations/{version}/threads/{threadId}/messages";
const SEND: &str = "POST /conversations/conversations/{version}/threads/{threadId}/messages";
const FLOWS: &str = "GET /automation/v4/flows";
const FLOW: &str = "GET /automation/v4/flows/{flowId}";

impl Api {
    pub(crate) async fn threads(
        &self,
        contact: Option<&str>,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Listed<Thread>> {
        // A sort by time needs a time from which on; without one, threads come by their ids.
        let mut request = self
            .route(THREADS, &[])
            .query("limit", limit.to_string())
            .query("sort", "-latestMessageTimestamp")
            .query("latestMessageTimestampAfter", BEGINNING);
        if let Some(contact) = contact {
            request = request.query("associatedContactId", contact);
        }
        if let Some(after) = after {
            request = request.query("after", after);
        }
        self.read(request).await
    }

    pub(crate) async fn messages(
        &self,
        thread: &str,
        limit: u32,
        after: Option<&str>,
    ) -> Result<Listed<Message>> {
        let mut request = self.route(MESSAGES, &[thread]).query("limit", limit.to_string());
        if let Some(after) = after {
            request = request.query("after", after);
        }
        self.read(request).await
    }

    /// Adds a comment that only colleagues see.
    pub(crate) async fn comment(&self, thread: &str, text: &str) -> Result<Message> {
        let body: Value = json!({"type": "COMMENT", "text": text});
        let request = self.route(SEND, &[thread]).json(&body)?;
        self.read(request.check("Read the conversation and see whether the comment is there")).await
    }

    pub(crate) async fn flows(&self) -> Result<Vec<Flow>> {
        let mut flows = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut request = Self::plain(FLOWS, &[]).query("limit", "100");
            if let Some(after) = &after {
                request = request.query("after", after.as_str());
            }
            let page: Listed<Flow> = self.read(request).await?;
            let next = page.next().map(str::to_owned).filter(|next| after.as_ref() != Some(next));
            flows.extend(page.results);
            match next {
                Some(next) => after = Some(next),
                None => return Ok(flows),
            }
        }
    }

    pub(crate) async fn flow(&self, id: &str) -> Result<Flow> {
        self.read(Self::plain(FLOW, &[id])).await
    }
}
