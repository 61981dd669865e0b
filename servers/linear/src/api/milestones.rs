//! Milestones of projects.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Connection, Operation, document};

const LIST: Operation = Operation::read("ListMilestones", document!("list_milestones"), |_| 165);
const GET: Operation = Operation::read("GetMilestone", document!("get_milestone"), |_| 4);
const CREATE: Operation =
    Operation::write("CreateMilestone", document!("create_milestone"), Replay::Idempotent).invalidates(TAGS);
const UPDATE: Operation =
    Operation::write("UpdateMilestone", document!("update_milestone"), Replay::Once).invalidates(TAGS);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &GET, &CREATE, &UPDATE];

const TAGS: &[&str] = &["projects"];

/// A milestone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Milestone {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) target_date: Option<String>,
    /// From 0 to 1.
    pub(crate) progress: Option<f64>,
    pub(crate) status: String,
}

/// The answer to a mutation of a milestone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MilestonePayload {
    pub(crate) success: bool,
    pub(crate) project_milestone: Option<Milestone>,
}

impl Api {
    /// The milestones of a project, up to a hundred.
    pub(crate) async fn list_milestones(&self, project: &str) -> Result<Connection<Milestone>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectMilestones", default)]
            milestones: Connection<Milestone>,
        }
        Ok(self.run::<Data>(&LIST, json!({"project": project})).await?.milestones)
    }

    /// A milestone by its id.
    pub(crate) async fn get_milestone(&self, id: &str) -> Result<Milestone> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectMilestone")]
            milestone: Milestone,
        }
        Ok(self.run::<Data>(&GET, json!({"id": id})).await?.milestone)
    }

    /// Creates a milestone; `input` carries an id made here.
    pub(crate) async fn create_milestone(&self, input: Value) -> Result<MilestonePayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectMilestoneCreate")]
            payload: MilestonePayload,
        }
        Ok(self
            .write::<Data>(&CREATE, json!({"input": input}), "Look at the project with get_project")
            .await?
            .payload)
    }

    /// Changes a milestone.
    pub(crate) async fn update_milestone(&self, id: &str, input: Value) -> Result<MilestonePayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectMilestoneUpdate")]
            payload: MilestonePayload,
        }
        Ok(self
            .write::<Data>(&UPDATE, json!({"id": id, "input": input}), "Look at the project with get_project")
            .await?
            .payload)
    }
}
