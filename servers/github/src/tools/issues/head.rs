//! One issue as it is shown: the lines above its text, the text, and the same as data.

use std::fmt::Write as _;

use connector::catalog::{Reply, excerpt, one_line};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    conversation, events,
    rows::{self, Row},
};
use crate::{
    api::issues::{Issue, ReactionGroup, closer},
    render,
    repo::Repo,
    resolve::reference,
};

/// Characters of a text, unless asked otherwise.
pub(super) const EXCERPT: usize = 10_000;

/// One issue.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Detail {
    pub(super) repo: String,
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) state: String,
    pub(super) pull_request: bool,
    pub(super) author: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) assignees: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) milestone: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    /// For `expected_updated_at`.
    pub(super) updated_at: String,
    pub(super) url: String,
    pub(super) comment_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) body: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) comments: Vec<conversation::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) sub_issues: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) blocked_by: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) blocks: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) linked: Vec<Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) timeline: Vec<events::Row>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<String>,
    /// Where the comments go on, to older ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
    /// Where the timeline goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) timeline_cursor: Option<String>,
}

/// The lines above an issue's text.
/// With `comments` these are shown below, and else it says how.
pub(super) fn head(repo: &Repo, place: &str, issue: &Issue, comments: bool) -> Vec<String> {
    let number = &issue.number;
    let mut state = rows::state(&issue.state(), &issue.state_reason);
    if issue.is_draft && state == "open" {
        "draft".clone_into(&mut state);
    }
    let mut first = format!("{repo}#{number} {state}, {}", rows::opened_by(&state, issue.author.login()));
    first.push_str(conversation::author_association(&issue.author_association).as_str());
    let assignees: Vec<_> = issue.assignees.nodes.iter().map(|person| person.login.clone()).collect();
    if assignees.is_empty() {
        first.push_str(", unassigned");
    } else {
        let _ = write!(first, ", to {}", rows::logins(&assignees));
    }
    let labels: Vec<_> = issue.labels.nodes.iter().map(|label| label.name.clone()).collect();
    if !labels.is_empty() {
        let _ = write!(first, ", {}", rows::names(&labels));
    }
    if !issue.milestone.title.is_empty() {
        let _ = write!(first, ", milestone {}", one_line(&issue.milestone.title));
    }
    if !issue.issue_type.name.is_empty() {
        let _ = write!(first, ", type {}", one_line(&issue.issue_type.name));
    }
    if issue.locked {
        first.push_str(", locked");
        if !issue.active_lock_reason.is_empty() {
            let _ =
                write!(first, " as {}", one_line(&issue.active_lock_reason).to_lowercase().replace('_', " "));
        }
    }
    let mut second = format!("created {}", render::minute(&issue.created_at));
    if !issue.closed_at.is_empty() {
        let _ = write!(second, ", closed {}", render::minute(&issue.closed_at));
        if let Some(closer) = closer(&issue.closing) {
            let _ = write!(second, " by @{}", one_line(&closer));
        }
    }
    let _ = write!(second, ", updated_at {}", one_line(&issue.updated_at));
    match issue.comment_count.get() {
        0 => second.push_str(", no comments"),
        1 => second.push_str(", 1 comment"),
        many => {
            let _ = write!(second, ", {many} comments");
        }
    }
    if !comments && issue.comment_count.get() > 0 {
        second.push_str(" (include comments shows them)");
    }
    let mut lines = vec![first, second];
    if issue.is_pull() {
        lines.push(
            "It is a pull request: get_pr has its reviews and checks, get_diff its changes.".to_owned(),
        );
    }
    if let Some(original) = &issue.duplicate_of {
        let name = reference::name(&original.repository.name_with_owner, &original.number, repo);
        lines.push(format!("duplicate of {name}"));
    }
    if let Some(parent) = &issue.parent {
        let name = reference::name(&parent.repository.name_with_owner, &parent.number, repo);
        lines.push(format!("part of {name}"));
    }
    if let Some((done, all)) = issue.sub_issues_summary.done_of() {
        lines.push(format!("sub-issues: {done} of {all} done"));
    }
    if !place.is_empty() && !place.eq_ignore_ascii_case(&repo.to_string()) {
        lines.push(format!("The repository is called {} now.", one_line(place)));
    }
    let reactions = reactions(&issue.reaction_groups);
    if !reactions.is_empty() {
        lines.push(format!("reactions: {reactions}"));
    }
    lines.push(one_line(&issue.url));
    lines
}

/// Adds the title and the text.
pub(super) fn text(
    mut reply: Reply,
    repo: &Repo,
    issue: &Issue,
    offset: usize,
    detail: &mut Detail,
) -> Reply {
    let (body, note) = excerpt(&issue.body, offset, EXCERPT);
    let mut shown = format!("# {}", one_line(&issue.title));
    if offset > 0 {
        let _ = write!(shown, "\n[from character {offset}]");
    }
    // A whole text is cleaned where it is fenced, which tells what that left out.
    let text = if note.is_none() && offset == 0 { issue.body.as_str() } else { body.as_str() };
    if !text.trim().is_empty() {
        let _ = write!(shown, "\n\n{}", text.trim_end());
    }
    let from = format!("{repo}#{}", issue.number);
    reply = reply.outside(from, Some(issue.author.login()), shown);
    detail.body = Some(body);
    match note {
        Some(note) => reply.line(note),
        None => reply,
    }
}

/// `+1 3, heart 1`: in the words that reacting takes.
pub(super) fn reactions(groups: &[ReactionGroup]) -> String {
    let word = |content: &str| match content {
        "THUMBS_UP" => "+1".to_owned(),
        "THUMBS_DOWN" => "-1".to_owned(),
        other => one_line(other).to_lowercase(),
    };
    let given = groups.iter().filter(|group| group.reactors.get() > 0);
    given
        .map(|group| format!("{} {}", word(&group.content), group.reactors.get()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The same as data, without the parts that are asked for.
pub(super) fn data(place: &str, issue: &Issue) -> Detail {
    Detail {
        repo: place.to_owned(),
        number: issue.number.parse().unwrap_or_default(),
        title: issue.title.clone(),
        state: rows::state(&issue.state(), &issue.state_reason),
        pull_request: issue.is_pull(),
        author: issue.author.login().to_owned(),
        assignees: issue.assignees.nodes.iter().map(|person| person.login.clone()).collect(),
        labels: issue.labels.nodes.iter().map(|label| label.name.clone()).collect(),
        milestone: rows::some(&issue.milestone.title),
        kind: rows::some(&issue.issue_type.name),
        parent: issue
            .parent
            .as_ref()
            .map(|parent| format!("{}#{}", parent.repository.name_with_owner, parent.number)),
        updated_at: issue.updated_at.clone(),
        url: issue.url.clone(),
        comment_count: issue.comment_count.get(),
        ..Detail::default()
    }
}
