//! Check runs and check suites: the jobs and the runs of Actions, as the Checks API shows them.

use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    answer::Answer,
    ask::Ask,
    errors::{ApiError, Outcome},
    ids::node_id,
    iso,
    state::State,
};

use super::{
    around,
    model::{Job, Run, together},
};

/// The app that GitHub's own workflows report as.
const APP: u64 = 15_368;

/// `GET …/commits/{ref}/check-runs`, with `check_name`, `status`, `filter`, `app_id`.
pub(super) fn of_commit(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let sha = around::commit(&state, ask.repo, ask.param("ref"))?;
    let all = ask.query("filter") == Some("all");
    let runs =
        if all { state.actions.all_of(ask.repo, &sha) } else { state.actions.newest_of(ask.repo, &sha) };
    Ok(rows(ask, &state, &runs))
}

/// `GET …/check-suites/{check_suite_id}/check-runs`.
pub(super) fn of_suite(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let run = suite_run(&state, ask)?;
    Ok(rows(ask, &state, &[run]))
}

fn rows(ask: &Ask<'_>, state: &State, runs: &[&Run]) -> Answer {
    let now = ask.site.harness.clock().now().as_secs();
    let all = ask.query("filter") == Some("all");
    let mut rows: Vec<(&Run, &Job)> = Vec::new();
    for run in runs {
        let latest = run.attempts.len().saturating_sub(1);
        let attempts = run.attempts.iter().skip(if all { 0 } else { latest });
        rows.extend(attempts.flat_map(|attempt| &attempt.jobs).map(|job| (*run, job)));
    }
    rows.sort_by_key(|(_, job)| std::cmp::Reverse(job.id));
    rows.dedup_by_key(|(_, job)| job.id);
    rows.retain(|(_, job)| {
        ask.query("check_name").is_none_or(|name| name == job.name)
            && ask.query("status").is_none_or(|status| status == job.state(now).0)
            && ask.query("app_id").is_none_or(|app| app == APP.to_string())
    });
    ask.counted("check_runs", &rows, |(run, job)| show(ask.site, state, run, job, now))
}

/// `GET …/check-runs/{check_run_id}`.
pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    let now = ask.site.harness.clock().now().as_secs();
    let state = ask.site.state();
    let found = state.actions.job(ask.repo, ask.number("check_run_id")?);
    let (run, job) = found.ok_or_else(ApiError::not_found)?;
    Ok(Answer::json(show(ask.site, &state, run, job, now)))
}

/// `GET …/check-runs/{check_run_id}/annotations`.
pub(super) fn annotations(ask: &Ask<'_>) -> Outcome<Answer> {
    let now = ask.site.harness.clock().now().as_secs();
    let state = ask.site.state();
    let found = state.actions.job(ask.repo, ask.number("check_run_id")?);
    let (run, job) = found.ok_or_else(ApiError::not_found)?;
    let repo = state.repos.get(ask.repo).ok_or_else(ApiError::not_found)?;
    let blob = format!("https://github.com/{}/{}/blob/{}", repo.owner, repo.name, run.sha);
    Ok(ask.page(job.annotations(now), |annotation| {
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
pub(super) fn suites(ask: &Ask<'_>) -> Outcome<Answer> {
    let now = ask.site.harness.clock().now().as_secs();
    let state = ask.site.state();
    let sha = around::commit(&state, ask.repo, ask.param("ref"))?;
    let mut runs = state.actions.all_of(ask.repo, &sha);
    runs.retain(|run| {
        ask.query("check_name").is_none_or(|name| run.jobs().iter().any(|job| job.name == name))
            && ask.query("app_id").is_none_or(|app| app == APP.to_string())
    });
    Ok(ask.counted("check_suites", &runs, |run| show_suite(ask.site, &state, run, now)))
}

/// `GET …/check-suites/{check_suite_id}`.
pub(super) fn suite(ask: &Ask<'_>) -> Outcome<Answer> {
    let now = ask.site.harness.clock().now().as_secs();
    let state = ask.site.state();
    let run = suite_run(&state, ask)?;
    Ok(Answer::json(show_suite(ask.site, &state, run, now)))
}

fn suite_run<'s>(state: &'s State, ask: &Ask<'_>) -> Outcome<&'s Run> {
    let id = ask.number("check_suite_id")?;
    let run = state.actions.runs.iter().find(|run| run.repo == ask.repo && run.suite == id);
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
        "pull_requests": around::pulls(site, state, run),
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
        "pull_requests": around::pulls(site, state, run),
        "app": app(site),
        "created_at": iso(run.created),
        "updated_at": iso(run.updated(now)),
        "rerequestable": true,
        "runs_rerequestable": false,
        "latest_check_runs_count": run.jobs().len(),
        "check_runs_url": format!("{url}/check-runs"),
        "head_commit": around::head_commit(state, run.repo, &run.sha),
        "repository": around::repository(site, state, run.repo),
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
