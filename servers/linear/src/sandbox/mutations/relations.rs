//! Relations between issues. "Blocked by" is the same relation seen from the other side.

use std::sync::Arc;

use serde_json::json;

use super::{Change, payload};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    store::{Row, text},
};

impl Change<'_> {
    pub(super) fn relation_create(&mut self, input: &Row) -> Outcome<Row> {
        let issue = self.relation_end(input, "issueId")?;
        let related = self.relation_end(input, "relatedIssueId")?;
        if issue == related {
            return Err(ApiError::conflict("An issue cannot be related to itself."));
        }
        let kind = text(input, "type").unwrap_or_default();
        let same = |row: &&Arc<Row>| {
            text(row, "issueId") == Some(&issue)
                && text(row, "relatedIssueId") == Some(&related)
                && text(row, "type") == Some(kind)
        };
        if let Some(existing) = self.state.all("IssueRelation").find(same) {
            return Ok(payload("issueRelation", text(existing, "id").unwrap_or_default()));
        }
        let mut row = self.fresh("IssueRelation", input)?;
        row.insert("issueId".to_owned(), json!(issue));
        row.insert("relatedIssueId".to_owned(), json!(related));
        row.insert("type".to_owned(), json!(kind));
        if kind == "duplicate" {
            self.close_duplicate(&issue)?;
        }
        let row = self.state.create("IssueRelation", row)?;
        Ok(payload("issueRelation", text(&row, "id").unwrap_or_default()))
    }

    /// What duplicates another issue is closed as such.
    fn close_duplicate(&mut self, issue: &str) -> Outcome<()> {
        let row = Arc::clone(self.state.expect("Issue", issue)?);
        let team = text(&row, "teamId").and_then(|team| self.state.get("Team", team)).cloned();
        let view = self.view();
        let state =
            team.and_then(|team| view.one("Team", &team, "markedAsDuplicateWorkflowState", "WorkflowState"));
        if let Some(state) = state.filter(|state| text(state, "id") != text(&row, "stateId")) {
            let mut new = Row::clone(&row);
            self.enter_state(&mut new, &state);
            self.state.update("Issue", issue, self.now, |row| *row = new)?;
        }
        Ok(())
    }

    pub(super) fn relation_update(&mut self, id: &str, input: &Row) -> Outcome<Row> {
        let mut ends = Vec::new();
        for key in ["issueId", "relatedIssueId"] {
            if input.get(key).is_some_and(|end| !end.is_null()) {
                ends.push((key, self.relation_end(input, key)?));
            }
        }
        let kind = text(input, "type");
        if kind.is_some_and(|kind| !["blocks", "duplicate", "related", "similar"].contains(&kind)) {
            return Err(ApiError::invalid("type must be one of blocks, duplicate, related, similar."));
        }
        self.state.update("IssueRelation", id, self.now, |row| {
            for (key, end) in ends {
                row.insert(key.to_owned(), json!(end));
            }
            if let Some(kind) = kind {
                row.insert("type".to_owned(), json!(kind));
            }
        })?;
        Ok(payload("issueRelation", id))
    }

    fn relation_end(&self, input: &Row, key: &str) -> Outcome<String> {
        let issue = self.state.issue(text(input, key).unwrap_or_default())?;
        Ok(text(issue, "id").unwrap_or_default().to_owned())
    }
}
