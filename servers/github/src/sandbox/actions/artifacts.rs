//! What runs keep.

use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    ids::node_id,
    iso,
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

use super::{
    model::{Artifact, Run},
    zip,
};

/// How long an artifact is kept, in seconds (docs.github.com: 90 days, if nothing else is set).
const KEPT: u64 = 90 * 24 * 3600;

/// `GET …/actions/artifacts` and `GET …/actions/runs/{run_id}/artifacts`, by `name` too.
pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let state = cx.site.state();
    let of = match cx.variable("run_id") {
        "" => None,
        _ => Some(state.actions.run(cx.target, cx.number("run_id")?).ok_or_else(ApiError::not_found)?.id),
    };
    let runs =
        state.actions.runs.iter().filter(|run| run.repo == cx.target && of.is_none_or(|id| run.id == id));
    let mut rows: Vec<_> =
        runs.flat_map(|run| run.artifacts.iter().map(move |artifact| (run, artifact))).collect();
    rows.retain(|(run, artifact)| {
        run.latest(now).0 == "completed" && cx.query("name").is_none_or(|name| name == artifact.name)
    });
    rows.reverse();
    Ok(cx.counted("artifacts", &rows, |(run, artifact)| show(cx.site, &state, run, artifact, now)))
}

/// `GET …/actions/artifacts/{artifact_id}/{archive_format}`: a redirect to the storage; 410 once it expired.
pub(super) fn download(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let now = cx.site.harness.clock().now().as_secs();
    let (id, file) = {
        let state = cx.site.state();
        let (run, artifact) = find(&state, cx)?;
        if cx.variable("archive_format") != "zip" {
            return Err(ApiError::not_found());
        }
        if now > run.updated(now) + KEPT {
            return Err(ApiError::new(StatusCode::GONE, "Artifact has expired"));
        }
        (artifact.id, archive(artifact))
    };
    cx.site.storage.redirect(&format!("artifacts/{id}.zip"), "application/zip", file)
}

fn find<'s>(state: &'s State, cx: &RequestContext<'_>) -> Outcome<(&'s Run, &'s Artifact)> {
    let id = cx.number("artifact_id")?;
    let mut runs = state.actions.runs.iter().filter(|run| run.repo == cx.target);
    let found = runs.find_map(|run| Some((run, run.artifacts.iter().find(|artifact| artifact.id == id)?)));
    found.ok_or_else(ApiError::not_found)
}

fn archive(artifact: &Artifact) -> Vec<u8> {
    zip::stored(&[(format!("{}.txt", artifact.name), artifact.content.clone())])
}

fn show(site: &Site, state: &State, run: &Run, artifact: &Artifact, now: u64) -> Value {
    let Some(repo) = state.repos.get(run.repo) else { return Value::Null };
    let url = site.url(&format!("repos/{}/{}/actions/artifacts/{}", repo.owner, repo.name, artifact.id));
    let file = archive(artifact);
    let digest: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    let made = run.updated(now);
    json!({
        "id": artifact.id,
        "node_id": node_id("AR", artifact.id),
        "name": artifact.name,
        "size_in_bytes": file.len(),
        "url": url,
        "archive_download_url": format!("{url}/zip"),
        "expired": now > made + KEPT,
        "created_at": iso(made),
        "updated_at": iso(made),
        "expires_at": iso(made + KEPT),
        "digest": format!("sha256:{digest}"),
        "workflow_run": {
            "id": run.id,
            "repository_id": run.repo,
            "head_repository_id": run.repo,
            "head_branch": run.branch,
            "head_sha": run.sha,
        },
    })
}
