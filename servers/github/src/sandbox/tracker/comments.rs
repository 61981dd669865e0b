//! Comments in the conversation of issues and pull requests.

use serde_json::{Map, Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    issues::{announce, text},
    model::Comment,
    rights::{self, Right},
};

/// `GET …/issues/{issue_number}/comments`: oldest first.
pub(super) fn of_issue(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let issue = guard.issue(cx)?;
    let show = guard.show()?;
    let since = cx.query("since").unwrap_or_default();
    let comments: Vec<_> =
        issue.comments.iter().filter(|comment| comment.updated_at.as_str() >= since).collect();
    Ok(cx.page(&comments, |comment| show.comment(issue.number, comment)))
}

/// `GET …/issues/comments/{comment_id}`
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (number, comment) =
        guard.board().comment(cx.number("comment_id")?).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(guard.show()?.comment(number, comment)))
}

/// `POST …/issues/{issue_number}/comments`
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("issue_number")?;
    let issue = guard.numbered(number)?;
    let body = written(&cx.object()?)?;
    if issue.locked && !rights::has(guard.repository()?, guard.viewer, Right::Triage) {
        return Err(ApiError::forbidden("Unable to create comment because issue is locked."));
    }
    let id = add(&mut guard, number, body)?;
    let (_, comment) = guard.board().comment(id).ok_or_else(ApiError::not_found)?;
    let shown = guard.show()?.comment(number, comment);
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// Adds a comment by who asks; its id.
pub(super) fn add(guard: &mut TrackerGuard<'_>, number: u64, body: String) -> Outcome<u64> {
    let id = guard.state.next_id();
    let (author, now) = (guard.viewer.to_owned(), guard.now.clone());
    let issue = guard.issue_mut(number)?;
    issue.updated_at.clone_from(&now);
    issue.comments.push(Comment {
        id,
        author,
        body,
        created_at: now.clone(),
        updated_at: now,
        reactions: Vec::new(),
        minimized: None,
    });
    announce(guard, number);
    Ok(id)
}

/// `PATCH …/issues/comments/{comment_id}`
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let id = cx.number("comment_id")?;
    let (number, comment) = guard.board().comment(id).ok_or_else(ApiError::not_found)?;
    rights::need_or_own(&guard, Right::Push, &comment.author)?;
    let body = written(&cx.object()?)?;
    let now = guard.now.clone();
    let comments = &mut guard.issue_mut(number)?.comments;
    if let Some(comment) = comments.iter_mut().find(|one| one.id == id && one.body != body) {
        comment.body = body;
        comment.updated_at = now;
    }
    announce(&mut guard, number);
    let (_, comment) = guard.board().comment(id).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(guard.show()?.comment(number, comment)))
}

/// `DELETE …/issues/comments/{comment_id}`
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let id = cx.number("comment_id")?;
    let (number, comment) = guard.board().comment(id).ok_or_else(ApiError::not_found)?;
    rights::need_or_own(&guard, Right::Push, &comment.author)?;
    let now = guard.now.clone();
    let issue = guard.issue_mut(number)?;
    issue.comments.retain(|comment| comment.id != id);
    issue.updated_at = now;
    Ok(FakeResponse::none())
}

/// The text of a comment. GitHub refuses a blank one in these words.
pub(super) fn written(body: &Map<String, Value>) -> Outcome<String> {
    if !body.contains_key("body") {
        return Err(ApiError::unprocessable("Invalid request.\n\n\"body\" wasn't supplied."));
    }
    let text = text(body, "IssueComment")?.flatten().unwrap_or_default();
    if text.trim().is_empty() {
        let mut error = ApiError::unprocessable("Validation Failed");
        error.errors.push(json!({
            "resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body cannot be blank",
        }));
        return Err(error);
    }
    Ok(text)
}
