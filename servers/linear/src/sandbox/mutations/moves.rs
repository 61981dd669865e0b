//! What one change of an issue entails: a state's dates and history, a team's numbers and states.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Change;
use crate::sandbox::{
    errors::Outcome,
    store::{Row, new_id, text},
};

impl Change<'_> {
    /// Puts an issue into a state: the running span ends, a new one starts, and the dates follow the
    /// state's type.
    pub(super) fn enter_state(&self, row: &mut Row, state: &Row) {
        let now = json!(self.now.iso());
        let kind = text(state, "type").unwrap_or_default();
        let from_triage = text(row, "stateId")
            .and_then(|id| self.state.get("WorkflowState", id))
            .is_some_and(|former| text(former, "type") == Some("triage"));
        let started = row.get("startedAt").filter(|at| !at.is_null()).cloned();
        let (started, completed, canceled) = match kind {
            "started" => (started.unwrap_or_else(|| now.clone()), Value::Null, Value::Null),
            "completed" => (started.unwrap_or_default(), now.clone(), Value::Null),
            "canceled" | "duplicate" => (started.unwrap_or_default(), Value::Null, now.clone()),
            _ => (Value::Null, Value::Null, Value::Null),
        };
        row.insert("startedAt".to_owned(), started);
        row.insert("completedAt".to_owned(), completed);
        row.insert("canceledAt".to_owned(), canceled);
        if kind == "triage" {
            row.insert("startedTriageAt".to_owned(), now.clone());
        } else if from_triage {
            row.insert("triagedAt".to_owned(), now.clone());
        }
        let state = state.get("id").cloned().unwrap_or_default();
        row.insert("stateId".to_owned(), state.clone());
        let history = row.entry("stateHistory").or_insert_with(|| json!([]));
        if let Value::Array(spans) = history {
            if let Some(Value::Object(last)) = spans.last_mut() {
                last.insert("endedAt".to_owned(), now.clone());
            }
            spans.push(json!({ "id": new_id(), "stateId": state, "startedAt": now, "endedAt": null }));
        }
    }

    /// Moves an issue to another team: a number there, its former identifier kept, and of its state,
    /// labels, cycle and project what the new team has too.
    pub(super) fn move_issue(&self, row: &mut Row, team: &Row, input: &Row) -> Outcome<()> {
        let team_id = text(team, "id").unwrap_or_default();
        let former = row.get("identifier").cloned().unwrap_or_default();
        if let Value::Array(list) = row.entry("previousIdentifiers").or_insert_with(|| json!([])) {
            list.push(former);
        }
        row.insert("teamId".to_owned(), json!(team_id));
        row.insert("number".to_owned(), json!(self.state.next_number(team_id)));
        if !input.contains_key("cycleId") {
            row.insert("cycleId".to_owned(), Value::Null);
        }
        if !input.contains_key("projectId") {
            let project = text(row, "projectId").and_then(|id| self.state.get("Project", id));
            let shared = project.and_then(|project| project.get("teamIds")?.as_array());
            if !shared.is_some_and(|teams| teams.iter().any(|other| other == team_id)) {
                row.insert("projectId".to_owned(), Value::Null);
                row.insert("projectMilestoneId".to_owned(), Value::Null);
            }
        }
        let labels: Vec<Value> = self
            .state
            .listed("IssueLabel", row.get("labelIds"))
            .iter()
            .filter_map(|label| self.label_in_team(label, team_id)?.get("id").cloned())
            .collect();
        row.insert("labelIds".to_owned(), Value::Array(labels));
        if text(input, "stateId").is_none() {
            let state = self.state_like(text(row, "stateId"), team)?;
            self.enter_state(row, &state);
        }
        Ok(())
    }

    /// The label itself, or the new team's label of the same name.
    fn label_in_team(&self, label: &Arc<Row>, team: &str) -> Option<Arc<Row>> {
        if text(label, "teamId").is_none_or(|own| own == team) {
            return Some(Arc::clone(label));
        }
        let same = |other: &&Arc<Row>| {
            text(other, "teamId") == Some(team) && text(other, "name") == text(label, "name")
        };
        self.state.all("IssueLabel").find(same).cloned()
    }

    /// The new team's state of the same name and type, else of the same type, else its default.
    fn state_like(&self, former: Option<&str>, team: &Row) -> Outcome<Arc<Row>> {
        let states = self.view().states_of(text(team, "id").unwrap_or_default());
        let former = former.and_then(|id| self.state.get("WorkflowState", id));
        let same = |keys: &[&str]| {
            let former = former?;
            states.iter().find(|state| keys.iter().all(|key| text(state, key) == text(former, key))).cloned()
        };
        match same(&["name", "type"]).or_else(|| same(&["type"])) {
            Some(state) => Ok(state),
            None => self.default_state(team),
        }
    }
}
