//! Two commits compared, also across forks.

use http::StatusCode;
use serde_json::json;

use super::{
    Repository,
    asked::{not_empty, repository, sees},
    commits::{DIFF, PATCH, files_json, mail, unified},
    show::commit_json,
};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    state::State,
};

/// The most commits, and files, of a comparison (docs.github.com, "Compare two commits").
const COMMITS: usize = 250;
const FILES: usize = 300;

/// The repository and commit of one side: `branch`, `owner:branch` or `owner:repo:branch`.
fn side<'s>(
    cx: &RequestContext<'_>,
    state: &'s State,
    here: &'s Repository,
    text: &str,
) -> Outcome<(&'s Repository, String)> {
    let parts: Vec<_> = text.splitn(3, ':').collect();
    let (repo, name) = match parts.as_slice() {
        [owner, repo, name] => {
            (state.repos.find(owner, repo).and_then(|found| state.repos.get(found.id)), *name)
        }
        [owner, name] => {
            // Of the same network: this one, or what was forked from the same.
            let root = here.parent.unwrap_or(here.id);
            let related = |repo: &&Repository| {
                repo.owner.eq_ignore_ascii_case(owner) && (repo.id == root || repo.parent == Some(root))
            };
            (state.repos.all().find(related), *name)
        }
        _ => (Some(here), text),
    };
    let repo = repo.filter(|repo| sees(cx.caller, repo)).ok_or_else(ApiError::not_found)?;
    let sha = repo.resolve(name).ok_or_else(ApiError::not_found)?;
    Ok((repo, sha))
}

pub(super) fn compare(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let here = repository(cx, &state)?;
    not_empty(&here.git)?;
    let asked = cx.variable("basehead");
    let (base_name, head_name) = asked.split_once("...").ok_or_else(ApiError::not_found)?;
    let (base_repo, base) = side(cx, &state, here, base_name)?;
    let (head_repo, head) = side(cx, &state, here, head_name)?;
    // Both sides' objects in one place.
    let mut joined = head_repo.clone();
    joined.git.absorb(&base_repo.git);
    let git = &joined.git;
    let common = git.merge_base(&base, &head).ok_or_else(|| {
        let message = format!("No common ancestor between {base_name} and {head_name}.");
        ApiError::new(StatusCode::NOT_FOUND, message)
    })?;
    let changes = git.changes(Some(&common), &head);
    if cx.accepts("diff") {
        return Ok(FakeResponse::bytes(DIFF, unified(&changes)));
    }
    let mut commits = git.between(&base, &head);
    let behind = git.between(&head, &base).len();
    let ahead = commits.len();
    commits.reverse();
    if cx.accepts("patch") {
        let mails: String = commits.iter().map(|sha| mail(&joined, sha)).collect();
        return Ok(FakeResponse::bytes(PATCH, mails));
    }
    let status = match (ahead, behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let paged = cx.query("page").is_some() || cx.query("per_page").is_some();
    let shown = if paged { cx.cut(&commits) } else { &commits[ahead - ahead.min(COMMITS)..] };
    let shown: Vec<_> = shown.iter().map(|sha| commit_json(cx.site, &state, &joined, sha)).collect();
    let place = format!("/compare/{}", super::show::encoded(asked));
    let html = here.html_url(&place);
    let mut answer = json!({
        "url": here.url(cx.site, &place),
        "html_url": html,
        "permalink_url": here.html_url(&format!(
            "/compare/{}:{}...{}:{}",
            base_repo.owner,
            &base[..7],
            head_repo.owner,
            &head[..7]
        )),
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "base_commit": commit_json(cx.site, &state, base_repo, &base),
        "merge_base_commit": commit_json(cx.site, &state, &joined, &common),
        "status": status,
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "commits": shown,
    });
    // The files are on the first page only.
    if cx.paging().0 == 1 {
        answer["files"] = files_json(cx.site, head_repo, &head, &changes[..changes.len().min(FILES)]);
    }
    let answer = FakeResponse::json(answer);
    Ok(if paged { cx.link(answer, ahead) } else { answer })
}
