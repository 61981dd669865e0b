//! GitHub's notifications.

use connector::{
    Result,
    upstream::{Replay, Request},
};
use serde::Deserialize;
use serde_json::json;

use super::{Api, Listed, Operation, Target, route};
use crate::repo::Repo;

/// The GraphQL operations of this area.
pub(super) const OPERATIONS: &[&Operation] = &[];

/// The most threads of a page (docs.github.com, "List notifications for the authenticated user").
pub(crate) const MOST: u32 = 50;

/// A thread of notifications.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Thread {
    pub(crate) id: String,
    pub(crate) unread: bool,
    pub(crate) reason: String,
    pub(crate) updated_at: String,
    pub(crate) subject: Subject,
    pub(crate) repository: Repository,
}

/// What a thread is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Subject {
    pub(crate) title: String,
    /// None for a workflow run and a discussion.
    url: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
}

impl Subject {
    /// The number of an issue or a pull request; the id of another thing; empty for none.
    pub(crate) fn number(&self) -> &str {
        let last = self.url.rsplit('/').next().unwrap_or_default();
        if last.chars().all(|c| c.is_ascii_digit()) { last } else { "" }
    }
}

/// A repository, by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Repository {
    pub(crate) full_name: String,
}

/// What is listed of the inbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    /// Read ones too.
    pub(crate) all: bool,
    pub(crate) participating: bool,
    /// A time as GitHub writes it.
    pub(crate) since: Option<String>,
}

/// What is done to a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It is read.
    Read,
    /// It leaves the inbox.
    Done,
    /// Nothing more is told of it, unless somebody mentions one.
    Ignore,
    /// Everything that happens in it is told.
    Subscribe,
}

impl Api {
    /// Threads of the inbox, of one repository or of all, the newest first.
    ///
    /// # Errors
    /// As [`Api::json`]; `permission` for a token that is not a classic one.
    pub(crate) async fn notifications(
        &self,
        repo: Option<&Repo>,
        inbox: &Inbox,
        per_page: u32,
        after: Option<&str>,
    ) -> Result<Listed<Thread>> {
        let (target, mut request) = match repo {
            Some(repo) => {
                let names = [repo.owner.as_str(), repo.name.as_str()];
                (Target::Repo(repo), route("GET /repos/{owner}/{repo}/notifications", &names))
            }
            None => (Target::Viewer, route("GET /notifications", &[])),
        };
        for (name, on) in [("all", inbox.all), ("participating", inbox.participating)] {
            if on {
                request = request.query(name, "true");
            }
        }
        if let Some(since) = &inbox.since {
            request = request.query("since", since);
        }
        self.list(target, request, None, per_page.min(MOST), after).await
    }

    /// One thread.
    ///
    /// # Errors
    /// As [`Api::json`].
    pub(crate) async fn thread(&self, id: &str) -> Result<Thread> {
        self.json(Target::Viewer, route("GET /notifications/threads/{thread_id}", &[id])).await
    }

    /// Marks one thread.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn mark_thread(&self, id: &str, mark: Mark) -> Result<()> {
        let request = match mark {
            Mark::Read => route("PATCH /notifications/threads/{thread_id}", &[id]),
            Mark::Done => route("DELETE /notifications/threads/{thread_id}", &[id]),
            Mark::Ignore | Mark::Subscribe => {
                let body = json!({"ignored": mark == Mark::Ignore});
                route("PUT /notifications/threads/{thread_id}/subscription", &[id]).json(&body)?
            }
        };
        self.send(Target::Viewer, request.replay(Replay::Idempotent).any_body()).await?;
        Ok(())
    }

    /// Marks everything up to a time (as GitHub writes it) as read, of one repository or of all.
    ///
    /// # Errors
    /// As [`Api::send`].
    pub(crate) async fn mark_all_read(&self, repo: Option<&Repo>, until: &str) -> Result<()> {
        let body = json!({"last_read_at": until});
        let send = |request: Request| -> Result<Request> {
            request.replay(Replay::Idempotent).any_body().json(&body)
        };
        match repo {
            Some(repo) => {
                let names = [repo.owner.as_str(), repo.name.as_str()];
                let request = send(route("PUT /repos/{owner}/{repo}/notifications", &names))?;
                // The inbox is the viewer's own; nothing of the repository is written.
                self.send(Target::Repo(repo), request).await?;
            }
            None => {
                self.send(Target::Viewer, send(route("PUT /notifications", &[]))?).await?;
            }
        }
        Ok(())
    }
}
