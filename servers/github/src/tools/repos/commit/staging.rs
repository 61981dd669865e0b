//! What a commit will change: each wanted change worked out on the file as it is at the branch's head, whole
//! and byte by byte.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use connector::{
    Error, Kind, Result,
    catalog::{Call, edits::Edit, one_line},
};
use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    super::files::file_path,
    editing::{differing, edit},
};
use crate::{
    GitHub,
    api::{
        Api,
        git::{SUBMODULE, TreeEntry},
    },
    render::thousands,
    repo::Repo,
    resolve::line_ends,
};

/// Modes of files, as git has them.
pub(super) const PLAIN: &str = "100644";
const EXECUTABLE: &str = "100755";
const LINK: &str = "120000";
/// Files up to this size are read before they are replaced, to see what changes.
const COMPARED: u64 = 1024 * 1024;
/// The largest file that edits are made in; GitHub takes none above 100 MB.
const EDITED: u64 = 50 * 1024 * 1024;

// One change of a file. No doc comment: it would go into the schema that every client pays for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    path: String,
    content: Option<String>,
    /// Each old must match once
    #[serde(default)]
    edits: Vec<Edit>,
    base64: Option<bool>,
    delete: Option<bool>,
    move_from: Option<String>,
    executable: Option<bool>,
}

impl Change {
    /// Whether it is about the file at `path`.
    pub(super) fn touches(&self, path: &str) -> bool {
        let is = |given: &str| file_path("path", given).is_ok_and(|given| !given.is_empty() && given == path);
        is(&self.path) || self.move_from.as_deref().is_some_and(is)
    }
}

/// A change worked out.
#[derive(Clone, Debug)]
pub(super) struct Staged {
    pub(super) path: String,
    pub(super) moved_from: Option<String>,
    /// What the file will be.
    pub(super) becomes: Becomes,
    /// The mode that it will have.
    pub(super) mode: String,
    /// The file as it is: at its path, or where it is moved from.
    pub(super) old: Option<TreeEntry>,
    /// Lines added and removed, about.
    pub(super) added: usize,
    pub(super) removed: usize,
    /// The lines around its edits, as a diff.
    pub(super) context: String,
    /// What one would not see: line ends and a byte-order mark that are kept or change.
    pub(super) note: Option<String>,
}

/// What a file will be.
#[derive(Clone, Debug)]
pub(super) enum Becomes {
    /// These bytes.
    Bytes(Bytes),
    /// What it was: moved, or with another mode.
    Same { sha: String, size: u64 },
    /// Nothing.
    Gone,
}

impl Staged {
    /// Whether it replaces a whole file, whatever is in it.
    pub(super) fn is_blind(&self) -> bool {
        matches!(self.becomes, Becomes::Bytes(_)) && self.old.is_some() && self.context.is_empty()
    }

    /// Whether it removes a file for good.
    pub(super) fn is_deletion(&self) -> bool {
        matches!(self.becomes, Becomes::Gone)
    }

    /// In words: `edit src/a.rs +1 −1 (120 → 124 bytes)`.
    pub(super) fn words(&self) -> String {
        let path = one_line(&self.path);
        let old = self.old.as_ref();
        let lines = format!("+{} −{}", thousands(self.added as u64), thousands(self.removed as u64));
        let sizes = |now: usize| {
            let was = old.map(|old| old.size).unwrap_or_default();
            format!("{} → {} bytes", thousands(was), thousands(now as u64))
        };
        let mut words = match (&self.becomes, &self.moved_from) {
            (Becomes::Gone, _) => {
                format!("delete {path} ({} bytes)", thousands(old.map(|old| old.size).unwrap_or_default()))
            }
            (Becomes::Same { .. }, Some(from)) => format!("move {} to {path}", one_line(from)),
            (Becomes::Bytes(bytes), Some(from)) => {
                format!("move {} to {path}, edited {lines} ({})", one_line(from), sizes(bytes.len()))
            }
            (Becomes::Same { .. }, None) => format!("mode of {path}"),
            (Becomes::Bytes(bytes), None) if old.is_none() => {
                format!("add {path} {lines} ({} bytes)", thousands(bytes.len() as u64))
            }
            (Becomes::Bytes(bytes), None) => {
                let how = if self.context.is_empty() { "replace" } else { "edit" };
                format!("{how} {path} {lines} ({})", sizes(bytes.len()))
            }
        };
        let was = old.map_or(PLAIN, |old| old.mode.as_str());
        if !self.is_deletion() && self.mode != was {
            words.push_str(if self.mode == EXECUTABLE { ", executable" } else { ", no longer executable" });
        }
        if let Some(note) = &self.note {
            words.push_str(&format!("; {note}"));
        }
        words
    }
}

/// What a file is to have in it.
enum Content {
    /// A text, whose line ends are those of the file that it replaces.
    Text(String),
    /// These very bytes.
    Exact(Bytes),
}

/// A change with its arguments checked.
struct Wanted {
    path: String,
    move_from: Option<String>,
    content: Option<Content>,
    edits: Vec<Edit>,
    delete: bool,
    executable: Option<bool>,
}

/// Works out `changes` on the files at the commit `head`, or on nothing. What changes nothing is left out.
///
/// # Errors
/// `invalid_argument`, `not_found` or `conflict` naming the file that cannot be changed so.
pub(super) async fn stage(
    call: &Call<GitHub>,
    repo: &Repo,
    head: Option<&str>,
    changes: Vec<Change>,
) -> Result<Vec<Staged>> {
    let wanted: Vec<Wanted> = changes.into_iter().map(check).collect::<Result<_>>()?;
    let mut paths = BTreeSet::new();
    for path in wanted.iter().flat_map(|change| std::iter::once(&change.path).chain(&change.move_from)) {
        if !paths.insert(path.clone()) {
            return Err(Error::invalid(format!("`changes` name {} twice", one_line(path)))
                .with_hint("Put all that happens to one file into one change"));
        }
    }
    let written: Vec<_> = wanted.iter().filter(|change| !change.delete).map(|change| &change.path).collect();
    if let Some(below) = written.iter().find(|path| written.iter().any(|other| is_above(other, path))) {
        return Err(Error::invalid(format!(
            "`changes` would make a file and a directory of one name above {below}"
        )));
    }
    let there = match head {
        Some(head) => entries(call.api(), repo, head, &paths).await?,
        None => BTreeMap::new(),
    };
    let work = wanted.into_iter().map(|change| one(call.api(), repo, &there, change));
    let staged = try_join_all(work).await?;
    Ok(staged.into_iter().flatten().collect())
}

fn is_above(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn check(change: Change) -> Result<Wanted> {
    let path = file_path("path", &change.path)?;
    let wrong = |what: &str| Error::invalid(format!("`changes`: {}: {what}", one_line(&change.path)));
    if path.is_empty() {
        return Err(Error::invalid("`changes`: a `path` is empty"));
    }
    if path.split('/').any(|part| part.eq_ignore_ascii_case(".git")) {
        return Err(wrong("git keeps nothing in .git"));
    }
    let move_from = match &change.move_from {
        Some(from) => Some(file_path("move_from", from)?).filter(|from| !from.is_empty()),
        None => None,
    };
    let delete = change.delete.unwrap_or(false);
    let has_edits = !change.edits.is_empty();
    if delete && (change.content.is_some() || has_edits || move_from.is_some() || change.executable.is_some())
    {
        return Err(wrong("`delete` goes with no other change"));
    }
    if change.content.is_some() && (has_edits || move_from.is_some()) {
        return Err(wrong("`content` is the whole file: it goes with neither `edits` nor `move_from`"));
    }
    let content = match (change.content, change.base64.unwrap_or(false)) {
        (None, true) => {
            return Err(Error::invalid("`base64` says how `content` is written, and no `content` is given"));
        }
        (None, false) => None,
        (Some(text), false) => Some(Content::Text(text)),
        (Some(text), true) => {
            let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            let bytes = STANDARD.decode(packed);
            Some(Content::Exact(Bytes::from(
                bytes.map_err(|_| Error::invalid(format!("`changes`: {path}: `content` is not base64")))?,
            )))
        }
    };
    Ok(Wanted { path, move_from, content, edits: change.edits, delete, executable: change.executable })
}

/// The entries of `paths` in the commit `head`, and of the folders above them, as far as there are any. Each
/// folder is asked for once, those of one depth together.
pub(super) async fn entries(
    api: &Api,
    repo: &Repo,
    head: &str,
    paths: &BTreeSet<String>,
) -> Result<BTreeMap<String, TreeEntry>> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<(String, String)> = vec![(String::new(), head.to_owned())];
    while !folders.is_empty() {
        let trees = try_join_all(folders.iter().map(|(_, sha)| api.tree(repo, sha, false))).await?;
        let mut next = Vec::new();
        for ((folder, _), tree) in folders.iter().zip(trees) {
            if tree.truncated {
                // What is not listed might be there all the same.
                return Err(Error::invalid(format!("GitHub does not list the directory `{folder}` whole"))
                    .with_hint("It is too large to be changed with commit_files"));
            }
            for entry in tree.entries {
                let path =
                    if folder.is_empty() { entry.path.clone() } else { format!("{folder}/{}", entry.path) };
                let leads_on = paths.iter().any(|wanted| is_above(&path, wanted));
                if leads_on && entry.kind == "tree" {
                    next.push((path.clone(), entry.sha.clone()));
                }
                if leads_on || paths.contains(&path) {
                    found.insert(path, entry);
                }
            }
        }
        folders = next;
    }
    Ok(found)
}

/// One change worked out; none if it changes nothing.
async fn one(
    api: &Api,
    repo: &Repo,
    there: &BTreeMap<String, TreeEntry>,
    wanted: Wanted,
) -> Result<Option<Staged>> {
    let Wanted { path, move_from, content, edits: changes, delete, executable } = wanted;
    let invalid = |path: &str, what: &str| Error::invalid(format!("`changes`: {}: {what}", one_line(path)));
    if let Some((above, _)) =
        there.iter().find(|(other, entry)| is_above(other, &path) && entry.kind != "tree")
    {
        return Err(invalid(&path, &format!("{above} is a file, so nothing can be below it")));
    }
    if there.get(&path).is_some_and(|entry| entry.kind == "tree") {
        return Err(invalid(&path, "it is a directory").with_hint("Name its files; list_tree lists them"));
    }
    let source = move_from.as_ref().unwrap_or(&path);
    let old = there.get(source).cloned();
    let missing = || {
        Error::not_found(format!("`changes`: there is no {} on the branch", one_line(source)))
            .with_hint("list_tree lists paths; `content` makes a new file")
    };
    if delete {
        let old = old.ok_or_else(missing)?;
        let removed = Staged {
            path,
            moved_from: None,
            becomes: Becomes::Gone,
            mode: String::new(),
            old: Some(old),
            added: 0,
            removed: 0,
            context: String::new(),
            note: None,
        };
        return Ok(Some(removed));
    }
    if move_from.is_some() && there.contains_key(&path) {
        return Err(invalid(&path, "there is a file already, so nothing can be moved there")
            .with_hint("Delete it first"));
    }
    if old.as_ref().is_some_and(|old| old.kind == "tree") {
        return Err(invalid(source, "it is a directory").with_hint("Move its files one by one"));
    }
    let special = old.as_ref().filter(|old| matches!(old.mode.as_str(), LINK | SUBMODULE));
    if special.is_some() && (content.is_some() || !changes.is_empty() || executable.is_some()) {
        return Err(invalid(
            source,
            "it is a symbolic link or a submodule, which can only be moved or deleted",
        ));
    }
    let kept = old.as_ref().map_or(PLAIN, |old| old.mode.as_str());
    let mode = executable.map_or(kept, |on| if on { EXECUTABLE } else { PLAIN }).to_owned();
    let mut staged = Staged {
        path,
        moved_from: move_from,
        becomes: Becomes::Gone,
        mode,
        old,
        added: 0,
        removed: 0,
        context: String::new(),
        note: None,
    };
    let says_nothing = changes.is_empty() && staged.moved_from.is_none() && executable.is_none();
    if content.is_none() && says_nothing && staged.old.is_some() {
        return Err(invalid(&staged.path, "it does not say what to do")
            .with_hint("Give `content`, `edits`, `delete`, `move_from` or `executable`"));
    }
    // A path and nothing else is a new file without content.
    if let Some(content) = content.or_else(|| says_nothing.then(|| Content::Exact(Bytes::new()))) {
        return replace(api, repo, staged, content).await;
    }
    let old = staged.old.clone().ok_or_else(|| match &staged.moved_from {
        Some(from) => Error::not_found(format!("`changes`: there is no {} on the branch", one_line(from)))
            .with_hint("list_tree lists paths"),
        None => Error::not_found(format!("`changes`: there is no {} on the branch", one_line(&staged.path)))
            .with_hint("list_tree lists paths; `content` makes a new file"),
    })?;
    if changes.is_empty() {
        let nothing = staged.moved_from.is_none() && staged.mode == old.mode;
        staged.becomes = Becomes::Same { sha: old.sha, size: old.size };
        return Ok((!nothing).then_some(staged));
    }
    if old.size > EDITED {
        return Err(invalid(&staged.path, &format!("{} bytes are too many to edit", thousands(old.size))));
    }
    let bytes = api.blob(repo, &old.sha, old.size).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        invalid(&staged.path, "it is not UTF-8 text").with_hint("Give the whole of it as `content` in base64")
    })?;
    let edited = edit(text, &changes).map_err(|error| {
        let hint = error.hint().unwrap_or_default().to_owned();
        let message = format!("{}: {}", one_line(&staged.path), error.message());
        Error::new(error.kind(), message).with_hint(hint)
    })?;
    if edited.text == text && staged.moved_from.is_none() && staged.mode == old.mode {
        return Ok(None);
    }
    (staged.added, staged.removed, staged.context) = (edited.added, edited.removed, edited.context);
    staged.becomes = Becomes::Bytes(Bytes::from(edited.text));
    Ok(Some(staged))
}

/// A file that becomes `content`, whatever it is.
async fn replace(api: &Api, repo: &Repo, mut staged: Staged, content: Content) -> Result<Option<Staged>> {
    let most = if matches!(content, Content::Text(_)) { EDITED } else { COMPARED };
    let was = match &staged.old {
        Some(old) if old.size <= most => Some(api.blob(repo, &old.sha, old.size).await?),
        Some(_) => None,
        None => Some(Bytes::new()),
    };
    let old_text = was.as_deref().and_then(|was| std::str::from_utf8(was).ok());
    let bytes = match (content, old_text) {
        (Content::Text(text), Some(old)) => {
            let (text, note) = line_ends::as_before(old, text);
            staged.note = note;
            Bytes::from(text)
        }
        (Content::Text(text), None) => Bytes::from(text),
        (Content::Exact(bytes), _) => bytes,
    };
    let same_mode = staged.old.as_ref().is_some_and(|old| old.mode == staged.mode);
    if staged.old.is_some() && was.as_ref() == Some(&bytes) {
        let Some(old) = &staged.old else { return Ok(None) };
        staged.becomes = Becomes::Same { sha: old.sha.clone(), size: old.size };
        return Ok((!same_mode).then_some(staged));
    }
    if let (Some(was), Ok(now)) = (old_text, std::str::from_utf8(&bytes)) {
        // With their ends: a line that only ends otherwise is another line, as for git.
        let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
        let (old, new) = differing(&lines(was), &lines(now));
        (staged.added, staged.removed) = (new, old);
    }
    staged.becomes = Becomes::Bytes(bytes);
    Ok(Some(staged))
}

/// Whether the files of `staged` are so at the commit `sha`, byte by byte.
///
/// # Errors
/// Whatever reading gives.
pub(super) async fn is_so(api: &Api, repo: &Repo, sha: &str, staged: &[Staged]) -> Result<bool> {
    let named = staged.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.moved_from));
    let there = entries(api, repo, sha, &named.cloned().collect()).await?;
    for file in staged {
        if file.moved_from.as_ref().is_some_and(|from| there.contains_key(from)) {
            return Ok(false);
        }
        let entry = there.get(&file.path);
        let same = match (&file.becomes, entry) {
            (Becomes::Gone, entry) => entry.is_none(),
            (Becomes::Same { sha, .. }, Some(entry)) => entry.sha == *sha && entry.mode == file.mode,
            (Becomes::Bytes(bytes), Some(entry)) => {
                entry.mode == file.mode
                    && entry.size == bytes.len() as u64
                    && api.blob(repo, &entry.sha, entry.size).await? == *bytes
            }
            (_, None) => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The error for a branch that moved on while a commit was prepared.
pub(super) fn moved(branch: &str, from: &str, to: &str) -> Error {
    Error::new(Kind::Conflict, format!("{branch} moved from {from} to {to} meanwhile: nothing was written"))
        .with_hint("Read the files again and make the changes anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_says_one_thing() {
        let change = |value: serde_json::Value| check(serde_json::from_value(value).unwrap());
        for good in [
            serde_json::json!({"path": "a"}),
            serde_json::json!({"path": "a", "content": "aGk=\n", "base64": true}),
            serde_json::json!({"path": "a", "move_from": "b", "edits": [{"old": "x", "new": "y"}]}),
            serde_json::json!({"path": "a", "executable": true}),
            serde_json::json!({"path": "a", "delete": true}),
        ] {
            assert!(change(good.clone()).is_ok(), "{good}");
        }
        for bad in [
            serde_json::json!({"path": "", "delete": true}),
            serde_json::json!({"path": "../a", "delete": true}),
            serde_json::json!({"path": "x/.git/config", "content": ""}),
            serde_json::json!({"path": "a", "delete": true, "content": "x"}),
            serde_json::json!({"path": "a", "content": "x", "edits": [{"old": "x", "new": "y"}]}),
            serde_json::json!({"path": "a", "content": "*", "base64": true}),
            serde_json::json!({"path": "a", "base64": true, "delete": true}),
        ] {
            assert!(change(bad.clone()).is_err(), "{bad}");
        }
    }
}
