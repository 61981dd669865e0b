//! Discussions of a repository: over GraphQL, which alone knows them.

use connector::{Error, Result, upstream::Connection};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Operation, SELDOM, Target, document,
    issues::{Count, Named, Person},
    unproven,
};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[
    &LIST,
    &GET,
    &CATEGORIES,
    &COMMENT,
    &LAST,
    &CREATE,
    &UPDATE,
    &CLOSE,
    &REOPEN,
    &ADD_COMMENT,
    &UPDATE_COMMENT,
    &MARK,
    &UNMARK,
];

const LIST: Operation = Operation::read("DiscussionList", document!("discussion_list"));
const GET: Operation = Operation::read("DiscussionGet", document!("discussion_get"));
const CATEGORIES: Operation =
    Operation::read("DiscussionCategories", document!("discussion_categories")).cached(SELDOM);
const COMMENT: Operation = Operation::read("DiscussionComment", document!("discussion_comment"));
const LAST: Operation = Operation::read("DiscussionLast", document!("discussion_last"));
const CREATE: Operation = Operation::write("CreateDiscussion", document!("create_discussion"));
const UPDATE: Operation = Operation::write("UpdateDiscussion", document!("update_discussion"));
const CLOSE: Operation = Operation::write("CloseDiscussion", document!("close_discussion")).idempotent();
const REOPEN: Operation = Operation::write("ReopenDiscussion", document!("reopen_discussion")).idempotent();
const ADD_COMMENT: Operation = Operation::write("AddDiscussionComment", document!("add_discussion_comment"));
const UPDATE_COMMENT: Operation =
    Operation::write("UpdateDiscussionComment", document!("update_discussion_comment"));
const MARK: Operation = Operation::write("MarkAnswer", document!("mark_answer")).idempotent();
const UNMARK: Operation = Operation::write("UnmarkAnswer", document!("unmark_answer")).idempotent();

/// A category of discussions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Category {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) slug: String,
    pub(crate) is_answerable: bool,
}

/// What a repository's discussions are sorted by.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Categories {
    pub(crate) id: String,
    has_discussions_enabled: Option<bool>,
    discussion_categories: Connection<Category>,
}

impl Categories {
    /// Whether the repository has no discussions.
    pub(crate) fn is_off(&self) -> bool {
        self.has_discussions_enabled == Some(false)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Category] {
        &self.discussion_categories.nodes
    }
}

/// A discussion in a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DiscussionRow {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) updated_at: String,
    pub(crate) closed: bool,
    pub(crate) locked: bool,
    /// None where there are no answers.
    pub(crate) is_answered: Option<bool>,
    pub(crate) author: Person,
    pub(crate) category: Named,
    pub(crate) comments: Count,
}

/// A page of a repository's discussions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DiscussionList {
    has_discussions_enabled: Option<bool>,
    pub(crate) discussions: Connection<DiscussionRow>,
}

impl DiscussionList {
    /// Whether the repository has no discussions.
    pub(crate) fn is_off(&self) -> bool {
        self.has_discussions_enabled == Some(false)
    }
}

/// One discussion, with a page of its comments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Discussion {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) url: String,
    pub(crate) created_at: String,
    pub(crate) closed: bool,
    pub(crate) state_reason: String,
    pub(crate) locked: bool,
    pub(crate) is_answered: Option<bool>,
    pub(crate) author_association: String,
    pub(crate) author: Person,
    pub(crate) category: Category,
    pub(crate) comments: Connection<DiscussionComment>,
}

/// A comment, or a reply to one.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct DiscussionComment {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) is_answer: bool,
    pub(crate) is_minimized: bool,
    pub(crate) author_association: String,
    pub(crate) author: Person,
    /// Of a comment.
    pub(crate) replies: Connection<DiscussionComment>,
    /// Of a reply.
    reply_to: Option<Id>,
    pub(crate) discussion: Place,
}

impl DiscussionComment {
    /// The comment that a reply is to.
    pub(crate) fn reply_to(&self) -> Option<&str> {
        self.reply_to.as_ref().map(|parent| parent.id.as_str())
    }
}

/// Something with an id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Id {
    pub(crate) id: String,
}

/// The discussion that a comment stands under.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) category: Category,
    repository: FullName,
}

impl Place {
    /// The repository's name.
    pub(crate) fn repo(&self) -> &str {
        &self.repository.name_with_owner
    }
}

/// A repository, by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FullName {
    pub(crate) name_with_owner: String,
}

/// What is listed of discussions.
#[derive(Clone, Debug, Default)]
pub(crate) struct DiscussionFilter {
    /// A category's id.
    pub(crate) category: Option<String>,
    pub(crate) answered: Option<bool>,
    /// `OPEN` or `CLOSED`.
    pub(crate) state: Option<&'static str>,
}

/// What a write answers: the thing, as it is now.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Written {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) url: String,
    pub(crate) closed: bool,
    pub(crate) is_answered: Option<bool>,
}

/// A write to a discussion that does no more when it is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Update,
    Close,
    Reopen,
    UpdateComment,
    Mark,
    Unmark,
}

impl Api {
    /// The categories of a repository's discussions, kept for a while.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub(crate) async fn discussion_categories(&self, repo: &Repo) -> Result<Categories> {
        let variables = json!({"owner": repo.owner, "name": repo.name});
        self.of_repository(repo, &CATEGORIES, variables).await
    }

    /// A page of a repository's discussions, the last changed first.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub(crate) async fn discussions(
        &self,
        repo: &Repo,
        filter: &DiscussionFilter,
        first: u32,
        after: Option<&str>,
    ) -> Result<DiscussionList> {
        let states: Vec<_> = filter.state.into_iter().collect();
        let variables = json!({
            "owner": repo.owner, "name": repo.name, "first": first, "after": after,
            "category": filter.category, "answered": filter.answered, "states": states,
        });
        self.of_repository(repo, &LIST, variables).await
    }

    /// One discussion with a page of its comments; none if there is none.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub(crate) async fn discussion(
        &self,
        repo: &Repo,
        number: u64,
        first: u32,
        after: Option<&str>,
    ) -> Result<Discussion> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Found {
            discussion: Option<Discussion>,
        }
        let variables =
            json!({"owner": repo.owner, "name": repo.name, "number": number, "first": first, "after": after});
        let found: Found = self.of_repository(repo, &GET, variables).await?;
        let missing = || {
            Error::not_found(format!("{repo} has no discussion #{number}"))
                .with_hint("list_discussions finds them")
        };
        found.discussion.ok_or_else(missing)
    }

    async fn of_repository<T: serde::de::DeserializeOwned>(
        &self,
        repo: &Repo,
        operation: &Operation,
        variables: Value,
    ) -> Result<T> {
        #[derive(Deserialize)]
        #[serde(bound(deserialize = "T: serde::de::DeserializeOwned"))]
        struct Data<T> {
            repository: Option<T>,
        }
        let data: Data<T> = self.query(Target::Repo(repo), operation, variables).await?;
        data.repository
            .ok_or_else(|| Error::not_found(format!("{repo} does not exist, or the token may not see it")))
    }

    /// A comment by its id.
    ///
    /// # Errors
    /// As [`Api::query`]; `not_found`.
    pub(crate) async fn discussion_comment(&self, repo: &Repo, id: &str) -> Result<DiscussionComment> {
        #[derive(Deserialize)]
        struct Data {
            node: Option<DiscussionComment>,
        }
        let data: Data = self.query(Target::Repo(repo), &COMMENT, json!({"id": id})).await?;
        data.node.filter(|comment| !comment.id.is_empty()).ok_or_else(|| {
            Error::not_found("There is no such comment of a discussion")
                .with_hint("list_discussions with number shows their ids")
        })
    }

    /// The last comments of a discussion, by its id, each with its last replies.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub(crate) async fn last_comments(&self, repo: &Repo, id: &str) -> Result<Vec<DiscussionComment>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Comments {
            comments: Connection<DiscussionComment>,
        }
        #[derive(Deserialize)]
        struct Data {
            node: Option<Comments>,
        }
        let data: Data = self.query(Target::Repo(repo), &LAST, json!({"id": id})).await?;
        Ok(data.node.unwrap_or_default().comments.nodes)
    }

    /// Begins a discussion.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn create_discussion(&self, repo: &Repo, input: Value) -> Result<Written> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            create_discussion: Option<Changed>,
        }
        let check = format!("Check with list_discussions whether it is in {repo}");
        let data: Data = self.mutate(Target::Repo(repo), &CREATE, json!({"input": input}), &check).await?;
        data.create_discussion.and_then(|changed| changed.discussion).ok_or_else(|| unproven("discussion"))
    }

    /// Says something in a discussion.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn add_discussion_comment(&self, repo: &Repo, input: Value) -> Result<Written> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Data {
            add_discussion_comment: Option<Changed>,
        }
        let check = "Check with list_discussions whether the comment is there";
        let data: Data =
            self.mutate(Target::Repo(repo), &ADD_COMMENT, json!({"input": input}), check).await?;
        data.add_discussion_comment.and_then(|changed| changed.comment).ok_or_else(|| unproven("comment"))
    }

    /// Changes a discussion or a comment.
    ///
    /// # Errors
    /// As [`Api::mutate`].
    pub(crate) async fn change_discussion(
        &self,
        repo: &Repo,
        change: Change,
        input: Value,
    ) -> Result<Written> {
        let operation = match change {
            Change::Update => &UPDATE,
            Change::Close => &CLOSE,
            Change::Reopen => &REOPEN,
            Change::UpdateComment => &UPDATE_COMMENT,
            Change::Mark => &MARK,
            Change::Unmark => &UNMARK,
        };
        let check = "Check with list_discussions whether it was changed";
        let data: std::collections::BTreeMap<String, Option<Changed>> =
            self.mutate(Target::Repo(repo), operation, json!({"input": input}), check).await?;
        let changed = data.into_values().flatten().next().unwrap_or_default();
        changed.discussion.or(changed.comment).ok_or_else(|| unproven("discussion"))
    }
}

/// The payload of a mutation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Changed {
    discussion: Option<Written>,
    comment: Option<Written>,
}
