//! Git's objects themselves: blobs, trees, commits, annotated tags.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    Repository,
    asked::{self, full_sha, needed, not_empty, repository, repository_mut, text},
    contents::{in_lines, sound},
    git::{Commit, File, Files, Git, Mode, Object, Tag},
    show::{object_id, person, verification},
};
use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
};

pub(super) fn create_blob(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let content = needed(&body, "content")?;
    let bytes = match text(&body, "encoding").unwrap_or("utf-8") {
        "base64" => STANDARD
            .decode(content.replace(['\n', '\r'], ""))
            .map_err(|_| ApiError::unprocessable("content is not valid Base64"))?,
        _ => content.as_bytes().to_vec(),
    };
    let mut state = cx.site.state();
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    let sha = repo.git.put(Object::Blob(bytes));
    let url = repo.url(cx.site, &format!("/git/blobs/{sha}"));
    Ok(FakeResponse::created(json!({ "sha": sha, "url": url })))
}

pub(super) fn blob(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let sha = cx.variable("file_sha");
    full_sha(sha)?;
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let bytes = repo.git.blob(sha).ok_or_else(ApiError::not_found)?;
    if cx.accepts("raw") {
        return Ok(FakeResponse::bytes("application/vnd.github.raw+json; charset=utf-8", bytes.to_vec()));
    }
    Ok(FakeResponse::json(json!({
        "sha": sha,
        "node_id": object_id("B", repo.id, sha),
        "size": bytes.len(),
        "url": repo.url(cx.site, &format!("/git/blobs/{sha}")),
        "content": in_lines(bytes),
        "encoding": "base64",
    })))
}

fn tree_json(site: &Site, repo: &Repository, tree: &str, recursive: bool) -> Value {
    let mut rows = Vec::new();
    let whole = entries(site, repo, tree, "", recursive, &mut rows);
    json!({
        "sha": tree,
        "url": repo.url(site, &format!("/git/trees/{tree}")),
        "tree": rows,
        "truncated": !whole,
    })
}

/// Adds the entries of a tree; false if there are more than are shown.
fn entries(
    site: &Site,
    repo: &Repository,
    tree: &str,
    under: &str,
    recursive: bool,
    rows: &mut Vec<Value>,
) -> bool {
    for entry in repo.git.tree(tree).unwrap_or_default() {
        if rows.len() >= repo.tree_limit {
            return false;
        }
        let path = format!("{under}{}", entry.name);
        let mut row = json!({
            "path": path,
            "mode": entry.mode.octal(),
            "type": entry.mode.kind(),
            "sha": entry.sha,
        });
        if let Some(bytes) = repo.git.blob(&entry.sha) {
            row["size"] = json!(bytes.len());
        }
        if entry.mode != Mode::Submodule {
            let url = format!("/git/{}s/{}", entry.mode.kind(), entry.sha);
            row["url"] = json!(repo.url(site, &url));
        }
        rows.push(row);
        if recursive && entry.mode == Mode::Tree {
            let under = format!("{path}/");
            if !entries(site, repo, &entry.sha, &under, recursive, rows) {
                return false;
            }
        }
    }
    true
}

pub(super) fn tree(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let asked = cx.variable("tree_sha");
    let tree = if repo.git.tree(asked).is_some() {
        asked.to_owned()
    } else {
        let commit = repo.resolve(asked).ok_or_else(ApiError::not_found)?;
        repo.git.commit(&commit).map(|commit| commit.tree.clone()).ok_or_else(ApiError::not_found)?
    };
    // docs.github.com: any value asks for it, "0" and "false" too.
    let recursive = cx.query("recursive").is_some();
    Ok(FakeResponse::json(tree_json(cx.site, repo, &tree, recursive)))
}

pub(super) fn create_tree(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let mut state = cx.site.state();
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    let git = &mut repo.git;
    let mut files = match text(&body, "base_tree") {
        None => Files::new(),
        Some(base) => {
            let tree = match git.commit(base) {
                Some(commit) => commit.tree.clone(),
                None => base.to_owned(),
            };
            if git.tree(&tree).is_none() {
                return Err(ApiError::unprocessable("base_tree is not a valid tree oid"));
            }
            git.files(&tree)
        }
    };
    let rows = body.get("tree").and_then(Value::as_array);
    let rows =
        rows.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"tree\" wasn't supplied."))?;
    for row in rows {
        place(git, &mut files, row)?;
    }
    let tree = git.write_tree(&files);
    Ok(FakeResponse::created(tree_json(cx.site, repo, &tree, false)))
}

/// Puts an entry of a new tree among its files, or takes it away.
fn place(git: &mut Git, files: &mut Files, row: &Value) -> Outcome<()> {
    let path = row["path"].as_str().unwrap_or_default();
    if sound(path).is_err() {
        return Err(ApiError::unprocessable("tree.path contains a malformed path component"));
    }
    let under = format!("{path}/");
    if row.get("sha").is_some_and(Value::is_null) && row.get("content").is_none() {
        files.retain(|other, _| other != path && !other.starts_with(&under));
        return Ok(());
    }
    let mode = row["mode"].as_str().and_then(Mode::parse);
    let mode = mode.ok_or_else(|| ApiError::unprocessable("Must supply a valid tree.mode"))?;
    let sha = match (row["sha"].as_str(), row["content"].as_str()) {
        (Some(_), Some(_)) => {
            return Err(ApiError::unprocessable("Must not supply both tree.sha and tree.content"));
        }
        (Some(sha), None) => sha.to_owned(),
        (None, Some(content)) => git.put(Object::Blob(content.as_bytes().to_vec())),
        (None, None) => return Err(ApiError::unprocessable("Must supply either tree.sha or tree.content")),
    };
    let kind = git.object(&sha).map(Object::kind);
    if mode != Mode::Submodule && kind != Some(mode.kind()) {
        return Err(ApiError::unprocessable(format!("tree.sha {sha} is not a valid {}", mode.kind())));
    }
    files.retain(|other, _| other != path && !other.starts_with(&under));
    if mode == Mode::Tree {
        let below = git.files(&sha).into_iter().map(|(name, file)| (format!("{under}{name}"), file));
        files.extend(below);
        return Ok(());
    }
    // A file where there was one of the directories above it takes its place.
    let above: Vec<_> = path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect();
    for directory in above {
        files.remove(&directory);
    }
    files.insert(path.to_owned(), File { mode, sha });
    Ok(())
}

/// A commit as git has it ("git commit"); null if there is none.
pub(super) fn git_commit_json(site: &Site, repo: &Repository, sha: &str) -> Value {
    let Some(commit) = repo.git.commit(sha) else { return Value::Null };
    let parents: Vec<_> = commit
        .parents
        .iter()
        .map(|parent| {
            json!({
                "sha": parent,
                "url": repo.url(site, &format!("/git/commits/{parent}")),
                "html_url": repo.html_url(&format!("/commit/{parent}")),
            })
        })
        .collect();
    json!({
        "sha": sha,
        "node_id": object_id("C", repo.id, sha),
        "url": repo.url(site, &format!("/git/commits/{sha}")),
        "html_url": repo.html_url(&format!("/commit/{sha}")),
        "author": person(&commit.author),
        "committer": person(&commit.committer),
        "tree": {
            "sha": commit.tree,
            "url": repo.url(site, &format!("/git/trees/{}", commit.tree)),
        },
        "message": commit.text(),
        "parents": parents,
        "verification": verification(commit),
    })
}

pub(super) fn commit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    let sha = cx.variable("commit_sha");
    full_sha(sha)?;
    repo.git.commit(sha).ok_or_else(ApiError::not_found)?;
    Ok(FakeResponse::json(git_commit_json(cx.site, repo, sha)))
}

pub(super) fn create_commit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let (message, tree) = (needed(&body, "message")?, needed(&body, "tree")?);
    let mut state = cx.site.state();
    let caller = asked::caller(cx, &state);
    let given = asked::person(&body, "author", caller.at)?;
    let committer = asked::person(&body, "committer", caller.at)?;
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    if repo.git.tree(tree).is_none() {
        return Err(ApiError::unprocessable("Tree SHA does not exist"));
    }
    let parents = parents(&body, &repo.git)?;
    let author = given.unwrap_or(caller);
    let commit = Commit {
        tree: tree.to_owned(),
        parents,
        committer: committer.unwrap_or_else(|| author.clone()),
        author,
        signature: text(&body, "signature").map(str::to_owned),
        message: message.to_owned(),
    };
    let sha = repo.git.put(Object::Commit(commit));
    Ok(FakeResponse::created(git_commit_json(cx.site, repo, &sha)))
}

fn parents(body: &Map<String, Value>, git: &Git) -> Outcome<Vec<String>> {
    let given = body.get("parents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let known = |parent: &Value| parent.as_str().filter(|sha| git.commit(sha).is_some()).map(str::to_owned);
    let unknown = || ApiError::unprocessable("Parent SHA does not exist or is not a commit object");
    given.iter().map(|parent| known(parent).ok_or_else(unknown)).collect()
}

fn tag_json(site: &Site, repo: &Repository, sha: &str) -> Option<Value> {
    let tag = repo.git.tag(sha)?;
    Some(json!({
        "node_id": object_id("TA", repo.id, sha),
        "sha": sha,
        "url": repo.url(site, &format!("/git/tags/{sha}")),
        "tagger": person(&tag.tagger),
        "object": {
            "sha": tag.object,
            "type": tag.kind,
            "url": repo.url(site, &format!("/git/{}s/{}", tag.kind, tag.object)),
        },
        "tag": tag.name,
        "message": tag.message,
        "verification": {
            "verified": false,
            "reason": "unsigned",
            "signature": null,
            "payload": null,
            "verified_at": null,
        },
    }))
}

pub(super) fn tag(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    not_empty(&repo.git)?;
    tag_json(cx.site, repo, cx.variable("tag_sha")).map(FakeResponse::json).ok_or_else(ApiError::not_found)
}

pub(super) fn create_tag(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let (name, message) = (needed(&body, "tag")?, needed(&body, "message")?);
    let (object, kind) = (needed(&body, "object")?, needed(&body, "type")?);
    let mut state = cx.site.state();
    let caller = asked::caller(cx, &state);
    let now = cx.site.now().parse::<Timestamp>().unwrap_or_default().as_second();
    let tagger = asked::person(&body, "tagger", now)?.unwrap_or(caller);
    let repo = repository_mut(cx, &mut state)?;
    not_empty(&repo.git)?;
    match repo.git.object(object) {
        None => return Err(ApiError::unprocessable("Could not verify object")),
        Some(found) if found.kind() != kind => {
            return Err(ApiError::unprocessable(format!("Object is a {}, not a {kind}", found.kind())));
        }
        Some(_) => {}
    }
    let tag = Tag {
        object: object.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        tagger,
        message: message.to_owned(),
    };
    let sha = repo.git.put(Object::Tag(tag));
    tag_json(cx.site, repo, &sha).map(FakeResponse::created).ok_or_else(ApiError::not_found)
}
