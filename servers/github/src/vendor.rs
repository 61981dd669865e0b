//! GitHub, as the pipeline needs to know it: its budgets, and what its answers tell of them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use connector::{
    Result,
    catalog::one_line,
    clock,
    upstream::{Budget, Failed, Reading, Request, Response, Vendor},
};
use http::{HeaderMap, header};
use jiff::fmt::rfc2822;

use crate::error::{failure, refusal};

/// The primary budget of the REST API: 5,000 requests an hour for a user.
pub(crate) const CORE: &str = "core";
/// Searches: 30 a minute.
pub(crate) const SEARCH: &str = "search";
/// Searches of code: 9 or 10 a minute, depending on whom one asks.
pub(crate) const CODE_SEARCH: &str = "code_search";
/// The primary budget of the GraphQL API: 5,000 points an hour.
pub(crate) const GRAPHQL: &str = "graphql";
/// The secondary limit of REST: 900 points a minute; a write counts five.
pub(crate) const POINTS: &str = "points";
/// The secondary limit of GraphQL: 2,000 points a minute; a mutation counts five.
pub(crate) const GRAPHQL_POINTS: &str = "graphql_points";
/// Content created: 80 a minute and 500 an hour; this is the second.
pub(crate) const CONTENT: &str = "content";
/// Our own pace of writes, about one a second, as GitHub advises.
pub(crate) const WRITES: &str = "writes";

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// GitHub, as the pipeline needs to know it.
#[derive(Clone, Debug, Default)]
pub(crate) struct GitHubVendor {
    /// How far GitHub's clock is before ours, in seconds.
    pub(crate) ahead: Arc<AtomicI64>,
}

impl Vendor for GitHubVendor {
    fn name(&self) -> &'static str {
        "github"
    }

    fn title(&self) -> &'static str {
        "GitHub"
    }

    fn budgets(&self) -> Vec<Budget> {
        vec![
            Budget { bucket: CORE, limit: 5_000, per: HOUR, burst: 5_000 },
            Budget { bucket: SEARCH, limit: 30, per: MINUTE, burst: 30 },
            Budget { bucket: CODE_SEARCH, limit: 9, per: MINUTE, burst: 9 },
            Budget { bucket: GRAPHQL, limit: 5_000, per: HOUR, burst: 5_000 },
            Budget { bucket: POINTS, limit: 900, per: MINUTE, burst: 900 },
            Budget { bucket: GRAPHQL_POINTS, limit: 2_000, per: MINUTE, burst: 2_000 },
            Budget { bucket: CONTENT, limit: 500, per: HOUR, burst: 500 },
            Budget { bucket: WRITES, limit: 60, per: MINUTE, burst: 10 },
        ]
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        let verdict = if response.status.is_success() {
            if !request.expects_json || !is_graphql(request) {
                return Ok(());
            }
            // Data that came is worth more than the part that failed beside it; the caller is told of that.
            Failed::of(response)
                .filter(|failed| !failed.beside_data)
                .map(|failed| failure(request.effect, &failed.first))
        } else {
            Some(refusal(request, response))
        };
        match (verdict, response.header("x-github-request-id")) {
            (Some(error), Some(id)) => Err(error.with_request_id(one_line(id))),
            (Some(error), None) => Err(error),
            (None, _) => Ok(()),
        }
    }

    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        self.note_time(headers);
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let units = |name: &str| number(name).map(|units| u32::try_from(units).unwrap_or(u32::MAX));
        let resource = headers.get("x-ratelimit-resource").and_then(|value| value.to_str().ok());
        let known = [CORE, SEARCH, CODE_SEARCH, GRAPHQL];
        let Some(bucket) = known.into_iter().find(|bucket| Some(*bucket) == resource) else {
            return Vec::new();
        };
        vec![Reading {
            bucket,
            limit: units("x-ratelimit-limit"),
            remaining: units("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset").map(Duration::from_secs),
        }]
    }
}

impl GitHubVendor {
    /// Learns GitHub's time from an answer, for the times in an app's own tokens.
    fn note_time(&self, headers: &HeaderMap) {
        let told = headers.get(header::DATE).and_then(|date| rfc2822::parse(date.to_str().ok()?).ok());
        let ours = i64::try_from(clock::wall().as_secs()).unwrap_or(i64::MAX);
        if let Some(told) = told {
            self.ahead.store(told.timestamp().as_second().saturating_sub(ours), Ordering::Relaxed);
        }
    }
}

/// Whether a request goes to the GraphQL API: all of them are POSTs to that one address.
fn is_graphql(request: &Request) -> bool {
    matches!(&request.target, connector::upstream::Target::Url(url) if url.path().ends_with("/graphql"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn budgets_are_read_from_the_headers_of_their_resource() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("resource", "search"), ("limit", "30"), ("remaining", "7"), ("reset", "1700000000")]
        {
            headers.insert(
                header::HeaderName::try_from(format!("x-ratelimit-{name}")).unwrap(),
                HeaderValue::from_static(value),
            );
        }
        let vendor = GitHubVendor::default();
        let reading = vendor.readings(&headers)[0];
        assert_eq!((reading.bucket, reading.limit, reading.remaining), (SEARCH, Some(30), Some(7)));
        assert_eq!(reading.reset, Some(Duration::from_secs(1_700_000_000)));
        headers.insert("x-ratelimit-resource", HeaderValue::from_static("integration_manifest"));
        assert!(vendor.readings(&headers).is_empty());
    }
}
