//! New repositories, and forks.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Repository, Role,
    about::full,
    asked::{self, flag, needed, text},
    git::{Commit, File, Files, Mode, Object},
    show::{SIGNED, github},
};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

pub(super) fn for_user(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    if cx.caller.token.is_none() {
        return Err(ApiError::unauthorized());
    }
    create(cx, cx.caller.login())
}

pub(super) fn for_organization(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let organization = {
        let state = cx.site.state();
        let account = state.accounts.org(cx.variable("org")).ok_or_else(ApiError::not_found)?;
        if !state.accounts.is_member(&account.login, cx.caller.login()) {
            return Err(ApiError::forbidden("You need to be a member of this organization."));
        }
        account.login.clone()
    };
    create(cx, &organization)
}

fn create(cx: &RequestContext<'_>, owner: &str) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let name = name(needed(&body, "name")?);
    let mut state = cx.site.state();
    free(&state, owner, &name)?;
    let id = state.next_id();
    let mut repo = Repository::new(id, owner, &name, &cx.site.now());
    repo.private = flag(&body, "private").unwrap_or_else(|| text(&body, "visibility") == Some("private"));
    repo.description = text(&body, "description").map(str::to_owned);
    repo.homepage = text(&body, "homepage").map(str::to_owned);
    settings(&mut repo, &body);
    if cx.caller.login() != owner {
        repo.collaborators.insert(cx.caller.login().to_owned(), Role::Admin);
    }
    if flag(&body, "auto_init").unwrap_or_default() {
        begin(cx, &state, &mut repo);
    }
    let shown = full(cx.site, &state, &repo, cx.caller.login());
    state.repos.add(repo);
    Ok(FakeResponse::created(shown))
}

/// A name as GitHub takes it: what cannot stand in an address becomes a hyphen.
fn name(asked: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    asked.trim().chars().map(|letter| if fits(letter) { letter } else { '-' }).collect()
}

/// 422 if there is a repository of this name.
fn free(state: &State, owner: &str, name: &str) -> Outcome<()> {
    if name.is_empty() {
        let mut error = ApiError::custom("Repository", "name", "name is too short (minimum is 1 character)");
        "Repository creation failed.".clone_into(&mut error.message);
        return Err(error);
    }
    if state.repos.find(owner, name).is_some_and(|found| !found.moved) {
        let mut error = ApiError::custom("Repository", "name", "name already exists on this account");
        "Repository creation failed.".clone_into(&mut error.message);
        return Err(error);
    }
    Ok(())
}

fn settings(repo: &mut Repository, body: &Map<String, Value>) {
    let merging = &mut repo.merging;
    merging.squash = flag(body, "allow_squash_merge").unwrap_or(merging.squash);
    merging.merge_commit = flag(body, "allow_merge_commit").unwrap_or(merging.merge_commit);
    merging.rebase = flag(body, "allow_rebase_merge").unwrap_or(merging.rebase);
    merging.auto_merge = flag(body, "allow_auto_merge").unwrap_or(merging.auto_merge);
    merging.delete_branch = flag(body, "delete_branch_on_merge").unwrap_or(merging.delete_branch);
}

/// A first commit, with a README.
fn begin(cx: &RequestContext<'_>, state: &State, repo: &mut Repository) {
    let about = repo.description.as_deref().map(|text| format!("\n{text}\n")).unwrap_or_default();
    let readme = format!("# {}\n{about}", repo.name).into_bytes();
    let sha = repo.git.put(Object::Blob(readme));
    let files = Files::from([("README.md".to_owned(), File { mode: Mode::File, sha })]);
    let tree = repo.git.write_tree(&files);
    let author = asked::caller(cx, state);
    let commit = Commit {
        tree,
        parents: Vec::new(),
        committer: github(author.at),
        author,
        signature: Some(SIGNED.to_owned()),
        message: "Initial commit".to_owned(),
    };
    let sha = repo.git.put(Object::Commit(commit));
    let branch = repo.default_branch.clone();
    repo.push(&branch, &sha, &cx.site.now());
}

pub(super) fn fork(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let mut state = cx.site.state();
    let caller = cx.caller.login().to_owned();
    if cx.caller.token.is_none() {
        return Err(ApiError::unauthorized());
    }
    let source = asked::repository(cx, &state)?.clone();
    let owner = match text(&body, "organization") {
        Some(organization) => {
            let account = state.accounts.get(organization);
            account.map(|account| account.login.clone()).ok_or_else(ApiError::not_found)?
        }
        None => caller.clone(),
    };
    // A fork that is there already is answered again.
    let existing = state
        .repos
        .all()
        .find(|repo| repo.parent == Some(source.id) && repo.owner.eq_ignore_ascii_case(&owner));
    if let Some(existing) = existing {
        return Ok(
            FakeResponse::json(full(cx.site, &state, existing, &caller)).with_status(StatusCode::ACCEPTED)
        );
    }
    let name = name(text(&body, "name").unwrap_or(&source.name));
    free(&state, &owner, &name)?;
    let id = state.next_id();
    let mut repo = Repository::new(id, &owner, &name, &cx.site.now());
    repo.private = source.private;
    repo.description.clone_from(&source.description);
    repo.default_branch.clone_from(&source.default_branch);
    repo.parent = Some(source.id);
    repo.pushed_at.clone_from(&source.pushed_at);
    repo.git = source.git.clone();
    let only_default = flag(&body, "default_branch_only").unwrap_or_default();
    let default = format!("refs/heads/{}", source.default_branch);
    for reference in source.git.refs().keys() {
        let taken = if only_default { *reference == default } else { !reference.starts_with("refs/pull/") };
        if !taken {
            repo.git.drop_reference(reference);
        }
    }
    if caller != owner {
        repo.collaborators.insert(caller.clone(), Role::Admin);
    }
    let shown = full(cx.site, &state, &repo, &caller);
    state.repos.add(repo);
    Ok(FakeResponse::json(shown).with_status(StatusCode::ACCEPTED))
}
