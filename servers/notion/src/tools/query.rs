//! Rows of a table: filtered, sorted, paged, counted, grouped.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
        words,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{FROM, groups};
use crate::{
    Notion,
    api::objects::{Item, List},
    render,
    resolve::{self, filter::fitted, tables::Table, views},
};

/// Columns that are shown where none are named.
const COLUMNS: usize = 6;
/// Columns that are not shown, of which the names are told.
const TOLD: usize = 12;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "query_database",
            "Query a table",
            "Reads rows of a table (name, id or URL), or of a `view` of it. `where` by column: {\"Status\":[\"To do\"],\
             \"or\":[{\"Due\":{\"before\":\"today\"}},{\"Owner\":\"me\"}]}; `count`, `group_by` or `sum` over all rows.",
            query_database,
        )
        .toolset("databases")
        .aliases(&[
            ("id", "database"),
            ("database_id", "database"),
            ("data_source_id", "database"),
            ("view_id", "view"),
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
    database: Option<String>,
    /// Its name, in `database`, or its id or URL.
    view: Option<String>,
    /// not, contains, before, after, on_or_before, on_or_after, gt, lt, empty; dates: "2026-12-01/2026-12-03", "in 3 days", "next_week".
    #[serde(rename = "where", default)]
    #[schemars(schema_with = "super::values_by_column")]
    filter: Option<Map<String, Value>>,
    /// Columns; "-Due" descends.
    #[serde(default)]
    sort: Vec<String>,
    /// Columns to show; without it most are, and the others named.
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default)]
    count: bool,
    /// Counts rows, or adds up `sum`, by the values of this column.
    group_by: Option<String>,
    /// A column to add up.
    sum: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Rows {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) items: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<Vec<(String, usize)>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sum: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sums: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

async fn query_database(call: Call<Notion>, arguments: QueryDatabase) -> Result<Reply> {
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let plain = arguments.filter.is_none()
        && arguments.sort.is_empty()
        && arguments.group_by.is_none()
        && arguments.sum.is_none();
    let bare = arguments.database.as_deref().filter(|text| resolve::view_of(text).is_none());
    let bare = bare.filter(|_| arguments.view.is_none()).and_then(resolve::id_of);
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
    let table = call.table_or_view(arguments.database.as_deref(), arguments.view.as_deref()).await?;
    answer(&call, &arguments, position, body, &table).await
}

/// What is said of the conditions that were asked: those on days that were given in other words, and a view's own.
fn conditions(given: &Map<String, Value>, asked: Option<&Value>, table: &Table, zone: &str) -> Vec<String> {
    let given = Value::Object(given.clone()).to_string();
    let days = asked.filter(|asked| has_other_days(asked, &given));
    let days =
        days.map(|asked| format!("Asked for: {}; days are in {zone}.", views::condition(asked, table)));
    let own = table.view.as_ref().map(|view| format!("The view's own: {}.", views::words(view, table)));
    days.into_iter().chain(own).collect()
}

/// Whether a filter compares with a day that `given` does not have in it.
pub(super) fn has_other_days(filter: &Value, given: &str) -> bool {
    match filter {
        Value::Array(parts) => parts.iter().any(|part| has_other_days(part, given)),
        Value::Object(fields) => fields.iter().any(|(field, test)| match field.as_str() {
            "date" | "created_time" | "last_edited_time" => {
                let mut days = test.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_str);
                days.any(|day| day.starts_with(|c: char| c.is_ascii_digit()) && !given.contains(day))
            }
            _ => has_other_days(test, given),
        }),
        _ => false,
    }
}

/// Rows, or what is asked over all of them, of a table whose columns are known.
async fn answer(
    call: &Call<Notion>,
    arguments: &QueryDatabase,
    position: Position,
    mut body: Value,
    table: &Table,
) -> Result<Reply> {
    let filter = match &arguments.filter {
        Some(given) if !given.is_empty() => Some(call.filter(table, given).await?),
        _ => None,
    };
    let (dates, none) = (call.dates(), Map::new());
    let said =
        conditions(arguments.filter.as_ref().unwrap_or(&none), filter.as_ref(), table, dates.zone_name());
    let view = table.view.as_ref();
    let of_view = view.map(|view| &view.filter).filter(|filter| !filter.is_null()).cloned();
    let filter = match (filter, of_view) {
        (Some(own), Some(view)) => Some(json!({"and": [own, view]})),
        (own, view) => own.or(view),
    };
    let filter = filter.map(fitted);
    if let Some(wanted) = &arguments.group_by {
        return groups::grouped(call, table, filter.as_ref(), wanted, arguments.sum.as_deref(), said).await;
    }
    if let Some(wanted) = &arguments.sum {
        return groups::summed(call, table, filter.as_ref(), wanted, said).await;
    }
    if arguments.count {
        return groups::counted(call, table, filter.as_ref(), said).await;
    }
    if let Some(filter) = filter {
        body["filter"] = filter;
    }
    let sorts = sorts(table, &arguments.sort)?;
    if !sorts.is_empty() {
        body["sorts"] = json!(sorts);
    } else if let Some(sorts) =
        view.map(|view| &view.sorts).filter(|sorts| sorts.as_array().is_some_and(|sorts| !sorts.is_empty()))
    {
        body["sorts"] = sorts.clone();
    }
    let rows = call.api().query(&table.id, &body).await?;
    Ok(said.into_iter().fold(page(call, arguments, position, rows, Some(table)).await?, Reply::line))
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
    let mut shown: Vec<Item> = rows.results.into_iter().skip(position.skip).collect();
    let columns = columns(&shown, &arguments.fields, table)?;
    call.count_linked(&mut shown, &columns).await;
    let head = |name: &String| {
        let column = table.and_then(|table| table.columns.get(name));
        render::column(name, column.unwrap_or(&Value::Null))
    };
    let heads: Vec<String> = columns.iter().map(head).collect();
    let titles = call.linked_titles(&shown, &columns, table.map(|table| &table.columns)).await;
    let (mut uncomputed, mut short) = (false, false);
    let mut page = Page::new(FROM, ("row", "rows"));
    if !shown.is_empty() {
        page = page.note(format!("id | {}", heads.join(" | ")));
    }
    for row in &shown {
        let cells: Vec<String> = columns.iter().map(|name| render::named(row.value(name), &titles)).collect();
        short |= columns.iter().any(|name| render::is_short(row.value(name)));
        uncomputed |= cells.iter().any(|cell| cell == "?");
        let values: Map<String, Value> = columns
            .iter()
            .zip(&cells)
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| (name.clone(), json!(cell)))
            .collect();
        let id = render::bare(&row.id);
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        page.push(format!("{id} | {}", cells.join(" | ")), &json!({"id": id, "values": values}));
    }
    let empty = shown.is_empty();
    let left = if arguments.fields.is_empty() { left_out(&shown, &columns) } else { Vec::new() };
    let read = shown.len();
    let mut reply = Reply::page(paging::close(call, page, VendorPage::whole(position, read, next)));
    if cut {
        reply = reply.line("Notion gives at most 10,000 rows to one question: narrow it with `where`, or use `count` or `group_by`, which read on.");
    }
    if uncomputed {
        reply = reply.line(
            "`?` marks what Notion did not compute, such as over more than 25 linked rows: ask the linked table with `count`, \
             `group_by` or `sum`.",
        );
    }
    if short {
        reply =
            reply.line("`+` marks where there is more than a row shows: get_page of the row has all of it.");
    }
    if empty && names_me(&arguments.filter) {
        reply = reply.line(
            "`me` is whoever the token is of: an internal connection is nobody's owner or assignee. Give a person's name.",
        );
    }
    if empty {
        reply = reply.line(match table {
            Some(table) => {
                format!("No row of {} matches. get_database shows its columns and options.", table.name)
            }
            None => "The table has no rows that this connection sees.".to_owned(),
        });
    }
    for told in left {
        reply = reply.line(told);
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

/// The columns of `rows` that are not among those `shown`: which have values, and which are empty in all of them.
fn left_out(rows: &[Item], shown: &[String]) -> Vec<String> {
    let Some(first) = rows.first() else { return Vec::new() };
    let names = first.properties.keys().filter(|name| !shown.contains(name));
    let (filled, empty): (Vec<&String>, Vec<&String>) =
        names.partition(|name| rows.iter().any(|row| !render::value(row.value(name)).is_empty()));
    let mut told = Vec::new();
    if !filled.is_empty() {
        told.push(format!("Columns not shown: {}. Name them in `fields`.", words::listed(&filled, TOLD)));
    }
    if !empty.is_empty() {
        told.push(format!("Empty in these rows: {}.", words::listed(&empty, TOLD)));
    }
    told
}
