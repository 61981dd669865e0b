//! What all texts have that people write: an author, reactions; and comments in conversations.

use connector::sandbox::graphql::{Asked, Node, Resolved};
use serde_json::{Value, json};

use super::{
    super::{
        super::{errors::Outcome, graphql::connection, ids::node_id},
        model::Reaction,
        rights::{self, Right},
        show::REACTIONS,
    },
    At, Field, path_of, shout,
};

/// A text by somebody, with its reactions.
pub(super) struct Written<'a> {
    pub(super) at: At<'a>,
    pub(super) author: &'a str,
    pub(super) body: &'a str,
    pub(super) created: &'a str,
    pub(super) updated: &'a str,
    pub(super) reactions: &'a [Reaction],
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
            "body" | "bodyText" => self.body.into(),
            "createdAt" | "publishedAt" => self.created.into(),
            "updatedAt" => self.updated.into(),
            "lastEditedAt" => {
                if edited {
                    self.updated.into()
                } else {
                    Resolved::NULL
                }
            }
            "includesCreatedEdit" => edited.into(),
            "createdViaEmail" => false.into(),
            "viewerDidAuthor" => own.into(),
            "viewerCanUpdate" | "viewerCanDelete" | "viewerCanMinimize" => {
                (own || rights::has(show.repo, show.viewer, Right::Push)).into()
            }
            "viewerCanReact" => (!self.at.issue.locked).into(),
            "isMinimized" => self.minimized.is_some().into(),
            "minimizedReason" => self.minimized.into(),
            "repository" => self.at.repository(),
            "reactions" => return Some(self.reactions(asked)),
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

    fn reactions(&self, asked: &Asked<'_>) -> Outcome<Resolved> {
        let wanted = asked.text("content");
        let fits = |one: &&Reaction| wanted.is_none_or(|content| word(&one.content) == content);
        let found: Vec<_> = self.reactions.iter().filter(fits).collect();
        let mine = found.iter().any(|one| one.login == self.at.show.viewer);
        let key = |one: &Reaction| {
            json!([self.at.show.repo.id, self.at.issue.number, self.key.0, self.key.1, one.id])
        };
        let nodes = found.iter().map(|one| Node::new("Reaction", key(one))).collect();
        match connection(asked, nodes)? {
            Resolved::Connection(page) => Ok(Resolved::Connection(page.with("viewerHasReacted", mine))),
            other => Ok(other),
        }
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
    let url = at.url(&format!("#issuecomment-{id}"));
    Some(Ok(match asked.field {
        "id" => node_id("IC", id).into(),
        "databaseId" => id.into(),
        "fullDatabaseId" => id.to_string().into(),
        "issue" => at.node().into(),
        "pullRequest" => at.pull().map(|_| at.node()).into(),
        "url" => url.into(),
        "resourcePath" => path_of(&url).into(),
        _ => {
            let written = Written {
                at,
                author: &comment.author,
                body: &comment.body,
                created: &comment.created_at,
                updated: &comment.updated_at,
                reactions: &comment.reactions,
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

/// `Reaction`, `ReactionGroup` and the edges of its people. Their keys end with the type and id of the text, and the
/// reaction's id or its content.
pub(super) fn reaction(at: At<'_>, node: &Node, asked: &Asked<'_>) -> Field {
    let (ty, id) = (node.key[2].as_str()?, node.key[3].as_u64()?);
    let all = reactions_to(at, ty, id)?;
    if node.ty == "Reaction" {
        let one = all.iter().find(|one| Some(one.id) == node.key[4].as_u64())?;
        return Some(Ok(match asked.field {
            "id" => node_id("REA", one.id).into(),
            "databaseId" => one.id.into(),
            "content" => word(&one.content).into(),
            "createdAt" => one.created_at.clone().into(),
            "user" => at.person(&one.login),
            "reactable" if matches!(ty, "Issue" | "PullRequest") => at.node().into(),
            "reactable" => at.below(ty, id).into(),
            _ => return None,
        }));
    }
    let content = node.key[4].as_str()?;
    let mine: Vec<_> = all.iter().filter(|one| one.content == content).collect();
    Some(Ok(match asked.field {
        "content" => word(content).into(),
        "createdAt" => mine.first().map(|one| one.created_at.clone()).into(),
        "viewerHasReacted" => mine.iter().any(|one| one.login == at.show.viewer).into(),
        "reactors" => {
            let logins: Vec<String> = mine.iter().map(|one| one.login.clone()).collect();
            let page = super::lists::actors(at.show, logins, asked);
            let Ok(Resolved::Connection(mut page)) = page else { return Some(page) };
            page.edges = mine
                .iter()
                .map(|one| json!({"reactedAt": one.created_at}).as_object().cloned().unwrap_or_default())
                .collect();
            Resolved::Connection(page)
        }
        _ => return None,
    }))
}

/// A reason for folding a comment, as the API says it.
pub(super) fn classifier(word: &str) -> String {
    word.to_lowercase().replace('_', "-")
}

/// A lock's reason as an enum's value.
pub(super) fn lock_reason(reason: Option<&str>) -> Value {
    reason.map(shout).into()
}
