//! Linear's budgets: requests and complexity per hour for each caller, searches per minute, and the
//! headers that tell how much is left. Resets are in milliseconds since the Unix epoch.

use std::{sync::Arc, time::Duration};

use axum::response::Response;
use connector::{
    clock,
    sandbox::{Harness, RateWindow, RateWindows},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    auth::Caller,
    errors::{ApiError, Outcome},
    store::Row,
};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Fields of `Query` which have a budget of their own.
pub(super) const SEARCHES: [&str; 4] =
    ["searchIssues", "searchProjects", "searchDocuments", "semanticSearch"];
const SEARCHES_PER_MINUTE: u32 = 30;

/// The headers of a refusal that a test asks for: nothing left, more in an hour.
pub(super) fn spent(response: &mut Response) {
    let reset = (clock::wall() + HOUR).as_millis();
    let told = [("limit", "2500".to_owned()), ("remaining", "0".to_owned()), ("reset", reset.to_string())];
    for (part, value) in told {
        let name = HeaderName::try_from(format!("x-ratelimit-requests-{part}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

/// What one kind of caller may use in an hour.
#[derive(Debug)]
struct Hourly {
    requests: RateWindows,
    complexity: RateWindows,
}

impl Hourly {
    fn new(harness: &Harness, requests: u32, complexity: u32) -> Self {
        let windows = |limit| RateWindows::new(harness.clock(), limit, HOUR);
        Self { requests: windows(requests), complexity: windows(complexity) }
    }
}

/// Every caller's budgets.
#[derive(Debug)]
pub(super) struct Limits {
    keys: Hourly,
    apps: Hourly,
    searches: RateWindows,
}

impl Limits {
    pub(super) fn new(harness: &Harness) -> Self {
        Self {
            keys: Hourly::new(harness, 2_500, 3_000_000),
            apps: Hourly::new(harness, 5_000, 2_000_000),
            searches: RateWindows::new(harness.clock(), SEARCHES_PER_MINUTE, MINUTE),
        }
    }

    /// Fills every budget.
    pub(super) fn clear(&self) {
        for hourly in [&self.keys, &self.apps] {
            hourly.requests.clear();
            hourly.complexity.clear();
        }
        self.searches.clear();
    }

    fn hourly(&self, caller: &Caller) -> &Hourly {
        if caller.oauth { &self.apps } else { &self.keys }
    }

    fn requests(&self, caller: &Caller) -> Arc<RateWindow> {
        self.hourly(caller).requests.of(&caller.budget)
    }

    fn complexity(&self, caller: &Caller) -> Arc<RateWindow> {
        self.hourly(caller).complexity.of(&caller.budget)
    }

    fn search(&self, caller: &Caller, field: &str) -> Arc<RateWindow> {
        self.searches.of(&format!("{}/{field}", caller.budget))
    }

    /// Takes one request.
    pub(super) fn take_request(&self, caller: &Caller) -> Outcome<()> {
        take(&self.requests(caller), 1, "requests", "1 hour")
    }

    /// Takes the points of one query.
    pub(super) fn take_complexity(&self, caller: &Caller, points: u32) -> Outcome<()> {
        take(&self.complexity(caller), points, "complexity points", "1 hour")
    }

    /// Takes one search.
    pub(super) fn take_search(&self, caller: &Caller, field: &str) -> Outcome<()> {
        take(&self.search(caller, field), 1, "requests", "1 minute")
    }

    /// The headers of an answer; `points` where they were counted, `search` where one was asked for.
    pub(super) fn headers(&self, caller: &Caller, points: Option<u32>, search: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        window(&mut headers, "x-ratelimit-requests", &self.requests(caller));
        window(&mut headers, "x-ratelimit-complexity", &self.complexity(caller));
        if let Some(points) = points {
            headers.insert("x-complexity", HeaderValue::from(points));
        }
        if let Some(field) = search {
            window(&mut headers, "x-ratelimit-endpoint-requests", &self.search(caller, field));
            if let Ok(name) = HeaderValue::from_str(field) {
                headers.insert("x-ratelimit-endpoint-name", name);
            }
        }
        headers
    }

    /// The payload of `rateLimitStatus`.
    pub(super) fn status(&self, caller: &Caller) -> Row {
        let limit = |kind: &str, window: &RateWindow| {
            json!({
                "type": kind,
                "requestedAmount": 0.0,
                "allowedAmount": window.limit(),
                "period": HOUR.as_millis() as f64,
                "remainingAmount": window.remaining(),
                "reset": window.reset().as_millis() as f64,
            })
        };
        let limits =
            json!([limit("requests", &self.requests(caller)), limit("complexity", &self.complexity(caller))]);
        let mut row = Row::new();
        row.insert("identifier".to_owned(), json!(caller.user));
        row.insert("kind".to_owned(), json!(if caller.oauth { "oauthApp" } else { "apiKey" }));
        row.insert("limits".to_owned(), limits);
        row
    }

    /// Sets what is left of a caller's budgets, for tests near the end.
    pub(super) fn set_remaining(
        &self,
        caller: &Caller,
        requests: Option<u32>,
        complexity: Option<u32>,
    ) -> Value {
        if let Some(requests) = requests {
            self.requests(caller).set_remaining(requests);
        }
        if let Some(points) = complexity {
            self.complexity(caller).set_remaining(points);
        }
        Value::Object(self.status(caller))
    }
}

fn take(window: &RateWindow, n: u32, what: &str, period: &str) -> Outcome<()> {
    let limited = |_| {
        let limit = window.limit();
        ApiError::rate_limited(format!("Rate limit exceeded. Only {limit} {what} are allowed per {period}."))
    };
    window.take(n).map(drop).map_err(limited)
}

fn window(headers: &mut HeaderMap, name: &str, window: &RateWindow) {
    let values = [
        ("limit", u128::from(window.limit())),
        ("remaining", u128::from(window.remaining())),
        ("reset", window.reset().as_millis()),
    ];
    for (suffix, value) in values {
        let name = HeaderName::try_from(format!("{name}-{suffix}"));
        let value = HeaderValue::from_str(&value.to_string());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.insert(name, value);
        }
    }
}
