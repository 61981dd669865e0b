//! What there is: objects, their fields with options, pipelines with stages.

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, names::fold, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::FROM;
use crate::{
    HubSpot,
    api::definitions::{Pipeline, Property},
    resolve::{OPTIONS, ObjectType, shown_options, standard_names},
    scopes,
};

/// Fields of one page.
const FIELDS: usize = 60;
/// Options that are told of a field that was asked for by itself.
const ALL_OPTIONS: usize = 500;

pub(super) fn tools() -> Vec<Tool<HubSpot>> {
    vec![
        Tool::read(
            "describe_object",
            "Describe object",
            "Lists an object's fields with type and options; without object the objects. query: a word in name or label.",
            describe_object,
        )
.scopes(scopes::READ)
        .aliases(&[("find", "query"), ("property", "query"), ("object_type", "object")])
        .output_page::<FieldRow>(),
        Tool::read(
            "list_pipelines",
            "List pipelines",
            "Lists pipelines with their stages in order, open or closed, how likely won.",
            list_pipelines,
        )
.scopes(scopes::READ)
        .aliases(&[("object_type", "object")])
        .output_page::<StageRow>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DescribeObject {
    object: Option<String>,
    query: Option<String>,
}

/// A field, or an object.
#[derive(Debug, Serialize, JsonSchema)]
struct FieldRow {
    name: String,
    label: String,
    kind: String,
    options: String,
}

async fn describe_object(call: Call<HubSpot>, args: DescribeObject) -> Result<Reply> {
    let asked = args.query.unwrap_or_default();
    let query = fold(&asked);
    let Some(object) = args.object else { return objects(&call, &query).await };
    let object = call.names().object(&object).await?;
    let fields = call.names().fields(&object).await?;
    let mut found: Vec<&Property> = fields
        .all()
        .iter()
        .filter(|property| {
            query.is_empty() && !property.hidden || !query.is_empty() && matches(property, &query)
        })
        .collect();
    // What rows show, and what this account made itself, is asked for most.
    found.sort_by_key(|property| {
        let shown = object.columns.contains(&property.name);
        (fold(&property.name) != query && fold(&property.label) != query, !shown, property.hubspot_defined)
    });
    let total = found.len();
    if total == 0 {
        return Ok(Reply::new(format!(
            "No field of {} has \"{}\" in its name, label or description. {}.",
            object.plural,
            one_line(&asked),
            new_fields(&call)
        ))
        .data(&json!({"items": [], "total": 0})));
    }
    found.truncate(FIELDS);
    let mut page = Page::new(FROM, ("field", "fields")).total(total).note(format!("of {}", object.plural));
    if !object.required.is_empty() {
        let required: Vec<String> = object.required.iter().map(|names| names.replace('|', " or ")).collect();
        page = page.note(format!("a new {} needs {}", object.singular, required.join(", ")));
    }
    if total > FIELDS {
        page = page.note("`query` finds the others");
    }
    let one = total <= 3;
    for property in found {
        let row = FieldRow {
            name: property.name.clone(),
            label: one_line(&property.label),
            kind: kind(property),
            options: shown_options(property, if one { ALL_OPTIONS } else { OPTIONS }),
        };
        let mut line = format!("{} | {} | {}", row.name, row.label, row.kind);
        if !row.options.is_empty() {
            line.push_str(&format!(" | {}", row.options));
        }
        if one && !property.description.is_empty() {
            line.push_str(&format!(" | {}", one_line(&property.description)));
        }
        page.push(line, &row);
    }
    Ok(Reply::page(page))
}

/// How a field that there is not comes to be.
pub(super) fn new_fields(call: &Call<HubSpot>) -> &'static str {
    if call.offers("create_property") {
        "create_property makes new fields"
    } else {
        "New fields are made by create_property, of the toolset `schema`, which is off: the operator can switch it on, or a person makes the field in HubSpot's settings"
    }
}

fn matches(property: &Property, query: &str) -> bool {
    let text = fold(&format!("{} {} {}", property.name, property.label, property.description));
    query.split_whitespace().all(|word| text.contains(word))
}

fn kind(property: &Property) -> String {
    let mut words = vec![match property.kind.as_str() {
        "enumeration" if property.is_multiple() => "several options".to_owned(),
        "enumeration" if property.is_owner() && property.external_options => "owner".to_owned(),
        "enumeration" if property.external_options => "options elsewhere".to_owned(),
        "enumeration" => "option".to_owned(),
        "bool" => "yes or no".to_owned(),
        "number" if property.is_money() => "money".to_owned(),
        "string" => "text".to_owned(),
        kind => kind.to_owned(),
    }];
    if property.is_read_only() {
        words.push("read only".to_owned());
    }
    if property.has_unique_value {
        words.push("unique".to_owned());
    }
    words.join(", ")
}

async fn objects(call: &Call<HubSpot>, query: &str) -> Result<Reply> {
    let mut page = Page::new(FROM, ("object", "objects"));
    let mut push = |name: &str, label: &str, kind: &str| {
        if fold(name).contains(query) || fold(label).contains(query) {
            let row = FieldRow {
                name: name.to_owned(),
                label: label.to_owned(),
                kind: kind.to_owned(),
                options: String::new(),
            };
            page.push(
                if label.is_empty() { name.to_owned() } else { format!("{name} | {label} | {kind}") },
                &row,
            );
        }
    };
    let schemas = call.api().schemas().await;
    for schema in schemas.as_ref().map(Vec::as_slice).unwrap_or_default() {
        push(
            &schema.fully_qualified_name,
            &one_line(&schema.labels.plural),
            &format!("custom object {}", schema.object_type_id),
        );
    }
    for name in standard_names() {
        push(name, "", "");
    }
    let reply = Reply::page(page);
    Ok(match schemas {
        Ok(_) => reply,
        Err(error) => reply.line(format!("Custom objects could not be listed: {}", error.for_agent())),
    })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListPipelines {
    object: Option<String>,
}

/// A stage.
#[derive(Debug, Serialize, JsonSchema)]
struct StageRow {
    pipeline: String,
    stage: String,
    id: String,
    closed: bool,
}

async fn list_pipelines(call: Call<HubSpot>, args: ListPipelines) -> Result<Reply> {
    let mut of: Vec<(ObjectType, Vec<Pipeline>)> = Vec::new();
    if let Some(word) = args.object.as_deref().filter(|word| !word.trim().is_empty()) {
        let object = call.names().object(word).await?;
        let pipelines = call.names().pipelines(&object).await?;
        of.push((object, pipelines));
    } else {
        for name in ["deals", "tickets", "leads"] {
            let Some(object) = call.names().standard(name) else { continue };
            match call.names().pipelines(&object).await {
                Ok(pipelines) => of.push((object, pipelines)),
                // Not every account has leads, nor may every credential see tickets.
                Err(_) if name != "deals" => {}
                Err(error) => return Err(error),
            }
        }
        for object in call.names().custom().await {
            if let Ok(pipelines) = call.names().pipelines(&object).await {
                of.push((object, pipelines));
            }
        }
        of.retain(|(_, pipelines)| !pipelines.is_empty());
    }
    let counts = of.iter().map(|(object, pipelines)| {
        let pipelines = counted(pipelines.len(), ("pipeline", "pipelines"));
        format!("{pipelines} of {}", object.plural)
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let mut page = Page::new(FROM, ("stage", "stages")).note(format!("in {counts}"));
    let several = of.len() > 1;
    for (object, pipeline) in of.iter().flat_map(|(object, all)| all.iter().map(move |one| (object, one))) {
        for stage in &pipeline.stages {
            let state = if stage.is_closed() { "closed" } else { "open" };
            let chance =
                stage.probability().map(|chance| format!(" | {:.0}%", chance * 100.0)).unwrap_or_default();
            let row = StageRow {
                pipeline: one_line(&pipeline.label),
                stage: one_line(&stage.label),
                id: stage.id.clone(),
                closed: stage.is_closed(),
            };
            let of = if several { format!("{}: ", object.plural) } else { String::new() };
            page.push(
                format!(
                    "{of}{} ({}) | {} | {state}{chance} | {}",
                    row.pipeline, pipeline.id, row.stage, stage.id
                ),
                &row,
            );
        }
    }
    Ok(Reply::page(page))
}
