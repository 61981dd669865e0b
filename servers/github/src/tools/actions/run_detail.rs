//! `get_run`: a run with its jobs, what failed in them, and what it left; and waiting for its end.

use std::time::Duration;

use connector::upstream;
use connector::{
    Kind, Result,
    catalog::{Call, Reply, Tool, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::runs::{between, duration, no_run, run_seconds, run_status, who};
use crate::{
    GitHub,
    api::actions::{Annotation, Artifact, Job, Run},
    render::{minute, thousands},
    repo::Repo,
};

/// The longest wait for a run's end: a client's own deadline for a call is often a minute.
const MOST_WAIT: u64 = 50;
/// The pause between two looks at a run. GitHub answers "not modified" for free in between.
const PAUSE: Duration = Duration::from_secs(5);
/// Jobs that went well and are shown one by one; of more only the number is.
const GOOD_JOBS: usize = 30;
/// Jobs whose annotations are asked for: each costs a request.
const ANNOTATED: usize = 5;
/// Annotations asked for of each job.
const ANNOTATIONS: u32 = 30;
/// Pages of a hundred jobs that are read. GitHub makes at most 256 jobs of one matrix.
const JOB_PAGES: usize = 4;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "get_run",
            "Get workflow run",
            "A run and its jobs. wait_seconds (up to 50) waits for its end.",
            get_run,
        )
        .toolset("actions")
        .aliases(&[("id", "run_id"), ("run", "run_id")])
        .output::<Shown>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetRun {
    repo: Option<String>,
    run_id: u64,
    attempt: Option<u64>,
    include: Option<Vec<Part>>,
    wait_seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    Jobs,
    Annotations,
    Artifacts,
}

/// The answer of `get_run`.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Shown {
    id: String,
    workflow: String,
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    conclusion: String,
    title: String,
    branch: String,
    sha: String,
    event: String,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_by: Option<String>,
    attempt: u64,
    pull_requests: Vec<String>,
    jobs: Vec<ShownJob>,
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ShownJob {
    id: String,
    name: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
}

async fn get_run(call: Call<GitHub>, arguments: GetRun) -> Result<Reply> {
    let GetRun { repo, run_id, attempt, include, wait_seconds } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let wants = |part: Part| match &include {
        Some(parts) => parts.contains(&part),
        None => part == Part::Jobs,
    };
    let asked = wait_seconds.unwrap_or_default();
    let wait = asked.min(MOST_WAIT);
    let (run, waited) = ended(&call, &repo, run_id, attempt, wait).await?;
    let jobs = if wants(Part::Jobs) || wants(Part::Annotations) {
        all_jobs(&call, &repo, run_id, attempt).await?
    } else {
        Jobs::default()
    };
    let mut notes = Vec::new();
    if attempt.is_none() && run.attempt() > 1 {
        let before = run.attempt() - 1;
        let to = if before > 1 { format!("s 1 to {before}") } else { " 1".to_owned() };
        notes.push(format!("It ran before: attempt{to}."));
    }
    if waited && !run.is_over() {
        notes.push(format!(
            "Still {} after {wait} s of waiting: call get_run with wait_seconds again, or come back later.",
            one_line(&run.status)
        ));
    }
    if asked > MOST_WAIT {
        notes.push(format!("wait_seconds was taken as {MOST_WAIT}, which is the maximum."));
    }
    let mut text = one_line(&run.display_title);
    if wants(Part::Jobs) {
        text.push_str(&job_lines(&jobs));
    }
    if wants(Part::Annotations) {
        let (lines, note) = annotation_lines(&call, &repo, &jobs.items).await;
        text.push_str(&lines);
        notes.extend(note);
    }
    if wants(Part::Artifacts) {
        match call.api().artifacts(&repo, run_id).await {
            Ok(artifacts) => {
                text.push_str(&artifact_lines(&artifacts.items));
                let total = artifacts.total.unwrap_or_default();
                if total > artifacts.items.len() as u64 {
                    notes.push(format!(
                        "{total} artifacts in all; the first {} are shown.",
                        artifacts.items.len()
                    ));
                }
            }
            Err(error) => notes.push(format!("The artifacts could not be read: {}", error.for_agent())),
        }
    }
    if jobs.items.iter().any(Job::failed) {
        notes.push(format!("What went wrong: get_job_logs with run_id {run_id}."));
    }
    let mut reply =
        Reply::new(headline(&run, attempt.is_some())).outside(format!("run {}", run.id), None, text);
    for note in notes {
        reply = reply.line(note);
    }
    if !run.html_url.is_empty() {
        reply = reply.line(one_line(&run.html_url));
    }
    Ok(reply.data(&shown(run, &jobs)))
}

/// The run, once it is over or `wait` seconds have gone by; and whether it was waited for.
async fn ended(
    call: &Call<GitHub>,
    repo: &Repo,
    id: u64,
    attempt: Option<u64>,
    wait: u64,
) -> Result<(Run, bool)> {
    let started = Instant::now();
    let until = started + Duration::from_secs(wait);
    let mut waited = false;
    loop {
        let run = call.api().run_of(repo, id, attempt).await;
        let run = run.map_err(|error| no_run(error, repo, id))?;
        let left = until.saturating_duration_since(Instant::now());
        if run.is_over() || left.is_zero() {
            return Ok((run, waited));
        }
        let gone = u32::try_from(started.elapsed().as_secs()).unwrap_or(u32::MAX);
        let total = u32::try_from(wait).ok();
        call.progress(gone, total, &format!("run {id} is {}", one_line(&run.status))).await;
        sleep(PAUSE.min(left)).await;
        upstream::call::restart();
        waited = true;
    }
}

/// The jobs of an attempt of a run.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    /// Those that failed first, then those that are not over, then the others.
    pub(super) items: Vec<Job>,
    /// How many there are that were not read.
    pub(super) unread: u64,
}

/// All jobs of a run's last attempt, or of the one that is given.
///
/// # Errors
/// Whatever GitHub says.
pub(super) async fn all_jobs(
    call: &Call<GitHub>,
    repo: &Repo,
    run: u64,
    attempt: Option<u64>,
) -> Result<Jobs> {
    let mut items: Vec<Job> = Vec::new();
    let mut after: Option<String> = None;
    let mut total = 0;
    for _ in 0..JOB_PAGES {
        let page = call.api().jobs(repo, run, attempt, after.as_deref()).await;
        let page = page.map_err(|error| no_run(error, repo, run))?;
        total = page.total.unwrap_or_default();
        items.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    items.sort_by_key(|job| (!job.failed(), job.status == "completed"));
    let unread = if after.is_some() { total.saturating_sub(items.len() as u64) } else { 0 };
    Ok(Jobs { items, unread })
}

fn headline(run: &Run, of_attempt: bool) -> String {
    let mut line =
        format!("Run {} {}: {}", run.id, one_line(&run.name), run_status(&run.status, &run.conclusion));
    if of_attempt || run.attempt() > 1 {
        line.push_str(&format!(", attempt {}", run.attempt()));
    }
    line.push_str(&format!(", {} on {} {}", one_line(&run.event), one_line(&run.head_branch), run.head_sha));
    let pulls: Vec<_> = run.pull_requests.iter().map(|pull| format!("#{}", pull.number)).collect();
    if !pulls.is_empty() {
        line.push_str(&format!(" ({})", pulls.join(", ")));
    }
    line.push_str(&format!(" by {}, started {}", who(run), minute(&run.run_started_at)));
    if let Some(seconds) = run_seconds(run) {
        line.push_str(&format!(", took {}", duration(seconds)));
    }
    line.push('.');
    line
}

/// A job in one line: `910433 test (stable): failure, 3m02s; failed step 4 "cargo test"`.
pub(super) fn job_line(job: &Job) -> String {
    let mut line =
        format!("{} {}: {}", job.id, one_line(&job.name), run_status(&job.status, &job.conclusion));
    if let Some(seconds) = between(&job.started_at, &job.completed_at) {
        line.push_str(&format!(", {}", duration(seconds)));
    }
    if let Some(step) = job.failed_step() {
        line.push_str(&format!("; failed step {} \"{}\"", step.number, one_line(&step.name)));
    } else if let Some(step) = job.steps.iter().find(|step| step.status == "in_progress") {
        line.push_str(&format!("; at step {} \"{}\"", step.number, one_line(&step.name)));
    }
    line
}

fn job_lines(jobs: &Jobs) -> String {
    let failed = jobs.items.iter().filter(|job| job.failed()).count();
    let mut text = format!("\nJobs, {failed} of {} failed", jobs.items.len() as u64 + jobs.unread);
    let open = jobs.items.iter().filter(|job| job.status != "completed").count();
    if open > 0 {
        text.push_str(&format!(", {open} not over"));
    }
    text.push(':');
    let mut good = 0;
    for job in &jobs.items {
        if job.status == "completed" && !job.failed() {
            good += 1;
            if good > GOOD_JOBS {
                continue;
            }
        }
        text.push('\n');
        text.push_str(&job_line(job));
    }
    if good > GOOD_JOBS {
        text.push_str(&format!(
            "\n[{} over and did not fail]",
            counted(good - GOOD_JOBS, ("more job that is", "more jobs that are"))
        ));
    }
    if jobs.unread > 0 {
        text.push_str(&format!(
            "\n[{} not read]",
            counted(jobs.unread, ("more job that was", "more jobs that were"))
        ));
    }
    text
}

/// What the jobs had to say of lines of code: those that failed, or else the first few. With a note of what
/// was not asked for or not answered.
async fn annotation_lines(call: &Call<GitHub>, repo: &Repo, jobs: &[Job]) -> (String, Option<String>) {
    let mut chosen: Vec<&Job> = jobs.iter().filter(|job| job.failed()).collect();
    if chosen.is_empty() {
        chosen = jobs.iter().collect();
    }
    let left_out = chosen.len().saturating_sub(ANNOTATED);
    chosen.truncate(ANNOTATED);
    let asked = chosen.iter().map(|job| call.api().annotations(repo, job, ANNOTATIONS));
    let answers = futures::future::join_all(asked).await;
    let mut text = "\nAnnotations:".to_owned();
    let (mut shown, mut refused, mut notes) = (0, false, Vec::new());
    for (job, answer) in chosen.iter().zip(answers) {
        match answer {
            Ok(mut listed) => {
                listed.items.sort_by_key(|annotation| annotation.annotation_level != "failure");
                for annotation in &listed.items {
                    text.push('\n');
                    text.push_str(&annotation_line(job, annotation));
                    shown += 1;
                }
                if listed.next.is_some() {
                    notes.push(format!("Job {} has more annotations than the {ANNOTATIONS} shown.", job.id));
                }
            }
            // All are refused alike.
            Err(error) if error.kind() == Kind::Permission => refused = true,
            Err(error) => {
                notes.push(format!(
                    "The annotations of job {} could not be read: {}",
                    job.id,
                    error.for_agent()
                ));
            }
        }
    }
    if refused {
        text.push_str(" not known");
        notes.push(
            "The token may not read annotations, which no fine-grained token may: a classic token or a GitHub App \
             can. get_job_logs shows what failed."
                .to_owned(),
        );
    } else if shown == 0 {
        text.push_str(" none");
    }
    if left_out > 0 {
        let jobs = counted(left_out, ("more job was", "more jobs were"));
        notes.push(format!("{jobs} not asked for annotations."));
    }
    (text, (!notes.is_empty()).then(|| notes.join(" ")))
}

fn annotation_line(job: &Job, annotation: &Annotation) -> String {
    let Annotation { path, start_line, annotation_level, message, .. } = annotation;
    format!("{} {} {}:{start_line} {}", job.id, one_line(annotation_level), one_line(path), one_line(message))
}

fn artifact_lines(artifacts: &[Artifact]) -> String {
    if artifacts.is_empty() {
        return "\nArtifacts: none".to_owned();
    }
    let mut text = "\nArtifacts:".to_owned();
    for artifact in artifacts {
        let kilobytes = artifact.bytes().div_ceil(1024);
        let end = if artifact.expired { "gone since" } else { "kept until" };
        text.push_str(&format!(
            "\n{} {}, {} kB, {end} {}",
            artifact.id,
            one_line(&artifact.name),
            thousands(kilobytes),
            minute(&artifact.expires_at)
        ));
    }
    text
}

fn shown(run: Run, jobs: &Jobs) -> Shown {
    let attempt = run.attempt();
    let by = run.by().to_owned();
    let rerun_by = run.rerun_by().map(str::to_owned);
    let job = |job: &Job| ShownJob {
        id: job.id.clone(),
        name: job.name.clone(),
        status: run_status(&job.status, &job.conclusion).to_owned(),
        failed_step: job.failed_step().map(|step| step.name.clone()),
        seconds: between(&job.started_at, &job.completed_at),
    };
    Shown {
        id: run.id,
        workflow: run.name,
        status: run.status,
        conclusion: run.conclusion,
        title: run.display_title,
        branch: run.head_branch,
        sha: run.head_sha,
        event: run.event,
        by,
        rerun_by,
        attempt,
        pull_requests: run.pull_requests.into_iter().map(|pull| pull.number).collect(),
        jobs: jobs.items.iter().map(job).collect(),
        url: run.html_url,
    }
}
