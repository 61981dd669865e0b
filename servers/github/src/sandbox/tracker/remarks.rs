//! Comments on places in a pull request's diff, and their threads.

use serde_json::{Value, json};

use super::{
    super::{
        answer::Answer,
        ask::Ask,
        errors::{ApiError, Outcome},
        ids::node_id,
    },
    comments::written,
    lines,
    model::{Issue, Remark, Side, Thread, Verdict},
    pull_show::{fork_point, line_now},
    pulls::{asked, of_number, pull_mut},
    reviews::{self, visible_remark},
    rights::{self, Right},
    room::Room,
    show::Show,
};

/// A review comment.
pub(super) fn show(show: Show<'_>, issue: &Issue, thread: &Thread, remark: &Remark) -> Value {
    let Some(pull) = &issue.pull else { return Value::Null };
    let number = issue.number;
    let api = show.api(&format!("pulls/comments/{}", remark.id));
    let html = show.html(&format!("pull/{number}#discussion_r{}", remark.id));
    let pull_api = show.api(&format!("pulls/{number}"));
    let git = &show.repo.git;
    let base = fork_point(show, pull);
    let now = line_now(show, pull, thread);
    let position = |commit: &str, line: Option<u64>| {
        let patch = lines::patch_of(git, &base, commit, &thread.path)?;
        lines::place(&patch, line?, thread.side).map(|place| place.position)
    };
    let head = if now.is_some() || thread.line.is_none() { &pull.head_sha } else { &thread.commit };
    let first = thread.remarks.first().map(|first| first.id);
    let start_now = match (now, thread.line, thread.start_line) {
        (Some(now), Some(line), Some(start)) => Some(now.saturating_sub(line.saturating_sub(start))),
        _ => None,
    };
    let mut shown = json!({
        "url": api,
        "pull_request_review_id": remark.review,
        "id": remark.id,
        "node_id": node_id("PRRC", remark.id),
        "diff_hunk": thread.hunk,
        "path": thread.path,
        "commit_id": head,
        "original_commit_id": thread.commit,
        "user": show.user(&remark.author),
        "body": remark.body,
        "created_at": remark.created_at,
        "updated_at": remark.updated_at,
        "html_url": html,
        "pull_request_url": pull_api,
        "author_association": show.association(&remark.author),
        "_links": {"self": {"href": api}, "html": {"href": html}, "pull_request": {"href": pull_api}},
        "reactions": show.reactions(&remark.reactions, &format!("{api}/reactions")),
        "start_line": start_now,
        "original_start_line": thread.start_line,
        "start_side": thread.start_side.map(Side::word),
        "side": thread.side.word(),
        "subject_type": if thread.line.is_some() { "line" } else { "file" },
    });
    // Of an outdated thread GitHub gives null here, and of a file's nothing but the first position.
    if thread.line.is_some() {
        shown["line"] = json!(now);
        shown["original_line"] = json!(thread.line);
        shown["position"] = json!(position(head, now));
        shown["original_position"] = json!(position(&thread.commit, thread.line));
    } else {
        shown["position"] = json!(1);
        shown["original_position"] = json!(1);
    }
    if first.is_some_and(|first| first != remark.id) {
        shown["in_reply_to_id"] = json!(first);
    }
    shown
}

/// Why a comment cannot stand where it is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    Path,
    Line,
    StartLine,
}

impl Nowhere {
    /// As a review's refusal says it.
    pub(super) fn for_review(self) -> String {
        match self {
            Self::Path => "Path could not be resolved",
            Self::Line => "Line could not be resolved",
            Self::StartLine => "Start line could not be resolved",
        }
        .to_owned()
    }

    /// As the refusal of a single comment says it.
    fn for_comment(self) -> ApiError {
        let mut error = ApiError::unprocessable("Validation Failed");
        let row = |code: &str, field: &str, message: Option<&str>| {
            let field = format!("pull_request_review_thread.{field}");
            let mut row = json!({"resource": "PullRequestReviewComment", "code": code, "field": field});
            if let Some(message) = message {
                row["message"] = json!(format!("{field} {message}"));
            }
            row
        };
        match self {
            Self::Path => error.errors.push(row("invalid", "path", None)),
            Self::Line => {
                error.errors.push(row("custom", "line", Some("must be part of the diff")));
                error.errors.push(row("missing_field", "diff_hunk", None));
            }
            Self::StartLine => {
                error.errors.push(row(
                    "custom",
                    "start_line",
                    Some("must be part of the same hunk as the line."),
                ));
            }
        }
        error
    }
}

/// A place in the diff that a comment may stand at.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    path: String,
    line: Option<u64>,
    side: Side,
    start: Option<(u64, Side)>,
    commit: String,
    hunk: String,
}

impl Spot {
    /// Looks up what a body says of a place: `path` with `line` and `side`, with `start_line` and `start_side` where
    /// there are several lines, with `position`, or with `subject_type: file`.
    pub(super) fn read(room: &Room<'_>, number: u64, row: &Value, commit: &str) -> Result<Self, Nowhere> {
        let show = room.show().map_err(|_| Nowhere::Path)?;
        let (_, pull) = of_number(room, number).map_err(|_| Nowhere::Path)?;
        let path = row["path"].as_str().unwrap_or_default().to_owned();
        let base = fork_point(show, pull);
        let changes = show.repo.git.changes(Some(&base), commit);
        let change = changes.into_iter().find(|change| change.path == path).ok_or(Nowhere::Path)?;
        let patch = change.patch.unwrap_or_default();
        let side = |name: &str| match row[name].as_str() {
            Some("LEFT") => Side::Left,
            _ => Side::Right,
        };
        let spot = Self {
            path,
            line: None,
            side: Side::Right,
            start: None,
            commit: commit.to_owned(),
            hunk: String::new(),
        };
        if row["subject_type"] == "file" {
            return Ok(spot);
        }
        let (line, side_of_line) = match (row["line"].as_u64(), row["position"].as_u64()) {
            (Some(line), _) => (line, side("side")),
            (None, Some(position)) => lines::at_position(&patch, position).ok_or(Nowhere::Line)?,
            (None, None) => return Err(Nowhere::Line),
        };
        let place = lines::place(&patch, line, side_of_line).ok_or(Nowhere::Line)?;
        let start = row["start_line"].as_u64().map(|start| {
            let side = if row["start_side"].is_string() { side("start_side") } else { side_of_line };
            (start, side)
        });
        if start.is_some_and(|start| !lines::spans(&patch, start, (line, side_of_line))) {
            return Err(Nowhere::StartLine);
        }
        Ok(Self { line: Some(line), side: side_of_line, start, hunk: place.hunk, ..spot })
    }
}

/// Begins a thread with a comment; the comment's id.
pub(super) fn begin(room: &mut Room<'_>, number: u64, review: u64, spot: Spot, text: String) -> Outcome<u64> {
    let thread = room.state.next_id();
    let remark = remark(room, review, text);
    let id = remark.id;
    pull_mut(room, number)?.threads.push(Thread {
        id: thread,
        path: spot.path,
        line: spot.line,
        side: spot.side,
        start_line: spot.start.map(|(line, _)| line),
        start_side: spot.start.map(|(_, side)| side),
        commit: spot.commit,
        hunk: spot.hunk,
        resolved_by: None,
        remarks: vec![remark],
    });
    Ok(id)
}

fn remark(room: &mut Room<'_>, review: u64, body: String) -> Remark {
    let id = room.state.next_id();
    Remark {
        id,
        review,
        author: room.viewer.to_owned(),
        body,
        created_at: room.now.clone(),
        updated_at: room.now.clone(),
        reactions: Vec::new(),
        minimized: None,
    }
}

/// `GET …/pulls/{pull_number}/comments`
pub(super) fn of_pull(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let (issue, _) = asked(&room, ask)?;
    let found = listed(ask, room.viewer, std::iter::once(issue));
    let context = room.show()?;
    Ok(ask.page(&found, |(issue, thread, remark)| show(context, issue, thread, remark)))
}

/// `GET …/pulls/comments`
pub(super) fn of_repository(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let found = listed(ask, room.viewer, room.board().issues.values());
    let context = room.show()?;
    Ok(ask.page(&found, |(issue, thread, remark)| show(context, issue, thread, remark)))
}

fn listed<'b>(
    ask: &Ask<'_>,
    viewer: &str,
    issues: impl Iterator<Item = &'b Issue>,
) -> Vec<(&'b Issue, &'b Thread, &'b Remark)> {
    let since = ask.query("since").unwrap_or_default();
    let mut found = Vec::new();
    for issue in issues {
        let Some(pull) = &issue.pull else { continue };
        for thread in &pull.threads {
            let seen = |remark: &&Remark| {
                visible_remark(pull, remark, viewer) && remark.updated_at.as_str() >= since
            };
            found.extend(thread.remarks.iter().filter(seen).map(|remark| (issue, thread, remark)));
        }
    }
    if ask.query("sort") == Some("updated") {
        found.sort_by(|(.., a), (.., b)| (&a.updated_at, a.id).cmp(&(&b.updated_at, b.id)));
    } else {
        found.sort_by(|(.., a), (.., b)| (&a.created_at, a.id).cmp(&(&b.created_at, b.id)));
    }
    if ask.query("sort").is_some() && ask.query("direction") == Some("desc") {
        found.reverse();
    }
    found
}

/// The comment of the route's `{comment_id}`, if the caller sees it.
fn remark_asked<'r>(room: &'r Room<'_>, ask: &Ask<'_>) -> Outcome<(u64, &'r Thread, &'r Remark)> {
    let found = room.board().remark(ask.number("comment_id")?).ok_or_else(ApiError::not_found)?;
    let (_, pull) = of_number(room, found.0)?;
    if visible_remark(pull, found.2, room.viewer) { Ok(found) } else { Err(ApiError::not_found()) }
}

fn shown(room: &Room<'_>, id: u64) -> Outcome<Value> {
    let (number, thread, remark) = room.board().remark(id).ok_or_else(ApiError::not_found)?;
    Ok(show(room.show()?, room.numbered(number)?, thread, remark))
}

/// `GET …/pulls/comments/{comment_id}`
pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    let room = Room::enter(ask)?;
    let id = remark_asked(&room, ask)?.2.id;
    shown(&room, id).map(Answer::json)
}

/// `POST …/pulls/{pull_number}/comments`: a review of its own with a single comment.
pub(super) fn create(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    of_number(&room, number)?;
    let body = ask.object()?;
    if let Some(first) = body.get("in_reply_to").and_then(Value::as_u64) {
        let text = written(&body)?;
        return reply_to(&mut room, number, first, text);
    }
    let text = written(&body)?;
    let commit = body.get("commit_id").and_then(Value::as_str);
    let commit = commit
        .ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"commit_id\" wasn't supplied."))?;
    let commit = reviews::commit_of(&room, of_number(&room, number)?.1, commit)?;
    no_pending(&room, number)?;
    let row = Value::Object(body);
    let spot = Spot::read(&room, number, &row, &commit).map_err(Nowhere::for_comment)?;
    let review = reviews::add(&mut room, number, Verdict::Commented, String::new(), commit)?;
    let id = begin(&mut room, number, review, spot, text)?;
    finish(&mut room, number, id)
}

/// `POST …/pulls/{pull_number}/comments/{comment_id}/replies`
pub(super) fn reply(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let number = ask.number("pull_number")?;
    of_number(&room, number)?;
    let text = written(&ask.object()?)?;
    reply_to(&mut room, number, ask.number("comment_id")?, text)
}

/// "Replies to replies are not supported": `first` is the first comment of a thread.
fn reply_to(room: &mut Room<'_>, number: u64, first: u64, text: String) -> Outcome<Answer> {
    let (of, thread, _) = room.board().remark(first).ok_or_else(ApiError::not_found)?;
    if of != number {
        return Err(ApiError::not_found());
    }
    if thread.remarks.first().is_none_or(|one| one.id != first) {
        return Err(ApiError::validation("PullRequestReviewComment", "in_reply_to", "invalid"));
    }
    let (thread, commit) = (thread.id, thread.commit.clone());
    no_pending(room, number)?;
    let review = reviews::add(room, number, Verdict::Commented, String::new(), commit)?;
    let remark = remark(room, review, text);
    let id = remark.id;
    let threads = &mut pull_mut(room, number)?.threads;
    if let Some(thread) = threads.iter_mut().find(|one| one.id == thread) {
        thread.remarks.push(remark);
    }
    finish(room, number, id)
}

/// GitHub lets nobody comment on lines beside a review that they have begun.
fn no_pending(room: &Room<'_>, number: u64) -> Outcome<()> {
    match reviews::pending(of_number(room, number)?.1, room.viewer) {
        None => Ok(()),
        Some(_) => Err(ApiError::custom(
            "PullRequestReview",
            "user_id",
            "user_id can only have one pending review per pull request",
        )),
    }
}

fn finish(room: &mut Room<'_>, number: u64, id: u64) -> Outcome<Answer> {
    let now = room.now.clone();
    room.issue_mut(number)?.updated_at = now;
    let shown = shown(room, id)?;
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(Answer::created(shown).header("location", &at))
}

/// `PATCH …/pulls/comments/{comment_id}`
pub(super) fn update(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let (number, _, remark) = remark_asked(&room, ask)?;
    rights::need_or_own(&room, Right::Push, &remark.author)?;
    let id = remark.id;
    let text = written(&ask.object()?)?;
    let now = room.now.clone();
    let threads = &mut pull_mut(&mut room, number)?.threads;
    let mut all = threads.iter_mut().flat_map(|thread| &mut thread.remarks);
    if let Some(remark) = all.find(|remark| remark.id == id && remark.body != text) {
        remark.body = text;
        remark.updated_at = now;
    }
    shown(&room, id).map(Answer::json)
}

/// `DELETE …/pulls/comments/{comment_id}`
pub(super) fn delete(ask: &Ask<'_>) -> Outcome<Answer> {
    let mut room = Room::enter(ask)?;
    let (number, _, remark) = remark_asked(&room, ask)?;
    rights::need_or_own(&room, Right::Push, &remark.author)?;
    let id = remark.id;
    let pull = pull_mut(&mut room, number)?;
    for thread in &mut pull.threads {
        thread.remarks.retain(|remark| remark.id != id);
    }
    pull.threads.retain(|thread| !thread.remarks.is_empty());
    Ok(Answer::none())
}
