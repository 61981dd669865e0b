//! Pull requests in words: their state, their checks, a row of a listing.

use std::fmt::Write as _;

use connector::{catalog::one_line, upstream::Connection};

use crate::{
    api::pulls::{Check, Pull, Thread, Verdict},
    render,
};

/// Names of failing checks that a summary gives.
const NAMED: usize = 3;

/// `open`, `draft`, `merged` or `closed`.
pub(super) fn state(pull: &Pull) -> String {
    if pull.is_open() && pull.is_draft { "draft".to_owned() } else { pull.state.to_lowercase() }
}

/// GitHub's constants (`CHANGES_REQUESTED`) as words.
pub(super) fn words(constant: &str) -> String {
    constant.to_lowercase().replace('_', " ")
}

/// Where it comes from: a branch, or `owner:branch` of a fork.
pub(super) fn head(pull: &Pull) -> String {
    match &pull.head_repository_owner {
        Some(owner) if pull.is_cross_repository => format!("{}:{}", owner.name(), pull.head_ref_name),
        None if pull.is_cross_repository => format!("{} of a fork that is gone", pull.head_ref_name),
        _ => pull.head_ref_name.clone(),
    }
}

/// What checks come to: `4/4`, `3/4, test failing`, `1/4, 2 running`; none where there are none.
pub(super) fn checks(checks: &Connection<Check>) -> Option<String> {
    if checks.nodes.is_empty() {
        return None;
    }
    let of = |verdict: Verdict| checks.nodes.iter().filter(move |check| check.verdict() == verdict);
    let mut text = format!("{}/{}", of(Verdict::Passed).count(), checks.nodes.len());
    let failing: Vec<_> = of(Verdict::Failed).map(|check| one_line(&check.name)).collect();
    if let Some((shown, rest)) = failing.split_at_checked(NAMED.min(failing.len()))
        && !shown.is_empty()
    {
        let _ = write!(text, ", {}", shown.join(", "));
        if !rest.is_empty() {
            let _ = write!(text, " and {} more", rest.len());
        }
        text.push_str(" failing");
    }
    let running = of(Verdict::Running).count();
    if running > 0 {
        let _ = write!(text, ", {running} running");
    }
    let total = checks.total_count.unwrap_or_default();
    if total > checks.nodes.len() as f64 {
        let _ = write!(text, " (of {total} in all)");
    }
    Some(text)
}

/// How many threads are not resolved; `+` where there are more than were looked at.
pub(super) fn unresolved(threads: &Connection<Thread>) -> Option<String> {
    let open = threads.nodes.iter().filter(|thread| !thread.is_resolved).count();
    let more = threads.total_count.is_some_and(|total| total > threads.nodes.len() as f64);
    (open > 0 || more).then(|| format!("{open}{}", if more { "+" } else { "" }))
}

/// A row of a listing.
pub(super) fn row(pull: &Pull) -> String {
    let mut row = format!("#{} {}", pull.number, state(pull));
    if !pull.review_decision.is_empty() {
        let _ = write!(row, ", {}", words(&pull.review_decision));
    }
    if let Some(checks) = checks(&pull.checks()) {
        let _ = write!(row, ", checks {checks}");
    }
    if let Some(open) = unresolved(&pull.review_threads) {
        let _ = write!(row, ", {open} unresolved");
    }
    let _ = write!(
        row,
        ", @{}, {} -> {}",
        pull.author.name(),
        one_line(&head(pull)),
        one_line(&pull.base_ref_name)
    );
    if !pull.labels.nodes.is_empty() {
        let labels: Vec<_> = pull.labels.nodes.iter().map(|label| one_line(&label.name)).collect();
        let _ = write!(row, ", [{}]", labels.join(", "));
    }
    let _ = write!(row, ", updated {}: {}", render::day(&pull.updated_at), one_line(&pull.title));
    row
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_says_what_a_reviewer_looks_for() {
        let pull: Pull = connector::tolerant::from_value(json!({
            "number": 485, "state": "OPEN", "title": "Progress\nof a job", "isDraft": false,
            "author": {"__typename": "User", "login": "tomas"}, "headRefName": "eng-31", "baseRefName": "main",
            "reviewDecision": "CHANGES_REQUESTED", "labels": {"nodes": [{"name": "importer"}]},
            "updatedAt": "2026-11-22T12:00:00Z",
            "reviewThreads": {"totalCount": 2, "nodes": [{"isResolved": true}, {"isResolved": false}]},
            "statusCheckRollup": {"contexts": {"totalCount": 3, "nodes": [
                {"name": "build", "status": "COMPLETED", "conclusion": "SUCCESS"},
                {"name": "test", "status": "COMPLETED", "conclusion": "FAILURE"},
                {"context": "deploy", "state": "PENDING"}]}},
        }))
        .unwrap();
        assert_eq!(
            row(&pull),
            "#485 open, changes requested, checks 1/3, test failing, 1 running, 1 unresolved, @tomas, \
             eng-31 -> main, [importer], updated 2026-11-22: Progress of a job"
        );
    }
}
