//! GitHub's issues over GraphQL, where one request brings all that belongs to one. A pull request is an issue
//! too, as far as its conversation goes. They are written over REST: see [`super::rest_issues`].

use connector::{Result, upstream::Connection};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Operation, Partial, Target, comments::Said, document, incomplete, pulls::Actor};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&ISSUE_LIST, &ISSUE_GET];

const ISSUE_LIST: Operation = Operation::read("IssueList", document!("issue_list"));
const ISSUE_GET: Operation = Operation::read("IssueGet", document!("issue_get"));

/// Somebody with a login. An account that is gone has none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Person {
    pub(crate) login: String,
}

impl Person {
    /// The login; `ghost`, as GitHub writes it, for an account that is gone.
    pub(crate) fn login(&self) -> &str {
        if self.login.is_empty() { "ghost" } else { &self.login }
    }
}

/// Something with a name: a label, a type of issue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) name: String,
}

/// A milestone, as an issue names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Titled {
    pub(crate) title: String,
}

/// A count of something.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Count {
    total_count: Option<f64>,
}

impl Count {
    /// How many; none if GitHub does not say.
    pub(crate) fn get(&self) -> u64 {
        whole(self.total_count)
    }
}

/// A count that came as a number of JSON.
pub(crate) fn whole(number: Option<f64>) -> u64 {
    // Counts are small and never negative.
    number.map_or(0, |number| number.max(0.0) as u64)
}

/// An issue in a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IssueRow {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) state: String,
    pub(crate) state_reason: String,
    pub(crate) updated_at: String,
    pub(crate) author: Person,
    pub(crate) assignees: Connection<Person>,
    pub(crate) labels: Connection<Named>,
    pub(crate) milestone: Titled,
    pub(crate) issue_type: Named,
    pub(crate) issue_dependencies_summary: Dependencies,
    /// The first of those that block it, finished ones too.
    pub(crate) blockers: Connection<IssueRef>,
    pub(crate) comments: Count,
}

/// How many open issues an issue waits for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Dependencies {
    #[serde(alias = "blockedBy")]
    pub(crate) blocked_by: u64,
}

/// The issues of a repository, one page of them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IssueList {
    has_issues_enabled: Option<bool>,
    pub(crate) issues: Connection<IssueRow>,
}

impl IssueList {
    /// Whether the repository keeps no issues.
    pub(crate) fn is_off(&self) -> bool {
        self.has_issues_enabled == Some(false)
    }
}

/// What is wanted of one issue, besides what every answer has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) body: bool,
    /// So many of its last comments.
    pub(crate) comments: Option<u32>,
    /// Only comments before this place of the conversation.
    pub(crate) before: Option<&'a str>,
    /// Pull requests that close it, or issues that it closes.
    pub(crate) linked: bool,
    pub(crate) reactions: bool,
    pub(crate) sub_issues: bool,
    /// What blocks it, and what it blocks.
    pub(crate) dependencies: bool,
}

/// One issue or pull request, as the reading tool shows it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Issue {
    #[serde(rename = "__typename")]
    kind: String,
    pub(crate) number: String,
    pub(crate) title: String,
    state: String,
    pull_state: String,
    pub(crate) state_reason: String,
    pub(crate) is_draft: bool,
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) closed_at: String,
    pub(crate) closing: Connection<Closing>,
    pub(crate) locked: bool,
    /// `OFF_TOPIC`, `RESOLVED`, `SPAM` or `TOO_HEATED`; empty for none.
    pub(crate) active_lock_reason: String,
    pub(crate) author_association: String,
    pub(crate) author: Person,
    pub(crate) assignees: Connection<Person>,
    pub(crate) labels: Connection<Named>,
    pub(crate) milestone: Titled,
    pub(crate) reaction_groups: Vec<ReactionGroup>,
    pub(crate) issue_type: Named,
    pub(crate) duplicate_of: Option<IssueRef>,
    pub(crate) parent: Option<IssueRef>,
    /// None where GitHub is too old to tell; so are the next ones.
    pub(crate) sub_issues: Option<Connection<IssueRef>>,
    pub(crate) blocked_by: Option<Connection<IssueRef>>,
    pub(crate) blocking: Option<Connection<IssueRef>>,
    pub(crate) sub_issues_summary: Summary,
    pub(crate) linked: Option<Connection<IssueRef>>,
    pub(crate) comment_count: Count,
    pub(crate) comments: Conversation,
}

impl Issue {
    /// Whether it is a pull request.
    pub(crate) fn is_pull(&self) -> bool {
        self.kind == "PullRequest"
    }

    /// `open`, `closed` or, of a pull request, `merged`.
    pub(crate) fn state(&self) -> String {
        let state = if self.pull_state.is_empty() { &self.state } else { &self.pull_state };
        state.to_lowercase()
    }
}

/// That something was closed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Closing {
    actor: Option<Actor>,
}

/// Who closed something the last time, as far as GitHub tells.
pub(crate) fn closer(closing: &Connection<Closing>) -> Option<String> {
    closing.nodes.first()?.actor.as_ref().map(Actor::name)
}

/// How far the parts of an issue are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    total: Option<f64>,
    completed: Option<f64>,
}

impl Summary {
    /// How many are done, of how many; none if it has no parts.
    pub(crate) fn done_of(&self) -> Option<(u64, u64)> {
        let total = whole(self.total);
        (total > 0).then(|| (whole(self.completed), total))
    }
}

/// How often something was reacted to in one way.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ReactionGroup {
    pub(crate) content: String,
    pub(crate) reactors: Count,
}

/// Another issue or pull request, as one names it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct IssueRef {
    pub(crate) number: String,
    pub(crate) title: String,
    state: String,
    pull_state: String,
    pub(crate) repository: Place,
    pub(crate) assignees: Connection<Person>,
}

impl IssueRef {
    /// Whether it is a pull request.
    pub(crate) fn is_pull(&self) -> bool {
        !self.pull_state.is_empty()
    }

    /// `open`, `closed` or, of a pull request, `merged`.
    pub(crate) fn state(&self) -> String {
        let state = if self.is_pull() { &self.pull_state } else { &self.state };
        state.to_lowercase()
    }
}

/// The repository that something lies in.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Place {
    pub(crate) name_with_owner: String,
}

/// The last comments of a conversation, or those before a place of it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Conversation {
    total_count: Option<f64>,
    page_info: Before,
    edges: Vec<Edge>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Before {
    has_previous_page: bool,
    start_cursor: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Edge {
    cursor: String,
    node: Option<Said>,
}

impl Conversation {
    /// How many comments there are in all.
    pub(crate) fn total(&self) -> u64 {
        whole(self.total_count)
    }

    /// The comments, oldest first, each with its place.
    pub(crate) fn comments(&self) -> Vec<(&str, &Said)> {
        self.edges
            .iter()
            .filter_map(|edge| edge.node.as_ref().map(|node| (edge.cursor.as_str(), node)))
            .collect()
    }

    /// The place before which there are older ones. One that does not move ends the listing.
    pub(crate) fn older(&self, before: Option<&str>) -> Option<&str> {
        let start = self.page_info.start_cursor.as_deref()?;
        (self.page_info.has_previous_page && Some(start) != before).then_some(start)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct InRepository<T> {
    repository: Option<T>,
}

impl Api {
    /// A page of the issues of `repo`, without its pull requests. `filter` and `order` are GitHub's
    /// `IssueFilters` and `IssueOrder`.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn list_issues(
        &self,
        repo: &Repo,
        filter: &Value,
        order: &Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Partial<IssueList>> {
        let variables = json!({
            "owner": repo.owner, "name": repo.name, "first": first, "after": after,
            "filter": filter, "order": order,
        });
        let Partial { data, failures } =
            self.run::<InRepository<IssueList>>(Target::Repo(repo), &ISSUE_LIST, variables, None).await?;
        let data = data.repository.ok_or_else(|| incomplete("repository"))?;
        Ok(Partial { data, failures })
    }

    /// The issue of which another is a duplicate, `owner/name#12`; empty for none.
    ///
    /// # Errors
    /// As [`Api::issue`].
    pub(crate) async fn duplicate_of(&self, repo: &Repo, number: u64) -> Result<String> {
        let (_, Partial { data: issue, .. }) = self.issue(repo, number, Wanted::default()).await?;
        let name = |other: IssueRef| format!("{}#{}", other.repository.name_with_owner, other.number);
        Ok(issue.duplicate_of.map(name).unwrap_or_default())
    }

    /// One issue or pull request with what is wanted of it, and the name its repository has now.
    ///
    /// # Errors
    /// As [`Api::run`]; `not_found` if it is not there.
    pub(crate) async fn issue(
        &self,
        repo: &Repo,
        number: u64,
        wanted: Wanted<'_>,
    ) -> Result<(String, Partial<Issue>)> {
        #[derive(Debug, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Found {
            name_with_owner: String,
            issue_or_pull_request: Option<Issue>,
        }
        let variables = json!({
            "owner": repo.owner, "name": repo.name, "number": number,
            "body": wanted.body, "comments": wanted.comments.is_some(), "last": wanted.comments.unwrap_or(1),
            "before": wanted.before, "linked": wanted.linked, "reactions": wanted.reactions,
            "subIssues": wanted.sub_issues, "blockedBy": wanted.dependencies, "blocking": wanted.dependencies,
        });
        let Partial { data, failures } =
            self.run::<InRepository<Found>>(Target::Repo(repo), &ISSUE_GET, variables, None).await?;
        let found = data.repository.ok_or_else(|| incomplete("repository"))?;
        match found.issue_or_pull_request {
            Some(issue) => Ok((found.name_with_owner, Partial { data: issue, failures })),
            // That it is not there stands among the failures.
            None => Err(failures.into_iter().next().map_or_else(|| incomplete("issue"), |(_, error)| error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_place_that_does_not_move_ends_a_conversation() {
        let conversation: Conversation = connector::tolerant::from_value(json!({
            "totalCount": 3, "pageInfo": {"hasPreviousPage": true, "startCursor": "a"},
            "edges": [{"cursor": "a", "node": {"fullDatabaseId": "9007199254"}}, {"cursor": "b", "node": null}],
        }))
        .unwrap();
        assert_eq!(conversation.older(None), Some("a"));
        assert_eq!(conversation.older(Some("a")), None);
        assert_eq!((conversation.comments().len(), conversation.total()), (1, 3));
    }
}
