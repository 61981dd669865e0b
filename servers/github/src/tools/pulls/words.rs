//! Pull requests in words: their state, their checks, a row of a listing.

use std::fmt::Write as _;

use connector::{
    catalog::{one_line, words::listed},
    upstream::Connection,
};

use crate::{
    api::pulls::{Check, Pull, Thread, Verdict},
    render,
};

/// Names of failing checks that a summary gives.
const NAMED: usize = 3;
/// Pull requests that a line under a listing names.
const LISTED: usize = 20;

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

/// What checks come to: `4/4`, `3/4, test failing`, `1/4, 2 running`; none where there are none, and
/// `not known` where the token may not read them.
pub(super) fn checks(pull: &Pull) -> Option<String> {
    let (checks, tally) = (pull.checks(), pull.tally());
    let all = tally.all();
    let unread = pull.checks_unread.is_some();
    if all == 0 {
        return unread.then(|| "not known".to_owned());
    }
    let mut text = format!("{}/{all}", tally.passed);
    let failing = checks.nodes.iter().filter(|check| check.verdict() == Verdict::Failed);
    let names: Vec<_> = failing.map(named).take(NAMED).collect();
    match tally.failed.saturating_sub(names.len() as u64) {
        0 if names.is_empty() => {}
        0 => {
            let _ = write!(text, ", {} failing", names.join(", "));
        }
        // Those beyond the page that was read have no names here.
        more if names.is_empty() => {
            let _ = write!(text, ", {more} failing");
        }
        more => {
            let _ = write!(text, ", {} and {more} more failing", names.join(", "));
        }
    }
    if tally.running > 0 {
        let _ = write!(text, ", {} running", tally.running);
    }
    let total = checks.total_count.unwrap_or_default();
    if unread {
        text.push_str(" (others not known)");
    } else if total > all as f64 {
        let _ = write!(text, " (of {total} in all)");
    }
    Some(text)
}

/// A check's name, and the job whose log says more, where it is one of GitHub Actions.
fn named(check: &Check) -> String {
    let name = one_line(&check.name);
    match check.run_id() {
        Some(run) if !check.database_id.is_empty() => format!("{name} (run {run} job {})", check.database_id),
        _ => name,
    }
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
    if pull.is_merged() {
        let _ = write!(row, " {}", render::minute(&pull.merged_at));
        if let Some(by) = &pull.merged_by {
            let _ = write!(row, " by @{}", by.name());
        }
    }
    if pull.conflicts() {
        row.push_str(", conflicts");
    }
    if !pull.review_decision.is_empty() {
        let _ = write!(row, ", {}", words(&pull.review_decision));
    }
    if let Some(checks) = checks(pull) {
        let _ = write!(row, ", checks {checks}");
    }
    if let Some(open) = unresolved(&pull.review_threads) {
        let _ = write!(row, ", {open} unresolved");
    }
    let _ = write!(
        row,
        ", {}@{}, {} -> {}",
        // Beside who merged it.
        if pull.is_open() { "" } else { "opened by " },
        pull.author.name(),
        one_line(&head(pull)),
        one_line(&pull.base_ref_name)
    );
    if !pull.labels.nodes.is_empty() {
        let labels: Vec<_> = pull.labels.nodes.iter().map(|label| one_line(&label.name)).collect();
        let _ = write!(row, ", [{}]", labels.join(", "));
    }
    // What was last done to a merged one is mostly that it was merged.
    let updated = render::day(&pull.updated_at);
    if !pull.is_merged() || updated != render::day(&pull.merged_at) {
        let _ = write!(row, ", updated {updated}");
    }
    let _ = write!(row, ": {}", one_line(&pull.title));
    row
}

/// That GitHub does not know of these yet whether they conflict, if there are any.
pub(super) fn being_weighed<'p>(pulls: impl IntoIterator<Item = &'p Pull>) -> Option<String> {
    let unknown = pulls.into_iter().filter(|pull| pull.is_being_weighed());
    let names: Vec<_> = unknown.map(|pull| format!("#{}", pull.number)).collect();
    let verb = match names.len() {
        0 => return None,
        1 => "conflicts",
        _ => "conflict",
    };
    Some(format!("GitHub is still working out whether {} {verb}; ask again.", listed(&names, LISTED)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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

    #[test]
    fn conflicts_are_told_of_open_ones_only() {
        let pull = |number: u64, state: &str, mergeable: &str| -> Pull {
            connector::tolerant::from_value(
                json!({"number": number, "state": state, "isDraft": true, "mergeable": mergeable}),
            )
            .unwrap()
        };
        assert!(row(&pull(1, "OPEN", "CONFLICTING")).starts_with("#1 draft, conflicts, @"));
        for (state, mergeable) in [("OPEN", "MERGEABLE"), ("OPEN", "UNKNOWN"), ("CLOSED", "CONFLICTING")] {
            assert!(!row(&pull(1, state, mergeable)).contains("conflict"), "{state} {mergeable}");
        }
        // GitHub says UNKNOWN of all that are not open.
        let known = [pull(1, "OPEN", "MERGEABLE"), pull(2, "MERGED", "UNKNOWN"), pull(3, "OPEN", "")];
        assert_eq!(being_weighed(&known), None);
        let [first, second] = [4, 5].map(|number| pull(number, "OPEN", "UNKNOWN"));
        assert_eq!(
            being_weighed([&known[0], &first]).unwrap(),
            "GitHub is still working out whether #4 conflicts; ask again."
        );
        assert_eq!(
            being_weighed([&first, &second]).unwrap(),
            "GitHub is still working out whether #4, #5 conflict; ask again."
        );
    }

    #[test]
    fn checks_beyond_the_page_that_was_read_are_counted() {
        let text = |success: u64, failure: u64, statuses: Value| {
            let pull: Pull = connector::tolerant::from_value(json!({
                "state": "OPEN", "statusCheckRollup": {"contexts": {"totalCount": 121,
                    "nodes": [{"name": "a", "status": "COMPLETED", "conclusion": "SUCCESS"},
                        {"name": "b", "status": "COMPLETED", "conclusion": "FAILURE"}],
                    "checkRunCountsByState": [{"state": "SUCCESS", "count": success},
                        {"state": "TIMED_OUT", "count": failure}],
                    "statusContextCountsByState": statuses}},
            }))
            .unwrap();
            checks(&pull).unwrap()
        };
        assert_eq!(
            text(117, 3, json!([{"state": "PENDING", "count": 1}])),
            "117/121, b and 2 more failing, 1 running"
        );
        assert_eq!(text(120, 1, json!(null)), "120/121, b failing");
        // Where GitHub does not count, what was read is all that is known.
        assert_eq!(text(0, 0, json!(null)), "1/2, b failing (of 121 in all)");
    }
}
