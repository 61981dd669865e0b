//! `createCommitOnBranch`: a commit of several files, on top of a head that must still be the one that the
//! caller has seen.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use connector::sandbox::graphql::Resolved;
use http::StatusCode;
use serde_json::Value;

use super::{
    asked::{self, may_push},
    contents::sound,
    git::{Commit, File, Mode, Object},
    graphql::{object_node, ref_node},
    pushes::pushed,
    show::{SIGNED, github, parse_object_id},
};
use crate::sandbox::{
    errors::{ApiError, Outcome},
    graphql::may,
    request::RequestContext,
    route::write,
    state::State,
};

pub(super) fn commit(cx: &RequestContext<'_>, input: &Value) -> Outcome<Resolved> {
    let (id, branch) = branch(&cx.site.state(), &input["branch"])?;
    may(cx, id, write("contents"))?;
    let additions = additions(&input["fileChanges"]["additions"])?;
    let deletions = input["fileChanges"]["deletions"].as_array().into_iter().flatten();
    let deletions: Vec<_> = deletions.filter_map(|row| row["path"].as_str()).collect();
    let headline = input["message"]["headline"].as_str().unwrap_or_default();
    let message = match input["message"]["body"].as_str().filter(|body| !body.is_empty()) {
        Some(body) => format!("{headline}\n\n{body}"),
        None => headline.to_owned(),
    };
    let mut state = cx.site.state();
    let author = asked::caller(cx, &state);
    let repo = state.repos.get_mut(id).ok_or_else(ApiError::not_found)?;
    let missing = || ApiError::missing(format!("Could not resolve to a branch with the name '{branch}'."));
    let head = repo.git.branch(&branch).ok_or_else(missing)?.to_owned();
    let expected = input["expectedHeadOid"].as_str().unwrap_or_default();
    if head != expected {
        // As seen: github.com/ministryofjustice/modernisation-platform/issues/11985.
        let words =
            format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.");
        return Err(ApiError::unprocessable(words).kind("STALE_DATA"));
    }
    may_push(cx, repo, &branch, StatusCode::UNPROCESSABLE_ENTITY)?;
    let mut files = repo.git.files_of(Some(&head));
    for path in deletions {
        let under = format!("{path}/");
        let before = files.len();
        files.retain(|other, _| other != path && !other.starts_with(&under));
        if files.len() == before {
            let words =
                format!("A path was requested for deletion which does not exist as of commit oid `{head}`");
            return Err(ApiError::unprocessable(words));
        }
    }
    for (path, content) in additions {
        let sha = repo.git.put(Object::Blob(content));
        let under = format!("{path}/");
        files.retain(|other, _| !other.starts_with(&under));
        // The input knows no modes: what was executable is no longer.
        files.insert(path, File { mode: Mode::File, sha });
    }
    let tree = repo.git.write_tree(&files);
    let commit = Commit {
        tree,
        parents: vec![head],
        committer: github(author.at),
        author,
        signature: Some(SIGNED.to_owned()),
        message,
    };
    let sha = repo.git.put(Object::Commit(commit));
    repo.push(&branch, &sha, &cx.site.now());
    let payload = [
        ("commit", object_node(repo, &sha).into()),
        ("ref", ref_node(repo, &format!("refs/heads/{branch}")).into()),
    ];
    pushed(cx.site, &mut state, id, &branch, &sha, cx.caller.login());
    Ok(Resolved::fields(payload))
}

/// The repository and the branch, by the reference's id or by names.
fn branch(state: &State, input: &Value) -> Outcome<(u64, String)> {
    if let Some(id) = input["id"].as_str() {
        let missing =
            || ApiError::missing(format!("Could not resolve to a node with the global id of '{id}'"));
        let (repo, name) = parse_object_id("REF", id).ok_or_else(missing)?;
        let branch = name.strip_prefix("refs/heads/").ok_or_else(missing)?;
        return Ok((repo, branch.to_owned()));
    }
    let (Some(full), Some(branch)) =
        (input["repositoryNameWithOwner"].as_str(), input["branchName"].as_str())
    else {
        let words = "Must provide either a branch id or a repositoryNameWithOwner and a branchName.";
        return Err(ApiError::unprocessable(words));
    };
    let found = full.split_once('/').and_then(|(owner, name)| state.repos.find(owner, name));
    let found = found.ok_or_else(|| {
        ApiError::missing(format!("Could not resolve to a Repository with the name '{full}'."))
    })?;
    Ok((found.id, branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned()))
}

/// Paths and contents of the files to write.
fn additions(rows: &Value) -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for row in rows.as_array().into_iter().flatten() {
        let path = row["path"].as_str().unwrap_or_default();
        if sound(path).is_err() {
            return Err(ApiError::unprocessable(format!("A path contains a malformed component: {path}")));
        }
        let content = STANDARD.decode(row["contents"].as_str().unwrap_or_default());
        let content = content
            .map_err(|_| ApiError::unprocessable(format!("The contents of {path} are not valid Base64")))?;
        files.push((path.to_owned(), content));
    }
    Ok(files)
}
