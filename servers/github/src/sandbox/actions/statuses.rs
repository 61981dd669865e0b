//! Commit statuses: what other systems report of a commit.

use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    answer::Answer,
    ask::Ask,
    errors::{ApiError, Outcome},
    ids::node_id,
    repos::Repository,
    state::State,
};

use super::{around, model::Status};

/// `GET …/commits/{ref}/statuses`: every status, newest first.
pub(super) fn list(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let sha = around::commit(&state, ask.repo, ask.param("ref"))?;
    let repo = state.repos.get(ask.repo).ok_or_else(ApiError::not_found)?;
    let of = |status: &&Status| status.repo == ask.repo && status.sha == sha;
    let rows: Vec<_> = state.actions.statuses.iter().rev().filter(of).collect();
    Ok(ask.page(&rows, |status| full(ask.site, &state, repo, status)))
}

/// `GET …/commits/{ref}/status`: the newest of each context, and what they come to together. Without any it is
/// `pending`, for jobs of Actions do not count here (docs.github.com, "Get the combined status").
pub(super) fn combined(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let sha = around::commit(&state, ask.repo, ask.param("ref"))?;
    let repo = state.repos.get(ask.repo).ok_or_else(ApiError::not_found)?;
    let latest = state.actions.latest_statuses(ask.repo, &sha);
    let any = |wanted: &str| latest.iter().any(|status| status.state == wanted);
    let together = if any("failure") || any("error") {
        "failure"
    } else if latest.is_empty() || any("pending") {
        "pending"
    } else {
        "success"
    };
    let shown: Vec<_> = ask.cut(&latest).iter().map(|status| short(ask.site, repo, status)).collect();
    let commit = ask.site.url(&format!("repos/{}/{}/commits/{sha}", repo.owner, repo.name));
    let answer = Answer::json(json!({
        "state": together,
        "statuses": shown,
        "sha": sha,
        "total_count": latest.len(),
        "repository": around::repository(ask.site, &state, ask.repo),
        "commit_url": commit,
        "url": format!("{commit}/status"),
    }));
    Ok(ask.link(answer, latest.len()))
}

/// `POST …/statuses/{sha}`.
pub(super) fn create(ask: &Ask<'_>) -> Outcome<Answer> {
    let body = ask.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let given = text("state").unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&given.as_str()) {
        return Err(ApiError::validation("Status", "state", "invalid"));
    }
    if text("description").is_some_and(|description| description.chars().count() > 140) {
        let message = "description is too long (maximum is 140 characters)";
        return Err(ApiError::custom("Status", "description", message));
    }
    let mut state = ask.site.state();
    let state = &mut *state;
    let named = ask.param("sha");
    let sha = around::commit(state, ask.repo, named)?;
    if sha != named {
        return Err(ApiError::unprocessable(format!("No commit found for SHA: {named}")));
    }
    let status = Status {
        id: state.next_id(),
        repo: ask.repo,
        sha,
        state: given,
        context: text("context").unwrap_or_else(|| "default".to_owned()),
        description: text("description"),
        target_url: text("target_url"),
        creator: ask.caller.login().to_owned(),
        created: ask.site.now(),
    };
    state.actions.statuses.push(status.clone());
    let repo = state.repos.get(ask.repo).ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(full(ask.site, state, repo, &status)))
}

fn short(site: &Site, repo: &Repository, status: &Status) -> Value {
    json!({
        "url": site.url(&format!("repos/{}/{}/statuses/{}", repo.owner, repo.name, status.sha)),
        "avatar_url": "https://avatars.githubusercontent.com/u/1?v=4",
        "id": status.id,
        "node_id": node_id("SC", status.id),
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": status.created,
        "updated_at": status.created,
    })
}

fn full(site: &Site, state: &State, repo: &Repository, status: &Status) -> Value {
    let mut shown = short(site, repo, status);
    shown["creator"] = state.accounts.simple(site, &status.creator);
    shown
}
