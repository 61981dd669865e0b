//! A repository: all about it, its languages and topics, who may do what.

use serde_json::{Map, Value, json};

use super::{
    Repository, Role,
    asked::repository,
    show::{permissions, repository_json},
};
use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    Ok(FakeResponse::json(full(cx.site, &state, repo, cx.caller.login())))
}

/// A repository as it is shown by itself ("full repository"), for a login's rights in it.
pub(super) fn full(site: &Site, state: &State, repo: &Repository, login: &str) -> Map<String, Value> {
    let mut row = repository_json(site, state, repo, login);
    let merging = &repo.merging;
    let more = json!({
        "temp_clone_token": null,
        "allow_squash_merge": merging.squash,
        "allow_merge_commit": merging.merge_commit,
        "allow_rebase_merge": merging.rebase,
        "allow_auto_merge": merging.auto_merge,
        "delete_branch_on_merge": merging.delete_branch,
        "allow_update_branch": merging.update_branch,
        "use_squash_pr_title_as_default": false,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
        "network_count": row["forks_count"],
        "subscribers_count": repo.collaborators.len(),
    });
    if let Value::Object(more) = more {
        row.extend(more);
    }
    if state.accounts.get(&repo.owner).is_some_and(|owner| owner.kind == "Organization") {
        row.insert("organization".to_owned(), state.accounts.simple(site, &repo.owner));
    }
    if let Some(parent) = repo.parent.and_then(|parent| state.repos.get(parent)) {
        let shown = repository_json(site, state, parent, login);
        row.insert("parent".to_owned(), shown.clone().into());
        row.insert("source".to_owned(), shown.into());
    }
    row
}

pub(super) fn languages(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let languages = repository(cx, &state)?.languages();
    let shown: Map<_, _> = languages.iter().map(|(name, bytes)| ((*name).to_owned(), json!(bytes))).collect();
    Ok(FakeResponse::json(shown))
}

pub(super) fn topics(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    Ok(FakeResponse::json(json!({ "names": repository(cx, &state)?.topics })))
}

/// Everybody with a role, with it.
fn people(repo: &Repository) -> Vec<(String, Role)> {
    let mut people: Vec<_> = repo.collaborators.iter().map(|(login, role)| (login.clone(), *role)).collect();
    if !people.iter().any(|(login, _)| login.eq_ignore_ascii_case(&repo.owner)) {
        people.push((repo.owner.clone(), Role::Admin));
    }
    people
}

/// Somebody with their rights; null if there is nobody of this name.
fn person(site: &Site, state: &State, login: &str, role: Option<Role>) -> Value {
    let mut person = state.accounts.simple(site, login);
    if let Value::Object(person) = &mut person {
        let mut rights = permissions(role);
        rights["pull"] = role.is_some().into();
        person.insert("permissions".to_owned(), rights);
        person.insert("role_name".to_owned(), role.map_or("none", Role::as_str).into());
    }
    person
}

pub(super) fn collaborators(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    // docs.github.com, "List repository collaborators": for those who may push.
    if repo.role(cx.caller.login()).is_none_or(|role| role < Role::Write) {
        return Err(ApiError::forbidden("Must have push access to view repository collaborators."));
    }
    let wanted = cx.query("permission").and_then(Role::parse);
    let organization =
        |login: &str| state.accounts.get(login).is_some_and(|account| account.kind == "Organization");
    let rows: Vec<_> = people(repo)
        .into_iter()
        .filter(|(login, role)| !organization(login) && wanted.is_none_or(|wanted| *role >= wanted))
        .collect();
    Ok(cx.page(&rows, |(login, role)| person(cx.site, &state, login, Some(*role))))
}

pub(super) fn collaborator(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    match repo.role(cx.variable("username")) {
        Some(_) => Ok(FakeResponse::none()),
        None => Err(ApiError::not_found()),
    }
}

pub(super) fn permission(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let login = cx.variable("username");
    if state.accounts.get(login).is_none() {
        return Err(ApiError::not_found());
    }
    let role = repo.role(login).or_else(|| (!repo.private).then_some(Role::Read));
    // The four words of old; `role_name` is exact.
    let permission = match role {
        None => "none",
        Some(Role::Read | Role::Triage) => "read",
        Some(Role::Write | Role::Maintain) => "write",
        Some(Role::Admin) => "admin",
    };
    Ok(FakeResponse::json(json!({
        "permission": permission,
        "role_name": role.map_or("none", Role::as_str),
        "user": person(cx.site, &state, login, role),
    })))
}
