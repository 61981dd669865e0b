//! Workflow runs: listed, shown, run again, stopped.

use http::StatusCode;
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
    model::{Attempt, Job, Run},
};

/// `GET …/actions/runs` and `GET …/actions/workflows/{workflow_id}/runs`.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let of = match cx.variable("workflow_id") {
        "" => None,
        named => Some(state.actions.workflow(cx.target, named).ok_or_else(ApiError::not_found)?.id),
    };
    let suite = cx.query("check_suite_id").and_then(|id| id.parse::<u64>().ok());
    let fits = |run: &&Run| {
        let is = |name: &str, value: &str| cx.query(name).is_none_or(|wanted| wanted == value);
        run.repo == cx.target
            && of.is_none_or(|id| run.workflow == id)
            && suite.is_none_or(|id| run.suite == id)
            && cx.query("actor").is_none_or(|login| login.eq_ignore_ascii_case(&run.actor))
            && is("branch", &run.branch)
            && is("event", &run.event)
            && is("head_sha", &run.sha)
            && cx.query("created").is_none_or(|range| within(range, &iso(run.created)))
            && cx.query("status").is_none_or(|wanted| {
                let (status, conclusion) = run.latest(now);
                wanted == status || conclusion == Some(wanted)
            })
    };
    let mut runs: Vec<_> = state.actions.runs.iter().filter(fits).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.created, run.id)));
    Ok(cx.counted("workflow_runs", &runs, |run| show(cx, &state, run, run.attempts.len(), now)))
}

/// `GET …/actions/runs/{run_id}` and `GET …/actions/runs/{run_id}/attempts/{attempt_number}`.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let run = state.actions.run(cx.target, cx.number("run_id")?).ok_or_else(ApiError::not_found)?;
    let attempt = match cx.variable("attempt_number") {
        "" => run.attempts.len(),
        number => number.parse().map_err(|_| ApiError::not_found())?,
    };
    if attempt == 0 || attempt > run.attempts.len() {
        return Err(ApiError::not_found());
    }
    Ok(FakeResponse::json(show(cx, &state, run, attempt, now)))
}

/// What is to be run again.
#[derive(Clone, Copy, PartialEq)]
enum Again {
    All,
    Failed,
    One(u64),
}

/// `POST …/actions/runs/{run_id}/rerun`.
pub(super) fn rerun(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    again(cx, cx.number("run_id")?, Again::All)
}

/// `POST …/actions/runs/{run_id}/rerun-failed-jobs`.
pub(super) fn rerun_failed(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    again(cx, cx.number("run_id")?, Again::Failed)
}

/// `POST …/actions/jobs/{job_id}/rerun`.
pub(super) fn rerun_job(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let job = cx.number("job_id")?;
    let run = cx.site.state().actions.job(cx.target, job).map(|(run, _)| run.id);
    again(cx, run.ok_or_else(ApiError::not_found)?, Again::One(job))
}

/// A run's age at which it cannot be run again (docs.github.com, "Re-running workflows and jobs": 30 days).
const TOO_OLD: u64 = 30 * 24 * 3600;

fn again(cx: &RequestContext<'_>, id: u64, what: Again) -> Outcome<FakeResponse> {
    cx.object()?;
    let now = cx.site.harness.clock().now().as_secs();
    let mut state = cx.site.state();
    let state = &mut *state;
    let run = state.actions.run(cx.target, id).ok_or_else(ApiError::not_found)?;
    if run.latest(now).0 != "completed" {
        return Err(ApiError::forbidden("This workflow is already running"));
    }
    if run.created + TOO_OLD < now {
        let message = "Unable to retry this workflow run because it was created over a month ago";
        return Err(ApiError::forbidden(message));
    }
    let repeats = |job: &Job| match what {
        Again::All => true,
        Again::Failed => job.conclusion != "success",
        Again::One(id) => job.id == id,
    };
    let before = run.jobs().to_vec();
    if !before.iter().any(repeats) {
        return Err(ApiError::forbidden("This workflow run cannot be retried"));
    }
    let plan = state.actions.workflows.iter().find(|workflow| workflow.id == run.workflow);
    let plan = plan.map(|workflow| workflow.plan.clone()).unwrap_or_default();
    let attempt = run.attempts.len() as u64 + 1;
    let mut jobs = Vec::new();
    for job in before {
        match plan.iter().find(|planned| planned.name == job.name) {
            Some(planned) if repeats(&job) => {
                let failing = job.failing.filter(|failing| failing.again);
                jobs.push(Job::new(planned, state.next_id(), attempt, now, failing));
            }
            _ => jobs.push(job),
        }
    }
    if let Some(run) = state.actions.run_mut(cx.target, id) {
        run.attempts.push(Attempt { actor: cx.caller.login().to_owned(), started: now, jobs });
    }
    Ok(FakeResponse::created(json!({})))
}

/// `POST …/actions/runs/{run_id}/cancel` and `…/force-cancel`.
pub(super) fn cancel(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let mut state = cx.site.state();
    let run = state.actions.run_mut(cx.target, cx.number("run_id")?).ok_or_else(ApiError::not_found)?;
    if run.latest(now).0 == "completed" {
        return Err(ApiError::conflict("Cannot cancel a workflow run that is completed."));
    }
    for job in run.attempts.last_mut().into_iter().flat_map(|attempt| &mut attempt.jobs) {
        job.cancel(now);
    }
    Ok(FakeResponse::json(json!({})).with_status(StatusCode::ACCEPTED))
}

/// A run as of an attempt (from 1).
pub(super) fn show(cx: &RequestContext<'_>, state: &State, run: &Run, attempt: usize, now: u64) -> Value {
    let site: &Site = cx.site;
    let Some(repo) = state.repos.get(run.repo) else { return Value::Null };
    let full_name = format!("{}/{}", repo.owner, repo.name);
    let api = |rest: &str| site.url(&format!("repos/{full_name}/{rest}"));
    let url = api(&format!("actions/runs/{}", run.id));
    let html = format!("https://github.com/{full_name}/actions/runs/{}", run.id);
    let workflow = state.actions.workflows.iter().find(|workflow| workflow.id == run.workflow);
    let (status, conclusion) = run.state(attempt, now);
    let told = attempt.checked_sub(1).and_then(|index| run.attempts.get(index));
    let pulls = match cx.query("exclude_pull_requests") {
        Some("true") => Vec::new(),
        _ => lookups::pulls(site, state, run),
    };
    let repository = lookups::repository(site, state, run.repo);
    json!({
        "id": run.id,
        "name": workflow.map(|workflow| &workflow.name),
        "node_id": node_id("WFR", run.id),
        "head_branch": run.branch,
        "head_sha": run.sha,
        "path": workflow.map(super::model::Workflow::path).unwrap_or_default(),
        "display_title": run.title,
        "run_number": run.number,
        "event": run.event,
        "status": status,
        "conclusion": conclusion,
        "workflow_id": run.workflow,
        "check_suite_id": run.suite,
        "check_suite_node_id": node_id("CS", run.suite),
        "url": url,
        "html_url": html,
        "pull_requests": pulls,
        "created_at": iso(run.created),
        "updated_at": iso(run.updated(now)),
        "actor": state.accounts.simple(site, &run.actor),
        "run_attempt": attempt,
        "referenced_workflows": [],
        "run_started_at": iso(told.map_or(run.created, |attempt| attempt.started)),
        "triggering_actor": state.accounts.simple(site, told.map_or(&run.actor, |attempt| &attempt.actor)),
        "jobs_url": format!("{url}/jobs"),
        "logs_url": format!("{url}/logs"),
        "check_suite_url": api(&format!("check-suites/{}", run.suite)),
        "artifacts_url": format!("{url}/artifacts"),
        "cancel_url": format!("{url}/cancel"),
        "rerun_url": format!("{url}/rerun"),
        "previous_attempt_url": (attempt > 1).then(|| format!("{url}/attempts/{}", attempt - 1)),
        "workflow_url": api(&format!("actions/workflows/{}", run.workflow)),
        "head_commit": lookups::head_commit(state, run.repo, &run.sha),
        "repository": repository,
        "head_repository": repository,
    })
}

/// Whether a time is in a range as GitHub's search writes it: `2026-11-20`, `>=2026-11-20T10:00:00Z`,
/// `2026-11-01..2026-11-20`, `*..2026-11-20`.
fn within(range: &str, time: &str) -> bool {
    // A day is compared as a day.
    let side = |bound: &str| time.get(..bound.len().min(time.len())).unwrap_or(time).cmp(bound);
    if let Some((from, to)) = range.split_once("..") {
        return (from == "*" || side(from).is_ge()) && (to == "*" || side(to).is_le());
    }
    if let Some(bound) = range.strip_prefix(">=") {
        side(bound).is_ge()
    } else if let Some(bound) = range.strip_prefix("<=") {
        side(bound).is_le()
    } else if let Some(bound) = range.strip_prefix('>') {
        side(bound).is_gt()
    } else if let Some(bound) = range.strip_prefix('<') {
        side(bound).is_lt()
    } else {
        side(range).is_eq()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_time_are_read_as_the_search_reads_them() {
        let time = "2026-11-20T10:00:00Z";
        for range in [
            "2026-11-20",
            ">=2026-11-20",
            "<=2026-11-20",
            "2026-11-01..2026-11-20",
            "*..2026-12-01",
            ">2026-11-19",
            "<2026-11-20T10:00:01Z",
        ] {
            assert!(within(range, time), "{range}");
        }
        for range in ["2026-11-21", ">2026-11-20", "<2026-11-20", "2026-11-01..2026-11-19", "2026-11-21..*"] {
            assert!(!within(range, time), "{range}");
        }
    }
}
