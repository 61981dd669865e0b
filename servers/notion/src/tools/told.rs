//! How writes are told, and what became of pages that were created besides what was asked for: values, empty
//! columns, blocks.

use connector::catalog::{Call, Reply, Written, one_line, words};
use serde::Serialize;
use serde_json::Value;

use super::FROM;
use crate::{
    Notion,
    api::objects::{Item, plain},
    render,
    resolve::tables::Table,
    resolve::values::is_writable,
};

/// Columns that are named.
const COLUMNS: usize = 12;
/// Pages of one call whose blocks are read back.
const READ_BACK: usize = 5;
/// Characters of a heading that is told.
const HEADING: usize = 60;

/// A write that was done, or would be. Its changes quote titles, values and text of whoever wrote them, so they stand
/// between marks; `notes` are the server's own.
pub(super) fn written(written: Written, notes: Vec<String>) -> Reply {
    written_as(written, notes, |written| written)
}

/// The same, with more in its data than the text says.
pub(super) fn written_as<T: Serialize>(
    mut written: Written,
    notes: Vec<String>,
    data: impl FnOnce(Written) -> T,
) -> Reply {
    let mut reply = Reply::new(written.summary.clone());
    if !written.changed.is_empty() {
        reply = reply.outside(FROM, None, written.changed.join("\n"));
    }
    for note in &notes {
        reply = reply.line(note.clone());
    }
    if let Some(url) = &written.url {
        reply = reply.line(url.clone());
    }
    written.changed.extend(notes);
    reply.data(&data(written))
}

/// Adds notes that are not among `all` yet.
pub(super) fn note(all: &mut Vec<String>, notes: impl IntoIterator<Item = String>) {
    for note in notes {
        if !all.contains(&note) {
            all.push(note);
        }
    }
}

/// That Notion took `count` pages and kept other values than it was given.
pub(super) fn refusing(count: usize) -> String {
    format!("of {} Notion did not accept every value", words::counted(count, ("page", "pages")))
}

/// What `item` has that `body` did not ask for, and what its text was made into where few were created.
pub(super) async fn besides(call: &Call<Notion>, body: &Value, item: &Item, total: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let asked = |name: &str, value: &Value| {
        value["type"] == "title" || value["type"] == "checkbox" || body["properties"].get(name).is_some()
    };
    for (name, value) in item.properties.iter().filter(|(name, value)| !asked(name, value)) {
        let shown = render::value(value);
        if is_writable(value["type"].as_str().unwrap_or_default()) && !shown.is_empty() {
            lines.push(format!("set by Notion: {} {shown}", one_line(name)));
        }
    }
    let by_template = body["template"].is_object();
    if (body["markdown"].is_string() || by_template) && total <= READ_BACK {
        lines.extend(blocks(call, &item.id, by_template).await);
    }
    lines
}

/// The kinds of blocks at the top of a page, each with how many there are: `blocks: heading 2, callout, paragraph × 3`;
/// and its headings, where the caller did not write them.
async fn blocks(call: &Call<Notion>, page: &str, with_headings: bool) -> Option<String> {
    let list = call.api().children(page, 100, None).await.ok()?;
    let mut kinds: Vec<(String, usize)> = Vec::new();
    let mut headings = Vec::new();
    for block in &list.results {
        let kind = block["type"].as_str().unwrap_or("unknown");
        if with_headings && kind.starts_with("heading_") {
            headings.push(words::short(&plain(&block[kind]["rich_text"]), HEADING));
        }
        let kind = kind.replace('_', " ");
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let told = |(kind, count): &(String, usize)| {
        if *count == 1 { kind.clone() } else { format!("{kind} × {count}") }
    };
    let told: Vec<String> = kinds.iter().map(told).collect();
    let more = if list.has_more { ", of the first 100" } else { "" };
    let headings = match headings.as_slice() {
        [] => String::new(),
        headings => format!("; headings: {}", words::listed(headings, COLUMNS)),
    };
    (!told.is_empty()).then(|| format!("blocks: {}{more}{headings}", told.join(", ")))
}

/// The columns that no value was written to, and in how many of `rows` where others have one.
pub(super) fn left_empty(table: &Table, rows: &[Item]) -> Option<String> {
    let mut all = Vec::new();
    let mut some = Vec::new();
    for (name, column) in &table.columns {
        if !is_writable(column["type"].as_str().unwrap_or_default()) {
            continue;
        }
        let empty = rows.iter().filter(|row| render::value(row.value(name)).is_empty()).count();
        match empty {
            0 => {}
            empty if empty == rows.len() => all.push(one_line(name)),
            empty => some.push(format!("{} in {empty} of {}", one_line(name), rows.len())),
        }
    }
    all.extend(some);
    (!all.is_empty()).then(|| format!("Left empty: {}.", words::listed(&all, COLUMNS)))
}
