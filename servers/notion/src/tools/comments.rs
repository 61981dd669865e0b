//! Comments on pages and blocks.

use std::collections::VecDeque;

use connector::{
    Error, Kind, Result,
    catalog::{
        Call, Page, Plan, Reply, Tool, Written, limit, minute, one_line,
        reconcile::{self, Attempt, Seen},
        words::{self, short},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FROM, outcome, told};
use crate::{
    Notion,
    api::objects::{Comment, User, plain},
    dialect,
    error::committed_id,
    render, resolve,
};

/// Files of one comment (developers.notion.com/reference/create-a-comment).
const ATTACHED: usize = 3;

/// Blocks of a page that are asked for comments in one call: each is a request.
const BLOCKS: usize = 40;
/// Characters of the text that a comment is on, and of a comment that is answered.
const QUOTED: usize = 200;

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "list_comments",
            "List comments",
            "Lists open comments on a page (id, URL or exact title) and on its blocks, with ids of comments and discussions.",
            list_comments,
        )
        .toolset("comments")
        .aliases(&[("page_id", "id"), ("block_id", "id"), ("page", "id")])
        .output_page::<Row>(),
        Tool::write(
            "add_comment",
            "Add a comment",
            "Comments on `id`, a page or block, or replies in `discussion`, an id of list_comments: give one of the two.",
            add_comment,
        )
        .toolset("comments")
        .aliases(&[
            ("page_id", "id"),
            ("block_id", "id"),
            ("page", "id"),
            ("discussion_id", "discussion"),
            ("body", "text"),
            ("markdown", "text"),
            ("attachments", "uploads"),
        ])
        .output::<Written>(),
        Tool::destructive(
            "delete_comment",
            "Delete a comment",
            "Deletes a comment of this connection (id of list_comments) for good.",
            delete_comment,
        )
        .toolset("comments")
        .aliases(&[("comment_id", "id"), ("comment", "id")])
        .output::<Written>(),
        Tool::write(
            "edit_comment",
            "Edit a comment",
            "Replaces the text of a comment of this connection (id of list_comments).",
            edit_comment,
        )
        .toolset("comments")
        .idempotent()
        .aliases(&[("comment_id", "id"), ("comment", "id"), ("body", "text"), ("markdown", "text")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListComments {
    id: String,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    id: String,
    discussion: String,
    by: String,
    at: String,
    on: String,
    text: String,
}

impl Row {
    /// The comment in two lines, after one of the discussion `before`.
    fn line(&self, before: &str) -> String {
        let (discussion, on) = if self.discussion == before {
            ("same discussion".to_owned(), String::new())
        } else {
            (format!("discussion {}", self.discussion), format!(" on {}", self.on))
        };
        format!("{} | {discussion} | {} {}{on}\n  {}", self.id, self.by, minute(&self.at), self.text)
    }
}

async fn list_comments(call: Call<Notion>, arguments: ListComments) -> Result<Reply> {
    let ListComments { id, limit: asked, cursor } = arguments;
    let from: usize = call.open_cursor(cursor.as_deref())?.unwrap_or_default();
    let id = call.block_id("id", &id).await?;
    let (rows, looked) = gathered(&call, &id).await?;
    let blocks = words::counted(looked.blocks, ("block", "blocks"));
    let mut page =
        Page::new(FROM, ("comment", "comments")).total(rows.len()).note(format!("{blocks} looked at"));
    let most = limit(asked, 100, 100) as usize;
    let more = rows.len() > from + most;
    let mut before = "";
    for row in rows.iter().skip(from).take(most) {
        page.push(row.line(before), row);
        before = &row.discussion;
    }
    let seal = call.clone();
    let reply = Reply::page(page.cursor(more, move |kept| seal.seal_cursor(&(from + kept))));
    Ok(match looked.left() {
        Some(left) => reply.line(format!("{left}: call with the id of a block (get_blocks).")),
        None => reply,
    })
}

/// The open comments on a page or block and on the blocks inside, as list_comments shows them; and what was not
/// looked for.
pub(super) async fn of_page(call: &Call<Notion>, id: &str) -> Result<(String, Option<String>)> {
    let (rows, looked) = gathered(call, id).await?;
    let mut before = "";
    let mut lines = Vec::new();
    for row in &rows {
        lines.push(row.line(before));
        before = &row.discussion;
    }
    Ok((lines.join("\n"), looked.left()))
}

/// The comments on a page or block and on the blocks inside, those of a discussion together, in the order of the first
/// words of each.
async fn gathered(call: &Call<Notion>, id: &str) -> Result<(Vec<Row>, Looked)> {
    let people = call.everybody().await.unwrap_or_default();
    let mut rows = Vec::new();
    if collect(call, id, "the page", &people, &mut rows).await? {
        let on = call.api().block(id).await.map_or_else(|_| "the block".to_owned(), |block| quoted(&block));
        rows.iter_mut().for_each(|row| row.on.clone_from(&on));
    }
    // Asked with the page's id, discussions on its paragraphs are missing (makenotion/notion-mcp-server#175).
    let looked = of_blocks(call, id, &people, &mut rows).await?;
    let firsts: Vec<String> = rows.iter().map(|row| row.discussion.clone()).collect();
    rows.sort_by_key(|row| firsts.iter().position(|discussion| *discussion == row.discussion));
    Ok((rows, looked))
}

/// Which blocks were asked for their comments.
#[derive(Default)]
struct Looked {
    blocks: usize,
    /// Whether blocks at the top were left out.
    later: bool,
    /// Whether blocks inside others were left out.
    inner: bool,
}

impl Looked {
    /// What was not looked for.
    fn left(&self) -> Option<String> {
        let left = match (self.later, self.inner) {
            (false, false) => return None,
            (true, false) => "later blocks",
            (false, true) => "some blocks inside others",
            (true, true) => "later blocks and blocks inside others",
        };
        Some(format!("Comments on {left} were not looked for"))
    }
}

/// Adds the comments on the blocks of a page to `rows`: of those at its top first, then of those inside lists, toggles
/// and columns, level by level, of at most [`BLOCKS`] blocks in all.
async fn of_blocks(call: &Call<Notion>, id: &str, people: &[User], rows: &mut Vec<Row>) -> Result<Looked> {
    let mut looked = Looked::default();
    let mut parents = VecDeque::from([id.to_owned()]);
    while looked.blocks < BLOCKS
        && let Some(parent) = parents.pop_front()
    {
        let list = call.api().children(&parent, 100, None).await?;
        let is_own = |block: &&Value| !block["type"].as_str().unwrap_or_default().starts_with("child_");
        let blocks: Vec<&Value> = list.results.iter().filter(is_own).collect();
        let room = BLOCKS - looked.blocks;
        let left = list.has_more || blocks.len() > room;
        if parent == id {
            looked.later = left;
        } else {
            looked.inner |= left;
        }
        // Those inside what was left out are left out with it.
        for block in blocks.into_iter().take(room) {
            looked.blocks += 1;
            let block_id = block["id"].as_str().unwrap_or_default();
            collect(call, block_id, &quoted(block), people, rows).await?;
            if block["has_children"] == true {
                parents.push_back(block_id.to_owned());
            }
        }
    }
    looked.inner |= !parents.is_empty();
    Ok(looked)
}

/// The text of a block that a comment is on, or what block it is where it has none.
fn quoted(block: &Value) -> String {
    let kind = block["type"].as_str().unwrap_or_default();
    let words = short(&plain(&block[kind]["rich_text"]), QUOTED);
    if words.is_empty() {
        format!("{} {}", kind.replace('_', " "), render::bare(block["id"].as_str().unwrap_or_default()))
    } else {
        format!("\"{words}\"")
    }
}

/// Where a comment stands.
#[derive(Default)]
struct Place {
    /// ` on Post-mortem`; empty where it cannot be read.
    words: String,
    /// The text of the block that it is on.
    quoted: Option<String>,
    url: Option<String>,
}

/// Where a comment of this `parent` stands, as far as that can be read.
async fn place(call: &Call<Notion>, parent: &Value) -> Place {
    let (mut page, mut quote) = (parent["page_id"].as_str().map(str::to_owned), None);
    if let Some(block) = parent["block_id"].as_str()
        && let Ok(block) = call.api().block(block).await
    {
        quote = Some(quoted(&block));
        page = block["parent"]["page_id"].as_str().map(str::to_owned);
    }
    let page = match page {
        Some(page) => call.api().page(&page).await.ok(),
        None => None,
    };
    Place {
        words: page.as_ref().map(|page| format!(" on {}", render::title(&page.name()))).unwrap_or_default(),
        quoted: quote,
        url: page.map(|page| page.url),
    }
}

/// The comment that `reply` answers: the last one of its discussion before it, and who wrote it.
async fn answered(call: &Call<Notion>, reply: &Comment) -> Option<Row> {
    let place = reply.parent["block_id"].as_str().or(reply.parent["page_id"].as_str())?;
    let mut rows = Vec::new();
    let people = call.everybody().await.unwrap_or_default();
    collect(call, place, "", &people, &mut rows).await.ok()?;
    let (discussion, id) = (render::bare(&reply.discussion_id), render::bare(&reply.id));
    rows.into_iter().rfind(|row| row.discussion == discussion && row.id != id)
}

/// Adds the comments on exactly this page or block to `rows`, and says whether it is a block that they are on.
async fn collect(
    call: &Call<Notion>,
    id: &str,
    on: &str,
    people: &[User],
    rows: &mut Vec<Row>,
) -> Result<bool> {
    let mut cursor: Option<String> = None;
    let mut on_block = false;
    loop {
        let page = call.api().comments(id, 100, cursor.as_deref()).await?;
        let next = page.next(cursor.as_deref()).map(str::to_owned);
        on_block |= page.results.iter().any(|comment| comment.parent["block_id"].is_string());
        rows.extend(page.results.iter().map(|comment| row(comment, on, people)));
        if next.is_none() {
            return Ok(on_block);
        }
        cursor = next;
    }
}

fn row(comment: &Comment, on: &str, people: &[User]) -> Row {
    let by = comment.created_by["id"].as_str().unwrap_or_default();
    let name = people
        .iter()
        .find(|user| user.id == by)
        .map_or_else(|| render::bare(by), |user| one_line(&user.name));
    Row {
        id: render::bare(&comment.id),
        discussion: render::bare(&comment.discussion_id),
        by: name,
        at: comment.created_time.clone(),
        on: on.to_owned(),
        text: said(comment),
    }
}

/// What a comment says, its files by their names or what they are.
fn said(comment: &Comment) -> String {
    let mut said = one_line(&plain(&comment.rich_text));
    for file in &comment.attachments {
        let address = file["file"]["url"].as_str().unwrap_or_default().split('?').next().unwrap_or_default();
        let name = address.rsplit('/').next().filter(|name| name.contains('.'));
        let kind = match file["category"].as_str() {
            Some("productivity") | None => "file",
            Some(kind) => kind,
        };
        let name = name.map(|name| format!(" {}", one_line(name))).unwrap_or_default();
        said.push_str(&format!(" [{kind}{name}]"));
    }
    said.trim_start().to_owned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddComment {
    id: Option<String>,
    discussion: Option<String>,
    /// Markdown; @Name mentions.
    text: String,
    /// Ids of upload_file.
    #[serde(default)]
    uploads: Vec<String>,
}

/// An upload as a comment's attachment.
fn attachment(upload: &str) -> Result<Value> {
    let id = resolve::id("uploads", upload.trim_start_matches("upload:"))?;
    Ok(json!({"type": "file_upload", "file_upload_id": id}))
}

/// The comment that was made though its answer was lost: the one that Notion says it saved, else one of this text on
/// the page or block `place`.
async fn lost(
    call: &Call<Notion>,
    place: &str,
    text: &str,
    attempt: &Attempt,
    saved: Option<&str>,
) -> Option<Comment> {
    if let Some(id) = saved.filter(|id| attempt.is_free(id)) {
        return call.api().comment(id).await.ok();
    }
    let me = outcome::own_id(call).await?;
    let is_it = |comment: &Comment| {
        outcome::says(&comment.rich_text, text)
            && outcome::is_of(attempt, &me, &comment.id, &comment.created_time, &comment.created_by)
    };
    // Nobody lists the comments of a discussion.
    if place.is_empty() {
        return None;
    }
    let mut cursor: Option<String> = None;
    loop {
        let page = call.api().comments(place, 100, cursor.as_deref()).await.ok()?;
        let next = page.next(cursor.as_deref()).map(str::to_owned);
        if let Some(found) = page.results.into_iter().rfind(is_it) {
            return Some(found);
        }
        cursor = Some(next?);
    }
}

async fn add_comment(call: Call<Notion>, arguments: AddComment) -> Result<Plan> {
    let AddComment { id, discussion, text, uploads } = arguments;
    if uploads.len() > ATTACHED {
        return Err(Error::invalid(format!("A comment takes at most {ATTACHED} `uploads`")));
    }
    let (text, mentions) = call.mentioned(text.trim(), "").await?;
    let accepted = dialect::accept(&text);
    if accepted.text.is_empty() {
        return Err(Error::invalid("`text` is empty"));
    }
    let mut body = json!({"markdown": accepted.text});
    if !uploads.is_empty() {
        let attached: Result<Vec<Value>> = uploads.iter().map(|upload| attachment(upload)).collect();
        body["attachments"] = json!(attached?);
    }
    let mut parent = String::new();
    let known = match (&id, &discussion) {
        (None, Some(discussion)) => {
            let discussion = resolve::id("discussion", discussion)?;
            body["discussion_id"] = json!(discussion);
            None
        }
        (Some(id), None) => {
            let id = call.block_id("id", id).await?;
            parent.clone_from(&id);
            match call.api().page(&id).await {
                Ok(page) => {
                    body["parent"] = json!({"page_id": id});
                    let words = format!(" on {}", render::title(&page.name()));
                    Some(Place { words, quoted: None, url: Some(page.url) })
                }
                Err(error) if error.kind() == connector::Kind::NotFound => {
                    call.api().block(&id).await?;
                    body["parent"] = json!({"block_id": id});
                    Some(place(&call, &body["parent"]).await)
                }
                Err(error) => return Err(error),
            }
        }
        _ => return Err(Error::invalid("Give one of `id` (a page or block) and `discussion`")),
    };
    let notes = [mentions, accepted.notes()].concat();
    let on = match &known {
        Some(place) => place.words.clone(),
        None => format!(" in the discussion {}", discussion.as_deref().unwrap_or_default().trim()),
    };
    let mut preview = Reply::new(format!("Comment{on}:"));
    if let Some(quoted) = known.as_ref().and_then(|place| place.quoted.as_deref()) {
        preview = preview.outside("what it is on", None, quoted);
    }
    preview = preview.outside("your comment", None, accepted.text.clone());
    for note in &notes {
        preview = preview.line(note.clone());
    }
    Ok(Plan::new(preview, move || async move {
        let attempt = outcome::attempt(&call, "comment");
        let sent = call.api().create_comment(&body).await;
        let saved = sent.as_ref().err().and_then(committed_id).map(str::to_owned);
        let look = || lost(&call, &parent, &accepted.text, &attempt, saved.as_deref());
        let (comment, lost) = attempt.made(sent, |comment: &Comment| comment.id.clone(), look).await?;
        // Only now Notion says where a discussion is.
        let answered = if body["discussion_id"].is_string() { answered(&call, &comment).await } else { None };
        let place = match known {
            Some(known) => known,
            None => place(&call, &comment.parent).await,
        };
        let done = match &answered {
            Some(answered) => format!("Replied to {}", answered.by),
            None => "Commented".to_owned(),
        };
        let mut written = Written::new(format!(
            "{done}{}; comment {}, discussion {}{}.",
            place.words,
            render::bare(&comment.id),
            render::bare(&comment.discussion_id),
            outcome::note(lost)
        ))
        .id(render::bare(&comment.id));
        written.changed.extend(place.quoted.map(|quoted| format!("on {quoted}")));
        written.changed.extend(answered.map(|answered| {
            let words = short(&answered.text, QUOTED);
            format!("{} {}: {words}", answered.by, minute(&answered.at))
        }));
        written.url = place.url;
        Ok(told::written(written, notes))
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteComment {
    id: String,
}

/// The comment, where it is this connection's own: Notion lets nobody change another's
/// (developers.notion.com/reference/update-a-comment), and a preview says so before a write would.
async fn own_comment(call: &Call<Notion>, id: &str) -> Result<Comment> {
    let comment = call.api().comment(id).await?;
    let author = comment.created_by["id"].as_str().unwrap_or_default();
    // Who asks may not be told; the vendor decides then.
    match call.api().me().await {
        Ok(me) if !author.is_empty() && me.id != author => Err(Error::new(
            Kind::Permission,
            "This comment is somebody else's: Notion lets a connection change only its own",
        )
        .with_hint("Reply with add_comment and its `discussion`")),
        _ => Ok(comment),
    }
}

async fn delete_comment(call: Call<Notion>, arguments: DeleteComment) -> Result<Plan> {
    let id = resolve::id("id", &arguments.id)?;
    let comment = own_comment(&call, &id).await?;
    let place = place(&call, &comment.parent).await;
    let words = format!("comment {}{}", render::bare(&id), place.words);
    let preview =
        Reply::new(format!("Delete {words}:")).outside("the comment", None, plain(&comment.rich_text));
    let state = comment.rich_text.clone();
    Ok(Plan::new(preview, move || async move {
        let sent = call.api().delete_comment(&id).await;
        let lost = outcome::gone(sent, call.api().comment(&id), |_| false).await?;
        let told = if lost { " (its answer was lost; it is gone)" } else { "" };
        let mut written = Written::new(format!("Deleted {words}{told}.")).id(render::bare(&id));
        written.url = place.url;
        Ok(Reply::written(written))
    })
    .state(&state))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EditComment {
    id: String,
    /// Markdown.
    text: String,
}

async fn edit_comment(call: Call<Notion>, arguments: EditComment) -> Result<Plan> {
    let id = resolve::id("id", &arguments.id)?;
    let comment = own_comment(&call, &id).await?;
    let before = plain(&comment.rich_text);
    let (text, mentions) = call.mentioned(arguments.text.trim(), "").await?;
    let accepted = dialect::accept(&text);
    if accepted.text.is_empty() {
        return Err(Error::invalid("`text` is empty").with_hint("delete_comment deletes a comment"));
    }
    let place = place(&call, &comment.parent).await;
    let words = format!("comment {}{}", render::bare(&id), place.words);
    let notes = [mentions, accepted.notes()].concat();
    let mut preview = Written::new(format!("Edit {words}:"));
    preview.changed = render::diff(&before, &accepted.text);
    let lines = preview.changed.clone();
    let plan = Plan::new(told::written(preview, notes.clone()), move || async move {
        let body = json!({"markdown": accepted.text});
        let look = || async {
            let now = call.api().comment(&id).await?;
            let untouched = now.rich_text == comment.rich_text;
            Ok(match outcome::says(&now.rich_text, &accepted.text) {
                true if !untouched => Seen::Done(now),
                _ if untouched => Seen::Untouched,
                _ => Seen::Changed,
            })
        };
        let (now, lost) = reconcile::updated(|| call.api().update_comment(&id, &body), look).await?;
        if !outcome::says(&now.rich_text, &accepted.text) {
            return Err(Error::new(
                Kind::Upstream,
                format!(
                    "Notion accepted the edit but did not do it: {words} says \"{}\"",
                    short(&plain(&now.rich_text), QUOTED)
                ),
            ));
        }
        let mut written =
            Written::new(format!("Edited {words}{}.", outcome::note(lost))).id(render::bare(&id));
        written.changed = lines;
        written.url = place.url;
        Ok(told::written(written, notes))
    });
    Ok(plan.state(&before))
}
