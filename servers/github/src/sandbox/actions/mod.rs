//! Workflows, runs, jobs, logs, checks, statuses.
//!
//! Nothing here has a status of its own: a job has a time at which it starts and one at which it ends, and
//! what it is follows from the fake's clock. Whoever moves the clock sees runs begin and end.

mod artifacts;
mod checks;
mod jobs;
mod logs;
mod lookups;
mod model;
mod runs;
mod seed;
mod statuses;
mod storage;
mod workflows;
mod zip;

use serde::Serialize;
use serde_json::Value;

use super::{
    Site, iso,
    route::{ANY, Route, read, route, write},
    state::State,
};

use self::{
    logs::Texts,
    model::{Job, Run, Status, Workflow},
};

pub(super) use self::storage::Storage;

pub(super) const ROUTES: &[Route] = &[
    route("GET /_github/storage", ANY, storage::requests),
    route("GET /repos/{owner}/{repo}/actions/workflows", read("actions"), workflows::list),
    route("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}", read("actions"), workflows::get),
    route(
        "PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable",
        write("actions"),
        workflows::enable,
    ),
    route(
        "PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/disable",
        write("actions"),
        workflows::disable,
    ),
    route(
        "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
        write("actions"),
        workflows::dispatch,
    ),
    route("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs", read("actions"), runs::list),
    route("GET /repos/{owner}/{repo}/actions/runs", read("actions"), runs::list),
    route("GET /repos/{owner}/{repo}/actions/runs/{run_id}", read("actions"), runs::get),
    route(
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
        read("actions"),
        runs::get,
    ),
    route(
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
        read("actions"),
        jobs::of_attempt,
    ),
    route("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", read("actions"), jobs::of_run),
    route("GET /repos/{owner}/{repo}/actions/runs/{run_id}/logs", read("actions"), logs::of_run),
    route("GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", read("actions"), artifacts::list),
    route("POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun", write("actions"), runs::rerun),
    route(
        "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs",
        write("actions"),
        runs::rerun_failed,
    ),
    route("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", write("actions"), runs::cancel),
    route("GET /repos/{owner}/{repo}/actions/jobs/{job_id}", read("actions"), jobs::get),
    route("GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs", read("actions"), logs::of_job),
    route("POST /repos/{owner}/{repo}/actions/jobs/{job_id}/rerun", write("actions"), runs::rerun_job),
    route("GET /repos/{owner}/{repo}/actions/artifacts", read("actions"), artifacts::list),
    route(
        "GET /repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}",
        read("actions"),
        artifacts::download,
    ),
    route("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", read("checks"), checks::of_commit),
    route("GET /repos/{owner}/{repo}/commits/{ref}/check-suites", read("checks"), checks::suites),
    route(
        "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
        read("checks"),
        checks::annotations,
    ),
    route(
        "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs",
        read("checks"),
        checks::of_suite,
    ),
    route("GET /repos/{owner}/{repo}/commits/{ref}/status", read("statuses"), statuses::combined),
    route("GET /repos/{owner}/{repo}/commits/{ref}/statuses", read("statuses"), statuses::list),
    route("POST /repos/{owner}/{repo}/statuses/{sha}", write("statuses"), statuses::create),
];

/// Workflows, runs, statuses.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Actions {
    workflows: Vec<Workflow>,
    runs: Vec<Run>,
    statuses: Vec<Status>,
    /// Runs as the seed has them, which begin when the fake does.
    #[serde(skip)]
    beginning: Vec<Value>,
    /// What jobs write; it never changes.
    #[serde(skip)]
    texts: Texts,
}

/// What kind of check it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckKind {
    /// A check run: here always a job of a workflow.
    CheckRun,
    /// A commit status, by its context.
    Status,
}

/// A check of a commit, for the rollup of a pull request.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) kind: CheckKind,
    /// The check run's name, or the status's context.
    pub(super) name: String,
    /// Of a check run: `queued`, `in_progress`, `completed`. Of a status: `completed`, or `in_progress` while
    /// it is pending.
    pub(super) status: &'static str,
    /// `success`, `failure`, `cancelled`, `skipped`; of a status also `error`. None before the end.
    pub(super) conclusion: Option<String>,
    /// The check run's id (which is the job's), or the status's.
    pub(super) id: u64,
    pub(super) description: Option<String>,
    /// As GitHub writes times.
    pub(super) started: Option<String>,
    pub(super) completed: Option<String>,
    /// The run and its check suite; none for a status.
    pub(super) run: Option<u64>,
    pub(super) suite: Option<u64>,
}

/// The checks of a commit as they are now: jobs of each run's latest attempt, of each workflow and event only
/// the newest run, and the newest status of each context. `site` is asked for the time only.
pub(super) fn checks_of(site: &Site, state: &State, repo: u64, sha: &str) -> Vec<Check> {
    let now = site.harness.clock().now().as_secs();
    let actions = &state.actions;
    let mut checks = Vec::new();
    for run in actions.newest_of(repo, sha) {
        for job in run.jobs().iter().filter(|job| job.created <= now) {
            let (status, conclusion) = job.state(now);
            checks.push(Check {
                kind: CheckKind::CheckRun,
                name: job.name.clone(),
                status,
                conclusion: conclusion.map(str::to_owned),
                id: job.id,
                description: None,
                started: (job.starts <= now).then(|| iso(job.starts)),
                completed: (job.ends() <= now).then(|| iso(job.ends())),
                run: Some(run.id),
                suite: Some(run.suite),
            });
        }
    }
    for status in actions.latest_statuses(repo, sha) {
        let pending = status.state == "pending";
        checks.push(Check {
            kind: CheckKind::Status,
            name: status.context.clone(),
            status: if pending { "in_progress" } else { "completed" },
            conclusion: (!pending).then(|| status.state.clone()),
            id: status.id,
            description: status.description.clone(),
            started: Some(status.created.clone()),
            completed: (!pending).then(|| status.created.clone()),
            run: None,
            suite: None,
        });
    }
    checks
}

/// Starts the workflows of a repository that wait for an event (`push`, `pull_request`) on a branch.
#[allow(clippy::too_many_arguments, reason = "what a run is of")]
pub(super) fn happened(
    site: &Site,
    state: &mut State,
    repo: u64,
    event: &str,
    branch: &str,
    sha: &str,
    title: &str,
    actor: &str,
) {
    let now = site.harness.clock().now().as_secs();
    let waits = |workflow: &&Workflow| workflow.repo == repo && workflow.waits_for(event, branch);
    let workflows: Vec<_> = state.actions.workflows.iter().filter(waits).cloned().collect();
    for workflow in workflows {
        workflows::start(state, &workflow, event, branch, sha, title, actor, now);
    }
}

impl Actions {
    /// A workflow of a repository, by its id or the file's name.
    fn workflow(&self, repo: u64, named: &str) -> Option<&Workflow> {
        let id = named.parse::<u64>().ok();
        let fits = |workflow: &&Workflow| Some(workflow.id) == id || workflow.file == named;
        self.workflows.iter().filter(|workflow| workflow.repo == repo).find(fits)
    }

    fn run(&self, repo: u64, id: u64) -> Option<&Run> {
        self.runs.iter().find(|run| run.repo == repo && run.id == id)
    }

    fn run_mut(&mut self, repo: u64, id: u64) -> Option<&mut Run> {
        self.runs.iter_mut().find(|run| run.repo == repo && run.id == id)
    }

    /// A job of any attempt, and its run.
    fn job(&self, repo: u64, id: u64) -> Option<(&Run, &Job)> {
        let mut runs = self.runs.iter().filter(|run| run.repo == repo);
        runs.find_map(|run| {
            let mut jobs = run.attempts.iter().flat_map(|attempt| &attempt.jobs);
            Some((run, jobs.find(|job| job.id == id)?))
        })
    }

    /// The runs of a commit.
    fn all_of(&self, repo: u64, sha: &str) -> Vec<&Run> {
        self.runs.iter().filter(|run| run.repo == repo && run.sha == sha).collect()
    }

    /// The runs of a commit that count for it: of each workflow and event the newest.
    fn newest_of(&self, repo: u64, sha: &str) -> Vec<&Run> {
        let mut newest: Vec<&Run> = Vec::new();
        for run in self.all_of(repo, sha) {
            match newest.iter_mut().find(|kept| kept.workflow == run.workflow && kept.event == run.event) {
                Some(kept) if kept.created <= run.created => *kept = run,
                Some(_) => {}
                None => newest.push(run),
            }
        }
        newest
    }

    /// The newest status of each context of a commit.
    fn latest_statuses(&self, repo: u64, sha: &str) -> Vec<&Status> {
        let mut latest: Vec<&Status> = Vec::new();
        for status in self.statuses.iter().filter(|status| status.repo == repo && status.sha == sha) {
            match latest.iter_mut().find(|kept| kept.context == status.context) {
                Some(kept) => *kept = status,
                None => latest.push(status),
            }
        }
        latest
    }
}
