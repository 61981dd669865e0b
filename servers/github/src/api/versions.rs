//! The versions of what is watched: what a conditional GET shows without a cost. GitHub counts no 304
//! (docs.github.com, "Best practices for using the REST API", conditional requests).

use connector::{Effect, Result};
use serde::Deserialize;

use super::{Api, OFTEN, Target, incomplete, rest_issues::full_name, route};
use crate::repo::Repo;

/// No tags besides the repository's own.
const NONE: [&str; 0] = [];

/// What tells one version of an issue, a pull request or a run from another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Seen {
    /// When anything happened to it: a comment, a review, a push, a label, a step of a run.
    updated_at: String,
    state: String,
    state_reason: String,
    merged_at: String,
    draft: bool,
    head: Head,
    status: String,
    conclusion: String,
    run_attempt: String,
    /// Where an issue lies.
    repository_url: String,
}

/// The commit that a pull request offers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    sha: String,
}

impl Api {
    /// The version of an issue.
    ///
    /// # Errors
    /// As [`Api::json`]; `policy` if it was moved to where this server may not read.
    pub(crate) async fn issue_version(&self, repo: &Repo, number: u64) -> Result<String> {
        self.version("GET /repos/{owner}/{repo}/issues/{issue_number}", repo, number).await
    }

    /// The version of a pull request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn pull_version(&self, repo: &Repo, number: u64) -> Result<String> {
        self.version("GET /repos/{owner}/{repo}/pulls/{pull_number}", repo, number).await
    }

    /// The version of a workflow run.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn run_version(&self, repo: &Repo, id: u64) -> Result<String> {
        self.version("GET /repos/{owner}/{repo}/actions/runs/{run_id}", repo, id).await
    }

    async fn version(&self, at: &'static str, repo: &Repo, number: u64) -> Result<String> {
        let request = route(at, &[&repo.owner, &repo.name, &number.to_string()]).cache(OFTEN, NONE);
        let seen: Seen = self.json(Target::Repo(repo), request).await?;
        // GitHub leads on from where an issue was moved away.
        if let Some(Ok(place)) = full_name(&seen.repository_url).map(Repo::parse) {
            self.bounds().permits(&place, Effect::Read)?;
        }
        if seen.updated_at.is_empty() {
            return Err(incomplete("time of its last change"));
        }
        let parts = [
            seen.updated_at,
            seen.state,
            seen.state_reason,
            seen.merged_at,
            seen.draft.to_string(),
            seen.head.sha,
            seen.status,
            seen.conclusion,
            seen.run_attempt,
        ];
        Ok(parts.join(" "))
    }
}
