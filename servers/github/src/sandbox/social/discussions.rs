//! Discussions of a repository.

use serde::Serialize;
use serde_json::Value;

use super::{moment, number, rows, text};

/// Categories and discussions of every repository.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Discussions {
    pub(super) categories: Vec<Category>,
    pub(super) all: Vec<Discussion>,
}

/// What discussions are sorted by.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Category {
    pub(super) id: u64,
    pub(super) repo: u64,
    pub(super) name: String,
    pub(super) slug: String,
    pub(super) emoji: String,
    pub(super) description: Option<String>,
    /// Whether a comment can be marked as the answer.
    pub(super) answerable: bool,
    pub(super) created: String,
}

/// A discussion.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Discussion {
    pub(super) id: u64,
    pub(super) repo: u64,
    pub(super) number: u64,
    pub(super) category: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) author: String,
    pub(super) created: String,
    pub(super) updated: String,
    pub(super) locked: bool,
    /// When it was closed, and why: `RESOLVED`, `OUTDATED`, `DUPLICATE`.
    pub(super) closed: Option<(String, String)>,
    /// Whether it was closed and opened again.
    pub(super) reopened: bool,
    pub(super) upvotes: u64,
    /// The comment that answers it, when it was chosen, and by whom.
    pub(super) answer: Option<(u64, String, String)>,
    pub(super) comments: Vec<DiscussionComment>,
}

/// A comment on a discussion, or a reply to one.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DiscussionComment {
    pub(super) id: u64,
    pub(super) author: String,
    pub(super) body: String,
    pub(super) created: String,
    pub(super) updated: String,
    /// The comment that it is a reply to.
    pub(super) reply_to: Option<u64>,
    pub(super) upvotes: u64,
}

impl Discussions {
    pub(super) fn from_seed(seed: &Value) -> Result<Self, String> {
        let categories = rows(&seed["discussion_categories"]).map(|row| {
            Ok(Category {
                id: number(row, "id")?,
                repo: number(row, "repo")?,
                name: text(row, "name"),
                slug: text(row, "slug"),
                emoji: text(row, "emoji"),
                description: row["description"].as_str().map(str::to_owned),
                answerable: row["answerable"] == true,
                created: moment(row, "at").unwrap_or_default(),
            })
        });
        let all = rows(&seed["discussions"]).map(discussion);
        Ok(Self {
            categories: categories.collect::<Result<_, String>>()?,
            all: all.collect::<Result<_, String>>()?,
        })
    }

    pub(super) fn category(&self, id: u64) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    pub(super) fn get(&self, id: u64) -> Option<&Discussion> {
        self.all.iter().find(|discussion| discussion.id == id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Discussion> {
        self.all.iter_mut().find(|discussion| discussion.id == id)
    }

    /// A comment, and its discussion.
    pub(super) fn remark(&self, id: u64) -> Option<(&Discussion, &DiscussionComment)> {
        self.all.iter().find_map(|discussion| {
            Some((discussion, discussion.comments.iter().find(|remark| remark.id == id)?))
        })
    }
}

fn discussion(row: &Value) -> Result<Discussion, String> {
    let created = moment(row, "at").ok_or("a discussion without time")?;
    let comments = rows(&row["comments"]).map(|row| {
        let created = moment(row, "at").ok_or("a discussion's comment without time")?;
        Ok(DiscussionComment {
            id: number(row, "id")?,
            author: text(row, "by"),
            body: text(row, "body"),
            updated: created.clone(),
            created,
            reply_to: row["reply_to"].as_u64(),
            upvotes: row["upvotes"].as_u64().unwrap_or_default(),
        })
    });
    let comments: Vec<DiscussionComment> = comments.collect::<Result<_, String>>()?;
    let last = comments.iter().map(|remark| remark.created.clone()).max();
    let answer = row["answer"].as_u64().and_then(|id| {
        let chosen = comments.iter().find(|remark| remark.id == id)?;
        Some((id, chosen.created.clone(), text(row, "by")))
    });
    let closed = moment(row, "closed").map(|at| (at, text(row, "reason")));
    Ok(Discussion {
        id: number(row, "id")?,
        repo: number(row, "repo")?,
        number: number(row, "number")?,
        category: number(row, "category")?,
        title: text(row, "title"),
        body: text(row, "body"),
        author: text(row, "by"),
        updated: last.unwrap_or_else(|| created.clone()),
        created,
        locked: row["locked"] == true,
        closed,
        reopened: false,
        upvotes: row["upvotes"].as_u64().unwrap_or(1),
        answer,
        comments,
    })
}
