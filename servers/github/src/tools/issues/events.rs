//! What happened to an issue or pull request, oldest first. Comments are left to the conversation.

use connector::catalog::{Page, Position, one_line};
use schemars::JsonSchema;
use serde::Serialize;

use super::rows::names;
use crate::{
    api::{Listed, rest_issues::Event},
    render,
    repo::Repo,
    resolve::reference,
    tools::FROM,
};

/// An event.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    what: String,
}

/// A page of events with the cursor for later ones; and their data, and that cursor. `sees` says which repositories are
/// within reach.
pub(super) fn page(
    repo: &Repo,
    listed: &Listed<Event>,
    position: Position,
    sees: impl Fn(&str) -> bool,
    seal: impl Fn(&Position) -> String + Send + 'static,
) -> ((Page, Vec<Row>), Option<String>) {
    let events: Vec<_> = listed.items.iter().skip(position.skip).collect();
    let mut places = Vec::new();
    let mut rows = Vec::new();
    let mut page = Page::new(FROM, ("event", "events")).note("oldest first, without comments");
    for (place, event) in events.iter().enumerate() {
        if let Some(what) = told(event, repo, &sees) {
            let row = Row { at: event.at().to_owned(), by: event.who().map(str::to_owned), what };
            let by = row.by.as_ref().map(|by| format!(" @{}", one_line(by))).unwrap_or_default();
            let at = render::minute(&row.at);
            page.push(format!("{at}{by} {}", row.what).trim_start().to_owned(), &row);
            rows.push(row);
            places.push(place);
        }
    }
    let (read, next) = (events.len(), listed.next.clone());
    let onward = next.as_ref().map(|next| seal(&position.advance(read, read, Some(next))));
    let page = page.cursor(next.is_some(), move |kept| {
        let read_on = places.get(kept).copied().unwrap_or(read);
        seal(&position.advance(read_on, read, next.as_deref()))
    });
    ((page, rows), onward)
}

/// An event in words; none for what says nothing, or is told elsewhere.
fn told(event: &Event, repo: &Repo, sees: &impl Fn(&str) -> bool) -> Option<String> {
    if let Some(what) = link(event, repo, sees) {
        return Some(what);
    }
    let label = || names(std::slice::from_ref(&event.label.name));
    let person = |login: &str| format!("@{}", one_line(login));
    Some(match event.event.as_str() {
        // The conversation has these; and who reads along says nothing.
        "commented" | "line-commented" | "commit-commented" | "subscribed" | "unsubscribed" | "mentioned" => {
            return None;
        }
        "labeled" => format!("added {}", label()),
        "unlabeled" => format!("removed {}", label()),
        "assigned" => format!("assigned {}", person(event.assignee.login())),
        "unassigned" => format!("unassigned {}", person(event.assignee.login())),
        "milestoned" => format!("added to milestone {}", one_line(&event.milestone.title)),
        "demilestoned" => format!("removed from milestone {}", one_line(&event.milestone.title)),
        "renamed" => {
            format!("renamed \"{}\" to \"{}\"", one_line(&event.rename.from), one_line(&event.rename.to))
        }
        "closed" => {
            let mut what = "closed".to_owned();
            if !event.state_reason.is_empty() {
                what.push_str(&format!(" as {}", one_line(&event.state_reason).replace('_', " ")));
            }
            if !event.commit_id.is_empty() {
                what.push_str(&format!(" by commit {}", render::short_sha(&event.commit_id)));
            }
            what
        }
        "referenced" if !event.commit_id.is_empty() => {
            format!("referenced by commit {}", render::short_sha(&event.commit_id))
        }
        "merged" => format!("merged as {}", render::short_sha(&event.commit_id)),
        "committed" => {
            let subject = event.message.lines().next().unwrap_or_default();
            format!("commit {}: {}", render::short_sha(&event.sha), one_line(subject))
        }
        "reviewed" => format!("reviewed: {}", one_line(&event.state).replace('_', " ")),
        "review_requested" if !event.requested_team.name.is_empty() => {
            format!("requested a review from the team {}", one_line(&event.requested_team.name))
        }
        "review_requested" => format!("requested a review from {}", person(event.requested_reviewer.login())),
        "review_request_removed" => {
            format!("withdrew the review request to {}", person(event.requested_reviewer.login()))
        }
        "cross-referenced" => {
            let source = event.source.issue.as_ref()?;
            let place = source.repo().unwrap_or_default();
            if !sees(place) && !place.is_empty() {
                return None;
            }
            let what = if source.is_pull() { "PR " } else { "" };
            let name = reference::name(place, &source.number, repo);
            format!("mentioned in {what}{name}: {}", one_line(&source.title))
        }
        "issue_type_added" if !event.issue_type.name.is_empty() => {
            format!("set type {}", one_line(&event.issue_type.name))
        }
        "issue_type_changed" if !event.issue_type.name.is_empty() => {
            let (from, to) = (&event.prev_issue_type.name, &event.issue_type.name);
            format!("changed type {} → {}", one_line(from), one_line(to))
        }
        "issue_type_removed" if !event.prev_issue_type.name.is_empty() => {
            format!("removed type {}", one_line(&event.prev_issue_type.name))
        }
        "locked" if !event.lock_reason.is_empty() => format!("locked as {}", one_line(&event.lock_reason)),
        "" => return None,
        other => one_line(other).replace('_', " "),
    })
}

/// A link to another issue; none of other events, or where the other issue is out of reach.
fn link(event: &Event, repo: &Repo, sees: &impl Fn(&str) -> bool) -> Option<String> {
    let (what, issue) = match event.event.as_str() {
        "sub_issue_added" => ("added sub-issue", &event.sub_issue),
        "sub_issue_removed" => ("removed sub-issue", &event.sub_issue),
        "parent_issue_added" => ("made it a part of", &event.parent_issue),
        "parent_issue_removed" => ("took it out of", &event.parent_issue),
        "blocked_by_added" => ("marked it as blocked by", &event.blocked_by),
        "blocked_by_removed" => ("marked it as no longer blocked by", &event.blocked_by),
        "blocking_added" => ("marked it as blocking", &event.blocking),
        "blocking_removed" => ("marked it as no longer blocking", &event.blocking),
        _ => return None,
    };
    let place = &issue.repository.full_name;
    let seen = !issue.number.is_empty() && !place.is_empty() && sees(place);
    seen.then(|| format!("{what} {}", reference::name(place, &issue.number, repo)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(json: serde_json::Value) -> Option<String> {
        let repo = Repo::parse("octo/cat").unwrap();
        told(&connector::tolerant::from_value(json).unwrap(), &repo, &|name: &str| name != "octo/secret")
    }

    #[test]
    fn events_are_told_in_words() {
        for (json, words) in [
            (json!({"event": "labeled", "label": {"name": "bug"}}), "added [bug]"),
            (json!({"event": "renamed", "rename": {"from": "A", "to": "B"}}), "renamed \"A\" to \"B\""),
            (json!({"event": "closed", "state_reason": "not_planned"}), "closed as not planned"),
            (json!({"event": "closed", "commit_id": "0123456789abcdef"}), "closed by commit 0123456789ab"),
            (json!({"event": "sub_issue_added"}), "sub issue added"),
            (
                json!({"event": "blocked_by_added", "blocked_by": {"number": 4, "repository": {"full_name": "octo/dog"}}}),
                "marked it as blocked by octo/dog#4",
            ),
            (
                json!({"event": "blocking_removed", "blocking": {"number": 4, "repository": {"full_name": "octo/secret"}}}),
                "blocking removed",
            ),
            (
                json!({"event": "issue_type_changed", "prev_issue_type": {"name": "Task"}, "issue_type": {"name": "Bug"}}),
                "changed type Task → Bug",
            ),
        ] {
            assert_eq!(event(json).as_deref(), Some(words));
        }
        assert_eq!(event(json!({"event": "commented", "body": "x"})), None);
    }

    #[test]
    fn a_mention_in_a_repository_out_of_reach_is_not_told() {
        let mention = |place: &str| {
            event(json!({"event": "cross-referenced", "source": {"issue": {
                "number": 5, "title": "T", "pull_request": {}, "repository_url": format!("https://api.github.com/repos/{place}"),
            }}}))
        };
        assert_eq!(mention("octo/dog").as_deref(), Some("mentioned in PR octo/dog#5: T"));
        assert_eq!(mention("octo/secret"), None);
    }
}
