//! Commit statuses: what other systems report of a commit.

use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    repos::Repository,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::{lookups, model::Status};

/// `GET …/commits/{ref}/statuses`: every status, newest first.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let sha = lookups::commit(&state, cx.target, cx.variable("ref"))?;
    let repo = state.repos.get(cx.target).ok_or_else(ApiError::not_found)?;
    let of = |status: &&Status| status.repo == cx.target && status.sha == sha;
    let rows: Vec<_> = state.actions.statuses.iter().rev().filter(of).collect();
    Ok(cx.page(&rows, |status| full(cx.site, &state, repo, status)))
}

/// `GET …/commits/{ref}/status`: the newest of each context, and what they come to together. Without any it is
/// `pending`, for jobs of Actions do not count here (docs.github.com, "Get the combined status").
pub(super) fn combined(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let sha = lookups::commit(&state, cx.target, cx.variable("ref"))?;
    let repo = state.repos.get(cx.target).ok_or_else(ApiError::not_found)?;
    let latest = state.actions.latest_statuses(cx.target, &sha);
    let any = |wanted: &str| latest.iter().any(|status| status.state == wanted);
    let together = if any("failure") || any("error") {
        "failure"
    } else if latest.is_empty() || any("pending") {
        "pending"
    } else {
        "success"
    };
    let shown: Vec<_> = cx.cut(&latest).iter().map(|status| short(cx.site, repo, status)).collect();
    let commit = cx.site.url(&format!("repos/{}/{}/commits/{sha}", repo.owner, repo.name));
    let answer = FakeResponse::json(json!({
        "state": together,
        "statuses": shown,
        "sha": sha,
        "total_count": latest.len(),
        "repository": lookups::repository(cx.site, &state, cx.target),
        "commit_url": commit,
        "url": format!("{commit}/status"),
    }));
    Ok(cx.link(answer, latest.len()))
}

/// `POST …/statuses/{sha}`.
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let given = text("state").unwrap_or_default();
    if !["error", "failure", "pending", "success"].contains(&given.as_str()) {
        return Err(ApiError::validation("Status", "state", "invalid"));
    }
    if text("description").is_some_and(|description| description.chars().count() > 140) {
        let message = "description is too long (maximum is 140 characters)";
        return Err(ApiError::custom("Status", "description", message));
    }
    let mut state = cx.site.state();
    let state = &mut *state;
    let named = cx.variable("sha");
    let sha = lookups::commit(state, cx.target, named)?;
    if sha != named {
        return Err(ApiError::unprocessable(format!("No commit found for SHA: {named}")));
    }
    let status = Status {
        id: state.next_id(),
        repo: cx.target,
        sha,
        state: given,
        context: text("context").unwrap_or_else(|| "default".to_owned()),
        description: text("description"),
        target_url: text("target_url"),
        creator: cx.caller.login().to_owned(),
        created: cx.site.now(),
    };
    state.actions.statuses.push(status.clone());
    let repo = state.repos.get(cx.target).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::created(full(cx.site, state, repo, &status)))
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
