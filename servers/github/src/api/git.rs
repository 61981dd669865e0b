//! Git's own parts: refs, trees, tags and commits, read and made.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use connector::{Effect, Error, Kind, Result, upstream::Replay};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, IMMUTABLE, Listed, OFTEN, Operation, Target, document, incomplete, repos::NONE, route, unproven,
};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&CREATE_COMMIT];

/// A commit on a branch. It carries the head that it expects, so a second attempt cannot do it twice.
const CREATE_COMMIT: Operation = Operation::write("CreateCommit", document!("create_commit")).idempotent();

/// The answer is a commit's id and nothing else (docs.github.com, "Get a commit").
const SHA: HeaderValue = HeaderValue::from_static("application/vnd.github.sha");
/// The most bytes of one tree: GitHub cuts at 7 MB (docs.github.com, "Get a tree").
const TREE_BYTES: usize = 16 * 1024 * 1024;
/// How long the upload of a blob may take.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a branch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// At this commit.
    At(String),
    /// There is no such branch.
    Missing,
    /// The repository has no commits at all.
    EmptyRepository,
}

/// A ref, with what it points at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GitRef {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) object: Object,
}

/// An object of git's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Object {
    pub(crate) sha: String,
    /// `commit`, `tag`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

/// An annotated tag.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TagObject {
    pub(crate) sha: String,
    pub(crate) message: String,
    pub(crate) object: Object,
}

/// A tag in a listing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) commit: Object,
}

/// A tree: what lies in a folder, or in all folders below it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Tree {
    pub(crate) sha: String,
    #[serde(rename = "tree")]
    pub(crate) entries: Vec<TreeEntry>,
    pub(crate) truncated: bool,
}

/// What lies in a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct TreeEntry {
    pub(crate) path: String,
    pub(crate) mode: String,
    /// `blob`, `tree`, `commit` for a submodule.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) sha: String,
    pub(crate) size: u64,
}

/// A commit as git has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct GitCommit {
    pub(crate) sha: String,
    pub(crate) message: String,
    pub(crate) html_url: String,
    pub(crate) tree: Object,
    pub(crate) parents: Vec<Object>,
}

/// One change of a tree that is to be.
#[derive(Clone, Debug)]
pub(crate) struct TreeChange {
    pub(crate) path: String,
    pub(crate) mode: String,
    pub(crate) file: TreeFile,
}

/// What a file of a tree will be.
#[derive(Clone, Debug)]
pub(crate) enum TreeFile {
    /// A blob that is there.
    Blob(String),
    /// This text, of which GitHub makes a blob.
    Text(String),
    /// Nothing: what is there is removed.
    Gone,
}

/// The file changes of a commit made by [`Api::commit_on_branch`].
#[derive(Clone, Debug, Default)]
pub(crate) struct FileChanges {
    /// Paths with whole new contents.
    pub(crate) additions: Vec<(String, bytes::Bytes)>,
    pub(crate) deletions: Vec<String>,
}

/// A commit that was made on a branch.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Made {
    pub(crate) oid: String,
    pub(crate) url: String,
    pub(crate) additions: Option<f64>,
    pub(crate) deletions: Option<f64>,
    pub(crate) changed_files_if_available: Option<f64>,
}

/// Whether `text` is the whole id of a commit.
pub(crate) fn is_full_sha(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Api {
    /// The commit that `reference` (a branch, a tag, a sha that may be short) names. A full sha is not asked
    /// about.
    ///
    /// # Errors
    /// As [`Api::send`]; `not_found` if it names none, or the repository has no commits.
    pub(crate) async fn commit_sha(&self, repo: &Repo, reference: &str) -> Result<String> {
        if is_full_sha(reference) {
            return Ok(reference.to_ascii_lowercase());
        }
        let request = route("GET /repos/{owner}/{repo}/commits/{ref}", &[&repo.owner, &repo.name, reference])
            .header(header::ACCEPT, SHA)
            .any_body()
            .cache(OFTEN, NONE);
        let response = self.send(Target::Repo(repo), request).await.map_err(|error| match error.kind() {
            // 422 "No commit found for SHA", or 404 for what cannot be a ref at all.
            Kind::InvalidArgument | Kind::NotFound => {
                Error::not_found(format!("{repo} has no branch, tag or commit `{reference}`")).with_hint(
                    "list_refs gives the names; a private repository may also be out of the token's sight",
                )
            }
            Kind::Conflict => empty(repo),
            _ => error,
        })?;
        let text = String::from_utf8_lossy(&response.body);
        let text = text.trim();
        if is_full_sha(text) {
            return Ok(text.to_owned());
        }
        // A server that knows no other form answers with the whole commit.
        let whole: Object = response.json().unwrap_or_default();
        if is_full_sha(&whole.sha) { Ok(whole.sha) } else { Err(incomplete("commit id")) }
    }

    /// Where a branch is now, whatever was kept.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn head(&self, repo: &Repo, branch: &str) -> Result<Head> {
        match self.git_ref(repo, &format!("heads/{branch}")).await {
            Ok(Some(found)) => Ok(Head::At(found.object.sha)),
            Ok(None) => Ok(Head::Missing),
            // 409 "Git Repository is empty."
            Err(error) if error.kind() == Kind::Conflict => Ok(Head::EmptyRepository),
            Err(error) => Err(error),
        }
    }

    /// The ref `heads/NAME` or `tags/NAME` as it is now.
    ///
    /// # Errors
    /// As [`Api::maybe`]; `conflict` in a repository without commits.
    pub(crate) async fn git_ref(&self, repo: &Repo, name: &str) -> Result<Option<GitRef>> {
        let request = route("GET /repos/{owner}/{repo}/git/ref/{ref}", &[&repo.owner, &repo.name, name]);
        let body: Option<Value> = self.maybe(Target::Repo(repo), request).await?;
        // An older server answers with every ref that begins so, if there is none of that name.
        Ok(body.filter(Value::is_object).and_then(|body| connector::tolerant::from_value(body).ok()))
    }

    /// Every ref whose name begins with `prefix` (`heads/fix`).
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn matching_refs(
        &self,
        repo: &Repo,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<Listed<GitRef>> {
        let path = [&repo.owner, &repo.name, prefix];
        let request = route("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", &path).cache(OFTEN, NONE);
        self.list(Target::Repo(repo), request, None, 100, after).await
    }

    /// A page of branches or tags.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn tags(
        &self,
        repo: &Repo,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Named>> {
        let request = route("GET /repos/{owner}/{repo}/tags", &[&repo.owner, &repo.name]).cache(OFTEN, NONE);
        self.list(Target::Repo(repo), request, None, per_page, after).await
    }

    /// The tree `sha` (or that of the commit `sha`), with all below it if `recursive`.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn tree(&self, repo: &Repo, sha: &str, recursive: bool) -> Result<Tree> {
        let mut request =
            route("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", &[&repo.owner, &repo.name, sha])
                .max_body(TREE_BYTES)
                .cache(IMMUTABLE, NONE);
        if recursive {
            request = request.query("recursive", "1");
        }
        self.json(Target::Repo(repo), request).await
    }

    /// A commit as git has it.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn git_commit(&self, repo: &Repo, sha: &str) -> Result<GitCommit> {
        let path = [&repo.owner, &repo.name, sha];
        let request =
            route("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", &path).cache(IMMUTABLE, NONE);
        self.json(Target::Repo(repo), request).await
    }

    /// An annotated tag.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn tag_object(&self, repo: &Repo, sha: &str) -> Result<TagObject> {
        let path = [&repo.owner, &repo.name, sha];
        let request = route("GET /repos/{owner}/{repo}/git/tags/{tag_sha}", &path).cache(IMMUTABLE, NONE);
        self.json(Target::Repo(repo), request).await
    }

    /// Commits `changes` on top of `expected`, if the branch is still there. GitHub signs the commit; every
    /// file comes out as a plain one.
    ///
    /// # Errors
    /// As [`Api::mutate`]; `conflict` if the branch is elsewhere.
    pub(crate) async fn commit_on_branch(
        &self,
        repo: &Repo,
        branch: &str,
        expected: &str,
        message: &str,
        changes: &FileChanges,
    ) -> Result<Made> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Body {
            create_commit_on_branch: Payload,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Payload {
            commit: Made,
        }
        let (headline, body) = message.split_once('\n').unwrap_or((message, ""));
        let additions = changes.additions.iter();
        let additions: Vec<_> = additions
            .map(|(path, bytes)| json!({"path": path, "contents": STANDARD.encode(bytes)}))
            .collect();
        let deletions: Vec<_> = changes.deletions.iter().map(|path| json!({"path": path})).collect();
        let input = json!({
            "branch": {"repositoryNameWithOwner": repo.to_string(), "branchName": branch},
            "expectedHeadOid": expected,
            "message": {"headline": headline.trim_end(), "body": body.trim_start_matches('\n')},
            "fileChanges": {"additions": additions, "deletions": deletions},
        });
        let check = format!("Check with list_commits whether {branch} of {repo} has the commit");
        let answer: Body =
            self.mutate(Target::Repo(repo), &CREATE_COMMIT, json!({"input": input}), &check).await?;
        let made = answer.create_commit_on_branch.commit;
        if made.oid.is_empty() { Err(unproven("commit")) } else { Ok(made) }
    }

    /// Stores bytes as a blob and returns its sha.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_blob(&self, repo: &Repo, bytes: &[u8]) -> Result<String> {
        let body = json!({"content": STANDARD.encode(bytes), "encoding": "base64"});
        let request = route("POST /repos/{owner}/{repo}/git/blobs", &[&repo.owner, &repo.name])
            // What is stored is named by its content.
            .replay(Replay::Idempotent)
            .attempt_timeout(UPLOAD_TIMEOUT)
            .json(&body)?;
        let made: Object = self.json(Target::Repo(repo), request).await?;
        if made.sha.is_empty() { Err(incomplete("blob")) } else { Ok(made.sha) }
    }

    /// Makes the tree that `base` becomes by `changes`, and returns its sha.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_tree(
        &self,
        repo: &Repo,
        base: &str,
        changes: &[TreeChange],
    ) -> Result<String> {
        let entries: Vec<_> = changes
            .iter()
            .map(|TreeChange { path, mode, file }| {
                let kind = if mode == SUBMODULE { "commit" } else { "blob" };
                let mut entry = json!({"path": path, "mode": mode, "type": kind});
                match file {
                    TreeFile::Blob(sha) => entry["sha"] = json!(sha),
                    TreeFile::Text(text) => entry["content"] = json!(text),
                    TreeFile::Gone => entry["sha"] = Value::Null,
                }
                entry
            })
            .collect();
        let request = route("POST /repos/{owner}/{repo}/git/trees", &[&repo.owner, &repo.name])
            .replay(Replay::Idempotent)
            .attempt_timeout(UPLOAD_TIMEOUT)
            .json(&json!({"base_tree": base, "tree": entries}))?;
        let made: Object = self.json(Target::Repo(repo), request).await?;
        if made.sha.is_empty() { Err(incomplete("tree")) } else { Ok(made.sha) }
    }

    /// Makes a commit that no branch has yet.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_commit(
        &self,
        repo: &Repo,
        message: &str,
        tree: &str,
        parent: &str,
    ) -> Result<GitCommit> {
        let request = route("POST /repos/{owner}/{repo}/git/commits", &[&repo.owner, &repo.name])
            // One made twice lies about unused until GitHub removes it.
            .replay(Replay::Idempotent)
            .json(&json!({"message": message, "tree": tree, "parents": [parent]}))?;
        let made: GitCommit = self.json(Target::Repo(repo), request).await?;
        if made.sha.is_empty() { Err(incomplete("commit")) } else { Ok(made) }
    }

    /// Makes an annotated tag that no ref has yet, and returns its sha.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_tag(
        &self,
        repo: &Repo,
        name: &str,
        message: &str,
        commit: &str,
    ) -> Result<String> {
        let body = json!({"tag": name, "message": message, "object": commit, "type": "commit"});
        let request = route("POST /repos/{owner}/{repo}/git/tags", &[&repo.owner, &repo.name])
            .replay(Replay::Idempotent)
            .json(&body)?;
        let made: Object = self.json(Target::Repo(repo), request).await?;
        if made.sha.is_empty() { Err(incomplete("tag")) } else { Ok(made.sha) }
    }

    /// Creates the ref `refs/heads/NAME` or `refs/tags/NAME`. A second attempt is refused as a conflict, so
    /// it may be made.
    ///
    /// # Errors
    /// As [`Api::json`]; `conflict` if there is one.
    pub(crate) async fn create_ref(&self, repo: &Repo, name: &str, sha: &str) -> Result<GitRef> {
        let request = route("POST /repos/{owner}/{repo}/git/refs", &[&repo.owner, &repo.name])
            .replay(Replay::Idempotent)
            .json(&json!({"ref": name, "sha": sha}))?
            .check(format!("Check with list_refs whether {repo} has {name}"));
        self.json(Target::Repo(repo), request).await
    }

    /// Moves the branch forward to `sha`; GitHub refuses any other direction.
    ///
    /// # Errors
    /// As [`Api::json`]; `invalid_argument` if that would not be forward.
    pub(crate) async fn move_branch(&self, repo: &Repo, branch: &str, sha: &str) -> Result<GitRef> {
        let name = format!("heads/{branch}");
        let path = [repo.owner.as_str(), repo.name.as_str(), name.as_str()];
        let request = route("PATCH /repos/{owner}/{repo}/git/refs/{ref}", &path)
            .replay(Replay::Idempotent)
            .json(&json!({"sha": sha, "force": false}))?
            .check(format!("Check with list_commits whether {branch} of {repo} has the commit"));
        self.json(Target::Repo(repo), request).await
    }

    /// Deletes the ref `heads/NAME` or `tags/NAME`.
    ///
    /// # Errors
    /// As [`Api::send`]; `invalid_argument` if there is none.
    pub(crate) async fn delete_ref(&self, repo: &Repo, name: &str) -> Result<()> {
        let request = route("DELETE /repos/{owner}/{repo}/git/refs/{ref}", &[&repo.owner, &repo.name, name])
            .effect(Effect::Destructive)
            .replay(Replay::Idempotent)
            .any_body()
            .check(format!("Check with list_refs whether {repo} still has {name}"));
        match self.send(Target::Repo(repo), request).await {
            // GitHub says 422 "Reference does not exist": an attempt before this one removed it.
            Err(error) if error.kind() == Kind::InvalidArgument && error.is_repeated() => Ok(()),
            sent => sent.map(drop),
        }
    }
}

/// The mode of a submodule.
pub(crate) const SUBMODULE: &str = "160000";

/// The error for a repository without commits.
pub(crate) fn empty(repo: &Repo) -> Error {
    Error::not_found(format!("{repo} has no commits yet")).with_hint("commit_files can make the first one")
}
