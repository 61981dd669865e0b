//! Comments on pages and blocks.

use connector::{
    Result,
    catalog::{Call, Page, Plan, Reply, Tool, Written, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::FROM;
use crate::{
    Notion,
    api::objects::{Comment, User, plain},
    dialect, render, resolve,
};

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
    let id = resolve::page_id("id", &arguments.id)?;
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
    /// Markdown.
    text: String,
}

async fn add_comment(call: Call<Notion>, arguments: AddComment) -> Result<Plan> {
    let AddComment { id, discussion, text } = arguments;
    let accepted = dialect::accept(text.trim());
    if accepted.text.is_empty() {
        return Err(connector::Error::invalid("`text` is empty"));
    }
    let mut body = json!({"markdown": accepted.text});
    let on = match (&id, &discussion) {
        (None, Some(discussion)) => {
            body["discussion_id"] = json!(resolve::page_id("discussion", discussion)?);
            "in the discussion".to_owned()
        }
        (Some(id), None) => {
            let id = resolve::page_id("id", id)?;
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
        _ => return Err(connector::Error::invalid("Give one of `id` (a page or block) and `discussion`")),
    };
    let notes = accepted.notes();
    let mut preview =
        Reply::new(format!("Comment {on}:")).outside("your comment", None, accepted.text.clone());
    for note in &notes {
        preview = preview.line(note.clone());
    }
    Ok(Plan::new(preview, move || async move {
        let comment = call.api().create_comment(&body).await?;
        let mut written = Written::new(format!(
            "Commented {on}; comment {}, discussion {}.",
            render::bare(&comment.id),
            render::bare(&comment.discussion_id)
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
    let id = resolve::page_id("id", &arguments.id)?;
    let comment = call.api().comment(&id).await?;
    let preview = Reply::new(format!("Delete comment {}:", render::bare(&id))).outside(
        "the comment",
        None,
        plain(&comment.rich_text),
    );
    Ok(Plan::new(preview, move || async move {
        let gone: Value = call.api().delete_comment(&id).await?;
        let _ = gone;
        Ok(Reply::written(
            Written::new(format!("Deleted comment {}.", render::bare(&id))).id(render::bare(&id)),
        ))
    }))
}
