//! Issues, their comments, labels and milestones.

use serde_json::{Value, json};

use super::{BEFORE, issues, merged, updated};
use crate::servers::github::{NEWEST, PULL, about};
use crate::{IdForm, Marked, Sample, THE_ID, texts_of};

/// A comment in a review of the open pull request, and an issue with parts.
const REMARK: u64 = 485_101;
const PARENT: u64 = 473;

/// A write to an issue of its own, which has everything that can be emptied.
fn issue(title: &str, body: &str, write: Sample) -> Marked {
    let made_by = json!({"title": title, "body": body, "labels": ["P2"], "assignees": ["maya"], "milestone": "v2.15",
        "type": "Task"});
    Marked::to(about("create_issue", made_by), IdForm::DigitsAfter("#"), "number", write)
}

/// What makes one new thing.
pub(super) fn creates(marker: &str) -> Vec<Marked> {
    let whole = json!({"title": marker, "body": "Why?", "labels": ["P2"], "assignees": ["maya"],
        "milestone": "v2.15", "type": "Bug", "parent": PARENT});
    let say = |arguments: Value| Marked::makes(about("add_comment", arguments).with("body", marker));
    vec![
        Marked::makes(about("create_issue", json!({"title": marker}))),
        Marked::makes(about("create_issue", whole)),
        say(json!({"number": NEWEST})),
        say(json!({"number": PULL, "reply_to": REMARK})),
    ]
}

/// What changes the text of an issue.
fn texts(marker: &str) -> Vec<Marked> {
    let storm = |arguments| {
        issue("Storm", BEFORE, about("update_issue", arguments)).guarded("expected_updated_at", updated)
    };
    vec![
        storm(json!({"title": marker})).in_texts(|state| issues(state, "title", |_| true)),
        storm(json!({"body": marker})).in_texts(bodies),
        storm(json!({"body_edits": [{"old": BEFORE, "new": marker}]})).in_texts(bodies),
    ]
}

/// What changes an issue, and how it stands.
pub(super) fn changes(marker: &str) -> Vec<Marked> {
    let update = |arguments| issue(marker, BEFORE, about("update_issue", arguments));
    let again = |state: &str| about("update_issue", json!({"number": THE_ID, "state": state}));
    let numbers = Sample::new("update_issue", json!({"numbers": [THE_ID], "state": "not_planned"}));
    let every = ["body", "labels", "milestone", "type"];
    let mut all = texts(marker);
    all.extend([
        update(json!({"add_labels": ["P1"], "add_assignees": ["tomas"]}))
            .in_texts(|state| labelled(state, "P1")),
        update(json!({"labels": ["P1"], "type": "Bug"})).in_texts(|state| labelled(state, "P1")),
        update(json!({"remove_labels": ["P2"]})).in_texts(|state| labelled(state, "P2")).removes(),
        update(json!({"remove_assignees": ["maya"]}))
            .in_texts(|state| issues(state, "title", |issue| issue["assignees"] != json!([])))
            .removes(),
        update(json!({"state": "completed"})).in_texts(open).removes(),
        update(json!({"state": "not_planned"})).in_texts(open).removes(),
        update(json!({"state": "duplicate", "duplicate_of": NEWEST})).in_texts(open).removes(),
        update(json!({"state": "open"})).step(again("completed"), None).in_texts(open),
        update(json!({"lock": true})).in_texts(locked),
        update(json!({"lock": true, "lock_reason": "off_topic"})).in_texts(locked),
        update(json!({"lock": true, "lock_reason": "resolved"})).in_texts(locked),
        update(json!({"lock": true, "lock_reason": "spam"})).in_texts(locked),
        update(json!({"lock": true, "lock_reason": "too_heated"})).in_texts(locked),
        update(json!({"lock": false}))
            .step(about("update_issue", json!({"number": THE_ID, "lock": true})), None)
            .in_texts(locked)
            .removes(),
        issue(marker, marker, about("update_issue", json!({"clear": every}))).in_texts(bodies).removes(),
        Marked { write: about("update_issue", Value::Object(numbers.arguments)), ..update(json!({})) }
            .in_texts(open)
            .removes(),
    ]);
    all
}

/// What links issues, and no longer.
pub(super) fn links(marker: &str) -> Vec<Marked> {
    let link = |number: Value, relation: &str, target: String, more: Value| {
        about("link_issues", merged(json!({"number": number, "relation": relation, "target": target}), more))
    };
    let own = || json!(THE_ID);
    let whose = || format!("#{THE_ID}");
    let below = |more| link(json!(PARENT), "sub_issue", whose(), more);
    let blocked = |more| link(own(), "blocked_by", format!("#{PARENT}"), more);
    let to = |write: Sample| Marked { write, ..issue(marker, BEFORE, Sample::new("link_issues", json!({}))) };
    let gone = || json!({"remove": true});
    vec![
        to(below(json!({}))).in_texts(parts),
        to(link(own(), "parent", format!("#{NEWEST}"), json!({}))).in_texts(parts),
        to(below(json!({"after": "#474"}))).in_texts(parts),
        to(below(gone())).step(below(json!({})), None).in_texts(parts).removes(),
        to(blocked(json!({}))).in_texts(waiting),
        to(link(own(), "blocks", format!("#{NEWEST}"), json!({}))).in_texts(blocking),
        to(blocked(gone())).step(blocked(json!({})), None).in_texts(waiting).removes(),
    ]
}

/// What becomes of comments, in conversations and in reviews.
pub(super) fn comments(marker: &str) -> Vec<Marked> {
    let comment = |kind: &str, body: &str, more: Value| {
        let on = if kind == "issue" {
            json!({"number": NEWEST})
        } else {
            json!({"number": PULL, "reply_to": REMARK})
        };
        let made_by = about("add_comment", on).with("body", body);
        let write = about("edit_comment", merged(json!({"kind": kind}), more));
        Marked::to(made_by, IdForm::DigitsAfter(": comment "), "comment_id", write)
    };
    let mut all = Vec::new();
    for kind in ["issue", "review"] {
        all.extend([
            comment(kind, BEFORE, json!({"action": "update", "body": marker})),
            comment(kind, marker, json!({"action": "delete"})).removes(),
            comment(kind, marker, json!({"action": "hide", "reason": "outdated"}))
                .in_texts(|state| remarks(state, |one| one["minimized"].is_string())),
            comment(kind, marker, json!({"action": "react", "reaction": "eyes"}))
                .in_texts(|state| remarks(state, |one| one["reactions"] != json!([]))),
        ]);
    }
    all
}

/// What becomes of labels and milestones.
pub(super) fn board(marker: &str) -> Vec<Marked> {
    let label = |more: Value| about("manage_label", merged(json!({"name": marker}), more));
    let stone = |more: Value| about("manage_milestone", merged(json!({"milestone": marker}), more));
    let new_label =
        |description: &str| label(json!({"action": "create", "color": "00aaff", "description": description}));
    let new_stone =
        |description: &str| stone(json!({"action": "create", "description": description, "due": "in 30d"}));
    let renamed = format!("new-{marker}");
    let both = ["description", "due"];
    vec![
        Marked::makes(new_label(BEFORE)),
        Marked::after(new_label(BEFORE), label(json!({"action": "update", "description": marker})))
            .in_texts(|state| of_board(state, "labels", "description")),
        Marked::after(
            new_label(BEFORE),
            label(json!({"action": "update", "new_name": renamed, "color": "ff0000"})),
        )
        .in_texts(|state| new_names(of_board(state, "labels", "name"))),
        Marked::after(new_label(marker), label(json!({"action": "update", "clear": ["description"]})))
            .in_texts(|state| of_board(state, "labels", "description"))
            .removes(),
        Marked::after(new_label(BEFORE), label(json!({"action": "delete"})))
            .in_texts(|state| of_board(state, "labels", "name"))
            .removes(),
        Marked::makes(new_stone(BEFORE)),
        Marked::after(new_stone(BEFORE), stone(json!({"action": "update", "description": marker})))
            .in_texts(|state| of_board(state, "milestones", "description")),
        Marked::after(new_stone(BEFORE), stone(json!({"action": "update", "new_title": renamed})))
            .in_texts(|state| new_names(of_board(state, "milestones", "title"))),
        Marked::after(new_stone(marker), stone(json!({"action": "update", "clear": both})))
            .in_texts(|state| of_board(state, "milestones", "description"))
            .removes(),
        Marked::after(new_stone(BEFORE), stone(json!({"action": "close"}))).in_texts(open_stones).removes(),
        Marked::after(new_stone(BEFORE), stone(json!({"action": "reopen"})))
            .step(stone(json!({"action": "close"})), None)
            .in_texts(open_stones),
        Marked::after(new_stone(BEFORE), stone(json!({"action": "delete"})))
            .in_texts(|state| of_board(state, "milestones", "title"))
            .removes(),
    ]
}

fn bodies(state: &Value) -> Vec<String> {
    issues(state, "body", |_| true)
}

fn open(state: &Value) -> Vec<String> {
    issues(state, "title", |issue| issue["open"] == true)
}

fn locked(state: &Value) -> Vec<String> {
    issues(state, "title", |issue| issue["locked"] == true)
}

/// The titles of the issues that are part of another.
fn parts(state: &Value) -> Vec<String> {
    issues(state, "title", |issue| issue["parent"].is_u64())
}

/// The titles of the issues that wait for another.
fn waiting(state: &Value) -> Vec<String> {
    issues(state, "title", |issue| issue["blocked_by"] != json!([]))
}

/// The titles of the issues that another waits for.
fn blocking(state: &Value) -> Vec<String> {
    let waited: Vec<&Value> =
        super::all_issues(state).filter_map(|issue| issue["blocked_by"].as_array()).flatten().collect();
    issues(state, "title", |issue| waited.contains(&&issue["id"]))
}

/// The titles of the issues that have this label.
fn labelled(state: &Value, name: &str) -> Vec<String> {
    let labels = state["tracker"]["boards"]["3001"]["labels"].as_array().into_iter().flatten();
    let id = labels.filter(|label| label["name"] == name).map(|label| &label["id"]).next();
    issues(state, "title", |issue| {
        issue["labels"].as_array().is_some_and(|labels| labels.iter().any(|label| Some(label) == id))
    })
}

/// A text of the labels or milestones.
fn of_board(state: &Value, list: &str, key: &str) -> Vec<String> {
    texts_of(&state["tracker"]["boards"]["3001"][list], key)
}

/// Those that say that they are new.
fn new_names(names: Vec<String>) -> Vec<String> {
    names.into_iter().filter(|name| name.starts_with("new-")).collect()
}

/// The titles of the milestones that are open.
fn open_stones(state: &Value) -> Vec<String> {
    let stones = state["tracker"]["boards"]["3001"]["milestones"].as_array().into_iter().flatten();
    let open = stones.filter(|stone| stone["open"] == true);
    open.filter_map(|stone| stone["title"].as_str().map(str::to_owned)).collect()
}

/// The comments, in conversations and in reviews, of which something holds.
pub(super) fn remarks(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let all = super::all_issues(state).flat_map(|issue| {
        let threads = list(&issue["pull"]["threads"]);
        list(&issue["comments"])
            .into_iter()
            .chain(threads.into_iter().flat_map(move |thread| list(&thread["remarks"])))
    });
    all.filter(|one| holds(one)).filter_map(|one| one["body"].as_str().map(str::to_owned)).collect()
}
