//! Rows of a table counted, added up, grouped.

use std::collections::{BTreeSet, HashSet};

use connector::{
    Error, Result,
    catalog::{Call, Reply, one_line, words},
};
use serde_json::{Value, json};

use super::query::Rows;
use crate::{
    Notion,
    api::objects::Item,
    render,
    resolve::{
        filter::fitted,
        tables::{Table, in_order},
    },
};

/// Rows that one question counts at most: beyond that the answer says "of at least".
const COUNTED: usize = 50_000;
/// Cut lists that a grouping reads whole in one call.
const WHOLE_LISTS: usize = 50;
/// Values without rows that are named.
const WITHOUT: usize = 12;

/// The sum of a column over every row that passes.
pub(super) async fn summed(
    call: &Call<Notion>,
    table: &Table,
    filter: Option<&Value>,
    wanted: &str,
) -> Result<Reply> {
    let (name, column) = table.column(wanted)?;
    let (mut rows, whole) = every(call, table, filter).await?;
    call.count_linked(&mut rows, &[name.to_owned()]).await;
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
            (Some(filter), Some(window)) => Some(fitted(json!({"and": [filter, window]}))),
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

/// A value of a column: how many rows have it, and their sum.
struct Group {
    name: String,
    rows: usize,
    sum: Option<f64>,
}

/// Options in the order that a board shows them, days and numbers one after the other, others the largest first.
fn order(groups: &mut [Group], column: &Value) {
    let kind = column["type"].as_str().unwrap_or_default();
    let options: Vec<String> = in_order(column).into_iter().map(one_line).collect();
    let place = |group: &Group| options.iter().position(|option| *option == group.name).unwrap_or(usize::MAX);
    let size = |group: &Group| group.sum.unwrap_or(group.rows as f64);
    groups.sort_by(|a, b| {
        let last = a.name.is_empty().cmp(&b.name.is_empty());
        last.then_with(|| match kind {
            "select" | "status" => place(a).cmp(&place(b)),
            "date" | "created_time" | "last_edited_time" => a.name.cmp(&b.name),
            "number" => {
                let number = |group: &Group| group.name.parse().unwrap_or(f64::MAX);
                number(a).total_cmp(&number(b))
            }
            _ => size(b).total_cmp(&size(a)).then_with(|| a.name.cmp(&b.name)),
        })
    });
}

/// Puts names in the place of the ids of linked rows, and gives the names of those that nothing is linked to; none
/// where the table they are of is too long to know.
async fn name_linked(
    call: &Call<Notion>,
    target: &str,
    groups: &mut [(String, Vec<&Item>)],
) -> Option<Vec<String>> {
    let (mut titles, whole) = call.latest_titles(target).await;
    let is_group = |id: &String| groups.iter().any(|(group, _)| group == id);
    let mut without: Vec<String> =
        titles.iter().filter(|(id, _)| !is_group(id)).map(|(_, title)| title.clone()).collect();
    without.sort_unstable();
    let unknown =
        groups.iter().map(|(group, _)| group).filter(|id| !id.is_empty() && !titles.contains_key(*id));
    let unknown: Vec<String> = unknown.take(WHOLE_LISTS).cloned().collect();
    for id in unknown {
        if let Ok(page) = call.api().page(&id).await {
            titles.insert(id, render::title(&page.name()));
        }
    }
    let named: Vec<String> = groups.iter().filter_map(|(id, _)| titles.get(id).cloned()).collect();
    for (group, _) in groups {
        *group = match titles.get(group) {
            // The id tells those of one name apart.
            Some(title) if named.iter().filter(|name| *name == title).count() > 1 => {
                format!("{title} ({})", render::bare(group))
            }
            Some(title) => title.clone(),
            None => render::bare(group),
        };
    }
    whole.then_some(without)
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
    let kind = column["type"].as_str().unwrap_or_default();
    let sum = sum.map(|sum| Ok::<_, Error>(table.column(sum)?.0)).transpose()?;
    let (mut rows, whole) = every(call, table, filter).await?;
    let computed: Vec<String> = sum.into_iter().chain([name]).map(str::to_owned).collect();
    call.count_linked(&mut rows, &computed).await;
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
    let without = match column["relation"]["data_source_id"].as_str() {
        Some(target) => name_linked(call, target, &mut groups).await,
        None => {
            let known = in_order(column).into_iter().map(one_line);
            Some(known.filter(|option| groups.iter().all(|(group, _)| group != option)).collect())
        }
    };
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(name, rows)| {
            let sum = sum.map(|sum| Ok::<_, Error>(added(&rows, table, sum)?.0)).transpose()?;
            Ok(Group { name, rows: rows.len(), sum })
        })
        .collect::<Result<_>>()?;
    order(&mut groups, column);
    let unit = sum.map(|sum| render::column(sum, &table.columns[sum]));
    let head = [Some("rows".to_owned()), unit.clone(), Some(one_line(name))];
    let mut lines = vec![head.into_iter().flatten().collect::<Vec<_>>().join(" | ")];
    for group in &groups {
        let name = if group.name.is_empty() { "(empty)" } else { &group.name };
        match group.sum {
            Some(sum) => lines.push(format!("{} | {sum} | {name}", group.rows)),
            None => lines.push(format!("{} | {name}", group.rows)),
        }
    }
    if let Some(without) = without.as_ref().filter(|without| whole && !without.is_empty()) {
        lines.push(format!("no rows: {}", words::listed(without, WITHOUT)));
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
    let mut reply = Reply::new(format!(
        "{least}{total} {word} of {} by {}{summed}",
        table.name,
        one_line(name)
    ))
    .outside(table.name.clone(), None, lines.join("\n"));
    if without.is_none() {
        reply = reply.line("What no row is linked to is not listed.");
    }
    let sums = sum.map(|_| groups.iter().filter_map(|group| group.sum).collect());
    let groups = groups.into_iter().map(|group| (group.name, group.rows)).collect();
    Ok(reply.data(&Rows { count: Some(total), groups: Some(groups), sums, ..Rows::default() }))
}
