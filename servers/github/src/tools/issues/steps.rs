//! What changes an issue, one request for each part of it.

use connector::catalog::reconcile::{self, Seen};
use connector::{Error, Kind, Result};
use serde_json::{Map, Value};

use crate::{GitHub, api::rest_issues::RestIssue, repo::Repo};

/// What is to be done, one request for each part of it.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) patch: Map<String, Value>,
    pub(super) add_labels: Vec<String>,
    pub(super) remove_labels: Vec<String>,
    pub(super) add_assignees: Vec<String>,
    pub(super) remove_assignees: Vec<String>,
    /// Whether its conversation is locked, and as what.
    pub(super) lock: Option<(bool, String)>,
    /// Whether it asks first.
    pub(super) asks: bool,
}

impl Steps {
    /// Does it, and gives the issue as it then is.
    ///
    /// # Errors
    /// Those of its requests; what was done before one failed is said.
    pub(super) async fn carry_out(
        &self,
        server: &GitHub,
        repo: &Repo,
        number: u64,
        before: &RestIssue,
    ) -> Result<RestIssue> {
        let api = server.api();
        let mut done: Vec<&str> = Vec::new();
        let mut latest = None;
        if !self.patch.is_empty() {
            let patch = Value::Object(self.patch.clone());
            let send = || api.update_issue(repo, number, &patch);
            let look = || async {
                let now = api.rest_issue(repo, number).await?;
                let is = |key: &str, text: &str| {
                    patch[key].as_str().is_none_or(|wanted| reconcile::same_text(wanted, text))
                };
                let done = is("title", &now.title) && is("body", &now.body) && is("state", now.state());
                // GitHub tells whole seconds: in the second of the change before, only what is set tells.
                let tells = ["title", "body", "state"].iter().any(|key| patch.get(*key).is_some());
                let untouched = now.updated_at == before.updated_at;
                Ok(if untouched && !(tells && done) {
                    let as_before =
                        now.title == before.title && now.body == before.body && now.state() == before.state();
                    if as_before { Seen::Untouched } else { Seen::Changed }
                } else if done {
                    Seen::Done(now)
                } else {
                    Seen::Changed
                })
            };
            latest = Some(reconcile::updated(send, look).await?.0);
            done.extend(self.patch.keys().map(String::as_str));
        }
        let after_that = |done: &[&str], error: Error| {
            if done.is_empty() {
                return error;
            }
            let message = format!("{} (changed before that: {})", error.message(), done.join(", "));
            let hint = error.hint().unwrap_or("Repeat the call: what is done stays as it is").to_owned();
            Error::new(error.kind(), message).with_hint(hint)
        };
        if !self.add_labels.is_empty() {
            let added = api.add_labels(repo, number, &self.add_labels).await;
            added.map_err(|error| after_that(&done, error))?;
            done.push("labels added");
            latest = None;
        }
        for label in &self.remove_labels {
            match api.remove_label(repo, number, label).await {
                // Somebody else has taken it away.
                Err(error) if error.kind() != Kind::NotFound => return Err(after_that(&done, error)),
                _ => done.push("labels removed"),
            }
            latest = None;
        }
        for (people, add) in [(&self.add_assignees, true), (&self.remove_assignees, false)] {
            if !people.is_empty() {
                let assigned = api.assign(repo, number, people, add).await;
                assigned.map_err(|error| after_that(&done, error))?;
                done.push("assignees");
                latest = None;
            }
        }
        if let Some((lock, reason)) = &self.lock {
            api.lock(repo, number, *lock, reason).await.map_err(|error| after_that(&done, error))?;
            done.push("lock");
            latest = None;
        }
        match latest {
            Some(ticket) => Ok(ticket),
            None => api.rest_issue(repo, number).await.map_err(|error| read_back(&done, &error)),
        }
    }
}

/// Everything is `done`, and only how it is now could not be read.
fn read_back(done: &[&str], error: &Error) -> Error {
    let message =
        format!("it is done ({}), but how it is now is not known: {}", done.join(", "), error.message());
    Error::new(Kind::UnknownOutcome, message)
        .with_hint("Look at it with get_issue; there is nothing to repeat")
}
