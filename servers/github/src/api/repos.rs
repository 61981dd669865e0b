//! Repositories: those of an owner, one of them, what belongs to it, new ones and forks.

use connector::{Kind, Result, upstream::Replay};
use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Listed, OFTEN, Operation, SELDOM, Target, route};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// Kept answers here depend on nothing but their repository.
pub(super) const NONE: [&str; 0] = [];
/// A file as it is.
pub(super) const RAW: HeaderValue = HeaderValue::from_static("application/vnd.github.raw+json");
/// Rows of the lists that are shown whole: the most GitHub gives at once.
const WHOLE: u32 = 100;

/// A repository.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Repository {
    pub(crate) full_name: String,
    pub(crate) description: String,
    pub(crate) private: bool,
    pub(crate) visibility: String,
    pub(crate) default_branch: String,
    pub(crate) language: String,
    pub(crate) stargazers_count: u64,
    pub(crate) forks_count: u64,
    /// Issues and pull requests together.
    pub(crate) open_issues_count: u64,
    pub(crate) pushed_at: String,
    pub(crate) html_url: String,
    pub(crate) archived: bool,
    pub(crate) fork: bool,
    pub(crate) parent: Parent,
    pub(crate) topics: Vec<String>,
    pub(crate) permissions: Permissions,
    pub(crate) allow_merge_commit: bool,
    pub(crate) allow_squash_merge: bool,
    pub(crate) allow_rebase_merge: bool,
    pub(crate) allow_auto_merge: bool,
}

/// What a repository was forked from.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parent {
    pub(crate) full_name: String,
}

/// What the caller may do in a repository.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Permissions {
    pub(crate) admin: bool,
    pub(crate) maintain: bool,
    pub(crate) push: bool,
    pub(crate) triage: bool,
    pub(crate) pull: bool,
}

impl Permissions {
    /// The highest of them, as GitHub calls the role; empty for none.
    pub(crate) fn role(self) -> &'static str {
        let roles = [
            (self.admin, "admin"),
            (self.maintain, "maintain"),
            (self.push, "write"),
            (self.triage, "triage"),
            (self.pull, "read"),
        ];
        roles.into_iter().find(|(has, _)| *has).map_or("", |(_, role)| role)
    }
}

/// Somebody with access.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Collaborator {
    pub(crate) login: String,
    pub(crate) role_name: String,
}

/// A rule that holds for a branch, of whatever ruleset.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) parameters: Value,
}

/// A branch in full.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct BranchDetail {
    pub(crate) protected: bool,
    pub(crate) protection: Protection,
}

/// How a branch is protected, as far as every reader is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Protection {
    pub(crate) required_status_checks: RequiredChecks,
}

/// The checks that must pass.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RequiredChecks {
    pub(crate) contexts: Vec<String>,
}

/// A repository that is to be.
#[derive(Clone, Debug)]
pub(crate) struct NewRepo<'a> {
    pub(crate) name: &'a str,
    /// None for the caller's own account.
    pub(crate) org: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
    pub(crate) private: bool,
    pub(crate) auto_init: bool,
}

/// Whose repositories are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose<'a> {
    /// All that the caller has something to do with.
    Viewers,
    /// The caller's own.
    ViewersOwn,
    /// All that the app's installation may touch.
    Installations,
    /// Those of an organization.
    Organizations(&'a str),
    /// The public ones of somebody.
    Users(&'a str),
}

impl Api {
    /// Whether somebody collaborates on a repository.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn collaborates(&self, repo: &Repo, login: &str) -> Result<bool> {
        let path = [&repo.owner, &repo.name, login];
        let request = route("GET /repos/{owner}/{repo}/collaborators/{username}", &path).any_body();
        match self.send(Target::Repo(repo), request).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A page of repositories. `kind` and `sort` are GitHub's words.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn repositories(
        &self,
        whose: Whose<'_>,
        kind: &str,
        sort: &str,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Repository>> {
        let (target, request, key) = match whose {
            Whose::Viewers | Whose::ViewersOwn => {
                let request = match whose {
                    // GitHub takes either `type`, or `visibility` and `affiliation`.
                    Whose::ViewersOwn => route("GET /user/repos", &[]).query("affiliation", "owner"),
                    _ => route("GET /user/repos", &[]),
                };
                let visibility = if matches!(kind, "public" | "private") { kind } else { "all" };
                (Target::Viewer, request.query("visibility", visibility), None)
            }
            Whose::Installations => {
                (Target::Viewer, route("GET /installation/repositories", &[]), Some("repositories"))
            }
            Whose::Organizations(org) => {
                (Target::Owner(org), route("GET /orgs/{org}/repos", &[org]).query("type", kind), None)
            }
            Whose::Users(user) => (
                Target::Owner(user),
                route("GET /users/{username}/repos", &[user]).query("type", "owner"),
                None,
            ),
        };
        self.list(target, request.query("sort", sort).cache(OFTEN, NONE), key, per_page, after).await
    }

    /// Whether an account is an organization; `not_found` if there is none.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn is_organization(&self, login: &str) -> Result<bool> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Account {
            #[serde(rename = "type")]
            kind: String,
        }
        let request = route("GET /users/{username}", &[login]).cache(SELDOM, NONE);
        let account: Account = self.json(Target::Owner(login), request).await?;
        Ok(account.kind == "Organization")
    }

    /// One repository.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn repository(&self, repo: &Repo) -> Result<Repository> {
        let request = route("GET /repos/{owner}/{repo}", &[&repo.owner, &repo.name]).cache(SELDOM, NONE);
        self.json(Target::Repo(repo), request).await
    }

    /// Whether there is such a repository now, whatever was kept about it.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn repository_now(&self, repo: &Repo) -> Result<Option<Repository>> {
        self.maybe(Target::Repo(repo), route("GET /repos/{owner}/{repo}", &[&repo.owner, &repo.name])).await
    }

    /// The README as it is, if there is one.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn readme(&self, repo: &Repo) -> Result<String> {
        let request = route("GET /repos/{owner}/{repo}/readme", &[&repo.owner, &repo.name])
            .header(header::ACCEPT, RAW)
            .any_body()
            .cache(SELDOM, NONE);
        let response = self.send(Target::Repo(repo), request).await?;
        Ok(String::from_utf8_lossy(&response.body).into_owned())
    }

    /// Bytes of code by language.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn languages(&self, repo: &Repo) -> Result<Vec<(String, u64)>> {
        let request = route("GET /repos/{owner}/{repo}/languages", &[&repo.owner, &repo.name]);
        let map: serde_json::Map<String, Value> =
            self.json(Target::Repo(repo), request.cache(SELDOM, NONE)).await?;
        let bytes = map.into_iter().map(|(name, bytes)| (name, bytes.as_u64().unwrap_or_default()));
        let mut languages: Vec<_> = bytes.filter(|(_, bytes)| *bytes > 0).collect();
        languages.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        Ok(languages)
    }

    /// Who has access.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn collaborators(&self, repo: &Repo) -> Result<Listed<Collaborator>> {
        self.whole_list(repo, "GET /repos/{owner}/{repo}/collaborators", &[]).await
    }

    /// The rules of rulesets that hold for a branch.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn branch_rules(&self, repo: &Repo, branch: &str) -> Result<Listed<Rule>> {
        self.whole_list(repo, "GET /repos/{owner}/{repo}/rules/branches/{branch}", &[branch]).await
    }

    /// A branch with its protection; none if there is no such branch.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn branch(&self, repo: &Repo, branch: &str) -> Result<Option<BranchDetail>> {
        let path = [&repo.owner, &repo.name, branch];
        self.maybe(Target::Repo(repo), route("GET /repos/{owner}/{repo}/branches/{branch}", &path)).await
    }

    /// The first and as a rule only page of something that a repository has few of.
    async fn whole_list<T: serde::de::DeserializeOwned>(
        &self,
        repo: &Repo,
        template: &'static str,
        more: &[&str],
    ) -> Result<Listed<T>> {
        let values: Vec<&str> =
            [repo.owner.as_str(), repo.name.as_str()].into_iter().chain(more.iter().copied()).collect();
        let request = route(template, &values).cache(SELDOM, NONE);
        self.list(Target::Repo(repo), request, None, WHOLE, None).await
    }

    /// Creates a repository.
    ///
    /// # Errors
    /// As [`Api::json`]; `conflict` if there is one of that name.
    pub(crate) async fn create_repository(&self, new: &NewRepo<'_>) -> Result<Repository> {
        let (target, request) = match new.org {
            Some(org) => (Target::Owner(org), route("POST /orgs/{org}/repos", &[org])),
            None => (Target::Viewer, route("POST /user/repos", &[])),
        };
        let mut body = json!({"name": new.name, "private": new.private, "auto_init": new.auto_init});
        if let Some(description) = new.description {
            body["description"] = json!(description);
        }
        let request = request
            .json(&body)?
            .invalidates(["viewer"])
            .check(format!("Check with get_repo whether {} is there", new.name));
        self.json(target, request).await
    }

    /// Forks `source`, for `org` or the caller. `owner` is whose it will be.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn fork(
        &self,
        source: &Repo,
        owner: &str,
        org: Option<&str>,
        name: &str,
    ) -> Result<Repository> {
        let mut body = json!({"name": name});
        if let Some(org) = org {
            body["organization"] = json!(org);
        }
        // Asked again, GitHub answers with the fork that there is. Nothing is written to the source; that the
        // new owner's side may be written to is for the caller to check.
        let request = route("POST /repos/{owner}/{repo}/forks", &[&source.owner, &source.name])
            .replay(Replay::Idempotent)
            .json(&body)?
            .invalidates(["viewer"])
            .check(format!("Check with get_repo whether {owner}/{name} is there"));
        self.json(Target::Owner(owner), request).await
    }
}
