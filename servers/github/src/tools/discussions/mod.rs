//! Discussions listed and read. Opt-in.

mod writes;

use connector::{
    Error, Result,
    catalog::{
        Call, Page, Position, Reply, Tool, Written, excerpt, limit, nearest, one_line,
        paging::{self, VendorPage},
        words::counted,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    GitHub,
    api::{
        discussions::{Categories, Category, DiscussionComment, DiscussionFilter, DiscussionRow},
        issues::whole,
    },
    render::{day, minute},
    repo::Repo,
    scopes,
    tools::FROM,
};

/// Characters of the text, and of one comment.
const EXCERPT: usize = 10_000;
const COMMENT: usize = 2_000;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "list_discussions",
            "List discussions",
            "A repository's discussions, last changed first; with number one of them and its comments.",
            list_discussions,
        )
        .opt_in("discussions")
        .aliases(&[("discussion_number", "number"), ("discussion", "number")])
        .output_page::<Row>(),
        Tool::destructive(
            "write_discussion",
            "Write in discussions",
            "Begins a discussion, comments or replies, edits, marks a comment as the answer, closes or reopens.",
            writes::write_discussion,
        )
        .opt_in("discussions")
        .scopes(scopes::REPO)
        .aliases(&[("discussion_number", "number"), ("reply_to", "comment_id")])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    repo: Option<String>,
    number: Option<u64>,
    category: Option<String>,
    answered: Option<bool>,
    state: Option<State>,
    offset: Option<u32>,
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum State {
    Open,
    Closed,
    #[default]
    All,
}

/// A discussion, or a comment on one.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// A discussion's number, a comment's id.
    id: String,
    by: String,
    at: String,
    /// A title, or a comment's text.
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    category: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered: Option<bool>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reply_to: String,
}

async fn list_discussions(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    if let Some(number) = arguments.number {
        if arguments.category.is_some() || arguments.answered.is_some() || arguments.state.is_some() {
            return Err(Error::invalid("`number` does not go with `category`, `answered` or `state`"));
        }
        return read(&call, &repo, number, arguments, position).await;
    }
    if arguments.offset.is_some() {
        return Err(Error::invalid("`offset` goes with `number`"));
    }
    let category = match &arguments.category {
        Some(name) => Some(category(&categories(&call, &repo).await?, &repo, name)?.id),
        None => None,
    };
    let state = arguments.state.unwrap_or_default();
    let filter = DiscussionFilter {
        category,
        answered: arguments.answered,
        state: match state {
            State::Open => Some("OPEN"),
            State::Closed => Some("CLOSED"),
            State::All => None,
        },
    };
    let count = position.first(limit(arguments.limit, 20, 100), 100);
    let after = position.after.clone();
    let list = call.api().discussions(&repo, &filter, count, after.as_deref()).await?;
    if list.is_off() {
        return Err(off(&repo));
    }
    let found = &list.discussions;
    let rows: Vec<_> = found.nodes.iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("discussion", "discussions")).note(format!("{repo}, last changed first"));
    page = page.total(usize::try_from(whole(found.total_count)).unwrap_or(usize::MAX));
    for discussion in &rows {
        page.push(row_text(discussion), &row_of(discussion));
    }
    let next = found.next(after.as_deref()).map(str::to_owned);
    let given = VendorPage::whole(position, rows.len(), next);
    Ok(Reply::page(paging::close(&call, page, given)))
}

/// The error for a repository that has no discussions.
fn off(repo: &Repo) -> Error {
    Error::not_found(format!("{repo} has no discussions: they are turned off there"))
}

/// The categories of a repository.
async fn categories(server: &GitHub, repo: &Repo) -> Result<Categories> {
    let categories = server.api().discussion_categories(repo).await?;
    if categories.is_off() { Err(off(repo)) } else { Ok(categories) }
}

/// The category of a name or slug.
fn category(known: &Categories, repo: &Repo, name: &str) -> Result<Category> {
    let wanted = name.trim().to_lowercase();
    let is = |category: &&Category| {
        category.name.to_lowercase() == wanted || category.slug.to_lowercase() == wanted
    };
    if let Some(found) = known.all().iter().find(is) {
        return Ok(found.clone());
    }
    let names: Vec<_> = known.all().iter().map(|category| category.name.as_str()).collect();
    let near = nearest(&wanted, names.iter().copied());
    let error = Error::invalid(format!("`category`: {repo} has no `{}`", one_line(name)));
    Err(match near {
        Some(near) => error.with_hint(format!(
            "Did you mean {}? There are {}",
            one_line(near),
            one_line(&names.join(", "))
        )),
        None => error.with_hint(format!("There are {}", one_line(&names.join(", ")))),
    })
}

fn row_of(row: &DiscussionRow) -> Row {
    Row {
        id: one_line(&row.number),
        by: one_line(row.author.login()),
        at: day(&row.updated_at).to_owned(),
        text: one_line(&row.title),
        category: one_line(&row.category.name),
        state: if row.closed { "closed" } else { "open" }.to_owned(),
        comments: Some(row.comments.get()),
        answered: row.is_answered,
        reply_to: String::new(),
    }
}

fn row_text(row: &DiscussionRow) -> String {
    let mut facts = vec![if row.closed { "closed" } else { "open" }.to_owned()];
    match row.is_answered {
        Some(true) => facts.push("answered".to_owned()),
        Some(false) => facts.push("unanswered".to_owned()),
        None => {}
    }
    if row.locked {
        facts.push("locked".to_owned());
    }
    facts.push(one_line(&row.category.name));
    facts.push(format!("@{}", one_line(row.author.login())));
    facts.push(counted(row.comments.get(), ("comment", "comments")));
    facts.push(day(&row.updated_at).to_owned());
    format!("#{} {}: {}", one_line(&row.number), facts.join(", "), one_line(&row.title))
}

async fn read(
    call: &Call<GitHub>,
    repo: &Repo,
    number: u64,
    arguments: Arguments,
    position: Position,
) -> Result<Reply> {
    let count = position.first(limit(arguments.limit, 20, 50), 50);
    let after = position.after.clone();
    let discussion = call.api().discussion(repo, number, count, after.as_deref()).await?;
    let by = one_line(discussion.author.login());
    let mut facts = vec![if discussion.closed { "closed" } else { "open" }.to_owned()];
    if !discussion.state_reason.is_empty() {
        facts.push(one_line(&discussion.state_reason).to_lowercase());
    }
    match discussion.is_answered {
        Some(true) => facts.push("answered".to_owned()),
        Some(false) => facts.push("unanswered".to_owned()),
        None => {}
    }
    if discussion.locked {
        facts.push("locked".to_owned());
    }
    facts.push(one_line(&discussion.category.name));
    facts.push(format!("@{by} ({})", one_line(&discussion.author_association).to_lowercase()));
    facts.push(minute(&discussion.created_at));
    let mut reply = Reply::new(format!("Discussion {repo}#{number} {}.", facts.join(", ")));
    let first = position == Position::default();
    if first {
        let offset = arguments.offset.unwrap_or_default() as usize;
        let (text, note) = excerpt(&discussion.body, offset, EXCERPT);
        let whole = format!("{}\n\n{text}", one_line(&discussion.title));
        reply = reply.outside(format!("discussion #{number}"), Some(&by), whole);
        if let Some(note) = note {
            reply = reply.line(note);
        }
    }
    let comments = &discussion.comments;
    let rows: Vec<_> = comments.nodes.iter().skip(position.skip).collect();
    let mut page = Page::new(FROM, ("comment", "comments"))
        .total(usize::try_from(whole(comments.total_count)).unwrap_or(usize::MAX))
        .note("oldest first, replies below theirs");
    for comment in &rows {
        let mut text = comment_text(comment, "");
        for reply in &comment.replies.nodes {
            text.push('\n');
            text.push_str(&comment_text(reply, "  "));
        }
        let more = whole(comment.replies.total_count).saturating_sub(comment.replies.nodes.len() as u64);
        if more > 0 {
            let more = counted(more, ("more reply", "more replies"));
            text.push_str(&format!("\n  [{more} on the site]"));
        }
        page.push(text, &comment_row(comment, ""));
    }
    let next = comments.next(after.as_deref()).map(str::to_owned);
    let given = VendorPage::whole(position, rows.len(), next);
    reply = reply.rows(paging::close(call, page, given));
    Ok(if first { reply.line(discussion.url) } else { reply })
}

fn comment_text(comment: &DiscussionComment, indent: &str) -> String {
    let answer = if comment.is_answer { ", the answer" } else { "" };
    let association = one_line(&comment.author_association).to_lowercase();
    let head = format!(
        "{indent}{} @{} ({association}), {}{answer}:",
        one_line(&comment.id),
        one_line(comment.author.login()),
        minute(&comment.created_at)
    );
    if comment.is_minimized {
        return format!("{head} [hidden]");
    }
    let (body, cut) = excerpt(comment.body.trim(), 0, COMMENT);
    let body = body.replace('\n', &format!("\n{indent}"));
    let cut = cut.map(|_| " … [the rest is on the site]").unwrap_or_default();
    format!("{head}\n{indent}{body}{cut}")
}

fn comment_row(comment: &DiscussionComment, reply_to: &str) -> Row {
    let (text, _) = excerpt(comment.body.trim(), 0, COMMENT);
    Row {
        id: one_line(&comment.id),
        by: one_line(comment.author.login()),
        at: minute(&comment.created_at),
        text,
        category: String::new(),
        state: String::new(),
        comments: None,
        answered: comment.is_answer.then_some(true),
        reply_to: reply_to.to_owned(),
    }
}
