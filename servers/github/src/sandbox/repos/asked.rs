//! What several routes of repositories ask of a request, and of the repository that it is about.

use http::StatusCode;
use jiff::{Timestamp, Zoned, fmt::temporal::Pieces};
use serde_json::{Map, Value};

use super::{
    Repository, Role,
    git::{Git, Signature},
    show::signature_of,
};
use crate::sandbox::{
    auth::{self, Caller},
    errors::{ApiError, Outcome},
    request::RequestContext,
    route::read,
    state::State,
};

/// The repository of the request.
pub(super) fn repository<'s>(cx: &RequestContext<'_>, state: &'s State) -> Outcome<&'s Repository> {
    state.repos.get(cx.target).ok_or_else(ApiError::not_found)
}

/// The same, to change it.
pub(super) fn repository_mut<'s>(
    cx: &RequestContext<'_>,
    state: &'s mut State,
) -> Outcome<&'s mut Repository> {
    state.repos.get_mut(cx.target).ok_or_else(ApiError::not_found)
}

/// Whether the caller may know of a repository.
pub(in crate::sandbox) fn sees(caller: &Caller, repo: &Repository) -> bool {
    auth::may(caller, repo, read("metadata")).is_ok()
}

/// 409 for a repository that nothing was pushed to.
pub(super) fn not_empty(git: &Git) -> Outcome<()> {
    if git.is_empty() { Err(ApiError::conflict("Git Repository is empty.")) } else { Ok(()) }
}

/// A text of the body, if it is there.
pub(super) fn text<'b>(body: &'b Map<String, Value>, key: &str) -> Option<&'b str> {
    body.get(key).and_then(Value::as_str)
}

/// A text of the body that must be there.
pub(super) fn needed<'b>(body: &'b Map<String, Value>, key: &str) -> Outcome<&'b str> {
    text(body, key)
        .ok_or_else(|| ApiError::unprocessable(format!("Invalid request.\n\n\"{key}\" wasn't supplied.")))
}

/// A flag of the body.
pub(super) fn flag(body: &Map<String, Value>, key: &str) -> Option<bool> {
    body.get(key).and_then(Value::as_bool)
}

/// 422 for what is no full id.
pub(super) fn full_sha(sha: &str) -> Outcome<()> {
    if sha.len() == 40 && sha.chars().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(ApiError::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f]."))
}

/// The caller as the author of a commit that is made now.
pub(super) fn caller(cx: &RequestContext<'_>, state: &State) -> Signature {
    let (login, now) = (cx.caller.login(), cx.site.now());
    let known = state.accounts.get(login).and_then(|account| signature_of(account, &now));
    known.unwrap_or_else(|| Signature {
        name: login.to_owned(),
        email: format!("{login}@users.noreply.github.com"),
        at: now.parse::<Timestamp>().unwrap_or_default().as_second(),
        offset: 0,
    })
}

/// A person of the body: `{name, email, date}`; none if there is none.
pub(super) fn person(body: &Map<String, Value>, key: &str, now: i64) -> Outcome<Option<Signature>> {
    let Some(Value::Object(person)) = body.get(key) else { return Ok(None) };
    let (at, offset) = match text(person, "date") {
        Some(date) => moment(date).ok_or_else(|| {
            ApiError::unprocessable(format!("Invalid request.\n\n\"{date}\" is not a valid date-time."))
        })?,
        None => (now, 0),
    };
    let (name, email) = (needed(person, "name")?.to_owned(), needed(person, "email")?.to_owned());
    Ok(Some(Signature { name, email, at, offset }))
}

/// A time as ISO 8601 has it: seconds since the epoch, and the minutes that its zone is east of UTC.
fn moment(text: &str) -> Option<(i64, i32)> {
    let at = text.parse::<Timestamp>().ok()?.as_second();
    let offset = Pieces::parse(text).ok()?.to_numeric_offset().map_or(0, |offset| offset.seconds() / 60);
    Some((at, offset))
}

/// A time of a query, in seconds since the epoch; a date is its first moment.
pub(super) fn since(text: &str) -> Option<i64> {
    let time = text.parse::<Timestamp>().ok();
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    time.or_else(|| day().as_ref().map(Zoned::timestamp)).map(Timestamp::as_second)
}

/// Refuses to move a branch that may only change by pull requests: what GitHub says of it ("Repository rule
/// violations found"), with the status that the route has for it.
pub(super) fn may_push(
    cx: &RequestContext<'_>,
    repo: &Repository,
    branch: &str,
    status: StatusCode,
) -> Outcome<()> {
    let Some(rules) = repo.protection.get(branch) else { return Ok(()) };
    if !rules.admins && repo.role(cx.caller.login()) == Some(Role::Admin) {
        return Ok(());
    }
    let mut violations = Vec::new();
    if rules.reviews.is_some() {
        violations.push("Changes must be made through a pull request.".to_owned());
    }
    let checks = rules.checks.len();
    match rules.checks.as_slice() {
        [] => {}
        [check] => violations.push(format!("Required status check \"{check}\" is expected.")),
        _ => violations.push(format!("{checks} of {checks} required status checks are expected.")),
    }
    if violations.is_empty() {
        return Ok(());
    }
    let message = format!("Repository rule violations found\n\n{}\n\n", violations.join("\n\n"));
    Err(ApiError::new(status, message))
}
