//! What arguments are completed from: names and numbers only, kept for a while, so that typing costs little.

use connector::{Kind, Result};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Api, SELDOM, Target, route};
use crate::repo::Repo;

/// No tags besides the repository's own.
const NONE: [&str; 0] = [];

/// Something that is known by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    full_name: String,
    login: String,
    path: String,
}

/// An open issue or pull request.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Numbered {
    pub(crate) number: String,
    pub(crate) title: String,
    pull_request: Option<serde_json::Value>,
}

impl Numbered {
    pub(crate) fn is_pull(&self) -> bool {
        self.pull_request.is_some()
    }
}

impl Api {
    /// The full names of the repositories that the caller can see as theirs, the one pushed to last first.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn recent_repositories(&self) -> Result<Vec<String>> {
        let mine = route("GET /user/repos", &[]).query("sort", "pushed").cache(SELDOM, NONE);
        let found: Vec<Named> = match self.list(Target::Viewer, mine, None, 100, None).await {
            Ok(listed) => listed.items,
            // An installation of an app has none of its own.
            Err(error) if error.kind() == Kind::Permission => {
                let seen = route("GET /installation/repositories", &[]).cache(SELDOM, NONE);
                self.list(Target::Viewer, seen, Some("repositories"), 100, None).await?.items
            }
            Err(error) => return Err(error),
        };
        Ok(found.into_iter().map(|repo| repo.full_name).collect())
    }

    /// The branches of a repository, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn branch_names(&self, repo: &Repo) -> Result<Vec<String>> {
        self.names(repo, "GET /repos/{owner}/{repo}/branches").await
    }

    /// The tags of a repository, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn tag_names(&self, repo: &Repo) -> Result<Vec<String>> {
        self.names(repo, "GET /repos/{owner}/{repo}/tags").await
    }

    /// The labels of a repository, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn label_names(&self, repo: &Repo) -> Result<Vec<String>> {
        self.names(repo, "GET /repos/{owner}/{repo}/labels").await
    }

    async fn names(&self, repo: &Repo, which: &'static str) -> Result<Vec<String>> {
        Ok(self.suggested::<Named>(repo, which, &[]).await?.into_iter().map(|item| item.name).collect())
    }

    /// The people who can be assigned in a repository, at most a hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn assignee_names(&self, repo: &Repo) -> Result<Vec<String>> {
        let people: Vec<Named> = self.suggested(repo, "GET /repos/{owner}/{repo}/assignees", &[]).await?;
        Ok(people.into_iter().map(|person| person.login).collect())
    }

    /// The open issues and pull requests of a repository, the newest hundred.
    ///
    /// # Errors
    /// As [`Api::list`].
    pub(crate) async fn open_numbers(&self, repo: &Repo) -> Result<Vec<Numbered>> {
        self.suggested(repo, "GET /repos/{owner}/{repo}/issues", &[("state", "open")]).await
    }

    async fn suggested<T: DeserializeOwned>(
        &self,
        repo: &Repo,
        which: &'static str,
        query: &[(&'static str, &str)],
    ) -> Result<Vec<T>> {
        let mut request = route(which, &[&repo.owner, &repo.name]).cache(SELDOM, NONE);
        for (name, value) in query {
            request = request.query(name, *value);
        }
        Ok(self.list(Target::Repo(repo), request, None, 100, None).await?.items)
    }

    /// The paths of all files at `at`, as far as GitHub gives them in one answer.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn paths(&self, repo: &Repo, at: &str) -> Result<Vec<String>> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Tree {
            tree: Vec<Named>,
        }
        let request = route("GET /repos/{owner}/{repo}/git/trees/{tree_sha}", &[&repo.owner, &repo.name, at])
            .query("recursive", "1")
            .cache(SELDOM, NONE);
        let tree: Tree = self.json(Target::Repo(repo), request).await?;
        Ok(tree.tree.into_iter().map(|entry| entry.path).collect())
    }

    /// The full id of the newest commit of a pull request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn head_of_pull(&self, repo: &Repo, number: u64) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Pull {
            head: Head,
        }
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Head {
            sha: String,
        }
        let request = route(
            "GET /repos/{owner}/{repo}/pulls/{pull_number}",
            &[&repo.owner, &repo.name, &number.to_string()],
        );
        let pull: Pull = self.json(Target::Repo(repo), request).await?;
        Ok(pull.head.sha)
    }

    /// The title of an issue or a pull request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn issue_title(&self, repo: &Repo, number: u64) -> Result<String> {
        let request = route(
            "GET /repos/{owner}/{repo}/issues/{issue_number}",
            &[&repo.owner, &repo.name, &number.to_string()],
        );
        let issue: Numbered = self.json(Target::Repo(repo), request).await?;
        Ok(issue.title)
    }
}
