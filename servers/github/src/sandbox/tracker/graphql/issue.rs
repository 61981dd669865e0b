//! Issues, and what pull requests have in common with them.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{
        super::{errors::Outcome, graphql::connection, ids::node_id},
        links, merge,
        show::issue_node,
    },
    At, Field,
    comments::Written,
    lists, node_of,
    roots::{label_node, type_node},
    shout,
};

/// Fields that issues and pull requests have.
pub(super) fn common(at: At<'_>, asked: &Asked<'_>) -> Field {
    let At { show, issue } = at;
    Some(Ok(match asked.field {
        "id" => issue_node(issue).into(),
        "number" => issue.number.into(),
        "title" => issue.title.clone().into(),
        "closedAt" => issue.closed_at.clone().into(),
        "locked" => issue.locked.into(),
        "activeLockReason" => issue.lock_reason.as_deref().map(shout).into(),
        // Of all that happened only what is asked for anywhere: the last closing.
        "timelineItems" => {
            let closings = issue.closed_at.as_ref().map(|_| at.below("ClosedEvent", issue.id));
            return Some(connection(asked, closings.into_iter().collect()));
        }
        "url" => at.url("").into(),
        "milestone" => {
            issue.milestone.map(|number| Node::new("Milestone", json!([show.repo.id, number]))).into()
        }
        "labels" => {
            let mut labels: Vec<_> = show.labels_of(issue).collect();
            if asked.arg("orderBy")["field"] == "NAME" {
                labels.sort_by_key(|label| label.name.to_lowercase());
            }
            if asked.arg("orderBy")["direction"] == "DESC" {
                labels.reverse();
            }
            return Some(connection(
                asked,
                labels.into_iter().map(|label| label_node(show, label)).collect(),
            ));
        }
        "assignees" => return Some(lists::users(show, issue.assignees.clone(), asked)),
        "assignedActors" => return Some(lists::actors(show, issue.assignees.clone(), asked)),
        "comments" => return Some(comments(at, asked)),
        _ => {
            let ty = if issue.pull.is_some() { "PullRequest" } else { "Issue" };
            let written = Written {
                at,
                author: &issue.author,
                body: issue.body.as_deref().unwrap_or_default(),
                created: &issue.created_at,
                updated: &issue.updated_at,
                minimized: None,
                key: (ty, issue.id),
            };
            return written.field(asked);
        }
    }))
}

/// Fields of `ClosedEvent`.
pub(super) fn closed(at: At<'_>, asked: &Asked<'_>) -> Field {
    Some(Ok(match asked.field {
        "id" => node_id("CE", at.issue.id).into(),
        "actor" => at.issue.closed_by.as_deref().map_or(Resolved::NULL, |login| at.person(login)),
        "createdAt" => at.issue.closed_at.clone().into(),
        _ => return None,
    }))
}

/// Fields of `Issue`.
pub(super) fn issue(at: At<'_>, asked: &Asked<'_>) -> Field {
    let At { show, issue } = at;
    let page = |ids: &[u64]| -> Outcome<Resolved> {
        let found = ids.iter().filter_map(|id| show.state.tracker.by_id(*id));
        connection(asked, found.map(|(_, issue)| node_of(issue)).collect())
    };
    Some(Ok(match asked.field {
        "state" => shout(issue.state()).into(),
        // "DUPLICATE" is told only to who asks for it; others read "NOT_PLANNED".
        "stateReason" => match issue.state_reason.as_deref() {
            Some("duplicate") if asked.arg("enableDuplicate") != &json!(true) => "NOT_PLANNED".into(),
            reason => reason.map(shout).into(),
        },
        "issueType" => {
            let kind = issue.kind.as_ref()?;
            let types = show.state.tracker.types(&show.repo.owner);
            types.iter().find(|one| one.name == *kind).map(|one| type_node(&show.repo.owner, one)).into()
        }
        "parent" => {
            let parent = issue.parent.and_then(|id| show.state.tracker.by_id(id));
            parent.map(|(_, issue)| node_of(issue)).into()
        }
        "duplicateOf" => {
            let original = issue.duplicate_of.and_then(|id| show.state.tracker.by_id(id));
            original.map(|(_, issue)| node_of(issue)).into()
        }
        "subIssues" => return Some(page(&issue.sub_issues)),
        "blockedBy" => return Some(page(&issue.blocked_by)),
        "blocking" => {
            let ids: Vec<_> =
                links::blocked_by_me(show.state, issue.id).iter().map(|(_, one)| one.id).collect();
            return Some(page(&ids));
        }
        "issueDependenciesSummary" => {
            let summary = links::dependencies(show.state, issue);
            json!({
                "blockedBy": summary["blocked_by"], "blocking": summary["blocking"],
                "totalBlockedBy": summary["total_blocked_by"], "totalBlocking": summary["total_blocking"],
            })
            .into()
        }
        "subIssuesSummary" => {
            let summary = links::summary(show.state, issue);
            json!({"total": summary["total"], "completed": summary["completed"], "percentCompleted": summary["percent_completed"]}).into()
        }
        "closedByPullRequestsReferences" => return Some(closers(at, asked)),
        _ => return common(at, asked),
    }))
}

/// The pull requests that close an issue, or did.
fn closers(at: At<'_>, asked: &Asked<'_>) -> Outcome<Resolved> {
    let closed = asked.arg("includeClosedPrs") == &json!(true);
    let all = at.show.board.issues.values();
    let found = all.filter(|one| {
        let Some(pull) = &one.pull else { return false };
        let wanted = closed || one.open || pull.merged_at.is_some();
        wanted && merge::linked(at.show, one).contains(&(at.issue.repo, at.issue.number))
    });
    connection(asked, found.map(node_of).collect())
}

fn comments(at: At<'_>, asked: &Asked<'_>) -> Outcome<Resolved> {
    let mut comments: Vec<_> = at.issue.comments.iter().collect();
    if asked.arg("orderBy")["field"] == "UPDATED_AT" {
        comments.sort_by(|a, b| a.updated_at.cmp(&b.updated_at));
    }
    if asked.arg("orderBy")["direction"] == "DESC" {
        comments.reverse();
    }
    connection(asked, comments.iter().map(|one| at.below("IssueComment", one.id)).collect())
}
