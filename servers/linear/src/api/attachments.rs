//! Attachments of issues.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Connection, Operation, document};

const LIST: Operation = Operation::read("IssueAttachments", document!("issue_attachments"), |_| 80);
// Linear keeps one attachment for an address on an issue: the same again changes its title.
const ATTACH: Operation = Operation::write("AttachUrl", document!("attach_url"), Replay::Idempotent);
const ATTACH_PULL_REQUEST: Operation =
    Operation::write("AttachPullRequest", document!("attach_pr"), Replay::Idempotent);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &ATTACH, &ATTACH_PULL_REQUEST];

/// An attachment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Attachment {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) subtitle: Option<String>,
    pub(crate) url: String,
    pub(crate) source_type: Option<String>,
}

/// An issue and what is attached to it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct IssueAttachments {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) attachments: Connection<Attachment>,
}

/// The answer to attaching.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AttachmentPayload {
    pub(crate) success: bool,
    pub(crate) attachment: Option<Attachment>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(alias = "attachmentCreate", alias = "attachmentLinkGitHubPR")]
    payload: AttachmentPayload,
}

impl Api {
    /// What is attached to an issue, by its id or identifier.
    pub(crate) async fn issue_attachments(&self, issue: &str) -> Result<IssueAttachments> {
        #[derive(Deserialize)]
        struct Data {
            issue: IssueAttachments,
        }
        Ok(self.run::<Data>(&LIST, json!({"id": issue})).await?.issue)
    }

    /// Attaches an address to an issue, or changes the attachment that has it.
    pub(crate) async fn attach(&self, input: Value) -> Result<AttachmentPayload> {
        Ok(self
            .write::<Data>(&ATTACH, json!({"input": input}), "Look at the attachments with get_issue")
            .await?
            .payload)
    }

    /// Links a pull request of GitHub, whose state Linear then follows.
    pub(crate) async fn attach_pull_request(
        &self,
        id: &str,
        issue: &str,
        url: &str,
        title: Option<&str>,
    ) -> Result<AttachmentPayload> {
        let variables = json!({"id": id, "issueId": issue, "url": url, "title": title});
        Ok(self
            .write::<Data>(&ATTACH_PULL_REQUEST, variables, "Look at the attachments with get_issue")
            .await?
            .payload)
    }
}
