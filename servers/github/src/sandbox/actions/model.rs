//! What there is of Actions. Times are seconds since the epoch.

use serde::{Deserialize, Serialize};

/// A workflow.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Workflow {
    pub(super) id: u64,
    pub(super) repo: u64,
    pub(super) name: String,
    /// The file's name below `.github/workflows/`.
    pub(super) file: String,
    /// `active` or `disabled_manually`.
    pub(super) state: &'static str,
    pub(super) created: String,
    pub(super) updated: String,
    /// What a run of it does.
    pub(super) plan: Vec<JobPlan>,
    /// What a dispatch may say; none if it cannot be dispatched.
    pub(super) inputs: Option<Vec<Input>>,
    /// The events it waits for.
    pub(super) events: Vec<String>,
    /// The branches whose pushes it waits for, `release/**`; empty for all.
    pub(super) branches: Vec<String>,
    /// How many runs it had.
    pub(super) runs: u64,
}

impl Workflow {
    /// Whether it starts when something happens on a branch.
    pub(super) fn waits_for(&self, event: &str, branch: &str) -> bool {
        let fits = |pattern: &String| fast_glob::glob_match(pattern.as_str(), branch);
        self.state == "active"
            && self.events.iter().any(|of| of == event)
            && (event != "push" || self.branches.is_empty() || self.branches.iter().any(fits))
    }

    /// Its path in the repository.
    pub(super) fn path(&self) -> String {
        format!(".github/workflows/{}", self.file)
    }
}

/// An input of `workflow_dispatch`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) required: bool,
    /// The values it may have; empty for any.
    pub(super) options: Vec<String>,
}

/// A job as a workflow describes it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct JobPlan {
    pub(super) name: String,
    /// Seconds that it waits after the run was created.
    pub(super) waits: u64,
    pub(super) steps: Vec<StepPlan>,
}

/// A step as a workflow describes it; in the seed as `[name, seconds, log]`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct StepPlan {
    pub(super) name: String,
    pub(super) seconds: u64,
    /// The text it writes, by its name.
    pub(super) log: String,
}

/// A run, with every attempt at it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Run {
    pub(super) id: u64,
    pub(super) repo: u64,
    pub(super) workflow: u64,
    pub(super) number: u64,
    pub(super) event: String,
    pub(super) branch: String,
    pub(super) sha: String,
    pub(super) title: String,
    pub(super) actor: String,
    pub(super) created: u64,
    /// The check suite's id.
    pub(super) suite: u64,
    /// From the first to the latest; never empty.
    pub(super) attempts: Vec<Attempt>,
    pub(super) artifacts: Vec<Artifact>,
}

/// One attempt at a run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Attempt {
    pub(super) actor: String,
    pub(super) started: u64,
    pub(super) jobs: Vec<Job>,
}

/// A job of an attempt. Its check run has the same id.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Job {
    pub(super) id: u64,
    /// The number of the attempt in which it ran.
    pub(super) attempt: u64,
    pub(super) name: String,
    pub(super) created: u64,
    pub(super) starts: u64,
    pub(super) steps: Vec<Step>,
    /// What it comes to.
    pub(super) conclusion: &'static str,
    /// How it fails, if it does.
    pub(super) failing: Option<Failing>,
}

/// How a job fails.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Failing {
    /// The name of the step that fails.
    pub(super) step: String,
    /// The text which that step writes instead.
    pub(super) log: String,
    /// Whether it fails again when it is run again.
    #[serde(default = "yes")]
    pub(super) again: bool,
    #[serde(default)]
    pub(super) annotations: Vec<Annotation>,
}

const fn yes() -> bool {
    true
}

/// A step of a job.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) starts: u64,
    pub(super) ends: u64,
    pub(super) conclusion: &'static str,
    /// The text it writes, by its name.
    pub(super) log: String,
}

/// A remark of a check run on a line.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Annotation {
    pub(super) path: String,
    pub(super) line: u64,
    /// `notice`, `warning` or `failure`.
    pub(super) level: String,
    pub(super) title: Option<String>,
    pub(super) message: String,
}

/// A file that a run keeps.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Artifact {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) content: String,
}

/// A commit status.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) repo: u64,
    pub(super) sha: String,
    /// `error`, `failure`, `pending` or `success`.
    pub(super) state: String,
    pub(super) context: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) creator: String,
    pub(super) created: String,
}

impl Run {
    /// The latest attempt's jobs.
    pub(super) fn jobs(&self) -> &[Job] {
        self.attempts.last().map(|attempt| attempt.jobs.as_slice()).unwrap_or_default()
    }

    /// Status and conclusion of an attempt (from 1).
    pub(super) fn state(&self, attempt: usize, now: u64) -> (&'static str, Option<&'static str>) {
        let jobs = attempt.checked_sub(1).and_then(|index| self.attempts.get(index));
        together(jobs.map(|attempt| attempt.jobs.as_slice()).unwrap_or_default(), now)
    }

    /// Status and conclusion of the latest attempt.
    pub(super) fn latest(&self, now: u64) -> (&'static str, Option<&'static str>) {
        together(self.jobs(), now)
    }

    /// When something last happened to it.
    pub(super) fn updated(&self, now: u64) -> u64 {
        let jobs = self.attempts.iter().flat_map(|attempt| &attempt.jobs);
        let moments = jobs.flat_map(|job| [job.created, job.starts, job.ends()]);
        moments.filter(|moment| *moment <= now).max().unwrap_or(self.created)
    }
}

/// Status and conclusion of jobs together.
pub(super) fn together(jobs: &[Job], now: u64) -> (&'static str, Option<&'static str>) {
    let states: Vec<_> = jobs.iter().map(|job| job.state(now)).collect();
    if states.iter().all(|(status, _)| *status == "completed") {
        let with = |wanted: &str| states.iter().any(|(_, conclusion)| *conclusion == Some(wanted));
        let conclusion = ["failure", "cancelled", "success"].into_iter().find(|wanted| with(wanted));
        return ("completed", Some(conclusion.unwrap_or("skipped")));
    }
    if states.iter().all(|(status, _)| *status == "queued") {
        ("queued", None)
    } else {
        ("in_progress", None)
    }
}

impl Job {
    /// A job that begins its way at `created`, as planned or failing.
    pub(super) fn new(plan: &JobPlan, id: u64, attempt: u64, created: u64, failing: Option<Failing>) -> Self {
        let starts = created + plan.waits;
        let mut at = starts;
        let mut failed = false;
        let steps = plan.steps.iter().map(|step| {
            let fails = failing.as_ref().filter(|failing| failing.step == step.name);
            // What tidies up runs in any case.
            let tidies = step.name.starts_with("Post ") || step.name == "Complete job";
            let skipped = failed && !tidies;
            failed |= fails.is_some();
            let begins = at;
            at += if skipped { 0 } else { step.seconds };
            Step {
                name: step.name.clone(),
                starts: begins,
                ends: at,
                conclusion: match (skipped, fails) {
                    (true, _) => "skipped",
                    (false, Some(_)) => "failure",
                    (false, None) => "success",
                },
                log: fails.map_or_else(|| step.log.clone(), |failing| failing.log.clone()),
            }
        });
        let steps = steps.collect();
        let conclusion = if failing.is_some() { "failure" } else { "success" };
        Self { id, attempt, name: plan.name.clone(), created, starts, steps, conclusion, failing }
    }

    /// Its remarks, once it has ended.
    pub(super) fn annotations(&self, now: u64) -> &[Annotation] {
        let failing = self.failing.as_ref().filter(|_| self.ends() <= now);
        failing.map(|failing| failing.annotations.as_slice()).unwrap_or_default()
    }

    /// When it ends.
    pub(super) fn ends(&self) -> u64 {
        self.steps.last().map_or(self.starts, |step| step.ends)
    }

    /// Status and conclusion.
    pub(super) fn state(&self, now: u64) -> (&'static str, Option<&'static str>) {
        if now < self.starts {
            ("queued", None)
        } else if now < self.ends() {
            ("in_progress", None)
        } else {
            ("completed", Some(self.conclusion))
        }
    }

    /// Stops it, if it has not ended: the step at work is cancelled, those after it are skipped.
    pub(super) fn cancel(&mut self, now: u64) {
        if self.ends() <= now {
            return;
        }
        self.starts = self.starts.min(now);
        for step in &mut self.steps {
            if step.ends > now {
                step.conclusion = if step.starts <= now { "cancelled" } else { "skipped" };
                step.starts = step.starts.min(now);
                step.ends = now;
            }
        }
        self.conclusion = "cancelled";
        self.failing = None;
    }
}

impl Step {
    /// Status and conclusion.
    pub(super) fn state(&self, now: u64) -> (&'static str, Option<&'static str>) {
        if now < self.starts {
            ("queued", None)
        } else if now < self.ends {
            ("in_progress", None)
        } else {
            ("completed", Some(self.conclusion))
        }
    }
}
