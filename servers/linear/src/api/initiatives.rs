//! Initiatives.

use connector::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, document, first,
    issues::{PersonRef, StateRef},
};

// Each initiative may bring 25 projects along, so a page of 20 costs about 1,300 points of the 10,000
// that one request may.
const LIST: Operation =
    Operation::read("ListInitiatives", document!("list_initiatives"), |variables| 2 + first(variables) * 66);
// Kept only for a moment: a new initiative must be found by its name soon.
const NAMES: Operation =
    Operation::read("ListInitiativeNames", document!("list_initiative_names"), |variables| {
        2 + first(variables) * 2
    })
    .cached(60, &["initiatives"]);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &NAMES];

/// An initiative and its projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Initiative {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) status: String,
    pub(crate) health: Option<String>,
    pub(crate) target_date: Option<String>,
    pub(crate) owner: Option<PersonRef>,
    pub(crate) projects: Connection<InitiativeProject>,
}

/// A project of an initiative.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct InitiativeProject {
    pub(crate) name: String,
    pub(crate) health: Option<String>,
    /// From 0 to 1.
    pub(crate) progress: Option<f64>,
    pub(crate) status: StateRef,
}

/// What an initiative is called.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct InitiativeName {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    pub(crate) status: String,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct InitiativesAnswer<T> {
    #[serde(default)]
    initiatives: Connection<T>,
}

impl Api {
    /// A page of initiatives with their projects.
    pub(crate) async fn list_initiatives(
        &self,
        filter: Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Connection<Initiative>> {
        let variables = json!({"filter": filter, "first": first, "after": after});
        Ok(self.run::<InitiativesAnswer<_>>(&LIST, variables).await?.initiatives)
    }

    /// The names of the initiatives, up to 250.
    pub(crate) async fn initiative_names(&self) -> Result<Vec<InitiativeName>> {
        Ok(self.run::<InitiativesAnswer<_>>(&NAMES, json!({"first": 250})).await?.initiatives.nodes)
    }
}
