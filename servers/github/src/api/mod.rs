//! GitHub's API as typed requests and tolerant answers, one file per area. It builds requests and
//! decides nothing, but for one thing: every request says which repository it is about, and what is out
//! of reach is refused here, whatever tool asked.

pub(crate) mod account;
pub(crate) mod actions;
pub(crate) mod branches;
mod checks;
pub(crate) mod comments;
pub(crate) mod contents;
pub(crate) mod diffs;
pub(crate) mod discussions;
pub(crate) mod gists;
pub(crate) mod git;
mod graphql;
pub(crate) mod issues;
pub(crate) mod members;
pub(crate) mod notifications;
pub(crate) mod planning;
pub(crate) mod projects;
mod pull_records;
pub(crate) mod pulls;
pub(crate) mod raw;
pub(crate) mod releases;
pub(crate) mod repos;
mod rest;
pub(crate) mod rest_issues;
pub(crate) mod reviews;
pub(crate) mod search;
pub(crate) mod security;
pub(crate) mod suggestions;
mod versions;

use std::sync::Arc;

use connector::{
    Effect, Error, Kind, Result,
    upstream::{Request, Response, Upstream},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

pub(crate) use connector::upstream::Partial;
pub use graphql::Operation;
pub(crate) use graphql::document;
pub(crate) use rest::{Listed, route};

use crate::{bounds::RepositoryBounds, error, repo::Repo};
use graphql::Dialect;

/// The GraphQL operations of each area.
const AREAS: &[&[&Operation]] = &[
    actions::OPERATIONS,
    branches::OPERATIONS,
    comments::OPERATIONS,
    contents::OPERATIONS,
    discussions::OPERATIONS,
    gists::OPERATIONS,
    git::OPERATIONS,
    issues::OPERATIONS,
    members::OPERATIONS,
    notifications::OPERATIONS,
    projects::OPERATIONS,
    pulls::OPERATIONS,
    releases::OPERATIONS,
    repos::OPERATIONS,
    reviews::OPERATIONS,
    search::OPERATIONS,
    security::OPERATIONS,
];

/// Every GraphQL operation that this server can send, so that a test can check each of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    AREAS.iter().copied().flatten().copied()
}

/// How long the answer about something that cannot change is kept: what a full sha names.
pub(crate) const IMMUTABLE: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
/// How long what seldom changes is kept before it is asked for again, on condition: repositories, labels.
pub(crate) const SELDOM: std::time::Duration = std::time::Duration::from_secs(60);
/// How long what changes all the time is kept before it is asked for again, on condition.
pub(crate) const OFTEN: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a search's answer is kept.
pub(crate) const SEARCHED: std::time::Duration = std::time::Duration::from_secs(30);

/// What a request is about: decides whether it is within reach, which credential it takes, and which
/// cached answers a write invalidates.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// One repository.
    Repo(&'a Repo),
    /// A person or an organization, but none of its repositories.
    Owner(&'a str),
    /// Whoever's credential it is, or nobody: rate limits, searches (which the caller narrows and filters).
    Viewer,
}

/// A credential for the owners whose names fit a pattern.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// The pattern, in lower case.
    pub(crate) owners: String,
    /// The way to GitHub with that credential.
    pub(crate) upstream: Upstream,
}

/// The client of GitHub's API. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    main: Upstream,
    accounts: Vec<Account>,
    bounds: RepositoryBounds,
    dialect: Dialect,
}

impl Api {
    /// A client with the credential of `main`, and those of `accounts` for some owners.
    pub(crate) fn new(main: Upstream, accounts: Vec<Account>, bounds: RepositoryBounds) -> Self {
        let dialect = Dialect::new(main.base_url());
        Self(Arc::new(Inner { main, accounts, bounds, dialect }))
    }

    /// The pipeline with the main credential.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.0.main
    }

    /// The owners with a credential of their own.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.0.accounts
    }

    /// The repositories that may be touched.
    pub(crate) fn bounds(&self) -> &RepositoryBounds {
        &self.0.bounds
    }

    /// Where web pages are: `https://github.com` for `https://api.github.com`.
    pub(crate) fn web(&self) -> &Url {
        self.0.dialect.web()
    }

    /// Sends `request`.
    ///
    /// # Errors
    /// `policy` if what it is about is out of reach; `invalid_argument` if a value in its path would lead
    /// elsewhere; whatever GitHub's table of errors says.
    pub(crate) async fn send(&self, target: Target<'_>, mut request: Request) -> Result<Response> {
        let inner = self.0.as_ref();
        if let Target::Repo(repo) = target {
            inner.bounds.permits(repo, request.effect)?;
            self.permits_now(repo, request.effect).await?;
        }
        let tag = match target {
            Target::Repo(repo) => repo.tag(),
            Target::Owner(owner) => format!("owner:{owner}").to_lowercase(),
            Target::Viewer => "viewer".to_owned(),
        };
        if let Some(rule) = &mut request.cache {
            rule.tags.push(tag.clone().into());
        }
        if request.effect.writes() {
            request.invalidates.push(tag.into());
        }
        let reads = !request.effect.writes();
        let response = self.speak(self.upstream_for(target), request).await?;
        if let Target::Repo(repo) = target
            && reads
        {
            self.permits_answer(repo, &response)?;
        }
        Ok(response)
    }

    /// An answer about a repository names it once: every GraphQL document asks for its name. What comes from one that is
    /// out of bounds, under whatever name it was asked for, goes no further.
    fn permits_answer(&self, repo: &Repo, response: &Response) -> Result<()> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Repository {
            name_with_owner: String,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Data {
            repository: Repository,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Answer {
            data: Data,
        }
        if !self.0.bounds.is_narrow() {
            return Ok(());
        }
        let named = serde_json::from_slice::<Answer>(&response.body).unwrap_or_default();
        let now = named.data.repository.name_with_owner;
        if now.is_empty() || self.0.bounds.sees(&now) { Ok(()) } else { Err(renamed(repo)) }
    }

    /// Sends `request` as this GitHub understands it.
    async fn speak(&self, upstream: &Upstream, request: Request) -> Result<Response> {
        let dialect = &self.0.dialect;
        let sent = upstream.send(dialect.speak(request.clone())).await;
        match sent {
            // An older server: its own version is asked for from now on.
            Err(error) if error.message() == error::OTHER_VERSION && dialect.fall_back() => {
                upstream.send(dialect.speak(request)).await
            }
            sent => sent,
        }
    }

    /// GitHub answers under a former name too, REST by a redirect and GraphQL without a word, for what the
    /// operator may not have in mind: where only some repositories are within reach, the name that `repo` has
    /// now must be within it as well.
    async fn permits_now(&self, repo: &Repo, effect: Effect) -> Result<()> {
        let bounds = &self.0.bounds;
        if !bounds.narrows(effect) {
            return Ok(());
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Named {
            full_name: String,
        }
        let request = route("GET /repos/{owner}/{repo}", &[&repo.owner, &repo.name])
            // Without the repository's own tag: a write to it does not change its name.
            .cache(SELDOM, std::iter::empty::<String>());
        let now = match self.speak(self.upstream_for(Target::Repo(repo)), request).await {
            Ok(response) => response.json::<Named>()?.full_name,
            // What is not there has no other name. What was asked for will say so in its own words.
            Err(error) if error.kind() == Kind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if repo.to_string().eq_ignore_ascii_case(&now) {
            return Ok(());
        }
        match Repo::parse(&now) {
            Ok(now) if bounds.permits(&now, effect).is_ok() => Ok(()),
            _ => Err(renamed(repo)),
        }
    }

    /// Whether a branch, a range or a side of one may be read in `repo`: `user:branch` and `user:name:branch`
    /// mean a repository of the same network, which must be within reach itself.
    ///
    /// # Errors
    /// `policy` if not.
    fn permits_fork(&self, repo: &Repo, range: &str) -> Result<()> {
        if !self.0.bounds.is_narrow() {
            return Ok(());
        }
        for side in range.split("..").map(|side| side.trim_start_matches('.')) {
            let mut parts = side.split(':');
            let fork = match (parts.next(), parts.next(), parts.next()) {
                (Some(owner), Some(name), Some(_)) => Repo { owner: owner.to_owned(), name: name.to_owned() },
                // A fork has the name of its source as a rule.
                (Some(owner), Some(_), None) => Repo { owner: owner.to_owned(), name: repo.name.clone() },
                _ => continue,
            };
            self.0.bounds.permits(&fork, Effect::Read)?;
        }
        Ok(())
    }

    /// Sends `request` and reads its answer.
    ///
    /// # Errors
    /// As [`Self::send`]; `upstream` for an answer of another shape.
    pub(crate) async fn json<T: DeserializeOwned>(&self, target: Target<'_>, request: Request) -> Result<T> {
        let operation = request.operation;
        self.send(target, request).await?.json().map_err(|error| error.with_operation(operation))
    }

    /// Sends `request` and returns what there is, or nothing where GitHub says there is none.
    ///
    /// # Errors
    /// As [`Self::json`], but for `not_found`.
    pub(crate) async fn maybe<T: DeserializeOwned>(
        &self,
        target: Target<'_>,
        request: Request,
    ) -> Result<Option<T>> {
        match self.json(target, request).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Invalidates cached answers about `repo`.
    pub(crate) fn invalidate(&self, repo: &Repo) {
        self.upstream_for(Target::Repo(repo)).invalidate(&[repo.tag().into()]);
    }

    /// The pipeline whose credential is for `target`.
    fn upstream_for(&self, target: Target<'_>) -> &Upstream {
        let owner = match target {
            Target::Repo(repo) => repo.owner.as_str(),
            Target::Owner(owner) => owner,
            Target::Viewer => return &self.0.main,
        };
        let owner = owner.to_lowercase();
        let account = self.0.accounts.iter().find(|account| fast_glob::glob_match(&account.owners, &owner));
        account.map_or(&self.0.main, |account| &account.upstream)
    }
}

/// The error for a repository that has another name now, which is out of reach. It does not say which.
pub(crate) fn renamed(repo: &Repo) -> Error {
    Error::new(
        Kind::Policy,
        format!("{repo} has another name now, which is not among the repositories of this server"),
    )
    .with_hint("The operator lists them in --allow-repos and --allow-write-repos")
}

/// The error for an answer to a write that lacks what proves it: it was received, and may be done.
pub(crate) fn unproven(what: &str) -> Error {
    Error::new(
        Kind::UnknownOutcome,
        format!("GitHub's answer has no {what}, so whether it was done is not known"),
    )
    .with_hint("Look at what was to be changed; only repeat the call if it is not")
}

/// The error for an answer that lacks what every such answer has.
pub(crate) fn incomplete(what: &str) -> Error {
    Error::new(Kind::Upstream, format!("GitHub's answer has no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_of_a_repository_asks_for_its_name() {
        for operation in operations() {
            let mut asked = operation.document.split("  repository(owner").skip(1);
            let names = |part: &str| part.lines().skip(1).take(3).any(|line| line == "    nameWithOwner");
            assert!(asked.all(names), "{}", operation.name);
        }
    }
}
