//! Saved views.

use connector::Result;
use serde::Deserialize;
use serde_json::json;

use super::{
    Api, Operation, document, first,
    projects::TeamKey,
    tolerant::{Connection, text},
};

const FIND: Operation =
    Operation::read("FindViews", document!("find_views"), |variables| 2 + first(variables) * 3)
        .cached(60, &["views"]);

pub(crate) const OPERATIONS: &[Operation] = &[FIND];

/// A saved view.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct View {
    #[serde(deserialize_with = "text")]
    pub(crate) id: String,
    #[serde(deserialize_with = "text")]
    pub(crate) name: String,
    /// What it lists: `Issue`, `Project`.
    #[serde(deserialize_with = "text")]
    pub(crate) model_name: String,
    pub(crate) team: Option<TeamKey>,
}

impl Api {
    /// The saved views that the credential can see, up to a hundred.
    pub(crate) async fn views(&self) -> Result<Vec<View>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "customViews", default)]
            views: Connection<View>,
        }
        Ok(self.run::<Answer>(&FIND, json!({"first": 100})).await?.views.nodes)
    }
}
