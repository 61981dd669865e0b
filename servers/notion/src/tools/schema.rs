//! Databases created, and their columns added, renamed, changed, removed.

use connector::{
    Error, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Seen},
        unbroken, values_by_name,
        words::short,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{outcome, tables::describe, told};
use crate::{
    Notion,
    api::objects::Item,
    draft::runs,
    error::committed_id,
    render, resolve,
    resolve::{
        linked::Titles,
        tables::{Table, options},
    },
};

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "create_database",
            "Create a database",
            "Creates a database under a page. `columns` by name: {\"Status\":\"status\",\"Tags\":\"multi_select(a, b)\",\
             \"Due\":\"date\",\"Price\":\"number(euro)\",\"Project\":\"relation(Projects)\"}.",
            create_database,
        )
        .toolset("databases")
        .aliases(&[("parent_id", "parent"), ("page_id", "parent"), ("name", "title"), ("properties", "columns")])
        .output::<Written>(),
        Tool::destructive(
            "update_schema",
            "Change a table's columns",
            "Adds, renames, changes or removes columns of a table, in the words of create_database; \
             `change`: {\"Tags\":\"multi_select(+new, -old)\"}. What loses values asks.",
            update_schema,
        )
        .toolset("databases")
        .aliases(&[("id", "database"), ("database_id", "database"), ("data_source_id", "database")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateDatabase {
    parent: Option<String>,
    title: String,
    #[schemars(schema_with = "values_by_name")]
    #[serde(default)]
    columns: Map<String, Value>,
}

/// The words for a column that an argument gives.
fn said<'a>(name: &str, value: &'a Value) -> Result<&'a str> {
    value.as_str().or_else(|| value["type"].as_str()).ok_or_else(|| {
        Error::invalid(format!("`{}` takes a type such as \"select(Low, High)\"", short(name, 60)))
    })
}

async fn create_database(call: Call<Notion>, arguments: CreateDatabase) -> Result<Plan> {
    let CreateDatabase { parent, title, columns } = arguments;
    let title = unbroken(&title);
    if one_line(&title).is_empty() {
        return Err(Error::invalid("`title` is empty"));
    }
    let (parent, by_default) = call.parent_or_default(parent)?;
    let page = call.api().page(&call.page_id("parent", &parent).await?).await?;
    let notes = Vec::from_iter(by_default);
    let mut made = Map::new();
    for (name, value) in &columns {
        made.insert(name.clone(), call.column(name, said(name, value)?, None).await?);
    }
    match made.values().filter(|column| column.get("title").is_some()).count() {
        0 => {
            let name = if made.contains_key("Name") { "Title" } else { "Name" };
            made.insert(name.to_owned(), json!({"title": {}}));
        }
        1 => {}
        _ => return Err(Error::invalid("A table has one column of the type title")),
    }
    let mut preview =
        Written::new(format!("Create the database {title} under {}:", render::title(&page.name())));
    let names = call.targets(made.values()).await;
    preview.changed = made.iter().map(|(name, column)| shown(name, column, &names)).collect();
    let columns = preview.changed.clone();
    Ok(Plan::new(told::written(preview, notes.clone()), move || async move {
        let body = json!({
            "parent": {"type": "page_id", "page_id": page.id}, "title": runs(&title),
            "initial_data_source": {"properties": made},
        });
        let attempt = outcome::attempt(&call, "database");
        let sent = call.api().create_database(&body).await;
        let saved = sent.as_ref().err().and_then(committed_id).map(str::to_owned);
        let look = || async {
            if let Some(id) = saved.as_deref().filter(|id| attempt.is_free(id)) {
                return call.api().database(id).await.ok();
            }
            let me = outcome::own_id(&call).await?;
            let is_it = |block: &Value| {
                block["child_database"]["title"] == title.as_str()
                    && outcome::is_of_block(&attempt, &me, block)
            };
            let block = outcome::find_block(&call, &page.id, is_it).await?;
            call.api().database(block["id"].as_str()?).await.ok()
        };
        let (database, lost) = attempt.made(sent, |database: &Item| database.id.clone(), look).await?;
        let source = database.data_sources.first().map(|source| render::bare(&source.id));
        let source = source.unwrap_or_else(|| render::bare(&database.id));
        let mut written = Written::new(format!(
            "Created the database {title} under {}; table {source}{}.",
            render::title(&page.name()),
            outcome::note(lost)
        ))
        .id(source)
        .url(database.url.clone());
        written.changed = columns;
        Ok(told::written(written, notes))
    }))
}

/// A column of a request, in the words of a description.
fn shown(name: &str, column: &Value, names: &Titles) -> String {
    let kind = column.as_object().and_then(|column| column.keys().next().cloned()).unwrap_or_default();
    let mut typed = column.clone();
    typed["type"] = json!(kind);
    describe(name, &typed, names)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateSchema {
    database: String,
    #[schemars(schema_with = "values_by_name")]
    #[serde(default)]
    add: Map<String, Value>,
    #[schemars(schema_with = "values_by_name")]
    #[serde(default)]
    rename: Map<String, Value>,
    #[schemars(schema_with = "values_by_name")]
    #[serde(default)]
    change: Map<String, Value>,
    #[serde(default)]
    remove: Vec<String>,
}

/// What is to become of a table's columns.
#[derive(Default)]
struct Work {
    /// By the names that the columns have now.
    properties: Map<String, Value>,
    lines: Vec<String>,
    /// Whether values are lost.
    loses: bool,
    /// The columns that values are lost of, as they are, and how many rows have one.
    state: Vec<Value>,
}

async fn update_schema(call: Call<Notion>, arguments: UpdateSchema) -> Result<Plan> {
    let UpdateSchema { database, add, rename, change, remove } = arguments;
    let mut table = call.table(&database).await?;
    // What is confirmed is made from what there is, not from what was kept.
    table.columns = call.api().data_source_now(&table.id).await?.properties;
    let mut work = Work::default();
    for (name, value) in &add {
        if let Some(known) = table.columns.keys().find(|known| resolve::same(known, name)) {
            return Err(Error::invalid(format!("{} has a column {} already", table.name, one_line(known)))
                .with_hint("`change` changes its type or options"));
        }
        let column = call.column(name, said(name, value)?, None).await?;
        let names = call.targets([&column]).await;
        work.lines.push(format!("+ {}", shown(name, &column, &names)));
        work.properties.insert(name.clone(), column);
    }
    for (name, value) in &change {
        changed(&call, &table, name, said(name, value)?, &mut work).await?;
    }
    for (name, value) in &rename {
        let (name, _) = table.column(name)?;
        let new = value.as_str().map(str::trim).filter(|new| !new.is_empty());
        let new =
            new.ok_or_else(|| Error::invalid(format!("`rename`: {} needs a new name", one_line(name))))?;
        if name == new {
            continue;
        }
        if let Some(known) = table.columns.keys().find(|known| resolve::same(known, new) && *known != name) {
            return Err(Error::invalid(format!("{} has a column {} already", table.name, one_line(known))));
        }
        work.lines.push(format!("{} → {}", one_line(name), one_line(new)));
        let entry = work.properties.entry(name.to_owned()).or_insert_with(|| json!({}));
        entry["name"] = json!(new);
    }
    for name in &remove {
        let (name, column) = table.column(name)?;
        if column["type"] == "title" {
            return Err(Error::invalid(format!("{} is the title, which every table keeps", one_line(name))));
        }
        let rows = filled(&call, &table, name, column).await?;
        let names = call.targets([column]).await;
        work.lines.push(format!("- {}, with its values in {rows}", describe(name, column, &names)));
        work.state.push(json!([name, column, rows]));
        work.loses = true;
        work.properties.insert(name.to_owned(), Value::Null);
    }
    if work.properties.is_empty() {
        let nothing = format!("Nothing changed: {} already has these columns.", table.name);
        return Ok(Plan::nothing(Reply::written(Written::new(nothing))));
    }
    let mut preview = Written::new(format!("Change the columns of {}:", table.name));
    preview.changed.clone_from(&work.lines);
    let (loses, state) = (work.loses, work.state.clone());
    let preview = told::written(preview, Vec::new());
    let plan = Plan::new(preview, move || async move { carry_out(&call, table, work).await }).state(&state);
    Ok(if loses { plan } else { plan.harmless() })
}

/// Works out another type, or other options, for a column.
async fn changed(call: &Call<Notion>, table: &Table, name: &str, text: &str, work: &mut Work) -> Result<()> {
    let (name, now) = table.column(name)?;
    let column = call.column(name, text, Some(now)).await?;
    let names = call.targets([now, &column]).await;
    let (old, new) = (describe(name, now, &names), shown(name, &column, &names));
    let kind = now["type"].as_str().unwrap_or_default();
    let same_kind = column.get(kind).is_some();
    if old == new || same_kind && column[kind] == json!({}) {
        return Ok(());
    }
    if !same_kind && kind == "title" {
        return Err(Error::invalid(format!("{} is the title, which stays one", one_line(name))));
    }
    let kept: Vec<&str> = column[kind]["options"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|option| option["name"].as_str())
        .collect();
    let gone: Vec<&str> = if same_kind && column[kind].get("options").is_some() {
        options(now).into_iter().filter(|option| !kept.contains(option)).collect()
    } else {
        Vec::new()
    };
    work.lines.push(format!("{old} → {}", new.split_once(": ").map_or(new.as_str(), |(_, new)| new)));
    if !same_kind {
        let rows = filled(call, table, name, now).await?;
        work.lines.push(format!("  values that do not fit are lost, in {rows}"));
        work.state.push(json!([name, now, rows]));
        work.loses = true;
    }
    if !gone.is_empty() {
        work.lines.push(format!("  rows lose: {}", gone.join(", ")));
        work.state.push(json!([name, now]));
        work.loses = true;
    }
    work.properties.insert(name.to_owned(), column);
    Ok(())
}

/// How many rows have a value in a column, in words.
async fn filled(call: &Call<Notion>, table: &Table, name: &str, column: &Value) -> Result<String> {
    let kind = column["type"].as_str().unwrap_or_default();
    let filter = match kind {
        "formula" | "rollup" | "created_time" | "created_by" | "last_edited_time" | "last_edited_by"
        | "unique_id" | "button" => return Ok("every row (computed)".to_owned()),
        "checkbox" => json!({"property": name, kind: {"equals": true}}),
        _ => json!({"property": name, kind: {"is_not_empty": true}}),
    };
    let rows = call.api().query(&table.id, &json!({"filter": filter, "page_size": 100})).await?;
    let (count, more) = (rows.results.len(), if rows.has_more { "more than " } else { "" });
    Ok(format!("{more}{count} {}", if count == 1 { "row" } else { "rows" }))
}

async fn carry_out(call: &Call<Notion>, table: Table, work: Work) -> Result<Reply> {
    let body = json!({"properties": work.properties});
    let look = || async {
        let now = call.api().data_source_now(&table.id).await?;
        Ok(if is_done(&now.properties, &work.properties) {
            Seen::Done(now)
        } else if now.properties == table.columns {
            Seen::Untouched
        } else {
            Seen::Changed
        })
    };
    let send = || call.api().update_data_source(&table.id, &body);
    let (now, lost) = reconcile::updated(send, look).await?;
    if !is_done(&now.properties, &work.properties) {
        return Err(Error::new(
            connector::Kind::Upstream,
            format!("Notion accepted the change of the columns of {} but did not do all of it", table.name),
        )
        .with_hint("Look at them with get_database"));
    }
    let mut written = Written::new(format!("Changed the columns of {}{}.", table.name, outcome::note(lost)))
        .id(render::bare(&table.id));
    written.changed = work.lines;
    Ok(told::written(written, Vec::new()))
}

/// Whether a table's columns are as a request wants them.
fn is_done(columns: &Map<String, Value>, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, change)| {
        if change.is_null() {
            return !columns.contains_key(name);
        }
        let Some(column) = columns.get(change["name"].as_str().unwrap_or(name)) else { return false };
        let Some((kind, config)) =
            change.as_object().into_iter().flatten().find(|(field, _)| *field != "name")
        else {
            return true;
        };
        let names = |list: &Value| -> Vec<Value> {
            list.as_array().into_iter().flatten().map(|option| option["name"].clone()).collect()
        };
        column["type"] == kind.as_str()
            && (config.get("options").is_none()
                || names(&config["options"]) == names(&column[kind.as_str()]["options"]))
    })
}
