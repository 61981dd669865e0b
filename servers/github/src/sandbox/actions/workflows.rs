//! Workflows, and starting one by hand.

use http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::model::{Attempt, Input, Job, Run, Workflow};

/// The version of the API since which a dispatch tells the run that it started (docs.github.com, "Breaking
/// changes": 2026-03-10).
const TELLS_THE_RUN: &str = "2026-03-10";

/// `GET …/actions/workflows`.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let of = state.actions.workflows.iter().filter(|workflow| workflow.repo == cx.target);
    let workflows: Vec<_> = of.collect();
    Ok(cx.counted("workflows", &workflows, |workflow| show(cx.site, &state, workflow)))
}

/// `GET …/actions/workflows/{workflow_id}`: by id or the file's name.
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let found = state.actions.workflow(cx.target, cx.variable("workflow_id"));
    Ok(FakeResponse::json(show(cx.site, &state, found.ok_or_else(ApiError::not_found)?)))
}

/// `PUT …/actions/workflows/{workflow_id}/enable`.
pub(super) fn enable(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    switch(cx, "active")
}

/// `PUT …/actions/workflows/{workflow_id}/disable`.
pub(super) fn disable(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    switch(cx, "disabled_manually")
}

fn switch(cx: &RequestContext<'_>, to: &'static str) -> Outcome<FakeResponse> {
    let now = cx.site.now();
    let mut state = cx.site.state();
    let id = state.actions.workflow(cx.target, cx.variable("workflow_id")).map(|workflow| workflow.id);
    let workflow = state.actions.workflows.iter_mut().find(|workflow| Some(workflow.id) == id);
    let workflow = workflow.ok_or_else(ApiError::not_found)?;
    workflow.state = to;
    workflow.updated = now;
    Ok(FakeResponse::none())
}

/// `POST …/actions/workflows/{workflow_id}/dispatches`.
pub(super) fn dispatch(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let now = cx.site.harness.clock().now().as_secs();
    let mut state = cx.site.state();
    let state = &mut *state;
    let workflow =
        state.actions.workflow(cx.target, cx.variable("workflow_id")).ok_or_else(ApiError::not_found)?;
    let workflow = workflow.clone();
    let Some(inputs) = &workflow.inputs else {
        return Err(ApiError::unprocessable("Workflow does not have 'workflow_dispatch' trigger"));
    };
    if workflow.state != "active" {
        let message = "Cannot trigger a 'workflow_dispatch' on a disabled workflow";
        return Err(ApiError::unprocessable(message));
    }
    let Some(given) = body.get("ref").and_then(Value::as_str) else {
        return Err(ApiError::unprocessable("Invalid request.\n\n\"ref\" wasn't supplied."));
    };
    let repo = state.repos.get(cx.target).ok_or_else(ApiError::not_found)?;
    let no_ref = || ApiError::unprocessable(format!("No ref found for: {given}"));
    let name = given.strip_prefix("refs/heads/").or(given.strip_prefix("refs/tags/")).unwrap_or(given);
    // A commit's id is not enough.
    if repo.git.branch(name).or_else(|| repo.git.reference(&format!("refs/tags/{name}"))).is_none() {
        return Err(no_ref());
    }
    let sha = repo.resolve(given).ok_or_else(no_ref)?;
    check(inputs, body.get("inputs").unwrap_or(&Value::Null))?;
    let full_name = format!("{}/{}", repo.owner, repo.name);
    let actor = cx.caller.login().to_owned();
    let run = start(state, &workflow, "workflow_dispatch", name, &sha, &workflow.name, &actor, now);
    let version = cx.headers.get("x-github-api-version").and_then(|value| value.to_str().ok());
    let asked = body.get("return_run_details") == Some(&Value::Bool(true));
    if !asked && version != Some(TELLS_THE_RUN) {
        return Ok(FakeResponse::none());
    }
    Ok(FakeResponse::json(json!({
        "workflow_run_id": run,
        "run_url": cx.site.url(&format!("repos/{full_name}/actions/runs/{run}")),
        "html_url": format!("https://github.com/{full_name}/actions/runs/{run}"),
    }))
    .with_status(StatusCode::OK))
}

/// Whether these inputs are those of the workflow.
fn check(known: &[Input], given: &Value) -> Outcome<()> {
    let given = given.as_object().cloned().unwrap_or_default();
    let strange: Vec<_> =
        given.keys().filter(|name| !known.iter().any(|input| input.name == **name)).collect();
    if !strange.is_empty() {
        let names: Vec<_> = strange.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(ApiError::unprocessable(format!("Unexpected inputs provided: [{}]", names.join(", "))));
    }
    for input in known {
        match given.get(&input.name) {
            None if input.required => {
                let message = format!("Required input '{}' not provided", input.name);
                return Err(ApiError::unprocessable(message));
            }
            Some(value) if !input.options.is_empty() => {
                let value = value.as_str().unwrap_or_default();
                if !input.options.iter().any(|option| option == value) {
                    return Err(ApiError::unprocessable(format!(
                        "Provided value '{value}' for input '{}' not in the list of allowed values",
                        input.name
                    )));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Starts a run and answers its id.
#[allow(clippy::too_many_arguments, reason = "what a run is of")]
pub(super) fn start(
    state: &mut State,
    workflow: &Workflow,
    event: &str,
    branch: &str,
    sha: &str,
    title: &str,
    actor: &str,
    now: u64,
) -> u64 {
    let (id, suite) = (state.next_id(), state.next_id());
    let jobs = workflow.plan.iter().map(|plan| Job::new(plan, state.next_id(), 1, now, None)).collect();
    let mut number = 1;
    if let Some(workflow) = state.actions.workflows.iter_mut().find(|known| known.id == workflow.id) {
        workflow.runs += 1;
        number = workflow.runs;
    }
    state.actions.runs.push(Run {
        id,
        repo: workflow.repo,
        workflow: workflow.id,
        number,
        event: event.to_owned(),
        branch: branch.to_owned(),
        sha: sha.to_owned(),
        title: title.to_owned(),
        actor: actor.to_owned(),
        created: now,
        suite,
        attempts: vec![Attempt { actor: actor.to_owned(), started: now, jobs }],
        artifacts: Vec::new(),
    });
    id
}

fn show(site: &Site, state: &State, workflow: &Workflow) -> Value {
    let Some(repo) = state.repos.get(workflow.repo) else { return Value::Null };
    let full_name = format!("{}/{}", repo.owner, repo.name);
    let html = format!("https://github.com/{full_name}");
    json!({
        "id": workflow.id,
        "node_id": node_id("W", workflow.id),
        "name": workflow.name,
        "path": workflow.path(),
        "state": workflow.state,
        "created_at": workflow.created,
        "updated_at": workflow.updated,
        "url": site.url(&format!("repos/{full_name}/actions/workflows/{}", workflow.id)),
        "html_url": format!("{html}/blob/{}/{}", repo.default_branch, workflow.path()),
        "badge_url": format!("{html}/workflows/{}/badge.svg", workflow.name.replace(' ', "%20")),
    })
}
