//! Issues: creating, changing, archiving, one or many at once.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Change, copy, date, filled, payload, priority, uuid};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    fields::number,
    store::{Row, text},
};

/// The most issues one batch may hold.
const MAX_BATCH: usize = 50;

/// Fields taken over as they are.
const PLAIN: [&str; 18] = [
    "title",
    "description",
    "priority",
    "estimate",
    "dueDate",
    "assigneeId",
    "delegateId",
    "sortOrder",
    "prioritySortOrder",
    "subIssueSortOrder",
    "slaType",
    "slaStartedAt",
    "slaBreachesAt",
    "snoozedUntilAt",
    "snoozedById",
    "subscriberIds",
    "lastAppliedTemplateId",
    "trashed",
];

impl Change<'_> {
    pub(super) fn issue_create(&mut self, input: &Row) -> Outcome<Row> {
        let row = self.new_issue(input)?;
        let row = self.state.create("Issue", row)?;
        self.notify_of("issueMention", "description", &Row::new(), &row, &[("issueId", text(&row, "id"))])?;
        Ok(payload("issue", text(&row, "id").unwrap_or_default()))
    }

    pub(super) fn issue_batch_create(&mut self, input: &Row) -> Outcome<Row> {
        let issues = input.get("issues").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        batch_size("issues", issues.len())?;
        // Nothing is created unless all can be.
        for issue in issues.iter().filter_map(Value::as_object) {
            self.new_issue(issue)?;
        }
        let mut ids = Vec::new();
        for issue in issues.iter().filter_map(Value::as_object) {
            let row = self.new_issue(issue)?;
            let row = self.state.create("Issue", row)?;
            self.notify_of(
                "issueMention",
                "description",
                &Row::new(),
                &row,
                &[("issueId", text(&row, "id"))],
            )?;
            ids.push(row.get("id").cloned().unwrap_or_default());
        }
        Ok(issues_payload(ids))
    }

    /// The row of a new issue, checked but not yet stored.
    fn new_issue(&self, input: &Row) -> Outcome<Row> {
        let team = self.reference(input, "teamId", "Team")?.ok_or_else(|| ApiError::not_found("Team"))?;
        let team_id = text(&team, "id").unwrap_or_default();
        let template = match self.reference(input, "templateId", "Template")? {
            Some(template) => {
                template.get("templateData").and_then(Value::as_object).cloned().unwrap_or_default()
            }
            None => Row::new(),
        };
        // What the caller says goes before what the template says.
        let mut merged = template;
        merged.extend(input.iter().map(|(key, value)| (key.clone(), value.clone())));
        let input = &merged;
        if text(input, "title").is_none() {
            return Err(ApiError::invalid("title should not be empty."));
        }
        self.check_issue(input, team_id)?;
        let mut row = self.fresh("Issue", input)?;
        row.insert("teamId".to_owned(), json!(team_id));
        row.insert("number".to_owned(), json!(self.state.next_number(team_id)));
        row.insert("creatorId".to_owned(), json!(self.caller.user));
        row.insert("priority".to_owned(), json!(0));
        row.insert("sortOrder".to_owned(), json!(-(self.state.next_number(team_id) as f64)));
        row.insert("previousIdentifiers".to_owned(), json!([]));
        row.insert("stateHistory".to_owned(), json!([]));
        copy(&mut row, input, &PLAIN);
        copy(&mut row, input, &["projectId", "projectMilestoneId", "cycleId"]);
        if let Some(reference) = text(input, "parentId") {
            let parent = self.state.issue(reference)?;
            row.insert("parentId".to_owned(), parent.get("id").cloned().unwrap_or_default());
        }
        row.insert("labelIds".to_owned(), self.labels_after(&row, input, team_id)?);
        let mut subscribers =
            input.get("subscriberIds").and_then(Value::as_array).cloned().unwrap_or_default();
        for user in [Some(self.caller.user.as_str()), text(input, "assigneeId")].into_iter().flatten() {
            if !subscribers.iter().any(|other| other == user) {
                subscribers.push(json!(user));
            }
        }
        row.insert("subscriberIds".to_owned(), Value::Array(subscribers));
        let state = match text(input, "stateId").and_then(|id| self.state.get("WorkflowState", id)) {
            Some(state) => Arc::clone(state),
            None => self.default_state(&team)?,
        };
        self.enter_state(&mut row, &state);
        if let Some(at) = input.get("completedAt").filter(|at| !at.is_null()) {
            row.insert("completedAt".to_owned(), at.clone());
        }
        Ok(row)
    }

    pub(super) fn issue_update(&mut self, reference: &str, input: &Row) -> Outcome<Row> {
        let id = self.change_issue(reference, input)?;
        Ok(payload("issue", &id))
    }

    pub(super) fn issue_batch_update(&mut self, args: &Row, input: &Row) -> Outcome<Row> {
        let ids = args.get("ids").and_then(Value::as_array).cloned().unwrap_or_default();
        batch_size("ids", ids.len())?;
        // All are looked at before the first is changed.
        for id in ids.iter().filter_map(Value::as_str) {
            uuid("ids", id)?;
            self.changed_issue(self.state.expect("Issue", id)?, input)?;
        }
        for id in ids.iter().filter_map(Value::as_str) {
            self.change_issue(id, input)?;
        }
        Ok(issues_payload(ids))
    }

    pub(super) fn issue_label(&mut self, reference: &str, label: &str, key: &str) -> Outcome<Row> {
        uuid("labelId", label)?;
        self.state.expect("IssueLabel", label)?;
        let mut input = Row::new();
        input.insert(key.to_owned(), json!([label]));
        self.issue_update(reference, &input)
    }

    fn change_issue(&mut self, reference: &str, input: &Row) -> Outcome<String> {
        let old = Arc::clone(self.state.issue(reference)?);
        let new = self.changed_issue(&old, input)?;
        let id = text(&old, "id").unwrap_or_default().to_owned();
        let changed = self.state.update("Issue", &id, self.now, |row| *row = new)?;
        self.notify_of("issueMention", "description", &old, &changed, &[("issueId", Some(&id))])?;
        self.close_with_children(&id)?;
        self.close_with_the_last_child(&id)?;
        Ok(id)
    }

    /// The row as `input` would have it.
    fn changed_issue(&self, old: &Row, input: &Row) -> Outcome<Row> {
        let mut row = old.clone();
        let former_team = text(old, "teamId").unwrap_or_default();
        let team = self.reference(input, "teamId", "Team")?;
        let team_id = team.as_ref().and_then(|team| text(team, "id")).unwrap_or(former_team);
        self.check_issue(input, team_id)?;
        copy(&mut row, input, &PLAIN);
        copy(&mut row, input, &["projectId", "projectMilestoneId", "cycleId"]);
        if input.contains_key("projectId")
            && !input.contains_key("projectMilestoneId")
            && old.get("projectId") != input.get("projectId")
        {
            row.insert("projectMilestoneId".to_owned(), Value::Null);
        }
        self.check_milestone(&row)?;
        match input.get("parentId") {
            Some(Value::String(reference)) => {
                let parent = self.state.issue(reference)?;
                self.check_ancestry(old, parent)?;
                row.insert("parentId".to_owned(), parent.get("id").cloned().unwrap_or_default());
            }
            Some(Value::Null) => {
                row.insert("parentId".to_owned(), Value::Null);
            }
            _ => {}
        }
        if let Some(team) = team.as_ref().filter(|_| team_id != former_team) {
            self.move_issue(&mut row, team, input)?;
        }
        row.insert("labelIds".to_owned(), self.labels_after(&row, input, team_id)?);
        if let Some(state) = text(input, "stateId").filter(|state| text(&row, "stateId") != Some(state)) {
            let state = Arc::clone(self.state.expect("WorkflowState", state)?);
            self.enter_state(&mut row, &state);
        }
        if let Some(assignee) = text(input, "assigneeId") {
            let subscribers = row.entry("subscriberIds").or_insert_with(|| json!([]));
            if let Value::Array(users) = subscribers
                && !users.iter().any(|user| user == assignee)
            {
                users.push(json!(assignee));
            }
        }
        if input.get("trashed") == Some(&Value::Bool(true)) && text(&row, "archivedAt").is_none() {
            row.insert("archivedAt".to_owned(), json!(self.now.iso()));
        }
        Ok(row)
    }

    /// What holds for the input of creating and of changing alike.
    fn check_issue(&self, input: &Row, team: &str) -> Outcome<()> {
        filled(input, "title", 512)?;
        priority(input)?;
        date(input, "dueDate")?;
        for key in ["assigneeId", "delegateId", "snoozedById"] {
            if let Some(user) = self.reference(input, key, "User")?
                && user.get("active") == Some(&Value::Bool(false))
            {
                return Err(ApiError::conflict("The user is suspended and cannot be assigned."));
            }
        }
        self.references(input, "subscriberIds", "User")?;
        if let Some(state) = self.reference(input, "stateId", "WorkflowState")?
            && text(&state, "teamId") != Some(team)
        {
            return Err(ApiError::conflict("Discrepancy between issue team and state, cycle or project."));
        }
        if let Some(cycle) = self.reference(input, "cycleId", "Cycle")?
            && text(&cycle, "teamId") != Some(team)
        {
            return Err(ApiError::conflict("Discrepancy between issue team and state, cycle or project."));
        }
        if let Some(project) = self.reference(input, "projectId", "Project")? {
            let teams = project.get("teamIds").and_then(Value::as_array);
            if !teams.is_some_and(|teams| teams.iter().any(|other| other == team)) {
                return Err(ApiError::conflict(
                    "Discrepancy between issue team and state, cycle or project.",
                ));
            }
        }
        if let Some(milestone) = self.reference(input, "projectMilestoneId", "ProjectMilestone")?
            && let Some(project) = text(input, "projectId")
            && text(&milestone, "projectId") != Some(project)
        {
            return Err(ApiError::conflict("Discrepancy between issue project and milestone project."));
        }
        Ok(())
    }

    fn check_milestone(&self, row: &Row) -> Outcome<()> {
        let milestone = text(row, "projectMilestoneId").and_then(|id| self.state.get("ProjectMilestone", id));
        match milestone {
            Some(milestone) if text(milestone, "projectId") != text(row, "projectId") => {
                Err(ApiError::conflict("Discrepancy between issue project and milestone project."))
            }
            _ => Ok(()),
        }
    }

    /// No issue stands above itself.
    fn check_ancestry(&self, issue: &Row, parent: &Row) -> Outcome<()> {
        let mut ancestor = Some(parent);
        while let Some(row) = ancestor {
            if text(row, "id") == text(issue, "id") {
                return Err(ApiError::conflict("An issue cannot be its own parent."));
            }
            ancestor = text(row, "parentId").and_then(|id| self.state.get("Issue", id)).map(|row| &**row);
        }
        Ok(())
    }

    /// A team may want its sub-issues closed with their parent.
    fn close_with_children(&mut self, id: &str) -> Outcome<()> {
        let issue = Arc::clone(self.state.expect("Issue", id)?);
        let team = text(&issue, "teamId").and_then(|team| self.state.get("Team", team)).cloned();
        let closes = team.is_some_and(|team| team.get("autoCloseChildIssues") == Some(&Value::Bool(true)));
        if !closes || text(&issue, "completedAt").is_none() {
            return Ok(());
        }
        for child in self.state.matching("Issue", "parentId", id) {
            let open = text(&child, "completedAt").is_none() && text(&child, "canceledAt").is_none();
            if open && text(&child, "teamId") == text(&issue, "teamId") {
                let mut input = Row::new();
                input.insert("stateId".to_owned(), issue.get("stateId").cloned().unwrap_or_default());
                self.change_issue(text(&child, "id").unwrap_or_default(), &input)?;
            }
        }
        Ok(())
    }

    /// A team may want an issue closed with the last of its sub-issues.
    fn close_with_the_last_child(&mut self, id: &str) -> Outcome<()> {
        let is_open = |row: &Row| text(row, "completedAt").is_none() && text(row, "canceledAt").is_none();
        let issue = Arc::clone(self.state.expect("Issue", id)?);
        let parent = text(&issue, "parentId").and_then(|parent| self.state.get("Issue", parent)).cloned();
        let Some(parent) = parent.filter(|parent| is_open(parent) && !is_open(&issue)) else { return Ok(()) };
        let (above, team) =
            (text(&parent, "id").unwrap_or_default(), text(&parent, "teamId").unwrap_or_default());
        let closes = self
            .state
            .get("Team", team)
            .is_some_and(|team| team.get("autoCloseParentIssues") == Some(&Value::Bool(true)));
        if !closes || self.state.matching("Issue", "parentId", above).iter().any(|child| is_open(child)) {
            return Ok(());
        }
        let states = self.view().states_of(team);
        let done = states.into_iter().filter(|state| text(state, "type") == Some("completed"));
        let Some(done) = done.min_by(|a, b| number(a, "position").total_cmp(&number(b, "position"))) else {
            return Ok(());
        };
        let mut input = Row::new();
        input.insert("stateId".to_owned(), done.get("id").cloned().unwrap_or_default());
        self.change_issue(above, &input).map(drop)
    }

    pub(super) fn issue_archive(&mut self, reference: &str, trash: bool) -> Outcome<Row> {
        let id = text(self.state.issue(reference)?, "id").unwrap_or_default().to_owned();
        self.archive("Issue", &id, trash)
    }

    pub(super) fn issue_unarchive(&mut self, reference: &str) -> Outcome<Row> {
        let id = text(self.state.issue(reference)?, "id").unwrap_or_default().to_owned();
        self.unarchive("Issue", &id)
    }

    /// Into the bin for 30 days; for good only by an administrator's word.
    pub(super) fn issue_delete(&mut self, reference: &str, for_good: bool) -> Outcome<Row> {
        let id = text(self.state.issue(reference)?, "id").unwrap_or_default().to_owned();
        if !for_good {
            return self.archive("Issue", &id, true);
        }
        if !self.caller.may("admin") {
            return Err(ApiError::forbidden("Only administrators may delete issues permanently."));
        }
        for (ty, key) in [
            ("Comment", "issueId"),
            ("Attachment", "issueId"),
            ("IssueRelation", "issueId"),
            ("IssueRelation", "relatedIssueId"),
        ] {
            for row in self.state.matching(ty, key, &id) {
                self.state.remove(ty, text(&row, "id").unwrap_or_default())?;
            }
        }
        let row = self.state.remove("Issue", &id)?;
        let mut answer = Row::new();
        answer.insert("entity".to_owned(), Value::Object(Row::clone(&row)));
        Ok(answer)
    }

    /// The state a new issue gets: the team's own choice, else the first that waits.
    pub(super) fn default_state(&self, team: &Row) -> Outcome<Arc<Row>> {
        let view = self.view();
        let chosen = view.one("Team", team, "defaultIssueState", "WorkflowState");
        let states = view.states_of(text(team, "id").unwrap_or_default());
        chosen
            .or_else(|| {
                states.into_iter().min_by(|a, b| number(a, "position").total_cmp(&number(b, "position")))
            })
            .ok_or_else(|| ApiError::not_found("WorkflowState"))
    }
}

fn batch_size(key: &str, size: usize) -> Outcome<()> {
    match size {
        0 => Err(ApiError::invalid(format!("{key} must contain at least 1 elements."))),
        1..=MAX_BATCH => Ok(()),
        _ => Err(ApiError::invalid(format!("{key} must contain no more than {MAX_BATCH} elements."))),
    }
}

fn issues_payload(ids: Vec<Value>) -> Row {
    let mut row = Row::new();
    row.insert("issuesIds".to_owned(), Value::Array(ids));
    row
}
