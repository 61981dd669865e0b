//! Assignees, locks and reactions.

use http::StatusCode;
use serde_json::Value;

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    issues::{assign, logins},
    model::{Reaction, What},
    rights::{self, Right},
    show::REACTIONS,
};

/// The most assignees of an issue (docs.github.com, "Assigning issues and pull requests to other GitHub users").
const MOST_ASSIGNEES: usize = 10;

/// `GET …/assignees`: everybody whom issues may be assigned to.
pub(super) fn assignable(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let mut people: Vec<_> = show.repo.collaborators.keys().cloned().collect();
    let owner = &show.repo.owner;
    let person = show.state.accounts.get(owner).is_some_and(|account| account.kind == "User");
    if person && !people.iter().any(|login| login.eq_ignore_ascii_case(owner)) {
        people.insert(0, owner.clone());
    }
    Ok(cx.page(&people, |login| show.user(login)))
}

/// `GET …/assignees/{assignee}` and `GET …/issues/{issue_number}/assignees/{assignee}`: 204 or 404.
pub(super) fn may_be_assigned(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    if !cx.variable("issue_number").is_empty() {
        guard.issue(cx)?;
    }
    if rights::assignable(guard.repository()?, cx.variable("assignee")) {
        Ok(FakeResponse::none())
    } else {
        Err(ApiError::not_found())
    }
}

/// `POST …/issues/{issue_number}/assignees`: adds. "Only users with push access can add assignees to an issue.
/// Assignees are silently ignored otherwise."
pub(super) fn add_assignees(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    change_assignees(cx, true)
}

/// `DELETE …/issues/{issue_number}/assignees`
pub(super) fn remove_assignees(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    change_assignees(cx, false)
}

fn change_assignees(cx: &RequestContext<'_>, add: bool) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("issue_number")?;
    let body = cx.object()?;
    let named = body.get("assignees").map(logins).transpose()?.unwrap_or_default();
    let mut wanted = guard.numbered(number)?.assignees.clone();
    let repo = guard.repository()?;
    if rights::has(repo, guard.viewer, Right::Triage) {
        if add {
            // Who cannot be assigned is left out without a word.
            wanted.extend(named.into_iter().filter(|login| rights::assignable(repo, login)));
            wanted.truncate(MOST_ASSIGNEES);
        } else {
            wanted.retain(|login| !named.iter().any(|one| one.eq_ignore_ascii_case(login)));
        }
        assign(&mut guard, number, &wanted)?;
    }
    let shown = guard.show()?.whole(guard.numbered(number)?);
    Ok(if add { FakeResponse::created(shown) } else { FakeResponse::json(shown) })
}

/// `PUT …/issues/{issue_number}/lock`
pub(super) fn lock(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let number = cx.number("issue_number")?;
    let body = cx.object()?;
    let reason = body.get("lock_reason").and_then(Value::as_str).map(str::to_owned);
    if let Some(reason) = &reason
        && !["off-topic", "too heated", "resolved", "spam"].contains(&reason.as_str())
    {
        return Err(ApiError::validation("Issue", "lock_reason", "invalid"));
    }
    let issue = guard.issue_mut(number)?;
    if !issue.locked || issue.lock_reason != reason {
        issue.locked = true;
        issue.lock_reason.clone_from(&reason);
        guard.note_here(number, What::Locked(reason));
    }
    Ok(FakeResponse::none())
}

/// `DELETE …/issues/{issue_number}/lock`
pub(super) fn unlock(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let number = cx.number("issue_number")?;
    let issue = guard.issue_mut(number)?;
    if issue.locked {
        issue.locked = false;
        issue.lock_reason = None;
        guard.note_here(number, What::Unlocked);
    }
    Ok(FakeResponse::none())
}

/// What reactions are to.
#[derive(Clone, Copy)]
enum Target {
    Issue(u64),
    Comment(u64),
    ReviewComment(u64),
}

/// What the route is about: `…/issues/{issue_number}/…`, `…/issues/comments/{comment_id}/…` or
/// `…/pulls/comments/{comment_id}/…`.
fn target(cx: &RequestContext<'_>) -> Outcome<Target> {
    Ok(if !cx.variable("issue_number").is_empty() {
        Target::Issue(cx.number("issue_number")?)
    } else if cx.path.contains("/pulls/comments/") {
        Target::ReviewComment(cx.number("comment_id")?)
    } else {
        Target::Comment(cx.number("comment_id")?)
    })
}

fn reactions<'r>(guard: &'r mut TrackerGuard<'_>, target: Target) -> Outcome<&'r mut Vec<Reaction>> {
    let board = guard.board_mut();
    let found = match target {
        Target::Issue(number) => board.issues.get_mut(&number).map(|issue| &mut issue.reactions),
        Target::Comment(id) => {
            let mut comments = board.issues.values_mut().flat_map(|issue| &mut issue.comments);
            comments.find(|comment| comment.id == id).map(|comment| &mut comment.reactions)
        }
        Target::ReviewComment(id) => {
            let pulls = board.issues.values_mut().filter_map(|issue| issue.pull.as_mut());
            let mut remarks = pulls.flat_map(|pull| &mut pull.threads).flat_map(|thread| &mut thread.remarks);
            remarks.find(|remark| remark.id == id).map(|remark| &mut remark.reactions)
        }
    };
    found.ok_or_else(ApiError::not_found)
}

/// `POST …/reactions`: 201, or 200 if it is there already.
pub(super) fn react(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let target = target(cx)?;
    let body = cx.object()?;
    let content = body.get("content").and_then(Value::as_str).unwrap_or_default();
    if !REACTIONS.contains(&content) {
        return Err(ApiError::validation("Reaction", "content", "invalid"));
    }
    let id = guard.state.next_id();
    let (login, now) = (guard.viewer.to_owned(), guard.now.clone());
    let there = reactions(&mut guard, target)?;
    let known = there.iter().find(|one| one.login == login && one.content == content).cloned();
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let reaction = known.unwrap_or_else(|| {
        let reaction = Reaction { id, login, content: content.to_owned(), created_at: now };
        there.push(reaction.clone());
        reaction
    });
    Ok(FakeResponse::json(guard.show()?.reaction(&reaction)).with_status(status))
}

/// `DELETE …/reactions/{reaction_id}`: one's own.
pub(super) fn unreact(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let id = cx.number("reaction_id")?;
    let viewer = guard.viewer.to_owned();
    let there = reactions(&mut guard, target(cx)?)?;
    let found = there.iter().position(|one| one.id == id && one.login == viewer);
    there.remove(found.ok_or_else(ApiError::not_found)?);
    Ok(FakeResponse::none())
}
