//! Issues below, above, before and after other issues.

use serde_json::{Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        state::State,
    },
    guard::TrackerGuard,
    model::{Issue, What},
    rights::{self, Right},
};

/// The most issues below one (docs.github.com, "About sub-issues").
const MOST_BELOW: usize = 100;
/// The most levels of issues below issues (the same page).
const MOST_LEVELS: usize = 8;
/// The most issues that may block one, per kind of link (docs.github.com, "About issue dependencies").
const MOST_BLOCKING: usize = 50;

/// How far the issues below one are.
pub(super) fn summary(state: &State, issue: &Issue) -> Value {
    let below: Vec<_> = issue.sub_issues.iter().filter_map(|id| state.tracker.by_id(*id)).collect();
    let done = below.iter().filter(|(_, issue)| !issue.open).count();
    let percent = (done * 100).checked_div(below.len()).unwrap_or_default();
    json!({"total": below.len(), "completed": done, "percent_completed": percent})
}

/// How many issues block one and are blocked by it: the open ones, and all.
pub(super) fn dependencies(state: &State, issue: &Issue) -> Value {
    let before: Vec<_> = issue.blocked_by.iter().filter_map(|id| state.tracker.by_id(*id)).collect();
    let after = blocked_by_me(state, issue.id);
    let open = |links: &[(u64, &Issue)]| links.iter().filter(|(_, issue)| issue.open).count();
    json!({
        "blocked_by": open(&before),
        "total_blocked_by": before.len(),
        "blocking": open(&after),
        "total_blocking": after.len(),
    })
}

/// The issues that wait for one, with their repositories.
pub(super) fn blocked_by_me(state: &State, id: u64) -> Vec<(u64, &Issue)> {
    state.tracker.all().filter(|(_, issue)| issue.blocked_by.contains(&id)).collect()
}

/// `GET …/sub_issues`
pub(super) fn list_sub_issues(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let ids = guard.issue(cx)?.sub_issues.clone();
    Ok(guard.page_of_ids(cx, &ids))
}

/// `GET …/parent`
pub(super) fn parent(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let parent = guard.issue(cx)?.parent.ok_or_else(ApiError::not_found)?;
    guard.show_id(parent).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

/// `POST …/sub_issues`: answers with the issue above.
pub(super) fn add_sub_issue(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let above = guard.issue(cx)?.id;
    let body = cx.object()?;
    let below = id_in(&body, "sub_issue_id")?;
    let replace = body.get("replace_parent").and_then(Value::as_bool).unwrap_or_default();
    add_below(&mut guard, above, below, replace)?;
    Ok(guard.show_id(above).map_or_else(FakeResponse::none, FakeResponse::created))
}

/// Puts the issue `below` under the issue `above`.
pub(super) fn add_below(guard: &mut TrackerGuard<'_>, above: u64, below: u64, replace: bool) -> Outcome<()> {
    let refused = |why: &str| {
        ApiError::unprocessable(format!(
            "An error occurred while adding the sub-issue to the parent issue. {why}"
        ))
    };
    let (_, parent) = guard.state.tracker.by_id(above).ok_or_else(ApiError::not_found)?;
    let (_, child) = guard.state.tracker.by_id(below).ok_or_else(ApiError::not_found)?;
    if child.pull.is_some() || parent.pull.is_some() {
        return Err(ApiError::not_found());
    }
    if parent.sub_issues.contains(&below) {
        return Err(refused("Issue may not contain duplicate sub-issues"));
    }
    if parent.sub_issues.len() >= MOST_BELOW {
        return Err(refused("Parent cannot have more than 100 sub-issues"));
    }
    let over = ancestors(&guard.state, above);
    if above == below || over.contains(&below) {
        return Err(refused("Sub issue may not be a parent of itself"));
    }
    if over.len() + 1 + depth(&guard.state, below) > MOST_LEVELS {
        return Err(refused("Parent cannot have more than 8 layers of sub-issues"));
    }
    let former = child.parent;
    if former.is_some() && !replace {
        return Err(refused("Sub issue may only have one parent"));
    }
    if let Some(former) = former {
        remove_below(guard, former, below);
    }
    if let Some(parent) = guard.by_id_mut(above) {
        parent.sub_issues.push(below);
    }
    if let Some(child) = guard.by_id_mut(below) {
        child.parent = Some(above);
    }
    guard.note(above, What::SubIssueAdded(below));
    guard.note(below, What::ParentAdded(above));
    Ok(())
}

fn remove_below(guard: &mut TrackerGuard<'_>, above: u64, below: u64) {
    if let Some(parent) = guard.by_id_mut(above) {
        parent.sub_issues.retain(|id| *id != below);
    }
    if let Some(child) = guard.by_id_mut(below) {
        child.parent = None;
    }
    guard.note(above, What::SubIssueRemoved(below));
    guard.note(below, What::ParentRemoved(above));
}

/// The issues above one, nearest first.
fn ancestors(state: &State, id: u64) -> Vec<u64> {
    let above = |id: &u64| state.tracker.by_id(*id).and_then(|(_, issue)| issue.parent);
    std::iter::successors(above(&id), above).take(MOST_LEVELS + 1).collect()
}

/// How many levels an issue and those below it make.
fn depth(state: &State, id: u64) -> usize {
    let below = state.tracker.by_id(id).map(|(_, issue)| issue.sub_issues.as_slice()).unwrap_or_default();
    1 + below.iter().map(|id| depth(state, *id)).max().unwrap_or_default()
}

/// `DELETE …/sub_issue`: answers with the issue above.
pub(super) fn remove_sub_issue(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let above = guard.issue(cx)?;
    let below = id_in(&cx.object()?, "sub_issue_id")?;
    if !above.sub_issues.contains(&below) {
        return Err(ApiError::not_found());
    }
    let above = above.id;
    remove_below(&mut guard, above, below);
    guard.show_id(above).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

/// `PATCH …/sub_issues/priority`: puts an issue after or before another.
pub(super) fn prioritize(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let body = cx.object()?;
    let below = id_in(&body, "sub_issue_id")?;
    let place = |name: &str| body.get(name).and_then(Value::as_u64);
    let (after, before) = (place("after_id"), place("before_id"));
    let number = cx.number("issue_number")?;
    let parent = guard.issue_mut(number)?;
    if !parent.sub_issues.contains(&below) {
        return Err(ApiError::not_found());
    }
    let beside = match (after, before) {
        (Some(id), None) | (None, Some(id)) if id != below => id,
        _ => return Err(ApiError::unprocessable("Only one of after_id or before_id should be specified")),
    };
    let mut order = parent.sub_issues.clone();
    order.retain(|id| *id != below);
    let at = order.iter().position(|id| *id == beside).ok_or_else(|| {
        ApiError::unprocessable("The sub-issue to be positioned by is not a sub-issue of the parent")
    })?;
    order.insert(at + usize::from(after.is_some()), below);
    parent.sub_issues = order;
    let id = parent.id;
    guard.show_id(id).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

/// `GET …/dependencies/blocked_by`
pub(super) fn list_blocked_by(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let ids = guard.issue(cx)?.blocked_by.clone();
    Ok(guard.page_of_ids(cx, &ids))
}

/// `GET …/dependencies/blocking`
pub(super) fn list_blocking(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let id = guard.issue(cx)?.id;
    let ids: Vec<_> = blocked_by_me(&guard.state, id).into_iter().map(|(_, issue)| issue.id).collect();
    Ok(guard.page_of_ids(cx, &ids))
}

/// `POST …/dependencies/blocked_by`: answers with the issue that is blocked.
pub(super) fn add_blocked_by(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let waiting = guard.issue(cx)?;
    let before = id_in(&cx.object()?, "issue_id")?;
    let (_, first) = guard.state.tracker.by_id(before).ok_or_else(ApiError::not_found)?;
    let refused = |why: &str| ApiError::custom("IssueDependency", "base", why);
    if waiting.id == before {
        return Err(refused("An issue cannot be blocked by itself"));
    }
    if waiting.blocked_by.contains(&before) {
        return Err(refused("Target issue has already been taken"));
    }
    if first.blocked_by.contains(&waiting.id) {
        return Err(refused("A dependency in the other direction exists already"));
    }
    if waiting.blocked_by.len() >= MOST_BLOCKING {
        return Err(refused("An issue can be blocked by at most 50 issues"));
    }
    let id = waiting.id;
    if let Some(issue) = guard.by_id_mut(id) {
        issue.blocked_by.push(before);
    }
    guard.note(id, What::BlockedByAdded(before));
    guard.note(before, What::BlockingAdded(id));
    Ok(guard.show_id(id).map_or_else(FakeResponse::none, FakeResponse::created))
}

/// `DELETE …/dependencies/blocked_by/{issue_id}`
pub(super) fn remove_blocked_by(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let before = cx.number("issue_id")?;
    let waiting = guard.issue(cx)?;
    if !waiting.blocked_by.contains(&before) {
        return Err(ApiError::not_found());
    }
    let id = waiting.id;
    if let Some(issue) = guard.by_id_mut(id) {
        issue.blocked_by.retain(|one| *one != before);
    }
    guard.note(id, What::BlockedByRemoved(before));
    guard.note(before, What::BlockingRemoved(id));
    guard.show_id(id).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

/// An id of a body.
fn id_in(body: &serde_json::Map<String, Value>, name: &str) -> Outcome<u64> {
    match body.get(name) {
        None | Some(Value::Null) => {
            Err(ApiError::unprocessable(format!("Invalid request.\n\n\"{name}\" wasn't supplied.")))
        }
        Some(value) => value.as_u64().ok_or_else(|| {
            ApiError::unprocessable(format!("Invalid property /{name}: `{value}` is not of type `integer`."))
        }),
    }
}
