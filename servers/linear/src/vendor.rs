//! Linear, as the pipeline needs to know it: its budgets, its way of authorizing, and what its answers tell of them.

use std::{borrow::Cow, time::Duration};

use connector::{
    Kind, Result, Secret,
    catalog::one_line,
    clock,
    upstream::{Budget, Failed, Reading, Request, Response, Vendor, authorization, classify},
};
use http::{HeaderMap, header};
use url::Url;

use crate::error::{GraphqlError, failure};

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
        authorization(self.title(), headers, &value)
    }

    fn classify(&self, request: &Request, response: &Response) -> Result<()> {
        let good = response.status.is_success();
        let failed = if request.expects_json { Failed::<GraphqlError>::of(response) } else { None };
        let Some(Failed { first, beside_data }) = failed else {
            return classify::status(self.title(), response);
        };
        // Data that came is worth more than the part that failed beside it; the caller is told of that.
        if good && beside_data {
            return Ok(());
        }
        let mut error = failure(request.effect, request.operation, &first);
        if error.kind() == Kind::Upstream && !good && first.is_unexplained() {
            return classify::status(self.title(), response);
        }
        if error.kind() == Kind::RateLimited
            && let Some(wait) = wait(&response.headers)
        {
            error = error.with_retry_after(wait);
        }
        if let Some(id) = response.header("x-request-id") {
            error = error.with_request_id(one_line(id));
        }
        Err(error)
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
fn wait(headers: &HeaderMap) -> Option<Duration> {
    if headers.contains_key(header::RETRY_AFTER) {
        return None; // The pipeline reads it.
    }
    let readings = LinearVendor { oauth: false }.readings(headers);
    let empty = readings.iter().filter(|reading| reading.remaining == Some(0));
    empty.filter_map(|reading| reading.reset).map(clock::until).max()
}

#[cfg(test)]
pub(crate) mod tests {
    use connector::Retry;
    use http::{HeaderValue, StatusCode};
    use serde_json::{Value, json};

    use super::*;

    const VENDOR: LinearVendor = LinearVendor { oauth: false };

    /// What an answer means.
    pub(crate) fn answer(status: u16, headers: &[(&'static str, String)], body: &Value) -> Result<()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let response = Response::new(StatusCode::from_u16(status).unwrap(), map, body.to_string());
        VENDOR.classify(&Request::post("UpdateIssue", ""), &response)
    }

    #[test]
    fn data_beside_errors_is_kept() {
        let errors = json!([{"message": "boom", "path": ["a"], "extensions": {"type": "internal error"}}]);
        assert!(answer(200, &[], &json!({"data": {"a": null, "b": {}}, "errors": errors})).is_ok());
        assert!(answer(200, &[], &json!({"data": {"a": null}, "errors": errors})).is_err());
        assert!(answer(200, &[], &json!({"data": {"title": "the \"errors\" of others"}})).is_ok());
    }

    #[test]
    fn a_limit_is_waited_for_until_the_later_reset_of_the_empty_budgets() {
        let soon = (clock::wall() + Duration::from_secs(100)).as_millis().to_string();
        let later = (clock::wall() + Duration::from_secs(200)).as_secs().to_string();
        let error = answer(
            400,
            &[
                ("x-ratelimit-requests-remaining", "0".to_owned()),
                ("x-ratelimit-requests-reset", soon),
                ("x-ratelimit-complexity-remaining", "0".to_owned()),
                ("x-ratelimit-complexity-reset", later),
            ],
            &json!({"errors": [{"message": "Rate limit exceeded", "extensions": {"code": "RATELIMITED"}}]}),
        )
        .unwrap_err();
        let wait = error.retry_after().unwrap().as_secs();
        assert!((198..=200).contains(&wait), "{wait}");
    }

    #[test]
    fn a_page_or_a_bare_status_is_judged_by_its_status() {
        let response = Response::new(StatusCode::BAD_GATEWAY, HeaderMap::new(), "<html>");
        let error = VENDOR.classify(&Request::post("UpdateIssue", ""), &response).unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted));
    }

    #[test]
    fn a_personal_key_goes_bare_and_a_token_as_bearer() {
        for (token, value) in [("lin_api_1", "lin_api_1"), ("lin_oauth_1", "Bearer lin_oauth_1")] {
            let mut headers = HeaderMap::new();
            VENDOR.authorize(&mut headers, &Secret::new(token)).unwrap();
            assert_eq!(headers[header::AUTHORIZATION], value);
        }
    }
}
