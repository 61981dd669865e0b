//! Comments in the conversation of issues and pull requests.

use serde_json::{Map, Value, json};

use super::{
    super::{
        answer::Answer,
        ask::Ask,
        errors::{ApiError, Outcome},
    },
    issues::{announce, text},
    model::Comment,
    rights::{self, Right},
    room::Room,
};

/// `GET …/issues/{issue_number}/comments`: oldest first.
pub(super) fn of_issue(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let issue = room.issue(ask)?;
    let show = room.show()?;
    let since = ask.query("since").unwrap_or_default();
    let comments: Vec<_> =
        issue.comments.iter().filter(|comment| comment.updated_at.as_str() >= since).collect();
    Ok(ask.page(&comments, |comment| show.comment(issue.number, comment)))
}

/// `GET …/issues/comments`: of all issues, oldest first.
pub(super) fn of_repository(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let show = room.show()?;
    let since = ask.query("since").unwrap_or_default();
    let all = show.board.issues.values();
    let mut comments: Vec<_> = all
        .flat_map(|issue| issue.comments.iter().map(move |comment| (issue.number, comment)))
        .filter(|(_, comment)| comment.updated_at.as_str() >= since)
        .collect();
    let by_update = ask.query("sort") == Some("updated");
    let key = |comment: &Comment| {
        let at = if by_update { &comment.updated_at } else { &comment.created_at };
        (at.clone(), comment.id)
    };
    comments.sort_by_key(|(_, comment)| key(comment));
    // "Either `asc` or `desc`. Ignored without the `sort` parameter."
    if ask.query("sort").is_some() && ask.query("direction") == Some("desc") {
        comments.reverse();
    }
    Ok(ask.page(&comments, |(number, comment)| show.comment(*number, comment)))
}

/// `GET …/issues/comments/{comment_id}`
pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let (number, comment) =
        room.board().comment(ask.number("comment_id")?).ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(room.show()?.comment(number, comment)))
}

/// `POST …/issues/{issue_number}/comments`
pub(super) fn create(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("issue_number")?;
    let issue = room.numbered(number)?;
    let body = written(&ask.object()?)?;
    if issue.locked && !rights::has(room.repository()?, room.viewer, Right::Triage) {
        return Err(ApiError::forbidden("Unable to create comment because issue is locked."));
    }
    let id = add(&mut room, number, body)?;
    let (_, comment) = room.board().comment(id).ok_or_else(ApiError::not_found)?;
    let shown = room.show()?.comment(number, comment);
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(Answer::created(shown).header("location", &at))
}

/// Adds a comment by who asks; its id.
pub(super) fn add(room: &mut Room<'_>, number: u64, body: String) -> Outcome<u64> {
    let id = room.state.next_id();
    let (author, now) = (room.viewer.to_owned(), room.now.clone());
    let issue = room.issue_mut(number)?;
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
    announce(room, number);
    Ok(id)
}

/// `PATCH …/issues/comments/{comment_id}`
pub(super) fn update(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let id = ask.number("comment_id")?;
    let (number, comment) = room.board().comment(id).ok_or_else(ApiError::not_found)?;
    rights::need_or_own(&room, Right::Push, &comment.author)?;
    let body = written(&ask.object()?)?;
    let now = room.now.clone();
    let comments = &mut room.issue_mut(number)?.comments;
    if let Some(comment) = comments.iter_mut().find(|one| one.id == id && one.body != body) {
        comment.body = body;
        comment.updated_at = now;
    }
    announce(&mut room, number);
    let (_, comment) = room.board().comment(id).ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(room.show()?.comment(number, comment)))
}

/// `DELETE …/issues/comments/{comment_id}`
pub(super) fn delete(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let id = ask.number("comment_id")?;
    let (number, comment) = room.board().comment(id).ok_or_else(ApiError::not_found)?;
    rights::need_or_own(&room, Right::Push, &comment.author)?;
    let now = room.now.clone();
    let issue = room.issue_mut(number)?;
    issue.comments.retain(|comment| comment.id != id);
    issue.updated_at = now;
    Ok(Answer::none())
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
