//! What surrounds a run: its repository, its commit, the pull requests it is for.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    repos::{git::Signature, repository_json},
    state::State,
};

use super::model::Run;

/// The repository within a run, as everybody sees it there.
pub(super) fn repository(site: &Site, state: &State, repo: u64) -> Value {
    let Some(repo) = state.repos.get(repo) else { return Value::Null };
    let mut shown = repository_json(site, state, repo, "");
    // What follows from the caller's rights is not told here.
    shown.remove("permissions");
    shown.into()
}

/// The commit that a route names.
///
/// # Errors
/// 422 if there is none, as GitHub has it for checks and statuses.
pub(super) fn commit(state: &State, repo: u64, named: &str) -> Outcome<String> {
    let repo = state.repos.get(repo).ok_or_else(ApiError::not_found)?;
    repo.resolve(named).ok_or_else(|| ApiError::unprocessable(format!("No commit found for SHA: {named}")))
}

/// A run's commit, in short; null if it is gone.
pub(super) fn head_commit(state: &State, repo: u64, sha: &str) -> Value {
    let Some(commit) = state.repos.get(repo).and_then(|repo| repo.git.commit(sha)) else {
        return Value::Null;
    };
    let person = |person: &Signature| json!({"name": person.name, "email": person.email});
    json!({
        "id": sha,
        "tree_id": commit.tree,
        "message": commit.text(),
        "timestamp": Timestamp::from_second(commit.committer.at).unwrap_or_default().to_string(),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
    })
}

/// The open pull requests whose head a run's commit is now.
pub(super) fn pulls(site: &Site, state: &State, run: &Run) -> Vec<Value> {
    let Some(repo) = state.repos.get(run.repo) else { return Vec::new() };
    let about = json!({"id": repo.id, "url": repo.url(site, ""), "name": repo.name});
    let open = state.tracker.board(repo.id).issues.values().filter(|issue| issue.open);
    let heads = open.filter(|issue| repo.pull_head(issue.number) == Some(run.sha.as_str()));
    let shown = heads.filter_map(|issue| {
        let pull = issue.pull.as_ref()?;
        Some(json!({
            "id": pull.id,
            "number": issue.number,
            "url": repo.url(site, &format!("/pulls/{}", issue.number)),
            "head": {"ref": pull.head, "sha": run.sha, "repo": about},
            "base": {"ref": pull.base, "sha": repo.resolve(&pull.base).unwrap_or_default(), "repo": about},
        }))
    });
    shown.collect()
}
