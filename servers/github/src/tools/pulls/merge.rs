//! `merge_pr`: says what stands in the way before it tries, and learns afterwards whether it is merged.

use std::time::Duration;

use connector::{
    Effect, Error, Kind, Result,
    catalog::{Call, Plan, Reply, Tool, Written, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    head_branch,
    merging::{auto, now, queue},
    read::{get_with_mergeability, merged},
    review::guard,
    words,
};
use crate::{
    GitHub,
    api::pulls::{Pull, Verdict},
    render,
    repo::Repo,
    scopes,
};

/// Names of checks that a refusal gives.
const NAMED: usize = 5;
/// How old a reading may be that a merge is based on; the base of an older one is read anew.
const STALE: Duration = Duration::from_secs(2);

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::destructive("merge_pr", "Merge PR", "Merges now, once unblocked (auto) or by queue.", merge_pr)
            .toolset("pulls")
            .scopes(scopes::REPO)
            .idempotent()
            .aliases(&[
                ("repository", "repo"),
                ("pull_number", "number"),
                ("pullNumber", "number"),
                ("merge_method", "method"),
                ("sha", "expected_head"),
                ("commit_message", "message"),
            ])
            .output::<Written>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MergePr {
    repo: Option<String>,
    number: u64,
    mode: Option<Mode>,
    method: Option<Method>,
    expected_head: Option<String>,
    // Of the commit: its first line is the title.
    message: Option<String>,
    delete_branch: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Now,
    Auto,
    Queue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    Merge,
    Squash,
    Rebase,
}

impl Method {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

async fn merge_pr(call: Call<GitHub>, arguments: MergePr) -> Result<Plan> {
    let MergePr { repo, number, mode, method, expected_head, message, delete_branch } = arguments;
    let delete_branch = delete_branch.unwrap_or_default();
    let repo = call.bounds().repo(repo.as_deref())?;
    call.bounds().permits(&repo, Effect::Write)?;
    let mode = mode.unwrap_or_default();
    let pull = get_with_mergeability(&call, &repo, number).await?;
    if pull.is_merged() {
        let summary = format!("Nothing to do: {repo}#{number} is merged already, {}", merged(&pull));
        let mut nothing = Written::new(summary).id(number.to_string()).url(pull.url);
        if delete_branch {
            nothing = nothing.change("its branch was left alone: manage_ref with action delete removes it");
        }
        return Ok(Plan::nothing(Reply::written(nothing)));
    }
    if let Some(expected) = expected_head.as_deref().map(str::trim) {
        guard(&pull, expected)?;
    }
    if let Some(mut why) = out_of_question(&pull) {
        for block in blocks(&pull) {
            why.push_str("; ");
            why.push_str(&block);
        }
        return Err(Error::new(Kind::Conflict, format!("#{number} cannot be merged: {why}"))
            .with_hint("Nothing was merged"));
    }
    let message = message.filter(|message| !message.trim().is_empty());
    if mode == Mode::Queue && (method.is_some() || message.is_some()) {
        return Err(Error::invalid("The merge queue has a method and a message of its own")
            .with_hint("With mode queue leave `method` and `message` out"));
    }
    let method = allowed(&pull, method)?;
    if method == Method::Rebase && message.is_some() {
        return Err(Error::invalid(
            "A rebase keeps the messages of the commits: `message` goes with merge or squash",
        ));
    }
    if delete_branch {
        if mode != Mode::Now {
            return Err(Error::invalid("`delete_branch` goes with mode now only").with_hint(
                "After a later merge GitHub deletes the branch if the repository is set so; or use manage_ref then",
            ));
        }
        head_branch::check(&call, &repo, &pull).await?;
    }
    match mode {
        Mode::Now => {
            if pull.is_merge_queue_enabled {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("#{number} can only be merged through the merge queue of {}", base(&pull)),
                )
                .with_hint("Use mode queue"));
            }
            let blocks = blocks(&pull);
            if !blocks.is_empty() {
                return Err(blocked(number, &blocks));
            }
        }
        Mode::Auto => {
            if pull.rules.auto_merge_allowed == Some(false) {
                return Err(Error::invalid(format!("{repo} does not allow auto-merge")).with_hint(
                    "An administrator can, in its settings; or use mode now when nothing blocks it",
                ));
            }
            if blocks(&pull).is_empty() && pull.merge_state_status == "CLEAN" {
                return Err(Error::new(Kind::Conflict, format!("#{number} has nothing to wait for"))
                    .with_hint("Use mode now"));
            }
            if let Some(auto) = &pull.auto_merge_request
                && auto.merge_method.eq_ignore_ascii_case(method.as_str())
            {
                let summary = format!("Nothing to do: auto-merge of {repo}#{number} is on already");
                return Ok(Plan::nothing(Reply::written(Written::new(summary).url(pull.url))));
            }
        }
        Mode::Queue => {
            if !pull.is_merge_queue_enabled {
                return Err(Error::invalid(format!("{} has no merge queue", base(&pull)))
                    .with_hint("Use mode now or auto"));
            }
            if let Some(entry) = &pull.merge_queue_entry {
                let summary =
                    format!("Nothing to do: {repo}#{number} is in the merge queue, at {}", entry.position);
                return Ok(Plan::nothing(Reply::written(Written::new(summary).url(pull.url))));
            }
        }
    }
    let mut preview = preview(&repo, &pull, mode, method);
    if delete_branch && !pull.rules.delete_branch_on_merge {
        preview = preview.change(format!("then deletes the branch {}", one_line(&pull.head_ref_name)));
    }
    let stays = (!delete_branch).then(|| branch_stays(&pull)).flatten();
    preview.changed.extend(stays.clone());
    let text = Text::of(message.as_deref().unwrap_or_default());
    let proposed = proposed(&call, &repo, &pull, mode, method, &text).await;
    if mode != Mode::Queue {
        preview.changed.extend(text.told());
    }
    let mut shown = Reply::written(preview);
    if let Some(proposed) = proposed {
        shown = shown.outside("the commit's message, as GitHub makes it", None, proposed);
    }
    let read = Instant::now();
    let seen = (pull.head_ref_oid.clone(), pull.base_ref_name.clone());
    Ok(Plan::new(shown, move || async move {
        if read.elapsed() > STALE {
            same_base(&call, &repo, &pull).await?;
        }
        match mode {
            Mode::Now => {
                let mut merged = now(&call, &repo, &pull, method, &text).await?;
                merged.changed.extend(closed(&call, &pull).await);
                if delete_branch || (pull.rules.delete_branch_on_merge && !pull.is_cross_repository) {
                    let asked = delete_branch;
                    merged.changed.extend(head_branch::after_merge(&call, &repo, &pull, asked).await);
                }
                merged.changed.extend(stays);
                Ok(Reply::written(merged))
            }
            Mode::Auto => auto(&call, &repo, &pull, method, &text).await,
            Mode::Queue => queue(&call, &repo, &pull).await,
        }
    })
    .state(&seen))
}

/// What GitHub would write on the commit, where nothing else was said: it is for good.
async fn proposed(
    call: &Call<GitHub>,
    repo: &Repo,
    pull: &Pull,
    mode: Mode,
    method: Method,
    text: &Text,
) -> Option<String> {
    if mode == Mode::Queue || method == Method::Rebase || text.title.is_some() {
        return None;
    }
    let (title, body) = call.api().pull_merge_text(repo, pull.number, method.as_str()).await.ok()?;
    let message = format!("{title}\n\n{}", body.trim());
    Some(message.trim().to_owned()).filter(|message| !message.is_empty())
}

/// GitHub checks the head that is merged, but not into what: its author may have changed that meanwhile.
async fn same_base(call: &Call<GitHub>, repo: &Repo, pull: &Pull) -> Result<()> {
    let now = call.api().pull_pulse(repo, pull.number).await?.data;
    if now.base_ref_name == pull.base_ref_name {
        return Ok(());
    }
    Err(Error::new(
        Kind::Conflict,
        format!("The base of #{} is {} now, not {}", pull.number, base(&now), base(pull)),
    )
    .with_hint("Nothing was merged. Read it again with get_pr and decide anew"))
}

/// The text of the commit, where it is not to be GitHub's own.
pub(super) struct Text {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
}

impl Text {
    /// A message as git has it: the title, an empty line, the rest.
    fn of(message: &str) -> Self {
        let (title, body) = message.trim().split_once('\n').unwrap_or((message.trim(), ""));
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Self { title: some(title), body: some(body) }
    }

    /// What is told of it; none where all of it is GitHub's.
    fn told(&self) -> Option<String> {
        let title = one_line(self.title.as_deref()?);
        Some(match &self.body {
            Some(body) => {
                format!("commit title \"{title}\", body of {}", render::characters(body))
            }
            None => format!("commit title \"{title}\", body as GitHub makes it"),
        })
    }
}

pub(super) fn base(pull: &Pull) -> String {
    one_line(&pull.base_ref_name)
}

/// What no waiting changes.
pub(super) fn out_of_question(pull: &Pull) -> Option<String> {
    if !pull.is_open() {
        return Some("it is closed; update_pr with set reopen opens it".to_owned());
    }
    if pull.is_draft {
        return Some("it is a draft; update_pr with set ready ends that".to_owned());
    }
    (pull.mergeable == "CONFLICTING").then(|| {
        format!("its head conflicts with {}: the conflicts must be solved on its branch", base(pull))
    })
}

/// What blocks a merge now besides conflicts and being a draft, as far as GitHub lets one see.
pub(super) fn blocks(pull: &Pull) -> Vec<String> {
    let mut blocks = Vec::new();
    let state = pull.merge_state_status.as_str();
    if state == "BEHIND" {
        blocks.push(format!("it is behind {}; update_pr with set update_branch fixes that", base(pull)));
    }
    if state == "UNKNOWN" && pull.mergeable == "UNKNOWN" {
        blocks.push("GitHub is still working out whether it can be merged; try again shortly".to_owned());
    }
    // GitHub names one state only: behind conflicts or a draft, the rules are not met all the same.
    if !["BLOCKED", "BEHIND", "DIRTY", "DRAFT"].contains(&state) {
        return blocks;
    }
    match pull.review_decision.as_str() {
        "CHANGES_REQUESTED" => blocks.push(match pull.objectors().as_slice() {
            // Older servers do not tell who.
            [] => "a reviewer requested changes".to_owned(),
            names => format!("@{} requested changes", names.join(", @")),
        }),
        "REVIEW_REQUIRED" => blocks.push("a review with approval is required".to_owned()),
        _ => {}
    }
    let checks = pull.checks().nodes;
    // Which are required is told of check runs only.
    let (unread, required) = match pull.checks_unread {
        Some(_) => (true, "checks, of which the required ones are not known,"),
        None => (false, "required checks"),
    };
    for (verdict, word) in [(Verdict::Failed, "failed"), (Verdict::Running, "not finished")] {
        let names: Vec<_> = checks
            .iter()
            .filter(|check| (check.is_required || unread) && check.verdict() == verdict)
            .map(|check| one_line(&check.name))
            .collect();
        if !names.is_empty() {
            let more = names.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            blocks.push(format!("{required} {word}: {shown}{more}"));
        }
    }
    if let Some(open) = words::unresolved(&pull.thread_states) {
        let threads = if open == "1" { "thread is" } else { "threads are" };
        if pull.threads_must_be_resolved() {
            blocks.push(format!("{open} review {threads} not resolved, which the rules demand"));
        } else if state == "BLOCKED" {
            blocks.push(format!("{open} review {threads} not resolved, which may block it"));
        }
    }
    if blocks.is_empty() && state == "BLOCKED" {
        blocks.push(format!(
            "rules of {} that GitHub does not name, or a required check is missing",
            base(pull)
        ));
    }
    blocks
}

fn blocked(number: u64, blocks: &[String]) -> Error {
    Error::new(Kind::Conflict, format!("#{number} cannot be merged now: {}", blocks.join("; ")))
        .with_hint("Nothing was merged. With mode auto GitHub merges it as soon as all requirements are met")
}

/// The method that was asked for, or the first that the repository allows.
fn allowed(pull: &Pull, method: Option<Method>) -> Result<Method> {
    let rules = &pull.rules;
    let all = [
        (Method::Merge, rules.merge_commit_allowed),
        (Method::Squash, rules.squash_merge_allowed),
        (Method::Rebase, rules.rebase_merge_allowed),
    ];
    let allowed: Vec<Method> = all.iter().filter(|(_, is)| *is).map(|(method, _)| *method).collect();
    match method {
        Some(method) if allowed.contains(&method) => Ok(method),
        // What may be done is not told to every token.
        Some(method) if allowed.is_empty() => Ok(method),
        Some(method) => Err(Error::invalid(format!("The repository does not allow to {}", method.as_str()))
            .with_hint(format!(
                "It allows: {}",
                allowed.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ")
            ))),
        None => Ok(allowed.first().copied().unwrap_or(Method::Merge)),
    }
}

fn preview(repo: &Repo, pull: &Pull, mode: Mode, method: Method) -> Written {
    let (number, base) = (pull.number, base(pull));
    let how = method.as_str();
    let mut preview = Written::new(match mode {
        Mode::Now => format!("Merge {repo}#{number} into {base} by {how}"),
        Mode::Auto => {
            format!("Have GitHub merge {repo}#{number} into {base} by {how} when all requirements are met")
        }
        Mode::Queue => format!("Put {repo}#{number} into the merge queue of {base}"),
    })
    .change(format!("\"{}\" by @{}", one_line(&pull.title), pull.author.name()))
    .change(format!(
        "head {}, {}",
        pull.head_ref_oid,
        counted(pull.commit_count.total_count, ("commit", "commits"))
    ));
    if !pull.review_decision.is_empty() {
        preview = preview.change(format!("review: {}", words::words(&pull.review_decision)));
    }
    if let Some(checks) = words::checks(pull) {
        preview = preview.change(format!("checks {checks}"));
    }
    if mode == Mode::Auto {
        for block in blocks(pull) {
            preview = preview.change(format!("waits for: {block}"));
        }
    }
    for issue in &pull.closing_issues_references.nodes {
        preview = preview.change(format!("closes {}#{}", issue.repository.name_with_owner, issue.number));
    }
    if pull.rules.delete_branch_on_merge && !pull.is_cross_repository {
        preview = preview.change(format!("GitHub then deletes the branch {}", one_line(&pull.head_ref_name)));
    }
    preview
}

/// That the head's branch is left, where nothing deletes it and it is one of the repository's own.
fn branch_stays(pull: &Pull) -> Option<String> {
    let stays = !pull.is_cross_repository && !pull.rules.delete_branch_on_merge;
    stays.then(|| format!("the branch {} stays", one_line(&pull.head_ref_name)))
}

/// What became of the issues that it closes: GitHub closes them a moment after the merge.
async fn closed(call: &Call<GitHub>, pull: &Pull) -> Vec<String> {
    let issues = &pull.closing_issues_references.nodes;
    let asked = issues.iter().map(|issue| async move {
        let place = &issue.repository.name_with_owner;
        let now = call.api().rest_issue(&Repo::parse(place).ok()?, issue.number).await.ok()?;
        Some(now.state() == "closed")
    });
    let states = futures::future::join_all(asked).await;
    let told = issues.iter().zip(states).map(|(issue, closed)| {
        let words = match closed {
            Some(true) => "closed",
            Some(false) => "not closed yet:",
            None => "closes",
        };
        format!("{words} {}#{}", one_line(&issue.repository.name_with_owner), issue.number)
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pull(value: Value) -> Pull {
        connector::tolerant::from_value(value).unwrap()
    }

    #[test]
    fn everything_that_blocks_is_named_at_once() {
        let pull = pull(json!({
            "state": "OPEN", "mergeable": "MERGEABLE", "mergeStateStatus": "BLOCKED", "baseRefName": "main",
            "reviewDecision": "CHANGES_REQUESTED",
            "opinions": {"nodes": [{"author": {"login": "jonas"}, "state": "APPROVED"},
                {"author": {"login": "priya"}, "state": "CHANGES_REQUESTED"}]},
            "threadStates": {"totalCount": 1, "nodes": [{"isResolved": false}]},
            "statusCheckRollup": {"contexts": {"nodes": [
                {"name": "test", "status": "COMPLETED", "conclusion": "FAILURE", "isRequired": true},
                {"name": "lint", "status": "QUEUED", "isRequired": true},
                {"name": "docs", "status": "COMPLETED", "conclusion": "FAILURE", "isRequired": false}]}},
        }));
        assert_eq!(
            blocks(&pull),
            [
                "@priya requested changes",
                "required checks failed: test",
                "required checks not finished: lint",
                "1 review thread is not resolved, which may block it"
            ]
        );
    }

    #[test]
    fn a_failing_check_that_is_not_required_blocks_nothing() {
        let pull = pull(json!({
            "state": "OPEN", "mergeable": "MERGEABLE", "mergeStateStatus": "UNSTABLE",
            "statusCheckRollup": {"contexts": {"nodes": [
                {"name": "docs", "status": "COMPLETED", "conclusion": "FAILURE"}]}},
        }));
        assert!(blocks(&pull).is_empty() && out_of_question(&pull).is_none());
    }

    #[test]
    fn the_method_is_one_that_the_repository_allows() {
        let mut pull = Pull::default();
        pull.rules.squash_merge_allowed = true;
        assert_eq!(allowed(&pull, None).unwrap(), Method::Squash);
        assert!(allowed(&pull, Some(Method::Rebase)).unwrap_err().for_agent().contains("It allows: squash"));
    }
}
