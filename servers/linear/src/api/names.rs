//! The things that arguments name: teams, states, labels, people, projects, views, cycles and
//! milestones, each with what it is called by.

use std::future::Future;

use connector::Result;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Api, Connection, Operation, document, first};

/// Names change seldom; own writes make them old at once, and a name that is not found makes them
/// be read again.
const TTL: u64 = 600;
/// Rows per request: the most that Linear gives.
const PAGE: u32 = 250;
/// Pages per directory. A workspace with more names than this is searched incompletely, and says so.
const PAGES: usize = 20;

const TEAMS: Operation =
    Operation::read("ListTeams", document!("list_teams"), |v| 2 + first(v) * 2).cached(TTL, &["teams"]);
const STATES: Operation =
    Operation::read("ListStates", document!("list_states"), |v| 2 + first(v) * 3).cached(TTL, &["states"]);
const LABELS: Operation =
    Operation::read("ListLabels", document!("list_labels"), |v| 2 + first(v) * 4).cached(TTL, &["labels"]);
const PEOPLE: Operation =
    Operation::read("ListPeople", document!("list_people"), |v| 2 + first(v) * 2).cached(TTL, &["users"]);
const PROJECTS: Operation =
    Operation::read("ListProjectNames", document!("list_project_names"), |v| 2 + first(v) * 2)
        .cached(TTL, &["projects"]);
const STATUSES: Operation =
    Operation::read("ListProjectStatuses", document!("list_project_statuses"), |v| 2 + first(v) * 2)
        .cached(TTL, &["statuses"]);
const VIEWS: Operation =
    Operation::read("ListViews", document!("list_views"), |v| 2 + first(v) * 3).cached(TTL, &["views"]);
const TEMPLATES: Operation =
    Operation::read("ListTemplates", document!("list_templates"), |_| 200).cached(TTL, &["templates"]);
const CYCLES: Operation = Operation::read("FindCycles", document!("find_cycles"), |v| 2 + first(v) * 3);
const MILESTONES: Operation =
    Operation::read("FindMilestones", document!("find_milestones"), |v| 2 + first(v) * 2);

pub(super) const OPERATIONS: &[&Operation] =
    &[&TEAMS, &STATES, &LABELS, &PEOPLE, &PROJECTS, &STATUSES, &VIEWS, &TEMPLATES, &CYCLES, &MILESTONES];

/// A list of names that is read whole and kept.
pub(crate) trait Directory: DeserializeOwned + Send + 'static {
    /// What its kept answers depend on.
    const TAG: &'static str;

    /// Reads it.
    fn read(api: &Api) -> impl Future<Output = Result<Vec<Self>>> + Send;
}

macro_rules! directory {
    ($row:ty, $tag:literal, $operation:expr, $field:literal) => {
        impl Directory for $row {
            const TAG: &'static str = $tag;

            async fn read(api: &Api) -> Result<Vec<Self>> {
                read_all(api, &$operation, $field).await
            }
        }
    };
}

directory!(Team, "teams", TEAMS, "teams");
directory!(State, "states", STATES, "workflowStates");
directory!(Label, "labels", LABELS, "issueLabels");
directory!(Person, "users", PEOPLE, "users");
directory!(Project, "projects", PROJECTS, "projects");
directory!(Status, "statuses", STATUSES, "projectStatuses");
directory!(View, "views", VIEWS, "customViews");

impl Directory for Template {
    const TAG: &'static str = "templates";

    async fn read(api: &Api) -> Result<Vec<Self>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default)]
            templates: Vec<Template>,
        }
        Ok(api.run::<Data>(&TEMPLATES, json!({})).await?.templates)
    }
}

/// Every row of the connection `field`, page after page.
async fn read_all<T: DeserializeOwned>(api: &Api, operation: &Operation, field: &str) -> Result<Vec<T>> {
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let mut data: std::collections::HashMap<String, Option<Connection<T>>> =
            api.run(operation, json!({"first": PAGE, "after": after})).await?;
        let page = data.remove(field).flatten().unwrap_or_default();
        let next = page.next(after.as_deref()).map(str::to_owned);
        rows.extend(page.nodes);
        match next {
            Some(next) => after = Some(next),
            None => return Ok(rows),
        }
    }
    tracing::warn!(operation = operation.name, rows = rows.len(), "a directory has more names than are read");
    Ok(rows)
}

/// A team.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) name: String,
    /// Where its days begin: `Europe/Berlin`.
    pub(crate) timezone: Option<String>,
    pub(crate) cycles_enabled: bool,
    pub(crate) triage_enabled: bool,
    /// Whether Linear closes sub-issues with the issue above them; only of an issue's own team.
    pub(crate) auto_close_child_issues: bool,
    /// Whether it closes an issue with the last of its sub-issues; likewise.
    pub(crate) auto_close_parent_issues: bool,
}

/// The team that something belongs to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TeamRef {
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) timezone: Option<String>,
}

/// A state of a team's workflow.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `triage`, `backlog`, `unstarted`, `started`, `completed`, `canceled`, `duplicate`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) position: Option<f64>,
    pub(crate) team: TeamRef,
}

/// A label for issues. One without a team belongs to the workspace.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Label {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it only groups other labels.
    pub(crate) is_group: bool,
    pub(crate) retired_at: Option<String>,
    pub(crate) team: Option<TeamRef>,
    pub(crate) parent: Option<Named>,
}

impl Label {
    /// Its name with its group's before it: `Area/API`.
    pub(crate) fn path(&self) -> String {
        match &self.parent {
            Some(group) if !group.name.is_empty() => format!("{}/{}", group.name, self.name),
            _ => self.name.clone(),
        }
    }
}

/// A user, or an app that acts as one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    /// The address of the profile, which mentions the person where it stands in a text.
    pub(crate) url: String,
    #[serde(default = "yes")]
    pub(crate) active: Option<bool>,
    pub(crate) admin: bool,
    pub(crate) guest: bool,
    pub(crate) app: bool,
    pub(crate) timezone: Option<String>,
}

fn yes() -> Option<bool> {
    Some(true)
}

impl Person {
    /// Whether work can be given to them.
    pub(crate) fn is_active(&self) -> bool {
        self.active != Some(false)
    }
}

/// A project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
}

/// A state of projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `backlog`, `planned`, `started`, `paused`, `completed`, `canceled`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// A saved view.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct View {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    /// What it shows: `Issue`, `Project`.
    pub(crate) model_name: String,
    pub(crate) team: Option<TeamRef>,
}

/// A template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What it makes: `issue`, `project`, `document`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The input that it stands for.
    #[serde(rename = "templateData")]
    pub(crate) data: Value,
    pub(crate) team: Option<TeamRef>,
}

impl Template {
    /// A text of what it stands for; none if it is empty.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.data.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    /// The ids of its labels.
    pub(crate) fn labels(&self) -> Vec<String> {
        let ids = self.data.get("labelIds").and_then(Value::as_array).into_iter().flatten();
        ids.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

/// A cycle.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Cycle {
    pub(crate) id: String,
    pub(crate) number: Option<f64>,
    pub(crate) name: Option<String>,
    pub(crate) starts_at: Option<String>,
    pub(crate) ends_at: Option<String>,
    pub(crate) team: TeamRef,
}

/// Anything with an id and a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

impl Api {
    /// The cycles that `filter` finds, at most `first`.
    pub(crate) async fn find_cycles(&self, filter: Value, first: u32) -> Result<Vec<Cycle>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(default)]
            cycles: Connection<Cycle>,
        }
        let data: Data = self.run(&CYCLES, json!({"filter": filter, "first": first})).await?;
        Ok(data.cycles.nodes)
    }

    /// The milestones of the project with the id `project`.
    pub(crate) async fn milestones_of(&self, project: &str) -> Result<Vec<Named>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            #[serde(default)]
            project_milestones: Connection<Named>,
        }
        let filter = json!({"project": {"id": {"eq": project}}});
        let data: Data = self.run(&MILESTONES, json!({"filter": filter, "first": 100})).await?;
        Ok(data.project_milestones.nodes)
    }
}
