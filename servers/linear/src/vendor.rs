//! Linear, as the pipeline needs to know it: its budgets, its way of authorizing, what its headers tell.

use std::{borrow::Cow, time::Duration};

use connector::{
    Error, Kind, Result, Secret, clock,
    upstream::{Budget, Reading, Request, Response, Vendor},
};
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::error;

/// The budget of requests.
pub(crate) const REQUESTS: &str = "requests";
/// The budget of complexity points.
pub(crate) const COMPLEXITY: &str = "complexity";
/// The budget of searches.
pub(crate) const SEARCHES: &str = "searches";

/// The most complexity points that Linear lets one request cost.
pub(crate) const MAX_POINTS: u32 = 10_000;
/// Where Linear keeps uploaded files; reading them takes the same credential.
pub(crate) const FILES_HOST: &str = "uploads.linear.app";

const HOUR: Duration = Duration::from_secs(60 * 60);
const MINUTE: Duration = Duration::from_secs(60);

/// Linear, as the pipeline needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearVendor {
    /// Whether the credential is an OAuth token, which has other budgets than a personal key.
    pub(crate) oauth: bool,
}

impl Vendor for LinearVendor {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn title(&self) -> &'static str {
        "Linear"
    }

    fn budgets(&self) -> Vec<Budget> {
        let (requests, complexity) = if self.oauth { (5_000, 2_000_000) } else { (2_500, 3_000_000) };
        vec![
            Budget { bucket: REQUESTS, limit: requests, per: HOUR, burst: requests },
            Budget { bucket: COMPLEXITY, limit: complexity, per: HOUR, burst: complexity },
            Budget { bucket: SEARCHES, limit: 30, per: MINUTE, burst: 30 },
        ]
    }

    fn authorize(&self, headers: &mut HeaderMap, token: &Secret) -> Result<()> {
        let token = token.expose();
        // A personal key goes bare; with `Bearer` before it, Linear's file host refuses it.
        let value: Cow<'_, str> =
            if token.starts_with("lin_api_") { token.into() } else { format!("Bearer {token}").into() };
        let value = HeaderValue::from_str(&value).map_err(|_| {
            Error::new(Kind::Auth, "The Linear credential has characters that no credential has")
                .with_hint("Copy it again, without quotes or line breaks")
        })?;
        headers.insert(header::AUTHORIZATION, value);
        Ok(())
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        error::classify(request, response)
    }

    fn readings(&self, headers: &HeaderMap) -> Vec<Reading> {
        let read = |bucket, name: &str| {
            let number = |part: &str| {
                let value = headers.get(format!("x-ratelimit-{name}-{part}"))?.to_str().ok()?;
                value.trim().parse::<f64>().ok()
            };
            let units = |part: &str| number(part).map(|units| units.clamp(0.0, f64::from(u32::MAX)) as u32);
            let reading = Reading {
                bucket,
                limit: units("limit"),
                remaining: units("remaining"),
                reset: number("reset").map(epoch),
            };
            (reading.limit.is_some() || reading.remaining.is_some()).then_some(reading)
        };
        let searching = headers
            .get("x-ratelimit-endpoint-name")
            .and_then(|name| name.to_str().ok())
            .is_some_and(|name| name.to_lowercase().contains("search"));
        let endpoint = if searching { read(SEARCHES, "endpoint-requests") } else { None };
        [read(REQUESTS, "requests"), read(COMPLEXITY, "complexity"), endpoint].into_iter().flatten().collect()
    }

    fn trusts(&self, url: &Url) -> bool {
        url.host_str() == Some(FILES_HOST)
    }
}

/// A moment of Linear's headers: milliseconds since the epoch, or seconds where the number is too
/// small for milliseconds.
fn epoch(number: f64) -> Duration {
    let seconds = if number > 1e11 { number / 1000.0 } else { number };
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// How long to wait: by `Retry-After`, else until the later reset of the budgets that are empty.
pub(crate) fn wait(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(header::RETRY_AFTER) {
        return None; // The pipeline reads it.
    }
    let readings = LinearVendor { oauth: false }.readings(headers);
    let empty = readings.iter().filter(|reading| reading.remaining == Some(0));
    empty.filter_map(|reading| reading.reset).map(clock::until).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_personal_key_goes_bare_and_a_token_as_bearer() {
        for (token, value) in [("lin_api_1", "lin_api_1"), ("lin_oauth_1", "Bearer lin_oauth_1")] {
            let mut headers = HeaderMap::new();
            LinearVendor { oauth: false }.authorize(&mut headers, &Secret::new(token)).unwrap();
            assert_eq!(headers[header::AUTHORIZATION], value);
        }
    }
}
