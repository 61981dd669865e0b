//! Files and directories by their path.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Repository,
    asked::{self, may_push, needed, repository, text},
    git::{Commit, File, Mode, Object},
    objects::git_commit_json,
    pushes::pushed,
    show::{SIGNED, encoded, github},
};
use crate::sandbox::{
    Site,
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
};

/// The largest file whose content stands in JSON, in bytes (docs.github.com, "Get repository content").
const IN_JSON: usize = 1024 * 1024;
/// The most entries of a directory that are listed (the same page).
const ENTRIES: usize = 1_000;
/// Letters of a line of base64, as GitHub breaks it.
const LINE: usize = 60;

/// A file or directory that is shown: at which path, of which commit, and how that was asked for.
struct Shown<'a> {
    site: &'a Site,
    repo: &'a Repository,
    commit: &'a str,
    reference: &'a str,
    path: &'a str,
}

/// Bytes in base64, in lines.
pub(super) fn in_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 1);
    for (at, letter) in text.chars().enumerate() {
        lines.push(letter);
        if (at + 1) % LINE == 0 || at + 1 == text.len() {
            lines.push('\n');
        }
    }
    lines
}

pub(super) fn get(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let path = cx.variable("path").trim_matches('/');
    let (commit, reference) = at(cx, repo)?;
    let shown = Shown { site: cx.site, repo, commit: &commit, reference, path };
    let file = repo.git.at_commit(&commit, path).ok_or_else(ApiError::not_found)?;
    if file.mode == Mode::Tree {
        return Ok(directory(cx, &shown, &file));
    }
    one(cx, &shown, file)
}

pub(super) fn readme(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let state = cx.site.state();
    let repo = repository(cx, &state)?;
    let (commit, reference) = at(cx, repo)?;
    let files = repo.git.files_of(Some(&commit));
    // In this order, wherever a README may lie.
    let found = [".github/", "", "docs/"].iter().find_map(|directory| {
        let name = |path: &str| path.strip_prefix(directory).map(str::to_lowercase);
        let fits = |name: &String| !name.contains('/') && (name == "readme" || name.starts_with("readme."));
        files.iter().find(|(path, _)| name(path).as_ref().is_some_and(fits))
    });
    let (path, file) = found.ok_or_else(ApiError::not_found)?;
    one(cx, &Shown { site: cx.site, repo, commit: &commit, reference, path }, file.clone())
}

/// The commit that is asked for, and how.
fn at<'a>(cx: &'a RequestContext<'_>, repo: &'a Repository) -> Outcome<(String, &'a str)> {
    if repo.git.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "This repository is empty."));
    }
    let reference = cx.query("ref").unwrap_or(&repo.default_branch);
    let commit = repo.resolve(reference);
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, format!("No commit found for the ref {reference}"));
    Ok((commit.ok_or_else(unknown)?, reference))
}

impl Shown<'_> {
    /// What listings and files have in common, without a content.
    fn entry(&self, path: &str, file: &File, kind: &str) -> Value {
        let Self { site, repo, reference, .. } = self;
        let place = encoded(path);
        let size = if kind == "file" || kind == "symlink" {
            repo.git.blob(&file.sha).map(<[u8]>::len).unwrap_or_default()
        } else {
            0
        };
        let asked = encoded(reference);
        let url = repo.url(site, &format!("/contents/{place}?ref={asked}"));
        let (git, html, download) = match file.mode {
            Mode::Tree => (
                Some(repo.url(site, &format!("/git/trees/{}", file.sha))),
                Some(repo.html_url(&format!("/tree/{asked}/{place}"))),
                None,
            ),
            Mode::Submodule => (None, None, None),
            Mode::File | Mode::Executable | Mode::Symlink => (
                Some(repo.url(site, &format!("/git/blobs/{}", file.sha))),
                Some(repo.html_url(&format!("/blob/{asked}/{place}"))),
                Some(format!("https://raw.githubusercontent.com/{}/{asked}/{place}", repo.full_name())),
            ),
        };
        json!({
            "name": path.rsplit('/').next(),
            "path": path,
            "sha": file.sha,
            "size": size,
            "url": url,
            "html_url": html,
            "git_url": git,
            "download_url": download,
            "type": kind,
            "_links": { "self": url, "git": git, "html": html },
        })
    }

    /// Where a submodule comes from, by `.gitmodules`.
    fn submodule(&self, path: &str) -> Option<String> {
        let file = self.repo.git.at_commit(self.commit, ".gitmodules")?;
        let text = String::from_utf8_lossy(self.repo.git.blob(&file.sha)?).into_owned();
        let mut ours = false;
        for line in text.lines() {
            match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
                Some(("path", value)) => ours = value == path,
                Some(("url", value)) if ours => return Some(value.to_owned()),
                _ => {}
            }
        }
        None
    }

    /// The file that a symbolic link leads to, if it is one of this repository.
    fn target(&self, file: &File) -> Option<(String, File)> {
        let link = String::from_utf8(self.repo.git.blob(&file.sha)?.to_vec()).ok()?;
        let mut parts: Vec<_> = self.path.split('/').collect();
        parts.pop();
        for part in link.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        let file = self.repo.git.at_commit(self.commit, &path)?;
        matches!(file.mode, Mode::File | Mode::Executable).then_some((path, file))
    }
}

fn directory(cx: &RequestContext<'_>, shown: &Shown<'_>, tree: &File) -> FakeResponse {
    let prefix = if shown.path.is_empty() { String::new() } else { format!("{}/", shown.path) };
    // docs.github.com, "Breaking changes": before 2026-03-10 a submodule was listed as a file.
    let version = cx.headers.get("x-github-api-version").and_then(|value| value.to_str().ok());
    let submodule = if version == Some("2026-03-10") { "submodule" } else { "file" };
    let entries = shown.repo.git.tree(&tree.sha).unwrap_or_default().iter().take(ENTRIES).map(|entry| {
        let file = File { mode: entry.mode, sha: entry.sha.clone() };
        let kind = match entry.mode {
            Mode::Tree => "dir",
            Mode::Symlink => "symlink",
            Mode::Submodule => submodule,
            Mode::File | Mode::Executable => "file",
        };
        shown.entry(&format!("{prefix}{}", entry.name), &file, kind)
    });
    let entries: Vec<_> = entries.collect();
    if cx.accepts("object") {
        let mut object = shown.entry(shown.path, tree, "dir");
        object["entries"] = entries.into();
        return FakeResponse::json(object);
    }
    FakeResponse::json(entries)
}

/// A single file, as it is or in JSON.
fn one(cx: &RequestContext<'_>, shown: &Shown<'_>, file: File) -> Outcome<FakeResponse> {
    let git = &shown.repo.git;
    if file.mode == Mode::Submodule {
        let mut object = shown.entry(shown.path, &file, "submodule");
        object["submodule_git_url"] = json!(shown.submodule(shown.path));
        return Ok(FakeResponse::json(object));
    }
    let followed = if file.mode == Mode::Symlink { shown.target(&file) } else { None };
    if file.mode == Mode::Symlink && followed.is_none() && !cx.accepts("raw") {
        let mut object = shown.entry(shown.path, &file, "symlink");
        object["target"] = json!(String::from_utf8_lossy(git.blob(&file.sha).unwrap_or_default()));
        return Ok(FakeResponse::json(object));
    }
    let file = followed.map_or(file, |(_, file)| file);
    let bytes = git.blob(&file.sha).ok_or_else(ApiError::not_found)?;
    if cx.accepts("raw") {
        return Ok(FakeResponse::bytes("application/vnd.github.raw+json; charset=utf-8", bytes.to_vec()));
    }
    let mut object = shown.entry(shown.path, &file, "file");
    let (content, encoding) =
        if bytes.len() > IN_JSON { (String::new(), "none") } else { (in_lines(bytes), "base64") };
    object["content"] = json!(content);
    object["encoding"] = json!(encoding);
    Ok(FakeResponse::json(object))
}

pub(super) fn put(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let body = cx.object()?;
    let message = needed(&body, "message")?;
    let content = needed(&body, "content")?.replace(['\n', '\r'], "");
    let content =
        STANDARD.decode(content).map_err(|_| ApiError::unprocessable("content is not valid Base64"))?;
    change(cx, &body, message, Some(content))
}

pub(super) fn delete(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    // Some clients put them into the address.
    let mut body = cx.object()?;
    for key in ["message", "sha", "branch"] {
        if let (None, Some(value)) = (body.get(key), cx.query(key)) {
            body.insert(key.to_owned(), value.into());
        }
    }
    let message = needed(&body, "message")?;
    needed(&body, "sha")?;
    change(cx, &body, message, None)
}

/// Writes a file, or removes it, and commits that.
fn change(
    cx: &RequestContext<'_>,
    body: &Map<String, Value>,
    message: &str,
    content: Option<Vec<u8>>,
) -> Outcome<FakeResponse> {
    let path = cx.variable("path");
    sound(path).map_err(|_| ApiError::unprocessable("path contains a malformed path component"))?;
    let mut state = cx.site.state();
    let author = asked::caller(cx, &state);
    let now = author.at;
    let given = (asked::person(body, "author", now)?, asked::person(body, "committer", now)?);
    let repo = repository(cx, &state)?;
    let branch = text(body, "branch").unwrap_or(&repo.default_branch);
    let branch = branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned();
    let head = repo.git.branch(&branch).map(str::to_owned);
    if head.is_none() && !repo.git.is_empty() {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("Branch {branch} not found")));
    }
    let was = head.as_deref().and_then(|head| repo.git.at_commit(head, path));
    match (&was, text(body, "sha")) {
        (Some(File { mode: Mode::Tree, .. }), _) => {
            return Err(ApiError::unprocessable("path is a directory"));
        }
        (Some(_), None) => {
            return Err(ApiError::unprocessable("Invalid request.\n\n\"sha\" wasn't supplied."));
        }
        (None, _) if content.is_none() => return Err(ApiError::not_found()),
        (None, None) => {}
        (was, Some(sha)) => {
            if was.as_ref().is_none_or(|was| was.sha != sha) {
                return Err(ApiError::conflict(format!("{path} does not match {sha}")));
            }
        }
    }
    may_push(cx, repo, &branch, StatusCode::CONFLICT)?;
    let mut files = repo.git.files_of(head.as_deref());
    let repo = asked::repository_mut(cx, &mut state)?;
    let file = match content {
        Some(content) => {
            let mode = was.as_ref().map_or(Mode::File, |was| was.mode);
            let file = File { mode, sha: repo.git.put(Object::Blob(content)) };
            files.insert(path.to_owned(), file.clone());
            Some(file)
        }
        None => {
            files.remove(path);
            None
        }
    };
    let tree = repo.git.write_tree(&files);
    // GitHub commits and signs itself, unless somebody else is named.
    let signed = given.0.is_none() && given.1.is_none();
    let author = given.0.or_else(|| given.1.clone()).unwrap_or(author);
    let committer = given.1.unwrap_or_else(|| if signed { github(now) } else { author.clone() });
    let signature = signed.then(|| SIGNED.to_owned());
    let parents = head.into_iter().collect();
    let commit = Commit { tree, parents, author, committer, signature, message: message.to_owned() };
    let sha = repo.git.put(Object::Commit(commit));
    repo.push(&branch, &sha, &cx.site.now());
    let shown = Shown { site: cx.site, repo, commit: &sha, reference: &branch, path };
    let answer = json!({
        "content": file.as_ref().map(|file| shown.entry(path, file, "file")),
        "commit": git_commit_json(cx.site, repo, &sha),
    });
    let created = file.is_some() && was.is_none();
    pushed(cx.site, &mut state, cx.target, &branch, &sha, cx.caller.login());
    Ok(if created { FakeResponse::created(answer) } else { FakeResponse::json(answer) })
}

/// Whether a path can stand in a tree.
///
/// # Errors
/// If it cannot.
pub(super) fn sound(path: &str) -> Result<(), ()> {
    let bad =
        |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
    if path.split('/').any(bad) { Err(()) } else { Ok(()) }
}
