//! HubSpot's API as typed requests and answers, a file for each area. Builds requests, decides nothing.

pub(crate) mod account;
pub(crate) mod associations;
pub(crate) mod conversations;
pub(crate) mod definitions;
pub(crate) mod lists;
pub(crate) mod objects;

use std::{sync::Arc, time::Duration};

use connector::{
    Effect, Result,
    upstream::{Credential, Request, Response, Upstream},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    error::Refusal,
    vendor::{CALLS, DAY, HubSpotVendor, SEARCHES},
};

/// How long what describes records is taken as it was read.
const DEFINITIONS_TTL: Duration = Duration::from_secs(600);

/// The client of HubSpot's API.
#[derive(Clone)]
pub(crate) struct Api {
    upstream: Upstream,
    credential: Arc<dyn Credential>,
    vendor: HubSpotVendor,
    /// Such as `2026-09`.
    version: &'static str,
}

impl Api {
    pub(crate) fn new(
        upstream: Upstream,
        credential: Arc<dyn Credential>,
        vendor: HubSpotVendor,
        version: &'static str,
    ) -> Self {
        Self { upstream, credential, vendor, version }
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// A request of `route`, whose first placeholder is the version.
    fn route(&self, route: &'static str, values: &[&str]) -> Request {
        let values: Vec<&str> = [self.version].into_iter().chain(values.iter().copied()).collect();
        Self::plain(route, &values)
    }

    /// A request of `route` that names its version itself.
    fn plain(route: &'static str, values: &[&str]) -> Request {
        let request = Request::route(route, values);
        if route.ends_with("/search") && route.contains("/objects/") {
            request.cost(SEARCHES, 1).cost(DAY, 1)
        } else {
            request.cost(CALLS, 1).cost(DAY, 1)
        }
    }

    /// A POST that only reads.
    fn query(&self, route: &'static str, values: &[&str]) -> Request {
        self.route(route, values).effect(Effect::Read)
    }

    async fn send(&self, request: Request) -> Result<Response> {
        self.upstream.send(request).await
    }

    async fn read<T: DeserializeOwned>(&self, request: Request) -> Result<T> {
        let operation = request.operation;
        let response = self.send(request).await?;
        response.json().map_err(|error| error.with_operation(operation))
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("version", &self.version).finish_non_exhaustive()
    }
}

/// A page of something, or all of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Listed<T> {
    #[serde(default = "Vec::new")]
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) total: u64,
    #[serde(default)]
    paging: Paging,
}

impl<T> Listed<T> {
    /// HubSpot's word for the page after it.
    pub(crate) fn next(&self) -> Option<&str> {
        self.paging.next.as_ref().map(|next| next.after.as_str()).filter(|after| !after.is_empty())
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Paging {
    next: Option<Next>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Next {
    after: String,
}

/// What a batch came to: HubSpot answers 207 where a part of it failed.
#[derive(Clone, Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Batch<T> {
    #[serde(default = "Vec::new")]
    pub(crate) results: Vec<T>,
    #[serde(default)]
    pub(crate) errors: Vec<Refusal>,
}

impl<T> Batch<T> {
    /// A batch that was done as a whole.
    pub(crate) fn done(results: Vec<T>) -> Self {
        Self { results, errors: Vec::new() }
    }
}
