//! Branches, tags, commits, releases, repositories and runs.

use serde_json::{Value, json};

use super::{BEFORE, FREE, head, merged};
use crate::servers::github::about;
use crate::{IdForm, Marked, Sample, THE_ID, texts_of};

fn reference(kind: &str, name: &str, more: Value) -> Sample {
    about("manage_ref", merged(json!({"kind": kind, "name": name}), more))
}

/// What becomes of branches and tags.
pub(super) fn refs(marker: &str) -> Vec<Marked> {
    let branch = |more| reference("branch", marker, more);
    let tag = |more| reference("tag", marker, more);
    let new_branch = || branch(json!({"action": "create", "from": "main"}));
    let new_tag = |more| tag(merged(json!({"action": "create", "from": "main"}), more));
    let gone = || json!({"action": "delete"});
    vec![
        Marked::makes(new_branch()).in_texts(branches),
        Marked::after(new_branch(), branch(gone())).in_texts(branches).removes(),
        Marked::makes(new_tag(json!({}))).in_texts(tags),
        Marked::makes(new_tag(json!({"message": "Calm"}))).in_texts(tags),
        Marked::after(new_tag(json!({})), tag(gone())).in_texts(tags).removes(),
    ]
}

/// What is committed.
pub(super) fn commits(marker: &str) -> Vec<Marked> {
    let new_branch = || reference("branch", marker, json!({"action": "create", "from": "main"}));
    let to_branch = |changes: Value| {
        let write = about("commit_files", json!({"branch": marker, "message": marker, "changes": changes}));
        Marked::after(new_branch(), write).in_texts(ahead).guarded("expected_head", head)
    };
    let edits = json!([{"old": "# Importing stock", "new": "# Importing any stock"}]);
    let moved = json!([{"path": "src/parts.rs", "move_from": "src/worker.rs"},
        {"path": "scripts/backfill.sh", "delete": true}, {"path": "docs/import.md", "edits": edits}]);
    let bytes = json!([{"path": "scripts/storm.sh", "content": "YSxi", "base64": true, "executable": true}]);
    let begun = json!({"branch": marker, "from": FREE, "message": marker, "changes": bytes});
    vec![
        to_branch(json!([{"path": "docs/storm.md", "content": "Calm.\n"}])),
        to_branch(moved),
        Marked::makes(about("commit_files", begun)).in_texts(branches),
    ]
}

/// What is released.
pub(super) fn releases(marker: &str) -> Vec<Marked> {
    let release =
        |more: Value| about("create_release", merged(json!({"tag": marker, "target": "main"}), more));
    let draft = |body: &str| release(json!({"draft": true, "body": body}));
    let published = json!({"name": marker, "generate_notes": true, "prerelease": true});
    vec![
        Marked::makes(release(json!({"name": marker}))).in_texts(|state| of_releases(state, "name")),
        Marked::makes(release(published)).in_texts(|state| of_releases(state, "name")),
        Marked::after(draft(BEFORE), draft(marker)).in_texts(|state| of_releases(state, "body")),
    ]
}

/// Repositories and runs.
pub(super) fn others(marker: &str) -> Vec<Marked> {
    let repo = |more: Value| Marked::makes(Sample::new("create_repo", merged(json!({"name": marker}), more)));
    let inputs = json!({"environment": "staging", "version": "v2.14.0"});
    let dispatch = json!({"action": "dispatch", "workflow": "deploy.yml", "ref": marker, "inputs": inputs});
    let dispatch = || about("run_workflow", dispatch.clone());
    let new_branch = || reference("branch", marker, json!({"action": "create", "from": "main"}));
    let again = about("run_workflow", json!({"action": "rerun", "run_id": THE_ID}));
    vec![
        repo(json!({"org": "harbor-example", "private": true, "auto_init": true})).in_texts(repositories),
        repo(json!({"description": "Calm"})).in_texts(repositories),
        Marked::after(new_branch(), dispatch()).in_texts(|state| runs(state, 1)),
        Marked::after(new_branch(), again)
            .step(dispatch(), Some(IdForm::DigitsAfter(": run ")))
            .in_texts(|state| runs(state, 2)),
    ]
}

/// The names of the refs of a kind of which something holds, given the commit that each is at.
fn refs_where(state: &Value, kind: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let refs = state["repos"]["repos"]["3001"]["git"]["refs"].as_object().into_iter().flatten();
    refs.filter(|(name, head)| name.starts_with(kind) && holds(head)).map(|(name, _)| name.clone()).collect()
}

fn branches(state: &Value) -> Vec<String> {
    refs_where(state, "refs/heads/", |_| true)
}

fn tags(state: &Value) -> Vec<String> {
    refs_where(state, "refs/tags/", |_| true)
}

/// The names of the branches that are no longer where the default branch is.
fn ahead(state: &Value) -> Vec<String> {
    let main = &state["repos"]["repos"]["3001"]["git"]["refs"]["refs/heads/main"];
    refs_where(state, "refs/heads/", |head| head != main)
}

/// A text of the releases.
fn of_releases(state: &Value, key: &str) -> Vec<String> {
    texts_of(&state["repos"]["repos"]["3001"]["releases"], key)
}

/// The names of the repositories.
fn repositories(state: &Value) -> Vec<String> {
    let repos = state["repos"]["repos"].as_object().into_iter().flatten();
    repos.filter_map(|(_, repo)| repo["name"].as_str().map(str::to_owned)).collect()
}

/// The branches of the runs that were started by hand, of so many attempts or more.
fn runs(state: &Value, attempts: usize) -> Vec<String> {
    let runs = state["actions"]["runs"].as_array().cloned().unwrap_or_default();
    let runs = runs.iter().filter(|run| {
        run["event"] == "workflow_dispatch"
            && run["attempts"].as_array().is_some_and(|all| all.len() >= attempts)
    });
    runs.filter_map(|run| run["branch"].as_str().map(str::to_owned)).collect()
}
