//! All files below a folder.

use std::collections::VecDeque;

use connector::{
    Error, Kind, Result,
    catalog::{Call, Page, Position, Reply, Tool, limit, one_line},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{files::file_path, refs};
use crate::{
    GitHub,
    api::git::{SUBMODULE, TreeEntry},
    render::{short_sha, thousands},
    repo::Repo,
    tools::{FROM, listing},
};

/// Trees that are asked for one by one where GitHub does not give all at once.
const ONE_BY_ONE: usize = 60;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("list_tree", "List files", "Every file below prefix, with its size.", list_tree)
            .toolset("repos")
            .aliases(&[("path", "prefix"), ("pattern", "glob"), ("branch", "ref"), ("sha", "ref")])
            .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListTree {
    repo: Option<String>,
    r#ref: Option<String>,
    prefix: Option<String>,
    glob: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A file in a listing.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    path: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
}

impl Row {
    fn new(entry: &TreeEntry) -> Self {
        let kind = match entry.mode.as_str() {
            "100755" => Some("executable"),
            "120000" => Some("symlink"),
            SUBMODULE => Some("submodule"),
            _ => None,
        };
        Self { path: entry.path.clone(), size: entry.size, kind }
    }

    fn text(&self) -> String {
        let kind = self.kind.map(|kind| format!(" {kind}")).unwrap_or_default();
        format!("{} {}{kind}", one_line(&self.path), thousands(self.size))
    }
}

async fn list_tree(call: Call<GitHub>, arguments: ListTree) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let prefix = file_path("prefix", arguments.prefix.as_deref().unwrap_or_default())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    // A cursor stays at the commit it began with.
    let begun_at = position.after.as_deref().or(arguments.r#ref.as_deref());
    let at = refs::resolve(&call, &repo, begun_at).await?;
    let Files { mut entries, complete } = below(&call, &repo, &at.sha, &prefix).await?;
    if entries.is_empty() && complete && !prefix.is_empty() {
        return Err(Error::not_found(format!("There is nothing below {prefix} in {repo} at {}", at.name))
            .with_hint("read_file lists a directory"));
    }
    if let Some(glob) = arguments.glob.as_deref().map(str::trim).filter(|glob| !glob.is_empty()) {
        entries.retain(|entry| fits(glob, &entry.path));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let total = entries.len();
    let commit = short_sha(&at.sha);
    let of = if at.sha.starts_with(&at.name) { commit.to_owned() } else { format!("{} ({commit})", at.name) };
    let mut page = Page::new(FROM, ("file", "files")).note(format!("of {repo} at {of}"));
    let shown = limit(arguments.limit, 200, 1_000) as usize;
    for entry in entries.iter().skip(position.skip).take(shown) {
        let row = Row::new(entry);
        page.push(row.text(), &row);
    }
    if !complete {
        page =
            page.note("incomplete: the repository is too large to be listed whole, give a narrower `prefix`");
    }
    Ok(Reply::page(listing::close(&call, page, &position, total, Some(at.sha))))
}

/// Whether a path fits a glob; one without a slash is matched with the name alone, wherever it lies. A path is
/// itself before it is a pattern, and a folder stands for all below it. Brackets may also stand for themselves, as in
/// `app/[id]/*`.
pub(super) fn fits(glob: &str, path: &str) -> bool {
    let glob = glob.trim_start_matches("./").trim_start_matches('/');
    let below = path.strip_prefix(glob.trim_end_matches('/'));
    if path == glob || below.is_some_and(|rest| rest.starts_with('/')) {
        return true;
    }
    if glob.ends_with('/') {
        return false;
    }
    let subject = if glob.contains('/') { path } else { path.rsplit('/').next().unwrap_or(path) };
    fast_glob::glob_match(glob, subject)
        || (glob.contains('[')
            && fast_glob::glob_match(glob.replace('[', "\\[").replace(']', "\\]"), subject))
}

/// Files, with their whole paths.
struct Files {
    entries: Vec<TreeEntry>,
    /// Whether these are all.
    complete: bool,
}

/// The files below `prefix` in the commit `sha`.
async fn below(call: &Call<GitHub>, repo: &Repo, sha: &str, prefix: &str) -> Result<Files> {
    let whole = call.api().tree(repo, sha, true).await.map_err(|error| match error.kind() {
        Kind::Conflict => crate::api::git::empty(repo),
        _ => error,
    })?;
    if !whole.truncated {
        let files = whole.entries.into_iter().filter(|entry| entry.kind != "tree").collect();
        return Ok(Files { entries: within(files, prefix), complete: true });
    }
    // GitHub gives 100,000 entries or 7 MB at once: the folders must be asked for one by one.
    let mut asked = 0_u32;
    let (mut folder, mut tree) = (String::new(), sha.to_owned());
    for part in prefix.split('/').filter(|part| !part.is_empty()) {
        let inside = call.api().tree(repo, &tree, false).await?;
        let next = inside.entries.iter().find(|entry| entry.path == part && entry.kind == "tree");
        let Some(next) = next else { break };
        folder = join(&folder, part);
        tree.clone_from(&next.sha);
    }
    let mut waiting = VecDeque::from([(folder, tree)]);
    let mut files = Vec::new();
    while let Some((folder, tree)) = waiting.pop_front() {
        if asked as usize >= ONE_BY_ONE {
            return Ok(Files { entries: within(files, prefix), complete: false });
        }
        asked += 1;
        call.progress(asked, None, &format!("reading {folder}")).await;
        let mut found = call.api().tree(repo, &tree, true).await?;
        let cut = found.truncated;
        if cut {
            found = call.api().tree(repo, &tree, false).await?;
        }
        for mut entry in found.entries {
            entry.path = join(&folder, &entry.path);
            match entry.kind.as_str() {
                "tree" if cut => waiting.push_back((entry.path, entry.sha)),
                "tree" => {}
                _ => files.push(entry),
            }
        }
    }
    Ok(Files { entries: within(files, prefix), complete: true })
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Those in the folder `prefix`; if there is no such folder, those whose paths begin so.
fn within(files: Vec<TreeEntry>, prefix: &str) -> Vec<TreeEntry> {
    if prefix.is_empty() {
        return files;
    }
    let in_folder = |entry: &TreeEntry| {
        entry.path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_folder = files.iter().any(in_folder);
    files
        .into_iter()
        .filter(|entry| if is_folder { in_folder(entry) } else { entry.path.starts_with(prefix) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_without_a_slash_is_matched_with_names() {
        assert!(
            fits("*.rs", "src/deep/a.rs") && fits("src/**/*.rs", "src/deep/a.rs") && fits("src/", "src/a")
        );
        assert!(!fits("src/*.rs", "src/deep/a.rs") && !fits("*.rs", "a.rs.txt") && !fits("src/", "src2/a"));
        assert!(fits("*.{yml,yaml}", ".github/workflows/ci.yml") && fits("/README.md", "README.md"));
        assert!(
            fits("app/[id]/page.tsx", "app/[id]/page.tsx") && fits("app/[...all]/*", "app/[...all]/a.ts")
        );
        for path in ["{{cookiecutter.slug}}/x.py", "a{b}.txt", "docs/what?.md", "!x"] {
            assert!(fits(path, path), "{path}");
        }
        assert!(fits("src", "src/a.rs") && fits("src/deep", "src/deep/a.rs") && !fits("src", "srx/a"));
        assert!(!fits("", "a"), "nothing is no folder");
        assert!(fits("src/[ab].rs", "src/a.rs") && !fits("app/[id]/page.tsx", "app/[key]/page.tsx"));
    }

    #[test]
    fn a_prefix_is_a_folder_or_else_a_beginning() {
        let files = |prefix: &str| {
            let all = ["src/a", "src/b/c", "src2/d", "srx"]
                .map(|path| TreeEntry { path: path.to_owned(), ..TreeEntry::default() });
            within(all.to_vec(), prefix).into_iter().map(|entry| entry.path).collect::<Vec<_>>()
        };
        assert_eq!(files("src"), ["src/a", "src/b/c"]);
        assert_eq!(files("sr").len(), 4);
        assert_eq!(files("src/b"), ["src/b/c"]);
        assert!(files("nothing").is_empty());
    }
}
