//! What jobs write, made from the seed's texts, and its way to whoever asks for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
};

use super::{
    model::{Attempt, Job, Run, Step},
    zip,
};

/// Lines by the name of their text: a string is a line; `{line, each: [...]}` is one for each `{item}`,
/// `{line, count}` one for each `{n}`, with both, one for each of both.
pub(super) type Texts = BTreeMap<String, Vec<Value>>;

/// The whole log of a job. Each line begins with the time at which it was written; the first with a byte order
/// mark, as GitHub's do.
pub(super) fn job_log(texts: &Texts, run: &Run, job: &Job) -> String {
    let mut log = "\u{feff}".to_owned();
    for step in job.steps.iter().filter(|step| step.conclusion != "skipped") {
        let mut lines = lines(texts, run, step);
        if step.conclusion == "cancelled" {
            lines.truncate(lines.len() / 2);
            lines.push("##[error]The operation was canceled.".to_owned());
        }
        let span = (step.ends - step.starts).saturating_mul(10_000_000);
        let count = lines.len().max(1) as u64;
        for (index, line) in (0..).zip(lines) {
            log.push_str(&stamp(step.starts, span * index / count));
            log.push(' ');
            log.push_str(&line);
            log.push('\n');
        }
    }
    log
}

/// What a step writes.
fn lines(texts: &Texts, run: &Run, step: &Step) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in texts.get(&step.log).into_iter().flatten() {
        let line = entry.as_str().or(entry["line"].as_str()).unwrap_or_default();
        let line =
            line.replace("{sha}", &run.sha).replace("{branch}", &run.branch).replace("{step}", &step.name);
        let items: Vec<_> = match entry["each"].as_array() {
            Some(items) => items.iter().filter_map(Value::as_str).collect(),
            None => vec![""],
        };
        for item in items {
            for n in 1..=entry["count"].as_u64().unwrap_or(1) {
                lines.push(line.replace("{item}", item).replace("{n}", &n.to_string()));
            }
        }
    }
    lines
}

/// A time with seven digits after the second, as runners write it; `ticks` are a ten-millionth of a second.
fn stamp(seconds: u64, ticks: u64) -> String {
    let whole = i64::try_from(seconds + ticks / 10_000_000).unwrap_or_default();
    let time = Timestamp::from_second(whole).unwrap_or_default();
    format!("{}.{:07}Z", time.strftime("%Y-%m-%dT%H:%M:%S"), ticks % 10_000_000)
}

/// `GET …/actions/jobs/{job_id}/logs`: a redirect to the storage. A job that has not ended has no log yet.
pub(super) fn of_job(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let id = cx.number("job_id")?;
    let now = cx.site.harness.clock().now().as_secs();
    let log = {
        let state = cx.site.state();
        let (run, job) = state.actions.job(cx.target, id).ok_or_else(ApiError::not_found)?;
        if job.state(now).0 != "completed" {
            return Err(ApiError::not_found());
        }
        job_log(&state.actions.texts, run, job)
    };
    cx.site.storage.redirect(&format!("job-logs/{id}.txt"), "text/plain; charset=utf-8", log)
}

/// `GET …/actions/runs/{run_id}/logs`: a redirect to a zip file with a text for each job.
pub(super) fn of_run(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let id = cx.number("run_id")?;
    let now = cx.site.harness.clock().now().as_secs();
    let (key, file) = {
        let state = cx.site.state();
        let run = state.actions.run(cx.target, id).ok_or_else(ApiError::not_found)?;
        let number = match cx.variable("attempt_number") {
            "" => run.attempts.len(),
            number => number.parse().map_err(|_| ApiError::not_found())?,
        };
        let attempt: &Attempt = number
            .checked_sub(1)
            .and_then(|index| run.attempts.get(index))
            .ok_or_else(ApiError::not_found)?;
        if run.state(number, now).0 != "completed" {
            return Err(ApiError::not_found());
        }
        let name = |job: &Job| job.name.replace(['/', '\\'], "_");
        let entries: Vec<_> = attempt
            .jobs
            .iter()
            .enumerate()
            .map(|(index, job)| {
                (format!("{index}_{}.txt", name(job)), job_log(&state.actions.texts, run, job))
            })
            .collect();
        (format!("run-logs/{id}-{number}.zip"), zip::stored(&entries))
    };
    cx.site.storage.redirect(&key, "application/zip", file)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::actions::model::{Failing, JobPlan, StepPlan};

    #[test]
    fn lines_are_repeated_dated_and_end_with_the_failure() {
        let texts: Texts = [
            ("setup".to_owned(), vec![json!("Ready")]),
            (
                "bad".to_owned(),
                vec![
                    json!({"line": "test {item}_{n}", "each": ["a", "b"], "count": 2}),
                    json!("##[error]no"),
                ],
            ),
        ]
        .into();
        let step = |name: &str| StepPlan { name: name.to_owned(), seconds: 10, log: "setup".to_owned() };
        let plan = JobPlan {
            name: "test".to_owned(),
            waits: 5,
            steps: vec![step("Set up job"), step("cargo test"), step("Upload"), step("Complete job")],
        };
        let failing = Failing {
            step: "cargo test".to_owned(),
            log: "bad".to_owned(),
            again: true,
            annotations: vec![],
        };
        let job = Job::new(&plan, 1, 1, 0, Some(failing));
        let run = Run {
            id: 1,
            repo: 1,
            workflow: 1,
            number: 1,
            event: "push".to_owned(),
            branch: "main".to_owned(),
            sha: String::new(),
            title: String::new(),
            actor: String::new(),
            created: 0,
            suite: 1,
            attempts: Vec::new(),
            artifacts: Vec::new(),
        };
        let log = job_log(&texts, &run, &job);
        let expected = "\u{feff}1970-01-01T00:00:05.0000000Z Ready\n1970-01-01T00:00:15.0000000Z test a_1\n\
            1970-01-01T00:00:17.0000000Z test a_2\n1970-01-01T00:00:19.0000000Z test b_1\n\
            1970-01-01T00:00:21.0000000Z test b_2\n1970-01-01T00:00:23.0000000Z ##[error]no\n\
            1970-01-01T00:00:25.0000000Z Ready\n";
        assert_eq!(log, expected);
        assert_eq!(job.steps[2].conclusion, "skipped");
        assert_eq!(
            (job.ends(), job.state(34).0, job.state(35)),
            (35, "in_progress", ("completed", Some("failure")))
        );
    }
}
