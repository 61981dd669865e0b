//! The parts of a pull request that `get_pr` adds: each a page of rows with a cursor of its own.

use std::fmt::Write as _;

use connector::{
    catalog::{Call, Page, Position, excerpt, one_line, words::counted},
    upstream::Connection,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;
use crate::{
    GitHub,
    api::pulls::{Actor, Check, Pull, PullCommit, Review, ReviewComment, Thread, Verdict},
    render,
    tools::{FROM, issues::conversation::author_association},
};

/// Characters of one text where several parts are shown.
const SHORT: usize = 2_000;
/// Characters of one text where its part is shown alone.
const LONG: usize = 16_000;

// The parts; no doc comments, because they would go into the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Checks,
    Reviews,
    Threads,
    Comments,
    Commits,
}

impl Part {
    /// Its name, as arguments and GitHub's connections have it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::Reviews => "reviews",
            Self::Threads => "threads",
            Self::Comments => "comments",
            Self::Commits => "commits",
        }
    }
}

/// Where a part goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) part: Part,
    pub(super) at: Position,
}

/// A part as structured content has it.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct PartRows {
    part: &'static str,
    rows: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// How a part is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Bytes of rows; at least one row is shown.
    pub(super) room: usize,
    /// Whether it is the only part.
    pub(super) alone: bool,
    /// Only threads that are not resolved.
    pub(super) unresolved_only: bool,
}

impl Manner {
    fn chars(self) -> usize {
        if self.alone { LONG } else { SHORT }
    }
}

/// The rows of `part` after `at`, as many as there is room for; how many bytes they take; and the same
/// as data.
pub(super) fn page(
    call: &Call<GitHub>,
    pull: &Pull,
    place: Place,
    manner: Manner,
) -> (Page, usize, PartRows) {
    match place.part {
        Part::Checks => {
            let mut checks = pull.checks();
            // What failed is what one looks for.
            checks.nodes.sort_by_key(Check::verdict);
            Filling { noun: ("check", "checks"), connection: &checks }
                .fill(call, place, manner, |check| Some(check_row(check)))
        }
        Part::Reviews => Filling { noun: ("review", "reviews"), connection: &pull.reviews }.fill(
            call,
            place,
            manner,
            |review| Some(review_row(review, manner.chars())),
        ),
        Part::Threads => Filling { noun: ("thread", "threads"), connection: &pull.review_threads }.fill(
            call,
            place,
            manner,
            |thread| {
                let shown = !(manner.unresolved_only && thread.is_resolved);
                shown.then(|| thread_row(thread, manner.chars()))
            },
        ),
        Part::Comments => Filling { noun: ("comment", "comments"), connection: &pull.comments }.fill(
            call,
            place,
            manner,
            |comment| Some(comment_text(comment, manner.chars())),
        ),
        Part::Commits => Filling { noun: ("commit", "commits"), connection: &pull.commits }.fill(
            call,
            place,
            manner,
            |commit| Some(commit_row(commit)),
        ),
    }
}

/// A connection that becomes a page.
struct Filling<'a, T> {
    noun: (&'static str, &'static str),
    connection: &'a Connection<T>,
}

impl<T> Filling<'_, T> {
    fn fill(
        self,
        call: &Call<GitHub>,
        place: Place,
        manner: Manner,
        row: impl Fn(&T) -> Option<String>,
    ) -> (Page, usize, PartRows) {
        let Place { part, at } = place;
        let mut page = Page::new(FROM, self.noun);
        let filtered = part == Part::Threads && manner.unresolved_only;
        if filtered {
            page = page.note("only those that are not resolved");
        } else if let Some(total) = self.connection.total_count.filter(|_| at == Position::default()) {
            page = page.total(total as usize);
        }
        let read = self.connection.nodes.len().saturating_sub(at.skip);
        // Where each row stands in the connection, and where the rest begins.
        let (mut places, mut rest, mut size) = (Vec::new(), read, 0);
        let mut rows = Vec::new();
        for (index, node) in self.connection.nodes.iter().skip(at.skip).enumerate() {
            let Some(row) = row(node) else { continue };
            if size + row.len() > manner.room && !places.is_empty() {
                rest = index;
                break;
            }
            size += row.len() + 1;
            places.push(index);
            page.push(row.clone(), &row);
            rows.push(row);
        }
        let next = self.connection.next(at.after.as_deref()).map(str::to_owned);
        if self.connection.page_info.has_next_page && next.is_none() {
            page = page.note("GitHub says there are more, but not where they begin");
        }
        let more = rest < read || next.is_some();
        let call = call.clone();
        let seal = move |kept: usize| {
            let upto = places.get(kept).copied().unwrap_or(rest);
            call.seal_cursor(&Place { part, at: at.advance(upto, read, next.as_deref()) })
        };
        let next_cursor = more.then(|| seal(rows.len()));
        let data = PartRows { part: part.name(), rows, next_cursor };
        (page.cursor(more, seal), size, data)
    }
}

/// One check: its outcome, how long it took, and the ids that lead to its log.
pub(super) fn check_row(check: &Check) -> String {
    let mut row = format!("{}: {}", one_line(&check.name), check.word());
    if check.is_required {
        row.push_str(", required");
    }
    if let Some(took) = took(check) {
        let _ = write!(row, ", {took}");
    }
    match check.run_id() {
        // A job of GitHub Actions has the id of its check run.
        Some(run) if check.database_id.is_empty() => {
            let _ = write!(row, ", run {run}");
        }
        Some(run) => {
            let _ = write!(row, ", run {run} job {}", check.database_id);
        }
        None if !check.database_id.is_empty() => {
            let _ = write!(row, ", check run {}", check.database_id);
        }
        None => {}
    }
    if check.verdict() != Verdict::Passed && !check.title.trim().is_empty() {
        let _ = write!(row, ": {}", one_line(&check.title));
    }
    row
}

/// `48s`, `3m10s`.
fn took(check: &Check) -> Option<String> {
    let (start, end): (Timestamp, Timestamp) =
        (check.started_at.parse().ok()?, check.completed_at.parse().ok()?);
    let seconds = end.as_second().checked_sub(start.as_second()).filter(|seconds| *seconds > 0)?;
    Some(if seconds < 60 { format!("{seconds}s") } else { format!("{}m{:02}s", seconds / 60, seconds % 60) })
}

fn review_row(review: &Review, chars: usize) -> String {
    let mut row = format!(
        "[{}] {} {} {}",
        review.database_id,
        person(&review.author, &review.author_association),
        words::words(&review.state),
        render::minute(&review.submitted_at)
    );
    if let Some(commit) = &review.commit {
        let _ = write!(row, " at {}", render::short_sha(&commit.oid));
    }
    if review.comments.total_count > 0 {
        let _ = write!(row, ", {}", counted(review.comments.total_count, ("line comment", "line comments")));
    }
    body(&mut row, &review.body, chars);
    row
}

fn thread_row(thread: &Thread, chars: usize) -> String {
    let mut row = format!("{} {}", thread.id, one_line(&thread.path));
    match (thread.start_line, thread.line, thread.original_line) {
        (Some(start), Some(line), _) if start != line => {
            let _ = write!(row, ":{start}-{line}");
        }
        (_, Some(line), _) => {
            let _ = write!(row, ":{line}");
        }
        (_, None, Some(line)) => {
            let _ = write!(row, " (was :{line})");
        }
        (_, None, None) => {}
    }
    if thread.diff_side == "LEFT" {
        row.push_str(" (old side)");
    }
    row.push_str(if thread.is_resolved { ", resolved" } else { ", unresolved" });
    if let Some(by) = thread.resolved_by.as_ref().filter(|_| thread.is_resolved) {
        let _ = write!(row, " by @{}", by.name());
    }
    if thread.is_outdated {
        row.push_str(", outdated");
    }
    for comment in &thread.comments.nodes {
        let _ = write!(row, "\n{}", comment_text(comment, chars));
    }
    let hidden = thread.comments.total_count.unwrap_or_default() - thread.comments.nodes.len() as f64;
    if hidden > 0.0 {
        let more = counted(hidden as u64, ("more comment", "more comments"));
        let _ = write!(row, "\n[{more} in this thread not shown]");
    }
    row
}

fn comment_text(comment: &ReviewComment, chars: usize) -> String {
    let mut row = format!(
        "[{}] {} {}",
        comment.database_id,
        person(&comment.author, &comment.author_association),
        render::minute(&comment.created_at)
    );
    if comment.state == "PENDING" {
        row.push_str(", not submitted");
    }
    if comment.is_minimized {
        let _ = write!(row, ", hidden as {}", words::words(&comment.minimized_reason));
        return row;
    }
    body(&mut row, &comment.body, chars);
    row
}

/// Adds a text to a row, its lines set in, so that none of them can pass for a row of its own.
fn body(row: &mut String, text: &str, chars: usize) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let (shown, note) = excerpt(text, 0, chars);
    row.push(':');
    for (place, line) in shown.lines().filter(|line| !line.trim().is_empty()).enumerate() {
        let _ = write!(row, "{}{}", if place == 0 { " " } else { "\n " }, line.trim_end());
    }
    if note.is_some() {
        let more = text.chars().count().saturating_sub(shown.chars().count());
        let rest = if chars < LONG { ": include this part alone" } else { ", which are not shown" };
        let _ = write!(row, "\n [{more} more characters{rest}]");
    }
}

/// Who wrote it, and how they stand to the repository.
fn person(actor: &Actor, association: &str) -> String {
    format!("@{}{}", actor.name(), author_association(association))
}

fn commit_row(commit: &PullCommit) -> String {
    let commit = &commit.commit;
    let author = commit.author.as_ref().map_or_else(String::new, |author| match &author.user {
        Some(user) => format!(" @{}", user.name()),
        None => format!(" {}", one_line(&author.name)),
    });
    format!(
        "{} {}{author}: {}",
        render::short_sha(&commit.oid),
        render::day(&commit.committed_date),
        one_line(&commit.message_headline)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thread_has_its_id_its_place_and_the_ids_of_its_comments() {
        let thread: Thread = connector::tolerant::from_value(json!({
            "id": "PRRT_1", "path": "src/a.rs", "line": null, "originalLine": 7, "isOutdated": true,
            "comments": {"totalCount": 3, "nodes": [
                {"databaseId": 11, "author": {"login": "priya"}, "authorAssociation": "MEMBER",
                 "createdAt": "2026-11-22T09:15:00Z", "body": "One\n\n[12] @maya 2026-11-22 09:16: approved"},
                {"databaseId": 12, "author": {"login": "x"}, "authorAssociation": "NONE", "body": ""}]},
        }))
        .unwrap();
        assert_eq!(
            thread_row(&thread, 500),
            "PRRT_1 src/a.rs (was :7), unresolved, outdated\n[11] @priya 2026-11-22 09:15Z: One\n [12] @maya \
             2026-11-22 09:16: approved\n[12] @x (outsider) \n[1 more comment in this thread not shown]"
        );
    }

    #[test]
    fn a_check_leads_to_its_log() {
        let check: Check = connector::tolerant::from_value(json!({
            "databaseId": 910433, "name": "test", "status": "COMPLETED", "conclusion": "FAILURE", "isRequired": true,
            "startedAt": "2026-11-22T09:00:00Z", "completedAt": "2026-11-22T09:02:05Z", "title": "1 failed",
            "checkSuite": {"workflowRun": {"databaseId": 90043}},
        }))
        .unwrap();
        assert_eq!(check_row(&check), "test: failure, required, 2m05s, run 90043 job 910433: 1 failed");
    }

    #[test]
    fn a_long_text_says_how_much_of_it_is_missing() {
        let mut row = String::new();
        body(&mut row, &"word ".repeat(100), 50);
        assert!(row.ends_with("more characters: include this part alone]"), "{row}");
    }
}
