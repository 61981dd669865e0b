//! Pull requests and reviews.

use serde_json::{Value, json};

use super::{BEFORE, FREE, commit, head, issues, merged, updated};
use crate::servers::github::{PULL, about};
use crate::{IdForm, Marked, Sample, THE_ID};

/// A write to a pull request of its own.
fn pull(marker: &str, base: &str, more: Value, write: Sample) -> Marked {
    let open = merged(json!({"title": marker, "head": marker, "base": base, "body": BEFORE}), more);
    Marked::after(commit(marker, base), write)
        .step(about("create_pr", open), Some(IdForm::DigitsAfter("import-api#")))
}

fn update(more: Value) -> Sample {
    about("update_pr", merged(json!({"number": THE_ID}), more))
}

fn merge(more: Value) -> Sample {
    about("merge_pr", merged(json!({"number": THE_ID}), more))
}

fn review(event: &str, more: Value) -> Sample {
    about("review_pr", merged(json!({"number": THE_ID, "event": event}), more))
}

/// What opens and changes pull requests.
pub(super) fn changes(marker: &str) -> Vec<Marked> {
    let whole = json!({"title": marker, "head": marker, "base": FREE, "body": "Why?", "draft": true,
        "reviewers": ["tomas"], "labels": ["importer"], "assignees": ["maya"]});
    let edits = json!([{"old": BEFORE, "new": marker}]);
    let titled = |title: &str, more: Value, write: Value| {
        pull(marker, FREE, merged(json!({"title": title}), more), update(write))
            .guarded("expected_updated_at", updated)
    };
    let own = |more: Value, write: Value| pull(marker, FREE, more, update(write));
    let set = |what: &str| json!({"set": what});
    let auto = merge(json!({"mode": "auto", "method": "squash"}));
    vec![
        Marked::after(commit(marker, FREE), about("create_pr", whole))
            .in_texts(|state| issues(state, "title", |_| true)),
        titled("Storm", json!({}), json!({"title": marker}))
            .in_texts(|state| issues(state, "title", |_| true)),
        titled("Storm", json!({}), json!({"body": marker})).in_texts(bodies),
        titled("Storm", json!({}), json!({"body_edits": edits})).in_texts(bodies),
        own(json!({"body": marker}), json!({"clear": ["body"]})).in_texts(bodies).removes(),
        own(json!({}), json!({"base": "main"})).in_texts(|state| pulls(state, |pull| pull["base"] == "main")),
        own(json!({}), json!({"add_reviewers": ["tomas"]})).in_texts(asked),
        own(json!({"reviewers": ["tomas"]}), json!({"remove_reviewers": ["tomas"]}))
            .in_texts(asked)
            .removes(),
        own(json!({}), set("draft")).in_texts(drafts),
        own(json!({"draft": true}), set("ready")).in_texts(drafts).removes(),
        own(json!({}), set("close")).in_texts(open).removes(),
        own(json!({}), set("reopen")).step(update(set("close")), None).in_texts(open),
        own(json!({}), set("revert"))
            .step(merge(json!({"mode": "now", "method": "merge"})), None)
            .in_texts(|state| issues(state, "title", |issue| issue["title"].to_string().contains("Revert"))),
        pull(marker, "main", json!({}), update(set("auto_merge_off")))
            .step(auto, None)
            .in_texts(waiting)
            .removes(),
    ]
}

/// What merges them.
pub(super) fn merges(marker: &str) -> Vec<Marked> {
    let own = |more: Value| {
        pull(marker, FREE, json!({}), merge(more))
            .in_texts(|state| pulls(state, |pull| pull["merged_at"].is_string()))
            .guarded("expected_head", pull_head)
    };
    vec![
        own(json!({"mode": "now", "method": "merge", "message": "Calm"})),
        own(json!({"method": "squash", "delete_branch": true})),
        own(json!({"method": "rebase"})),
        pull(marker, "main", json!({}), merge(json!({"mode": "auto", "method": "merge"}))).in_texts(waiting),
    ]
}

/// What is said of them line by line.
pub(super) fn reviews(marker: &str) -> Vec<Marked> {
    let lines = |body: &str| json!([{"path": format!("docs/{marker}.md"), "line": 1, "body": body}]);
    let own = |write: Sample| pull(marker, FREE, json!({}), write);
    let others = |event: &str| {
        Marked::makes(about("review_pr", json!({"number": PULL, "event": event, "body": marker})))
    };
    let threads = |resolved: bool| {
        Sample::new("resolve_threads", json!({"thread_ids": [THE_ID], "resolved": resolved}))
    };
    let thread = |resolved: bool| {
        own(threads(resolved)).step(review("comment", json!({"comments": lines(BEFORE)})), None).step(
            about("get_pr", json!({"number": THE_ID, "include": ["threads"]})),
            Some(IdForm::Word("PRRT_")),
        )
    };
    vec![
        others("approve"),
        others("request_changes"),
        others("comment"),
        own(review("comment", json!({"comments": lines(marker)})))
            .in_texts(|state| super::tracker::remarks(state, |_| true)),
        own(review("pending", json!({"body": marker}))).in_texts(pending),
        own(review("submit_pending", json!({"body": marker})))
            .step(review("pending", json!({"body": BEFORE, "comments": lines(BEFORE)})), None)
            .in_texts(|state| reviews_where(state, |review| review["state"] != "Pending")),
        own(review("discard_pending", json!({})))
            .step(review("pending", json!({"body": marker})), None)
            .in_texts(pending)
            .removes(),
        thread(true).in_texts(resolved),
        thread(false).step(threads(true), None).in_texts(resolved).removes(),
    ]
}

/// The titles of the pull requests of which something holds.
fn pulls(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    issues(state, "title", |issue| issue["pull"].is_object() && holds(&issue["pull"]))
}

fn bodies(state: &Value) -> Vec<String> {
    issues(state, "body", |_| true)
}

fn open(state: &Value) -> Vec<String> {
    issues(state, "title", |issue| issue["open"] == true)
}

fn drafts(state: &Value) -> Vec<String> {
    pulls(state, |pull| pull["draft"] == true)
}

/// The titles of those that somebody is asked to review.
fn asked(state: &Value) -> Vec<String> {
    pulls(state, |pull| pull["requested"] != json!([]))
}

/// The titles of those that wait to be merged.
fn waiting(state: &Value) -> Vec<String> {
    pulls(state, |pull| pull["auto_merge"].is_object())
}

/// Where the branch of a pull request is.
fn pull_head(state: &Value, number: &str) -> Option<String> {
    let pull = &state["tracker"]["boards"]["3001"]["issues"][number]["pull"];
    head(state, pull["head"].as_str()?)
}

/// What hangs on the pull requests.
fn hanging(state: &Value, list: &str) -> Vec<Value> {
    super::all_issues(state).filter_map(|issue| issue["pull"][list].as_array().cloned()).flatten().collect()
}

/// The files of the threads that are resolved.
fn resolved(state: &Value) -> Vec<String> {
    let threads = hanging(state, "threads").into_iter().filter(|thread| thread["resolved_by"].is_string());
    threads.filter_map(|thread| thread["path"].as_str().map(str::to_owned)).collect()
}

/// The texts of the reviews that nobody else sees yet.
fn pending(state: &Value) -> Vec<String> {
    reviews_where(state, |review| review["state"] == "Pending")
}

/// The texts of the reviews of which something holds.
fn reviews_where(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let reviews = hanging(state, "reviews").into_iter().filter(|review| holds(review));
    reviews.filter_map(|review| review["body"].as_str().map(str::to_owned)).collect()
}
