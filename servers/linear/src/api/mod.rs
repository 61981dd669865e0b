//! Linear's API as typed requests and tolerant answers, one file per area. It builds requests and
//! decides nothing.

pub(crate) mod attachments;
pub(crate) mod comments;
pub(crate) mod cycles;
pub(crate) mod documents;
pub(crate) mod files;
pub(crate) mod initiatives;
pub(crate) mod issues;
pub(crate) mod labels;
pub(crate) mod milestones;
pub(crate) mod names;
pub(crate) mod notifications;
mod operation;
pub(crate) mod projects;
pub(crate) mod relations;
pub(crate) mod search;

pub(crate) mod updates;
pub(crate) mod uploads;
pub(crate) mod workspace;

use connector::{
    Result,
    upstream::{Request, Tag, Upstream},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use connector::upstream::{Connection, Partial};
pub use operation::Operation;
pub(crate) use operation::{document, first};

use crate::{
    error::{self, GraphqlError},
    vendor::{COMPLEXITY, REQUESTS, SEARCHES},
};

/// The operations of each area.
const AREAS: &[&[&Operation]] = &[
    attachments::OPERATIONS,
    comments::OPERATIONS,
    cycles::OPERATIONS,
    documents::OPERATIONS,
    initiatives::OPERATIONS,
    issues::OPERATIONS,
    labels::OPERATIONS,
    milestones::OPERATIONS,
    names::OPERATIONS,
    notifications::OPERATIONS,
    projects::OPERATIONS,
    relations::OPERATIONS,
    search::OPERATIONS,
    updates::OPERATIONS,
    uploads::OPERATIONS,
    workspace::OPERATIONS,
];

/// Every operation that this server can send, so that a test can check each of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    AREAS.iter().copied().flatten().copied()
}

/// The client of Linear's GraphQL API. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    upstream: Upstream,
}

impl Api {
    /// A client over `upstream`, whose base URL is the GraphQL endpoint itself.
    #[must_use]
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    /// The pipeline beneath.
    #[must_use]
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Runs `operation`. A part of the answer that failed beside good data is logged and otherwise
    /// taken as absent; use [`Self::run_partial`] where the caller should be told.
    ///
    /// # Errors
    /// What Linear's table of errors says, or `upstream` for an answer of another shape.
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
    ) -> Result<T> {
        Ok(self.run_partial(operation, variables).await?.or_absent(operation.name))
    }

    /// Runs `operation` and tells which parts of its answer failed.
    ///
    /// # Errors
    /// As [`Self::run`], if nothing came at all.
    pub(crate) async fn run_partial<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
    ) -> Result<Partial<T>> {
        self.run_document(operation, operation.document, variables, None).await
    }

    /// Runs a `document` made for the occasion (the same mutation under several aliases) as
    /// `operation`. `check` says what to look at should its outcome never be learned.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) async fn run_document<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        document: &str,
        variables: Value,
        check: Option<String>,
    ) -> Result<Partial<T>> {
        let points = (operation.points)(&variables);
        let body = json!({"query": document, "variables": variables, "operationName": operation.name});
        // The endpoint is the base URL itself, so there is no path below it.
        let mut request = Request::post(operation.name, "")
            .effect(operation.effect)
            .replay(operation.replay)
            .json(&body)?
            .cost(REQUESTS, 1)
            .cost(COMPLEXITY, points);
        if operation.search {
            request = request.cost(SEARCHES, 1);
        }
        if let Some(ttl) = operation.ttl {
            request = request.cache(ttl, operation.tags.iter().copied());
        }
        if let Some(check) = check {
            request = request.check(check);
        }
        let request = request.invalidates(operation.invalidates.iter().copied());
        let response = self.upstream.send(request).await?;
        Partial::read(&response, operation.name, |failure: &GraphqlError| {
            (failure.part(), error::failure(operation.effect, operation.name, failure))
        })
    }

    /// Runs the mutation `operation`. `check` says what to look at should its outcome never be learned,
    /// as the beginning of a sentence.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(crate) async fn write<T: DeserializeOwned>(
        &self,
        operation: &Operation,
        variables: Value,
        check: &str,
    ) -> Result<T> {
        let answer = self.run_document(operation, operation.document, variables, Some(check.to_owned()));
        Ok(answer.await?.or_noted())
    }

    /// Makes kept answers old that depend on `tags`.
    pub(crate) fn invalidate(&self, tags: &[&'static str]) {
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::Borrowed(*tag)).collect();
        self.upstream.invalidate(&tags);
    }
}
