//! What happened to issues and pull requests: events, and timelines with comments, reviews and commits among
//! them.

use serde_json::{Value, json};

use super::{
    super::{
        auth,
        errors::Outcome,
        ids::node_id,
        repos,
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        route::read,
    },
    guard::TrackerGuard,
    model::{Asked, Event, What},
    pull_show, reviews,
    show::Show,
};

/// `GET …/issues/{issue_number}/events`: without comments and cross-references.
pub(super) fn events_of_issue(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let issue = guard.issue(cx)?;
    let show = guard.show()?;
    let events: Vec<_> = issue.events.iter().filter(|event| is_event(event)).collect();
    Ok(cx.page(&events, |event| show_event(show, event)))
}

fn is_event(event: &Event) -> bool {
    !matches!(event.what, What::CrossReferenced { .. })
}

/// `GET …/issues/{issue_number}/timeline`: oldest first.
pub(super) fn timeline(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let issue = guard.issue(cx)?;
    let show = guard.show()?;
    let mut rows: Vec<(String, Value)> = Vec::new();
    for event in &issue.events {
        // What happened in a repository that the caller does not see is not told.
        if let What::CrossReferenced { repo, .. } = event.what {
            let seen = show
                .state
                .repos
                .get(repo)
                .is_some_and(|there| auth::may(cx.caller, there, read("issues")).is_ok());
            if !seen {
                continue;
            }
        }
        rows.push((event.at.clone(), show_event(show, event)));
    }
    for comment in &issue.comments {
        let mut row = show.comment(issue.number, comment);
        row["event"] = json!("commented");
        row["actor"] = row["user"].clone();
        rows.push((comment.created_at.clone(), row));
    }
    if let Some(pull) = &issue.pull {
        for sha in pull_show::commits(show, pull) {
            let row = committed(show, &sha);
            let at = row["committer"]["date"].as_str().unwrap_or_default().to_owned();
            rows.push((at, row));
        }
        for review in pull.reviews.iter().filter(|review| reviews::visible(review, show.viewer)) {
            let mut row = reviews::show(show, issue, review);
            row["event"] = json!("reviewed");
            row["state"] = json!(review.state.as_str().to_lowercase());
            rows.push((review.submitted_at.clone().unwrap_or_else(|| show.site.now()), row));
        }
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(cx.page(&rows, |(_, row)| row.clone()))
}

/// A commit as timelines show it: as git has it.
fn committed(show: Show<'_>, sha: &str) -> Value {
    let commit = repos::commit_json(show.site, show.state, show.repo, sha);
    let parts = &commit["commit"];
    json!({
        "event": "committed",
        "sha": sha,
        "node_id": commit["node_id"],
        "url": parts["url"],
        "html_url": commit["html_url"],
        "author": parts["author"],
        "committer": parts["committer"],
        "tree": parts["tree"],
        "message": parts["message"],
        "parents": commit["parents"],
        "verification": parts["verification"],
    })
}

/// An event, with what its kind has besides.
fn show_event(show: Show<'_>, event: &Event) -> Value {
    let mut shown = json!({
        "id": event.id,
        "node_id": node_id("EV", event.id),
        "url": show.api(&format!("issues/events/{}", event.id)),
        "actor": show.user(&event.actor),
        "event": event.what.name(),
        "commit_id": null,
        "commit_url": null,
        "created_at": event.at,
        "performed_via_github_app": null,
    });
    let commit = |shown: &mut Value, sha: &str| {
        shown["commit_id"] = json!(sha);
        shown["commit_url"] = json!(show.api(&format!("commits/{sha}")));
    };
    match &event.what {
        What::Labeled { name, color } | What::Unlabeled { name, color } => {
            shown["label"] = json!({"name": name, "color": color});
        }
        What::Assigned(login) | What::Unassigned(login) => {
            shown["assignee"] = show.user(login);
            shown["assigner"] = show.user(&event.actor);
        }
        What::Milestoned(title) | What::Demilestoned(title) => shown["milestone"] = json!({"title": title}),
        What::Renamed { from, to } => shown["rename"] = json!({"from": from, "to": to}),
        What::Closed { reason, commit: by } => {
            shown["state_reason"] = json!(reason);
            if let Some(sha) = by {
                commit(&mut shown, sha);
            }
        }
        What::Reopened => shown["state_reason"] = json!("reopened"),
        What::Locked(reason) => shown["lock_reason"] = json!(reason),
        What::TypeAdded(name) => shown["issue_type"] = show.kind(name),
        What::TypeRemoved(name) => shown["prev_issue_type"] = show.kind(name),
        What::TypeChanged { from, to } => {
            shown["prev_issue_type"] = show.kind(from);
            shown["issue_type"] = show.kind(to);
        }
        What::SubIssueAdded(id) | What::SubIssueRemoved(id) => shown["sub_issue"] = reference(show, *id),
        What::ParentAdded(id) | What::ParentRemoved(id) => shown["parent_issue"] = reference(show, *id),
        What::BlockedByAdded(id) | What::BlockedByRemoved(id) => shown["blocked_by"] = reference(show, *id),
        What::BlockingAdded(id) | What::BlockingRemoved(id) => shown["blocking"] = reference(show, *id),
        What::CrossReferenced { repo, number } => {
            let there = show.over(*repo);
            let source = there.and_then(|there| Some((there, there.board.issues.get(number)?)));
            shown = json!({
                "actor": show.user(&event.actor),
                "event": event.what.name(),
                "created_at": event.at,
                "updated_at": event.at,
                "source": {
                    "type": "issue",
                    "issue": source.map(|(there, issue)| {
                        let mut shown = there.issue(issue);
                        shown["repository"] = there.repository();
                        shown
                    }),
                },
            });
        }
        What::ReviewRequested(asked) | What::ReviewRequestRemoved(asked) => {
            shown["review_requester"] = show.user(&event.actor);
            match asked {
                Asked::Person(login) => shown["requested_reviewer"] = show.user(login),
                Asked::Team(slug) => shown["requested_team"] = pull_show::team(show, slug),
            }
        }
        What::ReviewDismissed { review, state, message } => {
            shown["dismissed_review"] = json!({
                "state": state.as_str().to_lowercase(),
                "review_id": review,
                "dismissal_message": message,
            });
        }
        What::Merged(sha) => commit(&mut shown, sha),
        What::Unlocked
        | What::Pinned
        | What::MarkedAsDuplicate(_)
        | What::ReadyForReview
        | What::ConvertedToDraft
        | What::HeadDeleted(_)
        | What::BaseChanged { .. }
        | What::AutoMergeEnabled
        | What::AutoMergeDisabled
        | What::AddedToMergeQueue => {}
    }
    shown
}

/// An issue as the events of links show it.
fn reference(show: Show<'_>, id: u64) -> Value {
    let Some((repo, issue)) = show.state.tracker.by_id(id) else { return Value::Null };
    let Some(there) = show.over(repo) else { return Value::Null };
    json!({
        "number": issue.number,
        "title": issue.title,
        "state": issue.state(),
        "state_reason": issue.state_reason,
        "repository": there.repository(),
        "issue_type": issue.kind.as_deref().map(|name| there.kind(name)),
    })
}
