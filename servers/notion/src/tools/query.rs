//! Rows of a table: filtered, sorted, paged, counted, grouped.

use std::collections::{BTreeSet, HashSet};

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::FROM;
use crate::{
    Notion,
    api::objects::{Item, List},
    render,
    resolve::{self, tables::Table},
};

/// Columns that are shown where none are named.
const COLUMNS: usize = 6;
/// Rows that one question counts at most: beyond that the answer says "of at least".
const COUNTED: usize = 50_000;
/// Cut lists that a grouping reads whole in one call.
const WHOLE_LISTS: usize = 50;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "query_database",
            "Query a table",
            "Rows of a table (name, id or URL; a view's filter applies). `where` by column: {\"Status\":[\"To do\"],\
             \"Due\":{\"before\":\"today\"},\"Owner\":\"me\",\"or\":[..]}; `count`, `group_by` or `sum` over all rows.",
            query_database,
        )
        .toolset("databases")
        .aliases(&[
            ("id", "database"),
            ("database_id", "database"),
            ("data_source_id", "database"),
            ("view", "database"),
            ("filter", "where"),
            ("sorts", "sort"),
            ("columns", "fields"),
            ("page_size", "limit"),
        ])
        .output::<Rows>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct QueryDatabase {
    database: String,
    /// not, contains, before, after, on_or_before, on_or_after, gt, lt, empty; dates: "2026-12-01/2026-12-03", "in 3 days", "next_week".
    #[serde(rename = "where", default)]
    #[schemars(schema_with = "super::values_by_column")]
    filter: Option<Map<String, Value>>,
    /// Columns; "-Due" descends.
    #[serde(default)]
    sort: Vec<String>,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    count: bool,
    group_by: Option<String>,
    /// A column to add up.
    sum: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct Rows {
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<Vec<(String, usize)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sums: Option<Vec<f64>>,
}

async fn query_database(call: Call<Notion>, arguments: QueryDatabase) -> Result<Reply> {
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let plain = arguments.filter.is_none()
        && arguments.sort.is_empty()
        && arguments.group_by.is_none()
        && arguments.sum.is_none();
    let bare =
        resolve::id_of(&arguments.database).filter(|_| resolve::view_of(&arguments.database).is_none());
    let size = position.first(limit(arguments.limit, 20, 100), 100);
    let mut body = json!({"page_size": size});
    if let Some(cursor) = &position.after {
        body["start_cursor"] = json!(cursor);
    }
    // The id of a table itself needs no columns to be known: one request.
    if let (Some(id), true, false) = (&bare, plain, arguments.count) {
        let id = call.kept_table(id).unwrap_or_else(|| id.clone());
        match call.api().query(&id, &body).await {
            Ok(rows) => return page(&call, &arguments, position, rows, None).await,
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let table = call.table(&arguments.database).await?;
    let filter = match &arguments.filter {
        Some(given) if !given.is_empty() => Some(call.filter(&table, given).await?),
        _ => None,
    };
    let view = table.view.as_ref();
    let of_view = view.map(|view| &view.filter).filter(|filter| !filter.is_null()).cloned();
    let filter = match (filter, of_view) {
        (Some(own), Some(view)) => Some(json!({"and": [own, view]})),
        (own, view) => own.or(view),
    };
    if let Some(filter) = &filter {
        body["filter"] = filter.clone();
    }
    if let Some(wanted) = &arguments.group_by {
        return grouped(&call, &table, filter.as_ref(), wanted, arguments.sum.as_deref()).await;
    }
    if let Some(wanted) = &arguments.sum {
        let (name, _) = table.column(wanted)?;
        let (rows, whole) = every(&call, &table, filter.as_ref()).await?;
        let (sum, without) = added(&rows.iter().collect::<Vec<_>>(), &table, name)?;
        let least = if whole { "" } else { "at least " };
        let without = if without == 0 { String::new() } else { format!(", {without} without") };
        let line = format!(
            "{least}{} rows of {}: {} {sum}{without}.",
            rows.len(),
            table.name,
            head(name, Some(&table))
        );
        return Ok(Reply::new(line).data(&Rows {
            count: Some(rows.len()),
            sum: Some(sum),
            ..Rows::default()
        }));
    }
    if arguments.count {
        let (rows, whole) = every(&call, &table, filter.as_ref()).await?;
        return Ok(counted(&table, rows.len(), whole));
    }
    let sorts = sorts(&table, &arguments.sort)?;
    if !sorts.is_empty() {
        body["sorts"] = json!(sorts);
    } else if let Some(sorts) =
        view.map(|view| &view.sorts).filter(|sorts| sorts.as_array().is_some_and(|sorts| !sorts.is_empty()))
    {
        body["sorts"] = sorts.clone();
    }
    let rows = call.api().query(&table.id, &body).await?;
    page(&call, &arguments, position, rows, Some(&table)).await
}

pub(super) fn sorts(table: &Table, given: &[String]) -> Result<Vec<Value>> {
    given
        .iter()
        .map(|word| {
            let (name, descends) = match word.strip_prefix('-') {
                Some(name) => (name, true),
                None => match word.to_lowercase().strip_suffix(" desc") {
                    Some(_) => (&word[..word.len() - 5], true),
                    None => (word.as_str(), false),
                },
            };
            let direction = if descends { "descending" } else { "ascending" };
            let timestamp =
                ["created_time", "last_edited_time"].into_iter().find(|known| resolve::same(known, name));
            match (table.column(name), timestamp) {
                (Ok((name, _)), _) => Ok(json!({"property": name, "direction": direction})),
                (Err(_), Some(timestamp)) => Ok(json!({"timestamp": timestamp, "direction": direction})),
                (Err(error), None) => Err(error),
            }
        })
        .collect()
}

/// One page of rows as a compact table.
async fn page(
    call: &Call<Notion>,
    arguments: &QueryDatabase,
    position: Position,
    rows: List<Item>,
    table: Option<&Table>,
) -> Result<Reply> {
    let next = rows.next(position.after.as_deref()).map(str::to_owned);
    let cut = rows.is_cut();
    let shown: Vec<Item> = rows.results.into_iter().skip(position.skip).collect();
    let columns = columns(&shown, &arguments.fields, table)?;
    let heads: Vec<String> = columns.iter().map(|name| head(name, table)).collect();
    let titles = call.linked_titles(&shown, &columns, table).await;
    let mut uncomputed = false;
    let mut page = Page::new(FROM, ("row", "rows"));
    if !shown.is_empty() {
        page = page.note(format!("id | {}", heads.join(" | ")));
    }
    for row in &shown {
        let cells: Vec<String> = columns
            .iter()
            .map(|name| render::named(row.value(name), &titles, false).replace('|', "¦"))
            .collect();
        uncomputed |= cells.iter().any(|cell| cell == "?");
        let values: Map<String, Value> = columns
            .iter()
            .zip(&cells)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| (name.clone(), json!(cell)))
            .collect();
        let id = render::bare(&row.id);
        let line = format!("{id} | {}", cells.join(" | "));
        page.push(line.trim_end_matches([' ', '|']), &json!({"id": id, "values": values}));
    }
    let empty = shown.is_empty();
    let has = shown.first().map_or(0, |row| row.properties.len());
    let read = shown.len();
    let mut reply = Reply::page(paging::close(call, page, VendorPage::whole(position, read, next)));
    if cut {
        reply = reply.line("Notion gives at most 10,000 rows to one question: narrow it with `where`, or use `count` or `group_by`, which read on.");
    }
    if uncomputed {
        reply = reply.line(
            "`?` is what Notion did not compute, as over more than 25 linked rows: ask the linked table with `count`, \
             `group_by` or `sum`.",
        );
    }
    if empty && names_me(&arguments.filter) {
        reply = reply.line(
            "`me` is whoever the token is of: an internal connection is nobody's owner or assignee. Give a person's name.",
        );
    }
    if empty {
        reply = reply.line(match table {
            Some(table) => {
                format!("No row of {} passes. get_database tells its columns and options.", table.name)
            }
            None => "The table has no rows that this connection sees.".to_owned(),
        });
    } else if arguments.fields.is_empty() && has > columns.len() {
        reply = reply.line(format!("{} more columns: name those you need in `fields`.", has - columns.len()));
    }
    Ok(reply)
}

/// Whether a condition compares with `me`.
fn names_me(filter: &Option<Map<String, Value>>) -> bool {
    fn is_in(value: &Value) -> bool {
        match value {
            Value::String(text) => resolve::same(text.trim_start_matches('@'), "me"),
            Value::Array(items) => items.iter().any(is_in),
            Value::Object(fields) => fields.values().any(is_in),
            _ => false,
        }
    }
    filter.iter().flat_map(Map::values).any(is_in)
}

/// The columns that are shown: those named, else the title and the first that say something.
fn columns(rows: &[Item], fields: &[String], table: Option<&Table>) -> Result<Vec<String>> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let title =
        first.properties.iter().find(|(_, value)| value["type"] == "title").map(|(name, _)| name.clone());
    let mut columns: Vec<String> = title.into_iter().collect();
    if !fields.is_empty() {
        for field in fields {
            // A value that one row lacks may stand in another.
            let known =
                rows.iter().flat_map(|row| row.properties.keys()).find(|name| resolve::same(name, field));
            let name = match (known, table) {
                (Some(name), _) => name.clone(),
                (None, Some(table)) => table.column(field)?.0.to_owned(),
                (None, None) => {
                    let names: Vec<&str> = first.properties.keys().map(String::as_str).collect();
                    return Err(Error::invalid(format!(
                        "`fields`: there is no column `{}`",
                        one_line(field)
                    ))
                    .with_hint(format!("There are: {}", names.join(", "))));
                }
            };
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        return Ok(columns);
    }
    for (name, value) in &first.properties {
        let kind = value["type"].as_str().unwrap_or_default();
        let ours = ["created_time", "created_by", "last_edited_time", "last_edited_by", "button", "title"];
        let says = rows.iter().any(|row| !render::value(row.value(name)).is_empty());
        if columns.len() <= COLUMNS && says && !ours.contains(&kind) {
            columns.push(name.clone());
        }
    }
    Ok(columns)
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

fn counted(table: &Table, count: usize, whole: bool) -> Reply {
    let least = if whole { "" } else { "at least " };
    let rows = if count == 1 { "row" } else { "rows" };
    Reply::new(format!("{least}{count} {rows} of {}.", table.name))
        .data(&Rows { count: Some(count), ..Rows::default() })
}

/// A column's name at its cells, with the unit that its numbers are in.
fn head(name: &str, table: Option<&Table>) -> String {
    let format = table.and_then(|table| table.columns.get(name)?["number"]["format"].as_str());
    match format.filter(|format| !format.starts_with("number")) {
        Some(format) => format!("{} ({})", one_line(name), format.replace('_', " ")),
        None => one_line(name),
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

async fn grouped(
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
    let least = if whole { "" } else { "at least " };
    let mut lines = Vec::new();
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
    let total = rows.len();
    let summed = sum.map(|sum| format!(", {} added up", head(sum, Some(table)))).unwrap_or_default();
    let word = if total == 1 { "row" } else { "rows" };
    let reply = Reply::new(format!("{least}{total} {word} of {} by {}{summed}", table.name, one_line(name)))
        .outside(table.name.clone(), None, lines.join("\n"));
    let groups = groups.into_iter().map(|(group, rows)| (group, rows.len())).collect();
    let sums = sum.map(|_| sums);
    Ok(reply.data(&Rows { count: Some(total), groups: Some(groups), sums, ..Rows::default() }))
}
