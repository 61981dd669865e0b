//! Cycles of teams. Linear makes them itself, so they are only read.

use connector::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Operation, document, first,
    names::TeamRef,
    tolerant::{Connection, list, number, or_default, text},
};

const LIST: Operation =
    Operation::read("ListCycles", document!("list_cycles"), |variables| 2 + first(variables) * 4);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST];

/// A cycle with its history, a value for each day.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cycle {
    #[serde(deserialize_with = "text")]
    pub(crate) id: String,
    #[serde(deserialize_with = "number")]
    pub(crate) number: Option<f64>,
    pub(crate) name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) starts_at: String,
    #[serde(deserialize_with = "text")]
    pub(crate) ends_at: String,
    pub(crate) completed_at: Option<String>,
    /// From 0 to 1; work in progress counts a quarter.
    #[serde(deserialize_with = "number")]
    pub(crate) progress: Option<f64>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) is_active: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) is_next: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) is_previous: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) is_past: bool,
    #[serde(deserialize_with = "or_default")]
    pub(crate) is_future: bool,
    #[serde(deserialize_with = "list")]
    pub(crate) issue_count_history: Vec<f64>,
    #[serde(deserialize_with = "list")]
    pub(crate) completed_issue_count_history: Vec<f64>,
    #[serde(deserialize_with = "list")]
    pub(crate) scope_history: Vec<f64>,
    #[serde(deserialize_with = "list")]
    pub(crate) completed_scope_history: Vec<f64>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) team: TeamRef,
}

impl Api {
    /// A page of cycles, the newest first.
    pub(crate) async fn list_cycles(
        &self,
        filter: Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Connection<Cycle>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default, deserialize_with = "or_default")]
            cycles: Connection<Cycle>,
        }
        let variables = json!({"filter": filter, "first": first, "after": after});
        Ok(self.run::<Answer>(&LIST, variables).await?.cycles)
    }
}
