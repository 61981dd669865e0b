//! Milestones.

use serde_json::{Map, Value};

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    model::Milestone,
    rights::{self, Right},
    show::issue_type,
};

/// `GET …/milestones`: the open ones, soonest first, if nothing else is asked for.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let state = cx.query("state").unwrap_or("open");
    let mut found: Vec<_> = show
        .board
        .milestones
        .iter()
        .filter(|milestone| state == "all" || milestone.open == (state == "open"))
        .collect();
    if cx.query("sort") == Some("completeness") {
        let done = |milestone: &Milestone| {
            let mine = show.board.issues.values().filter(|issue| issue.milestone == Some(milestone.number));
            let (open, all) =
                mine.fold((0, 0), |(open, all), issue| (open + usize::from(issue.open), all + 1));
            ((all - open) * 1000).checked_div(all).unwrap_or_default()
        };
        found.sort_by_key(|milestone| done(milestone));
    } else {
        found.sort_by_key(|milestone| {
            (milestone.due_on.is_none(), milestone.due_on.clone(), milestone.number)
        });
    }
    if cx.query("direction") == Some("desc") {
        found.reverse();
    }
    Ok(cx.page(&found, |milestone| show.milestone(milestone)))
}

/// `GET …/milestones/{milestone_number}`
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let found = guard.board().milestone(cx.number("milestone_number")?).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(guard.show()?.milestone(found)))
}

/// `POST …/milestones`
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let body = cx.object()?;
    let title = title(&guard, &body, None)?
        .ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"title\" wasn't supplied."))?;
    let due_on = due_on(&body)?.flatten();
    let open = state(&body)?.unwrap_or(true);
    let id = guard.state.next_id();
    let (creator, now) = (guard.viewer.to_owned(), guard.now.clone());
    let board = guard.board_mut();
    let number = board.milestones.iter().map(|one| one.number).max().unwrap_or_default() + 1;
    let milestone = Milestone {
        id,
        number,
        title,
        description: body.get("description").and_then(Value::as_str).map(str::to_owned),
        creator,
        open,
        due_on,
        created_at: now.clone(),
        closed_at: (!open).then(|| now.clone()),
        updated_at: now,
    };
    board.milestones.push(milestone.clone());
    let shown = guard.show()?.milestone(&milestone);
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// `PATCH …/milestones/{milestone_number}`
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let number = cx.number("milestone_number")?;
    guard.board().milestone(number).ok_or_else(ApiError::not_found)?;
    let body = cx.object()?;
    let title = title(&guard, &body, Some(number))?;
    let due_on = due_on(&body)?;
    let open = state(&body)?;
    let now = guard.now.clone();
    let mut all = guard.board_mut().milestones.iter_mut();
    let milestone = all.find(|one| one.number == number).ok_or_else(ApiError::not_found)?;
    if let Some(title) = title {
        milestone.title = title;
    }
    if let Some(description) = body.get("description") {
        milestone.description = description.as_str().map(str::to_owned);
    }
    if let Some(due_on) = due_on {
        milestone.due_on = due_on;
    }
    if let Some(open) = open.filter(|open| *open != milestone.open) {
        milestone.open = open;
        milestone.closed_at = (!open).then(|| now.clone());
    }
    milestone.updated_at = now;
    let milestone = milestone.clone();
    Ok(FakeResponse::json(guard.show()?.milestone(&milestone)))
}

/// `DELETE …/milestones/{milestone_number}`: its issues stay, without one.
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let number = cx.number("milestone_number")?;
    guard.board().milestone(number).ok_or_else(ApiError::not_found)?;
    let board = guard.board_mut();
    board.milestones.retain(|milestone| milestone.number != number);
    for issue in board.issues.values_mut().filter(|issue| issue.milestone == Some(number)) {
        issue.milestone = None;
    }
    Ok(FakeResponse::none())
}

/// A new title, which no other milestone may have.
fn title(guard: &TrackerGuard<'_>, body: &Map<String, Value>, own: Option<u64>) -> Outcome<Option<String>> {
    let Some(title) = body.get("title").and_then(Value::as_str) else { return Ok(None) };
    if title.trim().is_empty() {
        return Err(ApiError::validation("Milestone", "title", "missing_field"));
    }
    let mut others = guard.board().milestones.iter().filter(|one| Some(one.number) != own);
    if others.any(|one| one.title == title) {
        return Err(ApiError::validation("Milestone", "title", "already_exists"));
    }
    Ok(Some(title.to_owned()))
}

/// "This is a timestamp in ISO 8601 format"; GitHub keeps the day.
fn due_on(body: &Map<String, Value>) -> Outcome<Option<Option<String>>> {
    match body.get("due_on") {
        None => Ok(None),
        Some(Value::Null) => Ok(Some(None)),
        Some(value) => {
            let moment = value.as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
            let moment = moment.ok_or_else(|| ApiError::validation("Milestone", "due_on", "invalid"))?;
            Ok(Some(Some(moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())))
        }
    }
}

/// Whether it is to be open.
fn state(body: &Map<String, Value>) -> Outcome<Option<bool>> {
    match body.get("state").and_then(Value::as_str) {
        None => Ok(None),
        Some("open") => Ok(Some(true)),
        Some("closed") => Ok(Some(false)),
        Some(_) => Err(ApiError::validation("Milestone", "state", "invalid")),
    }
}

/// `GET /repos/{owner}/{repo}/issue-types`
pub(super) fn types_of_repository(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let owner = guard.repository()?.owner.clone();
    types(&guard, &owner)
}

fn types(guard: &TrackerGuard<'_>, owner: &str) -> Outcome<FakeResponse> {
    let account = guard.state.accounts.get(owner).ok_or_else(ApiError::not_found)?;
    if account.kind != "Organization" {
        return Err(ApiError::not_found());
    }
    let types = guard.state.tracker.types(&account.login);
    Ok(FakeResponse::json(types.iter().map(issue_type).collect::<Vec<_>>()))
}
