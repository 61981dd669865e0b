//! `get_pr`: one request for a pull request and the parts that are asked for.

use std::{fmt::Write as _, time::Duration};

use connector::upstream;
use connector::{
    Error, Result,
    catalog::{Call, Position, Reply, Tool, clean, excerpt, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use super::{
    merge::blocks,
    parts::{self, Manner, Part, PartRows, Place},
    unread, words,
};
use crate::{
    GitHub,
    api::{
        Partial,
        issues::closer,
        pulls::{Actor, Parts, Pull, Tally, Verdict},
    },
    render,
    repo::Repo,
    resolve::reference,
    tools::issues::rows,
};

/// Characters of the body.
const BODY: usize = 8_000;
/// Bytes of all parts together: with the rest they fit into a reply of the usual size.
const ROOM: usize = 20_000;
/// The longest wait, well within the time that a call may take.
const LONGEST_WAIT: u32 = 50;
/// The pause between two looks at the checks.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long a head without any checks is watched: they may still be on their way.
const NO_CHECKS: Duration = Duration::from_secs(15);
/// Pages of a hundred checks that are read on for failing ones: GitHub keeps 1,000 of a commit (docs.github.com,
/// "About status checks").
const CHECK_PAGES: usize = 9;
/// The pause before GitHub is asked again whether it can be merged: the first question makes it find out.
const MERGEABLE_PAUSE: Duration = Duration::from_secs(2);

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("get_pr", "Get PR", "Mergeability, reviews, checks, head sha. Diff: get_diff.", get_pr)
            .toolset("pulls")
            .aliases(&[
                ("repository", "repo"),
                ("pull_number", "number"),
                ("pullNumber", "number"),
                ("pr", "number"),
                ("wait", "wait_seconds"),
            ])
            .output::<Detail>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetPr {
    repo: Option<String>,
    number: u64,
    #[serde(default)]
    include: Vec<Part>,
    unresolved_only: Option<bool>,
    /// for checks
    wait_seconds: Option<u32>,
    cursor: Option<String>,
}

/// Where a reply goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum On {
    /// With the rows of a part.
    Part(Place),
    /// With the body, so many characters into it.
    Body { from: usize },
}

/// A pull request.
#[derive(Debug, Serialize, JsonSchema)]
struct Detail {
    number: u64,
    title: String,
    /// open, draft, merged, closed
    state: String,
    author: String,
    head: String,
    head_sha: String,
    base: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mergeable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    requested: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<String>,
    failing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threads_open: Option<String>,
    updated_at: String,
    url: String,
    body: String,
    parts: Vec<PartRows>,
    notes: Vec<String>,
}

async fn get_pr(call: Call<GitHub>, arguments: GetPr) -> Result<Reply> {
    let GetPr { repo, number, mut include, unresolved_only, wait_seconds, cursor } = arguments;
    let repo = call.bounds().repo(repo.as_deref())?;
    let on: Option<On> = call.open_cursor(cursor.as_deref())?;
    let wait = wait_seconds.unwrap_or_default();
    if wait > LONGEST_WAIT {
        return Err(Error::invalid(format!("`wait_seconds` is at most {LONGEST_WAIT}"))
            .with_hint("Wait that long, and call again if the checks are not finished then"));
    }
    let mut notes = Vec::new();
    if wait > 0 && on.is_none() {
        notes.push(wait_for_checks(&call, &repo, number, wait).await?);
    }
    match &on {
        Some(On::Part(place)) => include = vec![place.part],
        Some(On::Body { .. }) => include.clear(),
        None => {}
    }
    include.dedup();
    let has = |part: Part| include.contains(&part);
    let parts = Parts {
        reviews: has(Part::Reviews),
        threads: has(Part::Threads),
        comments: has(Part::Comments),
        commits: has(Part::Commits),
        after: match &on {
            Some(On::Part(place)) => place.at.after.clone().map(|after| (place.part.name(), after)),
            Some(On::Body { .. }) | None => None,
        },
    };
    let mut answer = call.api().pull(&repo, number, &parts).await?;
    if on.is_none() {
        settle(&call, &repo, &mut answer.data).await?;
    }
    notes.extend(answer.notes());
    notes.extend(unread::stand_in(&call, &repo, &mut answer.data).await);
    let mut pull = answer.data;
    if on.is_none() {
        find_failing(&call, &repo, &mut pull).await;
    }
    let mut manner = Manner {
        room: ROOM,
        alone: include.len() == 1,
        unresolved_only: unresolved_only.unwrap_or_default(),
    };
    let from = match &on {
        Some(On::Body { from }) => *from,
        Some(On::Part(_)) | None => 0,
    };
    if let Some(On::Part(place)) = on {
        manner.room = ROOM + BODY;
        let (page, _, data) = parts::page(&call, &pull, place, manner);
        let detail = detail(&pull, String::new(), vec![data], notes.clone());
        let reply = notes.into_iter().fold(Reply::new(format!("{repo}#{number}, going on")), Reply::line);
        return Ok(reply.rows(page).data(&detail));
    }
    let (body, more) = excerpt(&pull.body, from, BODY);
    let mut reply = match on {
        None => head(&repo, &pull).into_iter().fold(Reply::default(), Reply::line),
        Some(_) => Reply::new(format!("{repo}#{number}, going on with the body")),
    };
    for note in &notes {
        reply = reply.line(note);
    }
    reply = reply.outside(format!("#{number}"), Some(&pull.author.name()), text(&pull, &body, from));
    if more.is_some() {
        let upto = from + body.chars().count();
        let cursor = call.seal_cursor(&On::Body { from: upto });
        let left = clean(&pull.body).chars().count().saturating_sub(upto);
        reply = reply.line(format!("[{left} more characters of the body: cursor \"{cursor}\"]"));
    }
    let mut data = Vec::new();
    let mut left = ROOM;
    for (place, part) in include.iter().enumerate() {
        // What earlier parts leave is shared among those that come.
        manner.room = left / (include.len() - place);
        let start = Place { part: *part, at: Position::default() };
        let (page, size, rows) = parts::page(&call, &pull, start, manner);
        left = left.saturating_sub(size);
        reply = reply.rows(page);
        data.push(rows);
    }
    Ok(reply.data(&detail(&pull, body, data, notes)))
}

/// A pull request as it is now, with GitHub's word on whether it can be merged: GitHub begins to work
/// that out when it is first asked, so it is asked again once (docs.github.com, "Get a pull request").
///
/// # Errors
/// As [`crate::api::Api::pull`].
pub(super) async fn get_with_mergeability(call: &Call<GitHub>, repo: &Repo, number: u64) -> Result<Pull> {
    let Partial { data: mut pull, failures } = call.api().pull(repo, number, &Parts::default()).await?;
    for (part, error) in &failures {
        tracing::warn!(part, error = error.kind().as_str(), "a part of a pull request could not be read");
    }
    settle(call, repo, &mut pull).await?;
    unread::stand_in(call, repo, &mut pull).await;
    Ok(pull)
}

async fn settle(call: &Call<GitHub>, repo: &Repo, pull: &mut Pull) -> Result<()> {
    let is_known = |pull: &Pull| !matches!(pull.mergeable.as_str(), "UNKNOWN" | "");
    if !pull.is_open() || is_known(pull) {
        return Ok(());
    }
    sleep(MERGEABLE_PAUSE).await;
    let now = call.api().pull_pulse(repo, pull.number).await?.data;
    // A head that moved meanwhile is another pull request than the one that was read.
    if now.head_ref_oid == pull.head_ref_oid {
        pull.mergeable = now.mergeable;
        pull.merge_state_status = now.merge_state_status;
    }
    Ok(())
}

/// Reads on until every failing check that GitHub counts has its name: of a long list the last may be the one that
/// matters. What cannot be read stays counted.
async fn find_failing(call: &Call<GitHub>, repo: &Repo, pull: &mut Pull) {
    let mut after = pull.checks().next(None).map(str::to_owned);
    for _ in 0..CHECK_PAGES {
        let Some(from) = after.filter(|_| pull.tally().failed > failing(pull).len() as u64) else { return };
        let Ok(answer) = call.api().pull_checks(repo, pull.number, &from).await else { return };
        // A head that moved meanwhile has other checks.
        if answer.data.head_ref_oid != pull.head_ref_oid {
            return;
        }
        let page = answer.data.checks();
        after = page.next(Some(&from)).map(str::to_owned);
        let failed = page.nodes.into_iter().filter(|check| check.verdict() == Verdict::Failed);
        pull.failing_beyond.extend(failed);
    }
}

/// Looks at the checks until they are finished or the time is over, and says which.
async fn wait_for_checks(call: &Call<GitHub>, repo: &Repo, number: u64, seconds: u32) -> Result<String> {
    let start = Instant::now();
    let end = start + Duration::from_secs(u64::from(seconds));
    let mut first_head = String::new();
    loop {
        let mut pull = call.api().pull_pulse(repo, number).await?.data;
        unread::stand_in(call, repo, &mut pull).await;
        let unread = pull.checks_unread.is_some();
        let (tally, total) = (pull.tally(), pull.checks().total_count.unwrap_or_default());
        let running = tally.running;
        if first_head.is_empty() {
            first_head.clone_from(&pull.head_ref_oid);
        }
        let moved = if first_head == pull.head_ref_oid { "" } else { "; the head moved meanwhile" };
        let waited = start.elapsed().as_secs();
        let left = end.saturating_duration_since(Instant::now());
        let outcome = match tally.all() {
            0 if start.elapsed() >= NO_CHECKS.min(end - start) => Some(if unread {
                "the head has no workflow runs and no commit statuses that the token may read".to_owned()
            } else {
                "the head has no checks".to_owned()
            }),
            0 => None,
            seen if running == 0 && total > seen as f64 => {
                Some(format!("the first {seen} checks are finished, others were not looked at"))
            }
            _ if running == 0 && unread => {
                Some("all workflow runs and commit statuses of the head are finished".to_owned())
            }
            _ if running == 0 => Some("all checks are finished".to_owned()),
            all if left.is_zero() => {
                Some(format!("{running} of {all} checks are not finished; call again to wait on"))
            }
            _ => None,
        };
        if let Some(outcome) = outcome {
            return Ok(format!("Waited {waited} s: {outcome}{moved}."));
        }
        let message = words::checks(&pull).unwrap_or_else(|| "none yet".to_owned());
        let done = u32::try_from(waited).unwrap_or(u32::MAX);
        call.progress(done, Some(seconds), &format!("checks {message}")).await;
        sleep(LOOK_EVERY.min(left)).await;
        upstream::call::restart();
    }
}

/// The lines above the text. Names that people outside chose stand in the text.
fn head(repo: &Repo, pull: &Pull) -> Vec<String> {
    let state = words::state(pull);
    let by = rows::opened_by(&state, &pull.author.name());
    let mut first = format!("{repo}#{} {state}, {by}", pull.number);
    let _ = write!(first, ", created {}", render::minute(&pull.created_at));
    if pull.is_merged() {
        let _ = write!(first, ", {}", merged(pull));
    } else if !pull.closed_at.is_empty() {
        let _ = write!(first, ", closed {}", render::minute(&pull.closed_at));
        if let Some(closer) = closer(&pull.closing) {
            let _ = write!(first, " by @{}", one_line(&closer));
        }
    }
    let mut lines = vec![first];
    lines.push(format!(
        "head {}: {}, {}, +{} -{}",
        pull.head_ref_oid,
        counted(pull.commit_count.total_count, ("commit", "commits")),
        counted(pull.changed_files, ("file", "files")),
        render::thousands(pull.additions),
        render::thousands(pull.deletions)
    ));
    if let Some(mergeable) = mergeable(pull) {
        lines.push(mergeable);
    }
    let mut review = Vec::new();
    if !pull.review_decision.is_empty() {
        review.push(words::words(&pull.review_decision));
    }
    let requested = pull.requested();
    if !requested.is_empty() {
        review.push(format!("requested from @{}", requested.join(", @")));
    }
    if let Some(pending) = pull.pending_review() {
        review.push(format!(
            "you have a pending review ({}) with {}",
            pending.database_id,
            counted(pending.comments.total_count, ("line comment", "line comments"))
        ));
    }
    if !review.is_empty() {
        lines.push(format!("review: {}", review.join("; ")));
    }
    let Tally { passed, failed, running } = pull.tally();
    lines.push(match passed + failed + running {
        0 if pull.checks_unread.is_some() => "checks: not known".to_owned(),
        0 => "checks: none".to_owned(),
        all if pull.checks_unread.is_some() => {
            format!("checks, as far as known: {passed}/{all} passed, {failed} failing, {running} running")
        }
        all => {
            let beyond = failed > failing(pull).len() as u64;
            let beyond =
                if beyond { "; not all failing ones are named: include checks reads on" } else { "" };
            format!("checks: {passed}/{all} passed, {failed} failing, {running} running{beyond}")
        }
    });
    let threads = pull.thread_states.total_count.unwrap_or_default();
    if threads > 0.0 {
        let open = words::unresolved(&pull.thread_states).unwrap_or_else(|| "0".to_owned());
        lines.push(format!("threads: {open} of {threads} unresolved"));
    }
    if let Some(auto) = &pull.auto_merge_request {
        let by = auto.enabled_by.as_ref().map(|by| format!(", set by @{}", by.name())).unwrap_or_default();
        lines.push(format!("auto-merge: {}{by}", words::words(&auto.merge_method)));
    }
    if let Some(entry) = &pull.merge_queue_entry {
        lines.push(format!("in the merge queue, at {}", entry.position));
    }
    let closes: Vec<_> = pull
        .closing_issues_references
        .nodes
        .iter()
        .map(|issue| reference::name(&issue.repository.name_with_owner, &issue.number.to_string(), repo))
        .collect();
    if !closes.is_empty() {
        lines.push(format!("closes {}", closes.join(", ")));
    }
    let mut facts = Vec::new();
    if !pull.labels.nodes.is_empty() {
        let labels: Vec<_> = pull.labels.nodes.iter().map(|label| one_line(&label.name)).collect();
        facts.push(format!("labels [{}]", labels.join(", ")));
    }
    if !pull.assignees.nodes.is_empty() {
        let names: Vec<_> = pull.assignees.nodes.iter().map(Actor::name).collect();
        facts.push(format!("assigned to @{}", names.join(", @")));
    }
    if let Some(milestone) = &pull.milestone {
        facts.push(format!("milestone {}", one_line(&milestone.name)));
    }
    // In full, because it is what `expected_updated` takes.
    facts.push(format!("updated {}", pull.updated_at));
    lines.push(facts.join("; "));
    lines.push(pull.url.clone());
    lines
}

/// Who merged it, when, and as which commit.
pub(super) fn merged(pull: &Pull) -> String {
    let mut text = format!("merged {}", render::minute(&pull.merged_at));
    if let Some(by) = &pull.merged_by {
        let _ = write!(text, " by @{}", by.name());
    }
    if let Some(commit) = &pull.merge_commit {
        let _ = write!(text, " as {}", commit.oid);
    }
    text
}

/// Whether it can be merged, and what its state means.
fn mergeable(pull: &Pull) -> Option<String> {
    if !pull.is_open() {
        return None;
    }
    let base = one_line(&pull.base_ref_name);
    let mut obstacles = Vec::new();
    if pull.is_draft {
        obstacles.push("it is a draft".to_owned());
    }
    if pull.mergeable == "CONFLICTING" {
        obstacles.push(format!("it conflicts with {base}"));
    }
    obstacles.extend(blocks(pull));
    let settled = pull.mergeable == "MERGEABLE";
    if pull.mergeable != "UNKNOWN" && !obstacles.is_empty() {
        let no_conflicts = if settled { " (no conflicts)" } else { "" };
        return Some(format!("cannot be merged yet: {}{no_conflicts}", obstacles.join("; ")));
    }
    Some(match pull.merge_state_status.as_str() {
        "CLEAN" | "HAS_HOOKS" if settled => "can be merged: nothing blocks it".to_owned(),
        "UNSTABLE" if settled => {
            "can be merged, though a check that is not required is failing or still running".to_owned()
        }
        _ if settled => format!("no conflicts with {base}; whether anything else blocks it is not known yet"),
        _ => "GitHub is still working out whether it can be merged; ask again".to_owned(),
    })
}

/// The title, the branches, the failing checks, and the body.
fn text(pull: &Pull, body: &str, from: usize) -> String {
    if from > 0 {
        return body.trim_end().to_owned();
    }
    let mut text = format!(
        "# {}\n{} -> {}",
        one_line(&pull.title),
        one_line(&words::head(pull)),
        one_line(&pull.base_ref_name)
    );
    for check in failing(pull) {
        let _ = write!(text, "\nfailing: {check}");
    }
    if !body.trim().is_empty() {
        let _ = write!(text, "\n\n{}", body.trim_end());
    }
    text
}

/// The failing checks, required ones first.
fn failing(pull: &Pull) -> Vec<String> {
    let mut checks = pull.checks().nodes;
    checks.retain(|check| check.verdict() == Verdict::Failed);
    checks.extend(pull.failing_beyond.iter().cloned());
    checks.sort_by_key(|check| !check.is_required);
    checks.iter().map(parts::check_row).collect()
}

fn detail(pull: &Pull, body: String, parts: Vec<PartRows>, notes: Vec<String>) -> Detail {
    let review = words::words(&pull.review_decision);
    Detail {
        number: pull.number,
        title: pull.title.clone(),
        state: words::state(pull),
        author: pull.author.name(),
        head: words::head(pull),
        head_sha: pull.head_ref_oid.clone(),
        base: pull.base_ref_name.clone(),
        mergeable: mergeable(pull),
        review: (!review.is_empty()).then_some(review),
        requested: pull.requested(),
        checks: words::checks(pull),
        failing: failing(pull),
        threads_open: words::unresolved(&pull.thread_states),
        updated_at: pull.updated_at.clone(),
        url: pull.url.clone(),
        body,
        parts,
        notes,
    }
}
