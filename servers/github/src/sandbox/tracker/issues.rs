//! Issues: list, get, create, change.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
        state::State,
    },
    guard::TrackerGuard,
    labels,
    mentions::{self, Named},
    model::{Issue, What},
    rights::{self, Right},
};

/// The longest text of an issue or comment. GitHub refuses more in these words.
const LONGEST_BODY: usize = 65_536;
const LONGEST_TITLE: usize = 256;

/// `GET /repos/{owner}/{repo}/issues/{issue_number}`
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let issue = guard.issue(cx)?;
    if issue.pull.is_none() {
        enabled(&guard)?;
    }
    Ok(FakeResponse::json(guard.show()?.whole(issue)))
}

/// 410 where a repository has no issues.
pub(super) fn enabled(guard: &TrackerGuard<'_>) -> Outcome<()> {
    if !guard.board().disabled {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::GONE, "Issues has been disabled in this repository."))
}

/// `POST /repos/{owner}/{repo}/issues`
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    enabled(&guard)?;
    let body = cx.object()?;
    if body.get("title").is_none_or(Value::is_null) {
        return Err(ApiError::unprocessable("Invalid request.\n\n\"title\" wasn't supplied."));
    }
    let title = title(&body)?.unwrap_or_default();
    let text = text(&body, "Issue")?.flatten();
    let wanted = Wanted::read(&mut guard, &body)?;
    let number = open(&mut guard, title, text);
    wanted.apply(&mut guard, number)?;
    announce(&mut guard, number);
    let show = guard.show()?;
    let shown = show.whole(guard.numbered(number)?);
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// A new issue by who asks, with nothing but a title and a text; its number.
pub(super) fn open(guard: &mut TrackerGuard<'_>, title: String, body: Option<String>) -> u64 {
    let id = guard.state.next_id();
    let (repo, author, now) = (guard.repo, guard.viewer.to_owned(), guard.now.clone());
    let board = guard.board_mut();
    let number = board.next_number();
    let issue = Issue {
        id,
        number,
        repo,
        title,
        body,
        author,
        open: true,
        state_reason: None,
        duplicate_of: None,
        labels: Vec::new(),
        assignees: Vec::new(),
        milestone: None,
        kind: None,
        locked: false,
        lock_reason: None,
        pinned: false,
        created_at: now.clone(),
        updated_at: now,
        closed_at: None,
        closed_by: None,
        comments: Vec::new(),
        reactions: Vec::new(),
        events: Vec::new(),
        sub_issues: Vec::new(),
        parent: None,
        blocked_by: Vec::new(),
        pull: None,
    };
    board.issues.insert(number, issue);
    number
}

/// Notes in the issues that the text of `number` names that it does.
pub(super) fn announce(guard: &mut TrackerGuard<'_>, number: u64) {
    let Ok(issue) = guard.numbered(number) else { return };
    let mut text = issue.body.clone().unwrap_or_default();
    for comment in &issue.comments {
        text.push('\n');
        text.push_str(&comment.body);
    }
    let what = What::CrossReferenced { repo: guard.repo, number };
    for named in mentions::issues(&text) {
        let Some(target) = find(&guard.state, guard.repo, &named) else { continue };
        let known = target.events.iter().any(|event| event.what == what);
        if known || (target.repo == guard.repo && target.number == number) {
            continue;
        }
        // A mention does not count as a change of the issue that is named.
        let (id, before) = (target.id, target.updated_at.clone());
        guard.note(id, what.clone());
        if let Some(target) = guard.by_id_mut(id) {
            target.updated_at = before;
        }
    }
}

/// The issue that a text in the repository `repo` names.
pub(super) fn find<'s>(state: &'s State, repo: u64, named: &Named) -> Option<&'s Issue> {
    let (repo, number) = target(state, repo, named)?;
    state.tracker.board(repo).issues.get(&number)
}

/// The repository and number that a text in the repository `repo` names.
pub(super) fn target(state: &State, repo: u64, named: &Named) -> Option<(u64, u64)> {
    match &named.repo {
        Some(name) => {
            let (owner, name) = name.split_once('/')?;
            Some((state.repos.find(owner, name)?.id, named.number))
        }
        None => Some((repo, named.number)),
    }
}

/// `PATCH /repos/{owner}/{repo}/issues/{issue_number}`
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("issue_number")?;
    let issue = guard.numbered(number)?;
    if issue.pull.is_none() {
        enabled(&guard)?;
    }
    rights::need_or_own(&guard, Right::Triage, &guard.numbered(number)?.author)?;
    let body = cx.object()?;
    let new_title = title(&body)?;
    let new_text = text(&body, "Issue")?;
    let change = StateChange::read(&guard, &body)?;
    let wanted = Wanted::read(&mut guard, &body)?;
    retitle(&mut guard, number, new_title)?;
    rewrite(&mut guard, number, new_text)?;
    wanted.apply(&mut guard, number)?;
    if let Some(change) = change {
        change.apply(&mut guard, number)?;
    }
    announce(&mut guard, number);
    Ok(FakeResponse::json(guard.show()?.whole(guard.numbered(number)?)))
}

/// The title of a body, if there is one.
pub(super) fn title(body: &Map<String, Value>) -> Outcome<Option<String>> {
    let title = match body.get("title") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(title)) => title.clone(),
        Some(Value::Number(title)) => title.to_string(),
        Some(other) => {
            return Err(ApiError::unprocessable(format!(
                "Invalid request.\n\nFor 'properties/title', {other} is not a string."
            )));
        }
    };
    if title.trim().is_empty() {
        return Err(ApiError::validation("Issue", "title", "missing_field"));
    }
    if title.chars().count() > LONGEST_TITLE {
        return Err(ApiError::custom("Issue", "title", "title is too long (maximum is 256 characters)"));
    }
    Ok(Some(title))
}

/// The text of a body: none if it is not said, and empty if it is null.
pub(super) fn text(body: &Map<String, Value>, resource: &str) -> Outcome<Option<Option<String>>> {
    let text = match body.get("body") {
        None => return Ok(None),
        Some(Value::Null) => return Ok(Some(None)),
        Some(Value::String(text)) => text.clone(),
        Some(other) => {
            return Err(ApiError::unprocessable(format!(
                "Invalid request.\n\nFor 'properties/body', {other} is not a string."
            )));
        }
    };
    if text.chars().count() > LONGEST_BODY {
        return Err(ApiError::custom(resource, "body", "body is too long (maximum is 65536 characters)"));
    }
    Ok(Some(Some(text)))
}

/// Gives an issue another title.
pub(super) fn retitle(guard: &mut TrackerGuard<'_>, number: u64, title: Option<String>) -> Outcome<()> {
    let Some(to) = title else { return Ok(()) };
    let issue = guard.issue_mut(number)?;
    if issue.title == to {
        return Ok(());
    }
    let from = std::mem::replace(&mut issue.title, to.clone());
    guard.note_here(number, What::Renamed { from, to });
    Ok(())
}

/// Gives an issue another text.
pub(super) fn rewrite(
    guard: &mut TrackerGuard<'_>,
    number: u64,
    text: Option<Option<String>>,
) -> Outcome<()> {
    let Some(text) = text else { return Ok(()) };
    let now = guard.now.clone();
    let issue = guard.issue_mut(number)?;
    if issue.body != text {
        issue.body = text;
        issue.updated_at = now;
    }
    Ok(())
}

/// What a body says of the labels, assignees, milestone and type of an issue, looked up and in order.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    labels: Option<Vec<String>>,
    assignees: Option<Vec<String>>,
    milestone: Option<Option<u64>>,
    kind: Option<Option<String>>,
}

impl Wanted {
    /// Reads and checks everything before anything is changed. What somebody without the right to it wishes is
    /// dropped silently, as the docs of both routes say.
    pub(super) fn read(guard: &mut TrackerGuard<'_>, body: &Map<String, Value>) -> Outcome<Self> {
        if !rights::has(guard.repository()?, guard.viewer, Right::Triage) {
            return Ok(Self::default());
        }
        let labels = body.get("labels").filter(|value| !value.is_null()).map(labels::names).transpose()?;
        let assignees = match (body.get("assignees"), body.get("assignee")) {
            (Some(list), _) if !list.is_null() => Some(logins(list)?),
            (_, Some(Value::String(login))) => {
                Some(if login.is_empty() { Vec::new() } else { vec![login.clone()] })
            }
            (_, Some(Value::Null)) => Some(Vec::new()),
            _ => None,
        };
        for login in assignees.iter().flatten() {
            if !rights::assignable(guard.repository()?, login) {
                return Err(invalid("assignees", login.as_str()));
            }
        }
        let milestone = match body.get("milestone") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => {
                let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
                let number = number.filter(|number| guard.board().milestone(*number).is_some());
                Some(Some(number.ok_or_else(|| invalid("milestone", value.clone()))?))
            }
        };
        let kind = match body.get("type") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(value) => {
                let name = value.as_str().unwrap_or_default();
                let owner = guard.repository()?.owner.clone();
                let kinds = guard.state.tracker.types(&owner);
                let found = kinds.iter().find(|kind| kind.name.eq_ignore_ascii_case(name));
                Some(Some(found.ok_or_else(|| invalid("type", value.clone()))?.name.clone()))
            }
        };
        Ok(Self { labels, assignees, milestone, kind })
    }

    /// Makes it so, and notes each change.
    pub(super) fn apply(self, guard: &mut TrackerGuard<'_>, number: u64) -> Outcome<()> {
        if let Some(names) = self.labels {
            labels::set(guard, number, &names)?;
        }
        if let Some(logins) = self.assignees {
            assign(guard, number, &logins)?;
        }
        if let Some(milestone) = self.milestone {
            set_milestone(guard, number, milestone)?;
        }
        if let Some(kind) = self.kind {
            set_kind(guard, number, kind)?;
        }
        Ok(())
    }
}

/// The logins of a list.
pub(super) fn logins(value: &Value) -> Outcome<Vec<String>> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter()
        .map(|login| login.as_str().map(str::to_owned).ok_or_else(|| invalid("assignees", login.clone())))
        .collect()
}

/// 422 for a value that names nothing.
pub(super) fn invalid(field: &str, value: impl Into<Value>) -> ApiError {
    let mut error = ApiError::unprocessable("Validation Failed");
    error.errors.push(json!({"value": value.into(), "resource": "Issue", "field": field, "code": "invalid"}));
    error
}

/// Assigns an issue to these people and nobody else.
pub(super) fn assign(guard: &mut TrackerGuard<'_>, number: u64, logins: &[String]) -> Outcome<()> {
    let mut wanted: Vec<String> = Vec::new();
    for login in logins {
        let login = guard.state.accounts.get(login).map_or_else(|| login.clone(), |one| one.login.clone());
        if !wanted.contains(&login) {
            wanted.push(login);
        }
    }
    let issue = guard.issue_mut(number)?;
    let before = std::mem::replace(&mut issue.assignees, wanted.clone());
    for login in before.iter().filter(|login| !wanted.contains(login)) {
        guard.note_here(number, What::Unassigned(login.clone()));
    }
    for login in wanted.iter().filter(|login| !before.contains(login)) {
        guard.note_here(number, What::Assigned(login.clone()));
    }
    Ok(())
}

fn set_milestone(guard: &mut TrackerGuard<'_>, number: u64, milestone: Option<u64>) -> Outcome<()> {
    let before = std::mem::replace(&mut guard.issue_mut(number)?.milestone, milestone);
    if before == milestone {
        return Ok(());
    }
    let title = |guard: &TrackerGuard<'_>, number: Option<u64>| {
        number.and_then(|number| guard.board().milestone(number)).map(|one| one.title.clone())
    };
    if let Some(title) = title(guard, before) {
        guard.note_here(number, What::Demilestoned(title));
    }
    if let Some(title) = title(guard, milestone) {
        guard.note_here(number, What::Milestoned(title));
    }
    Ok(())
}

fn set_kind(guard: &mut TrackerGuard<'_>, number: u64, kind: Option<String>) -> Outcome<()> {
    let before = std::mem::replace(&mut guard.issue_mut(number)?.kind, kind.clone());
    let what = match (before, kind) {
        (from, to) if from == to => return Ok(()),
        (None, Some(to)) => What::TypeAdded(to),
        (Some(from), None) => What::TypeRemoved(from),
        (Some(from), Some(to)) => What::TypeChanged { from, to },
        (None, None) => return Ok(()),
    };
    guard.note_here(number, what);
    Ok(())
}

/// What a body says of an issue's state.
#[derive(Debug)]
struct StateChange {
    open: Option<bool>,
    reason: Option<String>,
    duplicate_of: Option<u64>,
}

impl StateChange {
    fn read(guard: &TrackerGuard<'_>, body: &Map<String, Value>) -> Outcome<Option<Self>> {
        let open = match body.get("state").and_then(Value::as_str) {
            None => None,
            Some("open") => Some(true),
            Some("closed") => Some(false),
            Some(other) => return Err(invalid("state", other)),
        };
        let reason = body.get("state_reason").and_then(Value::as_str).map(str::to_owned);
        if let Some(reason) = &reason {
            let fits = match open {
                Some(true) => reason == "reopened",
                _ => ["completed", "not_planned", "duplicate", "reopened"].contains(&reason.as_str()),
            };
            if !fits {
                return Err(invalid("state_reason", reason.as_str()));
            }
        }
        let duplicate_of = body.get("duplicate_issue_id").and_then(Value::as_u64);
        if duplicate_of.is_some_and(|id| guard.state.tracker.by_id(id).is_none()) {
            return Err(invalid("duplicate_issue_id", duplicate_of.unwrap_or_default()));
        }
        Ok((open.is_some() || reason.is_some()).then_some(Self { open, reason, duplicate_of }))
    }

    /// "Ignored unless `state` is changed" (docs.github.com, "Update an issue", of `state_reason`); an issue that is
    /// closed already may be given another reason.
    fn apply(self, guard: &mut TrackerGuard<'_>, number: u64) -> Outcome<()> {
        let issue = guard.numbered(number)?;
        match self.open {
            Some(true) if !issue.open => reopen(guard, number),
            Some(false) => {
                let reason = self.reason.unwrap_or_else(|| "completed".to_owned());
                if issue.open || issue.state_reason.as_deref() != Some(&reason) {
                    close(guard, number, Some(reason), None)?;
                    if let Some(original) = self.duplicate_of {
                        guard.issue_mut(number)?.duplicate_of = Some(original);
                        guard.note_here(number, What::MarkedAsDuplicate(original));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Closes an issue, for a reason or by a commit.
pub(super) fn close(
    guard: &mut TrackerGuard<'_>,
    number: u64,
    reason: Option<String>,
    commit: Option<String>,
) -> Outcome<()> {
    let (actor, now) = (guard.viewer.to_owned(), guard.now.clone());
    let issue = guard.issue_mut(number)?;
    issue.open = false;
    // A pull request has no reason.
    issue.state_reason = reason.filter(|_| issue.pull.is_none());
    issue.closed_at = Some(now);
    issue.closed_by = Some(actor);
    let reason = issue.state_reason.clone();
    guard.note_here(number, What::Closed { reason, commit });
    Ok(())
}

/// Opens an issue again.
pub(super) fn reopen(guard: &mut TrackerGuard<'_>, number: u64) -> Outcome<()> {
    let issue = guard.issue_mut(number)?;
    issue.open = true;
    issue.state_reason = issue.pull.is_none().then(|| "reopened".to_owned());
    issue.closed_at = None;
    issue.closed_by = None;
    issue.duplicate_of = None;
    guard.note_here(number, What::Reopened);
    Ok(())
}
