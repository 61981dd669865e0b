//! Notion, as the pipeline needs to know it: its budget, its version, its way of authorizing.

use std::time::Duration;

use connector::{
    Error, Kind, Result, Secret,
    upstream::{Budget, Reading, Request, Response, Vendor},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::error;

/// The budget of requests.
pub(crate) const REQUESTS: &str = "requests";
/// The version of the API that every request speaks: the newest (npm @notionhq/client 5.26.0).
const VERSION: HeaderValue = HeaderValue::from_static("2026-03-11");
const VERSION_HEADER: HeaderName = HeaderName::from_static("notion-version");

/// Requests a minute on plans below Business; Business and Enterprise have 600
/// (developers.notion.com/reference/request-limits).
pub(crate) const REQUESTS_A_MINUTE: u32 = 180;

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
        let limit = self.requests_a_minute;
        vec![Budget { bucket: REQUESTS, limit, per: Duration::from_secs(60), burst: limit }]
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        let value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
            Error::new(Kind::Auth, "The Notion token has characters that no token has")
                .with_hint("Copy it again, without quotes or line breaks")
        })?;
        headers.insert(header::AUTHORIZATION, value);
        headers.insert(VERSION_HEADER, VERSION);
        Ok(())
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        error::classify(request, response)
    }

    /// Notion tells nothing of what is left; a refusal says how long to wait.
    fn readings(&self, _headers: &HeaderMap) -> Vec<Reading> {
        Vec::new()
    }
}
