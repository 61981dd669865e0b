//! Searches: by words, each kind of thing for itself, or by meaning, all kinds at once.

use connector::Result;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, Partial, document, first,
    issues::{PersonRef, StateRef},
    names::Named,
};

const ISSUES: Operation =
    Operation::read("SearchIssues", document!("search_issues"), |v| 2 + first(v) * 5).searches();
const PROJECTS: Operation =
    Operation::read("SearchProjects", document!("search_projects"), |v| 2 + first(v) * 4).searches();
const DOCUMENTS: Operation =
    Operation::read("SearchDocuments", document!("search_documents"), |v| 2 + first(v) * 3).searches();
/// Initiatives have no search by words; their names are filtered.
const INITIATIVES: Operation =
    Operation::read("SearchInitiatives", document!("search_initiatives"), |v| 2 + first(v) * 2);
const SEMANTIC: Operation =
    Operation::read("SemanticSearch", document!("semantic_search"), |v| 2 + first(v) * 14).searches();

pub(super) const OPERATIONS: &[&Operation] = &[&ISSUES, &PROJECTS, &DOCUMENTS, &INITIATIVES, &SEMANTIC];

/// An issue that a search found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FoundIssue {
    pub(crate) identifier: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) priority: Option<f64>,
    pub(crate) archived_at: Option<String>,
    pub(crate) trashed: bool,
    pub(crate) state: Option<StateRef>,
    pub(crate) assignee: Option<PersonRef>,
    pub(crate) project: Option<Named>,
}

/// A project that a search found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FoundProject {
    pub(crate) slug_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) content: Option<String>,
    pub(crate) status: Option<Named>,
    pub(crate) lead: Option<PersonRef>,
}

/// A document that a search found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FoundDocument {
    pub(crate) slug_id: String,
    pub(crate) title: String,
    pub(crate) content: Option<String>,
    pub(crate) updated_at: String,
    pub(crate) project: Option<Named>,
}

/// An initiative that a search found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FoundInitiative {
    pub(crate) slug_id: String,
    pub(crate) name: String,
    pub(crate) status: String,
}

/// Something that a search by meaning found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Found {
    pub(crate) issue: Option<FoundIssue>,
    pub(crate) project: Option<FoundProject>,
    pub(crate) document: Option<FoundDocument>,
    pub(crate) initiative: Option<FoundInitiative>,
}

/// What to search for.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) text: String,
    /// Only what belongs to the team with this id.
    pub(crate) team: Option<String>,
    /// Whether archived things are among the results.
    pub(crate) archived: bool,
    /// How many results, at most.
    pub(crate) first: u32,
    /// Where to go on.
    pub(crate) after: Option<String>,
}

impl Terms {
    fn variables(&self) -> Value {
        json!({
            "term": self.text,
            "first": self.first,
            "after": self.after,
            "teamId": self.team,
            "archived": self.archived,
        })
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Aliased<T> {
    #[serde(
        default,
        alias = "searchIssues",
        alias = "searchProjects",
        alias = "searchDocuments",
        alias = "initiatives"
    )]
    found: Connection<T>,
}

impl Api {
    pub(crate) async fn search_issues(&self, terms: &Terms) -> Result<Connection<FoundIssue>> {
        self.search(&ISSUES, terms.variables()).await
    }

    pub(crate) async fn search_projects(&self, terms: &Terms) -> Result<Connection<FoundProject>> {
        self.search(&PROJECTS, terms.variables()).await
    }

    pub(crate) async fn search_documents(&self, terms: &Terms) -> Result<Connection<FoundDocument>> {
        self.search(&DOCUMENTS, terms.variables()).await
    }

    pub(crate) async fn search_initiatives(&self, terms: &Terms) -> Result<Connection<FoundInitiative>> {
        // All of the words, wherever they stand, as the other searches take them.
        let words = terms.text.split_whitespace().map(|word| word.trim_matches('"'));
        let all: Vec<Value> = words.map(|word| json!({"name": {"containsIgnoreCase": word}})).collect();
        let mut filter = json!({"and": all});
        if let Some(team) = &terms.team {
            filter["teams"] = json!({"some": {"id": {"eq": team}}});
        }
        let variables =
            json!({"filter": filter, "first": terms.first, "after": terms.after, "archived": terms.archived});
        self.search(&INITIATIVES, variables).await
    }

    async fn search<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
    ) -> Result<Connection<T>> {
        Ok(self.run::<Aliased<T>>(operation, variables).await?.found)
    }

    /// Searches by meaning among things of `types` (`issue`, `project`, `document`, `initiative`).
    pub(crate) async fn semantic_search(&self, terms: &Terms, types: &[&str]) -> Result<Partial<Vec<Found>>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            #[serde(default)]
            semantic_search: Results,
        }
        #[derive(Default, Deserialize)]
        struct Results {
            #[serde(default)]
            results: Vec<Found>,
        }
        let filters = terms.team.as_ref().map(|team| json!({"issues": {"team": {"id": {"eq": team}}}}));
        let variables = json!({
            "query": terms.text,
            "types": types,
            "filters": filters,
            "max": terms.first,
            "archived": terms.archived,
        });
        let answer = self.run_partial::<Data>(&SEMANTIC, variables).await?;
        Ok(Partial { data: answer.data.semantic_search.results, failures: answer.failures })
    }
}
