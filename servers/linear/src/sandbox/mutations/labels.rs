//! Labels: of a team or of the workspace, alone or in groups, of whose members an issue has one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, copy, entity_id, filled, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    store::{Row, flag, text},
};

/// What a label gets where the caller chooses no colour.
const COLOR: &str = "#bec2c8";

impl Change<'_> {
    /// The labels an issue has after `input`: a whole new set, or what is added and removed.
    pub(super) fn labels_after(&self, issue: &Row, input: &Row, team: &str) -> Outcome<Value> {
        let keys = ["labelIds", "addedLabelIds", "removedLabelIds"];
        if !keys.iter().any(|key| input.get(*key).is_some_and(Value::is_array)) {
            return Ok(issue.get("labelIds").cloned().unwrap_or_else(|| json!([])));
        }
        for key in keys {
            self.references(input, key, "IssueLabel")?;
        }
        let list = |row: &Row, key: &str| row.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut ids = if input.get("labelIds").is_some_and(Value::is_array) {
            list(input, "labelIds")
        } else {
            list(issue, "labelIds")
        };
        let removed = list(input, "removedLabelIds");
        ids.retain(|id| !removed.contains(id));
        ids.extend(list(input, "addedLabelIds"));
        let mut seen = Vec::new();
        ids.retain(|id| {
            !seen.contains(id) && {
                seen.push(id.clone());
                true
            }
        });
        self.check_labels(&ids, &list(issue, "labelIds"), team)?;
        Ok(Value::Array(ids))
    }

    fn check_labels(&self, ids: &[Value], former: &[Value], team: &str) -> Outcome<()> {
        let mut groups: Vec<(&str, &str)> = Vec::new();
        for id in ids.iter().filter_map(Value::as_str) {
            let label = self.state.expect("IssueLabel", id)?;
            let name = text(label, "name").unwrap_or_default();
            if self.view().value("IssueLabel", label, "isGroup") == Some(Value::Bool(true)) {
                return Err(ApiError::conflict(format!(
                    "The label '{name}' is a group and cannot be assigned to issues directly."
                )));
            }
            if text(label, "teamId").is_some_and(|own| own != team) {
                return Err(ApiError::refused(
                    "labelIds for incorrect team",
                    format!("The label '{name}' is not associated with the same team as the issue."),
                ));
            }
            if text(label, "retiredAt").is_some() && !former.iter().any(|other| other == id) {
                return Err(ApiError::conflict(format!("The label '{name}' is retired.")));
            }
            if let Some(group) = text(label, "parentId") {
                if let Some((_, other)) = groups.iter().find(|(other, _)| *other == group) {
                    return Err(ApiError::refused(
                        "labelIds not exclusive child labels",
                        format!(
                            "The label '{name}' is in the same group as '{other}'. \
                             Only one label in a group can be applied to an issue."
                        ),
                    ));
                }
                groups.push((group, name));
            }
        }
        Ok(())
    }

    pub(super) fn label_create(&mut self, input: &Row) -> Outcome<Row> {
        self.reference(input, "teamId", "Team")?;
        self.check_label(input, text(input, "teamId"), None)?;
        let mut row = self.fresh("IssueLabel", input)?;
        row.insert("color".to_owned(), json!(COLOR));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("isGroup".to_owned(), json!(false));
        copy(
            &mut row,
            input,
            &["name", "description", "color", "teamId", "parentId", "isGroup", "retiredAt"],
        );
        let row = self.state.create("IssueLabel", row)?;
        Ok(payload("issueLabel", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn label_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        let label = Arc::clone(self.state.expect("IssueLabel", id)?);
        self.check_label(input, text(&label, "teamId"), Some(id))?;
        self.state.update("IssueLabel", id, self.now, |row| {
            copy(row, input, &["name", "description", "color", "parentId", "isGroup", "retiredAt"]);
        })?;
        Ok(payload("issueLabel", id))
    }

    /// A name is free within its team, or its workspace; a parent is a group of the same place.
    fn check_label(&self, input: &Row, team: Option<&str>, own: Option<&str>) -> Outcome<()> {
        filled(input, "name", 80)?;
        let name = text(input, "name").map(str::to_lowercase);
        let taken = |label: &&Arc<Row>| {
            let same_place = text(label, "teamId") == team;
            same_place && text(label, "id") != own && text(label, "name").map(str::to_lowercase) == name
        };
        if name.is_some() && self.state.all("IssueLabel").find(taken).is_some() {
            return Err(ApiError::conflict("duplicate label name"));
        }
        let Some(parent) = self.reference(input, "parentId", "IssueLabel")? else { return Ok(()) };
        if !flag(&parent, "isGroup")
            && self
                .state
                .matching("IssueLabel", "parentId", text(&parent, "id").unwrap_or_default())
                .is_empty()
        {
            return Err(ApiError::conflict("The parent label is not a group."));
        }
        if text(&parent, "teamId").is_some_and(|other| Some(other) != team) {
            return Err(ApiError::conflict("The parent label belongs to another team."));
        }
        Ok(())
    }

    pub(super) fn label_retire(&mut self, id: &str, retire: bool) -> Outcome<Row> {
        let (at, user) = (self.now.iso(), self.caller.user.clone());
        self.state.update("IssueLabel", id, self.now, |row| {
            row.insert("retiredAt".to_owned(), if retire { json!(at) } else { Value::Null });
            row.insert("retiredById".to_owned(), if retire { json!(user) } else { Value::Null });
        })?;
        Ok(payload("issueLabel", id))
    }

    /// Also off the issues that have it.
    pub(super) fn label_delete(&mut self, id: &str) -> Outcome<Row> {
        self.state.remove("IssueLabel", id)?;
        let issues: Vec<_> = self.state.all("Issue").cloned().collect();
        for issue in issues {
            let has = issue
                .get("labelIds")
                .and_then(Value::as_array)
                .is_some_and(|ids| ids.iter().any(|other| other == id));
            if has {
                self.state.update("Issue", text(&issue, "id").unwrap_or_default(), self.now, |row| {
                    if let Some(Value::Array(ids)) = row.get_mut("labelIds") {
                        ids.retain(|other| other != id);
                    }
                })?;
            }
        }
        Ok(entity_id(id))
    }
}
