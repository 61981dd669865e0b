//! `archive_issue`: puts an issue out of sight, or back.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::issues_write::not_accepted;
use crate::{
    Linear,
    api::{
        Connection,
        issues::{Issue, Removal, Sections},
    },
    filter::CLOSED,
    render,
    resolve::absent,
};

/// Comments that are counted before an issue goes to the trash, at most.
const COMMENTS: u32 = 50;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::destructive(
            "archive_issue",
            "Archive an issue",
            "Archives an issue, moves it to the trash (gone after 30 days), or restores it.",
            archive_issue,
        )
        .toolset("issues")
        .aliases(&[("issue", "id"), ("issueId", "id")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Archive,
    Trash,
    Restore,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArchiveIssue {
    id: String,
    mode: Mode,
}

async fn archive_issue(call: Call<Linear>, arguments: ArchiveIssue) -> Result<Plan> {
    let ArchiveIssue { id, mode } = arguments;
    let key = call.names().issue_key(&id).await?;
    let before = if mode == Mode::Trash {
        // What is deleted in the end is looked at with what hangs on it.
        let around =
            Sections { comments: Some(COMMENTS), relations: true, children: true, ..Sections::default() };
        call.api().issue(&key.to_id(), around).await.map(|answer| answer.data)
    } else {
        call.api().issue_state(&key.to_id()).await
    };
    let before = before.map_err(|error| absent(error, &key))?;
    let (how, verb, done) = match mode {
        Mode::Archive => (Removal::Archive, "Archive", "Archived"),
        Mode::Trash => (Removal::Trash, "Move to the trash", "Moved to the trash"),
        Mode::Restore => (Removal::Restore, "Restore", "Restored"),
    };
    let is_so = match mode {
        Mode::Archive => before.archived_at.is_some() && !before.trashed,
        Mode::Trash => before.trashed,
        Mode::Restore => before.archived_at.is_none() && !before.trashed,
    };
    let name = before.identifier.clone();
    if is_so {
        let word = match mode {
            Mode::Archive => "archived",
            Mode::Trash => "in the trash",
            Mode::Restore => "neither archived nor in the trash",
        };
        return Ok(Plan::nothing(Reply::written(
            Written::new(format!("{name} is {word} already.")).id(name),
        )));
    }
    let mut preview = Reply::new(format!("{verb}: {name}, {}.", facts(&before))).outside(
        name.clone(),
        None,
        one_line(&before.title),
    );
    if mode == Mode::Trash {
        for line in consequences(&before) {
            preview = preview.line(line);
        }
    }
    let seen = before.updated_at.clone();
    let plan = Plan::new(preview, move || async move {
        let check = format!("Read {name} with get_issue");
        let payload = call.api().remove_issue(&before.id, how, check).await?;
        if !payload.success {
            return Err(not_accepted());
        }
        let now = payload.issue.unwrap_or_default();
        let kept = match mode {
            Mode::Archive | Mode::Restore if now.identifier.is_empty() => false,
            Mode::Archive => now.archived_at.is_none(),
            Mode::Trash => false,
            Mode::Restore => now.archived_at.is_some() || now.trashed,
        };
        if kept {
            return Err(Error::new(
                Kind::Upstream,
                format!("Linear reported success, but {name} is as it was"),
            ));
        }
        let state = match mode {
            Mode::Restore => format!(", {}, in {}", render::state(before.state.as_ref()), before.team.key),
            Mode::Archive | Mode::Trash => String::new(),
        };
        Ok(Reply::written(
            Written::new(format!("{done}: {name}{state}.")).id(name).url(render::issue_url(&before.url)),
        ))
    });
    let plan = plan.state(&seen);
    // One call restores what is archived; what is in the trash only for 30 days.
    Ok(if mode == Mode::Trash { plan } else { plan.harmless() })
}

/// How an issue stands: `Waiting (not finished), assigned to @ada, priority urgent, due 2026-11-30`.
fn facts(issue: &Issue) -> String {
    let open = issue.state.as_ref().is_some_and(|state| !CLOSED.contains(&state.kind.as_str()));
    let assignee = issue.assignee.as_ref().map_or_else(|| "nobody".to_owned(), render::person);
    let mut facts = vec![
        format!("{}{}", render::state(issue.state.as_ref()), if open { " (not finished)" } else { "" }),
        format!("assigned to {assignee}"),
    ];
    if issue.priority.is_some_and(|priority| priority > 0.0) {
        facts.push(format!("priority {}", render::priority_word(issue.priority)));
    }
    facts.extend(issue.due_date.as_ref().map(|due| format!("due {due}")));
    facts.extend(issue.project.as_ref().map(|project| format!("in project \"{}\"", one_line(&project.name))));
    facts.join(", ")
}

/// What hangs on an issue that goes to the trash, and what becomes of it.
fn consequences(issue: &Issue) -> Vec<String> {
    let related = (
        issue.relations.nodes.len() + issue.inverse_relations.nodes.len(),
        issue.relations.page_info.has_next_page || issue.inverse_relations.page_info.has_next_page,
    );
    let has: Vec<String> = [
        (counted(&issue.children), "sub-issue"),
        (related, "relation"),
        (counted(&issue.comments), "comment"),
    ]
    .into_iter()
    .filter(|((count, _), _)| *count > 0)
    .map(|((count, more), noun)| match (count, more) {
        (1, false) => format!("1 {noun}"),
        (count, more) => format!("{count}{} {noun}s", if more { " or more" } else { "" }),
    })
    .collect();
    let mut lines = Vec::new();
    if !has.is_empty() {
        lines.push(format!("It has {}.", has.join(", ")));
    }
    let children = if issue.children.nodes.is_empty() { "" } else { " Its sub-issues stay." };
    lines.push(format!("Linear deletes what is in the trash after 30 days.{children}"));
    lines.push("Mode archive hides it and keeps it.".to_owned());
    lines
}

/// How many were read, and whether there are more.
fn counted<T>(connection: &Connection<T>) -> (usize, bool) {
    (connection.nodes.len(), connection.page_info.has_next_page)
}
