//! Projects: created and changed.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Changes, Clear, FieldValue, Plan, Reply, Tool, Written, one_line, words},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{dates, outcome};
use crate::{
    Linear,
    api::{Api, names, projects::ProjectState},
    filter, render,
    resolve::{self, Mentioned},
};

/// What Linear accepts as a project's summary.
const SUMMARY_CHARS: usize = 255;
/// And as its name: "name must be shorter than or equal to 80 characters."
const NAME_CHARS: usize = 80;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::write(
            "save_project",
            "Save a project",
            "Creates a project; with id, changes the fields given of one. Lists replace.",
            save_project,
        )
        .toolset("projects")
        .confirmable()
        .aliases(&[
            ("project", "id"),
            ("state", "status"),
            ("description", "summary"),
            ("team", "teams"),
            ("startDate", "start_date"),
            ("targetDate", "target_date"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SaveProject {
    id: Option<String>,
    name: Option<String>,
    #[serde(default)]
    teams: Vec<String>,
    status: Option<String>,
    lead: Option<String>,
    members: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    /// urgent, high, medium, low, none
    priority: Option<String>,
    /// One line
    summary: Option<String>,
    /// Overview
    content: Option<String>,
    start_date: Option<String>,
    target_date: Option<String>,
    initiative: Option<String>,
    #[serde(default)]
    clear: Vec<Emptied>,
    expected_updated_at: Option<String>,
}

// What `clear` names. No doc comments: they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Emptied {
    Lead,
    Members,
    Labels,
    Summary,
    Content,
    StartDate,
    TargetDate,
}

/// The arguments with every name resolved.
#[derive(Clone, Debug, Default)]
struct Wanted {
    name: Option<String>,
    teams: Vec<names::Team>,
    status: Option<names::Status>,
    lead: Clear<names::Person>,
    members: Option<Vec<names::Person>>,
    labels: Option<Vec<names::Named>>,
    priority: Option<u8>,
    summary: Option<String>,
    content: Option<String>,
    start_date: Clear<String>,
    target_date: Clear<String>,
    initiative: Option<names::Named>,
}

impl Wanted {
    /// Turns the mentions in the overview, which was `before`, into what notifies; gives what is told of them.
    async fn mentions(&mut self, call: &Call<Linear>, before: &str) -> Result<Vec<String>> {
        let Some(content) = &mut self.content else { return Ok(Vec::new()) };
        let Mentioned { text, lines } = call.names().mentions(content, before).await?;
        *content = text;
        Ok(lines)
    }
}

async fn save_project(call: Call<Linear>, args: SaveProject) -> Result<Plan> {
    let wanted = resolve(&call, &args).await?;
    match &args.id {
        Some(id) => change(&call, id, wanted, args.expected_updated_at.as_deref()).await,
        None if args.expected_updated_at.is_some() => {
            Err(Error::invalid("`expected_updated_at` guards a change: give the project's `id` with it"))
        }
        None => create(&call, wanted).await,
    }
}

async fn resolve(call: &Call<Linear>, args: &SaveProject) -> Result<Wanted> {
    let names = call.names();
    if let Some(summary) = &args.summary {
        words::at_most("Linear", "summary", summary, SUMMARY_CHARS)
            .map_err(|error| error.with_hint("Put the long text into `content`"))?;
    }
    if args.name.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Error::invalid("`name` is empty"));
    }
    words::at_most("Linear", "name", args.name.as_deref().unwrap_or_default().trim(), NAME_CHARS)?;
    let calendar = call.calendar().await?;
    let empties = |field| args.clear.contains(&field);
    let day = |name: &str, given: &Option<String>, emptied| {
        // As for issues, `none` empties.
        let given = given.as_deref();
        let none = given.is_some_and(filter::is_none);
        Clear::of(given.filter(|_| !none), none || empties(emptied))
            .try_map(|text| calendar.day(name, text).map(|day| day.to_string()))
    };
    let text = |given: &Option<String>, emptied| given.clone().or_else(|| empties(emptied).then(String::new));
    let mut wanted = Wanted {
        name: args.name.as_deref().map(|name| name.trim().to_owned()),
        priority: args.priority.as_deref().map(filter::priority).transpose()?,
        summary: text(&args.summary, Emptied::Summary),
        content: text(&args.content, Emptied::Content),
        start_date: day("start_date", &args.start_date, Emptied::StartDate)?,
        target_date: day("target_date", &args.target_date, Emptied::TargetDate)?,
        members: empties(Emptied::Members).then(Vec::new),
        labels: empties(Emptied::Labels).then(Vec::new),
        ..Wanted::default()
    };
    for team in &args.teams {
        wanted.teams.push(names.team(team).await?);
    }
    if let Some(status) = &args.status {
        wanted.status = Some(names.status(status).await?);
    }
    wanted.lead = match &args.lead {
        Some(lead) if filter::is_none(lead) => Clear::of(None, true),
        Some(lead) => Clear::Set(names.person(lead).await?),
        None => Clear::of(None, empties(Emptied::Lead)),
    };
    if let Some(members) = &args.members {
        let mut people = Vec::new();
        for member in members {
            people.push(names.person(member).await?);
        }
        wanted.members = Some(people);
    }
    if let Some(labels) = &args.labels {
        wanted.labels = Some(resolve::projects::labels(call.api(), labels).await?);
    }
    if let Some(initiative) = &args.initiative {
        wanted.initiative = Some(resolve::initiatives::initiative(call.names(), initiative).await?);
    }
    Ok(wanted)
}

async fn create(call: &Call<Linear>, mut wanted: Wanted) -> Result<Plan> {
    let Some(name) = wanted.name.clone() else {
        return Err(
            Error::invalid("A new project needs `name`").with_hint("To change a project, give its `id`")
        );
    };
    if wanted.teams.is_empty() {
        wanted.teams.push(call.names().team_or_default(None).await?);
    }
    let id = Uuid::new_v4().to_string();
    let mentions = wanted.mentions(call, "").await?;
    let nothing = ProjectState::default();
    let (changes, mut input) = compare(&nothing, &wanted);
    input.insert("id".to_owned(), json!(id));
    let mut preview = Written::new(format!("Create the project {}", one_line(&name)));
    preview.changed = changes.wanted();
    preview.changed.extend(wanted.initiative.as_ref().map(joins));
    preview.changed.extend(mentions.iter().cloned());
    let api = call.api().clone();
    Ok(Plan::new(Reply::written(preview), move || async move {
        let sent = api.create_project(Value::Object(input)).await;
        let sent = sent.map(|payload| payload.project.filter(|_| payload.success));
        let state = outcome::created(sent, "create the project", api.project_state(&id)).await?;
        let outcome = changes.outcome(|field| field_value(&state, field));
        let refused = outcome.refused.len();
        let mut summary = format!("Created the project {} ({})", one_line(&state.name), state.slug_id);
        if refused > 0 {
            summary.push_str(", but Linear did not take all fields");
        }
        let mut written = Written::new(summary).id(state.slug_id.clone()).url(state.url.clone());
        written.changed = outcome.lines();
        written.changed.extend(mentions);
        if let Some(initiative) = &wanted.initiative {
            written.changed.push(join(&api, &state, initiative).await);
        }
        Ok(Reply::written(written))
    }))
}

async fn change(call: &Call<Linear>, id: &str, mut wanted: Wanted, expected: Option<&str>) -> Result<Plan> {
    let id = call.names().project(id).await?.id;
    let state = call.api().project_state(&id).await?;
    if let Some(expected) = expected
        && !dates::same(expected, &state.updated_at)
    {
        return Err(Error::new(
            Kind::Conflict,
            format!(
                "The project {} was changed at {}, after you read it",
                one_line(&state.name),
                state.updated_at
            ),
        )
        .with_hint("Nothing was written. Read it again with get_project"));
    }
    let mentions = wanted.mentions(call, state.content.as_deref().unwrap_or_default()).await?;
    let (changes, input) = compare(&state, &wanted);
    let joining = wanted
        .initiative
        .clone()
        .filter(|initiative| !state.initiatives.nodes.iter().any(|there| there.id == initiative.id));
    let thing = format!("the project {}", one_line(&state.name));
    if changes.is_empty() && joining.is_none() {
        return Ok(Plan::nothing(Reply::written(
            Written::new(format!("Nothing to change: {thing} is already like that"))
                .id(state.slug_id)
                .url(state.url),
        )));
    }
    let mut preview =
        Written::new(format!("Change {thing}")).id(state.slug_id.clone()).url(state.url.clone());
    preview.changed = changes.wanted();
    preview.changed.extend(joining.as_ref().map(joins));
    preview.changed.extend(mentions.iter().cloned());
    let api = call.api().clone();
    let old = state.content.clone().unwrap_or_default();
    let asks = input.contains_key("content") && !old.trim().is_empty();
    let seen = state.updated_at.clone();
    let plan = Plan::new(Reply::written(preview), move || async move {
        let mut now = state;
        let mut summary = format!("Changed {thing}");
        let mut lines = Vec::new();
        if !changes.is_empty() {
            let payload = api.update_project(&id, Value::Object(input)).await?;
            let changed = payload.project.filter(|_| payload.success);
            now = outcome::done(changed, &format!("change {thing}"))?;
            let outcome = changes.outcome(|field| field_value(&now, field));
            summary = outcome.summary("Linear", &thing);
            lines = outcome.lines();
            lines.extend(mentions);
        }
        if let Some(initiative) = &joining {
            lines.push(join(&api, &now, initiative).await);
        }
        let mut written = Written::new(summary).id(now.slug_id).url(now.url);
        written.changed = lines;
        Ok(Reply::written(written))
    });
    Ok(if asks { plan.state(&seen).ask() } else { plan })
}

/// The differences between a project and what is wanted of it, for people and for Linear.
fn compare(state: &ProjectState, wanted: &Wanted) -> (Changes, Map<String, Value>) {
    let mut changes = Changes::default();
    let mut input = Map::new();
    let mut ask = |field: &'static str, new: FieldValue, key: &str, value: Value| {
        if changes.set(field, field_value(state, field), new) {
            input.insert(key.to_owned(), value);
        }
    };
    if let Some(name) = &wanted.name {
        ask("name", FieldValue::Short(name.clone()), "name", json!(name));
    }
    if !wanted.teams.is_empty() {
        let ids: Vec<_> = wanted.teams.iter().map(|team| &team.id).collect();
        ask("teams", FieldValue::names(wanted.teams.iter().map(|team| &team.key)), "teamIds", json!(ids));
    }
    if let Some(status) = &wanted.status {
        ask("status", FieldValue::Short(status.name.clone()), "statusId", json!(status.id));
    }
    if let Some(lead) = wanted.lead.as_change() {
        let name = lead.map(|lead| format!("@{}", lead.display_name));
        ask("lead", FieldValue::short(name), "leadId", json!(lead.map(|lead| &lead.id)));
    }
    if let Some(members) = &wanted.members {
        let ids: Vec<_> = members.iter().map(|member| &member.id).collect();
        let people = FieldValue::names(members.iter().map(|member| format!("@{}", member.display_name)));
        ask("members", people, "memberIds", json!(ids));
    }
    if let Some(labels) = &wanted.labels {
        let ids: Vec<_> = labels.iter().map(|label| &label.id).collect();
        ask("labels", FieldValue::names(labels.iter().map(|label| &label.name)), "labelIds", json!(ids));
    }
    if let Some(priority) = wanted.priority {
        let word = render::priority(Some(f64::from(priority)));
        ask("priority", FieldValue::short(word), "priority", json!(priority));
    }
    if let Some(summary) = &wanted.summary {
        ask("summary", FieldValue::Short(summary.clone()), "description", json!(summary));
    }
    if let Some(content) = &wanted.content {
        ask("content", FieldValue::Long(content.clone()), "content", json!(content));
    }
    if let Some(date) = wanted.start_date.as_change() {
        ask("start_date", FieldValue::short(date), "startDate", json!(date));
    }
    if let Some(date) = wanted.target_date.as_change() {
        ask("target_date", FieldValue::short(date), "targetDate", json!(date));
    }
    (changes, input)
}

/// What a field of a project is now.
fn field_value(state: &ProjectState, field: &str) -> FieldValue {
    match field {
        "name" => FieldValue::Short(state.name.clone()),
        "teams" => FieldValue::names(state.teams.nodes.iter().map(|team| &team.key)),
        "status" => FieldValue::Short(state.status.name.clone()),
        "lead" => FieldValue::short(state.lead.as_ref().map(render::person)),
        "members" => FieldValue::names(state.members.nodes.iter().map(render::person)),
        "labels" => FieldValue::names(state.labels.nodes.iter().map(|label| &label.name)),
        "priority" => FieldValue::short(render::priority(state.priority)),
        "summary" => FieldValue::Short(state.description.clone()),
        "content" => FieldValue::Long(state.content.clone().unwrap_or_default()),
        "start_date" => FieldValue::short(state.start_date.as_deref()),
        "target_date" => FieldValue::short(state.target_date.as_deref()),
        _ => FieldValue::Short(String::new()),
    }
}

fn joins(initiative: &names::Named) -> String {
    format!("initiatives +{}", one_line(&initiative.name))
}

/// Puts a project into an initiative: a request of its own, whose failure must not hide that the
/// project was saved.
async fn join(api: &Api, project: &ProjectState, initiative: &names::Named) -> String {
    let id = Uuid::new_v4().to_string();
    match api.add_to_initiative(&id, &initiative.id, &project.id).await {
        Ok(true) => joins(initiative),
        Ok(false) => format!("not accepted: initiative {}", one_line(&initiative.name)),
        Err(error) => {
            format!("not accepted: initiative {}: {}", one_line(&initiative.name), error.for_agent())
        }
    }
}
