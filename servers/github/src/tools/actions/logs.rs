//! `get_job_logs`: what a job said, the failing step first, or the lines that match.

use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Reply, Tool, one_line},
};
use regex_lite::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run_detail::{all_jobs, job_line};
use crate::{
    GitHub,
    api::actions::Job,
    job_log::{Limits, Log, Row},
    render::thousands,
    repo::Repo,
    tools::FROM,
};

/// Rows of one job's log that are shown where a call does not say how many.
const ROWS: usize = 100;
/// The same for each of several jobs.
const ROWS_OF_SEVERAL: usize = 40;
/// The most rows that a call can ask for.
const MOST_ROWS: usize = 500;
/// Failed jobs of a run that are shown at once.
const JOBS: usize = 4;
/// Bytes of rows at once: less than a reply may have, so that the end of a log is never cut off.
const BYTES: usize = 20 * 1024;
/// Lines around a match where a call does not say how many.
const CONTEXT: usize = 2;
/// The most lines around a match.
const MOST_CONTEXT: usize = 50;

/// How folded lines are read.
const UNFOLD: &str = "grep \".\" shows folded lines, grep with a word those that have it";

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "get_job_logs",
            "Get job logs",
            "Log of a job, or of a run's failed jobs: its end, at the failing step. grep \".\" reads from the start.",
            get_job_logs,
        )
        .toolset("actions")
        .aliases(&[("name", "job"), ("pattern", "grep"), ("lines", "tail")])
        .output_page::<Line>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetJobLogs {
    repo: Option<String>,
    run_id: Option<u64>,
    job_id: Option<u64>,
    job: Option<String>,
    grep: Option<String>,
    context: Option<usize>,
    tail: Option<usize>,
    cursor: Option<String>,
}

/// A line of a log.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    job_id: String,
    /// From one.
    line: usize,
    text: String,
}

/// Where a call goes on: a job, and there at a line or before one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "j")]
    job: String,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    from: Option<usize>,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    before: Option<usize>,
}

/// How a log is to be shown.
#[derive(Clone, Debug)]
struct Wanted {
    grep: Option<Regex>,
    context: usize,
    limits: Limits,
    from: Option<usize>,
    before: Option<usize>,
}

/// What is shown of one job.
#[derive(Debug)]
struct Part {
    rows: Vec<Row>,
    /// What part of the log it is, in words.
    which: String,
    /// Where this job's log goes on, if the call could.
    next: Option<Place>,
}

async fn get_job_logs(call: Call<GitHub>, arguments: GetJobLogs) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let place: Option<Place> = call.open_cursor(arguments.cursor.as_deref())?;
    let grep = arguments.grep.as_deref().filter(|pattern| !pattern.is_empty()).map(pattern).transpose()?;
    let (mut jobs, of_run) = match chosen(&call, &repo, &arguments).await? {
        Credentials::Jobs(jobs, of_run) => (jobs, of_run),
        Credentials::NoneFailed(reply) => return Ok(reply),
    };
    let failed = jobs.len();
    if let Some(place) = &place {
        let at = jobs.iter().position(|job| job.id == place.job).ok_or_else(|| {
            Error::invalid("The job that the cursor stands at is not among the failed ones any more")
                .with_hint("The run has a new attempt: start again without the cursor")
        })?;
        jobs.drain(..at);
    }
    let several = failed > 1;
    let limits = Limits {
        rows: arguments
            .tail
            .unwrap_or(if several && grep.is_none() { ROWS_OF_SEVERAL } else { ROWS })
            .clamp(1, MOST_ROWS),
        bytes: if several && grep.is_none() { BYTES / JOBS } else { BYTES },
    };
    let mut wanted = Wanted {
        grep,
        context: arguments.context.unwrap_or(CONTEXT).min(MOST_CONTEXT),
        limits,
        from: place.as_ref().and_then(|place| place.from),
        before: place.as_ref().and_then(|place| place.before),
    };
    let (mut parts, mut notes, mut refusal): (Vec<(Job, Part)>, Vec<String>, Option<Error>) =
        Default::default();
    let mut next: Option<Place> = None;
    for (count, job) in jobs.into_iter().enumerate() {
        if count == JOBS || wanted.limits.rows == 0 {
            next = Some(Place { job: job.id, ..Place::default() });
            break;
        }
        let part = match part(&call, &repo, &job, wanted.clone()).await {
            Ok(part) => part,
            Err(error) if several => {
                notes.push(format!("Job {}: {}", job.id, error.for_agent()));
                refusal.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        // What a cursor said is of its job alone.
        (wanted.from, wanted.before) = (None, None);
        if wanted.grep.is_some() {
            wanted.limits.rows = wanted.limits.rows.saturating_sub(part.rows.len());
        }
        // A search goes on in the job it stopped in; of several ends, each job has its own call.
        let stop = part.next.is_some() && (wanted.grep.is_some() || !several);
        if stop {
            next.clone_from(&part.next);
        }
        parts.push((job, part));
        if stop {
            break;
        }
    }
    if parts.is_empty()
        && let Some(error) = refusal
    {
        return Err(error);
    }
    let reply = Reply::page(page(&call, &parts, several, of_run.as_deref(), failed, next));
    Ok(notes.into_iter().fold(reply, Reply::line))
}

/// A pattern without capitals finds both: who looks for `download` does not know how the log writes it.
fn pattern(pattern: &str) -> Result<Regex> {
    let ignores_case = !pattern.chars().any(char::is_uppercase);
    let regex = if ignores_case { Regex::new(&format!("(?i){pattern}")) } else { Regex::new(pattern) };
    regex.map_err(|error| {
        Error::invalid(format!("`grep` is not a valid regular expression: {}", one_line(&error.to_string())))
            .with_hint("Escape characters such as ( [ * with a backslash")
    })
}

/// The jobs that a call means.
enum Credentials {
    /// These, and the run they are the failed ones of.
    Jobs(Vec<Job>, Option<String>),
    /// A run of which no job failed.
    NoneFailed(Reply),
}

async fn chosen(call: &Call<GitHub>, repo: &Repo, arguments: &GetJobLogs) -> Result<Credentials> {
    let GetJobLogs { run_id, job_id, job, .. } = arguments;
    if let Some(id) = job_id {
        let job = call.api().job(repo, *id).await.map_err(|error| no_job(error, repo, *id))?;
        return over(job).map(|job| Credentials::Jobs(vec![job], None));
    }
    let Some(run) = *run_id else {
        return Err(
            Error::invalid("Give `run_id` or `job_id`").with_hint("list_runs and get_run give the ids")
        );
    };
    let jobs = all_jobs(call, repo, run, None).await?;
    if let Some(name) = job.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        return over(by_name(jobs.items, name, run)?).map(|job| Credentials::Jobs(vec![job], None));
    }
    let (failed, others): (Vec<_>, Vec<_>) = jobs.items.into_iter().partition(Job::failed);
    if !failed.is_empty() {
        return Ok(Credentials::Jobs(failed, Some(run.to_string())));
    }
    let under_way = others.iter().any(|job| job.status != "completed");
    let lines: Vec<_> = others.iter().map(job_line).collect();
    let header = match (others.is_empty(), under_way) {
        (true, _) => format!("Run {run} has no jobs yet."),
        (_, true) => format!(
            "No job of run {run} has failed so far; it is not over. get_run with wait_seconds waits for it."
        ),
        (_, false) => format!("No job of run {run} failed. Give `job` or `job_id` for the log of one:"),
    };
    Ok(Credentials::NoneFailed(Reply::new(header).outside(format!("run {run}"), None, lines.join("\n"))))
}

/// The job of that name, or the only one whose name has it in it.
fn by_name(jobs: Vec<Job>, name: &str, run: u64) -> Result<Job> {
    let wanted = name.to_lowercase();
    let names =
        jobs.iter().map(|job| format!("{} ({})", one_line(&job.name), job.id)).collect::<Vec<_>>().join(", ");
    let mut same: Vec<Job> = Vec::new();
    let mut like: Vec<Job> = Vec::new();
    for job in jobs {
        let other = job.name.to_lowercase();
        if other == wanted {
            same.push(job);
        } else if other.contains(&wanted) {
            like.push(job);
        }
    }
    let mut found = if same.is_empty() { like } else { same };
    match (found.pop(), found.is_empty()) {
        (Some(job), true) => Ok(job),
        (Some(_), false) => {
            Err(Error::invalid(format!("Several jobs of run {run} are called like {}", one_line(name)))
                .with_hint(format!("Give the job_id of one: {names}")))
        }
        (None, _) => Err(Error::not_found(format!("Run {run} has no job {}", one_line(name)))
            .with_hint(format!("It has {names}"))),
    }
}

/// `job`, if it is over: until then it has no log.
fn over(job: Job) -> Result<Job> {
    if job.status.is_empty() || job.status == "completed" {
        return Ok(job);
    }
    Err(Error::not_found(format!(
        "Job {} is {}: its log comes when it is over",
        job.id,
        one_line(&job.status)
    ))
    .with_hint(format!("get_run with run_id {} and wait_seconds waits for it", job.run_id)))
}

fn no_job(error: Error, repo: &Repo, id: u64) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found(format!("{repo} has no job {id}, or the token may not see it"))
            .with_hint("get_run gives the ids of jobs; a run's own id goes into run_id");
    }
    error
}

/// Reads a job's log, and makes of it what is wanted.
async fn part(call: &Call<GitHub>, repo: &Repo, job: &Job, wanted: Wanted) -> Result<Part> {
    let body = call.api().job_log(repo, job).await?;
    let job = job.clone();
    // A long log takes a while, in which other calls must not stand still.
    tokio::task::spawn_blocking(move || excerpt(&body, &job, &wanted))
        .await
        .map_err(|error| Error::internal("the log could not be read through").with_source(error))
}

fn excerpt(body: &Bytes, job: &Job, wanted: &Wanted) -> Part {
    let text = String::from_utf8_lossy(body);
    let log = Log::new(&text);
    let total = thousands(log.len() as u64);
    let place = |from, before| Place { job: job.id.clone(), from, before };
    if let Some(regex) = &wanted.grep {
        let found = log.search(regex, wanted.context, wanted.from.unwrap_or(1), wanted.limits);
        let which = match found.matches {
            1 => format!("1 match in {total} lines"),
            many => format!("{} matches in {total} lines", thousands(many as u64)),
        };
        let next = found.next.map(|line| place(Some(line), None));
        return Part { rows: found.rows, which, next };
    }
    if let Some(from) = wanted.from {
        let part = log.onward(from, wanted.limits);
        let next = (part.lines.end <= log.len()).then(|| place(Some(part.lines.end), None));
        let which = format!("lines {}-{} of {total}", part.lines.start, part.lines.end - 1);
        return Part { rows: part.rows, which, next };
    }
    let range = match (wanted.before, job.failed_step()) {
        (Some(before), _) => 0..before.saturating_sub(1).min(log.len()),
        (None, Some(step)) => log.failing(&step.started_at, &step.completed_at),
        (None, None) if job.failed() => log.failing("", ""),
        (None, None) => 0..log.len(),
    };
    let part = log.tail(range, wanted.limits);
    let which = format!("lines {}-{} of {total}", part.lines.start, part.lines.end - 1);
    let next = (part.lines.start > 1 && !part.rows.is_empty()).then(|| place(None, Some(part.lines.start)));
    Part { rows: part.rows, which, next }
}

/// The page of what is shown: of one job with its name in the header, of several with a row for each name.
fn page(
    call: &Call<GitHub>,
    parts: &[(Job, Part)],
    several: bool,
    of_run: Option<&str>,
    failed: usize,
    next: Option<Place>,
) -> Page {
    let mut page = Page::new(FROM, ("line", "lines"));
    // Where each row stands, for a reply that is cut short.
    let mut places = Vec::new();
    for (job, part) in parts {
        let heading = format!("job {}; run {}; {}", job_line(job), job.run_id, part.which);
        if several {
            if part.rows.is_empty() {
                page = page.note(format!("job {}: {}", job.id, part.which));
            }
        } else {
            page = page.note(heading.clone());
        }
        for (count, row) in part.rows.iter().enumerate() {
            let head = if several && count == 0 { format!("== {heading}\n") } else { String::new() };
            let line = Line { job_id: job.id.clone(), line: row.line, text: row.text.clone() };
            page.push(format!("{head}{}", row.text), &line);
            places.push(Place { job: job.id.clone(), from: Some(row.line), before: None });
        }
    }
    if let Some(run) = of_run.filter(|_| several) {
        page = page.note(format!("of the {failed} failed jobs of run {run}; more of one by its job_id"));
    }
    if parts.iter().any(|(_, part)| part.rows.iter().any(|row| row.folded)) {
        page = page.note(UNFOLD);
    }
    if next.as_ref().is_some_and(|next| next.before.is_some()) {
        page = page.note("the cursor goes back to earlier lines");
    }
    let (call, more) = (call.clone(), next.is_some());
    page.cursor(more, move |kept| match (places.get(kept), &next) {
        // The reply was cut: on at the first row that is not shown.
        (Some(cut), _) => call.seal_cursor(cut),
        (None, Some(next)) => call.seal_cursor(next),
        (None, None) => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(id: &str, name: &str, status: &str) -> Job {
        connector::tolerant::from_value(json!({"id": id, "name": name, "status": status, "run_id": 90045}))
            .unwrap()
    }

    #[test]
    fn a_job_is_found_by_its_name_or_a_part_that_only_it_has() {
        let jobs = || {
            vec![
                job("1", "build", "completed"),
                job("2", "test (stable)", "completed"),
                job("3", "test (beta)", "completed"),
            ]
        };
        assert_eq!(by_name(jobs(), "Build", 9).unwrap().id, "1");
        assert_eq!(by_name(jobs(), "stable", 9).unwrap().id, "2");
        assert!(by_name(jobs(), "test", 9).unwrap_err().for_agent().contains("test (beta) (3)"));
        assert_eq!(by_name(jobs(), "deploy", 9).unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn a_bad_pattern_says_what_is_wrong_with_it() {
        let error = pattern("case_(1").unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidArgument);
        assert!(error.for_agent().contains("backslash"), "{error}");
    }

    #[test]
    fn a_job_that_is_under_way_has_no_log_yet() {
        let running = job("7", "x", "in_progress");
        let error = over(running).unwrap_err().for_agent();
        assert!(error.contains("run_id 90045 and wait_seconds"), "{error}");
    }
}
