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
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

/// The files of a page of a commit, where no other number is asked for: `Link` leads to the pages after it
/// (docs.github.com, "Get a commit").
const FILES: usize = 300;
/// Files that are listed of a commit, at most.
const LISTED: usize = 3_000;

pub(super) const DIFF: &str = "application/vnd.github.diff; charset=utf-8";
pub(super) const PATCH: &str = "application/vnd.github.patch; charset=utf-8";
const SHA: &str = "application/vnd.github.sha; charset=utf-8";

pub(super) fn list(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let start = cx.query("sha").unwrap_or(&repo.default_branch);
    let head = repo.resolve(start).ok_or_else(ApiError::not_found)?;
    let log = match cx.query("path") {
        Some(path) => repo.git.log_of(&head, path.trim_matches('/')),
        None => repo.git.log(&head),
    };
    let after = cx.query("since").and_then(since);
    let before = cx.query("until").and_then(since);
    let fits = |commit: &Commit| {
        let at = commit.committer.at;
        after.is_none_or(|after| at >= after)
            && before.is_none_or(|before| at <= before)
            && cx.query("author").is_none_or(|who| is(&state, &commit.author, who))
            && cx.query("committer").is_none_or(|who| is(&state, &commit.committer, who))
    };
    let rows: Vec<_> = log.into_iter().filter(|sha| repo.git.commit(sha).is_some_and(fits)).collect();
    Ok(cx.page(&rows, |sha| commit_json(cx.site, &state, repo, sha)))
}

/// Whether somebody is meant by a login or an e-mail address.
fn is(state: &State, signature: &Signature, who: &str) -> bool {
    signature.email.eq_ignore_ascii_case(who)
        || login_of(state, signature).is_some_and(|login| login.eq_ignore_ascii_case(who))
}

pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let asked = cx.variable("ref");
    let unknown = || ApiError::unprocessable(format!("No commit found for SHA: {asked}"));
    let sha = repo.resolve(asked).ok_or_else(unknown)?;
    if cx.accepts("sha") {
        return Ok(FakeResponse::bytes(SHA, sha));
    }
    let commit = repo.git.commit(&sha).ok_or_else(ApiError::not_found)?;
    let changes = repo.git.changes(commit.parents.first().map(String::as_str), &sha);
    if cx.accepts("diff") {
        return Ok(FakeResponse::bytes(DIFF, unified(&changes)));
    }
    if cx.accepts("patch") {
        return Ok(FakeResponse::bytes(PATCH, mail(repo, &sha)));
    }
    Ok(whole(cx, &state, repo, &sha, &changes))
}

/// A commit with a page of its files.
fn whole(
    cx: &RequestContext<'_>,
    state: &State,
    repo: &Repository,
    sha: &str,
    changes: &[Change],
) -> FakeResponse {
    let mut shown = commit_json(cx.site, state, repo, sha);
    let (additions, deletions) = changes
        .iter()
        .fold((0, 0), |(more, less), change| (more + change.additions, less + change.deletions));
    shown["stats"] = json!({
        "total": additions + deletions,
        "additions": additions,
        "deletions": deletions,
    });
    // docs.github.com, "Get a commit": up to 3,000 files.
    let changes = &changes[..changes.len().min(LISTED)];
    let chosen = cx.query("per_page").is_some();
    let (page, rows) = cx.paging();
    let rows = if chosen { rows } else { FILES };
    let start = (page - 1).saturating_mul(rows).min(changes.len());
    let end = (start + rows).min(changes.len());
    shown["files"] = files_json(cx.site, repo, sha, &changes[start..end]);
    let answer = FakeResponse::json(shown);
    if chosen {
        return cx.link(answer, changes.len());
    }
    let last = changes.len().div_ceil(FILES);
    let at = |page: usize, rel: &str| {
        format!("<{}>; rel=\"{rel}\"", repo.url(cx.site, &format!("/commits/{sha}?page={page}")))
    };
    let back = (page > 1).then(|| [at(page - 1, "prev"), at(1, "first")]);
    let on = (page < last).then(|| [at(page + 1, "next"), at(last, "last")]);
    let links: Vec<_> = back.into_iter().chain(on).flatten().collect();
    if links.is_empty() { answer } else { answer.header("link", &links.join(", ")) }
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
