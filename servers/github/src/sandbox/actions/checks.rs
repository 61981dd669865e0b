//! Check runs and check suites: the jobs and the runs of Actions, as the Checks API shows them.

use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    iso,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::{
    lookups,
    model::{Job, Run, together},
};

/// The app that GitHub's own workflows report as.
const APP: u64 = 15_368;

/// `GET …/commits/{ref}/check-runs`, with `check_name`, `status`, `filter`, `app_id`.
pub(super) fn of_commit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let sha = lookups::commit(&state, cx.target, cx.variable("ref"))?;
    let all = cx.query("filter") == Some("all");
    let runs =
        if all { state.actions.all_of(cx.target, &sha) } else { state.actions.newest_of(cx.target, &sha) };
    Ok(rows(cx, &state, &runs))
}

/// `GET …/check-suites/{check_suite_id}/check-runs`.
pub(super) fn of_suite(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let run = suite_run(&state, cx)?;
    Ok(rows(cx, &state, &[run]))
}

fn rows(cx: &RequestContext<'_>, state: &State, runs: &[&Run]) -> FakeResponse {
    let now = cx.site.harness.clock().now().as_secs();
    let all = cx.query("filter") == Some("all");
    let mut rows: Vec<(&Run, &Job)> = Vec::new();
    for run in runs {
        let latest = run.attempts.len().saturating_sub(1);
        let attempts = run.attempts.iter().skip(if all { 0 } else { latest });
        rows.extend(attempts.flat_map(|attempt| &attempt.jobs).map(|job| (*run, job)));
    }
    rows.sort_by_key(|(_, job)| std::cmp::Reverse(job.id));
    rows.dedup_by_key(|(_, job)| job.id);
    rows.retain(|(_, job)| {
        cx.query("check_name").is_none_or(|name| name == job.name)
            && cx.query("status").is_none_or(|status| status == job.state(now).0)
            && cx.query("app_id").is_none_or(|app| app == APP.to_string())
    });
    cx.counted("check_runs", &rows, |(run, job)| show(cx.site, state, run, job, now))
}

/// `GET …/check-runs/{check_run_id}/annotations`.
pub(super) fn annotations(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let found = state.actions.job(cx.target, cx.number("check_run_id")?);
    let (run, job) = found.ok_or_else(ApiError::not_found)?;
    let repo = state.repos.get(cx.target).ok_or_else(ApiError::not_found)?;
    let blob = format!("https://github.com/{}/{}/blob/{}", repo.owner, repo.name, run.sha);
    Ok(cx.page(job.annotations(now), |annotation| {
        json!({
            "path": annotation.path,
            "blob_href": format!("{blob}/{}", annotation.path),
            "start_line": annotation.line,
            "start_column": null,
            "end_line": annotation.line,
            "end_column": null,
            "annotation_level": annotation.level,
            "title": annotation.title,
            "message": annotation.message,
            "raw_details": null,
        })
    }))
}

/// `GET …/commits/{ref}/check-suites`, with `app_id`, `check_name`.
pub(super) fn suites(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let sha = lookups::commit(&state, cx.target, cx.variable("ref"))?;
    let mut runs = state.actions.all_of(cx.target, &sha);
    runs.retain(|run| {
        cx.query("check_name").is_none_or(|name| run.jobs().iter().any(|job| job.name == name))
            && cx.query("app_id").is_none_or(|app| app == APP.to_string())
    });
    Ok(cx.counted("check_suites", &runs, |run| show_suite(cx.site, &state, run, now)))
}

fn suite_run<'s>(state: &'s State, cx: &RequestContext<'_>) -> Outcome<&'s Run> {
    let id = cx.number("check_suite_id")?;
    let run = state.actions.runs.iter().find(|run| run.repo == cx.target && run.suite == id);
    run.ok_or_else(ApiError::not_found)
}

fn show(site: &Site, state: &State, run: &Run, job: &Job, now: u64) -> Value {
    let Some(repo) = state.repos.get(run.repo) else { return Value::Null };
    let full_name = format!("{}/{}", repo.owner, repo.name);
    let url = site.url(&format!("repos/{full_name}/check-runs/{}", job.id));
    let html = format!("https://github.com/{full_name}/actions/runs/{}/job/{}", run.id, job.id);
    let (status, conclusion) = job.state(now);
    json!({
        "id": job.id,
        "name": job.name,
        "node_id": node_id("CR", job.id),
        "head_sha": run.sha,
        "external_id": uuid::Uuid::from_u64_pair(run.id, job.id),
        "url": url,
        "html_url": html,
        "details_url": html,
        "status": status,
        "conclusion": conclusion,
        "started_at": iso(if status == "queued" { job.created } else { job.starts }),
        "completed_at": (status == "completed").then(|| iso(job.ends())),
        "output": {
            "title": null,
            "summary": null,
            "text": null,
            "annotations_count": job.annotations(now).len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": {"id": run.suite},
        "app": app(site),
        "pull_requests": lookups::pulls(site, state, run),
    })
}

fn show_suite(site: &Site, state: &State, run: &Run, now: u64) -> Value {
    let Some(repo) = state.repos.get(run.repo) else { return Value::Null };
    let url = site.url(&format!("repos/{}/{}/check-suites/{}", repo.owner, repo.name, run.suite));
    let (status, conclusion) = together(run.jobs(), now);
    json!({
        "id": run.suite,
        "node_id": node_id("CS", run.suite),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "status": status,
        "conclusion": conclusion,
        "url": url,
        "before": null,
        "after": run.sha,
        "pull_requests": lookups::pulls(site, state, run),
        "app": app(site),
        "created_at": iso(run.created),
        "updated_at": iso(run.updated(now)),
        "rerequestable": true,
        "runs_rerequestable": false,
        "latest_check_runs_count": run.jobs().len(),
        "check_runs_url": format!("{url}/check-runs"),
        "head_commit": lookups::head_commit(state, run.repo, &run.sha),
        "repository": lookups::repository(site, state, run.repo),
    })
}

/// GitHub Actions itself, as an app.
fn app(site: &Site) -> Value {
    let owner = site.url("users/github");
    let html = "https://github.com/github";
    json!({
        "id": APP,
        "client_id": "Iv1.05c79e9ad1f6bdfa",
        "slug": "github-actions",
        "node_id": node_id("A", APP),
        "owner": {
            "login": "github",
            "id": 9919,
            "node_id": node_id("O", 9919),
            "avatar_url": "https://avatars.githubusercontent.com/u/9919?v=4",
            "gravatar_id": "",
            "url": owner,
            "html_url": html,
            "followers_url": format!("{owner}/followers"),
            "following_url": format!("{owner}/following{{/other_user}}"),
            "gists_url": format!("{owner}/gists{{/gist_id}}"),
            "starred_url": format!("{owner}/starred{{/owner}}{{/repo}}"),
            "subscriptions_url": format!("{owner}/subscriptions"),
            "organizations_url": format!("{owner}/orgs"),
            "repos_url": format!("{owner}/repos"),
            "events_url": format!("{owner}/events{{/privacy}}"),
            "received_events_url": format!("{owner}/received_events"),
            "type": "Organization",
            "user_view_type": "public",
            "site_admin": false,
        },
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": "https://github.com/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2025-03-07T16:35:00Z",
        "permissions": {"actions": "write", "checks": "write", "contents": "write", "metadata": "read"},
        "events": ["check_run", "push", "pull_request", "workflow_dispatch"],
    })
}
