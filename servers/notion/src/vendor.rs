//! Notion, as the pipeline needs to know it: its budget, its version, its way of authorizing.

use std::time::Duration;

use connector::{
    Result, Secret,
    upstream::{Budget, Request, Response, Vendor, authorization},
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error;

/// The budget of requests: so many in a window of 60 seconds, for each connection.
pub(crate) const REQUESTS: &str = "requests";
/// The budget that all connections of a workspace share. Its size is not published.
pub(crate) const WORKSPACE: &str = "workspace";
/// What single endpoints allow, by the part of the API; sizes are not published.
pub(crate) const SEARCH: &str = "search";
pub(crate) const QUERIES: &str = "queries";
pub(crate) const PAGES: &str = "pages";
pub(crate) const OTHERS: &str = "others";
const ENDPOINTS: [&str; 4] = [SEARCH, QUERIES, PAGES, OTHERS];
/// The version of the API that every request speaks: the newest (npm @notionhq/client 5.26.0).
const VERSION: HeaderValue = HeaderValue::from_static("2026-03-11");
const VERSION_HEADER: HeaderName = HeaderName::from_static("notion-version");

/// Requests a minute on plans below Business; Business and Enterprise have 600
/// (developers.notion.com/reference/request-limits).
pub(crate) const REQUESTS_A_MINUTE: u32 = 180;

/// The budget of endpoints that an operation belongs to.
pub(crate) fn endpoint(operation: &str) -> &'static str {
    match operation {
        "POST /search" => SEARCH,
        "POST /data_sources/{id}/query" => QUERIES,
        operation if operation.contains(" /pages") => PAGES,
        _ => OTHERS,
    }
}

/// Notion, as the pipeline needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NotionVendor {
    /// Requests that one connection may make in a minute.
    pub(crate) requests_a_minute: u32,
}

impl Vendor for NotionVendor {
    fn name(&self) -> &'static str {
        "notion"
    }

    fn title(&self) -> &'static str {
        "Notion"
    }

    fn budgets(&self) -> Vec<Budget> {
        let (limit, per) = (self.requests_a_minute, Duration::from_secs(60));
        let unpublished = |bucket| Budget { bucket, limit: 0, per, burst: 0 };
        let mut budgets = vec![Budget { bucket: REQUESTS, limit, per, burst: limit }];
        budgets.extend([WORKSPACE].into_iter().chain(ENDPOINTS).map(unpublished));
        budgets
    }

    fn counts_in_windows(&self, bucket: &str) -> bool {
        bucket == REQUESTS
    }

    /// A refusal names whose budget is used up (request-limits, `rate_limit_reason`).
    fn refused_budget(&self, request: &Request, response: &Response) -> Option<&'static str> {
        match error::limit_reason(response)?.as_str() {
            "public_api_request_rate_limit" => Some(REQUESTS),
            "public_api_space_request_rate_limit" => Some(WORKSPACE),
            "public_api_endpoint_rate_limit" => Some(endpoint(request.operation)),
            _ => None,
        }
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        authorization(self.title(), headers, &format!("Bearer {}", token.expose()))?;
        headers.insert(VERSION_HEADER, VERSION);
        Ok(())
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        error::classify(request, response)
    }
}
