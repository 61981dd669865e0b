//! Actions as the seed tells of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::{iso, part, state::State};

use super::{
    Actions,
    model::{Artifact, Attempt, Job, JobPlan, Run, Status, Workflow},
};

/// What is added to a run's id for that of its check suite.
const SUITES: u64 = 1_000_000;

impl Actions {
    /// Workflows, runs and statuses. Runs at `now` wait for [`begin`](Self::begin).
    pub(in crate::sandbox) fn from_seed(seed: &Value, state: &State) -> Result<Self, String> {
        let mut actions = Self {
            texts: seed["logs"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, lines)| (name.clone(), rows(lines).cloned().collect()))
                .collect(),
            ..Self::default()
        };
        let plans: BTreeMap<String, JobPlan> = part(&seed["jobs"])?;
        for row in rows(&seed["workflows"]) {
            actions.workflows.push(workflow(row, &plans)?);
        }
        let mut runs: Vec<_> = rows(&seed["runs"]).collect();
        runs.sort_by_key(|row| row["id"].as_u64());
        let (with_fake, runs): (Vec<_>, Vec<_>) = runs.into_iter().partition(|row| row["at"] == "now");
        actions.beginning = with_fake.into_iter().cloned().collect();
        for row in runs {
            let run = actions.seeded_run(row, 0, state)?;
            actions.runs.push(run);
        }
        for row in rows(&seed["statuses"]) {
            actions.statuses.push(status(row, state)?);
        }
        Ok(actions)
    }

    /// Has the runs at `now` begin, after all others.
    pub(in crate::sandbox) fn begin(&mut self, now: u64, state: &State) -> Result<(), String> {
        for row in std::mem::take(&mut self.beginning) {
            let run = self.seeded_run(&row, now, state)?;
            self.runs.push(run);
        }
        Ok(())
    }

    fn seeded_run(&mut self, row: &Value, now: u64, state: &State) -> Result<Run, String> {
        let id = number(row, "id")?;
        let of = number(row, "workflow")?;
        let workflow = self.workflows.iter_mut().find(|workflow| workflow.id == of);
        let workflow = workflow.ok_or_else(|| format!("run {id} is of no workflow"))?;
        workflow.runs += 1;
        let about = About::of(state, workflow.repo, row, now)?;
        let attempts = match row["attempts"].as_array() {
            Some(attempts) => attempts.iter().collect(),
            None => vec![row],
        };
        let mut made = Vec::new();
        for (attempt, told) in (1..).zip(attempts) {
            let started = moment(told, about.committed, now)?;
            let mut jobs = Vec::new();
            // Ids that can be foreseen: run 90043 has the jobs 910431, 910432 and so on.
            let first = (id + 1_000) * 10 + 1 + (attempt - 1) * workflow.plan.len() as u64;
            for (id, plan) in (first..).zip(&workflow.plan) {
                let failing = part(&told["failing"][&plan.name])?;
                let mut job = Job::new(plan, id, attempt, started, failing);
                if let Some(after) = told["cancelled_after"].as_u64() {
                    job.cancel(started + after);
                }
                jobs.push(job);
            }
            let actor = told["actor"].as_str().unwrap_or(&about.actor);
            made.push(Attempt { actor: actor.to_owned(), started, jobs });
        }
        let artifacts = rows(&row["artifacts"]).map(|artifact| {
            Ok(Artifact {
                id: number(artifact, "id")?,
                name: text(artifact, "name"),
                content: text(artifact, "content"),
            })
        });
        Ok(Run {
            id,
            repo: workflow.repo,
            workflow: of,
            number: workflow.runs,
            event: text(row, "event"),
            branch: text(row, "branch"),
            sha: about.sha,
            title: about.title,
            actor: about.actor,
            created: made.first().map(|attempt| attempt.started).unwrap_or_default(),
            suite: SUITES + id,
            attempts: made,
            artifacts: artifacts.collect::<Result<_, String>>()?,
        })
    }
}

fn workflow(row: &Value, plans: &BTreeMap<String, JobPlan>) -> Result<Workflow, String> {
    let plan = rows(&row["jobs"]).map(|job| {
        let key = job.as_str().unwrap_or_default();
        plans.get(key).cloned().ok_or_else(|| format!("there is no job {key}"))
    });
    Ok(Workflow {
        id: number(row, "id")?,
        repo: number(row, "repo")?,
        name: text(row, "name"),
        file: text(row, "file"),
        state: if row["disabled"] == true { "disabled_manually" } else { "active" },
        created: iso(seconds(&row["created"])?),
        updated: iso(seconds(&row["updated"])?),
        plan: plan.collect::<Result<_, String>>()?,
        inputs: part(&row["inputs"])?,
        events: texts(&row["events"]),
        branches: texts(&row["branches"]),
        runs: row["runs_before"].as_u64().unwrap_or_default(),
    })
}

fn status(row: &Value, state: &State) -> Result<Status, String> {
    let repo = number(row, "repo")?;
    Ok(Status {
        id: number(row, "id")?,
        repo,
        sha: About::of(state, repo, row, 0)?.sha,
        state: text(row, "state"),
        context: text(row, "context"),
        description: row["description"].as_str().map(str::to_owned),
        target_url: row["target_url"].as_str().map(str::to_owned),
        creator: text(row, "creator"),
        created: iso(seconds(&row["at"])?),
    })
}

/// The commit that a row of the seed is about, and what follows from it where the row says nothing else.
struct About {
    sha: String,
    /// When it was committed.
    committed: u64,
    title: String,
    actor: String,
}

impl About {
    /// The commit of the row's `ref`; the one so many `back` from there; with `as_of`, the newest from there that
    /// was already there `at` that time.
    fn of(state: &State, repo: u64, row: &Value, now: u64) -> Result<Self, String> {
        let named = row["ref"].as_str().unwrap_or_default();
        let unknown = || format!("there is no {named} in repository {repo}");
        let repo = state.repos.get(repo).ok_or_else(unknown)?;
        let mut sha = repo.resolve(named).ok_or_else(unknown)?;
        let committed = |sha: &str| {
            let at = repo.git.commit(sha).map(|commit| commit.committer.at);
            at.and_then(|at| u64::try_from(at).ok()).unwrap_or_default()
        };
        if let Some(back) = row["back"].as_u64().and_then(|back| usize::try_from(back).ok()) {
            sha = repo.git.log(&sha).get(back).cloned().ok_or_else(unknown)?;
        }
        if row["as_of"] == true {
            let at = moment(row, 0, now)?;
            let log = repo.git.log(&sha);
            sha = log.into_iter().find(|sha| committed(sha) <= at).ok_or_else(unknown)?;
        }
        let commit = repo.git.commit(&sha).ok_or_else(unknown)?;
        let author = state.accounts.by_email(&commit.author.email).map(|account| account.login.clone());
        Ok(Self {
            committed: committed(&sha),
            title: row["title"].as_str().unwrap_or(commit.subject()).to_owned(),
            actor: row["actor"].as_str().map(str::to_owned).or(author).unwrap_or_default(),
            sha,
        })
    }
}

/// When something of a row happened: `at` a time or `now`, or so many seconds `after` the commit.
fn moment(row: &Value, committed: u64, now: u64) -> Result<u64, String> {
    match row["after"].as_u64() {
        Some(after) => Ok(committed + after),
        None if row["at"] == "now" => Ok(now),
        None => seconds(&row["at"]),
    }
}

/// A time of the seed in seconds since the epoch.
fn seconds(value: &Value) -> Result<u64, String> {
    let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    time.and_then(|time| u64::try_from(time.as_second()).ok()).ok_or_else(|| format!("{value} is no time"))
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    rows(value).filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn number(row: &Value, key: &str) -> Result<u64, String> {
    row[key].as_u64().ok_or_else(|| format!("{key} is missing in {row}"))
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap_or_default().to_owned()
}
