//! A table's columns, options, templates and views.

use connector::{
    Result,
    catalog::{Call, Reply, Tool, one_line, words::short},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Notion, render,
    resolve::{linked::Titles, tables::options, views},
};

/// Views whose names are asked for.
const VIEWS: usize = 20;
/// Characters of a formula that are told.
const EXPRESSION: usize = 300;

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
    let names = call.targets(table.columns.values()).await;
    let columns: Vec<String> =
        table.columns.iter().map(|(name, column)| describe(name, column, &names)).collect();
    let templates: Vec<String> =
        call.api().templates(&table.id).await?.iter().map(|template| one_line(&template.name)).collect();
    let mut views = Vec::new();
    let known = call.api().views(&table.id).await?;
    let left = known.len().saturating_sub(VIEWS);
    for view in known.into_iter().take(VIEWS) {
        let view = call.api().view(&view.id).await?;
        let words = views::words(&view, &table);
        views.push(format!(
            "{} | {} ({}) | {words}",
            render::bare(&view.id),
            one_line(&view.name),
            view.kind
        ));
    }
    if left > 0 {
        views.push(format!("and {left} more, by their names in Notion"));
    }
    // The database of a single table is called as the table, and either id means both.
    let database = match table.database.as_deref() {
        Some(id) => match call.api().database(id).await.map(|database| render::title(&database.name())) {
            Ok(title) if title == table.name => String::new(),
            Ok(title) => format!(", in the database {title} {}", render::bare(id)),
            Err(_) => format!(", in the database {}", render::bare(id)),
        },
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

/// What a rollup is made of: `count of Tasks`. A count that Notion leaves out is made up by the server.
fn rolled(rollup: &Value) -> String {
    let word = |field: &str| rollup[field].as_str().map(one_line).unwrap_or_default();
    let (function, relation) = (word("function"), word("relation_property_name"));
    let whole = "; `?` over 25 linked rows";
    match function.as_str() {
        _ if relation.is_empty() => String::new(),
        "count" => format!(": count of {relation}"),
        "show_original" => format!(": {} of {relation}{whole}", word("rollup_property_name")),
        _ => format!(
            ": {} of {} of {relation}{whole}",
            function.replace('_', " "),
            word("rollup_property_name")
        ),
    }
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

/// One column in a line: its type and what it takes, `names` being of the tables that it may link to.
pub(super) fn describe(name: &str, column: &Value, names: &Titles) -> String {
    let kind = column["type"].as_str().unwrap_or_default();
    let more = match kind {
        "select" | "multi_select" | "status" => {
            format!(" ({})", in_groups(column).unwrap_or_else(|| listed(&options(column))))
        }
        "relation" => {
            let target = column["relation"]["data_source_id"].as_str().unwrap_or_default();
            match names.get(target) {
                Some(name) => format!(" (to {name})"),
                None => format!(" (to the table {}, which cannot be read)", render::bare(target)),
            }
        }
        "number" => match column["number"]["format"].as_str() {
            Some("number") | None => String::new(),
            Some(format) => format!(" ({})", one_line(format)),
        },
        "rollup" => format!(" (read only{})", rolled(&column["rollup"])),
        "formula" => match column["formula"]["expression"].as_str().filter(|text| !text.is_empty()) {
            Some(expression) => format!(" (read only: {})", short(expression, EXPRESSION)),
            None => " (read only)".to_owned(),
        },
        "unique_id" => match column["unique_id"]["prefix"].as_str().filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => format!(" (read only: {}-1, …)", one_line(prefix)),
            None => " (read only)".to_owned(),
        },
        "created_time" | "created_by" | "last_edited_time" | "last_edited_by" | "button" => {
            " (read only)".to_owned()
        }
        _ => String::new(),
    };
    format!("{}: {kind}{more}", one_line(name))
}
