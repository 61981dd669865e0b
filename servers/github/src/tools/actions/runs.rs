//! `list_runs`: what ran, and the workflows themselves; and how runs are worded.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, nearest, one_line,
        paging::{self, VendorPage},
    },
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GitHub,
    api::actions::{Run, RunFilter, Workflow, file_name},
    render::{minute, short_sha},
    repo::Repo,
    resolve::{naming, reference},
    tools::FROM,
};

/// What runs can be listed by (docs.github.com, "List workflow runs for a repository").
const STATUSES: [&str; 14] = [
    "completed",
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "skipped",
    "stale",
    "success",
    "timed_out",
    "in_progress",
    "queued",
    "requested",
    "waiting",
    "pending",
];
/// What GitHub pages through when runs are filtered, at most.
const MOST_FOUND: u64 = 1_000;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_runs",
            "List workflow runs",
            "Workflow runs, newest first, or the workflows.",
            list_runs,
        )
        .toolset("actions")
        .aliases(&[
            ("workflow_id", "workflow"),
            ("ref", "branch"),
            ("conclusion", "status"),
            ("sha", "head_sha"),
        ])
        .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListRuns {
    repo: Option<String>,
    kind: Option<Kinds>,
    workflow: Option<String>,
    branch: Option<String>,
    status: Option<String>,
    event: Option<String>,
    actor: Option<String>,
    head_sha: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kinds {
    Runs,
    Workflows,
}

/// A run, or a workflow.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    id: String,
    workflow: String,
    /// How it stands, or how it ended.
    status: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    branch: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    sha: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    event: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
    /// Who caused the last attempt, where that was somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_by: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    started: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
}

async fn list_runs(call: Call<GitHub>, arguments: ListRuns) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let per_page = limit(arguments.limit, 20, 100);
    if arguments.kind == Some(Kinds::Workflows) {
        return workflows(&call, &repo, position, per_page).await;
    }
    let given =
        |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let workflow = match given(arguments.workflow) {
        Some(name) => Some(resolve(&call, &repo, &name).await?),
        None => None,
    };
    let head_sha = match given(arguments.head_sha) {
        // GitHub finds runs by whole ids only, and the query of a later page has it already.
        Some(sha) if sha.len() < 40 && position.after.is_none() => {
            Some(call.api().full_sha(&repo, &sha).await?)
        }
        sha => sha,
    };
    let filter = RunFilter {
        workflow,
        branch: given(arguments.branch).map(|branch| reference::branch(&branch).to_owned()),
        status: given(arguments.status).map(|status| known_status(&status)).transpose()?,
        event: given(arguments.event),
        actor: match given(arguments.actor) {
            Some(login) => Some(naming::login(&call, &login).await?),
            None => None,
        },
        head_sha,
    };
    let listed = call.api().runs(&repo, &filter, per_page, position.after.as_deref()).await?;
    let is_first = position == Position::default();
    if listed.items.is_empty() && is_first {
        known(&call, &repo, &filter).await?;
    }
    let mut page = Page::new(FROM, ("run", "runs")).note(format!("in {repo}"));
    if let Some(workflow) = filter.workflow.as_ref().filter(|_| is_first) {
        let only = filter == (RunFilter { workflow: Some(workflow.clone()), ..RunFilter::default() });
        page = page.notes(standing(&call, &repo, workflow, only && listed.items.is_empty()).await);
    }
    if let Some(actor) = &filter.actor {
        page = page.note(format!("by @{}", one_line(actor)));
    }
    for run in listed.items.iter().skip(position.skip) {
        page.push(run_row(run), &row_of(run));
    }
    let total = listed.total.unwrap_or_default();
    let filtered = [&filter.branch, &filter.status, &filter.event, &filter.actor, &filter.head_sha]
        .into_iter()
        .any(Option::is_some);
    if filtered && total > MOST_FOUND {
        page = page.note("GitHub pages through the first 1,000");
    }
    if let Some(total) = listed.total.and_then(|total| usize::try_from(total).ok()) {
        page = page.total(total);
    }
    let given = VendorPage::whole(position, page.len(), listed.next);
    Ok(Reply::page(paging::close(&call, page, given)))
}

/// Why a workflow has no newer runs, or none at all: it may be disabled, which its runs do not show.
async fn standing(call: &Call<GitHub>, repo: &Repo, workflow: &str, never: bool) -> Option<String> {
    let workflow = call.api().workflow_now(repo, workflow).await.ok()?;
    let state = one_line(&workflow.state.replace('_', " "));
    if workflow.state.starts_with("disabled") {
        let never = if never { " and has never run" } else { "" };
        let how = "run_workflow with action enable turns it on";
        return Some(format!("{} is {state}{never}: {how}", named(&workflow)));
    }
    never.then(|| format!("{} is {state} and has never run", named(&workflow)))
}

/// An empty list must not hide that a branch or a person is not there.
async fn known(call: &Call<GitHub>, repo: &Repo, filter: &RunFilter) -> Result<()> {
    if let Some(actor) = &filter.actor {
        naming::exists(call, "actor", actor).await?;
    }
    match &filter.branch {
        // Runs outlive their branch: only what never ran and is not there is unknown.
        Some(branch) => naming::branch(call, repo, "branch", branch).await,
        None => Ok(()),
    }
}

async fn workflows(call: &Call<GitHub>, repo: &Repo, position: Position, per_page: u32) -> Result<Reply> {
    let listed = call.api().workflows(repo, per_page, position.after.as_deref()).await?;
    let mut page = Page::new(FROM, ("workflow", "workflows")).note(format!("in {repo}"));
    for workflow in listed.items.iter().skip(position.skip) {
        let Workflow { id, name, state, .. } = workflow;
        let row = Row {
            id: id.clone(),
            workflow: name.clone(),
            status: state.clone(),
            title: workflow.file().to_owned(),
            branch: String::new(),
            sha: String::new(),
            event: String::new(),
            by: String::new(),
            rerun_by: None,
            started: String::new(),
            seconds: None,
        };
        page.push(
            format!(
                "{id} {} ({}), {}",
                one_line(name),
                one_line(workflow.file()),
                one_line(state).replace('_', " ")
            ),
            &row,
        );
    }
    if listed.items.iter().any(|workflow| workflow.state.starts_with("disabled")) {
        page = page.note("run_workflow with action enable turns a disabled one on");
    }
    if let Some(total) = listed.total.and_then(|total| usize::try_from(total).ok()) {
        page = page.total(total);
    }
    let given = VendorPage::whole(position, page.len(), listed.next);
    Ok(Reply::page(paging::close(call, page, given)))
}

/// A workflow by its name, file or id, as GitHub takes it in an address: its file or its id.
///
/// # Errors
/// `not_found` if no workflow has that name, `invalid_argument` if several have.
pub(super) async fn resolve(call: &Call<GitHub>, repo: &Repo, name: &str) -> Result<String> {
    let name = name.trim();
    call.bounds().is_ours(name)?;
    let is_file = [".yml", ".yaml"].iter().any(|end| name.to_lowercase().ends_with(end));
    if is_file || (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())) {
        return Ok(file_name(name).to_owned());
    }
    let all = call.api().workflows(repo, 100, None).await?.items;
    let same: Vec<_> = all.iter().filter(|workflow| workflow.name.eq_ignore_ascii_case(name)).collect();
    match same.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => {
            let names: Vec<_> = all.iter().map(named).collect();
            Err(Error::not_found(format!("{repo} has no workflow {}", one_line(name))).with_hint(
                if names.is_empty() {
                    "It has no workflows at all".to_owned()
                } else {
                    format!("It has {}", names.join(", "))
                },
            ))
        }
        several => {
            let files: Vec<_> = several.iter().map(|workflow| named(workflow)).collect();
            Err(Error::invalid(format!("Several workflows are called {}", one_line(name)))
                .with_hint(format!("Name one by its file: {}", files.join(", "))))
        }
    }
}

/// A workflow by name and file: `CI (ci.yml)`.
pub(super) fn named(workflow: &Workflow) -> String {
    format!("{} ({})", one_line(&workflow.name), one_line(workflow.file()))
}

fn known_status(given: &str) -> Result<String> {
    let word = given.to_lowercase().replace([' ', '-'], "_");
    let word = match word.as_str() {
        "failed" | "failing" => "failure",
        "passed" | "succeeded" => "success",
        "running" => "in_progress",
        "canceled" => "cancelled",
        word => word,
    };
    if STATUSES.contains(&word) {
        return Ok(word.to_owned());
    }
    let error = Error::invalid(format!("`status`: {} is not a status of a run", one_line(given)));
    Err(match nearest(word, STATUSES.into_iter()) {
        Some(near) => error.with_hint(format!("Did you mean {near}?")),
        None => error.with_hint(format!("There are: {}", STATUSES.join(", "))),
    })
}

/// How a run or a job stands, in one word: how it ended, or else its status.
pub(super) fn run_status<'a>(status: &'a str, conclusion: &'a str) -> &'a str {
    if conclusion.is_empty() { status } else { conclusion }
}

/// A run in one line.
pub(super) fn run_row(run: &Run) -> String {
    let mut row = format!("{} {} {}", run.id, one_line(&run.name), run_status(&run.status, &run.conclusion));
    if run.attempt() > 1 {
        row.push_str(&format!(" (attempt {})", run.attempt()));
    }
    row.push_str(&format!(", {} {}", one_line(&run.head_branch), short_sha(&run.head_sha)));
    row.push_str(&format!(", {} by {}, {}", one_line(&run.event), who(run), minute(&run.run_started_at)));
    if let Some(seconds) = run_seconds(run) {
        row.push_str(&format!(", {}", duration(seconds)));
    }
    row.push_str(&format!(": {}", one_line(&run.display_title)));
    row
}

/// Who caused a run, and who another attempt of it.
pub(super) fn who(run: &Run) -> String {
    let by = format!("@{}", one_line(run.by()));
    match run.rerun_by() {
        Some(other) => format!("{by}, run again by @{}", one_line(other)),
        None => by,
    }
}

fn row_of(run: &Run) -> Row {
    Row {
        id: run.id.clone(),
        workflow: run.name.clone(),
        status: run_status(&run.status, &run.conclusion).to_owned(),
        title: run.display_title.clone(),
        branch: run.head_branch.clone(),
        sha: run.head_sha.clone(),
        event: run.event.clone(),
        by: run.by().to_owned(),
        rerun_by: run.rerun_by().map(str::to_owned),
        started: run.run_started_at.clone(),
        seconds: run_seconds(run),
    }
}

/// How long a run took, once it is over.
pub(super) fn run_seconds(run: &Run) -> Option<u64> {
    if run.is_over() { between(&run.run_started_at, &run.updated_at) } else { None }
}

/// The seconds from one time to another, as GitHub writes them.
pub(super) fn between(from: &str, to: &str) -> Option<u64> {
    let (from, to): (Timestamp, Timestamp) = (from.parse().ok()?, to.parse().ok()?);
    u64::try_from(to.as_second() - from.as_second()).ok()
}

/// `4m12s`, `58s`, `1h03m`.
pub(super) fn duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The error for a run that is not there.
pub(super) fn no_run(error: Error, repo: &Repo, run: u64) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found(format!("{repo} has no run {run}, or the token may not see it"))
            .with_hint("list_runs gives the ids of runs");
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_taken_as_people_say_it() {
        for (given, means) in [("failed", "failure"), ("In Progress", "in_progress"), ("queued", "queued")] {
            assert_eq!(known_status(given).unwrap(), means);
        }
        assert!(known_status("sucess").unwrap_err().for_agent().contains("Did you mean success?"));
    }

    #[test]
    fn times_are_short() {
        assert_eq!([duration(7), duration(252), duration(3_790)], ["7s", "4m12s", "1h03m"]);
        assert_eq!(between("2026-11-22T12:00:00Z", "2026-11-22T12:04:12Z"), Some(252));
        assert_eq!(between("", "2026-11-22T12:04:12Z"), None);
    }
}
