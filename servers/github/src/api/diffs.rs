//! Commits and what they change: the log, one commit, a range, a pull request.

use connector::Result;
use http::{HeaderValue, header};
use serde::Deserialize;

use super::{
    Api, IMMUTABLE, Listed, OFTEN, Target,
    contents::Account,
    git::{Object, is_full_sha},
    repos::NONE,
    rest::next_query,
    route,
};
use crate::repo::Repo;

/// A diff as git writes it.
const DIFF: HeaderValue = HeaderValue::from_static("application/vnd.github.diff");
/// The most bytes of one.
const DIFF_BYTES: usize = 24 * 1024 * 1024;
/// Files that GitHub lists of a comparison, at most (docs.github.com, "Compare two commits").
pub(crate) const COMPARED: usize = 300;
/// Files that GitHub lists of a commit or a pull request, at most.
const LISTED: usize = 3_000;
/// Pages of files that are read, each of a hundred at least.
const PAGES: usize = 30;

/// A commit in a log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) commit: FieldValue,
    /// The account, where the address of the author belongs to one.
    pub(crate) author: Account,
    pub(crate) parents: Vec<Object>,
    pub(crate) stats: Stats,
    pub(crate) files: Vec<FileChange>,
}

/// What a commit says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FieldValue {
    pub(crate) message: String,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
}

/// Who and when.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) date: String,
}

/// Lines added and removed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Stats {
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

/// A changed file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct FileChange {
    #[serde(rename = "filename")]
    pub(crate) path: String,
    #[serde(rename = "previous_filename")]
    pub(crate) previous: String,
    /// `added`, `modified`, `removed`, `renamed`.
    pub(crate) status: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    /// The hunks; absent for a binary file, and for one that is too large for GitHub to show.
    pub(crate) patch: Option<String>,
}

/// A pull request, as far as its diff is concerned.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Pull {
    pub(crate) head: Side,
    pub(crate) base: Side,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
    pub(crate) changed_files: u64,
}

/// One side of a pull request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Side {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) sha: String,
}

/// A pull request whose head is a branch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HeadedPull {
    pub(crate) number: u64,
    state: String,
    merged_at: String,
    pub(crate) head: Side,
    pub(crate) base: Side,
}

impl HeadedPull {
    pub(crate) fn is_open(&self) -> bool {
        self.state == "open"
    }

    pub(crate) fn is_merged(&self) -> bool {
        !self.merged_at.is_empty()
    }
}

/// Two commits compared: what `head` has and `base` has not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Comparison {
    pub(crate) ahead_by: u64,
    pub(crate) behind_by: u64,
    pub(crate) commits: Vec<Commit>,
    pub(crate) files: Vec<FileChange>,
}

/// What is asked of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log<'a> {
    pub(crate) head: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl Api {
    /// A page of the log, newest first.
    ///
    /// # Errors
    /// As [`Api::list`]; `conflict` in a repository without commits.
    pub(crate) async fn log(
        &self,
        repo: &Repo,
        log: &Log<'_>,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Commit>> {
        let mut request = route("GET /repos/{owner}/{repo}/commits", &[&repo.owner, &repo.name]);
        let wanted = [
            ("sha", log.head),
            ("path", log.path),
            ("author", log.author),
            ("since", log.since.as_deref()),
            ("until", log.until.as_deref()),
        ];
        for (name, value) in wanted {
            if let Some(value) = value {
                request = request.query(name, value);
            }
        }
        self.list(Target::Repo(repo), request.cache(OFTEN, NONE), None, per_page, after).await
    }

    /// A commit with the files that it changes, and whether there are more of them.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn commit(&self, repo: &Repo, sha: &str) -> Result<(Commit, bool)> {
        let path = [&repo.owner, &repo.name, sha];
        let request = || {
            route("GET /repos/{owner}/{repo}/commits/{ref}", &path)
                .max_body(DIFF_BYTES)
                .cache(if is_full_sha(sha) { IMMUTABLE } else { OFTEN }, NONE)
        };
        let mut response = self.send(Target::Repo(repo), request()).await?;
        let mut commit: Commit = response.json()?;
        // The files come in pages of a size that GitHub chooses; each names the next in its `Link`, up to 3,000 files
        // in all (docs.github.com, "Get a commit").
        for _ in 1..PAGES {
            let Some(next) = response.header("link").and_then(next_query) else { break };
            response = self.send(Target::Repo(repo), request().with_query(&next)).await?;
            let more: Commit = response.json()?;
            if more.files.is_empty() {
                break;
            }
            commit.files.extend(more.files);
        }
        let full = commit.files.len() >= LISTED;
        Ok((commit, full))
    }

    /// Two commits compared, from where they parted.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` for a side in a fork that is out of reach.
    pub(crate) async fn compare(&self, repo: &Repo, base: &str, head: &str) -> Result<Comparison> {
        let range = format!("{base}...{head}");
        self.permits_fork(repo, &range)?;
        let path = [repo.owner.as_str(), repo.name.as_str(), range.as_str()];
        let fixed = is_full_sha(base) && is_full_sha(head);
        let request = route("GET /repos/{owner}/{repo}/compare/{basehead}", &path)
            .max_body(DIFF_BYTES)
            .cache(if fixed { IMMUTABLE } else { OFTEN }, NONE);
        self.json(Target::Repo(repo), request).await
    }

    /// The diff of two commits as git writes it.
    ///
    /// # Errors
    /// As [`Api::send`]; any of them if GitHub will not make one so large.
    pub(crate) async fn compared_diff(&self, repo: &Repo, base: &str, head: &str) -> Result<Vec<FileChange>> {
        let range = format!("{base}...{head}");
        self.permits_fork(repo, &range)?;
        let path = [repo.owner.as_str(), repo.name.as_str(), range.as_str()];
        let fixed = is_full_sha(base) && is_full_sha(head);
        let request = route("GET /repos/{owner}/{repo}/compare/{basehead}", &path)
            .header(header::ACCEPT, DIFF)
            .any_body()
            .max_body(DIFF_BYTES)
            .cache(if fixed { IMMUTABLE } else { OFTEN }, NONE);
        let response = self.send(Target::Repo(repo), request).await?;
        Ok(parse(&String::from_utf8_lossy(&response.body)))
    }

    /// A pull request, as far as its diff is concerned.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn pull_sides(&self, repo: &Repo, number: u64) -> Result<Pull> {
        let number = number.to_string();
        let path = [repo.owner.as_str(), repo.name.as_str(), number.as_str()];
        let request = route("GET /repos/{owner}/{repo}/pulls/{pull_number}", &path).cache(OFTEN, NONE);
        self.json(Target::Repo(repo), request).await
    }

    /// The diff of a pull request as git writes it: 406 above 300 files or 20,000 lines.
    ///
    /// # Errors
    /// As [`Api::send`]; any of them if GitHub will not make one so large.
    pub(crate) async fn pull_diff(&self, repo: &Repo, number: u64) -> Result<Vec<FileChange>> {
        let number = number.to_string();
        let path = [repo.owner.as_str(), repo.name.as_str(), number.as_str()];
        let request = route("GET /repos/{owner}/{repo}/pulls/{pull_number}", &path)
            .header(header::ACCEPT, DIFF)
            .any_body()
            .max_body(DIFF_BYTES)
            .cache(OFTEN, NONE);
        let response = self.send(Target::Repo(repo), request).await?;
        Ok(parse(&String::from_utf8_lossy(&response.body)))
    }

    /// The files of a pull request, page by page. Their patches may be cut short or missing.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn pull_files(&self, repo: &Repo, number: u64) -> Result<Vec<FileChange>> {
        let number = number.to_string();
        let path = [repo.owner.as_str(), repo.name.as_str(), number.as_str()];
        let mut files = Vec::new();
        let mut after = None;
        for _ in 0..PAGES {
            let request = route("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", &path)
                .max_body(DIFF_BYTES)
                .cache(OFTEN, NONE);
            let page: Listed<FileChange> =
                self.list(Target::Repo(repo), request, None, 100, after.as_deref()).await?;
            files.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(files)
    }

    /// The newest pull requests that a branch is the head of, in any state.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn pulls_headed_by(&self, repo: &Repo, branch: &str) -> Result<Vec<HeadedPull>> {
        let request = route("GET /repos/{owner}/{repo}/pulls", &[&repo.owner, &repo.name])
            .query("head", format!("{}:{branch}", repo.owner))
            .query("state", "all");
        Ok(self.list(Target::Repo(repo), request, None, 100, None).await?.items)
    }
}

/// The files of a diff as git writes it.
fn parse(diff: &str) -> Vec<FileChange> {
    let mut files: Vec<FileChange> = Vec::new();
    let mut in_hunks = false;
    for line in diff.split_inclusive('\n') {
        if let Some(names) = line.strip_prefix("diff --git ") {
            let path = same_name(names.trim_end());
            files.push(FileChange { path, status: "modified".to_owned(), ..FileChange::default() });
            in_hunks = false;
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        // A line of a hunk begins with one of these; what else begins so stands before the first hunk.
        if line.starts_with("@@ ") || (in_hunks && line.starts_with([' ', '+', '-', '\\', '\n'])) {
            in_hunks = true;
            match line.as_bytes().first() {
                Some(b'+') => file.additions += 1,
                Some(b'-') => file.deletions += 1,
                _ => {}
            }
            file.patch.get_or_insert_default().push_str(line);
        } else if !in_hunks {
            header_line(file, line.trim_end());
        }
    }
    for file in &mut files {
        if let Some(patch) = &mut file.patch {
            patch.truncate(patch.trim_end_matches('\n').len());
        }
    }
    files
}

/// A line between the names of a file and its first hunk.
fn header_line(file: &mut FileChange, line: &str) {
    if line.starts_with("new file mode") {
        "added".clone_into(&mut file.status);
    } else if line.starts_with("deleted file mode") {
        "removed".clone_into(&mut file.status);
    } else if let Some(name) = line.strip_prefix("rename from ").or_else(|| line.strip_prefix("copy from ")) {
        file.previous = unquoted(name);
        "renamed".clone_into(&mut file.status);
    } else if let Some(name) = line.strip_prefix("rename to ").or_else(|| line.strip_prefix("copy to ")) {
        file.path = unquoted(name);
    } else if let Some(name) = line.strip_prefix("--- ").or_else(|| line.strip_prefix("+++ ")) {
        let name = unquoted(name);
        if let Some(path) = name.strip_prefix("a/").or_else(|| name.strip_prefix("b/"))
            && file.previous.is_empty()
        {
            path.clone_into(&mut file.path);
        }
    }
}

/// The name in `a/NAME b/NAME`, for a file without any further line that names it.
fn same_name(names: &str) -> String {
    if names.starts_with('"') {
        let first = names.split_once("\" ").map_or(names, |(first, _)| first);
        return unquoted(&format!("{}\"", first.trim_end_matches('"'))).trim_start_matches("a/").to_owned();
    }
    // Both names are of one length: "a/" + n + " b/" + n.
    let half = names.len().saturating_sub(5) / 2;
    names.get(2..2 + half).unwrap_or_default().to_owned()
}

/// A name as git quotes it, if it has unusual characters: `"a\303\244\tb"`.
fn unquoted(name: &str) -> String {
    let name = name.trim_end_matches(['\t', '\r']);
    let Some(inner) = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'n') => bytes.push(b'\n'),
            Some(b't') => bytes.push(b'\t'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(next @ b'0'..=b'7') = rest.peek().copied() {
                        value = value * 8 + u32::from(next - b'0');
                        rest.next();
                    }
                }
                bytes.push(u8::try_from(value).unwrap_or(b'?'));
            }
            Some(other) => bytes.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_read_file_by_file() {
        let diff = "diff --git a/src/a.rs b/src/a.rs\nindex 1..2 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n\
            @@ -1,2 +1,2 @@\n-old\n+new\n same\n\
            diff --git a/x b/x\nnew file mode 100755\nindex 0..1\n--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+-- a\n+++ b\n\
            diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n--- a/x\n\\ No newline at end of file\n\
            diff --git a/old name b/new name\nsimilarity index 100%\nrename from old name\nrename to new name\n\
            diff --git a/logo.png b/logo.png\nindex 1..2 100644\nBinary files a/logo.png and b/logo.png differ\n";
        let files = parse(diff);
        let rows: Vec<_> = files
            .iter()
            .map(|file| {
                (
                    file.path.as_str(),
                    file.previous.as_str(),
                    file.status.as_str(),
                    file.additions,
                    file.deletions,
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("src/a.rs", "", "modified", 1, 1),
                ("x", "", "added", 2, 0),
                ("gone", "", "removed", 0, 1),
                ("new name", "old name", "renamed", 0, 0),
                ("logo.png", "", "modified", 0, 0),
            ]
        );
        assert_eq!(files[0].patch.as_deref(), Some("@@ -1,2 +1,2 @@\n-old\n+new\n same"));
        assert_eq!(files[1].patch.as_deref(), Some("@@ -0,0 +1,2 @@\n+-- a\n+++ b"));
        assert_eq!(files[4].patch, None);
    }

    #[test]
    fn names_with_unusual_characters_are_unquoted() {
        assert_eq!(unquoted("\"b/\\303\\244 \\\"x\\\"\\t.md\""), "b/ä \"x\"\t.md");
        assert_eq!(same_name("a/docs/b c.md b/docs/b c.md"), "docs/b c.md");
        assert_eq!(same_name("\"a/\\303\\244.md\" \"b/\\303\\244.md\""), "ä.md");
    }
}
