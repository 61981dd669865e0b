//! Rows of a table counted, added up, grouped.

use std::collections::{BTreeSet, HashSet};

use connector::{
    Error, Result,
    catalog::{Call, Reply, one_line},
};
use serde_json::{Value, json};

use super::query::Rows;
use crate::{Notion, api::objects::Item, render, resolve::tables::Table};

/// Rows that one question counts at most: beyond that the answer says "of at least".
const COUNTED: usize = 50_000;
/// Cut lists that a grouping reads whole in one call.
const WHOLE_LISTS: usize = 50;

/// The sum of a column over every row that passes.
pub(super) async fn summed(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    wanted: &str,
) -> Result<Reply> {
    let (name, column) = table.column(wanted)?;
    let (rows, whole) = every(call, table, filter).await?;
    let (sum, without) = added(&rows.iter().collect::<Vec<_>>(), table, name)?;
    let least = if whole { "" } else { "at least " };
    let without = if without == 0 { String::new() } else { format!(", {without} without") };
    let name = render::column(name, column);
    let line = format!("{least}{} rows of {}: {name} {sum}{without}.", rows.len(), table.name);
    Ok(Reply::new(line).data(&Rows { count: Some(rows.len()), sum: Some(sum), ..Rows::default() }))
}

/// How many rows pass.
pub(super) async fn counted(call: &Call<Notion>, table: &Table, filter: Option<&Value>) -> Result<Reply> {
    let (rows, whole) = every(call, table, filter).await?;
    let (count, least) = (rows.len(), if whole { "" } else { "at least " });
    let rows = if count == 1 { "row" } else { "rows" };
    Ok(Reply::new(format!("{least}{count} {rows} of {}.", table.name))
        .data(&Rows { count: Some(count), ..Rows::default() }))
}

/// Every row that passes, also beyond the 10,000 that one question yields: the next question begins at the last
/// row's time (SDK 5.26.0: iterateAllDataSourceRows). False if there are more than are counted.
async fn every(call: &Call<Notion>, table: &Table, filter: Option<&Value>) -> Result<(Vec<Item>, bool)> {
    let mut rows: Vec<Item> = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    let mut since: Option<String> = None;
    loop {
        let window = since
            .as_ref()
            .map(|since| json!({"timestamp": "created_time", "created_time": {"on_or_after": since}}));
        let both = match (filter, window) {
            (Some(filter), Some(window)) => Some(json!({"and": [filter, window]})),
            (filter, window) => filter.cloned().or(window),
        };
        let mut cursor: Option<String> = None;
        let mut cut = false;
        let mut last: Option<String> = None;
        loop {
            let mut body =
                json!({"page_size": 100, "sorts": [{"timestamp": "created_time", "direction": "ascending"}]});
            if let Some(filter) = &both {
                body["filter"] = filter.clone();
            }
            if let Some(cursor) = &cursor {
                body["start_cursor"] = json!(cursor);
            }
            let page = call.api().query(&table.id, &body).await?;
            let next = page.next(cursor.as_deref()).map(str::to_owned);
            cut |= page.is_cut();
            for row in page.results {
                last = Some(row.created_time.clone());
                if seen.insert(row.id.clone()) {
                    rows.push(row);
                }
            }
            if rows.len() >= COUNTED {
                return Ok((rows, false));
            }
            let done = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            call.progress(done, None, "rows read").await;
            if next.is_none() {
                break;
            }
            cursor = next;
        }
        if !cut {
            return Ok((rows, true));
        }
        if last == since {
            // More rows of one minute than one question yields.
            return Ok((rows, false));
        }
        since = last;
    }
}

/// The sum of a column, and how many rows have no number there.
fn added(rows: &[&Item], table: &Table, name: &str) -> Result<(f64, usize)> {
    let kind = table.columns[name]["type"].as_str().unwrap_or_default();
    if !matches!(kind, "number" | "formula" | "rollup") {
        return Err(Error::invalid(format!(
            "`sum` takes a column of numbers, and {} is {kind}",
            one_line(name)
        )));
    }
    let numbers = rows.iter().filter_map(|row| {
        let own = &row.value(name)[kind];
        own.as_f64().or_else(|| own["number"].as_f64())
    });
    let numbers: Vec<f64> = numbers.collect();
    // What binary fractions add to cents is no part of a sum.
    let sum = (numbers.iter().sum::<f64>() * 1e6).round() / 1e6;
    Ok((sum, rows.len() - numbers.len()))
}

/// Rows counted, and added up, by the values of a column.
pub(super) async fn grouped(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    wanted: &str,
    sum: Option<&str>,
) -> Result<Reply> {
    let (name, column) = table.column(wanted)?;
    let (rows, whole) = every(call, table, filter).await?;
    let kind = column["type"].as_str().unwrap_or_default();
    let sum = sum.map(|sum| Ok::<_, Error>(table.column(sum)?.0)).transpose()?;
    let mut groups: Vec<(String, Vec<&Item>)> = Vec::new();
    let mut cut = 0;
    for row in &rows {
        let value = row.value(name);
        let members: Vec<String> = match kind {
            "multi_select" | "people" if value["has_more"] != true => render::names(&value[kind]),
            "relation" | "people" => {
                if value["has_more"] == true {
                    cut += 1;
                }
                if cut > WHOLE_LISTS {
                    return Err(Error::invalid(format!(
                        "More than {WHOLE_LISTS} rows have lists of {name} that Notion cuts"
                    ))
                    .with_hint("Narrow the rows with `where`"));
                }
                call.whole_list(row, name).await?
            }
            _ => vec![render::value(value)],
        };
        let members: BTreeSet<String> = members.into_iter().collect();
        let none = members.is_empty().then(String::new);
        for group in members.into_iter().chain(none) {
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, rows)) => rows.push(row),
                None => groups.push((group, vec![row])),
            }
        }
    }
    groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(&b.0)));
    if kind == "relation" {
        for (group, _) in groups.iter_mut().take(WHOLE_LISTS).filter(|(group, _)| !group.is_empty()) {
            if let Ok(page) = call.api().page(group).await {
                *group = format!("{} ({})", render::title(&page.name()), render::bare(group));
            }
        }
    }
    let unit = sum.map(|sum| render::column(sum, &table.columns[sum]));
    let head = [Some("rows".to_owned()), unit.clone(), Some(one_line(name))];
    let mut lines = vec![head.into_iter().flatten().collect::<Vec<_>>().join(" | ")];
    let mut sums = Vec::new();
    for (group, rows) in &groups {
        let group = if group.is_empty() { "(empty)" } else { group };
        let count = rows.len();
        match sum {
            Some(sum) => {
                let (sum, _) = added(rows, table, sum)?;
                lines.push(format!("{count} | {sum} | {group}"));
                sums.push(sum);
            }
            None => lines.push(format!("{count} | {group}")),
        }
    }
    // A row in several groups counts once here.
    let total = rows.len();
    let summed = match sum {
        Some(sum) => format!(
            ", {} added up: {}",
            unit.unwrap_or_default(),
            added(&rows.iter().collect::<Vec<_>>(), table, sum)?.0
        ),
        None => String::new(),
    };
    let least = if whole { "" } else { "at least " };
    let word = if total == 1 { "row" } else { "rows" };
    let reply = Reply::new(format!("{least}{total} {word} of {} by {}{summed}", table.name, one_line(name)))
        .outside(table.name.clone(), None, lines.join("\n"));
    let groups = groups.into_iter().map(|(group, rows)| (group, rows.len())).collect();
    let sums = sum.map(|_| sums);
    Ok(reply.data(&Rows { count: Some(total), groups: Some(groups), sums, ..Rows::default() }))
}
