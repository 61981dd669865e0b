//! Comments: the tools, and what lists and reads them.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Reply, Tool, Written, excerpt, one_line},
    upstream::Connection,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    FROM, Position,
    comments_write::{add_comment, delete_comment, edit_comment},
    limit, paging,
};
use crate::{
    Linear,
    api::{
        Partial,
        comments::Comment,
        names::Project,
        updates::{About, Update},
    },
    render,
    resolve::{self, IssueKey, Names, is_uuid},
};

/// Characters of one comment in a listing.
const EXCERPT: usize = 3_000;
/// Bytes of comments that surely fit into one reply.
const THREADS: usize = 24_000;
/// Characters of a comment that is read alone.
const WHOLE: usize = 24_000;

/// Characters of a comment's id in an address, and pages of comments that are looked through for it.
const ADDRESSED: usize = 8;
const PAGES: usize = 4;

pub(super) fn tools() -> Vec<Tool<Linear>> {
    vec![
        Tool::read(
            "list_comments",
            "List comments",
            "Comments on one issue, project, document or status update (id), newest first; or one comment in full.",
            list_comments,
        )
        .toolset("comments")
        .aliases(&[
            ("issueId", "issue"),
            ("id", "issue"),
            ("projectId", "project"),
            ("documentId", "document"),
        ])
        .output_page::<Row>(),
        Tool::write(
            "add_comment",
            "Add a comment",
            "Comments on one issue, project, document or status update (id), or replies to a comment (id). \
             @displayName notifies.",
            add_comment,
        )
        .toolset("comments")
        .aliases(&[("issueId", "issue"), ("id", "issue"), ("parentId", "reply_to"), ("text", "body")])
        .output::<Written>(),
        Tool::write(
            "edit_comment",
            "Edit a comment",
            "Replaces a comment's text, or resolves (true) or reopens (false) its thread.",
            edit_comment,
        )
        .toolset("comments")
        .idempotent()
        .aliases(&[("comment", "id"), ("resolve", "resolved")])
        .output::<Written>(),
        Tool::destructive(
            "delete_comment",
            "Delete a comment",
            "Deletes a comment for good.",
            delete_comment,
        )
        .toolset("comments")
        .aliases(&[("comment", "id")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListComments {
    issue: Option<String>,
    project: Option<String>,
    document: Option<String>,
    update: Option<String>,
    comment: Option<String>,
    offset: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// What comments stand under.
pub(super) enum Target {
    Issue(IssueKey),
    Project(Project),
    Document(String),
    Update(String),
}

impl Target {
    /// The arguments of which one names it.
    const NAMES: [&str; 4] = ["issue", "project", "document", "update"];

    /// The argument that names it.
    fn argument(&self) -> &'static str {
        match self {
            Self::Issue(_) => "issue",
            Self::Project(_) => "project",
            Self::Document(_) => "document",
            Self::Update(_) => "update",
        }
    }

    /// What to try where it has no comments.
    fn instead(&self) -> String {
        let others: Vec<String> = Self::NAMES
            .iter()
            .filter(|name| **name != self.argument())
            .map(|name| format!("`{name}`"))
            .collect();
        format!("try {} instead: each has its own comments", others.join(" or "))
    }

    /// The one that is given.
    pub(super) async fn of(
        names: &Names,
        issue: Option<&String>,
        project: Option<&String>,
        document: Option<&String>,
        update: Option<&String>,
    ) -> Result<Option<Self>> {
        let mut targets = Vec::new();
        if let Some(issue) = issue {
            targets.push(Self::Issue(names.issue_key(issue).await?));
        }
        if let Some(project) = project {
            targets.push(Self::Project(names.project(project).await?));
        }
        if let Some(document) = document {
            targets.push(Self::Document(resolve::documents::document_id(names, document).await?));
        }
        if let Some(update) = update {
            targets.push(Self::Update(id_of(update, "status update")?));
        }
        let target = targets.pop();
        if !targets.is_empty() {
            return Err(Error::invalid("Give one of `issue`, `project`, `document` and `update`"));
        }
        Ok(target)
    }
}

/// A comment in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    by: String,
    at: String,
    body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    resolved: bool,
}

async fn list_comments(call: Call<Linear>, arguments: ListComments) -> Result<Reply> {
    let ListComments { issue, project, document, update, comment, offset, limit: asked, cursor } = arguments;
    if let Some(comment) = &comment {
        return one(&call, comment, offset.unwrap_or(0) as usize).await;
    }
    let position: Position = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let target =
        Target::of(call.names(), issue.as_ref(), project.as_ref(), document.as_ref(), update.as_ref())
            .await?
            .ok_or_else(|| {
                Error::invalid("Give one of `issue`, `project`, `document`, `update` and `comment`")
            })?;
    let first = position.first(limit(asked, 25, 100), 250);
    let after = position.after.as_deref();
    let (of, answer) = match &target {
        Target::Document(id) => {
            let Partial { data, failures } = call.api().document_comments(id, first, after).await?;
            (format!("on \"{}\"", data.title), Partial { data: data.comments, failures })
        }
        Target::Issue(key) => {
            (format!("on {key}"), call.api().comments(json!({"issue": key.to_filter()}), first, after).await?)
        }
        Target::Project(project) => (
            format!("on project \"{}\"", one_line(&project.name)),
            call.api().comments(json!({"project": {"id": {"eq": project.id}}}), first, after).await?,
        ),
        Target::Update(id) => {
            let either =
                ["projectUpdate", "initiativeUpdate"].map(|field| json!({field: {"id": {"eq": id}}}));
            (format!("on update {id}"), call.api().comments(json!({"or": either}), first, after).await?)
        }
    };
    if answer.data.nodes.is_empty() && after.is_none() {
        exists(&call, &target).await?;
    }
    Ok(listing(&call, answer, position, &of, target.instead()))
}

/// One comment, from the character `offset`.
async fn one(call: &Call<Linear>, id: &str, offset: usize) -> Result<Reply> {
    let comment = call.api().comment(&comment_id(call, id).await?).await.map_err(no_comment)?;
    let (body, note) = excerpt(comment.body.trim(), offset, WHOLE);
    let place = comment.issue.as_ref().map(|issue| format!("on {}", issue.identifier)).unwrap_or_default();
    let mut page = Page::new(FROM, ("comment", "comments")).note(place);
    let row = row(&comment, body);
    page.push(
        format!("{}\n{}", render::comment_head(&comment), render::comment_body(&comment, &row.body)),
        &row,
    );
    Ok(note.into_iter().fold(Reply::page(page), Reply::line))
}

fn row(comment: &Comment, body: String) -> Row {
    Row {
        id: comment.id.clone(),
        by: comment.author().to_owned(),
        at: comment.created_at.clone(),
        body,
        reply_to: comment.parent_id.clone(),
        resolved: comment.resolved_at.is_some(),
    }
}

/// Whether what was named is there: no comments and no issue look the same to a filter.
async fn exists(call: &Call<Linear>, target: &Target) -> Result<()> {
    match target {
        Target::Issue(key) => {
            call.names().issue(key).await?;
        }
        Target::Update(id) => {
            status_update(call, id).await?;
        }
        // It was found by name, or its comments were read through it.
        Target::Project(_) | Target::Document(_) => {}
    }
    Ok(())
}

/// The status update with this id, and whether it is one of a project or of an initiative.
pub(super) async fn status_update(call: &Call<Linear>, id: &str) -> Result<(About, Update)> {
    for about in [About::Project, About::Initiative] {
        match call.api().get_update(about, id).await {
            Ok(update) => return Ok((about, update)),
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::not_found(format!("Linear has no status update {id}"))
        .with_hint("list_status_updates gives the ids"))
}

fn listing(
    call: &Call<Linear>,
    answer: Partial<Connection<Comment>>,
    position: Position,
    of: &str,
    instead: String,
) -> Reply {
    let notes = answer.notes();
    let connection = answer.data;
    let threads = by_thread(&connection, &position);
    let order =
        if threads.is_some() { "newest thread first, each from its beginning" } else { "newest first" };
    let shown = threads.unwrap_or_else(|| connection.nodes.iter().skip(position.skip).collect());
    let note = if shown.is_empty() { of.to_owned() } else { format!("{of}, {order}") };
    let mut page = Page::new(FROM, ("comment", "comments")).note(note).instead(instead);
    for comment in shown {
        let (body, cut) = excerpt(comment.body.trim(), 0, EXCERPT);
        let all = comment.body.trim().chars().count();
        let cut =
            cut.map(|_| format!("\n[cut: {EXCERPT} of {all} characters; give `comment` for all of it]"));
        let row = row(comment, format!("{body}{}", cut.unwrap_or_default()));
        let text = render::comment_body(comment, &row.body);
        page.push(format!("{}\n{text}", render::comment_head(comment)), &row);
    }
    let page = paging::close(call, page, position, &connection);
    notes.into_iter().fold(Reply::page(page), Reply::lead)
}

/// The comments by thread, where a reply stands below what it replies to; nothing where some threads are not whole,
/// or will be cut to fit, because a cursor goes on in the order of time.
fn by_thread<'a>(connection: &'a Connection<Comment>, position: &Position) -> Option<Vec<&'a Comment>> {
    let all = &connection.nodes;
    let is_whole = position.after.is_none() && position.skip == 0 && !connection.page_info.has_next_page;
    let chars: usize = all.iter().map(|comment| comment.body.len().min(EXCERPT * 4) + 200).sum();
    if !is_whole || chars > THREADS || all.iter().all(|comment| comment.parent_id.is_none()) {
        return None;
    }
    let is_here = |id: &str| all.iter().any(|comment| comment.id == id);
    let replies = |id: &'a str| all.iter().rev().filter(move |other| other.parent_id.as_deref() == Some(id));
    let roots =
        all.iter().filter(|comment| comment.parent_id.as_deref().is_none_or(|parent| !is_here(parent)));
    Some(roots.flat_map(|root| std::iter::once(root).chain(replies(&root.id))).collect())
}

/// The id of a comment, or of the one that an address means: `…/issue/ENG-12/x#comment-1a2b3c4d` has the beginning of it.
pub(super) async fn comment_id(call: &Call<Linear>, text: &str) -> Result<String> {
    let Some((address, begins)) = text.trim().split_once("#comment-") else { return id_of(text, "comment") };
    if begins.len() < ADDRESSED || !begins.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return id_of(text, "comment");
    }
    let key = call.names().issue_key(address).await?;
    // An address may leave the hyphens out.
    let plain = |id: &str| id.to_lowercase().replace('-', "");
    let begins = plain(begins);
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let filter = json!({"issue": key.to_filter()});
        let page = call.api().comments(filter, 250, after.as_deref()).await?.data;
        if let Some(found) = page.nodes.iter().find(|comment| plain(&comment.id).starts_with(&begins)) {
            return Ok(found.id.clone());
        }
        after = page.next(after.as_deref()).map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    Err(Error::not_found(format!("{key} has no comment whose id begins with {}", one_line(&begins)))
        .with_hint("list_comments gives the ids"))
}

/// A UUID that names a comment or a status update.
fn id_of(id: &str, what: &str) -> Result<String> {
    let id = id.trim();
    if is_uuid(id) {
        return Ok(id.to_lowercase());
    }
    Err(Error::invalid(format!("`{}` is not the id of a {what}", one_line(id)))
        .with_hint("Use the id from a listing"))
}

pub(super) fn no_comment(error: Error) -> Error {
    if error.kind() == Kind::NotFound {
        return Error::not_found("Linear has no such comment").with_hint("list_comments gives the ids");
    }
    error
}
