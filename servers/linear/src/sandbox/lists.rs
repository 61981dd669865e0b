//! The lists that other rows make up: which rows a connection of an entity holds.

use std::sync::Arc;

use serde_json::Value;

use super::{
    fields::{View, base},
    store::{Row, State, text},
};

impl View<'_> {
    /// The rows a connection holds, archived ones included, oldest first. `None` for a list the fake
    /// has nothing to put in.
    pub(super) fn many(&self, ty: &str, row: &Row, field: &str) -> Option<Vec<Arc<Row>>> {
        let state = self.state;
        let id = text(row, "id").unwrap_or_default();
        let through = |link: &str, own: &str, other: &str, target: &str| {
            let links = state.matching(link, own, id);
            links.iter().filter_map(|link| state.get(target, text(link, other)?)).cloned().collect()
        };
        Some(match (base(ty), field) {
            ("Issue", "labels") => state.listed("IssueLabel", row.get("labelIds")),
            ("Issue", "subscribers") => state.listed("User", row.get("subscriberIds")),
            ("Issue", "inverseRelations") => state.matching("IssueRelation", "relatedIssueId", id),
            ("Issue", "relations") => state.matching("IssueRelation", "issueId", id),
            ("Issue", "children") => state.matching("Issue", "parentId", id),
            ("Issue", "comments") => state.matching("Comment", "issueId", id),
            ("Issue", "attachments") => state.matching("Attachment", "issueId", id),
            ("Issue", "documents") => state.matching("Document", "issueId", id),
            ("Issue", "stateHistory") => embedded(row, "stateHistory"),
            ("IssueLabel", "children") => state.matching("IssueLabel", "parentId", id),
            ("IssueLabel", "issues") => holding(state, "Issue", "labelIds", id),
            ("WorkflowState", "issues") => state.matching("Issue", "stateId", id),
            ("Cycle", "issues") => state.matching("Issue", "cycleId", id),
            ("Cycle", "uncompletedIssuesUponClose") => {
                let mut issues = state.matching("Issue", "cycleId", id);
                issues.retain(|issue| {
                    text(row, "completedAt").is_some() && text(issue, "completedAt").is_none()
                });
                issues
            }
            ("Comment", "children") => state.matching("Comment", "parentId", id),
            ("Team", "issues") => state.matching("Issue", "teamId", id),
            ("Team", "states") => self.states_of(id),
            ("Team", "labels") => state.matching("IssueLabel", "teamId", id),
            ("Team", "cycles") => state.matching("Cycle", "teamId", id),
            ("Team", "templates") => state.matching("Template", "teamId", id),
            ("Team", "projects") => holding(state, "Project", "teamIds", id),
            ("Team", "memberships") => state.matching("TeamMembership", "teamId", id),
            ("Team", "members" | "users") => through("TeamMembership", "teamId", "userId", "User"),
            ("User", "teamMemberships") => state.matching("TeamMembership", "userId", id),
            ("User", "teams") => through("TeamMembership", "userId", "teamId", "Team"),
            ("User", "assignedIssues") => state.matching("Issue", "assigneeId", id),
            ("User", "createdIssues") => state.matching("Issue", "creatorId", id),
            ("User", "delegatedIssues") => state.matching("Issue", "delegateId", id),
            ("Project", "issues") => state.matching("Issue", "projectId", id),
            ("Project", "teams" | "accessibleTeams") => state.listed("Team", row.get("teamIds")),
            ("Project", "members") => state.listed("User", row.get("memberIds")),
            ("Project", "labels") => state.listed("ProjectLabel", row.get("labelIds")),
            ("Project", "projectMilestones") => state.matching("ProjectMilestone", "projectId", id),
            ("Project", "projectUpdates") => state.matching("ProjectUpdate", "projectId", id),
            ("Project", "documents") => state.matching("Document", "projectId", id),
            ("Project", "comments") => state.matching("Comment", "projectId", id),
            ("Project", "externalLinks") => state.matching("EntityExternalLink", "projectId", id),
            ("Project", "initiativeToProjects") => state.matching("InitiativeToProject", "projectId", id),
            ("Project", "initiatives") => {
                through("InitiativeToProject", "projectId", "initiativeId", "Initiative")
            }
            ("ProjectStatus", "projects") => state.matching("Project", "statusId", id),
            ("ProjectMilestone", "issues") => state.matching("Issue", "projectMilestoneId", id),
            ("ProjectUpdate", "comments") => state.matching("Comment", "projectUpdateId", id),
            ("Initiative", "projects") => {
                through("InitiativeToProject", "initiativeId", "projectId", "Project")
            }
            ("Initiative", "subInitiatives") => state.matching("Initiative", "parentInitiativeId", id),
            ("Initiative", "initiativeUpdates") => state.matching("InitiativeUpdate", "initiativeId", id),
            ("Initiative", "documents") => state.matching("Document", "initiativeId", id),
            ("Initiative", "links") => state.matching("EntityExternalLink", "initiativeId", id),
            ("Initiative", "teams") => {
                let projects = self.many(ty, row, "projects").unwrap_or_default();
                projects.iter().flat_map(|project| state.listed("Team", project.get("teamIds"))).collect()
            }
            ("InitiativeUpdate", "comments") => state.matching("Comment", "initiativeUpdateId", id),
            ("Document", "comments") => state.matching(
                "Comment",
                "documentContentId",
                text(row, "documentContentId").unwrap_or_default(),
            ),
            ("Organization", "teams") => state.all("Team").cloned().collect(),
            ("Organization", "users") => state.all("User").cloned().collect(),
            ("Organization", "templates") => state.all("Template").cloned().collect(),
            ("Organization", "labels") => {
                state.all("IssueLabel").filter(|label| text(label, "teamId").is_none()).cloned().collect()
            }
            ("CustomView", "issues") => state.all("Issue").cloned().collect(),
            ("CustomView", "projects") => state.all("Project").cloned().collect(),
            _ => return None,
        })
    }
}

fn embedded(row: &Row, field: &str) -> Vec<Arc<Row>> {
    let list = row.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_object).cloned().map(Arc::new).collect()
}

fn holding(state: &State, ty: &str, list: &str, id: &str) -> Vec<Arc<Row>> {
    let holds = |row: &Row| {
        row.get(list).and_then(Value::as_array).is_some_and(|ids| ids.iter().any(|other| other == id))
    };
    state.all(ty).filter(|row| holds(row)).cloned().collect()
}
