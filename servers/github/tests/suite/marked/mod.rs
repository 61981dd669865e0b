//! Writes of every kind that there is on GitHub, each with a marker: what a storm is made of.

mod code;
mod pulls;
mod social;
mod tracker;

use serde_json::{Value, json};

use super::about;
use crate::{Marked, Sample};

/// What no storm can write, and why.
pub(super) const NOT_MARKED: &[(&str, &str)] = &[
    ("update_notifications", "a notification comes of what others do: no tool makes one"),
    ("merge_pr.mode=queue", "no branch of the story has a merge queue"),
    ("run_workflow.action=rerun_failed", "no run that a tool starts fails"),
    ("run_workflow.action=cancel", "what a tool starts is over before the storm begins"),
    ("run_workflow.action=enable", "workflows are the story's: no tool makes one"),
    ("run_workflow.action=disable", "workflows are the story's: no tool makes one"),
    ("update_pr.set=update_branch", "the state has commits by their ids, which do not tell a merge"),
    ("review_pr.comments.side", "it says where in the diff a comment stands"),
];

/// What things are before they are written to.
const BEFORE: &str = "Before the storm.";
/// A branch that nobody protects.
const FREE: &str = "release/2.14";

/// The writes.
pub(super) fn writes(marker: &str) -> Vec<Marked> {
    let mut all = tracker::creates(marker);
    all.extend(tracker::changes(marker));
    all.extend(tracker::links(marker));
    all.extend(tracker::comments(marker));
    all.extend(tracker::board(marker));
    all.extend(code::refs(marker));
    all.extend(code::commits(marker));
    all.extend(code::releases(marker));
    all.extend(code::others(marker));
    all.extend(pulls::changes(marker));
    all.extend(pulls::merges(marker));
    all.extend(pulls::reviews(marker));
    all.extend(social::gists(marker));
    all.extend(social::discussions(marker));
    all.extend(social::projects(marker));
    all
}

/// `arguments` and `more` of them.
fn merged(mut arguments: Value, more: Value) -> Value {
    if let (Some(arguments), Value::Object(more)) = (arguments.as_object_mut(), more) {
        arguments.extend(more);
    }
    arguments
}

/// A commit of one file to the branch of this name, which it begins at `from`.
fn commit(branch: &str, from: &str) -> Sample {
    let changes = json!([{"path": format!("docs/{branch}.md"), "content": "Calm.\n"}]);
    about("commit_files", json!({"branch": branch, "from": from, "message": "Calm", "changes": changes}))
}

/// A text of the issues and pull requests of which something holds.
fn issues(state: &Value, key: &str, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let issues = all_issues(state).filter(|issue| holds(issue));
    issues.filter_map(|issue| issue[key].as_str().map(str::to_owned)).collect()
}

/// The issues and pull requests.
fn all_issues(state: &Value) -> impl Iterator<Item = &Value> {
    let issues = state["tracker"]["boards"]["3001"]["issues"].as_object();
    issues.into_iter().flatten().map(|(_, issue)| issue)
}

/// When the issue or pull request of this number was changed last.
fn updated(state: &Value, number: &str) -> Option<String> {
    let issue = &state["tracker"]["boards"]["3001"]["issues"][number];
    issue["updated_at"].as_str().map(str::to_owned)
}

/// Where a branch is.
fn head(state: &Value, branch: &str) -> Option<String> {
    let refs = &state["repos"]["repos"]["3001"]["git"]["refs"];
    refs[format!("refs/heads/{branch}")].as_str().map(str::to_owned)
}
