//! Labels, of a repository and of issues.

use serde_json::{Map, Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    guard::TrackerGuard,
    model::{Label, What},
    rights::{self, Right},
};

/// The color of a label that is made by being used.
const DEFAULT_COLOR: &str = "ededed";
/// The most labels of an issue; GitHub refuses more.
const MOST: usize = 100;

/// `GET …/labels`
pub(super) fn of_repository(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let mut labels: Vec<_> = show.board.labels.iter().collect();
    labels.sort_by_key(|label| label.name.to_lowercase());
    Ok(cx.page(&labels, |label| show.label(label)))
}

/// `GET …/labels/{name}`
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let label = guard.board().label(cx.variable("name")).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(guard.show()?.label(label)))
}

/// `POST …/labels`
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let body = cx.object()?;
    let name = name(&body, "name")?
        .ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"name\" wasn't supplied."))?;
    if guard.board().label(&name).is_some() {
        return Err(ApiError::validation("Label", "name", "already_exists"));
    }
    let color = color(&body)?.unwrap_or_else(|| DEFAULT_COLOR.to_owned());
    let description = description(&body)?.flatten();
    let id = make(&mut guard, &name, color, description);
    let shown =
        guard.board().labels.iter().find(|label| label.id == id).map(|label| Ok(guard.show()?.label(label)));
    let shown: Value = shown.transpose()?.unwrap_or_default();
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// `PATCH …/labels/{name}`
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let id = guard.board().label(cx.variable("name")).ok_or_else(ApiError::not_found)?.id;
    let body = cx.object()?;
    let new_name = name(&body, "new_name")?;
    let color = color(&body)?;
    let description = description(&body)?;
    if let Some(name) = &new_name
        && guard.board().label(name).is_some_and(|other| other.id != id)
    {
        return Err(ApiError::validation("Label", "name", "already_exists"));
    }
    let board = guard.board_mut();
    let label = board.labels.iter_mut().find(|label| label.id == id).ok_or_else(ApiError::not_found)?;
    if let Some(name) = new_name {
        label.name = name;
    }
    if let Some(color) = color {
        label.color = color;
    }
    if let Some(description) = description {
        label.description = description;
    }
    let label = label.clone();
    Ok(FakeResponse::json(guard.show()?.label(&label)))
}

/// `DELETE …/labels/{name}`: it goes from every issue too.
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Push)?;
    let id = guard.board().label(cx.variable("name")).ok_or_else(ApiError::not_found)?.id;
    let board = guard.board_mut();
    board.labels.retain(|label| label.id != id);
    for issue in board.issues.values_mut() {
        issue.labels.retain(|one| *one != id);
    }
    Ok(FakeResponse::none())
}

/// `GET …/issues/{issue_number}/labels`
pub(super) fn of_issue(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let show = guard.show()?;
    let labels: Vec<_> = show.labels_of(guard.issue(cx)?).collect();
    Ok(cx.page(&labels, |label| show.label(label)))
}

/// `POST …/issues/{issue_number}/labels`: adds.
pub(super) fn add(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let number = cx.number("issue_number")?;
    let more = asked(cx)?;
    let show = guard.show()?;
    let mut wanted: Vec<_> =
        show.labels_of(guard.numbered(number)?).map(|label| label.name.clone()).collect();
    wanted.extend(more);
    set(&mut guard, number, &wanted)?;
    Ok(FakeResponse::json(guard.show()?.labels(guard.numbered(number)?)))
}

/// `PUT …/issues/{issue_number}/labels`: these and no others.
pub(super) fn replace(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let number = cx.number("issue_number")?;
    guard.numbered(number)?;
    let wanted = asked(cx)?;
    set(&mut guard, number, &wanted)?;
    Ok(FakeResponse::json(guard.show()?.labels(guard.numbered(number)?)))
}

/// `DELETE …/issues/{issue_number}/labels`
pub(super) fn clear(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    set(&mut guard, cx.number("issue_number")?, &[])?;
    Ok(FakeResponse::none())
}

/// `DELETE …/issues/{issue_number}/labels/{name}`: answers with those that are left.
pub(super) fn remove(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    rights::need(&guard, Right::Triage)?;
    let number = cx.number("issue_number")?;
    let show = guard.show()?;
    let before: Vec<_> = show.labels_of(guard.numbered(number)?).map(|label| label.name.clone()).collect();
    let after: Vec<_> =
        before.iter().filter(|name| !name.eq_ignore_ascii_case(cx.variable("name"))).cloned().collect();
    if after.len() == before.len() {
        return Err(ApiError::new(http::StatusCode::NOT_FOUND, "Label does not exist"));
    }
    set(&mut guard, number, &after)?;
    Ok(FakeResponse::json(guard.show()?.labels(guard.numbered(number)?)))
}

/// Gives an issue these labels and no others. One that there is not yet is made.
pub(super) fn set(guard: &mut TrackerGuard<'_>, number: u64, names: &[String]) -> Outcome<()> {
    let before = guard.numbered(number)?.labels.clone();
    let mut wanted: Vec<u64> = Vec::new();
    for name in names {
        let id = match guard.board().label(name) {
            Some(label) => label.id,
            None => make(guard, name, DEFAULT_COLOR.to_owned(), None),
        };
        if !wanted.contains(&id) {
            wanted.push(id);
        }
    }
    if wanted.len() > MOST {
        return Err(ApiError::custom("Issue", "labels", "You may only have 100 labels per issue"));
    }
    guard.issue_mut(number)?.labels.clone_from(&wanted);
    let called = |guard: &TrackerGuard<'_>, id: &u64| {
        let label = guard.board().labels.iter().find(|label| label.id == *id)?;
        Some((label.name.clone(), label.color.clone()))
    };
    for id in before.iter().filter(|id| !wanted.contains(id)) {
        if let Some((name, color)) = called(guard, id) {
            guard.note_here(number, What::Unlabeled { name, color });
        }
    }
    for id in wanted.iter().filter(|id| !before.contains(id)) {
        if let Some((name, color)) = called(guard, id) {
            guard.note_here(number, What::Labeled { name, color });
        }
    }
    Ok(())
}

fn make(guard: &mut TrackerGuard<'_>, name: &str, color: String, description: Option<String>) -> u64 {
    let id = guard.state.next_id();
    let created_at = guard.now.clone();
    guard.board_mut().labels.push(Label { id, name: name.to_owned(), color, description, created_at });
    id
}

/// The labels of a body: `{labels: [...]}` or a bare array, of names or of objects with a name.
fn asked(cx: &RequestContext<'_>) -> Outcome<Vec<String>> {
    let body: Value = serde_json::from_slice(&cx.body).map_err(|_| ApiError::bad_json())?;
    match body.get("labels") {
        Some(list) => names(list),
        None if body.is_array() => names(&body),
        None => Err(ApiError::unprocessable("Invalid request.\n\n\"labels\" wasn't supplied.")),
    }
}

/// The names in a list of labels.
pub(super) fn names(list: &Value) -> Outcome<Vec<String>> {
    let refused = |value: &Value| {
        let mut error = ApiError::unprocessable("Validation Failed");
        error.errors.push(json!({"value": value, "resource": "Label", "field": "name", "code": "invalid"}));
        error
    };
    let rows = list.as_array().ok_or_else(|| refused(list))?;
    let name = |row: &Value| {
        let name =
            row.as_str().or_else(|| row["name"].as_str()).map(str::trim).filter(|name| !name.is_empty());
        name.map(str::to_owned).ok_or_else(|| refused(row))
    };
    rows.iter().map(name).collect()
}

fn name(body: &Map<String, Value>, field: &str) -> Outcome<Option<String>> {
    let Some(name) = body.get(field).and_then(Value::as_str) else { return Ok(None) };
    if name.trim().is_empty() {
        return Err(ApiError::validation("Label", "name", "missing_field"));
    }
    if name.chars().count() > 50 {
        return Err(ApiError::custom("Label", "name", "name is too long (maximum is 50 characters)"));
    }
    Ok(Some(name.to_owned()))
}

/// "The hexadecimal color code for the label, without the leading `#`."
fn color(body: &Map<String, Value>) -> Outcome<Option<String>> {
    let Some(color) = body.get("color").and_then(Value::as_str) else { return Ok(None) };
    let fits = [3, 6].contains(&color.len()) && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    if fits { Ok(Some(color.to_lowercase())) } else { Err(ApiError::validation("Label", "color", "invalid")) }
}

/// "Must be 100 characters or fewer."
fn description(body: &Map<String, Value>) -> Outcome<Option<Option<String>>> {
    let Some(value) = body.get("description") else { return Ok(None) };
    let text = value.as_str().filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > 100) {
        return Err(ApiError::custom(
            "Label",
            "description",
            "description is too long (maximum is 100 characters)",
        ));
    }
    Ok(Some(text.map(str::to_owned)))
}
