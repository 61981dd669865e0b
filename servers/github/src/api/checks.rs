//! What is checked of a commit: check runs and commit statuses, as GraphQL rolls them up.

use connector::{
    Result,
    upstream::{Connection, PageInfo},
};
use serde::Deserialize;

use super::{
    Api, Target,
    actions::{FRESH, Run},
    repos::NONE,
    route,
};
use crate::repo::Repo;

/// Checks that a listing reads of each pull request.
const LISTED: f64 = 30.0;

impl Api {
    /// The newest commit status of each context.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn commit_statuses(&self, repo: &Repo, sha: &str) -> Result<Vec<Check>> {
        let request =
            route("GET /repos/{owner}/{repo}/commits/{ref}/status", &[&repo.owner, &repo.name, sha]);
        let request = request.cache(FRESH, NONE);
        Ok(self.list(Target::Repo(repo), request, Some("statuses"), 100, None).await?.items)
    }
}

/// That checks could not be read, and why.
#[derive(Clone, Debug)]
pub(crate) struct ChecksUnread {
    /// The token may not.
    pub(crate) refused: bool,
    pub(crate) why: String,
}

/// The checks and statuses of a commit.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rollup {
    contexts: Contexts,
}

impl Rollup {
    /// The checks, as many as were asked for.
    pub(crate) fn checks(&self) -> Connection<Check> {
        let Contexts { nodes, page_info, total_count, .. } = self.contexts.clone();
        Connection { nodes, page_info, total_count }
    }

    /// What they come to: all of them where GitHub counts them, or else those that were read.
    pub(crate) fn tally(&self) -> Tally {
        let Contexts { nodes, check_run_counts_by_state, status_context_counts_by_state, .. } =
            &self.contexts;
        let (mut read, mut counted) = (Tally::default(), Tally::default());
        for check in nodes {
            read.add(check.verdict(), 1);
        }
        for state in check_run_counts_by_state.iter().chain(status_context_counts_by_state) {
            counted.add(verdict(&state.state), state.count);
        }
        // Where the token may not see the checks, no number is theirs.
        if read.all() > 0 && counted.all() > read.all() { counted } else { read }
    }

    /// Whether entries are missing: GitHub puts null for each that a token may not read.
    pub(crate) fn has_holes(&self) -> bool {
        let Contexts { nodes, page_info, total_count, .. } = &self.contexts;
        !page_info.has_next_page && (nodes.len() as f64) < total_count.unwrap_or(1.0).min(LISTED)
    }

    /// What else is known of the commit, in the place of what could not be read.
    pub(crate) fn learn(&mut self, checks: Vec<Check>) {
        let Contexts { nodes, total_count, .. } = &mut self.contexts;
        nodes.extend(checks);
        *total_count = Some(nodes.len() as f64);
    }
}

/// A page of checks and statuses, and how many there are in each state, on all pages together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Contexts {
    nodes: Vec<Check>,
    page_info: PageInfo,
    total_count: Option<f64>,
    check_run_counts_by_state: Vec<StateCount>,
    status_context_counts_by_state: Vec<StateCount>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct StateCount {
    state: String,
    count: u64,
}

/// How many checks come to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) running: u64,
}

impl Tally {
    /// How many there are.
    pub(crate) fn all(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.running)
    }

    fn add(&mut self, verdict: Verdict, count: u64) {
        let of = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Running => &mut self.running,
        };
        *of = of.saturating_add(count);
    }
}

/// A check run, or a status of the older kind.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Check {
    /// Of a check run; for GitHub Actions also the job's id.
    pub(crate) database_id: String,
    #[serde(alias = "context")]
    pub(crate) name: String,
    status: String,
    conclusion: String,
    /// Of a status.
    state: String,
    pub(crate) started_at: String,
    pub(crate) completed_at: String,
    #[serde(alias = "description")]
    pub(crate) title: String,
    pub(crate) is_required: bool,
    check_suite: Option<Suite>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Suite {
    workflow_run: Option<WorkflowRun>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WorkflowRun {
    database_id: String,
}

/// What a check comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It failed, or wants somebody to act.
    Failed,
    /// It is not finished.
    Running,
    /// It passed, or had nothing to do.
    Passed,
}

impl Check {
    /// A run of a workflow, in the place of the check runs of its jobs.
    pub(crate) fn of_run(run: Run) -> Self {
        Self {
            completed_at: if run.is_over() { run.updated_at } else { String::new() },
            name: run.name,
            status: run.status,
            conclusion: run.conclusion,
            started_at: run.run_started_at,
            check_suite: Some(Suite { workflow_run: Some(WorkflowRun { database_id: run.id }) }),
            ..Self::default()
        }
    }

    /// Whether it is a commit status, not a check run.
    pub(crate) fn is_status(&self) -> bool {
        !self.state.is_empty()
    }

    /// What it comes to.
    pub(crate) fn verdict(&self) -> Verdict {
        verdict(&self.word())
    }

    /// Its outcome, or how far it is, in a word.
    pub(crate) fn word(&self) -> String {
        let word = [&self.conclusion, &self.state, &self.status].into_iter().find(|word| !word.is_empty());
        word.map_or_else(|| "pending".to_owned(), |word| word.to_lowercase().replace('_', " "))
    }

    /// The run of GitHub Actions that it belongs to.
    pub(crate) fn run_id(&self) -> Option<&str> {
        let run = self.check_suite.as_ref()?.workflow_run.as_ref()?;
        Some(run.database_id.as_str()).filter(|id| !id.is_empty())
    }
}

/// What an outcome or a state comes to. What is skipped or neutral passes, as GitHub counts it
/// (docs.github.com, "About status checks").
fn verdict(word: &str) -> Verdict {
    match word.to_lowercase().replace('_', " ").as_str() {
        "success" | "neutral" | "skipped" => Verdict::Passed,
        "queued" | "in progress" | "waiting" | "requested" | "pending" | "expected" => Verdict::Running,
        _ => Verdict::Failed,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_check_passes_runs_or_fails() {
        let verdict = |value: Value| connector::tolerant::from_value::<Check>(value).unwrap().verdict();
        assert_eq!(verdict(json!({"status": "COMPLETED", "conclusion": "SKIPPED"})), Verdict::Passed);
        assert_eq!(verdict(json!({"status": "IN_PROGRESS", "conclusion": null})), Verdict::Running);
        assert_eq!(verdict(json!({"status": "COMPLETED", "conclusion": "TIMED_OUT"})), Verdict::Failed);
        assert_eq!(verdict(json!({"context": "ci", "state": "EXPECTED"})), Verdict::Running);
        assert_eq!(verdict(json!({"context": "ci", "state": "ERROR"})), Verdict::Failed);
    }
}
