//! Writes of every kind that there is in Notion, each with a marker: what a storm is made of.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{BYTES, ONBOARDING, POST_MORTEM, RUNBOOK, STEP, TASKS};
use crate::{FIRST_ID, IdForm, MARK, Marked, Sample, THE_ID};

/// What no storm can write, and why.
pub(super) const NOT_MARKED: &[(&str, &str)] = &[];

/// What things are before they are written to.
const BEFORE: &str = "Before the storm.";
const ID: IdForm = IdForm::Hexadecimal(32);

/// The writes.
pub(super) fn writes(marker: &str) -> Vec<Marked> {
    let mut all = pages(marker);
    all.extend(contents(marker));
    all.extend(blocks(marker));
    all.extend(comments(marker));
    all.extend(tables(marker));
    all.extend(views(marker));
    all
}

fn create(parent: &str, page: Value) -> Sample {
    Sample::new("create_pages", json!({"parent": parent, "pages": [page]}))
}

/// A page of its own.
fn page(title: &str, text: &str) -> Sample {
    create(ONBOARDING, json!({"title": title, "markdown": text}))
}

/// What becomes of pages.
fn pages(marker: &str) -> Vec<Marked> {
    let row =
        || create(TASKS, json!({"title": marker, "properties": {"Status": "To do", "Due": "next friday"}}));
    let trash = |restore: bool| Sample::new("trash_pages", json!({"ids": [THE_ID], "restore": restore}));
    let own = |write: Sample| Marked::makes(write).step(page(marker, BEFORE), Some(ID));
    let update = |more: Value| {
        let mut page = json!({"id": marker});
        page.as_object_mut()
            .into_iter()
            .for_each(|page| page.extend(more.as_object().cloned().unwrap_or_default()));
        Marked::after(row(), Sample::new("update_pages", json!({"pages": [page]})))
            .guarded("expected_edited", edited_by_title)
    };
    let titled = json!({"pages": [{"id": THE_ID, "properties": {"title": marker}, "icon": "🌊"}]});
    vec![
        Marked::makes(create(TASKS, json!({"title": marker}))),
        Marked::makes(create(ONBOARDING, json!({"title": marker, "markdown": "Text", "icon": "🌊"}))),
        own(trash(false)).in_texts(kept).removes(),
        own(trash(true)).step(trash(false), None).in_texts(kept),
        own(Sample::new("move_pages", json!({"ids": [THE_ID], "parent": RUNBOOK})))
            .in_texts(|state| nodes(state, |node| node["parent"].to_string().contains(RUNBOOK))),
        Marked::makes(Sample::new("update_pages", titled))
            .step(page("Storm", BEFORE), Some(ID))
            .in_texts(|state| nodes(state, |node| node["kind"] == "page"))
            .guarded("expected_edited", edited),
        update(json!({"properties": {"Status": "Done"}}))
            .in_texts(|state| nodes(state, |node| node["data"].to_string().contains("\"Done\""))),
        update(json!({"lock": true}))
            .in_texts(|state| nodes(state, |node| node["data"]["is_locked"] == true)),
        update(json!({"clear": ["Due"]}))
            .in_texts(|state| nodes(state, |node| node["data"]["properties"]["Due"]["date"].is_object()))
            .removes(),
    ]
}

/// What becomes of the text of a page.
fn contents(marker: &str) -> Vec<Marked> {
    let read = || Sample::new("get_page", json!({"id": THE_ID}));
    let edit = |text: &str, arguments| {
        Marked::to(page("Storm", text), ID, "id", Sample::new("edit_content", arguments)).guarded_as_told(
            "expected_hash",
            read(),
            IdForm::After("· hash "),
        )
    };
    vec![
        edit(BEFORE, json!({"append": marker})),
        edit(BEFORE, json!({"prepend": marker})),
        edit(BEFORE, json!({"edits": [{"old": BEFORE, "new": marker}]})),
        edit("Calm.", json!({"edits": [{"old": "Calm", "new": marker, "all": true}]})),
        edit(BEFORE, json!({"replace_all": marker, "allow_deleting_children": true})),
        edit(marker, json!({"clear": ["content"]}))
            .in_texts(|state| nodes(state, |node| node["in_trash"] == false))
            .removes(),
    ]
}

/// What becomes of blocks.
fn blocks(marker: &str) -> Vec<Marked> {
    let change = |change: Value| Sample::new("edit_blocks", json!({"edits": [change]}));
    let own = |text: &str, write: Sample| {
        Marked::makes(write)
            .step(page("Storm", text), Some(ID))
            .step(Sample::new("get_blocks", json!({"id": FIRST_ID})), Some(IdForm::After("\">\n")))
    };
    let file =
        json!({"to": RUNBOOK, "filename": format!("{marker}.csv"), "content": BYTES, "caption": "Rows"});
    vec![
        Marked::makes(change(json!({"action": "append", "id": ONBOARDING, "markdown": marker}))),
        Marked::makes(change(json!({"action": "insert_after", "id": STEP, "markdown": marker}))),
        own(BEFORE, change(json!({"action": "update", "id": THE_ID, "markdown": marker}))),
        own(marker, change(json!({"action": "delete", "id": THE_ID})))
            .in_texts(|state| nodes(state, |node| node["in_trash"] == false))
            .removes(),
        Marked::makes(Sample::new("upload_file", file)).in_texts(|state| nodes(state, |_| true)),
    ]
}

/// What is said of pages.
fn comments(marker: &str) -> Vec<Marked> {
    let say = |text: &str| Sample::new("add_comment", json!({"id": POST_MORTEM, "text": text}));
    let own = |text: &str, write| Marked::to(say(text), ID, "id", write);
    let reply = Sample::new("add_comment", json!({"discussion": THE_ID, "text": marker}));
    vec![
        Marked::makes(say(marker)),
        Marked::makes(reply).step(say(BEFORE), Some(IdForm::After("discussion "))),
        own(BEFORE, Sample::new("edit_comment", json!({"text": marker}))),
        own(marker, Sample::new("delete_comment", json!({}))).removes(),
    ]
}

/// What becomes of tables and their columns.
fn tables(marker: &str) -> Vec<Marked> {
    let table = |title: &str, column: &str| {
        let columns = json!({"Outcome": "select(Good, Bad)", column: "date"});
        Sample::new("create_database", json!({"parent": RUNBOOK, "title": title, "columns": columns}))
    };
    let own = |column: &str, change: Value| {
        Marked::to(
            table("Storm", column),
            IdForm::After("table "),
            "database",
            Sample::new("update_schema", change),
        )
        .in_texts(columns)
    };
    vec![
        Marked::makes(table(marker, "When"))
            .in_texts(|state| nodes(state, |node| node["kind"] == "database")),
        own("When", json!({"add": {marker: "date"}})),
        own("When", json!({"rename": {"When": marker}})),
        own("When", json!({"change": {"Outcome": format!("select(+{marker})")}})),
        own(marker, json!({"remove": [marker]})).removes(),
    ]
}

/// What becomes of views.
fn views(marker: &str) -> Vec<Marked> {
    let view = |name: &str, kind: &str, column: Option<(&str, &str)>| {
        let view = Sample::new("save_view", json!({"database": TASKS, "name": name, "type": kind}));
        column.into_iter().fold(view, |view, (argument, column)| view.with(argument, column))
    };
    let narrow =
        || view(BEFORE, "table", None).with("where", json!({"Status": "Done"})).with("sort", json!(["-Due"]));
    let both = json!({"name": marker, "clear": ["where", "sort"]});
    vec![
        Marked::makes(Sample::new("save_view", json!({"database": TASKS, "name": marker}))),
        Marked::makes(view(marker, "table", None)),
        Marked::makes(view(marker, "board", Some(("group_by", "Status")))),
        Marked::makes(view(marker, "list", None)),
        Marked::makes(view(marker, "gallery", None)),
        Marked::makes(view(marker, "calendar", Some(("date", "Due")))),
        Marked::makes(view(marker, "timeline", Some(("date", "Due")))),
        Marked::to(narrow(), IdForm::After("; view "), "view", Sample::new("save_view", both)),
        Marked::to(
            view(marker, "table", None),
            IdForm::After("; view "),
            "view",
            Sample::new("delete_view", json!({})),
        )
        .removes(),
    ]
}

/// The markers of the pages and blocks that are so, each once.
fn nodes(state: &Value, is_so: fn(&Value) -> bool) -> Vec<String> {
    let nodes = state["nodes"].as_object().into_iter().flatten().map(|(_, node)| node);
    nodes
        .filter(|node| is_so(node))
        .flat_map(|node| {
            let text = node["data"].to_string();
            let places = text.match_indices(MARK).map(|(at, _)| at);
            let markers = places.filter_map(|at| text.get(at..at + MARK.len() + 6).map(str::to_owned));
            markers.collect::<BTreeSet<_>>()
        })
        .collect()
}

/// The markers of what is not in the trash.
fn kept(state: &Value) -> Vec<String> {
    nodes(state, |node| node["in_trash"] == false)
}

/// The markers in the columns of each table, once.
fn columns(state: &Value) -> Vec<String> {
    nodes(state, |node| node["kind"] == "data_source")
}

/// When the page of this id was edited last.
fn edited(state: &Value, id: &str) -> Option<String> {
    let nodes = state["nodes"].as_object()?;
    let (_, node) = nodes.iter().find(|(key, _)| key.replace('-', "") == id.replace('-', ""))?;
    node["last_edited_time"].as_str().map(str::to_owned)
}

/// When the page that has this marker was edited last.
fn edited_by_title(state: &Value, marker: &str) -> Option<String> {
    let mut nodes = state["nodes"].as_object()?.values();
    nodes.find(|node| node["data"].to_string().contains(marker))?["last_edited_time"]
        .as_str()
        .map(str::to_owned)
}
