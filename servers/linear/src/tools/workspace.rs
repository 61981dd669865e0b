//! `whoami`, `list_users`, `get_team`: the workspace itself.

use std::{collections::BTreeMap, fmt::Write as _};

use connector::{
    Result,
    catalog::{Call, Page, Reply, Tool, one_line, thousands},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FROM, Position, limit, paging};
use crate::{
    Linear,
    api::names::{Label, Person, Team},
    render,
};

/// Labels that `get_team` shows, at most.
const LABELS: usize = 150;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "whoami",
            "Who am I",
            "Whose credential this is, the workspace, its teams, and what is left of Linear's limits.",
            |call, NoArguments {}| whoami(call),
        )
        .toolset("workspace")
        .output::<Me>(),
        Tool::read(
            "list_users",
            "List users",
            "People of the workspace or of one team: display name, name, e-mail.",
            list_users,
        )
        .toolset("workspace")
        .output_page::<User>(),
        Tool::read(
            "get_team",
            "Get a team",
            "A team's states, labels, members, current cycle, estimates and templates.",
            get_team,
        )
        .toolset("workspace")
        .aliases(&[("id", "team"), ("key", "team")])
        .output::<TeamInfo>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// The answer of `whoami`.
#[derive(Debug, Serialize, JsonSchema)]
struct Me {
    name: String,
    display_name: String,
    email: String,
    workspace: String,
    teams: Vec<String>,
    sandbox: bool,
}

async fn whoami(call: Call<Linear>) -> Result<Reply> {
    let (identity, teams) = futures::join!(call.api().who_am_i(), call.names().all::<Team>());
    let (identity, mut teams) = (identity?, teams?);
    teams.sort_by(|a, b| a.key.cmp(&b.key));
    let viewer = &identity.viewer;
    let organization = &identity.organization;
    let mut reply = Reply::new(format!(
        "{}, in the workspace {} (linear.app/{}).",
        person_line(viewer),
        one_line(&organization.name),
        organization.url_key
    ));
    if call.is_sandbox() {
        reply = reply
            .line("This is the built-in sandbox: a fake of Linear with invented data. Nothing here is real.");
    }
    let names: Vec<String> =
        teams.iter().map(|team| format!("{} {}", team.key, one_line(&team.name))).collect();
    reply = reply.line(format!("Teams: {}", names.join(", ")));
    if let Some(team) = call.names().default_team() {
        reply = reply.line(format!("Default team: {}", one_line(team)));
    }
    if let Some(zone) = &viewer.timezone {
        reply = reply.line(format!("Time zone: {}", one_line(zone)));
    }
    reply = reply.line(format!(
        "Credential: {}. Linear does not tell its scopes beforehand; a refusal names the missing one.",
        call.credential()
    ));
    reply = reply.line(format!("Limits left: {}.", limits(&call)));
    Ok(reply.data(&Me {
        name: viewer.name.clone(),
        display_name: viewer.display_name.clone(),
        email: viewer.email.clone(),
        workspace: organization.name.clone(),
        teams: teams.into_iter().map(|team| team.key).collect(),
        sandbox: call.is_sandbox(),
    }))
}

/// What is left of the vendor's budgets: `requests 2,498 of 2,500`.
pub(crate) fn limits(server: &Linear) -> String {
    let status = server.api().upstream().status();
    let left: Vec<String> = status
        .buckets
        .iter()
        .filter_map(|bucket| {
            let remaining = bucket.remaining?;
            Some(format!("{} {} of {}", bucket.bucket, thousands(remaining), thousands(bucket.limit)))
        })
        .collect();
    if left.is_empty() { "not told yet".to_owned() } else { left.join(", ") }
}

/// A person in one line: `@maya Maya Lindqvist, maya@harbor.example, admin`.
fn person_line(person: &Person) -> String {
    let mut line = format!("@{} {}", one_line(&person.display_name), one_line(&person.name));
    if !person.email.is_empty() {
        let _ = write!(line, ", {}", one_line(&person.email));
    }
    for (is, word) in [
        (person.admin, "admin"),
        (person.guest, "guest"),
        (person.app, "app"),
        (!person.is_active(), "disabled"),
    ] {
        if is {
            let _ = write!(line, ", {word}");
        }
    }
    line
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUsers {
    /// Part of a name or e-mail
    query: Option<String>,
    team: Option<String>,
    include_disabled: Option<bool>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A person in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct User {
    display_name: String,
    name: String,
    email: String,
    active: bool,
}

async fn list_users(call: Call<Linear>, arguments: ListUsers) -> Result<Reply> {
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let team = match &arguments.team {
        Some(team) => Some(call.names().team(team).await?),
        None => None,
    };
    let filter = match arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty()) {
        Some(query) => {
            let query = query.trim_start_matches('@');
            let fields = ["displayName", "name", "email"];
            json!({"or": fields.map(|field| json!({field: {"containsIgnoreCase": query}}))})
        }
        None => Value::Null,
    };
    let id = team.as_ref().map(|team| team.id.as_str());
    let first = position.first(limit(arguments.limit, 50, 250), 250);
    let after = position.after.as_deref();
    let disabled_too = arguments.include_disabled.unwrap_or(false);
    let mut found = call.api().users(id, filter.clone(), first, after, disabled_too).await?;
    let mut note = if disabled_too { "" } else { "disabled ones left out" };
    // Nobody of this name, or somebody who has left: the difference matters to who asks.
    if found.nodes.is_empty() && after.is_none() && !filter.is_null() && !disabled_too {
        found = call.api().users(id, filter, first, after, true).await?;
        note = if found.nodes.is_empty() { "disabled ones too" } else { "disabled: nobody else fits" };
    }
    let mut page = Page::new(FROM, ("person", "people"));
    if let Some(team) = &team {
        page = page.note(format!("in {}", team.key));
    }
    page = page.note(note);
    for person in found.nodes.iter().skip(position.skip) {
        page.push(
            person_line(person),
            &User {
                display_name: person.display_name.clone(),
                name: person.name.clone(),
                email: person.email.clone(),
                active: person.is_active(),
            },
        );
    }
    Ok(Reply::page(paging::close(&call, page, position, &found)))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetTeam {
    team: Option<String>,
}

/// The answer of `get_team`.
#[derive(Debug, Serialize, JsonSchema)]
struct TeamInfo {
    key: String,
    name: String,
    states: Vec<String>,
    labels: Vec<String>,
    members: Vec<String>,
    templates: Vec<String>,
}

async fn get_team(call: Call<Linear>, arguments: GetTeam) -> Result<Reply> {
    let team = call.names().team_or_default(arguments.team.as_deref()).await?;
    // A team's issues can have the workspace's labels too, which Linear does not list with the team.
    let (answer, labels) = futures::join!(call.api().team(&team.id), call.names().all::<Label>());
    let answer = answer?;
    let mut labels = labels?;
    labels.retain(|label| {
        label.retired_at.is_none() && label.team.as_ref().is_none_or(|owner| owner.id == team.id)
    });
    labels.sort_by_key(|label| label.path().to_lowercase());
    let left_out = labels.len().saturating_sub(LABELS);
    labels.truncate(LABELS);
    let notes = answer.notes();
    let team = answer.data;
    let mut head = format!("{} {}", team.key, one_line(&team.name));
    if let Some(parent) = &team.parent {
        let _ = write!(head, ", under {}", parent.key);
    }
    if let Some(zone) = &team.timezone {
        let _ = write!(head, ", {}", one_line(zone));
    }
    let mut reply = Reply::new(head);
    if let Some(description) = team.description.as_deref().filter(|text| !text.trim().is_empty()) {
        reply = reply.outside(format!("team {}", team.key), None, description);
    }
    let mut states = team.states.nodes.clone();
    states.sort_by(|a, b| {
        let key = |state: &crate::api::names::State| (stage(&state.kind), state.position.unwrap_or(f64::MAX));
        let ((a_stage, a_place), (b_stage, b_place)) = (key(a), key(b));
        a_stage.cmp(&b_stage).then(a_place.total_cmp(&b_place))
    });
    let states: Vec<String> =
        states.iter().map(|state| format!("{} ({})", one_line(&state.name), state.kind)).collect();
    let mut lines = vec![format!("States: {}", states.join(", "))];
    for (what, state) in
        [("New issues", &team.default_issue_state), ("Issues from outside", &team.triage_issue_state)]
    {
        if let Some(state) = state {
            lines.push(format!("{what} begin in: {}", one_line(&state.name)));
        }
    }
    let more_labels = if left_out > 0 { format!(" and {left_out} more") } else { String::new() };
    lines.push(format!("Labels: {}{more_labels}", label_lines(&labels).join("; ")));
    let members: Vec<&Person> = team.members.nodes.iter().filter(|person| person.is_active()).collect();
    let shown: Vec<String> = members
        .iter()
        .map(|person| format!("@{} ({})", one_line(&person.display_name), one_line(&person.name)))
        .collect();
    lines.push(format!("Members: {}{}", shown.join(", "), more(team.members.page_info.has_next_page)));
    lines.push(match &team.active_cycle {
        Some(cycle) => {
            let (starts_at, ends_at) = (cycle.starts_at.as_deref(), cycle.ends_at.as_deref());
            let zone = team.timezone.as_deref();
            let (first, last) = render::cycles::days(starts_at.unwrap_or("?"), ends_at.unwrap_or("?"), zone);
            format!(
                "Cycle {}: {first} to {last}, progress {}",
                cycle.number.map(render::number).unwrap_or_default(),
                render::cycles::progress(cycle.progress)
            )
        }
        None if team.cycles_enabled => "Cycle: none is running".to_owned(),
        None => "Cycles: not used".to_owned(),
    });
    let estimates = match team.issue_estimation_type.as_str() {
        "" | "notUsed" => "not used".to_owned(),
        kind if team.issue_estimation_allow_zero => format!("{kind}, zero allowed"),
        kind => kind.to_owned(),
    };
    lines
        .push(format!("Estimates: {estimates}. Triage: {}.", if team.triage_enabled { "on" } else { "off" }));
    let templates: Vec<String> = team
        .templates
        .nodes
        .iter()
        .map(|template| format!("{} ({})", one_line(&template.name), template.kind))
        .collect();
    if !templates.is_empty() {
        lines.push(format!("Templates: {}", templates.join(", ")));
    }
    for line in lines {
        reply = reply.line(line);
    }
    let info = TeamInfo {
        key: team.key,
        name: team.name,
        states,
        labels: labels.iter().filter(|label| !label.is_group).map(Label::path).collect(),
        members: members.iter().map(|person| person.display_name.clone()).collect(),
        templates,
    };
    Ok(notes.into_iter().fold(reply.data(&info), Reply::lead))
}

fn more(there_is: bool) -> &'static str {
    if there_is { " and more" } else { "" }
}

/// Where in its life an issue in a state of this type is.
fn stage(kind: &str) -> u8 {
    match kind {
        "triage" => 0,
        "backlog" => 1,
        "unstarted" => 2,
        "started" => 3,
        "completed" => 4,
        "canceled" => 5,
        _ => 6,
    }
}

/// Labels by group: those without one first, then `Area: API, Web`.
fn label_lines(labels: &[Label]) -> Vec<String> {
    let mut loose = Vec::new();
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for label in labels {
        match &label.parent {
            Some(group) => groups.entry(one_line(&group.name)).or_default().push(one_line(&label.name)),
            None if label.is_group => {
                groups.entry(one_line(&label.name)).or_default();
            }
            None => loose.push(one_line(&label.name)),
        }
    }
    let mut lines = Vec::new();
    if !loose.is_empty() {
        lines.push(loose.join(", "));
    }
    lines.extend(groups.into_iter().map(|(group, labels)| format!("{group}/({})", labels.join(", "))));
    lines
}
