//! Labels of issues: creating, changing and deleting.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Operation, document,
    names::{Named, TeamRef},
};

const GET: Operation = Operation::read("GetLabel", document!("get_label", "label_fragment"), |_| 4);
const CREATE: Operation =
    Operation::write("CreateLabel", document!("create_label", "label_fragment"), Replay::Idempotent)
        .invalidates(&["labels"]);
const UPDATE: Operation =
    Operation::write("UpdateLabel", document!("update_label", "label_fragment"), Replay::Once)
        .invalidates(&["labels"]);

const DELETE: Operation = Operation::destructive("DeleteLabel", document!("delete_label"), Replay::Once)
    .invalidates(&["labels", "issues"]);

pub(super) const OPERATIONS: &[&Operation] = &[&GET, &CREATE, &UPDATE, &DELETE];

/// A label as it stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LabelState {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: Option<String>,
    pub(crate) is_group: bool,
    pub(crate) retired_at: Option<String>,
    pub(crate) team: Option<TeamRef>,
    pub(crate) parent: Option<Named>,
}

/// The answer to a mutation of a label.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LabelPayload {
    pub(crate) success: bool,
    pub(crate) issue_label: Option<LabelState>,
}

impl Api {
    /// A label by its id.
    pub(crate) async fn get_label(&self, id: &str) -> Result<LabelState> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "issueLabel")]
            label: LabelState,
        }
        Ok(self.run::<Data>(&GET, json!({"id": id})).await?.label)
    }

    /// Creates a label; `input` carries an id made here.
    pub(crate) async fn create_label(&self, input: Value) -> Result<LabelPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "issueLabelCreate")]
            payload: LabelPayload,
        }
        Ok(self
            .write::<Data>(&CREATE, json!({"input": input}), "Check with get_team whether the label is there")
            .await?
            .payload)
    }

    /// Deletes a label, also off the issues that have it; whether Linear says that it did.
    pub(crate) async fn delete_label(&self, id: &str) -> Result<bool> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "issueLabelDelete")]
            payload: LabelPayload,
        }
        let check = "Check with get_team whether the label is gone";
        Ok(self.write::<Data>(&DELETE, json!({"id": id}), check).await?.payload.success)
    }

    /// Changes a label.
    pub(crate) async fn update_label(&self, id: &str, input: Value) -> Result<LabelPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "issueLabelUpdate")]
            payload: LabelPayload,
        }
        Ok(self
            .write::<Data>(&UPDATE, json!({"id": id, "input": input}), "Look at the label with get_team")
            .await?
            .payload)
    }
}
