//! What a repository's issues are sorted by: labels, milestones, types, and who may be assigned.

use connector::{
    Effect, Result,
    upstream::{Replay, Request},
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Api, Listed, SELDOM, Target,
    issues::{Named, Person, whole},
    route,
};
use crate::repo::Repo;

/// No tag besides that of the repository.
const NONE: [&str; 0] = [];

/// A label.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) color: String,
    pub(crate) description: String,
}

/// A milestone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Milestone {
    pub(crate) number: String,
    pub(crate) title: String,
    pub(crate) state: String,
    pub(crate) description: String,
    pub(crate) due_on: String,
    pub(crate) html_url: String,
    open_issues: Option<f64>,
    closed_issues: Option<f64>,
}

impl Milestone {
    /// How many issues and pull requests in it are open, and how many closed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (whole(self.open_issues), whole(self.closed_issues))
    }

    /// How many issues and pull requests are in it.
    pub(crate) fn size(&self) -> u64 {
        let (open, closed) = self.counts();
        open.saturating_add(closed)
    }
}

impl Api {
    /// The first hundred labels of `repo`, kept for a while.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn labels(&self, repo: &Repo) -> Result<Listed<Label>> {
        let request = of("GET /repos/{owner}/{repo}/labels", repo).cache(SELDOM, NONE);
        self.list(Target::Repo(repo), request, None, 100, None).await
    }

    /// One label, if `repo` has it.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn label(&self, repo: &Repo, name: &str) -> Result<Option<Label>> {
        self.maybe(Target::Repo(repo), about("GET /repos/{owner}/{repo}/labels/{name}", repo, name)).await
    }

    /// Makes a label. A second one of the same name is refused.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_label(&self, repo: &Repo, fields: &Value) -> Result<Label> {
        let request = of("POST /repos/{owner}/{repo}/labels", repo)
            .check(format!("Check with get_repo whether {repo} has the label"))
            .json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Changes a label everywhere. Not repeated blindly: under a new name the old one is gone.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn change_label(&self, repo: &Repo, name: &str, fields: &Value) -> Result<Label> {
        let request = about("PATCH /repos/{owner}/{repo}/labels/{name}", repo, name)
            .check(format!("Check the labels of {repo} with get_repo"))
            .json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Deletes a label, and takes it from everything that has it.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn delete_label(&self, repo: &Repo, name: &str) -> Result<()> {
        let request = about("DELETE /repos/{owner}/{repo}/labels/{name}", repo, name);
        self.send(Target::Repo(repo), deleting(request)).await.map(drop)
    }

    /// The milestones of `repo`, open ones and closed ones, kept for a while: the first thousand.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn milestones(&self, repo: &Repo) -> Result<Listed<Milestone>> {
        let request =
            || of("GET /repos/{owner}/{repo}/milestones", repo).query("state", "all").cache(SELDOM, NONE);
        let mut all: Listed<Milestone> = self.list(Target::Repo(repo), request(), None, 100, None).await?;
        for _ in 1..10 {
            let Some(next) = all.next.as_deref() else { break };
            let page: Listed<Milestone> =
                self.list(Target::Repo(repo), request(), None, 100, Some(next)).await?;
            all.items.extend(page.items);
            all.next = page.next;
        }
        Ok(all)
    }

    /// One milestone, if `repo` has it.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn milestone(&self, repo: &Repo, number: u64) -> Result<Option<Milestone>> {
        let number = number.to_string();
        let request = about("GET /repos/{owner}/{repo}/milestones/{milestone_number}", repo, &number);
        self.maybe(Target::Repo(repo), request).await
    }

    /// Makes a milestone. A second one of the same title is refused.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn create_milestone(&self, repo: &Repo, fields: &Value) -> Result<Milestone> {
        let request = of("POST /repos/{owner}/{repo}/milestones", repo)
            .check(format!("Check with get_repo whether {repo} has the milestone"))
            .json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Sets fields of a milestone.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn change_milestone(
        &self,
        repo: &Repo,
        number: &str,
        fields: &Value,
    ) -> Result<Milestone> {
        let request =
            about("PATCH /repos/{owner}/{repo}/milestones/{milestone_number}", repo, number).json(fields)?;
        self.json(Target::Repo(repo), request).await
    }

    /// Deletes a milestone; what was in it is in none then.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn delete_milestone(&self, repo: &Repo, number: &str) -> Result<()> {
        let request = about("DELETE /repos/{owner}/{repo}/milestones/{milestone_number}", repo, number);
        self.send(Target::Repo(repo), deleting(request)).await.map(drop)
    }

    /// The types that issues of `repo` may have; nothing where there are none, or where GitHub is too old
    /// for them.
    ///
    /// # Errors
    /// As [`Api::maybe`].
    pub(crate) async fn issue_types(&self, repo: &Repo) -> Result<Option<Vec<Named>>> {
        let request = of("GET /repos/{owner}/{repo}/issue-types", repo).cache(SELDOM, NONE);
        self.maybe(Target::Repo(repo), request).await
    }

    /// The first hundred people to whom something in `repo` may be assigned, kept for a while.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn assignable(&self, repo: &Repo) -> Result<Listed<Person>> {
        let request = of("GET /repos/{owner}/{repo}/assignees", repo).cache(SELDOM, NONE);
        self.list(Target::Repo(repo), request, None, 100, None).await
    }

    /// Whether something in `repo` may be assigned to `login`.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn is_assignable(&self, repo: &Repo, login: &str) -> Result<bool> {
        let request = about("GET /repos/{owner}/{repo}/assignees/{assignee}", repo, login).any_body();
        match self.send(Target::Repo(repo), request).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == connector::Kind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn of(template: &'static str, repo: &Repo) -> Request {
    route(template, &[&repo.owner, &repo.name])
}

fn about(template: &'static str, repo: &Repo, name: &str) -> Request {
    route(template, &[&repo.owner, &repo.name, name])
}

fn deleting(request: Request) -> Request {
    request.effect(Effect::Destructive).replay(Replay::Idempotent).any_body()
}
