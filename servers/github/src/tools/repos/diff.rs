//! What a pull request, a commit or a range changes, file by file.

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Position, Reply, Tool, one_line, words::counted},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{history, refs, tree::fits};
use crate::{
    GitHub,
    api::diffs::{COMPARED, Comparison, FileChange},
    render::{minute, short_sha, thousands},
    repo::Repo,
    tools::{FROM, listing},
};

/// Bytes of a patch in one row: a longer one goes over several, so that none is cut.
const PART: usize = 10_000;
/// Characters of one line of a patch.
const LINE: usize = 2_000;
/// Patches above this size come after the smaller ones.
const LARGE: usize = 20_000;
/// Files that a comparison's or a commit's diff is asked for in one piece.
const AT_ONCE: u64 = 300;
/// Commits of a range that are named.
const COMMITS: usize = 20;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read(
            "get_diff",
            "Get diff",
            "Changes of a pull request (number), a commit (head) or a range (base, head).",
            get_diff,
        )
        .toolset("repos")
        .aliases(&[("pull_number", "number"), ("sha", "head"), ("commit", "head"), ("files", "paths")])
        .output_page::<Row>(),
    ]
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Detail {
    Stat,
    #[default]
    Patch,
    Numbered,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetDiff {
    repo: Option<String>,
    number: Option<u64>,
    base: Option<String>,
    head: Option<String>,
    detail: Option<Detail>,
    /// Globs
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    cursor: Option<String>,
}

/// A changed file, or a part of a long one.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    path: String,
    status: String,
    additions: u64,
    deletions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
}

/// What was compared.
struct Changes {
    /// As the header says it.
    what: String,
    /// The commits that it is about; a cursor is good for these only.
    pin: String,
    files: Vec<FileChange>,
    notes: Vec<String>,
    /// A commit's message, and by whom.
    message: Option<(String, String)>,
    /// The commits of a range, one a line.
    commits: Option<String>,
}

async fn get_diff(call: Call<GitHub>, arguments: GetDiff) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut changes = match (arguments.number, given(&arguments.base), given(&arguments.head)) {
        (Some(number), None, None) => pull(&call, &repo, number).await?,
        (None, None, Some(head)) => commit(&call, &repo, &head).await?,
        (None, Some(base), head) => range(&call, &repo, &base, head.as_deref()).await?,
        _ => return Err(Error::invalid("Give `number`, or `head`, or `base` and `head`")),
    };
    if position.after.as_ref().is_some_and(|pin| *pin != changes.pin) {
        return Err(Error::new(Kind::Conflict, "It has changed since the first page was read")
            .with_hint("Begin again without `cursor`"));
    }
    let all = changes.files.len();
    let wanted = |globs: &[String], path: &str| globs.iter().any(|glob| fits(glob.trim(), path));
    changes.files.retain(|file| {
        (arguments.paths.is_empty() || wanted(&arguments.paths, &file.path))
            && !wanted(&arguments.exclude, &file.path)
    });
    let left_out = all - changes.files.len();
    changes.files.sort_by(|a, b| order(a).cmp(&order(b)));
    let detail = arguments.detail.unwrap_or_default();
    let rows: Vec<(String, Row)> = changes.files.iter().flat_map(|file| rows(file, detail)).collect();
    let (added, removed) = changes.files.iter().fold((0_u64, 0_u64), |(added, removed), file| {
        (added.saturating_add(file.additions), removed.saturating_add(file.deletions))
    });
    let nouns = if rows.len() == changes.files.len() {
        ("changed file", "changed files")
    } else {
        ("part of changed files", "parts of changed files")
    };
    let mut page = Page::new(FROM, nouns).note(changes.what).note(format!(
        "+{} −{}",
        thousands(added),
        thousands(removed)
    ));
    if left_out > 0 {
        page = page.note(format!("{left_out} left out by `paths` or `exclude`"));
    }
    for note in changes.notes {
        page = page.note(note);
    }
    if detail == Detail::Numbered {
        page = page.note("line numbers are those of the new file, of the old one before -");
    }
    let total = rows.len();
    for (text, row) in rows.into_iter().skip(position.skip) {
        page.push(text, &row);
    }
    let page = listing::close(&call, page, &position, total, Some(changes.pin));
    let reply = match changes.message {
        Some((by, message)) if position.skip == 0 => {
            Reply::default().outside("commit message", Some(&by), message)
        }
        _ => Reply::default(),
    };
    let reply = match changes.commits {
        Some(commits) if position.skip == 0 => reply.outside("its commits, oldest first", None, commits),
        _ => reply,
    };
    Ok(reply.rows(page))
}

async fn pull(call: &Call<GitHub>, repo: &Repo, number: u64) -> Result<Changes> {
    let api = call.api();
    let pull = api.pull_sides(repo, number).await.map_err(|error| refs::no_pull(error, repo, number))?;
    // One piece has every patch whole; GitHub refuses to make one of many files or lines (406).
    let whole =
        if pull.changed_files <= AT_ONCE { api.pull_diff(repo, number).await } else { Ok(Vec::new()) };
    let files = match whole {
        Ok(files) if !files.is_empty() && files.len() as u64 == pull.changed_files => files,
        Err(error) if is_final(&error) => return Err(error),
        _ => api.pull_files(repo, number).await?,
    };
    let mut notes = Vec::new();
    if (files.len() as u64) < pull.changed_files {
        notes.push(format!("GitHub lists {} of its {} files", files.len(), pull.changed_files));
    }
    Ok(Changes {
        what: format!(
            "of {repo}#{number}, head {}, compared with where it left {}",
            pull.head.sha,
            one_line(&pull.base.name)
        ),
        pin: pull.head.sha,
        files,
        notes,
        message: None,
        commits: None,
    })
}

async fn commit(call: &Call<GitHub>, repo: &Repo, head: &str) -> Result<Changes> {
    let at = refs::resolve(call, repo, Some(head)).await?;
    let (commit, more) = call.api().commit(repo, &at.sha).await?;
    let by = history::author(&commit);
    let parents: Vec<_> = commit.parents.iter().map(|parent| short_sha(&parent.sha)).collect();
    let after = if parents.is_empty() {
        "the first one".to_owned()
    } else {
        format!("after {}", parents.join(" and "))
    };
    let only = || format!("GitHub lists only the first {} of its files", commit.files.len());
    let notes = if more { vec![only()] } else { Vec::new() };
    Ok(Changes {
        what: format!("of commit {} of {repo} by {by}, {}, {after}", at.sha, minute(history::when(&commit))),
        pin: at.sha,
        files: commit.files,
        notes,
        message: Some((by, commit.commit.message.trim().to_owned())),
        commits: None,
    })
}

async fn range(call: &Call<GitHub>, repo: &Repo, base: &str, head: Option<&str>) -> Result<Changes> {
    let api = call.api();
    let base = side(call, repo, Some(base)).await?;
    let head = side(call, repo, head).await?;
    let compared = api.compare(repo, &base.sha, &head.sha).await?;
    let commits = titles(&compared);
    let mut files = compared.files;
    let mut notes = Vec::new();
    if files.len() >= COMPARED {
        match api.compared_diff(repo, &base.sha, &head.sha).await {
            Ok(all) if all.len() > files.len() => files = all,
            Ok(_) => {}
            Err(error) if is_final(&error) => return Err(error),
            Err(_) => notes.push(format!("GitHub lists no more than {COMPARED} files of a range")),
        }
    }
    if compared.behind_by > 0 {
        let behind = counted(compared.behind_by, ("commit", "commits"));
        notes.push(format!("{} is {behind} behind {}", head.name, base.name));
    }
    Ok(Changes {
        what: format!(
            "of {repo}, {} of {} ({}) that {} ({}) does not have",
            counted(compared.ahead_by, ("commit", "commits")),
            head.name,
            short_sha(&head.sha),
            base.name,
            short_sha(&base.sha)
        ),
        pin: format!("{}...{}", base.sha, head.sha),
        files,
        notes,
        message: None,
        commits,
    })
}

/// The commits of a range, one a line; none where there is none.
fn titles(compared: &Comparison) -> Option<String> {
    let mut rows: Vec<_> =
        compared.commits.iter().take(COMMITS).map(|commit| history::Row::new(commit).text()).collect();
    let more = compared.ahead_by.saturating_sub(rows.len() as u64);
    if more > 0 && !rows.is_empty() {
        rows.push(format!("and {more} more: list_commits"));
    }
    (!rows.is_empty()).then(|| rows.join("\n"))
}

/// One side of a range. A branch of a fork, `user:branch`, is left for GitHub to find.
async fn side(call: &Call<GitHub>, repo: &Repo, reference: Option<&str>) -> Result<refs::At> {
    match reference {
        Some(fork) if fork.contains(':') => Ok(refs::At { name: one_line(fork), sha: fork.to_owned() }),
        other => refs::resolve(call, repo, other).await,
    }
}

/// Whether asking in another way cannot help.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        Kind::NotFound | Kind::Auth | Kind::Permission | Kind::Policy | Kind::RateLimited | Kind::Unavailable
    )
}

/// Generated files last, large ones after small ones, else by path.
fn order(file: &FileChange) -> (bool, bool, &str) {
    let large = file.patch.as_ref().is_some_and(|patch| patch.len() > LARGE);
    (is_generated(&file.path), large, &file.path)
}

/// Whether a file is made by a program: locks, minified code, what others wrote.
fn is_generated(path: &str) -> bool {
    const NAMES: [&str; 13] = [
        "cargo.lock",
        "package-lock.json",
        "npm-shrinkwrap.json",
        "yarn.lock",
        "pnpm-lock.yaml",
        "bun.lock",
        "composer.lock",
        "gemfile.lock",
        "poetry.lock",
        "uv.lock",
        "go.sum",
        "flake.lock",
        "packages.lock.json",
    ];
    const ENDS: [&str; 9] =
        [".min.js", ".min.css", ".map", ".pb.go", "_pb2.py", ".g.dart", ".generated.cs", ".snap", ".lock"];
    const FOLDERS: [&str; 6] =
        ["vendor", "node_modules", "third_party", "dist", "generated", "__generated__"];
    let path = path.to_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    NAMES.contains(&name)
        || ENDS.iter().any(|end| name.ends_with(end))
        || path.split('/').rev().skip(1).any(|folder| FOLDERS.contains(&folder))
}

/// The rows of a file: one, or several for a long patch.
fn rows(file: &FileChange, detail: Detail) -> Vec<(String, Row)> {
    let previous = Some(one_line(&file.previous)).filter(|previous| !previous.is_empty());
    let from = previous.as_ref().map(|previous| format!(" from {previous}")).unwrap_or_default();
    let head =
        format!("{} {}{from} +{} −{}", file.status, one_line(&file.path), file.additions, file.deletions);
    let row = |patch: Option<String>| Row {
        path: file.path.clone(),
        status: file.status.clone(),
        additions: file.additions,
        deletions: file.deletions,
        previous: previous.clone(),
        patch,
    };
    if detail == Detail::Stat {
        return vec![(head, row(None))];
    }
    let Some(patch) = file.patch.as_deref().filter(|patch| !patch.is_empty()) else {
        let why = match (file.additions.saturating_add(file.deletions), file.status.as_str()) {
            (0, "renamed") => "",
            (0, _) => " (binary, empty or only its mode)",
            _ => " (too large for GitHub to show: read_file has it)",
        };
        return vec![(format!("=== {head}{why}"), row(None))];
    };
    let patch = if detail == Detail::Numbered { numbered(patch) } else { patch.to_owned() };
    let parts = parts(&patch);
    let of = parts.len();
    let numbered = parts.into_iter().enumerate().map(|(at, part)| {
        let which = if of == 1 { String::new() } else { format!(" (part {} of {of})", at + 1) };
        (format!("=== {head}{which}\n{part}"), row(Some(part)))
    });
    numbered.collect()
}

/// A patch with each line's number before it: that in the new file, or in the old one for a line that is removed.
fn numbered(patch: &str) -> String {
    let (mut old, mut new) = (0_u64, 0_u64);
    let mut lines = Vec::new();
    for line in patch.lines() {
        let start = |text: &str| text.get(1..)?.split(',').next()?.parse().ok();
        if let Some(rest) = line.strip_prefix("@@ ") {
            let mut ranges = rest.split(' ');
            old = ranges.next().and_then(start).unwrap_or_default();
            new = ranges.next().and_then(start).unwrap_or_default();
            lines.push(line.to_owned());
            continue;
        }
        let at = match line.chars().next() {
            Some('-') => &mut old,
            Some('\\') => {
                lines.push(line.to_owned());
                continue;
            }
            Some('+') => &mut new,
            _ => {
                old += 1;
                &mut new
            }
        };
        lines.push(format!("{at} {line}"));
        *at += 1;
    }
    lines.join("\n")
}

/// A patch in pieces of whole lines.
fn parts(patch: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in patch.lines() {
        let line = match line.char_indices().nth(LINE) {
            Some((at, _)) => {
                format!("{} [{} more characters of this line]", &line[..at], line[at..].chars().count())
            }
            None => line.to_owned(),
        };
        let full = parts.last().is_some_and(|part| !part.is_empty() && part.len() + line.len() > PART);
        if full {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            if !part.is_empty() {
                part.push('\n');
            }
            part.push_str(&line);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: usize) -> FileChange {
        let patch = Some(format!("@@ -1 +1 @@\n{}", "+line of it\n".repeat(bytes / 12)));
        FileChange { path: path.to_owned(), status: "modified".to_owned(), patch, ..FileChange::default() }
    }

    #[test]
    fn generated_and_large_files_come_last() {
        let mut files = [
            file("Cargo.lock", 9),
            file("src/big.rs", 30_000),
            file("vendor/a.rs", 9),
            file("src/z.rs", 9),
            file("a.rs", 9),
        ];
        files.sort_by(|a, b| order(a).cmp(&order(b)));
        let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.rs", "src/z.rs", "src/big.rs", "Cargo.lock", "vendor/a.rs"]);
        assert!(!is_generated("src/vendor.rs") && is_generated("web/dist/app.js"));
    }

    #[test]
    fn lines_have_the_numbers_that_a_review_needs() {
        let patch = "@@ -10,4 +12,4 @@ fn f() {\n a\n-b\n+c\n+d\n e\n@@ -40 +41 @@\n-x\n+y\n\\ No newline at end of file";
        let wanted = "@@ -10,4 +12,4 @@ fn f() {\n12  a\n11 -b\n13 +c\n14 +d\n15  e\n@@ -40 +41 @@\n40 -x\n41 +y\n\\ No newline at end of file";
        assert_eq!(numbered(patch), wanted);
    }

    #[test]
    fn a_long_patch_goes_over_several_rows_and_none_of_it_is_lost() {
        let long = file("a.rs", 50_000);
        let rows = rows(&long, Detail::Patch);
        assert!(rows.len() > 4 && rows.iter().all(|(text, _)| text.len() < PART + 200));
        let lines: usize =
            rows.iter().filter_map(|(_, row)| row.patch.as_ref()).map(|patch| patch.lines().count()).sum();
        assert_eq!(lines, long.patch.unwrap().lines().count());
        assert!(rows[1].0.starts_with("=== modified a.rs +0 −0 (part 2 of "), "{}", rows[1].0);
    }
}
