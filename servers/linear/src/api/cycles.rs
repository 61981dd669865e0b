//! Cycles of teams. Linear makes them itself, so they are only read.

use connector::Result;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Connection, Operation, document, first, names::TeamRef};

const LIST: Operation =
    Operation::read("ListCycles", document!("list_cycles"), |variables| 2 + first(variables) * 4);

pub(super) const OPERATIONS: &[&Operation] = &[&LIST];

/// A cycle with its history, a value for each day.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cycle {
    pub(crate) id: String,
    pub(crate) number: Option<f64>,
    pub(crate) name: Option<String>,
    pub(crate) starts_at: String,
    pub(crate) ends_at: String,
    pub(crate) completed_at: Option<String>,
    /// From 0 to 1; work in progress counts a quarter.
    pub(crate) progress: Option<f64>,
    pub(crate) is_active: bool,
    pub(crate) is_next: bool,
    pub(crate) is_previous: bool,
    pub(crate) is_past: bool,
    pub(crate) is_future: bool,
    pub(crate) issue_count_history: Vec<f64>,
    pub(crate) completed_issue_count_history: Vec<f64>,
    pub(crate) scope_history: Vec<f64>,
    pub(crate) completed_scope_history: Vec<f64>,
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
        struct Data {
            #[serde(default)]
            cycles: Connection<Cycle>,
        }
        let variables = json!({"filter": filter, "first": first, "after": after});
        Ok(self.run::<Data>(&LIST, variables).await?.cycles)
    }
}
