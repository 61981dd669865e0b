//! Milestones of projects: created and changed. get_project lists them.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, Clear, FieldValue, Plan, Reply, Tool, Written, one_line, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::outcome;
use crate::{
    Linear,
    api::milestones::Milestone,
    resolve::{Mentioned, find},
};

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "save_milestone",
            "Save a milestone",
            "Creates a milestone of a project; with id (its name), changes one.",
            save_milestone,
        )
        .toolset("projects")
        .aliases(&[("milestone", "id"), ("targetDate", "target_date")])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveMilestone {
    project: String,
    id: Option<String>,
    name: Option<String>,
    description: Option<String>,
    target_date: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Description,
    TargetDate,
}

async fn save_milestone(call: Call<Linear>, mut args: SaveMilestone) -> Result<Plan> {
    let project = call.names().project(&args.project).await?;
    let calendar = call.calendar().await?;
    let target_date = Clear::of(args.target_date.as_deref(), args.clear.contains(&Emptied::TargetDate))
        .try_map(|text| calendar.day("target_date", text).map(|day| day.to_string()))?;
    if args.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::invalid("`name` is empty"));
    }
    // "name must be shorter than or equal to 255 characters."
    words::at_most("Linear", "name", args.name.as_deref().unwrap_or_default().trim(), 255)?;
    let there = call.api().list_milestones(&project.id).await?.nodes;
    let (old, id) = match &args.id {
        Some(wanted) => {
            let found = find(wanted, &there)?.clone();
            let id = found.id.clone();
            (found, Some(id))
        }
        None => {
            let name = args.name.as_deref().ok_or_else(|| {
                Error::invalid("A new milestone needs `name`")
                    .with_hint("To change a milestone, give its name as `id`")
            })?;
            if there.iter().any(|milestone| same(&milestone.name, name)) {
                return Err(Error::new(
                    Kind::Conflict,
                    format!(
                        "The project {} has a milestone {} already",
                        one_line(&project.name),
                        one_line(name)
                    ),
                )
                .with_hint("To change it, give its name as `id`"));
            }
            (Milestone::default(), None)
        }
    };
    let mut mentions = Vec::new();
    if let Some(description) = &mut args.description {
        let before = old.description.as_deref().unwrap_or_default();
        let Mentioned { text, lines } = call.names().mentions(description, before).await?;
        (*description, mentions) = (text, lines);
    }
    let (changes, mut input) = compare(&old, &args, &target_date);
    let of = format!("of the project {}", one_line(&project.name));
    if id.is_some() && changes.is_empty() {
        let thing =
            format!("Nothing to change: the milestone {} {of} is already like that", one_line(&old.name));
        return Ok(Plan::nothing(Reply::written(Written::new(thing).id(old.id))));
    }
    let name = args.name.clone().unwrap_or_else(|| old.name.clone());
    let verb = if id.is_some() { "Change" } else { "Create" };
    let mut preview = Written::new(format!("{verb} the milestone {} {of}", one_line(&name)));
    preview.changed = changes.wanted();
    preview.changed.extend(mentions.iter().cloned());
    let api = call.api().clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let what = format!("save the milestone {of}");
        let (saved, summary) = match id {
            Some(id) => {
                let payload = api.update_milestone(&id, Value::Object(input)).await?;
                (outcome::done(payload.project_milestone.filter(|_| payload.success), &what)?, "Changed")
            }
            None => {
                let id = Uuid::new_v4().to_string();
                input.insert("id".to_owned(), json!(id));
                input.insert("projectId".to_owned(), json!(project.id));
                let sent = api.create_milestone(Value::Object(input)).await;
                let sent = sent.map(|payload| payload.project_milestone.filter(|_| payload.success));
                (outcome::created(sent, &what, api.get_milestone(&id)).await?, "Created")
            }
        };
        let outcome = changes.outcome(|field| field_value(&saved, field));
        let thing = format!("the milestone {} {of}", one_line(&saved.name));
        let summary = if summary == "Changed" || !outcome.refused.is_empty() {
            outcome.summary("Linear", &thing)
        } else {
            format!("Created {thing}")
        };
        let mut written = Written::new(summary).id(saved.id);
        written.changed = outcome.lines();
        written.changed.extend(mentions);
        Ok(Reply::written(written))
    }))
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

fn compare(
    old: &Milestone,
    args: &SaveMilestone,
    target_date: &Clear<String>,
) -> (Changes, Map<String, Value>) {
    let mut changes = Changes::default();
    let mut input = Map::new();
    let mut ask = |field: &'static str, new: FieldValue, key: &str, value: Value| {
        if changes.set(field, field_value(old, field), new) {
            input.insert(key.to_owned(), value);
        }
    };
    if let Some(name) = &args.name {
        ask("name", FieldValue::Short(name.trim().to_owned()), "name", json!(name.trim()));
    }
    let description = Clear::of(args.description.as_ref(), args.clear.contains(&Emptied::Description));
    if let Some(description) = description.as_change() {
        let text = description.map(|text| (*text).clone()).unwrap_or_default();
        ask("description", FieldValue::Long(text.clone()), "description", json!(text));
    }
    if let Some(date) = target_date.as_change() {
        ask("target_date", FieldValue::short(date), "targetDate", json!(date));
    }
    (changes, input)
}

fn field_value(milestone: &Milestone, field: &str) -> FieldValue {
    match field {
        "name" => FieldValue::Short(milestone.name.clone()),
        "description" => FieldValue::Long(milestone.description.clone().unwrap_or_default()),
        _ => FieldValue::short(milestone.target_date.as_deref()),
    }
}
