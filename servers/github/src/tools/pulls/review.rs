//! `review_pr`: a whole review in one call, its lines checked before anything is sent.

use std::fmt::Write as _;

use connector::catalog::reconcile;
use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, nearest, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    diff_lines::{self, DiffLines, Wrong},
    words,
};
use crate::{
    GitHub,
    api::pulls::{ChangedFile, Parts, Pull, Review},
    render,
    repo::Repo,
    resolve::{mentions::notified, text},
    scopes,
    tools::FROM,
};

/// Pages of a hundred files that are looked through: GitHub shows 3,000 files of a pull request.
const PAGES: usize = 30;
/// Characters of a sha that name a commit well enough.
const SHORTEST_SHA: usize = 7;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::write(
            "review_pr",
            "Review PR",
            "A whole review; lines are checked against the diff.",
            review_pr,
        )
        .toolset("pulls")
        .scopes(scopes::REPO)
        .confirmable()
        .aliases(&[
            ("repository", "repo"),
            ("pull_number", "number"),
            ("pullNumber", "number"),
            ("commit", "expected_head"),
            ("commit_id", "expected_head"),
            ("action", "event"),
        ])
        .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReviewPr {
    repo: Option<String>,
    number: u64,
    event: Event,
    body: Option<String>,
    // The head that was reviewed.
    expected_head: Option<String>,
    #[serde(default)]
    comments: Vec<Comment>,
}

// What becomes of the review; no doc comments, because they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Event {
    Approve,
    RequestChanges,
    Comment,
    Pending,
    SubmitPending,
    DiscardPending,
}

impl Event {
    /// As GitHub takes it; none leaves a review pending.
    fn constant(self) -> Option<&'static str> {
        match self {
            Self::Approve => Some("APPROVE"),
            Self::RequestChanges => Some("REQUEST_CHANGES"),
            Self::Comment | Self::SubmitPending => Some("COMMENT"),
            Self::Pending | Self::DiscardPending => None,
        }
    }

    /// The state of a review that came of it.
    fn state(self) -> &'static str {
        match self {
            Self::Approve => "APPROVED",
            Self::RequestChanges => "CHANGES_REQUESTED",
            Self::Comment | Self::SubmitPending => "COMMENTED",
            Self::Pending | Self::DiscardPending => "PENDING",
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Comment {
    path: String,
    line: Option<u64>,
    start_line: Option<u64>,
    side: Option<Side>,
    body: String,
}

// LEFT for lines that were removed; RIGHT if left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Side {
    Left,
    Right,
}

impl Comment {
    fn side(&self) -> diff_lines::Side {
        match self.side {
            Some(Side::Left) => diff_lines::Side::Left,
            Some(Side::Right) | None => diff_lines::Side::Right,
        }
    }

    /// As GitHub takes it.
    fn input(&self) -> Value {
        let side = self.side.unwrap_or(Side::Right);
        let mut input = json!({"path": self.path, "line": self.line, "side": side, "body": self.body});
        if let Some(start) = self.start_line {
            input["start_line"] = json!(start);
            input["start_side"] = json!(side);
        }
        input
    }

    fn place(&self) -> String {
        let mut place = one_line(&self.path);
        let Some(line) = self.line else { return place };
        let _ = match self.start_line {
            Some(start) => write!(place, ":{start}-{line}"),
            None => write!(place, ":{line}"),
        };
        if self.side == Some(Side::Left) {
            place.push_str(" (old side)");
        }
        place
    }
}

async fn review_pr(call: Call<GitHub>, arguments: ReviewPr) -> Result<Plan> {
    let ReviewPr { repo, number, event, body, expected_head, mut comments } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let body = body.map(|body| body.trim().to_owned()).filter(|body| !body.is_empty());
    text::fits("body", body.as_deref().unwrap_or_default())?;
    for comment in &mut comments {
        text::fits("comments.body", &comment.body)?;
        // One line is no range.
        comment.start_line = comment.start_line.filter(|start| Some(*start) != comment.line);
    }
    let pull = call.api().pull(&repo, number, &Parts::default()).await?.data;
    if let Some(head) = expected_head.as_deref().map(str::trim) {
        guard(&pull, head)?;
    }
    let pending = pull.pending_review().cloned();
    match (event, pending) {
        (Event::DiscardPending, Some(pending)) => Ok(discard(call, repo, number, pending)),
        (Event::DiscardPending | Event::SubmitPending, None) => {
            Err(Error::not_found(format!("You have no pending review on #{number}"))
                .with_hint("get_pr names one where there is one"))
        }
        (_, Some(pending)) => {
            if !comments.is_empty() || matches!(event, Event::Pending | Event::Comment) {
                return Err(has_pending(number, &pending));
            }
            verdict_allowed(&pull, event)?;
            Ok(submit(call, repo, number, event, pending, body))
        }
        (_, None) => {
            verdict_allowed(&pull, event)?;
            if body.is_none()
                && (event == Event::RequestChanges || (event != Event::Approve && comments.is_empty()))
            {
                return Err(Error::invalid("`body` is missing: this review needs words of its own"));
            }
            if event == Event::Pending && comments.iter().any(|comment| comment.line.is_none()) {
                return Err(Error::invalid("A comment on a whole file is published at once")
                    .with_hint("Give a `line`, or another `event`"));
            }
            let shown = check(&call, &repo, number, &comments).await?;
            let texts: Vec<&str> =
                body.iter().chain(comments.iter().map(|comment| &comment.body)).map(String::as_str).collect();
            let told = notified(&call, &repo, &[pull.author.name()], &texts.join("\n\n"), "").await;
            let told = told.filter(|_| event != Event::Pending);
            Ok(add(call, repo, pull, event, body, comments, Shown { lines: shown, told }))
        }
    }
}

/// The head is the one that was looked at.
///
/// # Errors
/// `conflict` if it has moved.
pub(super) fn guard(pull: &Pull, head: &str) -> Result<()> {
    if head.len() < SHORTEST_SHA {
        return Err(Error::invalid("`expected_head` is too short").with_hint("Give the head sha from get_pr"));
    }
    if pull.head_ref_oid.starts_with(&head.to_lowercase()) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        format!("The head of #{} is {} now, not {}", pull.number, pull.head_ref_oid, one_line(head)),
    )
    .with_hint("Nothing was sent. Read what came since with get_diff, and decide anew"))
}

/// Nobody approves or refuses their own work (docs.github.com, "Reviewing proposed changes").
fn verdict_allowed(pull: &Pull, event: Event) -> Result<()> {
    if pull.viewer_did_author && matches!(event, Event::Approve | Event::RequestChanges) {
        return Err(Error::invalid(format!(
            "#{} is your own: GitHub lets nobody approve their own pull request, or request changes on it",
            pull.number
        ))
        .with_hint("Use event comment"));
    }
    Ok(())
}

/// There is a review already, and GitHub allows one that is pending.
fn has_pending(number: u64, pending: &Review) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "You have a pending review on #{number} already ({}, {}), and GitHub allows one",
            pending.database_id,
            line_comments(pending.comments.total_count)
        ),
    )
    .with_hint("Submit it first (approve, request_changes or submit_pending, without comments) or use discard_pending")
}

fn line_comments(number: u64) -> String {
    counted(number, ("line comment", "line comments"))
}

/// Checks every comment against the diff, and names all that are wrong at once. The lines of code that
/// each is about, for a preview.
async fn check(call: &Call<GitHub>, repo: &Repo, number: u64, comments: &[Comment]) -> Result<Vec<String>> {
    if comments.is_empty() {
        return Ok(Vec::new());
    }
    let files = files(call, repo, number, comments).await?;
    let mut wrong = Vec::new();
    let mut shown = Vec::new();
    for (place, comment) in comments.iter().enumerate() {
        match check_one(&files, comment) {
            Ok(line) => shown.push(line),
            Err(why) => wrong.push(format!("comments[{place}] {}: {why}", comment.place())),
        }
    }
    if wrong.is_empty() {
        return Ok(shown);
    }
    Err(Error::invalid(format!(
        "{} of {} comments cannot be placed: {}",
        wrong.len(),
        comments.len(),
        wrong.join("; ")
    ))
    .with_hint("Nothing was sent. get_diff shows the lines that can be commented on"))
}

/// The text of the line that a comment is about, or why there is none.
fn check_one(files: &[ChangedFile], comment: &Comment) -> std::result::Result<String, String> {
    if comment.body.trim().is_empty() {
        return Err("its `body` is empty".to_owned());
    }
    let Some(file) = files.iter().find(|file| file.filename == comment.path) else {
        let near = nearest(&comment.path, files.iter().map(|file| file.filename.as_str()));
        let near = near.map(|near| format!(", did you mean {}?", one_line(near))).unwrap_or_default();
        return Err(format!("the pull request does not change this file{near}"));
    };
    let Some(line) = comment.line else {
        return match (comment.start_line, comment.side) {
            (None, None) => Ok(String::new()),
            _ => Err("`start_line` and `side` go with `line`".to_owned()),
        };
    };
    let Some(patch) = &file.patch else {
        return Err("GitHub shows no diff of it: it is binary, or the change is too large".to_owned());
    };
    let (lines, side) = (DiffLines::parse(patch), comment.side());
    match lines.check(side, comment.start_line, line) {
        Ok(()) => Ok(lines.text(side, line).unwrap_or_default().to_owned()),
        Err(Wrong::NotShown { line, nearest }) if nearest.is_empty() => {
            let other = if side == diff_lines::Side::Left { "RIGHT" } else { "LEFT" };
            Err(format!("the diff shows no line of this side, so not {line}; try side {other}"))
        }
        Err(Wrong::NotShown { line, nearest }) => {
            let nearest: Vec<_> = nearest.iter().map(ToString::to_string).collect();
            Err(format!(
                "line {line} is not in the diff; nearest {}; lines that are: {}",
                nearest.join(" and "),
                lines.ranges(side)
            ))
        }
        Err(Wrong::Backwards) => Err("`start_line` must be before `line`".to_owned()),
        Err(Wrong::Apart) => {
            Err(format!("`start_line` and `line` are in different parts of the diff: {}", lines.ranges(side)))
        }
    }
}

/// The files of the pull request, until all that are commented on are found.
async fn files(
    call: &Call<GitHub>,
    repo: &Repo,
    number: u64,
    comments: &[Comment],
) -> Result<Vec<ChangedFile>> {
    let mut files: Vec<ChangedFile> = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES {
        let page = call.api().pull_patches(repo, number, after.as_deref()).await?;
        files.extend(page.items);
        let found = |comment: &Comment| files.iter().any(|file| file.filename == comment.path);
        after = page.next;
        if after.is_none() || comments.iter().all(found) {
            break;
        }
    }
    Ok(files)
}

/// What a preview shows of a review.
struct Shown {
    /// The lines of code that its comments are about.
    lines: Vec<String>,
    /// Whom it tells, in words.
    told: Option<String>,
}

/// The plan to add a review.
fn add(
    call: Call<GitHub>,
    repo: Repo,
    pull: Pull,
    event: Event,
    body: Option<String>,
    comments: Vec<Comment>,
    shown: Shown,
) -> Plan {
    let number = pull.number;
    let verdict = words::words(event.state());
    let of_lines = comments.iter().filter(|comment| comment.line.is_some()).count();
    let of_files = comments.len() - of_lines;
    let mut preview =
        Written::new(format!("Review {repo}#{number}: {verdict}, {}", line_comments(of_lines as u64)))
            .change(format!("of head {}", pull.head_ref_oid));
    if of_files > 0 {
        preview = preview.change(format!(
            "{}, each published by itself",
            counted(of_files, ("comment on a whole file", "comments on whole files"))
        ));
    }
    if let Some(body) = &body {
        preview = preview.change(format!("body of {}", render::characters(body)));
    }
    let Shown { lines, told: notifies } = shown;
    let notified = notifies.map(|told| told.replacen("notifies", "notifies, with all who follow it,", 1));
    preview.changed.extend(notified.clone());
    let mut reply = Reply::written(preview);
    if !comments.is_empty() {
        let rows = comments.iter().zip(&lines).map(|(comment, line)| match line.trim() {
            "" => format!("{}: {}", comment.place(), one_line(&comment.body)),
            line => format!("{} on `{line}`: {}", comment.place(), one_line(&comment.body)),
        });
        reply = reply.outside(FROM, None, rows.collect::<Vec<_>>().join("\n"));
    }
    let mut input = json!({"commit_id": pull.head_ref_oid});
    if let Some(body) = &body {
        input["body"] = json!(body);
    }
    if let Some(event) = event.constant() {
        input["event"] = json!(event);
    }
    if of_lines > 0 {
        let on_lines = comments.iter().filter(|comment| comment.line.is_some());
        input["comments"] = on_lines.map(Comment::input).collect();
    }
    // What stands under whole files alone needs no review.
    let is_bare = event == Event::Comment && body.is_none() && of_lines == 0;
    Plan::new(reply, move || async move {
        if is_bare {
            let mut lines = on_files(&call, &repo, &pull, &comments).await;
            if let Some(error) =
                lines.iter().all(Result::is_err).then(|| lines.swap_remove(0).err()).flatten()
            {
                return Err(error);
            }
            let mut written = Written::new(format!("Commented on {repo}#{number}")).url(&pull.url);
            written.changed.extend(lines.into_iter().map(told));
            written.changed.extend(notified);
            return Ok(Reply::written(written));
        }
        let sent = call.api().review_add(&repo, number, &input).await;
        let look = async {
            let now = call.api().latest_reviews(&repo, number).await.ok()?;
            // Ids rise, so what came before the plan was made is told apart.
            let id = |review: &Review| review.database_id.parse::<u64>().unwrap_or_default();
            let last = pull.latest.nodes.iter().map(id).max().unwrap_or_default();
            now.into_iter().find(|review| {
                let is_new = id(review) > last;
                let same = review.state == event.state()
                    && reconcile::same_text(&review.body, body.as_deref().unwrap_or_default());
                is_new && review.viewer_did_author && same
            })
        };
        let (review, lost) = reconcile::created(sent, look).await?;
        let mut written = done(&repo, &pull, &review, event, lost);
        if of_lines > 0 {
            written = written.change(line_comments(of_lines as u64));
        }
        written.changed.extend(on_files(&call, &repo, &pull, &comments).await.into_iter().map(told));
        written.changed.extend(notified);
        Ok(Reply::written(written))
    })
}

/// Adds the comments that are on whole files, one by one; a line for each.
async fn on_files(
    call: &Call<GitHub>,
    repo: &Repo,
    pull: &Pull,
    comments: &[Comment],
) -> Vec<Result<String>> {
    let mut lines = Vec::new();
    for comment in comments.iter().filter(|comment| comment.line.is_none()) {
        let api = call.api();
        let made =
            api.comment_on_file(repo, pull.number, &pull.head_ref_oid, &comment.path, &comment.body).await;
        lines.push(match made {
            Ok(id) => Ok(format!("comment {id} on the file {}", comment.place())),
            Err(error) => {
                let message = format!("on the file {}: {}", comment.place(), error.message());
                let hint = error.hint().unwrap_or_default().to_owned();
                Err(Error::new(error.kind(), message).with_hint(hint))
            }
        });
    }
    lines
}

/// A step's line, be it that it was not done.
fn told(line: Result<String>) -> String {
    line.unwrap_or_else(|error| format!("NOT commented: {}", error.for_agent()))
}

/// What became of a review, read back from GitHub's answer.
fn done(repo: &Repo, pull: &Pull, review: &Review, event: Event, lost: bool) -> Written {
    let state = words::words(&review.state);
    let done = match event {
        Event::Pending => {
            format!("left a pending review on {repo}#{}: only you see it until you submit it", pull.number)
        }
        _ => format!("reviewed {repo}#{}: {state}", pull.number),
    };
    let mut written = Written::new(reconcile::summary("GitHub", lost, &done))
        .change(format!("review {}", review.database_id));
    if review.state != event.state() {
        written = written.change(format!("NOT as asked: it is {state}"));
    }
    let sha = review.commit.as_ref().map(|commit| commit.oid.as_str()).filter(|sha| !sha.is_empty());
    let sha = sha.unwrap_or(&pull.head_ref_oid);
    written.change(format!("of head {}", render::short_sha(sha))).id(&review.database_id).url(&pull.url)
}

/// The plan to submit the pending review.
fn submit(
    call: Call<GitHub>,
    repo: Repo,
    number: u64,
    event: Event,
    pending: Review,
    body: Option<String>,
) -> Plan {
    let verdict = words::words(event.state());
    let id = pending.database_id.clone();
    let summary = format!("Submit your pending review {id} on {repo}#{number}: {verdict}");
    let mut preview = Written::new(summary).change(line_comments(pending.comments.total_count));
    if let Some(body) = &body {
        preview = preview.change(format!("body of {}", render::characters(body)));
    }
    let mut input = json!({"event": event.constant()});
    if let Some(body) = body {
        input["body"] = json!(body);
    }
    Plan::new(Reply::written(preview), move || async move {
        let sent = call.api().review_submit(&repo, number, &id, &input).await;
        let look = async {
            let now = call.api().latest_reviews(&repo, number).await.ok()?;
            now.into_iter().find(|review| review.database_id == id && review.state != "PENDING")
        };
        let (review, lost) = reconcile::created(sent, look).await?;
        let state = words::words(&review.state);
        let done = format!("submitted your review on {repo}#{number}: {state}");
        let written = Written::new(reconcile::summary("GitHub", lost, &done))
            .change(format!("review {id}, {}", line_comments(pending.comments.total_count)))
            .id(&id);
        Ok(Reply::written(written))
    })
}

/// The plan to throw the pending review away: its comments are gone for good.
fn discard(call: Call<GitHub>, repo: Repo, number: u64, pending: Review) -> Plan {
    let id = pending.database_id;
    let comments = pending.comments.total_count;
    let preview = Written::new(format!("Discard your pending review {id} on {repo}#{number}"))
        .change(format!("{} gone for good", line_comments(comments)));
    let seen = (id.clone(), comments);
    Plan::new(Reply::written(preview), move || async move {
        match call.api().review_discard(&repo, number, &id).await {
            Ok(()) => {}
            // A repeat finds nothing after an attempt that was carried out.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        let summary = format!("Discarded your pending review {id} on {repo}#{number}");
        Ok(Reply::written(Written::new(summary).change(line_comments(comments)).id(id)))
    })
    .state(&seen)
    .ask()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comment(value: Value) -> Comment {
        connector::tolerant::from_value(value).unwrap()
    }

    #[test]
    fn a_comment_names_why_it_cannot_be_placed() {
        let files: Vec<ChangedFile> = connector::tolerant::from_value(json!([
            {"filename": "src/worker.rs", "patch": "@@ -1,2 +1,3 @@\n a\n+b\n c\n@@ -20 +21,2 @@\n x\n+y"},
            {"filename": "logo.png"},
        ]))
        .unwrap();
        let why = |value: Value| check_one(&files, &comment(value)).unwrap_err();
        assert_eq!(
            why(json!({"path": "src/worker.rs", "line": 12, "body": "x"})),
            "line 12 is not in the diff; nearest 3 and 21; lines that are: 1-3, 21-22"
        );
        assert_eq!(
            why(json!({"path": "src/Worker.rs", "line": 1, "body": "x"})),
            "the pull request does not change this file, did you mean src/worker.rs?"
        );
        assert!(why(json!({"path": "logo.png", "line": 1, "body": "x"})).contains("binary"));
        assert!(
            why(json!({"path": "src/worker.rs", "line": 2, "side": "LEFT", "body": "x"}))
                .contains("side RIGHT")
        );
        assert!(why(json!({"path": "src/worker.rs", "line": 2, "body": " "})).contains("empty"));
        let fine = comment(json!({"path": "src/worker.rs", "line": 2, "body": "x"}));
        assert_eq!(check_one(&files, &fine), Ok("b".to_owned()));
    }

    #[test]
    fn a_comment_on_several_lines_says_both_sides() {
        let input =
            comment(json!({"path": "a", "line": 5, "start_line": 3, "side": "LEFT", "body": "x"})).input();
        assert_eq!(
            input,
            json!({"path": "a", "line": 5, "side": "LEFT", "body": "x", "start_line": 3, "start_side": "LEFT"})
        );
    }
}
