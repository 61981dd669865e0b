//! Projects: tables of issues with fields of their own.

use connector::{Error, Result, upstream::Connection};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Api, Operation, Target,
    discussions::{FullName, Id},
    document,
    issues::Count,
    unproven,
};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&LIST, &GET, &CONTENT, &ITEM, &ADD, &SET, &CLEAR, &DELETE];

const LIST: Operation = Operation::read("ProjectList", document!("project_list"));
const GET: Operation = Operation::read("ProjectGet", document!("project_get"));
const CONTENT: Operation = Operation::read("ProjectContent", document!("project_content"));
const ITEM: Operation = Operation::read("ProjectItem", document!("project_item"));
/// What is there already is given back (docs.github.com, "Using the API to manage Projects").
const ADD: Operation = Operation::write("AddProjectItem", document!("add_project_item")).idempotent();
const SET: Operation = Operation::write("SetProjectField", document!("set_project_field")).idempotent();
const CLEAR: Operation = Operation::write("ClearProjectField", document!("clear_project_field")).idempotent();
const DELETE: Operation = Operation::write("DeleteProjectItem", document!("delete_project_item"));

/// A project in a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProjectRow {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) short_description: String,
    pub(crate) closed: bool,
    pub(crate) updated_at: String,
    pub(crate) items: Count,
}

/// A project with a page of its items.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) short_description: String,
    pub(crate) closed: bool,
    pub(crate) url: String,
    pub(crate) fields: Connection<Field>,
    pub(crate) items: Connection<Item>,
}

/// A field of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Field {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `TEXT`, `NUMBER`, `DATE`, `SINGLE_SELECT`, `ITERATION`; another cannot be set here.
    pub(crate) data_type: String,
    pub(crate) options: Vec<Choice>,
    configuration: Configuration,
}

impl Field {
    /// The iterations that are not over.
    pub(crate) fn iterations(&self) -> &[Choice] {
        &self.configuration.iterations
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Configuration {
    iterations: Vec<Choice>,
}

/// What a field may be set to: an option, an iteration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Choice {
    pub(crate) id: String,
    #[serde(alias = "title")]
    pub(crate) name: String,
}

/// A row of a project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Item {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) content: Content,
    pub(crate) field_values: Connection<Set>,
    pub(crate) project: Id,
}

/// What a row is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Content {
    pub(crate) number: String,
    pub(crate) title: String,
    state: String,
    pull_state: String,
    repository: FullName,
}

impl Content {
    /// The repository, as `owner/name`; empty for a draft.
    pub(crate) fn repo(&self) -> &str {
        &self.repository.name_with_owner
    }

    /// `OPEN`, `CLOSED`, `MERGED`; empty for a draft.
    pub(crate) fn state(&self) -> &str {
        if self.state.is_empty() { &self.pull_state } else { &self.state }
    }
}

/// A field of a row that is set.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Set {
    field: Named,
    text: String,
    number: String,
    date: String,
    name: String,
    title: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
}

impl Set {
    /// The field's name and its value in words; none for a value that is not known here.
    pub(crate) fn told(&self) -> Option<(&str, &str)> {
        let values = [&self.text, &self.number, &self.date, &self.name, &self.title];
        let value = values.into_iter().find(|value| !value.is_empty())?;
        Some((&self.field.name, value))
    }
}

/// An issue or a pull request, and the rows that it has in projects.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) title: String,
    project_items: Connection<Item>,
}

impl Listed {
    /// The id of its row in a project.
    pub(crate) fn item(&self, project: &str) -> Option<&str> {
        let item = self.project_items.nodes.iter().find(|item| item.project.id == project);
        item.map(|item| item.id.as_str())
    }
}

impl Api {
    /// A page of the projects of a user or an organization; `query` in the words of GitHub's search.
    ///
    /// # Errors
    /// As [`Api::query`]; `not_found` if there is no such owner.
    pub(crate) async fn projects(
        &self,
        owner: &str,
        query: &str,
        first: u32,
        after: Option<&str>,
    ) -> Result<Connection<ProjectRow>> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Owned {
            projects_v2: Connection<ProjectRow>,
        }
        let variables = json!({"owner": owner, "first": first, "after": after, "query": query});
        let owned: Owned = self.of_owner(owner, &LIST, variables).await?;
        Ok(owned.projects_v2)
    }

    /// A project with a page of its items.
    ///
    /// # Errors
    /// As [`Api::query`]; `not_found`.
    pub(crate) async fn project(
        &self,
        owner: &str,
        number: u64,
        first: u32,
        after: Option<&str>,
    ) -> Result<Project> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Owned {
            project_v2: Option<Project>,
        }
        let variables = json!({"owner": owner, "number": number, "first": first, "after": after});
        let owned: Owned = self.of_owner(owner, &GET, variables).await?;
        owned.project_v2.ok_or_else(|| {
            Error::not_found(format!("{owner} has no project {number}, or the token may not see it"))
                .with_hint("list_project without number lists them")
        })
    }

    async fn of_owner<T: DeserializeOwned>(
        &self,
        owner: &str,
        operation: &Operation,
        variables: Value,
    ) -> Result<T> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", bound(deserialize = "T: DeserializeOwned"))]
        struct Data<T> {
            repository_owner: Option<T>,
        }
        let data: Data<T> = self.query(Target::Owner(owner), operation, variables).await?;
        let missing = || Error::not_found(format!("GitHub knows no user and no organization {owner}"));
        data.repository_owner.ok_or_else(missing)
    }

    /// An issue or a pull request, with its rows in projects.
    ///
    /// # Errors
    /// As [`Api::query`]; `not_found`.
    pub(crate) async fn project_content(&self, repo: &Repo, number: u64) -> Result<Listed> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Found {
            issue_or_pull_request: Option<Listed>,
        }
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Found>,
        }
        let variables = json!({"owner": repo.owner, "name": repo.name, "number": number});
        let data: Data = self.query(Target::Repo(repo), &CONTENT, variables).await?;
        let found = data.repository.unwrap_or_default().issue_or_pull_request;
        found.ok_or_else(|| {
            Error::not_found(format!("{repo}#{number} does not exist, or the token may not see it"))
        })
    }

    /// A row by its id.
    ///
    /// # Errors
    /// As [`Api::query`]; `not_found`.
    pub(crate) async fn project_item(&self, owner: &str, id: &str) -> Result<Item> {
        #[derive(Deserialize)]
        struct Data {
            node: Option<Item>,
        }
        let data: Data = self.query(Target::Owner(owner), &ITEM, json!({"id": id})).await?;
        data.node.filter(|item| !item.id.is_empty()).ok_or_else(|| {
            Error::not_found("There is no such item of a project").with_hint("list_project gives the ids")
        })
    }

    /// Adds an issue or a pull request, by its node id, to a project; the row's id.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn add_project_item(&self, owner: &str, project: &str, content: &str) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Added {
            item: Id,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            add_project_v2_item_by_id: Option<Added>,
        }
        let input = json!({"projectId": project, "contentId": content});
        let data: Data = self.write_project(owner, &ADD, input).await?;
        let id = data.add_project_v2_item_by_id.unwrap_or_default().item.id;
        if id.is_empty() { Err(unproven("item")) } else { Ok(id) }
    }

    /// Sets a field of a row, or clears it where there is no value. `value` is GitHub's `ProjectV2FieldValue`.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn set_project_field(
        &self,
        owner: &str,
        project: &str,
        item: &str,
        field: &str,
        value: Option<&Value>,
    ) -> Result<()> {
        let mut input = json!({"projectId": project, "itemId": item, "fieldId": field});
        let operation = match value {
            Some(value) => {
                input["value"] = value.clone();
                &SET
            }
            None => &CLEAR,
        };
        self.write_project::<Value>(owner, operation, input).await?;
        Ok(())
    }

    /// Takes a row out of a project. The issue itself stays.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn delete_project_item(&self, owner: &str, project: &str, item: &str) -> Result<()> {
        self.write_project::<Value>(owner, &DELETE, json!({"projectId": project, "itemId": item})).await?;
        Ok(())
    }

    async fn write_project<T: DeserializeOwned>(
        &self,
        owner: &str,
        operation: &Operation,
        input: Value,
    ) -> Result<T> {
        let check = "Check with list_project how the item is now";
        self.mutate(Target::Owner(owner), operation, json!({"input": input}), check).await
    }
}
