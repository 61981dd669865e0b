//! Repositories: what they are, who may do what, and their code in a true git object store.
//!
//! Branches move by [`Repository::push`] alone, which also moves the heads of the pull requests that come from
//! them: nobody keeps a copy of a head.

mod about;
mod asked;
mod branches;
mod commit_on_branch;
mod commits;
mod compare;
mod contents;
mod create;
pub(super) mod git;
mod graphql;
mod lists;
mod objects;
mod pushes;
mod refs;
mod releases;
mod seed;
mod show;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::git::Git;
use super::route::{ANY, Route, read, route, write};

pub(super) use self::{
    asked::sees,
    commits::{mail, unified},
    graphql::{keyed, object_node, ref_node, resolve},
    pushes::pushed,
    show::{SIGNED, change_json, commit_json, github, login_of, object_id, repository_json, signature_of},
};

pub(super) const ROUTES: &[Route] = &[
    route("GET /user/repos", ANY, lists::mine),
    route("POST /user/repos", write("administration"), create::for_user),
    route("GET /users/{username}/repos", ANY, lists::of_user),
    route("GET /orgs/{org}/repos", ANY, lists::of_organization),
    route("POST /orgs/{org}/repos", write("administration"), create::for_organization),
    route("GET /repos/{owner}/{repo}", read("metadata"), about::get),
    route("POST /repos/{owner}/{repo}/forks", read("contents"), create::fork),
    route("GET /repos/{owner}/{repo}/languages", read("metadata"), about::languages),
    route("GET /repos/{owner}/{repo}/topics", read("metadata"), about::topics),
    route("GET /repos/{owner}/{repo}/collaborators", read("metadata"), about::collaborators),
    route("GET /repos/{owner}/{repo}/collaborators/{username}", read("metadata"), about::collaborator),
    route(
        "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
        read("metadata"),
        about::permission,
    ),
    route("GET /repos/{owner}/{repo}/contents/{path}", read("contents"), contents::get),
    route("PUT /repos/{owner}/{repo}/contents/{path}", write("contents"), contents::put),
    route("DELETE /repos/{owner}/{repo}/contents/{path}", write("contents"), contents::delete),
    route("GET /repos/{owner}/{repo}/readme", read("contents"), contents::readme),
    route("GET /repos/{owner}/{repo}/branches", read("contents"), branches::list),
    route("GET /repos/{owner}/{repo}/branches/{branch}", read("contents"), branches::get),
    route(
        "GET /repos/{owner}/{repo}/branches/{branch}/protection",
        read("administration"),
        branches::protection,
    ),
    route("GET /repos/{owner}/{repo}/rules/branches/{branch}", read("metadata"), branches::rules),
    route("GET /repos/{owner}/{repo}/tags", read("metadata"), branches::tags),
    route("GET /repos/{owner}/{repo}/git/ref/{ref}", read("contents"), refs::get),
    route("GET /repos/{owner}/{repo}/git/matching-refs/{ref}", read("contents"), refs::matching),
    route("POST /repos/{owner}/{repo}/git/refs", write("contents"), refs::create),
    route("PATCH /repos/{owner}/{repo}/git/refs/{ref}", write("contents"), refs::update),
    route("DELETE /repos/{owner}/{repo}/git/refs/{ref}", write("contents"), refs::delete),
    route("POST /repos/{owner}/{repo}/git/blobs", write("contents"), objects::create_blob),
    route("GET /repos/{owner}/{repo}/git/blobs/{file_sha}", read("contents"), objects::blob),
    route("POST /repos/{owner}/{repo}/git/trees", write("contents"), objects::create_tree),
    route("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", read("contents"), objects::tree),
    route("POST /repos/{owner}/{repo}/git/commits", write("contents"), objects::create_commit),
    route("GET /repos/{owner}/{repo}/git/commits/{commit_sha}", read("contents"), objects::commit),
    route("POST /repos/{owner}/{repo}/git/tags", write("contents"), objects::create_tag),
    route("GET /repos/{owner}/{repo}/git/tags/{tag_sha}", read("contents"), objects::tag),
    route("GET /repos/{owner}/{repo}/commits", read("contents"), commits::list),
    route("GET /repos/{owner}/{repo}/commits/{ref}", read("contents"), commits::get),
    route("GET /repos/{owner}/{repo}/compare/{basehead}", read("contents"), compare::compare),
    route("GET /repos/{owner}/{repo}/releases", read("contents"), releases::list),
    route("POST /repos/{owner}/{repo}/releases", write("contents"), releases::create),
    route("POST /repos/{owner}/{repo}/releases/generate-notes", write("contents"), releases::generate),
    route("GET /repos/{owner}/{repo}/releases/latest", read("contents"), releases::latest),
    route("GET /repos/{owner}/{repo}/releases/tags/{tag}", read("contents"), releases::by_tag),
    route("PATCH /repos/{owner}/{repo}/releases/{release_id}", write("contents"), releases::update),
    route("DELETE /repos/{owner}/{repo}/releases/{release_id}", write("contents"), releases::delete),
];

/// How many entries of a tree GitHub shows at once (docs.github.com, "Get a tree").
const TREE_LIMIT: usize = 100_000;

/// Every repository.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Repos {
    repos: BTreeMap<u64, Repository>,
    /// Former names, in lower case, to ids.
    former: BTreeMap<String, u64>,
}

/// What a person may do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Role {
    Read,
    Triage,
    Write,
    Maintain,
    Admin,
}

impl Role {
    /// As the API says it in `role_name`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Triage => "triage",
            Self::Write => "write",
            Self::Maintain => "maintain",
            Self::Admin => "admin",
        }
    }

    /// The role of a word, also of the older ones `pull` and `push`.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "read" | "pull" => Self::Read,
            "triage" => Self::Triage,
            "write" | "push" => Self::Write,
            "maintain" => Self::Maintain,
            "admin" => Self::Admin,
            _ => return None,
        })
    }
}

/// A repository.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Repository {
    pub(super) id: u64,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) private: bool,
    pub(super) default_branch: String,
    pub(super) description: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) topics: Vec<String>,
    pub(super) archived: bool,
    /// The repository that this one was forked from.
    pub(super) parent: Option<u64>,
    pub(super) created_at: String,
    pub(super) updated_at: String,
    pub(super) pushed_at: String,
    /// Roles by login.
    pub(super) collaborators: BTreeMap<String, Role>,
    pub(super) merging: Merging,
    /// What is demanded of branches, by name.
    pub(super) protection: BTreeMap<String, Protection>,
    pub(super) releases: Vec<Release>,
    pub(super) git: Git,
    /// Names that the seed gives to commits.
    keys: BTreeMap<String, String>,
    /// How many entries of a tree are shown at once.
    tree_limit: usize,
    /// The branches that open pull requests of this repository come from, by number.
    pulls: BTreeMap<u64, String>,
}

/// How pull requests may be merged.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Merging {
    pub(super) merge_commit: bool,
    pub(super) squash: bool,
    pub(super) rebase: bool,
    pub(super) auto_merge: bool,
    pub(super) update_branch: bool,
    pub(super) delete_branch: bool,
}

impl Default for Merging {
    fn default() -> Self {
        let (merge_commit, squash, rebase) = (true, true, true);
        Self { merge_commit, squash, rebase, auto_merge: false, update_branch: false, delete_branch: false }
    }
}

/// What is demanded of a branch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Protection {
    /// How many must approve a pull request; none: pushes need no pull request.
    pub(super) reviews: Option<u64>,
    pub(super) dismiss_stale: bool,
    pub(super) code_owners: bool,
    /// Checks that must have succeeded.
    pub(super) checks: Vec<String>,
    /// Whether a branch must be up to date before it is merged.
    pub(super) strict: bool,
    pub(super) linear_history: bool,
    pub(super) resolved_conversations: bool,
    /// Whether it is so for administrators too.
    pub(super) admins: bool,
    pub(super) force_pushes: bool,
    pub(super) deletions: bool,
}

/// A release.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Release {
    pub(super) id: u64,
    pub(super) tag: String,
    /// What the tag is made of, if there is none yet.
    pub(super) target: String,
    pub(super) name: Option<String>,
    pub(super) body: Option<String>,
    pub(super) draft: bool,
    pub(super) prerelease: bool,
    pub(super) author: String,
    pub(super) created_at: String,
    /// None for a draft.
    pub(super) published_at: Option<String>,
    /// Whether it may count as the newest.
    pub(super) latest: bool,
}

/// A repository found by its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: u64,
    /// Whether it has another name now.
    pub(super) moved: bool,
}

impl Repos {
    pub(super) fn get(&self, id: u64) -> Option<&Repository> {
        self.repos.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Repository> {
        self.repos.get_mut(&id)
    }

    /// Every repository, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Repository> {
        self.repos.values()
    }

    /// Adds a repository.
    pub(super) fn add(&mut self, repo: Repository) {
        self.former.remove(&repo.full_name().to_lowercase());
        self.repos.insert(repo.id, repo);
    }

    /// By owner and name, whatever their case.
    pub(super) fn find(&self, owner: &str, name: &str) -> Option<Found> {
        let fits = |repo: &&Repository| {
            repo.owner.eq_ignore_ascii_case(owner) && repo.name.eq_ignore_ascii_case(name)
        };
        match self.repos.values().find(fits) {
            Some(repo) => Some(Found { id: repo.id, moved: false }),
            None => {
                let id = self.former.get(&format!("{owner}/{name}").to_lowercase())?;
                Some(Found { id: *id, moved: true })
            }
        }
    }
}

impl Repository {
    /// A repository without any code.
    pub(super) fn new(id: u64, owner: &str, name: &str, now: &str) -> Self {
        Self {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            private: false,
            default_branch: "main".to_owned(),
            description: None,
            homepage: None,
            topics: Vec::new(),
            archived: false,
            parent: None,
            created_at: now.to_owned(),
            updated_at: now.to_owned(),
            pushed_at: now.to_owned(),
            collaborators: BTreeMap::new(),
            merging: Merging::default(),
            protection: BTreeMap::new(),
            releases: Vec::new(),
            git: Git::default(),
            keys: BTreeMap::new(),
            tree_limit: TREE_LIMIT,
            pulls: BTreeMap::new(),
        }
    }

    /// `owner/name`.
    pub(super) fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// What somebody may do here; none for nobody and for a stranger, who may still read what is public.
    pub(super) fn role(&self, login: &str) -> Option<Role> {
        if self.owner.eq_ignore_ascii_case(login) {
            return Some(Role::Admin);
        }
        let mut roles = self.collaborators.iter();
        roles.find(|(name, _)| name.eq_ignore_ascii_case(login)).map(|(_, role)| *role)
    }

    /// The head of the default branch.
    pub(super) fn head(&self) -> Option<String> {
        self.resolve(&self.default_branch)
    }

    /// The full id of the commit that is meant: by a branch, a tag, a full or shortened id, `HEAD`,
    /// `pull/482/head`, a full name (`refs/heads/main`, `heads/main`), or a name that the seed gives (`@fix-482`).
    pub(super) fn resolve(&self, text: &str) -> Option<String> {
        if let Some(key) = text.strip_prefix('@') {
            return self.keys.get(key).cloned();
        }
        if text == "HEAD" {
            return self.resolve(&format!("refs/heads/{}", self.default_branch));
        }
        let names = [
            format!("refs/heads/{text}"),
            format!("refs/tags/{text}"),
            format!("refs/{text}"),
            text.to_owned(),
        ];
        if let Some(sha) = names.iter().find_map(|name| self.git.reference(name)) {
            return self.git.peel(sha);
        }
        self.git.peel(&text.to_ascii_lowercase()).or_else(|| self.git.abbreviated(text))
    }

    /// Moves a branch to a commit, or makes it; with it go the pull requests that come from it.
    pub(super) fn push(&mut self, branch: &str, sha: &str, now: &str) {
        self.git.point(&format!("refs/heads/{branch}"), sha);
        let from_here: Vec<u64> =
            self.pulls.iter().filter(|(_, from)| *from == branch).map(|(number, _)| *number).collect();
        for number in from_here {
            self.git.point(&format!("refs/pull/{number}/head"), sha);
        }
        now.clone_into(&mut self.pushed_at);
        now.clone_into(&mut self.updated_at);
    }

    /// From now on the head of a pull request is that of a branch of this repository, until it is closed.
    /// Whether there is such a branch.
    pub(super) fn open_pull(&mut self, number: u64, branch: &str) -> bool {
        let Some(sha) = self.git.branch(branch).map(str::to_owned) else { return false };
        self.git.point(&format!("refs/pull/{number}/head"), &sha);
        self.pulls.insert(number, branch.to_owned());
        true
    }

    /// A pull request is merged or closed: its head stays where it is.
    pub(super) fn close_pull(&mut self, number: u64) {
        self.pulls.remove(&number);
    }

    /// The head of a pull request, also of one whose branch is gone.
    pub(super) fn pull_head(&self, number: u64) -> Option<&str> {
        self.git.reference(&format!("refs/pull/{number}/head"))
    }
}
