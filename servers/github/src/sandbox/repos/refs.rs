//! References: branches and tags by their full names.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Repository,
    asked::{flag, may_push, needed, not_empty, repository, repository_mut},
    git::Object,
    pushes::pushed,
    show::{encoded, object_id},
};
use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

fn ref_json(site: &Site, repo: &Repository, name: &str, sha: &str) -> Value {
    let kind = repo.git.object(sha).map_or("commit", Object::kind);
    json!({
        "ref": name,
        "node_id": object_id("REF", repo.id, name),
        "url": repo.url(site, &format!("/git/{}", encoded(name))),
        "object": {
            "type": kind,
            "sha": sha,
            "url": repo.url(site, &format!("/git/{kind}s/{sha}")),
        },
    })
}

pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let name = format!("refs/{}", cx.variable("ref"));
    let sha = repo.git.reference(&name).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(ref_json(cx.site, repo, &name, sha)))
}

pub(super) fn matching(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let prefix = format!("refs/{}", cx.variable("ref"));
    let refs = repo.git.refs().iter();
    let rows: Vec<_> = refs.filter(|(name, _)| name.starts_with(&prefix)).collect();
    Ok(cx.page(&rows, |(name, sha)| ref_json(cx.site, repo, name, sha)))
}

/// Whether git takes a name for a reference (git-check-ref-format).
fn sound(name: &str) -> bool {
    let bad = |letter: char| letter.is_ascii_control() || " ~^:?*[\\".contains(letter);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    !name.contains(bad)
        && !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && name.split('/').all(part)
}

pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let (name, sha) = (needed(&body, "ref")?, needed(&body, "sha")?);
    let mut state = cx.site.state();
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        let message = "Reference name must start with 'refs/' and have at least two slashes.";
        return Err(ApiError::unprocessable(message));
    }
    if !sound(name) {
        return Err(ApiError::unprocessable(format!("{name} is not a valid ref name.")));
    }
    if repo.git.reference(name).is_some() {
        return Err(ApiError::unprocessable("Reference already exists"));
    }
    let sha = sha.to_ascii_lowercase();
    if repo.git.object(&sha).is_none() {
        return Err(ApiError::unprocessable("Object does not exist"));
    }
    // A name cannot be a directory of names, nor lie in one that is a name.
    let (inside, above) = (format!("{name}/"), |other: &str| name.starts_with(&format!("{other}/")));
    let clash = repo.git.refs().keys().any(|other| other.starts_with(&inside) || above(other));
    let branch = name.strip_prefix("refs/heads/");
    if clash || name.starts_with("refs/pull/") || branch.is_some() && repo.git.commit(&sha).is_none() {
        return Err(ApiError::unprocessable("Reference update failed"));
    }
    move_to(cx, &mut state, name, &sha).map(FakeResponse::created)
}

pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let sha = needed(&body, "sha")?.to_ascii_lowercase();
    let force = flag(&body, "force").unwrap_or_default();
    let name = format!("refs/{}", cx.variable("ref"));
    let mut state = cx.site.state();
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    let missing = || ApiError::unprocessable("Reference does not exist");
    let old = repo.git.reference(&name).ok_or_else(missing)?.to_owned();
    if repo.git.object(&sha).is_none() {
        return Err(ApiError::unprocessable("Object does not exist"));
    }
    let forward = match (repo.git.peel(&old), repo.git.peel(&sha)) {
        (Some(old), Some(new)) => repo.git.leads_to(&old, &new),
        _ => false,
    };
    if !forward && !force {
        return Err(ApiError::unprocessable("Update is not a fast forward"));
    }
    if let Some(branch) = name.strip_prefix("refs/heads/") {
        if repo.git.commit(&sha).is_none() {
            return Err(ApiError::unprocessable("Object is not a commit"));
        }
        if !forward && repo.protection.get(branch).is_some_and(|rules| !rules.force_pushes) {
            return Err(ApiError::unprocessable("Cannot force-push to this protected branch"));
        }
        may_push(cx, repo, branch, StatusCode::UNPROCESSABLE_ENTITY)?;
    }
    if name.starts_with("refs/pull/") {
        return Err(ApiError::unprocessable("Reference update failed"));
    }
    move_to(cx, &mut state, &name, &sha).map(FakeResponse::json)
}

/// Lets a reference stand at an object; how it is shown then.
fn move_to(cx: &RequestContext<'_>, state: &mut State, name: &str, sha: &str) -> Outcome<Value> {
    let repo = repository_mut(cx, state)?;
    let Some(branch) = name.strip_prefix("refs/heads/") else {
        repo.git.point(name, sha);
        return Ok(ref_json(cx.site, repo, name, sha));
    };
    repo.push(branch, sha, &cx.site.now());
    let shown = ref_json(cx.site, repo, name, sha);
    pushed(cx.site, state, cx.target, branch, sha, cx.caller.login());
    Ok(shown)
}

pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let name = format!("refs/{}", cx.variable("ref"));
    let mut state = cx.site.state();
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    if repo.git.reference(&name).is_none() || name.starts_with("refs/pull/") {
        return Err(ApiError::unprocessable("Reference does not exist"));
    }
    if let Some(branch) = name.strip_prefix("refs/heads/") {
        if branch == repo.default_branch {
            return Err(ApiError::unprocessable("Cannot delete the default branch"));
        }
        if repo.protection.get(branch).is_some_and(|rules| !rules.deletions) {
            return Err(ApiError::unprocessable("Cannot delete a protected branch"));
        }
    }
    repo.git.drop_reference(&name);
    cx.site.now().clone_into(&mut repo.pushed_at);
    Ok(FakeResponse::none())
}
