//! Files and folders at a ref.

mod several;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Reply, Tool, clean, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refs::{self, At};
use crate::{
    GitHub,
    api::contents::{BlameCommit, BlameRange, Content, Entry},
    render::{day, short_sha, thousands},
    repo::Repo,
    tools::FROM,
};

/// Bytes of text in one reply: with what is around them they fit the usual budget.
const SHOWN: usize = 24_000;
/// Characters of one line.
const LINE: usize = 4_000;
/// The largest file that is read for a few of its lines.
const MOST: u64 = 20 * 1024 * 1024;
/// Entries of a folder in one reply.
const ENTRIES: usize = 500;
/// Bytes at the beginning of a file in which a NUL means that it is no text, as git has it.
const SNIFFED: usize = 8_000;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "read_file",
            "Read file or directory",
            "Numbered lines of a file and the commit for expected_head, or a directory's entries.",
            read_file,
        )
        .toolset("repos")
        .aliases(&[
            ("branch", "ref"),
            ("sha", "ref"),
            ("file", "path"),
            ("files", "paths"),
            ("from", "start_line"),
            ("to", "end_line"),
        ])
        .output::<Found>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadFile {
    repo: Option<String>,
    path: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    /// Branch, tag, sha or pull/N
    r#ref: Option<String>,
    start_line: Option<u32>,
    end_line: Option<u32>,
    blame: Option<bool>,
}

/// What lies at a path.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Found {
    path: String,
    /// The commit it was read at.
    commit: String,
    /// `file`, `files`, `binary`, `directory`, `symlink`, `submodule`.
    kind: &'static str,
    /// The blob's, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<usize>,
    /// The lines, each with its number before a tab.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// Names in a directory; those of directories end in a slash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    entries: Vec<String>,
}

/// A path of an argument, as GitHub takes it: without slashes around it; empty for the root.
///
/// # Errors
/// `invalid_argument` for what can be no path in a repository.
pub(super) fn file_path(argument: &str, text: &str) -> Result<String> {
    let path = text.trim().trim_start_matches("./").trim_matches('/');
    let path = if path == "." { "" } else { path };
    let bad = |part: &str| {
        part.is_empty() || part == "." || part == ".." || part.contains(|c: char| c.is_control() || c == '\\')
    };
    if !path.is_empty() && path.split('/').any(bad) {
        return Err(Error::invalid(format!(
            "`{argument}`: `{}` is not a path in a repository",
            one_line(text)
        ))
        .with_hint("Write it from the root of the repository, such as src/main.rs"));
    }
    Ok(path.to_owned())
}

async fn read_file(call: Call<GitHub>, arguments: ReadFile) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let several = match (&arguments.path, arguments.paths.as_slice()) {
        (None, []) => return Err(Error::invalid("Give `path`, or `paths` of several files")),
        (Some(_), [_, ..]) => return Err(Error::invalid("Give `path` or `paths`, not both")),
        (_, paths) => paths.len() > 1,
    };
    if several {
        return several::read(call, repo, &arguments).await;
    }
    let path = arguments.path.as_ref().or_else(|| arguments.paths.first());
    let path = file_path("path", path.map(String::as_str).unwrap_or_default())?;
    let at = refs::resolve(&call, &repo, arguments.r#ref.as_deref()).await?;
    let place = Place { call, repo, path, at };
    if place.path.is_empty() {
        // The root has no path to ask for.
        let tree = place.call.api().tree(&place.repo, &place.at.sha, false).await?;
        let entries = tree.entries.into_iter().map(|entry| Entry {
            name: entry.path,
            kind: match (entry.kind.as_str(), entry.mode.as_str()) {
                ("tree", _) => "dir",
                ("commit", _) => "submodule",
                (_, "120000") => "symlink",
                _ => "file",
            }
            .to_owned(),
            size: entry.size,
        });
        return Ok(place.folder(entries.collect()));
    }
    let content = place.call.api().contents(&place.repo, &place.path, &place.at.sha).await;
    match content.map_err(|error| place.absent(error))? {
        Content::Folder(entries) => Ok(place.folder(entries)),
        Content::Link { target } => {
            let target = one_line(&target);
            let header =
                format!("{} is a symbolic link to {target}, which leads to no file here.", place.words());
            Ok(Reply::new(header).data(&place.found("symlink")))
        }
        Content::Submodule { sha, url } => {
            let header = format!("{} is a submodule: {} at {sha}.", place.words(), one_line(&url));
            Ok(Reply::new(header).data(&place.found("submodule")))
        }
        Content::File { sha, size, bytes } => {
            let bytes = match bytes {
                Some(bytes) => bytes,
                None if size > MOST => {
                    let header = format!(
                        "{} has {} bytes, blob {sha}: too large to be shown.",
                        place.words(),
                        thousands(size)
                    );
                    return Ok(Reply::new(header).data(&place.found("binary")));
                }
                None => place.call.api().blob(&place.repo, &sha, size).await?,
            };
            let file = File { sha, bytes: &bytes };
            place
                .file(&file, arguments.start_line, arguments.end_line, arguments.blame.unwrap_or(false))
                .await
        }
    }
}

/// Where something was read.
struct Place {
    call: Call<GitHub>,
    repo: Repo,
    path: String,
    at: At,
}

/// A file that was read.
struct File<'a> {
    sha: String,
    bytes: &'a [u8],
}

impl Place {
    /// `src/main.rs of o/r at main (commit 0123…)`.
    fn words(&self) -> String {
        let path = if self.path.is_empty() { "The root" } else { &self.path };
        let Self { repo, at, .. } = self;
        if at.name == at.sha {
            format!("{} of {repo} at commit {}", one_line(path), at.sha)
        } else {
            format!("{} of {repo} at {} (commit {})", one_line(path), at.name, at.sha)
        }
    }

    fn found(&self, kind: &'static str) -> Found {
        Found { path: self.path.clone(), commit: self.at.sha.clone(), kind, ..Found::default() }
    }

    fn absent(&self, error: Error) -> Error {
        if error.kind() != Kind::NotFound {
            return error;
        }
        let name = self.path.rsplit('/').next().unwrap_or_default();
        Error::not_found(format!("There is no {} in {} at {}", self.path, self.repo, self.at.name))
            .with_hint(format!("list_tree with glob \"{name}\" or another finds paths"))
    }

    fn folder(&self, mut entries: Vec<Entry>) -> Reply {
        let all = entries.len();
        // Folders first, as people are used to.
        entries.sort_by(|a, b| (a.kind != "dir", &a.name).cmp(&(b.kind != "dir", &b.name)));
        let mut page = Page::new(FROM, ("entry", "entries")).note(self.words());
        let mut names = Vec::new();
        for entry in entries.iter().take(ENTRIES) {
            let name = one_line(&entry.name);
            let row = match entry.kind.as_str() {
                "dir" => format!("{name}/"),
                "file" => format!("{name} {}", thousands(entry.size)),
                other => format!("{name} ({other})"),
            };
            names.push(if entry.kind == "dir" { format!("{name}/") } else { name });
            page.push(row, &());
        }
        if all > ENTRIES {
            page = page.note(format!("{} more are not shown: list_tree has all", all - ENTRIES));
        }
        Reply::page(page.total(all)).data(&Found { entries: names, ..self.found("directory") })
    }

    async fn file(
        &self,
        file: &File<'_>,
        start: Option<u32>,
        end: Option<u32>,
        blame: bool,
    ) -> Result<Reply> {
        let size = file.bytes.len() as u64;
        let mut found = Found { sha: Some(file.sha.clone()), size: Some(size), ..self.found("file") };
        let binary = file.bytes.iter().take(SNIFFED).any(|byte| *byte == 0);
        let text = std::str::from_utf8(file.bytes).ok().filter(|_| !binary);
        let Some(text) = text else {
            found.kind = "binary";
            let why = if binary { "a binary file" } else { "a file that is not UTF-8 text" };
            let header = format!(
                "{} is {why} of {} bytes, blob {}: not shown.",
                self.words(),
                thousands(size),
                file.sha
            );
            return Ok(Reply::new(header).data(&found));
        };
        let lines: Vec<&str> = text.lines().collect();
        let total = lines.len();
        let (first, last) = range(start, end, total)?;
        let ranges = if blame && total > 0 {
            self.call.api().blame(&self.repo, &self.path, &self.at.sha).await?
        } else {
            Vec::new()
        };
        let (body, shown_to) = numbered(&lines, first, last, &ranges, SHOWN);
        let which = if first == 1 && shown_to == total {
            format!("{} lines", thousands(total as u64))
        } else {
            format!("lines {first}-{shown_to} of {}", thousands(total as u64))
        };
        let mut reply =
            Reply::new(format!("{}: {which}, {} bytes, blob {}", self.words(), thousands(size), file.sha));
        for note in peculiarities(text, shown_to == total) {
            reply = reply.line(note);
        }
        if !body.is_empty() {
            let from = format!("{} at {}", self.path, short_sha(&self.at.sha));
            reply = reply.outside(from, None, body.clone());
        }
        if shown_to < last {
            reply = reply.line(format!(
                "[Lines {}-{last} did not fit: read_file with start_line={}]",
                shown_to + 1,
                shown_to + 1
            ));
        }
        found.lines = Some(total);
        found.start_line = Some(first);
        found.end_line = Some(shown_to);
        found.text = Some(body);
        Ok(reply.data(&found))
    }
}

/// The first and last line to show, counted from 1; (1, 0) of an empty file.
fn range(start: Option<u32>, end: Option<u32>, total: usize) -> Result<(usize, usize)> {
    let first = start.map_or(1, |line| line.max(1) as usize);
    let last = end.map_or(total, |line| (line as usize).min(total));
    if first > total.max(1) {
        return Err(Error::invalid(format!("`start_line` is {first}, and the file has {total} lines")));
    }
    if end.is_some_and(|end| (end as usize) < first) {
        return Err(Error::invalid("`end_line` is before `start_line`"));
    }
    Ok((first, last))
}

/// Lines `first` to `last` with their numbers, as far as they fit into `room` bytes, and the last of them. Where a commit of
/// `ranges` begins, it stands above its lines.
fn numbered(
    lines: &[&str],
    first: usize,
    last: usize,
    ranges: &[BlameRange],
    room: usize,
) -> (String, usize) {
    let mut body = String::new();
    let mut shown_to = first.saturating_sub(1);
    let mut commit = "";
    for number in first..=last {
        let line = lines.get(number - 1).copied().unwrap_or_default();
        let mut row = String::new();
        let range =
            ranges.iter().find(|range| (range.starting_line..=range.ending_line).contains(&(number as u64)));
        if let Some(range) = range
            && range.commit.oid != commit
        {
            commit = &range.commit.oid;
            row.push_str(&format!("-- {}\n", blamed(&range.commit)));
        }
        row.push_str(&format!("{number}\t"));
        match line.char_indices().nth(LINE) {
            Some((at, _)) => {
                let more = line[at..].chars().count();
                row.push_str(&format!("{} [{more} more characters of this line]", &line[..at]));
            }
            None => row.push_str(line),
        }
        row.push('\n');
        if body.len() + row.len() > room && !body.is_empty() {
            break;
        }
        body.push_str(&row);
        shown_to = number;
    }
    (body.trim_end_matches('\n').to_owned(), shown_to)
}

/// A commit of a blame, on one line.
fn blamed(commit: &BlameCommit) -> String {
    let author = match commit.author.user.login.as_str() {
        "" => one_line(&commit.author.name),
        login => format!("@{}", one_line(login)),
    };
    format!(
        "{} {} {author}: {}",
        short_sha(&commit.oid),
        day(&commit.committed_date),
        one_line(&commit.message_headline)
    )
}

/// What one does not see of a text and must know to edit it.
fn peculiarities(text: &str, to_the_end: bool) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if text.starts_with("version https://git-lfs.github.com/spec/") {
        notes.push("This is a pointer: the content itself lies in Git LFS.");
    }
    if text.contains("\r\n") {
        notes.push("Its lines end in CRLF, which commit_files keeps.");
    }
    if text.starts_with('\u{feff}') {
        notes.push("It begins with a byte-order mark, which commit_files keeps.");
    }
    let text = text.trim_start_matches('\u{feff}');
    if clean(text).len() + text.matches("\r\n").count() != text.len() {
        notes.push("It has characters that cannot be seen, left out here: an edit cannot span them.");
    }
    if to_the_end && !text.is_empty() && !text.ends_with('\n') {
        notes.push("There is no newline at its end.");
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_from_the_root_and_never_out_of_it() {
        for (text, path) in [
            ("/src/a.rs", "src/a.rs"),
            ("./docs/", "docs"),
            ("", ""),
            ("/", ""),
            (".", ""),
            (".github", ".github"),
        ] {
            assert_eq!(file_path("path", text).unwrap(), path, "{text}");
        }
        for bad in ["../x", "a/../b", "a//b", "a/./b", "a\nb", "a\\b"] {
            assert!(file_path("path", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_long_file_is_cut_between_lines() {
        let line = "x".repeat(100);
        let lines = vec![line.as_str(); 1_000];
        let (body, shown_to) = numbered(&lines, 11, 1_000, &[], SHOWN);
        assert!(body.len() <= SHOWN && body.ends_with(&line) && body.starts_with("11\tx"), "{}", body.len());
        let (rest, to) = numbered(&lines, shown_to + 1, 1_000, &[], SHOWN);
        assert!(rest.starts_with(&format!("{}\t", shown_to + 1)) && to > shown_to);
        let huge = "y".repeat(50_000);
        let (body, to) = numbered(&[huge.as_str()], 1, 1, &[], SHOWN);
        assert!(to == 1 && body.ends_with("[46000 more characters of this line]"), "{to}");
    }

    #[test]
    fn what_cannot_be_seen_of_a_file_is_said() {
        assert!(peculiarities("a\nb\n", true).is_empty());
        assert_eq!(peculiarities("a\r\nb", true).len(), 2);
        assert_eq!(peculiarities("a\u{200b}b\n", true).len(), 1);
        assert_eq!((range(None, None, 0).unwrap(), range(Some(3), Some(99), 5).unwrap()), ((1, 0), (3, 5)));
        assert!(range(Some(6), None, 5).is_err() && range(Some(4), Some(2), 5).is_err());
    }
}
