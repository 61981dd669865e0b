//! Workflows, their runs, jobs and logs.

use std::time::Duration;

use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    upstream::{Replay, Request},
};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Api, Listed, Operation, SELDOM, Target, route};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// The longest log that is read. Longer ones are better downloaded by a person.
pub(crate) const MOST_LOG: usize = 32 * 1024 * 1024;
/// How long reading a log may take.
const LOG_TIMEOUT: Duration = Duration::from_secs(25);
/// How long a run is kept before it is asked for again: less than the pause between two looks at it.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// No tags besides the repository's own.
const NONE: [&str; 0] = [];

/// A workflow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Workflow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `.github/workflows/ci.yml`.
    pub(crate) path: String,
    /// `active`, or how it was disabled.
    pub(crate) state: String,
}

impl Workflow {
    /// The name of its file: `ci.yml`.
    pub(crate) fn file(&self) -> &str {
        file_name(&self.path)
    }
}

/// The last part of a path, without a `@ref` after it.
pub(crate) fn file_name(path: &str) -> &str {
    let path = path.split('@').next().unwrap_or(path);
    path.rsplit('/').next().unwrap_or(path)
}

/// A person or a bot.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Actor {
    pub(crate) login: String,
}

/// A pull request that a run is for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PullRef {
    pub(crate) number: String,
}

/// One run of a workflow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    pub(crate) id: String,
    /// The workflow's name.
    pub(crate) name: String,
    /// What it is about: a commit's first line, or what the workflow's author chose.
    pub(crate) display_title: String,
    pub(crate) head_branch: String,
    pub(crate) head_sha: String,
    pub(crate) run_attempt: Option<f64>,
    pub(crate) event: String,
    /// `queued`, `in_progress`, `completed` or another.
    pub(crate) status: String,
    /// How it ended; empty until it has.
    pub(crate) conclusion: String,
    pub(crate) html_url: String,
    pub(crate) created_at: String,
    pub(crate) run_started_at: String,
    pub(crate) updated_at: String,
    /// Who caused this attempt.
    triggering_actor: Actor,
    /// Who caused the first one.
    actor: Actor,
    pub(crate) pull_requests: Vec<PullRef>,
}

impl Run {
    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.status == "completed"
    }

    /// Which attempt it is, from one.
    pub(crate) fn attempt(&self) -> u64 {
        whole(self.run_attempt).max(1)
    }

    /// The login of whoever caused it.
    pub(crate) fn by(&self) -> &str {
        let who = &self.actor.login;
        if who.is_empty() { &self.triggering_actor.login } else { who }
    }

    /// The login of whoever ran it again, if that was somebody else.
    pub(crate) fn rerun_by(&self) -> Option<&str> {
        let who = self.triggering_actor.login.as_str();
        (!who.is_empty() && who != self.by()).then_some(who)
    }
}

/// One job of a run.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) run_id: String,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: String,
    pub(crate) started_at: String,
    pub(crate) completed_at: String,
    pub(crate) html_url: String,
    check_run_url: String,
    pub(crate) steps: Vec<Step>,
}

impl Job {
    /// Whether it ended badly.
    pub(crate) fn failed(&self) -> bool {
        is_failure(&self.conclusion)
    }

    /// The first step that ended badly.
    pub(crate) fn failed_step(&self) -> Option<&Step> {
        self.steps.iter().find(|step| is_failure(&step.conclusion))
    }

    /// The id of its check run, which is its own on all GitHubs that we know; the address is the one place
    /// that tells.
    fn check_run(&self) -> &str {
        let last = self.check_run_url.rsplit('/').next().unwrap_or_default();
        if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) { last } else { &self.id }
    }
}

/// Whether a conclusion is a bad one.
pub(crate) fn is_failure(conclusion: &str) -> bool {
    matches!(conclusion, "failure" | "timed_out" | "startup_failure")
}

/// One step of a job.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) number: String,
    pub(crate) status: String,
    pub(crate) conclusion: String,
    pub(crate) started_at: String,
    pub(crate) completed_at: String,
}

/// What a job had to say of a line of code, or of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Annotation {
    pub(crate) path: String,
    pub(crate) start_line: String,
    /// `notice`, `warning` or `failure`.
    pub(crate) annotation_level: String,
    pub(crate) message: String,
}

/// A file that a run left.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Artifact {
    pub(crate) id: String,
    pub(crate) name: String,
    size_in_bytes: Option<f64>,
    pub(crate) expired: bool,
    pub(crate) expires_at: String,
}

impl Artifact {
    pub(crate) fn bytes(&self) -> u64 {
        whole(self.size_in_bytes)
    }
}

fn whole(number: Option<f64>) -> u64 {
    number.filter(|number| *number >= 0.0).map_or(0, |number| number as u64)
}

/// Which runs are meant; empty texts for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunFilter {
    /// Id or file name.
    pub(crate) workflow: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) event: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) head_sha: Option<String>,
}

/// What is done to a run that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    All,
    Failed,
}

impl Api {
    /// The workflows of a repository.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn workflows(
        &self,
        repo: &Repo,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Workflow>> {
        let request = route("GET /repos/{owner}/{repo}/actions/workflows", &[&repo.owner, &repo.name])
            .cache(SELDOM, NONE);
        self.list(Target::Repo(repo), request, Some("workflows"), per_page, after).await
    }

    /// One workflow, by its id or file name.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn workflow(&self, repo: &Repo, workflow: &str) -> Result<Workflow> {
        self.json(Target::Repo(repo), of_workflow(repo, workflow).cache(SELDOM, NONE)).await
    }

    /// The same as it is now, from no cache.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn workflow_now(&self, repo: &Repo, workflow: &str) -> Result<Workflow> {
        self.json(Target::Repo(repo), of_workflow(repo, workflow)).await
    }

    /// Turns a workflow on or off.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn switch_workflow(&self, repo: &Repo, workflow: &Workflow, on: bool) -> Result<()> {
        let template = if on {
            "PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/enable"
        } else {
            "PUT /repos/{owner}/{repo}/actions/workflows/{workflow_id}/disable"
        };
        let request = route(template, &[&repo.owner, &repo.name, &workflow.id])
            .any_body()
            .replay(Replay::Idempotent)
            .check("Check with list_runs (kind workflows) how it stands");
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// A file's text at `at`; nothing where there is none.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn workflow_file(&self, repo: &Repo, path: &str, at: &str) -> Result<Option<String>> {
        let request = route("GET /repos/{owner}/{repo}/contents/{path}", &[&repo.owner, &repo.name, path])
            .query("ref", at)
            .header(header::ACCEPT, HeaderValue::from_static("application/vnd.github.raw+json"))
            .any_body();
        match self.send(Target::Repo(repo), request).await {
            Ok(response) => Ok(Some(String::from_utf8_lossy(&response.body).into_owned())),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn runs(
        &self,
        repo: &Repo,
        filter: &RunFilter,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Run>> {
        let mut request = match &filter.workflow {
            Some(workflow) => route(
                "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
                &[&repo.owner, &repo.name, workflow],
            ),
            None => route("GET /repos/{owner}/{repo}/actions/runs", &[&repo.owner, &repo.name]),
        };
        for (name, value) in [
            ("branch", &filter.branch),
            ("status", &filter.status),
            ("event", &filter.event),
            ("actor", &filter.actor),
            ("head_sha", &filter.head_sha),
        ] {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        self.list(Target::Repo(repo), request.cache(FRESH, NONE), Some("workflow_runs"), per_page, after)
            .await
    }

    /// One run, by its last attempt or the one that is given.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn run_of(&self, repo: &Repo, id: u64, attempt: Option<u64>) -> Result<Run> {
        let request = match attempt {
            None => self.of_run("GET /repos/{owner}/{repo}/actions/runs/{run_id}", repo, id),
            Some(attempt) => route(
                "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}",
                &[&repo.owner, &repo.name, &id.to_string(), &attempt.to_string()],
            ),
        };
        self.json(Target::Repo(repo), request.cache(FRESH, NONE)).await
    }

    /// A page of a run's jobs, of its last attempt or the one that is given.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn jobs(
        &self,
        repo: &Repo,
        run: u64,
        attempt: Option<u64>,
        after: Option<&str>,
    ) -> Result<Listed<Job>> {
        let request = match attempt {
            None => self.of_run("GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs", repo, run),
            Some(attempt) => route(
                "GET /repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs",
                &[&repo.owner, &repo.name, &run.to_string(), &attempt.to_string()],
            ),
        };
        self.list(Target::Repo(repo), request.cache(FRESH, NONE), Some("jobs"), 100, after).await
    }

    /// One job.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn job(&self, repo: &Repo, id: u64) -> Result<Job> {
        let request = route(
            "GET /repos/{owner}/{repo}/actions/jobs/{job_id}",
            &[&repo.owner, &repo.name, &id.to_string()],
        );
        self.json(Target::Repo(repo), request.cache(FRESH, NONE)).await
    }

    /// What a job had to say of lines of code.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn annotations(
        &self,
        repo: &Repo,
        job: &Job,
        per_page: u32,
    ) -> Result<Listed<Annotation>> {
        let request = route(
            "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations",
            &[&repo.owner, &repo.name, job.check_run()],
        );
        self.list(Target::Repo(repo), request, None, per_page, None).await
    }

    /// The files that a run left, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn artifacts(&self, repo: &Repo, run: u64) -> Result<Listed<Artifact>> {
        let request = self.of_run("GET /repos/{owner}/{repo}/actions/runs/{run_id}/artifacts", repo, run);
        self.list(Target::Repo(repo), request, Some("artifacts"), 100, None).await
    }

    /// A job's log. It lies at a storage service to which GitHub redirects; the token stays behind.
    ///
    /// # Errors
    /// `not_found` if GitHub has it no more, or not yet; `upstream` if it is longer than [`MOST_LOG`].
    pub(crate) async fn job_log(&self, repo: &Repo, job: &Job) -> Result<Bytes> {
        let request = route(
            "GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs",
            &[&repo.owner, &repo.name, &job.id],
        )
        .any_body()
        .elsewhere()
        .max_body(MOST_LOG)
        .attempt_timeout(LOG_TIMEOUT);
        let name = &job.id;
        match self.send(Target::Repo(repo), request).await {
            Ok(response) => Ok(response.body),
            Err(error) if error.kind() == Kind::NotFound => Err(Error::not_found(format!(
                "The log of job {name} is not there: GitHub deletes logs after the repository's retention period (90 days by default), and a job has none while it runs"
            ))
            .with_hint("get_run with include annotations tells what failed; run_workflow rerun makes a new log")),
            // The pipeline's own word for a body that was too long.
            Err(error) if error.message().contains("is longer than") => Err(Error::new(
                Kind::Upstream,
                format!("The log of job {name} is longer than {} MB and was not read", MOST_LOG / 1024 / 1024),
            )
            .with_hint(format!(
                "get_run with include annotations tells what failed; a person can download it at {}",
                job.html_url
            ))),
            Err(error) => Err(error),
        }
    }

    /// Starts a workflow; the id of its run where GitHub tells it.
    ///
    /// # Errors
    /// As [`Api::send`]. Never repeated: a second request would be a second run.
    pub(crate) async fn dispatch(
        &self,
        repo: &Repo,
        workflow: &Workflow,
        at: &str,
        inputs: &Map<String, Value>,
    ) -> Result<Option<String>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Dispatched {
            workflow_run_id: String,
        }
        let mut body = json!({"ref": at});
        if !inputs.is_empty() {
            body["inputs"] = Value::Object(inputs.clone());
        }
        let request = route(
            "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
            &[&repo.owner, &repo.name, &workflow.id],
        )
        .check(format!(
            "Check with list_runs (workflow {}, event workflow_dispatch) whether a run began",
            workflow.file()
        ))
        .json(&body)?;
        let response = self.send(Target::Repo(repo), request).await?;
        // Older servers answer 204 with nothing (docs.github.com, "Breaking changes", 2026-03-10).
        let begun: Dispatched = response.json().unwrap_or_default();
        Ok(Some(begun.workflow_run_id).filter(|id| !id.is_empty()))
    }

    /// Runs a run again.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn rerun(&self, repo: &Repo, run: u64, which: Again) -> Result<()> {
        let template = match which {
            Again::All => "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun",
            Again::Failed => "POST /repos/{owner}/{repo}/actions/runs/{run_id}/rerun-failed-jobs",
        };
        let request = self
            .of_run(template, repo, run)
            .any_body()
            .check(format!("Check with get_run whether run {run} has a new attempt"));
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// Stops a run.
    ///
    /// # Errors
    /// As [`Api::send`]; `conflict` if it has ended.
    pub(crate) async fn cancel(&self, repo: &Repo, run: u64) -> Result<()> {
        let request = self
            .of_run("POST /repos/{owner}/{repo}/actions/runs/{run_id}/cancel", repo, run)
            .any_body()
            // What is being cancelled is only cancelled once.
            .replay(Replay::Idempotent);
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    fn of_run(&self, template: &'static str, repo: &Repo, run: u64) -> Request {
        route(template, &[&repo.owner, &repo.name, &run.to_string()])
    }

    /// The full id of a commit that is named by the beginning of it, a branch or a tag.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn full_sha(&self, repo: &Repo, name: &str) -> Result<String> {
        let request = route("GET /repos/{owner}/{repo}/commits/{ref}", &[&repo.owner, &repo.name, name])
            .header(header::ACCEPT, HeaderValue::from_static("application/vnd.github.sha"))
            .any_body();
        let response = self.send(Target::Repo(repo), request).await?;
        Ok(String::from_utf8_lossy(&response.body).trim().to_owned())
    }
}

/// A request for one workflow, by its id or file name.
fn of_workflow(repo: &Repo, workflow: &str) -> Request {
    route("GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}", &[&repo.owner, &repo.name, workflow])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_jobs_are_read_though_fields_are_missing() {
        let run: Run = connector::tolerant::from_value(serde_json::json!({"id": 90043, "status": "completed", "conclusion": null, "actor": {"login": "tomas"},
                "triggering_actor": null, "run_attempt": 2, "pull_requests": null}))
        .unwrap();
        assert_eq!((run.id.as_str(), run.by(), run.attempt(), run.is_over()), ("90043", "tomas", 2, true));
        let job: Job = connector::tolerant::from_value(serde_json::json!({"id": 910433, "check_run_url": "https://api.github.com/repos/o/r/check-runs/77", "conclusion": "failure",
                "steps": [{"name": "a", "conclusion": "success"}, {"name": "b", "number": 2, "conclusion": "failure"}]}))
        .unwrap();
        assert_eq!((job.check_run(), job.failed_step().unwrap().number.as_str()), ("77", "2"));
        assert_eq!(file_name(".github/workflows/ci.yml@refs/heads/main"), "ci.yml");
    }
}
