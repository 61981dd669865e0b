//! The log of a repository.

use connector::{
    Kind, Result,
    catalog::{
        Calendar, Call, Page, Position, Reply, Tool, limit, one_line,
        paging::{self, VendorPage},
        words::listed,
    },
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::refs;
use crate::{
    GitHub,
    api::{
        diffs::{Commit, Log},
        git::empty,
    },
    render::{minute, second, short_sha},
    resolve::naming,
    tools::FROM,
};

/// Co-authors of a commit that a row names.
const CO_AUTHORS: usize = 3;

/// The tools of this family.
pub(super) fn tools() -> Vec<Tool<GitHub>> {
    vec![
        Tool::read("list_commits", "List commits", "Commits, newest first.", list_commits)
            .toolset("repos")
            .aliases(&[("sha", "ref"), ("branch", "ref"), ("file", "path")])
            .output_page::<Row>(),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListCommits {
    repo: Option<String>,
    r#ref: Option<String>,
    path: Option<String>,
    author: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A commit in a listing.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Row {
    sha: String,
    date: String,
    author: String,
    /// Those whom trailers name besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    co_authors: Vec<String>,
    subject: String,
}

impl Row {
    /// The row of a commit.
    pub(super) fn new(commit: &Commit) -> Self {
        let subject = commit.commit.message.lines().next().unwrap_or_default();
        Self {
            sha: commit.sha.clone(),
            date: when(commit).to_owned(),
            author: author(commit),
            co_authors: co_authors(&commit.commit.message),
            subject: one_line(subject),
        }
    }

    /// As one line.
    pub(super) fn text(&self) -> String {
        let with = match self.co_authors.as_slice() {
            [] => String::new(),
            names => format!(" with {}", listed(names, CO_AUTHORS)),
        };
        format!("{} {} {}{with}: {}", short_sha(&self.sha), minute(&self.date), self.author, self.subject)
    }
}

/// When a commit came to be where it is.
pub(super) fn when(commit: &Commit) -> &str {
    match commit.commit.committer.date.as_str() {
        "" => &commit.commit.author.date,
        date => date,
    }
}

/// Who wrote a commit: an account, or only a name.
pub(super) fn author(commit: &Commit) -> String {
    match commit.author.login.as_str() {
        "" => one_line(&commit.commit.author.name),
        login => format!("@{}", one_line(login)),
    }
}

/// The names in the trailers `Co-authored-by: Name <mail>` of a message (docs.github.com, "Creating a commit with multiple
/// authors").
fn co_authors(message: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in message.lines().skip(1) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let name = one_line(value.split('<').next().unwrap_or_default());
        if key.trim().eq_ignore_ascii_case("co-authored-by") && !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

async fn list_commits(call: Call<GitHub>, arguments: ListCommits) -> Result<Reply> {
    let repo = call.bounds().repo(arguments.repo.as_deref())?;
    let position: Position = call.open_cursor(arguments.cursor.as_deref())?.unwrap_or_default();
    let given = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let window = Calendar::new(None).window(arguments.since.as_deref(), arguments.until.as_deref())?;
    let (path, author) = (given(&arguments.path), given(&arguments.author));
    // What was given is looked up first: GitHub answers an unknown ref as it answers an unknown repository.
    let at = match given(&arguments.r#ref) {
        Some(reference) => Some(refs::resolve(&call, &repo, Some(&reference)).await?),
        None => None,
    };
    let author = match author {
        Some(author) => Some(naming::login(&call, &author).await?),
        None => None,
    };
    let log = Log {
        head: at.as_ref().map(|at| at.sha.as_str()),
        path: path.as_deref().map(|path| path.trim_matches('/')),
        author: author.as_deref(),
        since: window.start().map(second),
        until: window.end().map(second),
    };
    let per_page = position.first(limit(arguments.limit, 20, 100), 100);
    let branch = async {
        // Which branch it is where none was given; the log does not depend on it.
        let default = at.is_none() && position.after.is_none();
        if default { call.api().repository(&repo).await.ok() } else { None }
    };
    let api = call.api();
    let (listed, branch) = futures::join!(api.log(&repo, &log, per_page, position.after.as_deref()), branch);
    let listed = match listed {
        Ok(listed) => listed,
        // 409 "Git Repository is empty."
        Err(error) if error.kind() == Kind::Conflict => return Err(empty(&repo)),
        Err(error) => return Err(error),
    };
    let named = at.map(|at| at.name).or(branch.map(|repository| one_line(&repository.default_branch)));
    let of = named.map_or_else(|| format!("of {repo}"), |name| format!("of {repo} at {name}"));
    let mut page = Page::new(FROM, ("commit", "commits")).note(of).note(window.describe());
    let rows: Vec<_> = listed.items.iter().skip(position.skip).map(Row::new).collect();
    for row in &rows {
        page.push(row.text(), row);
    }
    Ok(Reply::page(paging::close(&call, page, VendorPage::whole(position, rows.len(), listed.next))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_wrote_a_commit_with_its_author_is_named() {
        let message = "Fix it\n\nco-authored-by: no trailer\nCo-Authored-By: Priya Raman <priya@harbor.example>\n\
            Co-authored-by: Priya Raman <p@other.example>\nCo-authored-by: <x@y>";
        assert_eq!(co_authors(message), ["no trailer", "Priya Raman"]);
        assert!(co_authors("Co-authored-by: a subject <x@y>").is_empty());
    }
}
