//! Comments on places in a pull request's diff, and their threads.

use serde_json::{Value, json};

use super::{
    super::{
        errors::{ApiError, Outcome},
        ids::node_id,
        request::{FakeResponse, GitHubRequest as _, RequestContext},
    },
    comments::written,
    guard::TrackerGuard,
    lines,
    model::{Issue, ReviewComment, Side, Thread, Verdict},
    pull_show::{fork_point, line_now},
    pulls::{asked, of_number, pull_mut},
    reviews::{self, visible_remark},
    rights::{self, Right},
    show::Show,
};

/// A review comment.
pub(super) fn show(show: Show<'_>, issue: &Issue, thread: &Thread, remark: &ReviewComment) -> Value {
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
        "start_side": thread.start_side.map(Side::as_str),
        "side": thread.side.as_str(),
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
    pub(super) fn read(
        guard: &TrackerGuard<'_>,
        number: u64,
        row: &Value,
        commit: &str,
    ) -> Result<Self, Nowhere> {
        let show = guard.show().map_err(|_| Nowhere::Path)?;
        let (_, pull) = of_number(guard, number).map_err(|_| Nowhere::Path)?;
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
pub(super) fn begin(
    guard: &mut TrackerGuard<'_>,
    number: u64,
    review: u64,
    spot: Spot,
    text: String,
) -> Outcome<u64> {
    let thread = guard.state.next_id();
    let remark = remark(guard, review, text);
    let id = remark.id;
    pull_mut(guard, number)?.threads.push(Thread {
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

fn remark(guard: &mut TrackerGuard<'_>, review: u64, body: String) -> ReviewComment {
    let id = guard.state.next_id();
    ReviewComment {
        id,
        review,
        author: guard.viewer.to_owned(),
        body,
        created_at: guard.now.clone(),
        updated_at: guard.now.clone(),
        reactions: Vec::new(),
        minimized: None,
    }
}

/// `GET …/pulls/{pull_number}/comments`
pub(super) fn of_pull(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let (issue, _) = asked(&guard, cx)?;
    let found = listed(cx, guard.viewer, std::iter::once(issue));
    let context = guard.show()?;
    Ok(cx.page(&found, |(issue, thread, remark)| show(context, issue, thread, remark)))
}

fn listed<'b>(
    cx: &RequestContext<'_>,
    viewer: &str,
    issues: impl Iterator<Item = &'b Issue>,
) -> Vec<(&'b Issue, &'b Thread, &'b ReviewComment)> {
    let since = cx.query("since").unwrap_or_default();
    let mut found = Vec::new();
    for issue in issues {
        let Some(pull) = &issue.pull else { continue };
        for thread in &pull.threads {
            let seen = |remark: &&ReviewComment| {
                visible_remark(pull, remark, viewer) && remark.updated_at.as_str() >= since
            };
            found.extend(thread.remarks.iter().filter(seen).map(|remark| (issue, thread, remark)));
        }
    }
    if cx.query("sort") == Some("updated") {
        found.sort_by(|(.., a), (.., b)| (&a.updated_at, a.id).cmp(&(&b.updated_at, b.id)));
    } else {
        found.sort_by(|(.., a), (.., b)| (&a.created_at, a.id).cmp(&(&b.created_at, b.id)));
    }
    if cx.query("sort").is_some() && cx.query("direction") == Some("desc") {
        found.reverse();
    }
    found
}

/// The comment of the route's `{comment_id}`, if the caller sees it.
fn remark_asked<'r>(
    guard: &'r TrackerGuard<'_>,
    cx: &RequestContext<'_>,
) -> Outcome<(u64, &'r Thread, &'r ReviewComment)> {
    let found = guard.board().remark(cx.number("comment_id")?).ok_or_else(ApiError::not_found)?;
    let (_, pull) = of_number(guard, found.0)?;
    if visible_remark(pull, found.2, guard.viewer) { Ok(found) } else { Err(ApiError::not_found()) }
}

fn shown(guard: &TrackerGuard<'_>, id: u64) -> Outcome<Value> {
    let (number, thread, remark) = guard.board().remark(id).ok_or_else(ApiError::not_found)?;
    Ok(show(guard.show()?, guard.numbered(number)?, thread, remark))
}

/// `GET …/pulls/comments/{comment_id}`
pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let guard = TrackerGuard::enter(cx)?;
    let id = remark_asked(&guard, cx)?.2.id;
    shown(&guard, id).map(FakeResponse::json)
}

/// `POST …/pulls/{pull_number}/comments`: a review of its own with a single comment.
pub(super) fn create(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    of_number(&guard, number)?;
    let body = cx.object()?;
    if let Some(first) = body.get("in_reply_to").and_then(Value::as_u64) {
        let text = written(&body)?;
        return reply_to(&mut guard, number, first, text);
    }
    let text = written(&body)?;
    let commit = body.get("commit_id").and_then(Value::as_str);
    let commit = commit
        .ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"commit_id\" wasn't supplied."))?;
    let commit = reviews::commit_of(&guard, of_number(&guard, number)?.1, commit)?;
    no_pending(&guard, number)?;
    let row = Value::Object(body);
    let spot = Spot::read(&guard, number, &row, &commit).map_err(Nowhere::for_comment)?;
    let review = reviews::add(&mut guard, number, Verdict::Commented, String::new(), commit)?;
    let id = begin(&mut guard, number, review, spot, text)?;
    finish(&mut guard, number, id)
}

/// `POST …/pulls/{pull_number}/comments/{comment_id}/replies`
pub(super) fn reply(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let number = cx.number("pull_number")?;
    of_number(&guard, number)?;
    let text = written(&cx.object()?)?;
    reply_to(&mut guard, number, cx.number("comment_id")?, text)
}

/// "Replies to replies are not supported": `first` is the first comment of a thread.
fn reply_to(guard: &mut TrackerGuard<'_>, number: u64, first: u64, text: String) -> Outcome<FakeResponse> {
    let (of, thread, _) = guard.board().remark(first).ok_or_else(ApiError::not_found)?;
    if of != number {
        return Err(ApiError::not_found());
    }
    if thread.remarks.first().is_none_or(|one| one.id != first) {
        return Err(ApiError::validation("PullRequestReviewComment", "in_reply_to", "invalid"));
    }
    let (thread, commit) = (thread.id, thread.commit.clone());
    no_pending(guard, number)?;
    let review = reviews::add(guard, number, Verdict::Commented, String::new(), commit)?;
    let remark = remark(guard, review, text);
    let id = remark.id;
    let threads = &mut pull_mut(guard, number)?.threads;
    if let Some(thread) = threads.iter_mut().find(|one| one.id == thread) {
        thread.remarks.push(remark);
    }
    finish(guard, number, id)
}

/// GitHub lets nobody comment on lines beside a review that they have begun.
fn no_pending(guard: &TrackerGuard<'_>, number: u64) -> Outcome<()> {
    match reviews::pending(of_number(guard, number)?.1, guard.viewer) {
        None => Ok(()),
        Some(_) => Err(ApiError::custom(
            "PullRequestReview",
            "user_id",
            "user_id can only have one pending review per pull request",
        )),
    }
}

fn finish(guard: &mut TrackerGuard<'_>, number: u64, id: u64) -> Outcome<FakeResponse> {
    let now = guard.now.clone();
    guard.issue_mut(number)?.updated_at = now;
    let shown = shown(guard, id)?;
    let at = shown["url"].as_str().unwrap_or_default().to_owned();
    Ok(FakeResponse::created(shown).header("location", &at))
}

/// `PATCH …/pulls/comments/{comment_id}`
pub(super) fn update(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let (number, _, remark) = remark_asked(&guard, cx)?;
    rights::need_or_own(&guard, Right::Push, &remark.author)?;
    let id = remark.id;
    let text = written(&cx.object()?)?;
    let now = guard.now.clone();
    let threads = &mut pull_mut(&mut guard, number)?.threads;
    let mut all = threads.iter_mut().flat_map(|thread| &mut thread.remarks);
    if let Some(remark) = all.find(|remark| remark.id == id && remark.body != text) {
        remark.body = text;
        remark.updated_at = now;
    }
    shown(&guard, id).map(FakeResponse::json)
}

/// `DELETE …/pulls/comments/{comment_id}`
pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let mut guard = TrackerGuard::enter(cx)?;
    let (number, _, remark) = remark_asked(&guard, cx)?;
    rights::need_or_own(&guard, Right::Push, &remark.author)?;
    let id = remark.id;
    let pull = pull_mut(&mut guard, number)?;
    for thread in &mut pull.threads {
        thread.remarks.retain(|remark| remark.id != id);
    }
    pull.threads.retain(|thread| !thread.remarks.is_empty());
    Ok(FakeResponse::none())
}
