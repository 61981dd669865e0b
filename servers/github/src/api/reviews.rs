//! Reviews of pull requests, and their threads.

use std::collections::BTreeMap;

use connector::{
    Error, Result,
    upstream::{Connection, Replay},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, Operation, Partial, Target, document, incomplete,
    pulls::{Review, Thread, absent, pull_route},
    unproven,
};
use crate::repo::Repo;

const LATEST: Operation = Operation::read("PullReviews", document!("pull_reviews"));
const THREADS: Operation = Operation::read("ReviewThreads", document!("review_threads"));
const RESOLVE: Operation = Operation::write("ResolveThreads", document!("resolve_threads")).idempotent();
const UNRESOLVE: Operation =
    Operation::write("UnresolveThreads", document!("unresolve_threads")).idempotent();

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[&LATEST, &THREADS, &RESOLVE, &UNRESOLVE];

/// Threads that one request names at most: so many places its document has.
pub(crate) const THREADS_AT_ONCE: usize = 10;

/// What became of one thread: its state now, or why it was not changed.
pub(crate) type ThreadOutcome = (String, Result<bool>);

impl Api {
    /// The latest reviews of a pull request, and the viewer's own that is not submitted.
    ///
    /// # Errors
    /// As [`Api::run`].
    pub(crate) async fn latest_reviews(&self, repo: &Repo, number: u64) -> Result<Vec<Review>> {
        #[derive(Deserialize)]
        struct Data {
            repository: Option<Repository>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Repository {
            pull_request: Option<Pull>,
        }
        #[derive(Deserialize)]
        struct Pull {
            #[serde(default)]
            reviews: Connection<Review>,
        }
        let variables = json!({"owner": repo.owner, "name": repo.name, "number": number});
        let data: Data = self.query(Target::Repo(repo), &LATEST, variables).await?;
        let repository = data.repository.ok_or_else(|| incomplete("repository"))?;
        Ok(repository.pull_request.ok_or_else(|| absent(repo, number))?.reviews.nodes)
    }

    /// Adds a review, with its comments, in one request.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn review_add(&self, repo: &Repo, number: u64, review: &Value) -> Result<Review> {
        let request = pull_route("POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews", repo, number)
            .json(review)?
            .check(look(number));
        self.json(Target::Repo(repo), request).await
    }

    /// Comments on a whole file, at once: a review takes comments on lines only (docs.github.com, "Create a review
    /// comment for a pull request", `subject_type`). The comment's id.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn comment_on_file(
        &self,
        repo: &Repo,
        number: u64,
        commit: &str,
        path: &str,
        body: &str,
    ) -> Result<String> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Made {
            id: String,
        }
        let comment = json!({"commit_id": commit, "path": path, "body": body, "subject_type": "file"});
        let request = pull_route("POST /repos/{owner}/{repo}/pulls/{pull_number}/comments", repo, number)
            .json(&comment)?
            .check(format!("Check with get_pr (include threads) whether #{number} has the comment"));
        Ok(self.json::<Made>(Target::Repo(repo), request).await?.id)
    }

    /// Submits a review that is pending.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn review_submit(
        &self,
        repo: &Repo,
        number: u64,
        review: &str,
        body: &Value,
    ) -> Result<Review> {
        let request = super::route(
            "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events",
            &[&repo.owner, &repo.name, &number.to_string(), review],
        )
        .json(body)?
        .check(look(number));
        self.json(Target::Repo(repo), request).await
    }

    /// Deletes a review that is pending, with its comments.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn review_discard(&self, repo: &Repo, number: u64, review: &str) -> Result<()> {
        let request = super::route(
            "DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}",
            &[&repo.owner, &repo.name, &number.to_string(), review],
        )
        .replay(Replay::Idempotent)
        .check(look(number));
        self.send(Target::Repo(repo), request).await.map(drop)
    }

    /// The review threads of these ids, those that there are: at most [`THREADS_AT_ONCE`].
    ///
    /// # Errors
    /// As [`Api::run`]; `not_found` if there is none of them.
    pub(crate) async fn threads(&self, target: Target<'_>, ids: &[String]) -> Result<Vec<Thread>> {
        // One that is not there leaves a hole beside the others.
        let found: BTreeMap<String, Option<Thread>> = self.query(target, &THREADS, places(ids)).await?;
        // Another kind of thing has none of a thread's fields.
        Ok(found.into_values().flatten().filter(|thread| !thread.id.is_empty()).collect())
    }

    /// Resolves threads of one repository, or reopens them: at most [`THREADS_AT_ONCE`].
    ///
    /// # Errors
    /// As [`Api::run`], if nothing came of any of them.
    pub(crate) async fn threads_set(
        &self,
        repo: &Repo,
        ids: &[String],
        resolved: bool,
    ) -> Result<Vec<ThreadOutcome>> {
        let operation = if resolved { &RESOLVE } else { &UNRESOLVE };
        let check = "Check with get_pr (include threads) which of them are resolved".to_owned();
        let Partial { data, failures } =
            self.run::<Value>(Target::Repo(repo), operation, places(ids), Some(check)).await?;
        let mut failures: BTreeMap<String, Error> = failures.into_iter().collect();
        let outcome = |(place, id): (usize, &String)| {
            let part = format!("t{place}");
            let state = data.pointer(&format!("/{part}/thread/isResolved")).and_then(Value::as_bool);
            let result = match (state, failures.remove(&part)) {
                (Some(state), _) => Ok(state),
                (None, Some(error)) => Err(error),
                (None, None) => Err(unproven("thread")),
            };
            (id.clone(), result)
        };
        Ok(ids.iter().enumerate().map(outcome).collect())
    }
}

/// The variables of a document that names so many threads one by one.
fn places(ids: &[String]) -> Value {
    let mut variables = json!({});
    for place in 0..THREADS_AT_ONCE {
        // Every variable must have a value, also of a place that is left out.
        variables[format!("t{place}")] = json!(ids.get(place).map_or("", String::as_str));
        if place > 0 {
            variables[format!("has{place}")] = json!(place < ids.len());
        }
    }
    variables
}

/// What to look at when the outcome of a write is not known.
fn look(number: u64) -> String {
    format!("Check with get_pr (include reviews) whether #{number} has the review")
}
