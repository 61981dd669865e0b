//! Comments on pages and blocks.

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Plan, Reply, Tool, Written, one_line,
        reconcile::{self, Attempt, Seen},
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FROM, outcome};
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

pub(super) fn tools() -> Vec<Tool<Notion>> {
    vec![
        Tool::read(
            "list_comments",
            "List comments",
            "Open comments on a page and on its blocks, with ids of comments and discussions.",
            list_comments,
        )
        .toolset("comments")
        .aliases(&[("page_id", "id"), ("block_id", "id"), ("page", "id")])
        .output_page::<Row>(),
        Tool::write(
            "add_comment",
            "Add a comment",
            "Comments on a page or block (id), or replies in a `discussion` (id of list_comments).",
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
            "Deletes a comment of this connection for good.",
            delete_comment,
        )
        .toolset("comments")
        .aliases(&[("comment_id", "id"), ("comment", "id")])
        .output::<Written>(),
        Tool::write(
            "edit_comment",
            "Edit a comment",
            "Replaces the text of a comment of this connection.",
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

async fn list_comments(call: Call<Notion>, arguments: ListComments) -> Result<Reply> {
    let id = call.page_id("id", &arguments.id).await?;
    let people = call.everybody().await.unwrap_or_default();
    let mut rows = Vec::new();
    collect(&call, &id, "the page", &people, &mut rows).await?;
    // Asked with the page's id, discussions on its paragraphs are missing (makenotion/notion-mcp-server#175).
    let blocks = call.api().children(&id, 100, None).await?;
    let mut looked = 0;
    for block in blocks
        .results
        .iter()
        .filter(|block| !block["type"].as_str().unwrap_or_default().starts_with("child_"))
    {
        if looked == BLOCKS {
            break;
        }
        looked += 1;
        let kind = block["type"].as_str().unwrap_or_default();
        let words = one_line(&plain(&block[kind]["rich_text"]));
        let quoted =
            words.char_indices().nth(60).map_or(words.clone(), |(at, _)| format!("{}…", &words[..at]));
        let block_id = block["id"].as_str().unwrap_or_default();
        collect(
            &call,
            block_id,
            &format!("block {} \"{quoted}\"", render::bare(block_id)),
            &people,
            &mut rows,
        )
        .await?;
    }
    let more = blocks.has_more || looked < blocks.results.len() && looked == BLOCKS;
    let mut page = Page::new(FROM, ("comment", "comments")).note(format!("{looked} blocks looked at"));
    for row in &rows {
        let line = format!(
            "{} | discussion {} | {} {} on {}\n  {}",
            row.id,
            row.discussion,
            row.by,
            render::minute(&row.at),
            row.on,
            row.text
        );
        page.push(line, row);
    }
    let mut reply = Reply::page(page);
    if more {
        reply = reply
            .line("Comments on later blocks were not looked for: call with the id of a block (get_blocks).");
    }
    Ok(reply)
}

async fn collect(
    call: &Call<Notion>,
    id: &str,
    on: &str,
    people: &[User],
    rows: &mut Vec<Row>,
) -> Result<()> {
    let mut cursor: Option<String> = None;
    loop {
        let page = call.api().comments(id, 100, cursor.as_deref()).await?;
        let next = page.next(cursor.as_deref()).map(str::to_owned);
        rows.extend(page.results.iter().map(|comment| row(comment, on, people)));
        if next.is_none() {
            return Ok(());
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
        text: one_line(&plain(&comment.rich_text)),
    }
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
    let mut place = String::new();
    let on = match (&id, &discussion) {
        (None, Some(discussion)) => {
            let discussion = resolve::id("discussion", discussion)?;
            body["discussion_id"] = json!(discussion);
            "in the discussion".to_owned()
        }
        (Some(id), None) => {
            let id = call.page_id("id", id).await?;
            place.clone_from(&id);
            match call.api().page(&id).await {
                Ok(page) => {
                    body["parent"] = json!({"page_id": id});
                    format!("on {}", render::title(&page.name()))
                }
                Err(error) if error.kind() == connector::Kind::NotFound => {
                    call.api().block(&id).await?;
                    body["parent"] = json!({"block_id": id});
                    format!("on block {}", render::bare(&id))
                }
                Err(error) => return Err(error),
            }
        }
        _ => return Err(Error::invalid("Give one of `id` (a page or block) and `discussion`")),
    };
    let notes = [mentions, accepted.notes()].concat();
    let mut preview =
        Reply::new(format!("Comment {on}:")).outside("your comment", None, accepted.text.clone());
    for note in &notes {
        preview = preview.line(note.clone());
    }
    Ok(Plan::new(preview, move || async move {
        let attempt = outcome::attempt(&call, "comment");
        let sent = call.api().create_comment(&body).await;
        let saved = sent.as_ref().err().and_then(committed_id).map(str::to_owned);
        let look = || lost(&call, &place, &accepted.text, &attempt, saved.as_deref());
        let (comment, lost) = attempt.made(sent, |comment: &Comment| comment.id.clone(), look).await?;
        let mut written = Written::new(format!(
            "Commented {on}; comment {}, discussion {}{}.",
            render::bare(&comment.id),
            render::bare(&comment.discussion_id),
            outcome::note(lost)
        ))
        .id(render::bare(&comment.id));
        for note in notes {
            written = written.change(note);
        }
        Ok(Reply::written(written))
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteComment {
    id: String,
}

async fn delete_comment(call: Call<Notion>, arguments: DeleteComment) -> Result<Plan> {
    let id = resolve::id("id", &arguments.id)?;
    let comment = call.api().comment(&id).await?;
    let preview = Reply::new(format!("Delete comment {}:", render::bare(&id))).outside(
        "the comment",
        None,
        plain(&comment.rich_text),
    );
    let state = comment.rich_text.clone();
    Ok(Plan::new(preview, move || async move {
        let sent = call.api().delete_comment(&id).await;
        let lost = outcome::gone(sent, call.api().comment(&id), |_| false).await?;
        let told = if lost { " (its answer was lost; it is gone)" } else { "" };
        Ok(Reply::written(
            Written::new(format!("Deleted comment {}{told}.", render::bare(&id))).id(render::bare(&id)),
        ))
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
    let comment = call.api().comment(&id).await?;
    let before = plain(&comment.rich_text);
    let (text, mentions) = call.mentioned(arguments.text.trim(), "").await?;
    let accepted = dialect::accept(&text);
    if accepted.text.is_empty() {
        return Err(Error::invalid("`text` is empty").with_hint("delete_comment deletes a comment"));
    }
    let mut lines = render::diff(&before, &accepted.text);
    lines.extend(mentions);
    lines.extend(accepted.notes());
    let mut preview = Written::new(format!("Edit comment {}", render::bare(&id)));
    preview.changed.clone_from(&lines);
    let plan = Plan::new(Reply::written(preview), move || async move {
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
        let (_, lost) = reconcile::updated(|| call.api().update_comment(&id, &body), look).await?;
        let mut written =
            Written::new(format!("Edited comment {}{}.", render::bare(&id), outcome::note(lost)))
                .id(render::bare(&id));
        written.changed = lines;
        Ok(Reply::written(written))
    });
    Ok(plan.state(&before))
}
