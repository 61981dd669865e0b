//! Gists, discussions and projects.

use serde_json::{Value, json};

use super::{BEFORE, merged};
use crate::servers::github::{REPO, about};
use crate::{IdForm, Marked, Sample, THE_ID, texts_of};

/// What becomes of gists.
pub(super) fn gists(marker: &str) -> Vec<Marked> {
    let files =
        json!([{"name": "counts.sql", "content": "select 1;"}, {"name": "b.sql", "content": "select 2;"}]);
    let make = |description: &str, public: bool| {
        Sample::new("save_gist", json!({"description": description, "files": files, "public": public}))
    };
    let change = |description: &str, write: Value| {
        Marked::to(make(description, false), IdForm::Hexadecimal(32), "id", Sample::new("save_gist", write))
            .in_texts(descriptions)
    };
    let renamed = json!([{"name": "counts.sql", "new_name": format!("{marker}.sql")}, {"name": "b.sql", "delete": true}]);
    vec![
        Marked::makes(make(marker, false)),
        Marked::makes(make(marker, true)),
        change(BEFORE, json!({"description": marker})),
        change(marker, json!({"clear": ["description"]})).removes(),
        change(BEFORE, json!({"files": renamed})).in_texts(file_names),
    ]
}

/// What becomes of discussions.
pub(super) fn discussions(marker: &str) -> Vec<Marked> {
    let write =
        |action: &str, more: Value| about("write_discussion", merged(json!({"action": action}), more));
    let begin =
        |title: &str, body: &str| write("create", json!({"title": title, "body": body, "category": "Q&A"}));
    let on = |body: &str, write: Sample| {
        Marked::makes(write).step(begin(marker, body), Some(IdForm::DigitsAfter("#")))
    };
    let own = |more: Value| merged(json!({"number": THE_ID}), more);
    let said = |body: &str| write("comment", own(json!({"body": body})));
    let answer = |action: &str| write(action, json!({"comment_id": THE_ID}));
    let close = |reason: &str| write("close", own(json!({"reason": reason})));
    let comment = || Some(IdForm::Word("DC_"));
    vec![
        Marked::makes(begin(marker, "Why?")).in_texts(|state| discussions_where(state, |_| true)),
        Marked::makes(write("comment", json!({"number": 428, "body": marker}))),
        on(BEFORE, write("update", own(json!({"body": marker}))))
            .in_texts(|state| texts_of(&state["social"]["discussions"]["all"], "body")),
        on(BEFORE, write("update", json!({"comment_id": THE_ID, "body": marker})))
            .step(said(BEFORE), comment())
            .in_texts(comments),
        on(BEFORE, answer("mark_answer")).step(said(BEFORE), comment()).in_texts(answered),
        on(BEFORE, answer("unmark_answer"))
            .step(said(BEFORE), comment())
            .step(answer("mark_answer"), None)
            .in_texts(answered)
            .removes(),
        on(BEFORE, close("resolved")).in_texts(open).removes(),
        on(BEFORE, close("outdated")).in_texts(open).removes(),
        on(BEFORE, close("duplicate")).in_texts(open).removes(),
        on(BEFORE, write("reopen", own(json!({})))).step(close("resolved"), None).in_texts(open),
    ]
}

/// What becomes of the rows of a project.
pub(super) fn projects(marker: &str) -> Vec<Marked> {
    let item = |action: &str, more: Value| {
        let items = json!([format!("{REPO}#{THE_ID}")]);
        let row = json!({"owner": "harbor-example", "number": 4, "action": action, "items": items});
        Sample::new("update_project_items", merged(row, more))
    };
    let noted = |text: &str| json!({"fields": {"Notes": text}});
    let on = |write: Sample| {
        let made_by = about("create_issue", json!({"title": marker}));
        Marked::makes(write).step(made_by, Some(IdForm::DigitsAfter("#")))
    };
    vec![
        on(item("add", json!({}))).in_texts(rows),
        on(item("remove", json!({}))).step(item("add", json!({})), None).in_texts(rows).removes(),
        on(item("set", noted(marker))).step(item("add", json!({})), None).in_texts(notes),
        on(item("set", json!({"clear": ["Notes"]})))
            .step(item("add", noted(marker)), None)
            .in_texts(notes)
            .removes(),
    ]
}

fn descriptions(state: &Value) -> Vec<String> {
    texts_of(&state["social"]["gists"], "description")
}

/// The names of the gists' files.
fn file_names(state: &Value) -> Vec<String> {
    let gists = state["social"]["gists"].as_array().into_iter().flatten();
    gists.filter_map(|gist| gist["files"].as_object()).flat_map(|files| files.keys().cloned()).collect()
}

/// The titles of the discussions of which something holds.
fn discussions_where(state: &Value, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let all = state["social"]["discussions"]["all"].as_array().into_iter().flatten();
    all.filter(|one| holds(one)).filter_map(|one| one["title"].as_str().map(str::to_owned)).collect()
}

fn open(state: &Value) -> Vec<String> {
    discussions_where(state, |one| one["closed"].is_null())
}

fn answered(state: &Value) -> Vec<String> {
    discussions_where(state, |one| !one["answer"].is_null())
}

/// What is said in discussions.
fn comments(state: &Value) -> Vec<String> {
    let all = state["social"]["discussions"]["all"].as_array().into_iter().flatten();
    all.flat_map(|one| texts_of(&one["comments"], "body")).collect()
}

/// The rows of the projects.
fn items(state: &Value) -> impl Iterator<Item = &Value> {
    let projects = state["social"]["projects"].as_array().into_iter().flatten();
    projects.filter_map(|project| project["items"].as_array()).flatten()
}

/// The titles of the issues that the projects have.
fn rows(state: &Value) -> Vec<String> {
    let numbers: Vec<u64> =
        items(state).filter_map(|item| item["content"]["Issue"]["number"].as_u64()).collect();
    super::issues(state, "title", |issue| {
        issue["number"].as_u64().is_some_and(|number| numbers.contains(&number))
    })
}

/// The texts that stand in the projects' fields.
fn notes(state: &Value) -> Vec<String> {
    let values = items(state).filter_map(|item| item["values"].as_object()).flatten();
    values.filter_map(|(_, value)| value.as_str().map(str::to_owned)).collect()
}
