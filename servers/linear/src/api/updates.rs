//! Status updates of projects and initiatives.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Connection, Operation, document, first, issues::PersonRef, names::Named};

const LIST_PROJECT: Operation =
    Operation::read("ListProjectUpdates", document!("list_project_updates"), |variables| {
        2 + first(variables) * 4
    });
const LIST_INITIATIVE: Operation =
    Operation::read("ListInitiativeUpdates", document!("list_initiative_updates"), |variables| {
        2 + first(variables) * 4
    });
const GET_PROJECT: Operation = Operation::read("GetProjectUpdate", document!("get_project_update"), |_| 5);
const GET_INITIATIVE: Operation =
    Operation::read("GetInitiativeUpdate", document!("get_initiative_update"), |_| 5);
const POST_PROJECT: Operation =
    Operation::write("PostProjectUpdate", document!("post_project_update"), Replay::Idempotent)
        .invalidates(&["projects"]);
const POST_INITIATIVE: Operation =
    Operation::write("PostInitiativeUpdate", document!("post_initiative_update"), Replay::Idempotent)
        .invalidates(&["initiatives"]);

pub(super) const OPERATIONS: &[&Operation] =
    &[&LIST_PROJECT, &LIST_INITIATIVE, &GET_PROJECT, &GET_INITIATIVE, &POST_PROJECT, &POST_INITIATIVE];

/// What an update is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    Project,
    Initiative,
}

/// A status update.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Update {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) health: String,
    pub(crate) created_at: String,
    pub(crate) edited_at: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) user: Option<PersonRef>,
    pub(crate) project: Option<Named>,
    pub(crate) initiative: Option<Named>,
}

/// The answer to posting an update.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct UpdatePayload {
    pub(crate) success: bool,
    #[serde(alias = "projectUpdate", alias = "initiativeUpdate")]
    pub(crate) update: Option<Update>,
}

impl Api {
    /// A page of updates, the newest first.
    pub(crate) async fn list_updates(
        &self,
        about: About,
        filter: Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Connection<Update>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default, alias = "projectUpdates", alias = "initiativeUpdates")]
            updates: Connection<Update>,
        }
        let operation = match about {
            About::Project => &LIST_PROJECT,
            About::Initiative => &LIST_INITIATIVE,
        };
        let variables = json!({"filter": filter, "first": first, "after": after});
        Ok(self.run::<Data>(operation, variables).await?.updates)
    }

    /// An update by its id.
    pub(crate) async fn get_update(&self, about: About, id: &str) -> Result<Update> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(alias = "projectUpdate", alias = "initiativeUpdate")]
            update: Update,
        }
        let operation = match about {
            About::Project => &GET_PROJECT,
            About::Initiative => &GET_INITIATIVE,
        };
        Ok(self.run::<Data>(operation, json!({"id": id})).await?.update)
    }

    /// Posts an update; `input` carries an id made here.
    pub(crate) async fn post_update(&self, about: About, input: Value) -> Result<UpdatePayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(alias = "projectUpdateCreate", alias = "initiativeUpdateCreate")]
            payload: UpdatePayload,
        }
        let operation = match about {
            About::Project => &POST_PROJECT,
            About::Initiative => &POST_INITIATIVE,
        };
        Ok(self
            .write::<Data>(
                operation,
                json!({"input": input}),
                "Check with list_status_updates whether it is there",
            )
            .await?
            .payload)
    }
}
