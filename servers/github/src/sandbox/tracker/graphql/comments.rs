//! What all texts have that people write: an author, reactions; and comments in conversations.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::json;

use super::{
    super::{super::ids::node_id, model::Reaction, show::REACTIONS},
    At, Field,
};

/// A text by somebody.
pub(super) struct Written<'a> {
    pub(super) at: At<'a>,
    pub(super) author: &'a str,
    pub(super) body: &'a str,
    pub(super) created: &'a str,
    pub(super) updated: &'a str,
    pub(super) minimized: Option<&'a str>,
    /// Which text of the issue it is: its type's name and its id.
    pub(super) key: (&'static str, u64),
}

impl Written<'_> {
    /// The fields that all texts have.
    pub(super) fn field(&self, asked: &Asked<'_>) -> Field {
        let show = self.at.show;
        let own = self.author.eq_ignore_ascii_case(show.viewer);
        let edited = self.updated > self.created && self.key.0 == "IssueComment";
        Some(Ok(match asked.field {
            "author" => self.at.person(self.author),
            "authorAssociation" => show.association(self.author).into(),
            "body" => self.body.into(),
            "createdAt" => self.created.into(),
            "updatedAt" => self.updated.into(),
            "lastEditedAt" if edited => self.updated.into(),
            "viewerDidAuthor" => own.into(),
            "isMinimized" => self.minimized.is_some().into(),
            "minimizedReason" => self.minimized.into(),
            "repository" => self.at.repository(),
            "reactionGroups" => {
                let key = |content: &str| {
                    json!([show.repo.id, self.at.issue.number, self.key.0, self.key.1, content])
                };
                Resolved::List(
                    REACTIONS.iter().map(|content| Node::new("ReactionGroup", key(content))).collect(),
                )
            }
            _ => return None,
        }))
    }
}

/// The GraphQL API's word for a reaction.
fn word(content: &str) -> &'static str {
    match content {
        "+1" => "THUMBS_UP",
        "-1" => "THUMBS_DOWN",
        "laugh" => "LAUGH",
        "confused" => "CONFUSED",
        "heart" => "HEART",
        "hooray" => "HOORAY",
        "rocket" => "ROCKET",
        _ => "EYES",
    }
}

/// `IssueComment`
pub(super) fn comment(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let id = node.key[2].as_u64()?;
    let comment = at.issue.comments.iter().find(|comment| comment.id == id)?;
    Some(Ok(match asked.field {
        "id" => node_id("IC", id).into(),
        "fullDatabaseId" => id.to_string().into(),
        "issue" => at.node().into(),
        _ => {
            let written = Written {
                at,
                author: &comment.author,
                body: &comment.body,
                created: &comment.created_at,
                updated: &comment.updated_at,
                minimized: comment.minimized.as_deref(),
                key: ("IssueComment", id),
            };
            return written.field(asked);
        }
    }))
}

/// The reactions to a text of an issue.
fn reactions_to<'a>(at: At<'a>, ty: &str, id: u64) -> Option<&'a [Reaction]> {
    let pull = at.pull();
    Some(match ty {
        "IssueComment" => &at.issue.comments.iter().find(|comment| comment.id == id)?.reactions,
        "PullRequestReviewComment" => {
            let mut all = pull?.threads.iter().flat_map(|thread| &thread.remarks);
            &all.find(|remark| remark.id == id)?.reactions
        }
        "PullRequestReview" => &[],
        _ => &at.issue.reactions,
    })
}

/// `ReactionGroup`. Its key ends with the type and id of the text, and the content of the reactions.
pub(super) fn reaction(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let (ty, id) = (node.key[2].as_str()?, node.key[3].as_u64()?);
    let all = reactions_to(at, ty, id)?;
    let content = node.key[4].as_str()?;
    let mine: Vec<_> = all.iter().filter(|one| one.content == content).collect();
    Some(Ok(match asked.field {
        "content" => word(content).into(),
        "reactors" => {
            let logins: Vec<String> = mine.iter().map(|one| one.login.clone()).collect();
            return Some(super::lists::actors(at.show, logins, asked));
        }
        _ => return None,
    }))
}

/// A reason for folding a comment, as the API says it.
pub(super) fn classifier(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}
