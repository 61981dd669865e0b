//! Saved views: a table's rows by a filter, an order and a grouping.

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Seen},
        unbroken,
        words::short,
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    outcome,
    query::{has_other_days, sorts},
    told,
};
use crate::{
    Notion,
    api::objects::View,
    error::committed_id,
    render,
    resolve::{tables::Table, views::condition},
};

/// Characters of a view's conditions that are told.
const SHOWN: usize = 300;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::write(
            "save_view",
            "Save a view",
            "Creates a view of a table (`name` needed), or changes one by its id, or its name in `database`, in `view`; `where` and `sort` as in \
             query_database. A board needs `group_by`, a calendar its `date` column.",
            save_view,
        )
        .toolset("views")
        .aliases(&[
            ("data_source_id", "database"),
            ("view_id", "view"),
            ("id", "view"),
            ("filter", "where"),
            ("sorts", "sort"),
        ])
        .output::<Written>(),
        Tool::destructive("delete_view", "Delete a view", "Deletes a saved view by id, or by name in its `database`; the rows stay.", delete_view)
            .toolset("views")
            .aliases(&[("view_id", "view"), ("id", "view")])
            .output::<Written>(),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Type {
    Table,
    Board,
    List,
    Calendar,
    Timeline,
    Gallery,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Board => "board",
            Self::List => "list",
            Self::Calendar => "calendar",
            Self::Timeline => "timeline",
            Self::Gallery => "gallery",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveView {
    database: Option<String>,
    view: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Type>,
    #[schemars(schema_with = "super::values_by_column")]
    #[serde(rename = "where", default)]
    filter: Option<Map<String, Value>>,
    sort: Option<Vec<String>>,
    group_by: Option<String>,
    date: Option<String>,
    #[serde(default)]
    clear: Vec<Cleared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Cleared {
    Where,
    Sort,
}

async fn save_view(call: Call<Notion>, arguments: SaveView) -> Result<Plan> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (table, view) = match (given(&arguments.view), given(&arguments.database)) {
        (Some(view), _) => {
            let id = call.view_id(&view, given(&arguments.database).as_deref()).await?;
            let view = call.api().view_now(&id).await?;
            let table = call.table(view.data_source_id.as_deref().unwrap_or_default()).await?;
            (table, Some(view))
        }
        (None, Some(database)) => (call.table(&database).await?, None),
        (None, None) => {
            return Err(Error::invalid("Give the `database` for a new view, or the `view` to change"));
        }
    };
    let (body, mut lines) = wanted(&call, &arguments, &table, view.as_ref()).await?;
    if body.as_object().is_none_or(Map::is_empty) {
        return Ok(Plan::nothing(Reply::written(Written::new(
            "Nothing changed: the view already is what was asked for.",
        ))));
    }
    let name = body["name"].as_str().or(view.as_ref().map(|view| view.name.as_str())).unwrap_or_default();
    let name = one_line(name);
    let words = match &view {
        Some(view) => format!("the view {} of {}", one_line(&view.name), table.name),
        None => format!("the view {name} of {}", table.name),
    };
    let mut preview = Written::new(format!("{} {words}:", if view.is_some() { "Change" } else { "Create" }));
    preview.changed.clone_from(&lines);
    let state = view.as_ref().map(|view| json!([view.name, view.filter, view.sorts, view.configuration]));
    let plan = Plan::new(told::written(preview, Vec::new()), move || async move {
        let (saved, lost) = match view {
            Some(view) => change(&call, &view, &body).await?,
            None => create(&call, &table, &body).await?,
        };
        let lost_fields = not_done(&saved, &body);
        if !lost_fields.is_empty() {
            return Err(Error::new(
                Kind::Upstream,
                format!("Notion saved {words} without its {}", lost_fields.join(", ")),
            )
            .with_hint(format!("Look at it with get_database; its id is {}", render::bare(&saved.id))));
        }
        let done = if body.get("data_source_id").is_some() { "Created" } else { "Changed" };
        let mut written =
            Written::new(format!("{done} {words}; view {}{}.", render::bare(&saved.id), outcome::note(lost)))
                .id(render::bare(&saved.id));
        if !saved.url.is_empty() {
            written = written.url(saved.url.clone());
        }
        written.changed.append(&mut lines);
        Ok(told::written(written, Vec::new()))
    });
    Ok(plan.state(&state))
}

/// The request for what was asked, and its lines.
async fn wanted(
    call: &Call<Notion>,
    arguments: &SaveView,
    table: &Table,
    view: Option<&View>,
) -> Result<(Value, Vec<String>)> {
    let mut body = json!({});
    let mut lines = Vec::new();
    let name = arguments.name.as_deref().map(unbroken).filter(|name| !one_line(name).is_empty());
    let kind = match (view, arguments.kind) {
        (None, kind) => kind.unwrap_or(Type::Table).word().to_owned(),
        (Some(view), Some(kind)) if kind.word() != view.kind => {
            return Err(Error::invalid(format!(
                "A view keeps its type: {} is a {}",
                one_line(&view.name),
                view.kind
            ))
            .with_hint("Create another view of that type, and delete this one"));
        }
        (Some(view), _) => view.kind.clone(),
    };
    if view.is_none() {
        let name = name.clone().ok_or_else(|| Error::invalid("A new view needs a `name`"))?;
        body["data_source_id"] = json!(table.id);
        body["name"] = json!(name);
        body["type"] = json!(kind);
        if let Some(database) = &table.database {
            body["database_id"] = json!(database);
        }
        lines.push(format!("type {kind}"));
    }
    if let (Some(view), Some(name)) = (view, &name)
        && *name != view.name
    {
        body["name"] = json!(name);
        lines.push(format!("name {} → {name}", one_line(&view.name)));
    }
    if let Some(filter) = arguments.filter.as_ref().filter(|filter| !filter.is_empty()) {
        let compiled = call.filter(table, filter).await?;
        if view.is_none_or(|view| view.filter != compiled) {
            let words = condition(&compiled, table);
            lines.push(format!("where {}", short(&words, SHOWN)));
            if has_other_days(&compiled, &json!(filter).to_string()) {
                lines.push(
                    "  the view keeps these days; today, this_week, one_week_ago and the like move along"
                        .to_owned(),
                );
            }
            body["filter"] = compiled;
        }
    }
    if let Some(sort) = arguments.sort.as_ref().filter(|sort| !sort.is_empty()) {
        let compiled = json!(sorts(table, sort)?);
        if view.is_none_or(|view| view.sorts != compiled) {
            lines.push(format!("sort {}", sort.join(", ")));
            body["sorts"] = compiled;
        }
    }
    for (cleared, field, words) in
        [(Cleared::Where, "filter", "where none"), (Cleared::Sort, "sorts", "sort none")]
    {
        if view.is_some() && arguments.clear.contains(&cleared) {
            if body.get(field).is_some() {
                return Err(Error::invalid("`clear` names what is also given"));
            }
            lines.push(words.to_owned());
            body[field] = Value::Null;
        }
    }
    if let Some(configuration) = configuration(arguments, table, &kind, view, &mut lines)? {
        body["configuration"] = configuration;
    }
    Ok((body, lines))
}

/// How a view of a type groups its rows or takes their dates (SDK 5.26.0: ViewConfigRequest).
fn configuration(
    arguments: &SaveView,
    table: &Table,
    kind: &str,
    view: Option<&View>,
    lines: &mut Vec<String>,
) -> Result<Option<Value>> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (group, date) = (given(&arguments.group_by), given(&arguments.date));
    if group.is_some() && !["board", "table"].contains(&kind) {
        return Err(Error::invalid(format!("A {kind} has no `group_by`")));
    }
    if date.is_some() && !["calendar", "timeline"].contains(&kind) {
        return Err(Error::invalid(format!("A {kind} has no `date`")));
    }
    let mut configuration = json!({"type": kind});
    match (kind, group, date) {
        (_, Some(column), _) => {
            let (name, group) = grouping(table, &column)?;
            lines.push(format!("grouped by {name}"));
            configuration["group_by"] = group;
        }
        ("board", None, _) if view.is_none() => {
            return Err(Error::invalid(
                "A board needs a column to `group_by`, such as one of the type status",
            ));
        }
        (_, _, Some(column)) => {
            let (name, column) = table.column(&column)?;
            lines.push(format!("by the dates in {}", one_line(name)));
            configuration["date_property_id"] = column["id"].clone();
        }
        ("calendar" | "timeline", _, None) if view.is_none() => {
            return Err(Error::invalid(format!("A {kind} needs a column of dates as `date`")));
        }
        _ => return Ok(None),
    }
    Ok(Some(configuration))
}

/// A grouping by a column (SDK 5.26.0: GroupByConfigRequest).
fn grouping(table: &Table, column: &str) -> Result<(String, Value)> {
    let (name, column) = table.column(column)?;
    let kind = column["type"].as_str().unwrap_or_default();
    let mut group = json!({
        "type": kind, "property_id": column["id"], "sort": {"type": "manual"},
    });
    match kind {
        "select" | "multi_select" | "relation" | "number" | "checkbox" | "created_by" | "last_edited_by" => {}
        "people" => group["type"] = json!("person"),
        "status" => group["group_by"] = json!("option"),
        "date" | "created_time" | "last_edited_time" => group["group_by"] = json!("relative"),
        "rich_text" | "title" | "url" | "email" | "phone_number" => {
            group["type"] = json!(if kind == "rich_text" { "text" } else { kind });
            group["group_by"] = json!("exact");
        }
        _ => return Err(Error::invalid(format!("A view cannot be grouped by {name}, a {kind} column"))),
    }
    Ok((one_line(name), group))
}

async fn create(call: &Call<Notion>, table: &Table, body: &Value) -> Result<(View, bool)> {
    let attempt = outcome::attempt(call, "view");
    let sent = call.api().create_view(body).await;
    let saved = sent.as_ref().err().and_then(committed_id).map(str::to_owned);
    let look = || async {
        if let Some(id) = saved.as_deref().filter(|id| attempt.is_free(id)) {
            return call.api().view_now(id).await.ok();
        }
        let me = outcome::own_id(call).await?;
        let listed = call.api().views(&table.id).await.ok()?;
        // A listing tells only ids; the newest come last.
        for known in listed.iter().rev() {
            let view = call.api().view_now(&known.id).await.ok()?;
            if body["name"] == view.name.as_str()
                && outcome::is_of(&attempt, &me, &view.id, &view.created_time, &view.created_by)
            {
                return Some(view);
            }
        }
        None
    };
    attempt.made(sent, |view: &View| view.id.clone(), look).await
}

async fn change(call: &Call<Notion>, view: &View, body: &Value) -> Result<(View, bool)> {
    let look = || async {
        let now = call.api().view_now(&view.id).await?;
        let state = |view: &View| json!({"name": view.name, "filter": view.filter, "sorts": view.sorts, "configuration": view.configuration});
        let there = state(&now);
        let is_set = body.as_object().into_iter().flatten().all(|(field, wanted)| there[field] == *wanted);
        Ok(if is_set {
            Seen::Done(now)
        } else if there == state(view) {
            Seen::Untouched
        } else {
            Seen::Changed
        })
    };
    reconcile::updated(|| call.api().update_view(&view.id, body), look).await
}

/// What of a request a view did not come to have. Notion words conditions its own way, so only whether there are any is
/// compared.
fn not_done(view: &View, body: &Value) -> Vec<&'static str> {
    let some = |value: &Value| match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    let mut lost = Vec::new();
    if body["name"].as_str().is_some_and(|name| name != view.name) {
        lost.push("name");
    }
    for (field, now, word) in [("filter", &view.filter, "where"), ("sorts", &view.sorts, "sort")] {
        if body.get(field).is_some_and(|wanted| some(wanted) != some(now)) {
            lost.push(word);
        }
    }
    let by = |configuration: &Value, field: &str| match field {
        "group_by" => configuration["group_by"]["property_id"].clone(),
        field => configuration[field].clone(),
    };
    for (field, word) in [("group_by", "group_by"), ("date_property_id", "date")] {
        let wanted = by(&body["configuration"], field);
        if wanted.is_string() && by(&view.configuration, field) != wanted {
            lost.push(word);
        }
    }
    lost
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteView {
    database: Option<String>,
    view: String,
}

async fn delete_view(call: Call<Notion>, arguments: DeleteView) -> Result<Plan> {
    let id = call.view_id(&arguments.view, arguments.database.as_deref()).await?;
    let view = call.api().view_now(&id).await?;
    let table = call.table(view.data_source_id.as_deref().unwrap_or_default()).await?;
    let words = format!("the {} view {} of {}", view.kind, one_line(&view.name), table.name);
    let state = json!([view.name, view.filter, view.sorts, view.configuration]);
    Ok(Plan::new(Reply::new(format!("Delete {words}. Its rows stay.")), move || async move {
        let sent = call.api().delete_view(&id).await;
        let lost = outcome::gone(sent, call.api().view_now(&id), |_| false).await?;
        let told = if lost { " (its answer was lost; it is gone)" } else { "" };
        Ok(Reply::written(Written::new(format!("Deleted {words}{told}.")).id(render::bare(&id))))
    })
    .state(&state))
}
