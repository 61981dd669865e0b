//! Commits: lists, and one with what it changed.

use serde_json::{Value, json};

use super::{
    Repository,
    asked::{not_empty, repository, since},
    git::{Change, Commit, Signature},
    show::{change_json, commit_json, login_of},
};
use crate::sandbox::{
    Site,
    answer::Answer,
    ask::Ask,
    errors::{ApiError, Outcome},
    state::State,
};

/// The most files of a page of a commit (docs.github.com, "Get a commit").
const FILES: usize = 300;

pub(super) const DIFF: &str = "application/vnd.github.diff; charset=utf-8";
pub(super) const PATCH: &str = "application/vnd.github.patch; charset=utf-8";
const SHA: &str = "application/vnd.github.sha; charset=utf-8";

pub(super) fn list(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let repo = repository(ask, &state)?;
    not_empty(&repo.git)?;
    let start = ask.query("sha").unwrap_or(&repo.default_branch);
    let head = repo.resolve(start).ok_or_else(ApiError::not_found)?;
    let log = match ask.query("path") {
        Some(path) => repo.git.log_of(&head, path.trim_matches('/')),
        None => repo.git.log(&head),
    };
    let after = ask.query("since").and_then(since);
    let before = ask.query("until").and_then(since);
    let fits = |commit: &Commit| {
        let at = commit.committer.at;
        after.is_none_or(|after| at >= after)
            && before.is_none_or(|before| at <= before)
            && ask.query("author").is_none_or(|who| is(&state, &commit.author, who))
            && ask.query("committer").is_none_or(|who| is(&state, &commit.committer, who))
    };
    let rows: Vec<_> = log.into_iter().filter(|sha| repo.git.commit(sha).is_some_and(fits)).collect();
    Ok(ask.page(&rows, |sha| commit_json(ask.site, &state, repo, sha)))
}

/// Whether somebody is meant by a login or an e-mail address.
fn is(state: &State, signature: &Signature, who: &str) -> bool {
    signature.email.eq_ignore_ascii_case(who)
        || login_of(state, signature).is_some_and(|login| login.eq_ignore_ascii_case(who))
}

pub(super) fn get(ask: &Ask<'_>) -> Outcome<Answer> {
    let state = ask.site.state();
    let repo = repository(ask, &state)?;
    not_empty(&repo.git)?;
    let asked = ask.param("ref");
    let unknown = || ApiError::unprocessable(format!("No commit found for SHA: {asked}"));
    let sha = repo.resolve(asked).ok_or_else(unknown)?;
    if ask.accepts("sha") {
        return Ok(Answer::bytes(SHA, sha));
    }
    let commit = repo.git.commit(&sha).ok_or_else(ApiError::not_found)?;
    let changes = repo.git.changes(commit.parents.first().map(String::as_str), &sha);
    if ask.accepts("diff") {
        return Ok(Answer::bytes(DIFF, unified(&changes)));
    }
    if ask.accepts("patch") {
        return Ok(Answer::bytes(PATCH, mail(repo, &sha)));
    }
    Ok(whole(ask, &state, repo, &sha, &changes))
}

/// A commit with a page of its files.
fn whole(ask: &Ask<'_>, state: &State, repo: &Repository, sha: &str, changes: &[Change]) -> Answer {
    let mut shown = commit_json(ask.site, state, repo, sha);
    let (additions, deletions) = changes
        .iter()
        .fold((0, 0), |(more, less), change| (more + change.additions, less + change.deletions));
    shown["stats"] = json!({
        "total": additions + deletions,
        "additions": additions,
        "deletions": deletions,
    });
    let paged = ask.query("page").is_some() || ask.query("per_page").is_some();
    if paged {
        shown["files"] = files_json(ask.site, repo, sha, ask.cut(changes));
        return ask.link(Answer::json(shown), changes.len());
    }
    shown["files"] = files_json(ask.site, repo, sha, &changes[..changes.len().min(FILES)]);
    let answer = Answer::json(shown);
    if changes.len() <= FILES {
        return answer;
    }
    let last = changes.len().div_ceil(FILES);
    let at = |page: usize| repo.url(ask.site, &format!("/commits/{sha}?page={page}"));
    answer.header("link", &format!("<{}>; rel=\"next\", <{}>; rel=\"last\"", at(2), at(last)))
}

/// Changed files as JSON.
pub(super) fn files_json(site: &Site, repo: &Repository, sha: &str, changes: &[Change]) -> Value {
    changes.iter().map(|change| change_json(site, repo, sha, change)).collect()
}

/// Changes as `git diff` writes them.
pub(in crate::sandbox) fn unified(changes: &[Change]) -> String {
    changes.iter().map(Change::unified).collect()
}

/// A commit as `git format-patch` writes it.
pub(in crate::sandbox) fn mail(repo: &Repository, sha: &str) -> String {
    let Some(commit) = repo.git.commit(sha) else { return String::new() };
    let changes = repo.git.changes(commit.parents.first().map(String::as_str), sha);
    let author = &commit.author;
    let date = jiff::Timestamp::from_second(author.at).unwrap_or_default();
    let date = date.strftime("%a, %-d %b %Y %H:%M:%S +0000");
    let text = commit.text().trim_start_matches(commit.subject()).trim();
    let text = if text.is_empty() { String::new() } else { format!("{text}\n") };
    let stat: String = changes
        .iter()
        .map(|change| format!(" {} | {}\n", change.path, change.additions + change.deletions))
        .collect();
    format!(
        "From {sha} Mon Sep 17 00:00:00 2001\nFrom: {} <{}>\nDate: {date}\nSubject: [PATCH] {}\n\n{text}---\n{stat} {} \
         files changed\n\n{}",
        author.name,
        author.email,
        commit.subject(),
        changes.len(),
        unified(&changes),
    )
}
