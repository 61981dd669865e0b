//! Projects: listing, reading, finding by name, creating and changing.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, document, first,
    issues::{PersonRef, StateRef},
    names::{Named, TeamRef},
};

const LIST: Operation =
    Operation::read("ListProjects", document!("list_projects"), |variables| 2 + first(variables) * 10);
const GET: Operation = Operation::read("GetProject", document!("get_project"), |_| 260);
const STATE: Operation =
    Operation::read("GetProjectState", document!("get_project_state", "project_state_fragment"), |_| 150);
const LABELS: Operation =
    Operation::read("FindProjectLabels", document!("find_project_labels"), |variables| {
        2 + first(variables) * 2
    })
    .cached(600, &[TAG_LABELS]);
const TEAMS: Operation =
    Operation::read("GetProjectTeams", document!("get_project_teams"), |_| 60).cached(60, &[TAG]);
const CREATE: Operation = Operation::write(
    "CreateProject",
    document!("create_project", "project_state_fragment"),
    Replay::Idempotent,
)
.invalidates(&[TAG])
.costs(|_| 150);
const UPDATE: Operation =
    Operation::write("UpdateProject", document!("update_project", "project_state_fragment"), Replay::Once)
        .invalidates(&[TAG])
        .costs(|_| 150);
const ADD_TO_INITIATIVE: Operation =
    Operation::write("AddToInitiative", document!("add_to_initiative"), Replay::Idempotent)
        .invalidates(&["initiatives"]);

pub(super) const OPERATIONS: &[&Operation] =
    &[&LIST, &GET, &STATE, &TEAMS, &LABELS, &CREATE, &UPDATE, &ADD_TO_INITIATIVE];

/// What kept answers about projects depend on.
const TAG: &str = "projects";
/// What kept answers about projects' labels depend on.
const TAG_LABELS: &str = "project_labels";

/// A row of a listing of projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProjectRow {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    /// From 0 to 1.
    pub(crate) progress: Option<f64>,
    pub(crate) health: Option<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) start_date: Option<String>,
    pub(crate) target_date: Option<String>,
    pub(crate) updated_at: String,
    pub(crate) archived_at: Option<String>,
    pub(crate) status: StateRef,
    pub(crate) lead: Option<PersonRef>,
    pub(crate) teams: Connection<TeamRef>,
}

/// A project with its parts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    /// The summary: one line.
    pub(crate) description: String,
    /// The overview, as Markdown.
    pub(crate) content: Option<String>,
    pub(crate) url: String,
    /// From 0 to 1.
    pub(crate) progress: Option<f64>,
    /// Points or issues in it.
    pub(crate) scope: Option<f64>,
    pub(crate) health: Option<String>,
    pub(crate) priority_label: String,
    pub(crate) start_date: Option<String>,
    pub(crate) target_date: Option<String>,
    pub(crate) started_at: Option<String>,
    pub(crate) completed_at: Option<String>,
    pub(crate) canceled_at: Option<String>,
    pub(crate) archived_at: Option<String>,
    pub(crate) updated_at: String,
    pub(crate) status: StateRef,
    pub(crate) lead: Option<PersonRef>,
    pub(crate) teams: Connection<TeamRef>,
    pub(crate) labels: Connection<Named>,
    pub(crate) initiatives: Connection<Named>,
    pub(crate) project_milestones: Connection<super::milestones::Milestone>,
    pub(crate) last_update: Option<super::updates::Update>,
    pub(crate) members: Option<Connection<PersonRef>>,
    pub(crate) documents: Connection<super::documents::DocumentRow>,
    pub(crate) external_links: Option<Connection<Link>>,
}

/// An address with its label.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) label: String,
    pub(crate) url: String,
}

/// What can be changed of a project, as it stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProjectState {
    pub(crate) id: String,
    pub(crate) slug_id: String,
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) description: String,
    pub(crate) content: Option<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) start_date: Option<String>,
    pub(crate) target_date: Option<String>,
    pub(crate) updated_at: String,
    pub(crate) archived_at: Option<String>,
    pub(crate) status: StateRef,
    pub(crate) lead: Option<PersonRef>,
    pub(crate) teams: Connection<TeamRef>,
    pub(crate) members: Connection<PersonRef>,
    pub(crate) labels: Connection<Named>,
    pub(crate) initiatives: Connection<Named>,
}

/// A label of projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProjectLabel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_group: bool,
}

/// Which optional parts of a project to ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProjectParts {
    pub(crate) members: bool,
    pub(crate) links: bool,
}

#[derive(Deserialize)]
struct ProjectsAnswer {
    #[serde(default)]
    projects: Connection<ProjectRow>,
}

#[derive(Deserialize)]
struct ProjectAnswer<T> {
    project: T,
}

/// The answer to a mutation of a project.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProjectPayload {
    pub(crate) success: bool,
    pub(crate) project: Option<ProjectState>,
}

impl Api {
    /// A page of projects, the one changed last first.
    pub(crate) async fn list_projects(
        &self,
        filter: Value,
        first: u32,
        after: Option<&str>,
        archived: bool,
    ) -> Result<Connection<ProjectRow>> {
        let variables = json!({"filter": filter, "first": first, "after": after, "archived": archived});
        Ok(self.run::<ProjectsAnswer>(&LIST, variables).await?.projects)
    }

    /// A project, by its id or slug id.
    pub(crate) async fn get_project(&self, id: &str, parts: ProjectParts) -> Result<Project> {
        let variables = json!({"id": id, "members": parts.members, "links": parts.links});
        Ok(self.run::<ProjectAnswer<_>>(&GET, variables).await?.project)
    }

    /// What can be changed of a project, as it stands.
    pub(crate) async fn project_state(&self, id: &str) -> Result<ProjectState> {
        Ok(self.run::<ProjectAnswer<_>>(&STATE, json!({"id": id})).await?.project)
    }

    /// The teams that a project belongs to.
    pub(crate) async fn project_teams(&self, id: &str) -> Result<Vec<TeamRef>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Teams {
            teams: Connection<TeamRef>,
        }
        Ok(self.run::<ProjectAnswer<Teams>>(&TEAMS, json!({"id": id})).await?.project.teams.nodes)
    }

    /// The labels that projects can have.
    pub(crate) async fn project_labels(&self) -> Result<Vec<ProjectLabel>> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectLabels", default)]
            labels: Connection<ProjectLabel>,
        }
        Ok(self.run::<Data>(&LABELS, json!({"first": 250})).await?.labels.nodes)
    }

    /// Creates a project; `input` carries an id made here.
    pub(crate) async fn create_project(&self, input: Value) -> Result<ProjectPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectCreate")]
            payload: ProjectPayload,
        }
        Ok(self
            .write::<Data>(
                &CREATE,
                json!({"input": input}),
                "Check with list_projects whether the project is there",
            )
            .await?
            .payload)
    }

    /// Changes a project.
    pub(crate) async fn update_project(&self, id: &str, input: Value) -> Result<ProjectPayload> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "projectUpdate")]
            payload: ProjectPayload,
        }
        Ok(self
            .write::<Data>(&UPDATE, json!({"id": id, "input": input}), "Look at the project with get_project")
            .await?
            .payload)
    }

    /// Puts a project into an initiative; true if Linear says that it did. `id` is made here.
    pub(crate) async fn add_to_initiative(&self, id: &str, initiative: &str, project: &str) -> Result<bool> {
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "initiativeToProjectCreate")]
            payload: Done,
        }
        let input = json!({"id": id, "initiativeId": initiative, "projectId": project});
        Ok(self
            .write::<Data>(
                &ADD_TO_INITIATIVE,
                json!({"input": input}),
                "Look at the project with get_project",
            )
            .await?
            .payload
            .success)
    }
}

/// Whether a mutation succeeded, where nothing else of its answer is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Done {
    success: bool,
}
