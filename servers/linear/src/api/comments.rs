//! Comments on issues, projects, documents and status updates.

use connector::{Result, upstream::Replay};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Connection, Operation, Partial, document, first,
    issues::{IssueRef, PersonRef},
    names::Named,
};

const LIST: Operation =
    Operation::read("ListComments", document!("list_comments", "comment_row"), |v| 2 + first(v) * 6);
const OF_DOCUMENT: Operation =
    Operation::read("DocumentComments", document!("document_comments", "comment_row"), |v| 3 + first(v) * 6);
const GET: Operation = Operation::read("GetComment", document!("get_comment", "comment_row"), |_| 10);
const ADD: Operation =
    Operation::write("AddComment", document!("add_comment", "comment_row"), Replay::Idempotent)
        .invalidates(&["comments"]);
const EDIT: Operation =
    Operation::write("EditComment", document!("edit_comment", "comment_row"), Replay::Once)
        .invalidates(&["comments"]);
const RESOLVE: Operation =
    Operation::write("ResolveComment", document!("resolve_comment", "comment_row"), Replay::Idempotent)
        .invalidates(&["comments"]);
const UNRESOLVE: Operation =
    Operation::write("UnresolveComment", document!("unresolve_comment", "comment_row"), Replay::Idempotent)
        .invalidates(&["comments"]);
const DELETE: Operation = Operation::destructive("DeleteComment", document!("delete_comment"), Replay::Once)
    .invalidates(&["comments"]);

pub(super) const OPERATIONS: &[&Operation] =
    &[&LIST, &OF_DOCUMENT, &GET, &ADD, &EDIT, &RESOLVE, &UNRESOLVE, &DELETE];

/// A comment.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Comment {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) created_at: String,
    pub(crate) edited_at: Option<String>,
    pub(crate) resolved_at: Option<String>,
    pub(crate) resolving_user: Option<PersonRef>,
    pub(crate) quoted_text: Option<String>,
    /// The comment that it replies to.
    pub(crate) parent_id: Option<String>,
    pub(crate) url: String,
    pub(crate) user: Option<PersonRef>,
    pub(crate) bot_actor: Option<Named>,
    pub(crate) external_user: Option<PersonRef>,
    pub(crate) issue: Option<IssueRef>,
    pub(crate) project: Option<Named>,
    pub(crate) project_update: Option<Named>,
    pub(crate) initiative_update: Option<Named>,
    pub(crate) document_content_id: Option<String>,
}

impl Comment {
    /// Who wrote it.
    pub(crate) fn author(&self) -> &str {
        let person =
            self.user.as_ref().or(self.external_user.as_ref()).map(|person| person.display_name.as_str());
        person.or_else(|| self.bot_actor.as_ref().map(|bot| bot.name.as_str())).unwrap_or("unknown")
    }
}

/// A document with a page of its comments.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Discussed {
    pub(crate) title: String,
    /// What comments on a document are attached to.
    pub(crate) document_content_id: Option<String>,
    pub(crate) comments: Connection<Comment>,
}

/// What a mutation of a comment answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CommentPayload {
    pub(crate) success: bool,
    pub(crate) comment: Option<Comment>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de> + Default"))]
struct Aliased<T> {
    #[serde(
        default,
        alias = "comment",
        alias = "comments",
        alias = "document",
        alias = "commentCreate",
        alias = "commentUpdate",
        alias = "commentResolve",
        alias = "commentUnresolve",
        alias = "commentDelete"
    )]
    value: T,
}

impl Api {
    /// One page of the comments that `filter` finds, newest first.
    pub(crate) async fn comments(
        &self,
        filter: Value,
        first: u32,
        after: Option<&str>,
    ) -> Result<Partial<Connection<Comment>>> {
        let variables = json!({"filter": filter, "first": first, "after": after});
        let answer = self.run_partial::<Aliased<Connection<Comment>>>(&LIST, variables).await?;
        Ok(Partial { data: answer.data.value, failures: answer.failures })
    }

    /// The document `id` (or the id in its address) with a page of its comments.
    pub(crate) async fn document_comments(
        &self,
        id: &str,
        first: u32,
        after: Option<&str>,
    ) -> Result<Partial<Discussed>> {
        let variables = json!({"id": id, "first": first, "after": after});
        let answer = self.run_partial::<Aliased<Discussed>>(&OF_DOCUMENT, variables).await?;
        Ok(Partial { data: answer.data.value, failures: answer.failures })
    }

    /// The comment with the id `id`, and where it stands.
    pub(crate) async fn comment(&self, id: &str) -> Result<Comment> {
        Ok(self.run::<Aliased<Comment>>(&GET, json!({"id": id})).await?.value)
    }

    /// Adds a comment from a `CommentCreateInput` that carries its id.
    pub(crate) async fn add_comment(&self, input: &Value, check: String) -> Result<CommentPayload> {
        self.write_comment(&ADD, json!({"input": input}), check).await
    }

    /// Changes a comment by a `CommentUpdateInput`.
    pub(crate) async fn edit_comment(
        &self,
        id: &str,
        input: &Value,
        check: String,
    ) -> Result<CommentPayload> {
        self.write_comment(&EDIT, json!({"id": id, "input": input}), check).await
    }

    /// Resolves the thread of a comment, or opens it again.
    pub(crate) async fn resolve_comment(
        &self,
        id: &str,
        resolved: bool,
        check: String,
    ) -> Result<CommentPayload> {
        let operation = if resolved { &RESOLVE } else { &UNRESOLVE };
        self.write_comment(operation, json!({"id": id}), check).await
    }

    /// Deletes a comment; whether Linear says that it did.
    pub(crate) async fn delete_comment(&self, id: &str, check: String) -> Result<bool> {
        Ok(self.write_comment(&DELETE, json!({"id": id}), check).await?.success)
    }

    async fn write_comment(
        &self,
        operation: &Operation,
        variables: Value,
        check: String,
    ) -> Result<CommentPayload> {
        let answer = self.run_document::<Aliased<CommentPayload>>(
            operation,
            operation.document,
            variables,
            Some(check),
        );
        Ok(answer.await?.or_noted().value)
    }
}
