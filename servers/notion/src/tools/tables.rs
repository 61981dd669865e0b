//! A table's columns, options, templates and views.

use connector::{
    Result,
    catalog::{Call, Reply, Tool, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Notion, render,
    resolve::{tables::options, views},
};

/// Views whose names are asked for.
const VIEWS: usize = 10;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "get_database",
            "Describe a table",
            "Tells a table's columns with types and options, its templates and saved views, by name, id or URL.",
            get_database,
        )
        .toolset("databases")
        .aliases(&[("id", "database"), ("database_id", "database"), ("data_source_id", "database"), ("name", "database")])
        .output::<Described>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDatabase {
    database: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Described {
    id: String,
    name: String,
    columns: Vec<String>,
    templates: Vec<String>,
    views: Vec<String>,
}

async fn get_database(call: Call<Notion>, arguments: GetDatabase) -> Result<Reply> {
    let table = call.table(&arguments.database).await?;
    let columns: Vec<String> = table.columns.iter().map(|(name, column)| describe(name, column)).collect();
    let templates: Vec<String> =
        call.api().templates(&table.id).await?.iter().map(|template| one_line(&template.name)).collect();
    let mut views = Vec::new();
    for view in call.api().views(&table.id).await?.results.into_iter().take(VIEWS) {
        let view = call.api().view(&view.id).await?;
        let words = views::words(&view, &table);
        views.push(format!(
            "{} | {} ({}) | {words}",
            render::bare(&view.id),
            one_line(&view.name),
            view.kind
        ));
    }
    let database = match table.database.as_deref() {
        Some(id) => {
            let title = call.api().database(id).await.map(|database| render::title(&database.name()) + " ");
            format!(", in the database {}{}", title.unwrap_or_default(), render::bare(id))
        }
        None => String::new(),
    };
    let mut text = vec![columns.join("\n")];
    if !templates.is_empty() {
        text.push(format!("Templates: {}", templates.join("; ")));
    }
    if !views.is_empty() {
        text.push(format!("Views:\n{}", views.join("\n")));
    }
    let reply = Reply::new(format!("Table {} · {}{database}", table.name, render::bare(&table.id))).outside(
        table.name.clone(),
        None,
        text.join("\n"),
    );
    Ok(reply.data(&Described { id: render::bare(&table.id), name: table.name, columns, templates, views }))
}

fn listed(options: &[&str]) -> String {
    options.iter().map(|option| one_line(option)).collect::<Vec<_>>().join(", ")
}

/// The options of a status by its groups, of which the last is what counts as done: `To do: Backlog; Complete: Done`.
fn in_groups(column: &Value) -> Option<String> {
    let known = column["status"]["options"].as_array()?;
    let groups = column["status"]["groups"].as_array().filter(|groups| !groups.is_empty())?;
    let told = groups.iter().map(|group| {
        let ids = group["option_ids"].as_array().into_iter().flatten();
        let names = ids.filter_map(|id| known.iter().find(|option| option["id"] == *id)?["name"].as_str());
        (group["name"].as_str().map(one_line).unwrap_or_default(), names.collect::<Vec<_>>())
    });
    let told = told.filter(|(_, names)| !names.is_empty());
    Some(told.map(|(group, names)| format!("{group}: {}", listed(&names))).collect::<Vec<_>>().join("; "))
}

/// One column in a line: its type and what it takes.
pub(super) fn describe(name: &str, column: &Value) -> String {
    let kind = column["type"].as_str().unwrap_or_default();
    let more = match kind {
        "select" | "multi_select" | "status" => {
            format!(" ({})", in_groups(column).unwrap_or_else(|| listed(&options(column))))
        }
        "relation" => {
            let target = column["relation"]["data_source_id"].as_str().unwrap_or_default();
            format!(" (to table {})", render::bare(target))
        }
        "number" => match column["number"]["format"].as_str() {
            Some("number") | None => String::new(),
            Some(format) => format!(" ({})", one_line(format)),
        },
        "formula" | "rollup" | "created_time" | "created_by" | "last_edited_time" | "last_edited_by"
        | "unique_id" | "button" => " (read only)".to_owned(),
        _ => String::new(),
    };
    format!("{}: {kind}{more}", one_line(name))
}
