//! `run_workflow`: starts a workflow, turns it on or off, runs a run again, or stops one.
//!
//! It asks before it starts or repeats a workflow, which may do anything; what one call undoes goes without.

use std::{collections::BTreeMap, time::Duration};

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, words},
    clock,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::{
    run_detail::all_jobs,
    runs::{named, no_run, resolve, run_status},
};
use crate::{
    GitHub,
    api::actions::{Again, Job, Run, RunFilter, Workflow},
    render::short_sha,
    repo::Repo,
    workflow_file::{ByHand, by_hand, checked},
};

/// How often a run is looked for that GitHub did not name, and the pause before each look.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// Jobs that a reply names, at most.
const JOBS: usize = 10;
/// How old a run may be that is taken for the one just started, in seconds.
const RECENT: i64 = 120;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive(
            "run_workflow",
            "Run a workflow",
            "Start, enable or disable a workflow; rerun or cancel a run.",
            run_workflow,
        )
        .toolset("actions")
        .scopes(&["workflow", "repo"])
        .aliases(&[("workflow_id", "workflow"), ("branch", "ref"), ("id", "run_id")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunWorkflow {
    repo: Option<String>,
    action: Action,
    workflow: Option<String>,
    #[serde(rename = "ref")]
    at: Option<String>,
    #[serde(default)]
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    inputs: Option<Map<String, Value>>,
    run_id: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Dispatch,
    Rerun,
    RerunFailed,
    Cancel,
    Enable,
    Disable,
}

async fn run_workflow(call: Call<GitHub>, arguments: RunWorkflow) -> Result<Plan> {
    let RunWorkflow { repo, action, workflow, at, inputs, run_id } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    // A preview must not promise what is refused afterwards.
    call.bounds().permits(&repo, Effect::Write)?;
    if action == Action::Dispatch {
        if run_id.is_some() {
            return Err(Error::invalid("`run_id` is for rerun, rerun_failed and cancel")
                .with_hint("dispatch takes `workflow`, and `ref` and `inputs` where needed"));
        }
        let name = workflow.ok_or_else(|| {
            Error::invalid("dispatch needs `workflow`").with_hint("list_runs with kind workflows gives them")
        })?;
        return dispatch(call, repo, &name, at, &inputs.unwrap_or_default()).await;
    }
    if matches!(action, Action::Enable | Action::Disable) {
        if run_id.is_some() || at.is_some() || inputs.is_some() {
            return Err(Error::invalid("enable and disable take `workflow` and nothing else"));
        }
        let name = workflow.ok_or_else(|| {
            Error::invalid("enable and disable need `workflow`")
                .with_hint("list_runs with kind workflows gives them")
        })?;
        return switch(call, repo, &name, action == Action::Enable).await;
    }
    let run = run_id.ok_or_else(|| {
        Error::invalid("rerun, rerun_failed and cancel need `run_id`")
            .with_hint("list_runs gives the ids of runs")
    })?;
    if workflow.is_some() || at.is_some() || inputs.is_some() {
        return Err(Error::invalid("`workflow`, `ref` and `inputs` are for dispatch")
            .with_hint("A run is repeated as it was"));
    }
    let before = call.api().run_of(&repo, run, None).await.map_err(|error| no_run(error, &repo, run))?;
    match action {
        Action::Cancel => Ok(cancel(call, repo, run, before)),
        Action::RerunFailed => rerun(call, repo, run, before, Again::Failed).await,
        _ => rerun(call, repo, run, before, Again::All).await,
    }
}

/// A run in a few words: `run 90043 CI (failure) of tomas/eng-31-progress 0123456789ab`.
fn described(run: &Run) -> String {
    format!(
        "run {} {} ({}) of {} {}",
        run.id,
        one_line(&run.name),
        run_status(&run.status, &run.conclusion),
        one_line(&run.head_branch),
        short_sha(&run.head_sha)
    )
}

async fn switch(call: Call<GitHub>, repo: Repo, name: &str, on: bool) -> Result<Plan> {
    let resolved = resolve(&call, &repo, name).await?;
    let workflow =
        call.api().workflow_now(&repo, &resolved).await.map_err(|error| no_workflow(error, &repo, name))?;
    let what = format!("{} of {repo}", named(&workflow));
    let is = one_line(&workflow.state.replace('_', " "));
    // What GitHub itself disabled can be disabled by hand only once it runs.
    if (workflow.state == "active") == on {
        return Ok(Plan::nothing(Reply::written(Written::new(format!("Nothing to do: {what} is {is}.")))));
    }
    let (word, done, to) =
        if on { ("Enable", "enabled", "active") } else { ("Disable", "disabled", "disabled manually") };
    let change = format!("state {is} → {to}");
    let preview = Written::new(format!("{word} {what}")).change(change.clone());
    let seen = (workflow.id.clone(), workflow.state.clone());
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = call.api().switch_workflow(&repo, &workflow, on).await;
        let after = call.api().workflow_now(&repo, &workflow.id).await;
        let switched = after.is_ok_and(|after| (after.state == "active") == on);
        let ((), lost) = reconcile::created(sent, async { switched.then_some(()) }).await?;
        let summary = reconcile::summary("GitHub", lost, &format!("{done} {what}"));
        let page = format!("{}{repo}/actions/workflows/{}", call.api().web(), workflow.file());
        let undo = format!("run_workflow with action {} undoes it.", if on { "disable" } else { "enable" });
        Ok(Reply::written(Written::new(summary).change(change).id(workflow.id).url(page)).line(undo))
    })
    .state(&seen)
    .harmless())
}

async fn dispatch(
    call: Call<GitHub>,
    repo: Repo,
    name: &str,
    at: Option<String>,
    inputs: &Map<String, Value>,
) -> Result<Plan> {
    let resolved = resolve(&call, &repo, name).await?;
    let workflow =
        call.api().workflow(&repo, &resolved).await.map_err(|error| no_workflow(error, &repo, name))?;
    if !workflow.state.is_empty() && workflow.state != "active" {
        return Err(Error::new(
            Kind::Conflict,
            format!("{} is {}", named(&workflow), one_line(&workflow.state.replace('_', " "))),
        )
        .with_hint("run_workflow with action enable turns it on"));
    }
    let at = match at.map(|at| at.trim().to_owned()).filter(|at| !at.is_empty()) {
        Some(at) => at,
        None => call.api().access(&repo).await?.default_branch,
    };
    let (inputs, unchecked) = check(&call, &repo, &workflow, &at, inputs).await?;
    let what = format!("{} of {repo} at {}", named(&workflow), one_line(&at));
    let mut preview = Written::new(format!("Start {what}"));
    for (name, value) in &inputs {
        preview =
            preview.change(format!("{} = {}", one_line(name), one_line(value.as_str().unwrap_or_default())));
    }
    let changes = preview.changed.clone();
    let mut preview = Reply::written(preview);
    if let Some(why) = unchecked {
        preview = preview.line(why);
    }
    let seen = (workflow.id.clone(), at.clone());
    Ok(Plan::new(preview, move || async move {
        let id = match call.api().dispatch(&repo, &workflow, &at, &inputs).await? {
            Some(id) => Some(id),
            None => begun(&call, &repo, &workflow).await,
        };
        let mut written = match &id {
            Some(id) => {
                Written::new(format!("Started {what}: run {id}.")).id(id.clone()).url(page(&call, &repo, id))
            }
            None => Written::new(format!("Started {what}; which run it is cannot be told yet.")),
        };
        written.changed = changes;
        let next = match id {
            Some(id) => format!("get_run with run_id {id} and wait_seconds waits for its end."),
            None => format!(
                "list_runs with workflow {} and event workflow_dispatch shows it soon.",
                workflow.file()
            ),
        };
        Ok(Reply::written(written).line(next))
    })
    .state(&seen)
    .once())
}

/// The inputs as GitHub takes them, checked where the workflow's file can be read and understood; or a word
/// on why they were not.
async fn check(
    call: &Call<GitHub>,
    repo: &Repo,
    workflow: &Workflow,
    at: &str,
    inputs: &Map<String, Value>,
) -> Result<(Map<String, Value>, Option<&'static str>)> {
    let file = match call.api().workflow_file(repo, &workflow.path, at).await {
        Ok(Some(file)) => file,
        Ok(None) => {
            return Err(Error::not_found(format!(
                "{repo} has no {} at {}",
                one_line(&workflow.path),
                one_line(at)
            ))
            .with_hint("A workflow is started from a branch or tag that has its file"));
        }
        // A token may run workflows and not read files.
        Err(error) if error.kind() == Kind::Permission => {
            return Ok((
                checked(inputs, None)?,
                Some("The workflow's file may not be read: the inputs are not checked."),
            ));
        }
        Err(error) => return Err(error),
    };
    match by_hand(&file) {
        ByHand::Yes(declared) => Ok((checked(inputs, Some(&declared))?, None)),
        ByHand::No => Err(Error::invalid(format!(
            "{} cannot be started by hand: at {} it has no workflow_dispatch trigger",
            named(workflow),
            one_line(at)
        ))
        .with_hint("rerun repeats one of its runs")),
        ByHand::Unclear => Ok((
            checked(inputs, None)?,
            Some(
                "The workflow's file is written in a way that is not understood here: the inputs are not checked.",
            ),
        )),
    }
}

/// The run that a dispatch began, where GitHub did not name it: the only one by hand of the last two minutes.
async fn begun(call: &Call<GitHub>, repo: &Repo, workflow: &Workflow) -> Option<String> {
    let filter = RunFilter {
        workflow: Some(workflow.id.clone()),
        event: Some("workflow_dispatch".to_owned()),
        ..RunFilter::default()
    };
    let since = i64::try_from(clock::wall().as_secs()).unwrap_or_default() - RECENT;
    for _ in 0..LOOKS {
        sleep(PAUSE).await;
        let Ok(runs) = call.api().runs(repo, &filter, 5, None).await else { continue };
        let recent: Vec<_> = runs
            .items
            .into_iter()
            .filter(|run| run.created_at.parse::<Timestamp>().is_ok_and(|time| time.as_second() >= since))
            .collect();
        match recent.as_slice() {
            [] => {}
            [one] => return Some(one.id.clone()),
            // Which of them is ours, nobody can tell.
            _ => return None,
        }
    }
    None
}

/// Where a person looks at a run.
fn page(call: &Call<GitHub>, repo: &Repo, run: &str) -> String {
    format!("{}{repo}/actions/runs/{run}", call.api().web())
}

/// The jobs that run again, as far as they can be read.
async fn again(call: &Call<GitHub>, repo: &Repo, id: u64, which: Again) -> Option<String> {
    let jobs = all_jobs(call, repo, id, None).await.ok()?;
    let runs = |job: &&Job| which == Again::All || job.failed();
    let names: Vec<_> = jobs.items.iter().filter(runs).map(|job| one_line(&job.name)).collect();
    // GitHub repeats what depends on a failed job with it (docs.github.com, "Re-run failed jobs from a workflow run").
    let more = if which == Again::Failed { "; others only if they need one of these" } else { "" };
    (!names.is_empty()).then(|| format!("jobs: {}{more}", words::listed(&names, JOBS)))
}

async fn rerun(call: Call<GitHub>, repo: Repo, id: u64, before: Run, which: Again) -> Result<Plan> {
    if !before.is_over() {
        return Err(Error::new(Kind::Conflict, format!("The {} is not over", described(&before)))
            .with_hint("Wait for it with get_run and wait_seconds, or cancel it first"));
    }
    if which == Again::Failed && before.conclusion == "success" {
        return Ok(Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to rerun: no job failed in the {}.",
            described(&before)
        )))));
    }
    let what = match which {
        Again::All => "all jobs",
        Again::Failed => "the failed jobs",
    };
    let mut preview = Written::new(format!("Rerun {what} of the {}", described(&before))).change(format!(
        "attempt {} → {}",
        before.attempt(),
        before.attempt() + 1
    ));
    let jobs = again(&call, &repo, id, which).await;
    preview.changed.extend(jobs.clone());
    let seen = (before.attempt(), before.head_sha.clone());
    Ok(Plan::new(Reply::written(preview), move || async move {
        let done = call.api().rerun(&repo, id, which).await;
        // What was answered, or what can be seen of it.
        let after = call.api().run_of(&repo, id, None).await;
        let began = after.as_ref().is_ok_and(|after| after.attempt() > before.attempt());
        let ((), lost) = reconcile::created(done, async { began.then_some(()) }).await?;
        let attempt = if began {
            let after = after.as_ref().map_or_else(|_| before.attempt() + 1, Run::attempt);
            format!("attempt {after}")
        } else {
            "GitHub accepted it and shows the new attempt soon".to_owned()
        };
        let running = format!("rerunning {what} of run {id}: {attempt}");
        let mut written = Written::new(reconcile::summary("GitHub", lost, &running))
            .id(id.to_string())
            .url(page(&call, &repo, &id.to_string()));
        written.changed.extend(jobs);
        Ok(Reply::written(written).line(format!(
            "get_run with run_id {id} and wait_seconds waits for its end; run_workflow with action cancel stops it."
        )))
    })
    .state(&seen))
}

fn cancel(call: Call<GitHub>, repo: Repo, id: u64, before: Run) -> Plan {
    if before.is_over() {
        return Plan::nothing(Reply::written(Written::new(format!(
            "Nothing to cancel: the {} is over.",
            described(&before)
        ))));
    }
    let preview = Written::new(format!("Cancel the {}", described(&before)));
    let seen = (before.attempt(), before.head_sha.clone());
    Plan::new(Reply::written(preview), move || async move {
        let done = call.api().cancel(&repo, id).await;
        let after = call.api().run_of(&repo, id, None).await;
        let stands = |run: &Run| run_status(&run.status, &run.conclusion).to_owned();
        let summary = match (&done, &after) {
            (Ok(()), Ok(after)) if after.is_over() => format!("Run {id} is {}.", stands(after)),
            (Ok(()), _) => format!("GitHub is cancelling run {id}; its jobs may take a moment to stop."),
            // It ended by itself before the request arrived.
            (Err(error), Ok(after)) if error.kind() == Kind::Conflict && after.is_over() => {
                format!("Run {id} was over before it could be cancelled: {}.", stands(after))
            }
            _ => String::new(),
        };
        if let (Err(error), true) = (done, summary.is_empty()) {
            return Err(error);
        }
        let written = Written::new(summary).id(id.to_string()).url(page(&call, &repo, &id.to_string()));
        Ok(Reply::written(written).line("run_workflow with action rerun runs it again."))
    })
    .state(&seen)
    .harmless()
}

fn no_workflow(error: Error, repo: &Repo, name: &str) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found(format!(
            "{repo} has no workflow {}, or the token may not see it",
            one_line(name)
        ))
        .with_hint("list_runs with kind workflows gives them");
    }
    error
}
