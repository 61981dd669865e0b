//! Notion's API as requests and tolerant answers, one file per area. It builds requests and decides nothing.

pub(crate) mod blocks;
pub(crate) mod files;
pub(crate) mod objects;
pub(crate) mod pages;
pub(crate) mod tables;
pub(crate) mod workspace;

use connector::{
    Effect, Result,
    upstream::{Request, Upstream},
};
use serde::de::DeserializeOwned;

use crate::vendor::{REQUESTS, WORKSPACE, endpoint};

/// The client of Notion's API. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    upstream: Upstream,
}

impl Api {
    pub(crate) fn new(upstream: Upstream) -> Self {
        Self { upstream }
    }

    /// The pipeline beneath.
    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Sends `request` and reads its answer.
    ///
    /// # Errors
    /// What Notion's table of errors says, or `upstream` for an answer of another shape.
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        let operation = request.operation;
        let request = request.cost(REQUESTS, 1).cost(WORKSPACE, 1).cost(endpoint(operation), 1);
        let response = self.upstream.send(request).await?;
        response.json().map_err(|error| error.with_operation(operation))
    }
}

/// A POST that only reads.
pub(crate) fn asks(route: &'static str, values: &[&str]) -> Request {
    Request::route(route, values).effect(Effect::Read)
}
