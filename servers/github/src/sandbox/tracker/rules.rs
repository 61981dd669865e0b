//! What a protected branch demands of a pull request.

use std::collections::BTreeMap;

use super::{
    super::{
        actions::{self, Check},
        repos::{Protection, Role},
    },
    model::{Issue, Pull, Review, Verdict},
    rights::{self, Right},
    show::Show,
};

/// The verdicts of reviewers as they stand: of each who approved or asked for changes, the last.
pub(super) fn verdicts<'p>(pull: &'p Pull, author: &str) -> BTreeMap<&'p str, &'p Review> {
    let mut last = BTreeMap::new();
    for review in &pull.reviews {
        let counts =
            matches!(review.state, Verdict::Approved | Verdict::ChangesRequested | Verdict::Dismissed);
        if counts && !review.author.eq_ignore_ascii_case(author) {
            last.insert(review.author.as_str(), review);
        }
    }
    last
}

/// How far the reviews of a pull request are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Approved,
    ChangesRequested,
    Required,
}

impl Decision {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::ChangesRequested => "CHANGES_REQUESTED",
            Self::Required => "REVIEW_REQUIRED",
        }
    }
}

/// What the reviews come to; none where nobody demands any and nobody gave one. Only reviews of people with write
/// access count.
pub(super) fn decision(show: Show<'_>, issue: &Issue) -> Option<Decision> {
    let pull = issue.pull.as_ref()?;
    let verdicts = verdicts(pull, &issue.author);
    let counting = || verdicts.values().filter(|review| rights::has(show.repo, &review.author, Right::Push));
    let approvals = counting().filter(|review| review.state == Verdict::Approved).count();
    let needed = show.repo.protection.get(&pull.base).and_then(|rules| rules.reviews);
    if counting().any(|review| review.state == Verdict::ChangesRequested) {
        Some(Decision::ChangesRequested)
    } else if needed.is_some_and(|needed| u64::try_from(approvals).unwrap_or(u64::MAX) < needed) {
        Some(Decision::Required)
    } else if approvals > 0 {
        Some(Decision::Approved)
    } else {
        None
    }
}

/// The checks of a pull request's head.
pub(super) fn checks(show: Show<'_>, pull: &Pull) -> Vec<Check> {
    actions::checks_of(show.site, show.state, show.repo.id, &pull.head_sha)
}

/// What keeps a pull request from being merged, in GitHub's words, the most important first; nothing if nothing
/// does. Administrators are kept too only where the rules say so.
pub(super) fn obstacles(show: Show<'_>, issue: &Issue, by: &str) -> Vec<String> {
    let Some(pull) = &issue.pull else { return Vec::new() };
    let Some(rules) = show.repo.protection.get(&pull.base) else { return Vec::new() };
    if !rules.admins && show.repo.role(by) == Some(Role::Admin) {
        return Vec::new();
    }
    let mut found = Vec::new();
    match decision(show, issue) {
        Some(Decision::ChangesRequested) if rules.reviews.is_some() => {
            found.push("Changes were requested by a reviewer with write access.".to_owned());
        }
        Some(Decision::Required) => {
            let needed = rules.reviews.unwrap_or(1);
            let (noun, verb) = if needed == 1 { ("review", "is") } else { ("reviews", "are") };
            found.push(format!(
                "At least {needed} approving {noun} {verb} required by reviewers with write access."
            ));
        }
        _ => {}
    }
    found.extend(missing_checks(show, pull, rules));
    if rules.resolved_conversations && pull.threads.iter().any(|thread| thread.resolved_by.is_none()) {
        found.push("All comments must be resolved.".to_owned());
    }
    if rules.strict && behind(show, pull) {
        found.push("The head branch must be up to date with the base branch.".to_owned());
    }
    found
}

/// What the words say of checks that must have succeeded and have not.
fn missing_checks(show: Show<'_>, pull: &Pull, rules: &Protection) -> Option<String> {
    let checks = checks(show, pull);
    let mut unmet = Vec::new();
    for name in &rules.checks {
        let mine: Vec<_> = checks.iter().filter(|check| answers(check, name)).collect();
        let word = if mine.is_empty() {
            "expected"
        } else if mine.iter().all(|check| succeeded(check)) {
            continue;
        } else if mine.iter().any(|check| check.conclusion.is_some() && !succeeded(check)) {
            "failing"
        } else {
            "in progress"
        };
        unmet.push((name, word));
    }
    match unmet.as_slice() {
        [] => None,
        [(name, word)] => Some(format!("Required status check \"{name}\" is {word}.")),
        many => {
            let all = rules.checks.len();
            let count = |word: &str| many.iter().filter(|(_, one)| *one == word).count();
            let parts: Vec<_> = ["failing", "in progress", "expected"]
                .into_iter()
                .filter(|word| count(word) > 0)
                .map(|word| format!("{} {word}", count(word)))
                .collect();
            Some(format!(
                "{} of {all} required status checks have not succeeded: {}.",
                many.len(),
                parts.join(", ")
            ))
        }
    }
}

/// Whether a check is the one that is demanded under this name: a job of a matrix is, too.
pub(super) fn answers(check: &Check, name: &str) -> bool {
    let matrix = check.name.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ("));
    check.name == name || matrix
}

/// "Checks must have a `successful`, `skipped`, or `neutral` status" (docs.github.com, "Troubleshooting required
/// status checks").
pub(super) fn succeeded(check: &Check) -> bool {
    matches!(check.conclusion.as_deref(), Some("success" | "skipped" | "neutral"))
}

/// Whether the base has commits that the head lacks.
pub(super) fn behind(show: Show<'_>, pull: &Pull) -> bool {
    !show.repo.git.leads_to(&pull.base_sha, &pull.head_sha)
}
