//! What became of pages that were created besides what was asked for: values, empty columns, blocks.

use connector::catalog::{Call, one_line, words};
use serde_json::Value;

use crate::{Notion, api::objects::Item, render, resolve::tables::Table, resolve::values::is_writable};

/// Columns that are named.
const COLUMNS: usize = 12;
/// Pages of one call whose blocks are read back.
const READ_BACK: usize = 5;

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
    let written = body["markdown"].is_string() || body["template"].is_object();
    if written && total <= READ_BACK {
        lines.extend(blocks(call, &item.id).await);
    }
    lines
}

/// The kinds of blocks at the top of a page, each with how many there are: `blocks: heading 2, callout, paragraph × 3`.
async fn blocks(call: &Call<Notion>, page: &str) -> Option<String> {
    let list = call.api().children(page, 100, None).await.ok()?;
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for block in &list.results {
        let kind = block["type"].as_str().unwrap_or("unknown").replace('_', " ");
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
    (!told.is_empty()).then(|| format!("blocks: {}{more}", told.join(", ")))
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
    (!all.is_empty()).then(|| format!("left empty: {}", words::listed(&all, COLUMNS)))
}
