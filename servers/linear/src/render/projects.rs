//! Projects, milestones, initiatives and their status updates as compact text.

use connector::catalog::{Reply, excerpt, one_line};
use schemars::JsonSchema;
use serde::Serialize;

use super::{day, minute, person as at, priority, with_names};
use crate::api::{
    initiatives::{Initiative, InitiativeProject},
    milestones::Milestone,
    names::{Named, TeamRef},
    projects::{Project, ProjectRow},
    updates::Update,
};

/// How much of the last status update a project shows.
const UPDATE_CHARS: usize = 600;
/// How many projects an initiative shows.
const PROJECTS: usize = 25;

/// A project in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProjectItem {
    id: String,
    name: String,
    status: String,
    /// Percent.
    progress: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead: Option<String>,
    teams: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_date: Option<String>,
}

/// A project with its overview, in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ProjectText {
    #[serde(flatten)]
    project: ProjectItem,
    summary: String,
    milestones: Vec<String>,
    updated_at: String,
    url: String,
    /// The part of the overview that was asked for.
    content: String,
}

/// A project as a row: `Checkout [In Progress 45%] at risk, lead @ada, ENG, 2026-10-01 → 2026-12-15`.
pub(crate) fn project_row(project: &ProjectRow) -> (String, ProjectItem) {
    let mut row = format!(
        "{} [{} {}%]",
        one_line(&project.name),
        one_line(&project.status.name),
        percent(project.progress)
    );
    let mut facts = Vec::new();
    facts.extend(project.health.as_deref().map(health));
    facts.extend(priority(project.priority));
    facts.extend(project.lead.as_ref().map(|lead| format!("lead {}", at(lead))));
    let teams = keys(&project.teams.nodes);
    if !teams.is_empty() {
        facts.push(teams.join(" "));
    }
    facts.extend(span(project.start_date.as_deref(), project.target_date.as_deref()));
    if project.archived_at.is_some() {
        facts.push("archived".to_owned());
    }
    if !facts.is_empty() {
        row.push(' ');
        row.push_str(&facts.join(", "));
    }
    let item = ProjectItem {
        id: project.slug_id.clone(),
        name: project.name.clone(),
        status: project.status.name.clone(),
        progress: percent(project.progress),
        health: project.health.clone(),
        lead: project.lead.as_ref().map(|lead| lead.display_name.clone()),
        teams,
        start_date: project.start_date.clone(),
        target_date: project.target_date.clone(),
    };
    (row, item)
}

/// A project with its parts, its documents by name or by number; `max_chars` of its overview from `offset`.
pub(crate) fn project(project: &Project, documents: bool, offset: usize, max_chars: usize) -> Reply {
    let mut reply = Reply::new(format!(
        "Project {} [{} {}%]{}",
        one_line(&project.name),
        one_line(&project.status.name),
        percent(project.progress),
        project.health.as_deref().map(|word| format!(" {}", health(word))).unwrap_or_default(),
    ));
    reply = reply.line(format!("id: {}", project.slug_id));
    for fact in facts(project) {
        reply = reply.line(fact);
    }
    if !project.description.trim().is_empty() {
        reply = reply.outside("project summary", None, project.description.trim());
    }
    let (shown, more) = excerpt(project.content.as_deref().unwrap_or_default(), offset, max_chars);
    if !shown.trim().is_empty() {
        reply = reply.outside("project overview", None, shown.clone());
    }
    if let Some(more) = more {
        reply = reply.line(more);
    }
    reply = parts(reply, project, documents).line(project.url.clone());
    reply.data(&ProjectText {
        project: ProjectItem {
            id: project.slug_id.clone(),
            name: project.name.clone(),
            status: project.status.name.clone(),
            progress: percent(project.progress),
            health: project.health.clone(),
            lead: project.lead.as_ref().map(|lead| lead.display_name.clone()),
            teams: keys(&project.teams.nodes),
            start_date: project.start_date.clone(),
            target_date: project.target_date.clone(),
        },
        summary: project.description.clone(),
        milestones: project.project_milestones.nodes.iter().map(milestone_row).collect(),
        updated_at: project.updated_at.clone(),
        url: project.url.clone(),
        content: shown,
    })
}

fn facts(project: &Project) -> Vec<String> {
    let mut facts = Vec::new();
    facts.extend(project.lead.as_ref().map(|lead| format!("lead: {}", at(lead))));
    facts.extend(list("teams", &keys(&project.teams.nodes)));
    facts.extend(
        (!project.priority_label.is_empty() && project.priority_label != "No priority")
            .then(|| format!("priority: {}", one_line(&project.priority_label))),
    );
    facts.extend(
        span(project.start_date.as_deref(), project.target_date.as_deref())
            .map(|span| format!("dates: {span}")),
    );
    let moments = [
        ("started", &project.started_at),
        ("completed", &project.completed_at),
        ("canceled", &project.canceled_at),
        ("archived", &project.archived_at),
    ];
    for (word, moment) in moments {
        facts.extend(moment.as_deref().map(|moment| format!("{word}: {}", day(moment))));
    }
    facts.extend(project.scope.filter(|scope| *scope > 0.0).map(|scope| format!("scope: {scope}")));
    facts.extend(list("labels", &names(&project.labels.nodes)));
    facts.extend(list("initiatives", &names(&project.initiatives.nodes)));
    facts.push(format!("updated: {}", project.updated_at));
    facts
}

fn parts(mut reply: Reply, project: &Project, with_documents: bool) -> Reply {
    let milestones = &project.project_milestones;
    if !milestones.nodes.is_empty() {
        reply = reply.line(format!("Milestones{}:", and_more(milestones.page_info.has_next_page)));
        // In the order of their dates, those without one last.
        let mut sorted: Vec<_> = milestones.nodes.iter().collect();
        sorted.sort_by_key(|milestone| (milestone.target_date.is_none(), milestone.target_date.clone()));
        for row in sorted.into_iter().map(milestone_row) {
            reply = reply.line(format!("- {row}"));
        }
    }
    if let Some(update) = &project.last_update {
        let (shown, more) = excerpt(&with_names(&update.body, &project.url), 0, UPDATE_CHARS);
        reply = reply.line(format!(
            "Last status update: {} on {}",
            health(&update.health),
            day(&update.created_at)
        ));
        reply = reply.outside(
            "status update",
            update.user.as_ref().map(|user| user.display_name.as_str()),
            shown,
        );
        if more.is_some() {
            reply = reply.line("[Cut: list_status_updates gives the whole update.]");
        }
    }
    if let Some(members) = &project.members {
        let people: Vec<_> = members.nodes.iter().map(at).collect();
        let people = if people.is_empty() { "none".to_owned() } else { people.join(" ") };
        reply = reply.line(format!("Members{}: {people}", and_more(members.page_info.has_next_page)));
    }
    let documents = &project.documents;
    if with_documents {
        reply = reply.line(if documents.nodes.is_empty() {
            "Documents: none".to_owned()
        } else {
            format!("Documents{}:", and_more(documents.page_info.has_next_page))
        });
        for document in &documents.nodes {
            let title = one_line(&document.title);
            reply = reply.line(format!("- {} {title} ({})", document.slug_id, day(&document.updated_at)));
        }
    } else if !documents.nodes.is_empty() {
        let (count, more) = (documents.nodes.len(), documents.page_info.has_next_page);
        reply = reply.line(match (count, more) {
            (1, false) => "1 document (include documents)".to_owned(),
            (count, more) => {
                format!("{count}{} documents (include documents)", if more { " or more" } else { "" })
            }
        });
    }
    if let Some(links) = &project.external_links {
        reply = reply.line(if links.nodes.is_empty() { "Links: none" } else { "Links:" });
        for link in &links.nodes {
            reply = reply.line(format!("- {} {}", one_line(&link.label), one_line(&link.url)));
        }
    }
    reply
}

/// A milestone as a row: `Beta [next, 40%] target 2026-12-01`.
pub(crate) fn milestone_row(milestone: &Milestone) -> String {
    let mut row = format!("{} [", one_line(&milestone.name));
    if !milestone.status.is_empty() {
        row.push_str(&one_line(&milestone.status));
        row.push_str(", ");
    }
    row.push_str(&format!("{}%]", percent(milestone.progress)));
    if let Some(date) = &milestone.target_date {
        row.push_str(&format!(" target {date}"));
    }
    row
}

/// An initiative in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InitiativeItem {
    id: String,
    name: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target_date: Option<String>,
    projects: Vec<String>,
}

/// An initiative as a row, its projects below it.
pub(crate) fn initiative_row(initiative: &Initiative) -> (String, InitiativeItem) {
    let mut row = format!("{} [{}]", one_line(&initiative.name), one_line(&initiative.status));
    let mut facts = Vec::new();
    facts.extend(initiative.health.as_deref().map(health));
    facts.extend(initiative.owner.as_ref().map(|owner| format!("owner {}", at(owner))));
    facts.extend(initiative.target_date.as_ref().map(|date| format!("target {date}")));
    if !facts.is_empty() {
        row.push(' ');
        row.push_str(&facts.join(", "));
    }
    if let Some(description) = initiative.description.as_deref().filter(|text| !text.trim().is_empty()) {
        row.push_str(&format!(": {}", one_line(description)));
    }
    for project in initiative.projects.nodes.iter().take(PROJECTS) {
        row.push_str("\n  - ");
        row.push_str(&initiative_project(project));
    }
    if initiative.projects.page_info.has_next_page {
        row.push_str("\n  - and more: list_projects with `initiative`");
    }
    let item = InitiativeItem {
        id: initiative.slug_id.clone(),
        name: initiative.name.clone(),
        status: initiative.status.clone(),
        health: initiative.health.clone(),
        owner: initiative.owner.as_ref().map(|owner| owner.display_name.clone()),
        target_date: initiative.target_date.clone(),
        projects: initiative.projects.nodes.iter().map(|project| project.name.clone()).collect(),
    };
    (row, item)
}

fn initiative_project(project: &InitiativeProject) -> String {
    let health = project.health.as_deref().map(|word| format!(" {}", health(word))).unwrap_or_default();
    format!(
        "{} [{} {}%]{health}",
        one_line(&project.name),
        one_line(&project.status.name),
        percent(project.progress)
    )
}

/// A status update in structured content.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct UpdateItem {
    id: String,
    about: String,
    health: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    created_at: String,
    body: String,
}

/// A status update as a row: its headline, the text below.
pub(crate) fn update_row(update: &Update) -> (String, UpdateItem) {
    let about = update.project.as_ref().or(update.initiative.as_ref()).map(|about| about.name.clone());
    let about = about.unwrap_or_default();
    let author = update.user.as_ref().map(|user| user.display_name.clone());
    let mut row =
        format!("## {} {} {}", minute(&update.created_at), one_line(&about), health(&update.health));
    if let Some(author) = &author {
        row.push_str(&format!(" @{}", one_line(author)));
    }
    if update.edited_at.is_some() {
        row.push_str(" (edited)");
    }
    row.push_str(&format!(" id {}", update.id));
    row.push('\n');
    row.push_str(&with_names(update.body.trim(), update.url.as_deref().unwrap_or_default()));
    let item = UpdateItem {
        id: update.id.clone(),
        about,
        health: update.health.clone(),
        author,
        created_at: update.created_at.clone(),
        body: update.body.clone(),
    };
    (row, item)
}

/// Linear's word for health as people say it: `onTrack` is "on track". A new word stays as it is.
pub(crate) fn health(word: &str) -> String {
    match word {
        "onTrack" => "on track".to_owned(),
        "atRisk" => "at risk".to_owned(),
        "offTrack" => "off track".to_owned(),
        other => one_line(other),
    }
}

/// A part of one as whole percent.
pub(crate) fn percent(progress: Option<f64>) -> u32 {
    (progress.unwrap_or_default().clamp(0.0, 1.0) * 100.0).round() as u32
}

fn span(start: Option<&str>, target: Option<&str>) -> Option<String> {
    match (start, target) {
        (Some(start), Some(target)) => Some(format!("{start} → {target}")),
        (Some(start), None) => Some(format!("from {start}")),
        (None, Some(target)) => Some(format!("target {target}")),
        (None, None) => None,
    }
}

fn keys(teams: &[TeamRef]) -> Vec<String> {
    teams.iter().map(|team| one_line(&team.key)).collect()
}

fn names(things: &[Named]) -> Vec<String> {
    things.iter().map(|thing| one_line(&thing.name)).collect()
}

fn list(word: &str, names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{word}: {}", names.join(", ")))
}

fn and_more(more: bool) -> &'static str {
    if more { " (the first of more)" } else { "" }
}
