//! How a commit gets onto its branch, and how it is known whether it did.
//!
//! GitHub has two ways. `createCommitOnBranch` takes whole files and the head that the branch must be at, and
//! signs the commit; but every file comes out as a plain one. Where modes, links or much data are concerned
//! the commit is put together from git's own parts and the branch moved forward to it, which GitHub refuses
//! if the branch is elsewhere. A repository without commits knows neither, and begins with a single file.

use connector::{Error, Kind, Result, catalog::Call};

use super::{
    super::refs::protected,
    staging::{self, Becomes, PLAIN, Staged, moved},
};
use crate::{
    GitHub,
    api::{
        diffs::Log,
        git::{FileChanges, Head, TreeChange, TreeFile},
    },
    render::short_sha,
    repo::Repo,
};

/// The most bytes that go into one GraphQL request.
const AT_ONCE: u64 = 4 * 1024 * 1024;
/// Files up to this size are sent again when they are moved; a larger one is moved by its blob.
const RESENT: u64 = 1024 * 1024;
/// Bytes of text that may come with a tree.
const INLINE: usize = 1024 * 1024;
/// The newest commits among which one is looked for that may have been made.
const LOOKED_AT: u32 = 30;

/// What a commit goes on top of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// The branch, which is at this commit.
    Branch(String),
    /// This commit, where the branch is to begin.
    New(String),
    /// The repository has no commits.
    Nothing,
}

impl Base {
    /// The commit that files are read at.
    pub(super) fn sha(&self) -> Option<&str> {
        match self {
            Self::Branch(sha) | Self::New(sha) => Some(sha),
            Self::Nothing => None,
        }
    }
}

/// A commit that is on its branch.
#[derive(Clone, Debug)]
pub(super) struct Landed {
    pub(super) sha: String,
    pub(super) url: String,
    /// Files, lines added and lines removed as GitHub counts them, where it tells.
    pub(super) counted: Option<(usize, u64, u64)>,
    /// The commit before it that began an empty repository.
    pub(super) first: Option<String>,
    /// Whether GitHub's answer was lost and the commit found.
    pub(super) found: bool,
}

/// A commit on its way.
struct Landing<'a> {
    call: &'a Call<GitHub>,
    repo: &'a Repo,
    branch: &'a str,
    message: &'a str,
}

/// Commits `staged` on top of `base`.
///
/// # Errors
/// `conflict` if the branch moved; `permission` if its rules forbid it; `unknown_outcome` if nobody knows.
pub(super) async fn land(
    call: &Call<GitHub>,
    repo: &Repo,
    branch: &str,
    base: Base,
    message: &str,
    staged: &[Staged],
) -> Result<Landed> {
    let landing = Landing { call, repo, branch, message };
    match base {
        Base::Branch(sha) => landing.on_top(&sha, false, staged).await,
        Base::New(sha) => landing.on_top(&sha, true, staged).await,
        Base::Nothing => landing.begin(staged).await,
    }
}

impl Landing<'_> {
    async fn on_top(&self, base: &str, new: bool, staged: &[Staged]) -> Result<Landed> {
        if is_plain(staged) {
            self.by_branch(base, new, staged).await
        } else {
            self.by_parts(base, new, staged).await
        }
    }

    /// Commits whole files in one request.
    async fn by_branch(&self, base: &str, new: bool, staged: &[Staged]) -> Result<Landed> {
        let Self { call, repo, branch, message } = self;
        let api = call.api();
        let mut changes = FileChanges::default();
        for file in staged {
            match &file.becomes {
                Becomes::Bytes(bytes) => changes.additions.push((file.path.clone(), bytes.clone())),
                Becomes::Same { sha, size } => {
                    changes.additions.push((file.path.clone(), api.blob(repo, sha, *size).await?));
                }
                Becomes::Gone => changes.deletions.push(file.path.clone()),
            }
            changes.deletions.extend(file.moved_from.clone());
        }
        if new {
            self.begin_branch(base).await?;
        }
        match api.commit_on_branch(repo, branch, base, message, &changes).await {
            Ok(made) => {
                let whole = |number: Option<f64>| number.map(|number| number as u64);
                let files =
                    whole(made.changed_files_if_available).and_then(|files| usize::try_from(files).ok());
                let counted = match (files, whole(made.additions), whole(made.deletions)) {
                    (Some(files), Some(added), Some(removed)) => Some((files, added, removed)),
                    _ => None,
                };
                Ok(Landed { sha: made.oid, url: made.url, counted, first: None, found: false })
            }
            Err(error) => {
                let landed = self.settle(base, staged, None, error).await;
                landed.map_err(|error| if new { self.begun(error) } else { error })
            }
        }
    }

    /// `error` with a word on the branch that was created for a commit that failed.
    fn begun(&self, error: Error) -> Error {
        let message =
            format!("{} (the branch {} was created, without the commit)", error.message(), self.branch);
        let hint = error.hint().unwrap_or("Repeat the call as it was").to_owned();
        Error::new(error.kind(), message).with_hint(hint).with_source(error)
    }

    /// Puts the commit together from blobs, a tree and a commit, and moves the branch to it.
    async fn by_parts(&self, base: &str, new: bool, staged: &[Staged]) -> Result<Landed> {
        let Self { call, repo, branch, message } = self;
        let api = call.api();
        let base_tree = api.git_commit(repo, base).await?.tree.sha;
        let mut changes = Vec::new();
        let (mut sent, total) = (0_u32, u32::try_from(staged.len()).ok());
        let mut inline = 0;
        for file in staged {
            let will_be = match &file.becomes {
                Becomes::Bytes(bytes) => match std::str::from_utf8(bytes) {
                    // Text may come with the tree itself, which saves a write for each file.
                    Ok(text) if inline + text.len() <= INLINE => {
                        inline += text.len();
                        TreeFile::Text(text.to_owned())
                    }
                    _ => TreeFile::Blob(api.create_blob(repo, bytes).await.map_err(unmade)?),
                },
                Becomes::Same { sha, .. } => TreeFile::Blob(sha.clone()),
                Becomes::Gone => TreeFile::Gone,
            };
            sent += 1;
            call.progress(sent, total, &format!("stored {}", file.path)).await;
            let old_mode = file.old.as_ref().map_or(PLAIN, |old| old.mode.as_str());
            let mode = if file.is_deletion() { old_mode } else { file.mode.as_str() };
            changes.push(TreeChange { path: file.path.clone(), mode: mode.to_owned(), file: will_be });
            if let Some(from) = &file.moved_from {
                let from = from.clone();
                changes.push(TreeChange { path: from, mode: old_mode.to_owned(), file: TreeFile::Gone });
            }
        }
        let tree = api.create_tree(repo, &base_tree, &changes).await.map_err(unmade)?;
        let commit = api.create_commit(repo, message, &tree, base).await.map_err(unmade)?;
        let placed = if new {
            api.create_ref(repo, &format!("refs/heads/{branch}"), &commit.sha).await
        } else {
            api.move_branch(repo, branch, &commit.sha).await
        };
        match placed {
            Ok(_) => {
                let url = if commit.html_url.is_empty() { self.url(&commit.sha) } else { commit.html_url };
                Ok(Landed { sha: commit.sha, url, counted: None, first: None, found: false })
            }
            Err(error) => self.settle(base, staged, Some(&commit.sha), error).await,
        }
    }

    /// Makes the first commit of a repository, and a second one for what does not fit into it.
    async fn begin(&self, staged: &[Staged]) -> Result<Landed> {
        let Self { call, repo, branch, message } = self;
        let bytes = |file: &Staged| match &file.becomes {
            Becomes::Bytes(bytes) => Some(bytes.clone()),
            Becomes::Same { .. } | Becomes::Gone => None,
        };
        let plain = staged.iter().position(|file| file.mode == PLAIN && bytes(file).is_some());
        let Some((at, content)) = plain.or(Some(0)).and_then(|at| Some((at, bytes(staged.get(at)?)?))) else {
            return Err(Error::internal("a first commit without a file"));
        };
        let file = &staged[at];
        let put = call.api().put_first_file(repo, branch, &file.path, message, &content).await;
        let (first, found) = match put {
            Ok(sha) => (sha, false),
            Err(error) if matches!(error.kind(), Kind::UnknownOutcome | Kind::Conflict) => {
                match call.api().head(repo, branch).await {
                    Ok(Head::At(sha)) if self.began(&sha, file).await => (sha, true),
                    Ok(Head::EmptyRepository | Head::Missing) if error.kind() == Kind::UnknownOutcome => {
                        return Err(unmade(error));
                    }
                    _ => return Err(error),
                }
            }
            Err(error) => return Err(protected(error, branch)),
        };
        // What was put is a plain file, whatever it is to be.
        let rest: Vec<_> = staged
            .iter()
            .enumerate()
            .filter(|(place, file)| *place != at || file.mode != PLAIN)
            .map(|(_, file)| file.clone())
            .collect();
        if rest.is_empty() {
            return Ok(Landed { url: self.url(&first), sha: first, counted: None, first: None, found });
        }
        let landed = self.on_top(&first, false, &rest).await.map_err(|error| {
            let message = format!(
                "{} was committed as {first}, the other files were not: {}",
                file.path,
                error.message()
            );
            Error::new(error.kind(), message)
                .with_hint("Commit the other files in another call")
                .with_source(error)
        })?;
        Ok(Landed { first: Some(first), found: found || landed.found, ..landed })
    }

    /// Creates the branch at `base`, or finds it there.
    async fn begin_branch(&self, base: &str) -> Result<()> {
        let Self { call, repo, branch, .. } = self;
        match call.api().create_ref(repo, &format!("refs/heads/{branch}"), base).await {
            Ok(_) => Ok(()),
            Err(error) => match call.api().head(repo, branch).await {
                Ok(Head::At(sha)) if sha == base => Ok(()),
                _ => Err(protected(error, branch)),
            },
        }
    }

    /// What became of a commit whose last request failed with `error`. `made` is the commit itself, where it
    /// is known.
    async fn settle(
        &self,
        base: &str,
        staged: &[Staged],
        made: Option<&str>,
        error: Error,
    ) -> Result<Landed> {
        let Self { call, repo, branch, .. } = self;
        let unsure = error.kind() == Kind::UnknownOutcome;
        let refused = protected(error, branch);
        if refused.kind() == Kind::Permission {
            return Err(refused);
        }
        let error = refused;
        let head = match call.api().head(repo, branch).await {
            Ok(Head::At(sha)) => sha,
            // The branch was to begin with the commit, and did not.
            Ok(Head::Missing) if unsure => return Err(unmade(error)),
            _ => return Err(error),
        };
        if head == base {
            // Should it still be under way, it can only land on this head: the same call made again does not
            // make it twice.
            return Err(if unsure { unmade(error) } else { error });
        }
        match self.find(base, &head, staged, made).await {
            Ok(Some(sha)) => Ok(Landed { url: self.url(&sha), sha, counted: None, first: None, found: true }),
            Ok(None) => Err(moved(branch, short_sha(base), &head).with_source(error)),
            Err(_) => Err(error),
        }
    }

    /// The commit among the newest of the branch that is ours: on top of `base`, with our message and files.
    async fn find(
        &self,
        base: &str,
        head: &str,
        staged: &[Staged],
        made: Option<&str>,
    ) -> Result<Option<String>> {
        let Self { call, repo, message, .. } = self;
        let log = Log { head: Some(head), ..Log::default() };
        for commit in call.api().log(repo, &log, LOOKED_AT, None).await?.items {
            if let Some(made) = made {
                if commit.sha == made {
                    return Ok(Some(commit.sha));
                }
                continue;
            }
            let on_base = matches!(commit.parents.as_slice(), [parent] if parent.sha == base);
            if on_base
                && same_message(&commit.commit.message, message)
                && staging::is_so(call.api(), repo, &commit.sha, staged).await?
            {
                return Ok(Some(commit.sha));
            }
        }
        Ok(None)
    }

    /// Whether the first commit of a repository is ours.
    async fn began(&self, sha: &str, file: &Staged) -> bool {
        let commit = self.call.api().git_commit(self.repo, sha).await;
        let ours = commit
            .is_ok_and(|commit| commit.parents.is_empty() && same_message(&commit.message, self.message));
        let as_put = Staged { mode: PLAIN.to_owned(), ..file.clone() };
        ours && staging::is_so(self.call.api(), self.repo, sha, &[as_put]).await.unwrap_or(false)
    }

    /// Where a person looks at a commit, if GitHub does not say.
    fn url(&self, sha: &str) -> String {
        format!("{}{}/commit/{sha}", self.call.api().web(), self.repo)
    }
}

/// Whether all files are plain ones and stay so, and are few enough bytes for one request.
fn is_plain(staged: &[Staged]) -> bool {
    let mut size = 0;
    let plain = staged.iter().all(|file| {
        let was = file.old.as_ref().map_or(PLAIN, |old| old.mode.as_str());
        match &file.becomes {
            Becomes::Bytes(bytes) => size += bytes.len() as u64,
            Becomes::Same { size: moved, .. } if *moved <= RESENT => size += moved,
            Becomes::Same { .. } => return false,
            Becomes::Gone => return was == PLAIN,
        }
        was == PLAIN && file.mode == PLAIN
    });
    plain && size <= AT_ONCE
}

/// Messages are the same but for what GitHub does to the line breaks in and after them.
fn same_message(one: &str, other: &str) -> bool {
    let normal = |text: &str| -> Vec<String> {
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    normal(one) == normal(other)
}

/// A failure after which it is certain that the branch has no new commit.
fn unmade(error: Error) -> Error {
    if error.kind() != Kind::UnknownOutcome {
        return error;
    }
    Error::new(Kind::Upstream, "GitHub failed, and the commit is certainly not on the branch")
        .with_hint("Repeat the call as it was")
        .with_source(error)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::git::TreeEntry;

    fn file(mode: &str, old: Option<&str>, becomes: Becomes) -> Staged {
        let old = old.map(|mode| TreeEntry { mode: mode.to_owned(), ..TreeEntry::default() });
        Staged {
            path: "a".to_owned(),
            moved_from: None,
            becomes,
            mode: mode.to_owned(),
            old,
            added: 0,
            removed: 0,
            context: String::new(),
            note: None,
        }
    }

    #[test]
    fn only_plain_files_go_the_way_that_makes_every_file_plain() {
        let bytes = |len: usize| Becomes::Bytes(Bytes::from(vec![0; len]));
        let same = |size| Becomes::Same { sha: "1".to_owned(), size };
        assert!(is_plain(&[
            file("100644", None, bytes(9)),
            file("100644", Some("100644"), same(9)),
            file("", Some("100644"), Becomes::Gone)
        ]));
        assert!(!is_plain(&[file("100755", None, bytes(9))]));
        assert!(!is_plain(&[file("100644", Some("100755"), bytes(9))]));
        assert!(!is_plain(&[file("", Some("160000"), Becomes::Gone)]));
        assert!(!is_plain(&[file("100644", None, bytes(5 * 1024 * 1024))]));
        assert!(!is_plain(&[file("100644", Some("100644"), same(RESENT + 1))]));
    }

    #[test]
    fn a_message_is_known_again_whatever_its_line_breaks() {
        assert!(same_message("Fix it\n\nBecause.\n", "Fix it\nBecause."));
        assert!(!same_message("Fix it", "Fix that"));
    }
}
