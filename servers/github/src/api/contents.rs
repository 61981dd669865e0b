//! Files and folders by path, blobs, and who wrote which line.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use connector::{Error, Kind, Result};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, IMMUTABLE, Operation, Target, document, incomplete,
    repos::{NONE, RAW},
    route, unproven,
};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&BLAME];

/// Who wrote which line of a file.
const BLAME: Operation = Operation::read("Blame", document!("blame")).cached(IMMUTABLE);

/// One form for files, folders and links.
const OBJECT: HeaderValue = HeaderValue::from_static("application/vnd.github.object+json");
/// Blobs up to this size are kept.
const KEPT: u64 = 2 * 1024 * 1024;
/// Blobs from this size on get more time.
const LARGE: u64 = 4 * 1024 * 1024;
/// That time.
const LARGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Room for what an answer has around the bytes asked for.
const SLACK: usize = 64 * 1024;

/// What lies at a path.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A file. Its bytes are there unless it is larger than a megabyte.
    File { sha: String, size: u64, bytes: Option<Bytes> },
    /// A folder.
    Folder(Vec<Entry>),
    /// A symbolic link that leads nowhere in the repository.
    Link { target: String },
    /// Another repository.
    Submodule { sha: String, url: String },
}

/// What lies in a folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// `file`, `dir`, `symlink`, `submodule`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) size: u64,
}

/// Lines of a file that one commit wrote.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BlameRange {
    pub(crate) starting_line: u64,
    pub(crate) ending_line: u64,
    pub(crate) commit: BlameCommit,
}

/// A commit in a blame.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BlameCommit {
    pub(crate) oid: String,
    pub(crate) message_headline: String,
    pub(crate) committed_date: String,
    pub(crate) author: BlameAuthor,
}

/// Who made a commit: an account, or only a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BlameAuthor {
    pub(crate) name: String,
    pub(crate) user: Account,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Account {
    pub(crate) login: String,
}

/// The body of an answer about a path.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct FieldValue {
    #[serde(rename = "type")]
    kind: String,
    sha: String,
    size: u64,
    encoding: String,
    content: String,
    target: String,
    submodule_git_url: String,
    entries: Vec<Entry>,
}

impl Api {
    /// What lies at `path` (not the root) in the commit `sha`.
    ///
    /// # Errors
    /// As [`Api::json`]; `not_found` if nothing lies there.
    pub(crate) async fn contents(&self, repo: &Repo, path: &str, sha: &str) -> Result<Content> {
        let request = route("GET /repos/{owner}/{repo}/contents/{path}", &[&repo.owner, &repo.name, path])
            .query("ref", sha)
            .header(header::ACCEPT, OBJECT)
            .cache(IMMUTABLE, NONE);
        let body: Value = self.json(Target::Repo(repo), request).await?;
        if body.is_array() {
            // The form of a folder for servers that know no other.
            return Ok(Content::Folder(connector::tolerant::from_value(body).unwrap_or_default()));
        }
        let told: FieldValue = connector::tolerant::from_value(body)
            .map_err(|error| incomplete("description of what lies there").with_source(error))?;
        Ok(match told.kind.as_str() {
            "dir" => Content::Folder(told.entries),
            "symlink" => Content::Link { target: told.target },
            "submodule" => Content::Submodule { sha: told.sha, url: told.submodule_git_url },
            _ => {
                // Up to a megabyte the bytes come along, else the encoding is `none` (docs.github.com, "Get
                // repository content"). Only all of them count.
                let bytes = (told.encoding == "base64").then(|| decode(&told.content)).flatten();
                let bytes = bytes.filter(|bytes| bytes.len() as u64 == told.size);
                Content::File { sha: told.sha, size: told.size, bytes }
            }
        })
    }

    /// The bytes of a blob that is `size` bytes long: all of them, or an error.
    ///
    /// # Errors
    /// As [`Api::send`]; `upstream` if not all of them came.
    pub(crate) async fn blob(&self, repo: &Repo, sha: &str, size: u64) -> Result<Bytes> {
        let most = usize::try_from(size).unwrap_or(usize::MAX).saturating_add(SLACK);
        let mut request =
            route("GET /repos/{owner}/{repo}/git/blobs/{file_sha}", &[&repo.owner, &repo.name, sha])
                .header(header::ACCEPT, RAW)
                .any_body()
                .max_body(most);
        if size <= KEPT {
            request = request.cache(IMMUTABLE, NONE);
        }
        if size >= LARGE {
            request = request.attempt_timeout(LARGE_TIMEOUT);
        }
        let body = self.send(Target::Repo(repo), request).await?.body;
        if body.len() as u64 != size {
            return Err(Error::new(
                Kind::Upstream,
                format!("Only {} of the {size} bytes of the blob {sha} arrived", body.len()),
            )
            .with_hint("Try again"));
        }
        Ok(body)
    }

    /// Who wrote which lines of the file at `path` in the commit `sha`.
    ///
    /// # Errors
    /// As [`Api::query`].
    pub(crate) async fn blame(&self, repo: &Repo, path: &str, sha: &str) -> Result<Vec<BlameRange>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            repository: Repository,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Repository {
            object: Commit,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Commit {
            blame: Blame,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Blame {
            ranges: Vec<BlameRange>,
        }
        let variables = json!({"owner": repo.owner, "name": repo.name, "commit": sha, "path": path});
        let answer: Body = self.query(Target::Repo(repo), &BLAME, variables).await?;
        Ok(answer.repository.object.blame.ranges)
    }

    /// Puts the first file into a repository without commits, where git's own parts refuse to work. Returns
    /// the new commit's sha.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn put_first_file(
        &self,
        repo: &Repo,
        branch: &str,
        path: &str,
        message: &str,
        bytes: &[u8],
    ) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Body {
            commit: Sha,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Sha {
            sha: String,
        }
        let body = json!({"message": message, "branch": branch, "content": STANDARD.encode(bytes)});
        let request = route("PUT /repos/{owner}/{repo}/contents/{path}", &[&repo.owner, &repo.name, path])
            .json(&body)?
            .check(format!("Check with list_commits whether {branch} of {repo} has the commit"));
        let answer: Body = self.json(Target::Repo(repo), request).await?;
        if answer.commit.sha.is_empty() { Err(unproven("commit")) } else { Ok(answer.commit.sha) }
    }
}

/// Base64 as GitHub writes it, in lines.
fn decode(text: &str) -> Option<Bytes> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok().map(Bytes::from)
}
