//! Jobs and their steps.

use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    iso,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::model::{Job, Run};

/// `GET …/actions/runs/{run_id}/jobs`, with `filter` `latest` or `all`.
pub(super) fn of_run(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let run = state.actions.run(cx.target, cx.number("run_id")?).ok_or_else(ApiError::not_found)?;
    let mut jobs: Vec<&Job> = if cx.query("filter") == Some("all") {
        run.attempts.iter().flat_map(|attempt| &attempt.jobs).collect()
    } else {
        run.jobs().iter().collect()
    };
    // What was not run again is in both attempts.
    jobs.dedup_by_key(|job| job.id);
    let mut seen = std::collections::BTreeSet::new();
    jobs.retain(|job| seen.insert(job.id));
    Ok(cx.counted("jobs", &jobs, |job| show(cx.site, &state, run, job, now)))
}

/// `GET …/actions/runs/{run_id}/attempts/{attempt_number}/jobs`.
pub(super) fn of_attempt(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let run = state.actions.run(cx.target, cx.number("run_id")?).ok_or_else(ApiError::not_found)?;
    let index = cx.number("attempt_number")?.checked_sub(1).and_then(|index| usize::try_from(index).ok());
    let attempt = index.and_then(|index| run.attempts.get(index)).ok_or_else(ApiError::not_found)?;
    Ok(cx.counted("jobs", &attempt.jobs, |job| show(cx.site, &state, run, job, now)))
}

/// `GET …/actions/jobs/{job_id}`.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let found = state.actions.job(cx.target, cx.number("job_id")?);
    let (run, job) = found.ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(show(cx.site, &state, run, job, now)))
}

/// A job with its steps.
fn show(site: &Site, state: &State, run: &Run, job: &Job, now: u64) -> Value {
    let Some(repo) = state.repos.get(run.repo) else { return Value::Null };
    let full_name = format!("{}/{}", repo.owner, repo.name);
    let api = |rest: &str| site.url(&format!("repos/{full_name}/{rest}"));
    let workflow = state.actions.workflows.iter().find(|workflow| workflow.id == run.workflow);
    let (status, conclusion) = job.state(now);
    let waits = status == "queued";
    let steps: Vec<_> = (1..)
        .zip(&job.steps)
        .filter(|_| !waits)
        .map(|(number, step)| {
            let (status, conclusion) = step.state(now);
            json!({
                "name": step.name,
                "status": status,
                "conclusion": conclusion,
                "number": number,
                "started_at": (step.starts <= now).then(|| iso(step.starts)),
                "completed_at": (step.ends <= now).then(|| iso(step.ends)),
            })
        })
        .collect();
    json!({
        "id": job.id,
        "run_id": run.id,
        "workflow_name": workflow.map(|workflow| &workflow.name),
        "head_branch": run.branch,
        "run_url": api(&format!("actions/runs/{}", run.id)),
        "run_attempt": job.attempt,
        "node_id": node_id("CR", job.id),
        "head_sha": run.sha,
        "url": api(&format!("actions/jobs/{}", job.id)),
        "html_url": format!("https://github.com/{full_name}/actions/runs/{}/job/{}", run.id, job.id),
        "status": status,
        "conclusion": conclusion,
        "created_at": iso(job.created),
        // A job that waits has the time at which it was made here.
        "started_at": iso(if waits { job.created } else { job.starts }),
        "completed_at": (status == "completed").then(|| iso(job.ends())),
        "name": job.name,
        "steps": steps,
        "check_run_url": api(&format!("check-runs/{}", job.id)),
        "labels": ["ubuntu-latest"],
        "runner_id": (!waits).then_some(12),
        "runner_name": (!waits).then_some("GitHub Actions 12"),
        "runner_group_id": (!waits).then_some(0),
        "runner_group_name": (!waits).then_some("GitHub Actions"),
    })
}
