//! Projects: listed and read.

use connector::{
    Error, Result,
    catalog::{Call, Page, Reply, Tool, one_line},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{FROM, Position, dates, limit, paging};
use crate::{
    Linear,
    api::projects::ProjectParts,
    filter::is_none,
    render,
    resolve::{self, Entry as _},
};

/// Characters of a project's overview, unless asked otherwise.
const OVERVIEW_CHARS: usize = 6_000;
/// Types of status that count as open.
const OPEN: [&str; 4] = ["backlog", "planned", "started", "paused"];
/// All types of status.
const TYPES: [&str; 6] = ["backlog", "planned", "started", "paused", "completed", "canceled"];

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_projects",
            "List projects",
            "Projects, last changed first: status, progress, health, lead, dates.",
            list_projects,
        )
        .toolset("projects")
        .aliases(&[("state", "status"), ("name", "query"), ("updated_since", "since")])
        .output_page::<render::projects::ProjectItem>(),
        Tool::read(
            "get_project",
            "Read a project",
            "One project: facts, overview, milestones, last status update.",
            get_project,
        )
        .toolset("projects")
        .aliases(&[("project", "id"), ("query", "id"), ("name", "id")])
        .output::<render::projects::ProjectText>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListProjects {
    query: Option<String>,
    #[serde(default)]
    team: Vec<String>,
    /// Names, types or open
    #[serde(default)]
    status: Vec<String>,
    /// Name, me or none
    lead: Option<String>,
    health: Option<Health>,
    initiative: Option<String>,
    since: Option<String>,
    #[serde(default)]
    include_archived: bool,
    limit: Option<u32>,
    cursor: Option<String>,
}

// How a project or initiative stands. No doc comment: it would be part of every schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Health {
    #[serde(alias = "onTrack")]
    OnTrack,
    #[serde(alias = "atRisk")]
    AtRisk,
    #[serde(alias = "offTrack")]
    OffTrack,
}

impl Health {
    /// Linear's word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::OnTrack => "onTrack",
            Self::AtRisk => "atRisk",
            Self::OffTrack => "offTrack",
        }
    }
}

async fn list_projects(call: Call<Linear>, args: ListProjects) -> Result<Reply> {
    let (filter, notes) = filter(&call, &args).await?;
    let first = limit(args.limit, 25, 50);
    let position: Position = call.open_cursor(args.cursor.as_deref())?.unwrap_or_default();
    let found = call
        .api()
        .list_projects(filter, position.first(first, 250), position.after.as_deref(), args.include_archived)
        .await?;
    let mut page = Page::new(FROM, ("project", "projects")).notes(notes);
    for project in found.nodes.iter().skip(position.skip) {
        let (row, item) = render::projects::project_row(project);
        page.push(row, &item);
    }
    if !args.include_archived {
        page = page.note("without archived ones");
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}

/// The filter, and what its words were taken for.
async fn filter(call: &Call<Linear>, args: &ListProjects) -> Result<(Value, Vec<String>)> {
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    if let Some(query) = args.query.as_deref().map(str::trim).filter(|query| !query.is_empty()) {
        all.push(json!({"name": {"containsIgnoreCase": query}}));
    }
    if !args.team.is_empty() {
        let mut ids = Vec::new();
        for team in &args.team {
            ids.push(call.names().team(team).await?.id);
        }
        all.push(json!({"accessibleTeams": {"some": {"id": {"in": ids}}}}));
    }
    if !args.status.is_empty() {
        all.push(statuses(call, &args.status).await?);
    }
    match args.lead.as_deref() {
        None => {}
        Some(lead) if is_none(lead) => all.push(json!({"lead": {"null": true}})),
        Some(lead) => {
            let lead = call.names().anybody(lead).await?;
            notes.push(format!("led by {}", lead.describe()));
            all.push(json!({"lead": {"id": {"eq": lead.id}}}));
        }
    }
    if let Some(health) = args.health {
        all.push(json!({"health": {"eq": health.as_str()}}));
    }
    if let Some(initiative) = &args.initiative {
        let id = resolve::initiatives::initiative(call.names(), initiative).await?.id;
        all.push(json!({"initiatives": {"some": {"id": {"eq": id}}}}));
    }
    if let Some(since) = &args.since {
        let (since, window) = dates::since(call, "changed", since).await?;
        all.push(json!({"updatedAt": since}));
        notes.push(window);
    }
    Ok((json!({"and": all}), notes))
}

/// A filter for any of `wanted`: names of statuses, types of statuses, or `open`.
async fn statuses(call: &Call<Linear>, wanted: &[String]) -> Result<Value> {
    let mut ids = Vec::new();
    let mut types = Vec::new();
    for wanted in wanted {
        // As for issues, a word in lower case is a type, and any other a name, or else a type.
        let lower = wanted.trim().to_lowercase();
        let is_type = lower == "open" || TYPES.contains(&lower.as_str());
        if !(is_type && lower == wanted.trim()) {
            match call.names().status(wanted).await {
                Ok(status) => {
                    ids.push(status.id);
                    continue;
                }
                Err(error) if !is_type => return Err(error),
                // None has the name, or several are of the type.
                Err(_) => {}
            }
        }
        match lower.as_str() {
            "open" => types.extend(OPEN.map(str::to_owned)),
            _ => types.push(lower),
        }
    }
    Ok(json!({"status": {"or": [{"id": {"in": ids}}, {"type": {"in": types}}]}}))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetProject {
    /// Name, slug or URL
    id: String,
    #[serde(default)]
    include: Vec<Part>,
    max_chars: Option<usize>,
    offset: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Part {
    Members,
    Documents,
    Links,
}

async fn get_project(call: Call<Linear>, args: GetProject) -> Result<Reply> {
    let parts = ProjectParts {
        members: args.include.contains(&Part::Members),
        links: args.include.contains(&Part::Links),
    };
    let id = call.names().project(&args.id).await?.id;
    let project = call.api().get_project(&id, parts).await?;
    if project.id.is_empty() {
        return Err(Error::not_found(format!("Linear has no project {}", one_line(&args.id))));
    }
    Ok(render::projects::project(
        &project,
        args.include.contains(&Part::Documents),
        args.offset.unwrap_or_default(),
        args.max_chars.unwrap_or(OVERVIEW_CHARS),
    ))
}
