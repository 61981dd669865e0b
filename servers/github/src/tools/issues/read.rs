//! `get_issue`: one issue, or the conversation of a pull request, with as much around it as is asked for.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Position, Reply, Tool, excerpt, one_line},
};
use futures::future::OptionFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    conversation, events,
    head::{self, Detail, EXCERPT},
    rows::Row,
};
use crate::{
    GitHub,
    api::{
        Listed, Partial,
        comments::{Comment, Of},
        issues::{Issue, Wanted, whole},
        renamed,
        rest_issues::{Event, FieldValue, RestIssue},
    },
    bounds::WITHIN,
    render,
    repo::Repo,
    tools::FROM,
};

/// Comments in one reply, at most.
const COMMENTS: u32 = 20;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "get_issue",
            "Get issue",
            "One issue or pull request conversation. comment shows one comment whole.",
            get_issue,
        )
        .toolset("issues")
        .aliases(&[("issue_number", "number"), ("issue", "number"), ("comment_id", "comment")])
        .output::<Detail>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    repo: Option<String>,
    number: u64,
    #[serde(default)]
    include: Vec<Include>,
    comment: Option<u64>,
    offset: Option<u32>,
    cursor: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Include {
    Comments,
    Timeline,
    SubIssues,
    Dependencies,
    LinkedPrs,
    Fields,
    Reactions,
}

/// Where a part of an issue goes on.
#[derive(Debug, Serialize, Deserialize)]
enum Onward {
    /// Older comments.
    #[serde(rename = "c")]
    Comments(Position),
    /// Later events.
    #[serde(rename = "t")]
    Timeline(Position),
}

async fn get_issue(call: Call<GitHub>, arguments: Arguments) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    if let Some(id) = arguments.comment {
        return single(&call, &repo, &arguments, id).await;
    }
    match call.open_cursor(arguments.cursor.as_deref())? {
        Some(Onward::Timeline(position)) => {
            let listed = call.api().timeline(&repo, arguments.number, position.after.as_deref()).await?;
            let mut detail = Detail { repo: repo.to_string(), number: arguments.number, ..Detail::default() };
            let page = events_page(&call, &repo, &listed, position, &mut detail);
            Ok(Reply::page(page).data(&detail))
        }
        Some(Onward::Comments(position)) => whole_issue(&call, &repo, &arguments, Some(position)).await,
        None => whole_issue(&call, &repo, &arguments, None).await,
    }
}

/// One comment with all of its text.
async fn single(call: &Call<GitHub>, repo: &Repo, arguments: &Arguments, id: u64) -> Result<Reply> {
    let comment: Comment = call.api().comment(repo, Of::Conversation, id).await?;
    if comment.number() != arguments.number.to_string() {
        return Err(Error::not_found(format!(
            "Comment {id} does not stand under {repo}#{}, but under #{}",
            arguments.number,
            one_line(comment.number())
        )));
    }
    let (text, note) = excerpt(&comment.body, arguments.offset.unwrap_or(0) as usize, EXCERPT);
    let author = one_line(comment.user.login());
    let head = format!(
        "Comment {id} on {repo}#{} by @{author}{}, {}",
        arguments.number,
        conversation::author_association(&comment.author_association),
        render::minute(&comment.created_at)
    );
    let row = conversation::Row::of_comment(&comment, text.clone());
    let detail = Detail {
        repo: repo.to_string(),
        number: arguments.number,
        author,
        comments: vec![row],
        ..Detail::default()
    };
    let reply = Reply::new(head).outside(
        format!("{repo}#{} comment {id}", arguments.number),
        Some(comment.user.login()),
        text,
    );
    let reply = match note {
        Some(note) => reply.line(note),
        None => reply,
    };
    Ok(reply.data(&detail))
}

/// The issue with what is asked for; only its older comments, where a cursor says so.
async fn whole_issue(
    call: &Call<GitHub>,
    repo: &Repo,
    arguments: &Arguments,
    onward: Option<Position>,
) -> Result<Reply> {
    let number = arguments.number;
    let first = onward.is_none();
    let has = |include| arguments.include.contains(&include);
    let position = onward.unwrap_or_default();
    let wanted = Wanted {
        body: first,
        comments: (has(Include::Comments) || !first).then_some(COMMENTS),
        before: position.after.as_deref(),
        linked: first && has(Include::LinkedPrs),
        reactions: has(Include::Reactions),
        sub_issues: first && has(Include::SubIssues),
        dependencies: first && has(Include::Dependencies),
    };
    let api = call.api();
    let (found, timeline, fields) = futures::join!(
        api.issue(repo, number, wanted),
        OptionFuture::from((first && has(Include::Timeline)).then(|| api.timeline(repo, number, None))),
        OptionFuture::from((first && has(Include::Fields)).then(|| api.field_values(repo, number))),
    );
    let (place, Partial { data: issue, failures }) = match found {
        Ok(found) => found,
        Err(error) => return Err(gone(call, repo, number, error).await),
    };
    let notes = Partial { data: (), failures }.notes();
    let mut reply = notes.into_iter().fold(Reply::default(), Reply::lead);
    let mut detail = head::data(&place, &issue);
    if first {
        for line in head::head(repo, &place, &issue, wanted.comments.is_some()) {
            reply = reply.line(line);
        }
        reply = head::text(reply, repo, &issue, arguments.offset.unwrap_or(0) as usize, &mut detail);
    }
    if wanted.comments.is_some() {
        let shown = conversation::shown(&issue.comments, &position);
        let seal = {
            let call = call.clone();
            move |position: &Position| call.seal_cursor(&Onward::Comments(position.clone()))
        };
        let place = format!("on {repo}#{number}, newest last");
        let (page, next) = conversation::page(&issue.comments, shown, position.clone(), &place, seal);
        detail.next_cursor = next;
        detail.comments = page.1;
        reply = reply.rows(page.0);
    }
    if first {
        reply = sections(call, repo, &issue, reply, &mut detail, &arguments.include);
    }
    match timeline {
        Some(Ok(listed)) => {
            reply = reply.rows(events_page(call, repo, &listed, Position::default(), &mut detail));
        }
        Some(Err(error)) => reply = reply.line(not_answered("timeline", &error)),
        None => {}
    }
    if let Some(values) = fields {
        reply = match values {
            Ok(values) => field_values(reply, &values.unwrap_or_default(), &mut detail),
            Err(error) => reply.line(not_answered("fields", &error)),
        };
    }
    Ok(reply.data(&detail))
}

/// Adds the other issues and pull requests that were asked for.
fn sections(
    call: &Call<GitHub>,
    repo: &Repo,
    issue: &Issue,
    mut reply: Reply,
    detail: &mut Detail,
    include: &[Include],
) -> Reply {
    let number = &issue.number;
    let has = |part| include.contains(&part);
    let (linked, closing) = if issue.is_pull() {
        (("linked issue", "linked issues"), "closed when this is merged")
    } else {
        (("linked pull request", "linked pull requests"), "closing this")
    };
    let all = format!("search with parent-issue:{repo}#{number} finds all");
    let web = "the web page has the rest";
    let waiting = if issue.state() == "closed" { "no longer waiting for this" } else { "waiting for this" };
    let parts = [
        (
            has(Include::SubIssues),
            ("sub-issue", "sub-issues"),
            "in their order",
            &issue.sub_issues,
            all.as_str(),
        ),
        (has(Include::LinkedPrs), linked, closing, &issue.linked, web),
        (
            has(Include::Dependencies),
            ("blocker", "blockers"),
            "this waits for the open ones",
            &issue.blocked_by,
            web,
        ),
        (has(Include::Dependencies), ("blocked issue", "blocked issues"), waiting, &issue.blocking, web),
    ];
    for (place, (wanted, noun, about, found, hint)) in parts.into_iter().enumerate() {
        if !wanted {
            continue;
        }
        let Some(found) = found else {
            let why = if issue.is_pull() { "A pull request has no" } else { "This GitHub does not tell" };
            reply = reply.line(format!("{why} {}.", noun.1));
            continue;
        };
        let rows: Vec<Row> = found.nodes.iter().map(|other| Row::of_reference(other, repo)).collect();
        let (page, rows) = related(call, noun, about, rows, whole(found.total_count), hint);
        reply = reply.rows(page);
        match place {
            0 => detail.sub_issues = rows,
            1 => detail.linked = rows,
            2 => detail.blocked_by = rows,
            _ => detail.blocks = rows,
        }
    }
    reply
}

fn not_answered(part: &str, error: &Error) -> String {
    format!("Not answered ({part}): {}", error.for_agent())
}

/// A page of other issues, without those that are out of reach; and their data.
fn related(
    call: &Call<GitHub>,
    noun: (&'static str, &'static str),
    about: &str,
    rows: Vec<Row>,
    total: u64,
    hint: &str,
) -> (Page, Vec<Row>) {
    let all = rows.len();
    let rows: Vec<Row> =
        rows.into_iter().filter(|row| row.repo().is_none_or(|repo| call.bounds().sees(repo))).collect();
    let mut page = Page::new(FROM, noun).note(if rows.is_empty() { "" } else { about });
    let narrow = call.bounds().is_narrow();
    if narrow {
        page = page.note(WITHIN);
    }
    if total > all as u64 {
        let first = if narrow { "the first".to_owned() } else { format!("the first {all}") };
        page = page.note(format!("{first} only: {hint}"));
    }
    for row in &rows {
        page.push(row.text(), row);
    }
    (page, rows)
}

/// A page of events with its cursor, noted in `detail` as well.
fn events_page(
    call: &Call<GitHub>,
    repo: &Repo,
    listed: &Listed<Event>,
    position: Position,
    detail: &mut Detail,
) -> Page {
    let seal = {
        let call = call.clone();
        move |position: &Position| call.seal_cursor(&Onward::Timeline(position.clone()))
    };
    let ((page, rows), next) = events::page(repo, listed, position, |name| call.bounds().sees(name), seal);
    detail.timeline = rows;
    detail.timeline_cursor = next;
    page
}

/// Adds the fields that the organization has defined.
fn field_values(reply: Reply, values: &[FieldValue], detail: &mut Detail) -> Reply {
    let mut page = Page::new(FROM, ("field", "fields"));
    for value in values {
        let line = format!("{}: {}", one_line(&value.issue_field_name), one_line(&value.value()));
        page.push(line.as_str(), &line);
        detail.fields.push(line);
    }
    reply.rows(page)
}

/// "Not found" in words that say more: where it was moved, or that it is no issue's number.
async fn gone(call: &Call<GitHub>, repo: &Repo, number: u64, error: Error) -> Error {
    if error.kind() != Kind::NotFound {
        return error;
    }
    match call.api().rest_issue(repo, number).await {
        // REST leads on to where it was moved.
        Ok(ticket) => moved(call, repo, number, &ticket).unwrap_or(error),
        Err(asked) if asked.kind() == Kind::NotFound => {
            let gone = asked.message().contains("gone");
            let what = if gone { "was deleted" } else { "does not exist, or the token may not see it" };
            Error::not_found(format!("{repo}#{number} {what}"))
                .with_hint("list_issues and search find issues; numbers are shared with pull requests")
        }
        Err(_) => error,
    }
}

/// The error for an issue that was moved to another repository, if `ticket` says that it was.
pub(super) fn moved(server: &GitHub, repo: &Repo, number: u64, ticket: &RestIssue) -> Option<Error> {
    let place = ticket.repo()?;
    if place.eq_ignore_ascii_case(&repo.to_string()) {
        return None;
    }
    // The repository may only have another name now, and the issue its number.
    let same = ticket.number == number.to_string();
    if !server.bounds().sees(place) {
        return Some(renamed(repo));
    }
    if same {
        return None;
    }
    Some(
        Error::not_found(format!(
            "{repo}#{number} was moved: it is {}#{} now",
            one_line(place),
            ticket.number
        ))
        .with_hint("Ask for it there"),
    )
}
