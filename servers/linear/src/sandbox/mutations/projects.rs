//! Projects, their milestones, and the status updates of projects and initiatives.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, copy, date, entity_id, filled, payload, priority};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    fields::{number, short},
    store::{Row, text},
};

const PLAIN: [&str; 18] = [
    "name",
    "description",
    "content",
    "icon",
    "color",
    "priority",
    "prioritySortOrder",
    "sortOrder",
    "startDate",
    "startDateResolution",
    "targetDate",
    "targetDateResolution",
    "leadId",
    "memberIds",
    "labelIds",
    "teamIds",
    "lastAppliedTemplateId",
    "statusId",
];

impl Change<'_> {
    pub(super) fn project_create(&mut self, input: &Row) -> Outcome<Row> {
        self.check_project(input)?;
        if input.get("teamIds").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return Err(ApiError::invalid("teamIds should not be empty."));
        }
        let mut row = self.fresh("Project", input)?;
        let slug = short(text(&row, "id").unwrap_or_default());
        row.insert("slugId".to_owned(), json!(slug));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("description".to_owned(), json!(""));
        row.insert("color".to_owned(), json!("#bec2c8"));
        row.insert("priority".to_owned(), json!(0));
        copy(&mut row, input, &PLAIN);
        if text(&row, "statusId").is_none() {
            let mut statuses: Vec<_> = self.state.all("ProjectStatus").cloned().collect();
            statuses.sort_by(|a, b| number(a, "position").total_cmp(&number(b, "position")));
            let first =
                statuses.iter().find(|status| text(status, "type") == Some("backlog")).or(statuses.first());
            let first = first.ok_or_else(|| ApiError::not_found("ProjectStatus"))?;
            row.insert("statusId".to_owned(), first.get("id").cloned().unwrap_or_default());
        }
        self.enter_status(&mut row);
        let row = self.state.create("Project", row)?;
        self.notify_of("projectMention", "content", &Row::new(), &row, &[("projectId", text(&row, "id"))])?;
        Ok(payload("project", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn project_update(&mut self, reference: &str, input: &Row) -> Outcome<Row> {
        self.check_project(input)?;
        if input.get("teamIds").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            return Err(ApiError::invalid("teamIds should not be empty."));
        }
        let old = Arc::clone(self.state.by_slug("Project", reference)?);
        let mut new = Row::clone(&old);
        copy(&mut new, input, &PLAIN);
        if new.get("statusId") != old.get("statusId") {
            self.enter_status(&mut new);
        }
        copy(&mut new, input, &["completedAt", "canceledAt"]);
        if let Some(trashed) = input.get("trashed").and_then(Value::as_bool) {
            new.insert("trashed".to_owned(), json!(trashed));
            new.insert("archivedAt".to_owned(), if trashed { json!(self.now.iso()) } else { Value::Null });
        }
        let id = text(&old, "id").unwrap_or_default();
        let row = self.state.update("Project", id, self.now, |row| *row = new)?;
        self.notify_of("projectMention", "content", &old, &row, &[("projectId", Some(id))])?;
        Ok(payload("project", id))
    }

    fn check_project(&self, input: &Row) -> Outcome<()> {
        filled(input, "name", 80)?;
        if text(input, "description").is_some_and(|text| text.chars().count() > 255) {
            return Err(ApiError::invalid("description must be shorter than or equal to 255 characters."));
        }
        priority(input)?;
        date(input, "startDate")?;
        date(input, "targetDate")?;
        self.reference(input, "leadId", "User")?;
        self.reference(input, "statusId", "ProjectStatus")?;
        self.references(input, "memberIds", "User")?;
        self.references(input, "teamIds", "Team")?;
        self.references(input, "labelIds", "ProjectLabel").map(drop)
    }

    /// The dates that a status entails.
    fn enter_status(&self, row: &mut Row) {
        let status = text(row, "statusId").and_then(|id| self.state.get("ProjectStatus", id));
        let kind = status.and_then(|status| text(status, "type")).unwrap_or_default();
        let now = json!(self.now.iso());
        let started = row.get("startedAt").filter(|at| !at.is_null()).cloned();
        let (started, completed, canceled) = match kind {
            "started" | "paused" => (started.unwrap_or(now), Value::Null, Value::Null),
            "completed" => (started.unwrap_or_else(|| now.clone()), now, Value::Null),
            "canceled" => (started.unwrap_or_default(), Value::Null, now),
            _ => (Value::Null, Value::Null, Value::Null),
        };
        row.insert("startedAt".to_owned(), started);
        row.insert("completedAt".to_owned(), completed);
        row.insert("canceledAt".to_owned(), canceled);
    }

    pub(super) fn milestone_create(&mut self, input: &Row) -> Outcome<Row> {
        self.check_milestone_input(input)?;
        let mut row = self.fresh("ProjectMilestone", input)?;
        copy(&mut row, input, &["name", "description", "targetDate", "projectId", "sortOrder"]);
        let row = self.state.create("ProjectMilestone", row)?;
        let about = [("projectId", text(&row, "projectId"))];
        self.notify_of("projectMilestoneMention", "description", &Row::new(), &row, &about)?;
        Ok(payload("projectMilestone", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn milestone_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        self.check_milestone_input(input)?;
        let old = Arc::clone(self.state.expect("ProjectMilestone", id)?);
        let row = self.state.update("ProjectMilestone", id, self.now, |row| {
            copy(row, input, &["name", "description", "targetDate", "projectId", "sortOrder"]);
        })?;
        let about = [("projectId", text(&row, "projectId"))];
        self.notify_of("projectMilestoneMention", "description", &old, &row, &about)?;
        Ok(payload("projectMilestone", id))
    }

    fn check_milestone_input(&self, input: &Row) -> Outcome<()> {
        filled(input, "name", 255)?;
        date(input, "targetDate")?;
        self.reference(input, "projectId", "Project").map(drop)
    }

    /// Also off the issues that have it.
    pub(super) fn milestone_delete(&mut self, id: &str) -> Outcome<Row> {
        self.state.remove("ProjectMilestone", id)?;
        for issue in self.state.matching("Issue", "projectMilestoneId", id) {
            self.state.update("Issue", text(&issue, "id").unwrap_or_default(), self.now, |row| {
                row.insert("projectMilestoneId".to_owned(), Value::Null);
            })?;
        }
        Ok(entity_id(id))
    }

    /// Posts an update on a project's or an initiative's health.
    pub(super) fn status_update_create(&mut self, ty: &'static str, input: &Row) -> Outcome<Row> {
        let (field, key, parent) = update_of(ty);
        self.reference(input, key, parent)?;
        let mut row = self.fresh(ty, input)?;
        row.insert("userId".to_owned(), json!(self.caller.user));
        row.insert("body".to_owned(), json!(""));
        row.insert("health".to_owned(), json!("onTrack"));
        copy(&mut row, input, &["body", "health", key]);
        let row = self.state.create(ty, row)?;
        self.notify_of(&format!("{field}Mention"), "body", &Row::new(), &row, &[(key, text(&row, key))])?;
        Ok(payload(field, text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn status_update_update(&mut self, ty: &'static str, id: &str, input: &Row) -> Outcome<Row> {
        let (field, key, _) = update_of(ty);
        if text(self.state.expect(ty, id)?, "userId") != Some(&self.caller.user) {
            return Err(ApiError::forbidden("You can only edit your own updates."));
        }
        let now = self.now.iso();
        let old = Arc::clone(self.state.expect(ty, id)?);
        let row = self.state.update(ty, id, self.now, |row| {
            let edited = input.iter().any(|(key, value)| row.get(key) != Some(value));
            copy(row, input, &["body", "health"]);
            if edited {
                row.insert("editedAt".to_owned(), json!(now));
            }
        })?;
        self.notify_of(&format!("{field}Mention"), "body", &old, &row, &[(key, text(&row, key))])?;
        Ok(payload(field, id))
    }
}

/// The payload's field, the key of the parent and the parent's type.
fn update_of(ty: &str) -> (&'static str, &'static str, &'static str) {
    match ty {
        "ProjectUpdate" => ("projectUpdate", "projectId", "Project"),
        _ => ("initiativeUpdate", "initiativeId", "Initiative"),
    }
}
