//! GitHub's limits: what an account may ask for in an hour or a minute, and the secondary limits that hold
//! back who asks too fast.
//!
//! Source: docs.github.com, "Rate limits for the REST API" and "Rate limits and query limits for the GraphQL
//! API". A window begins with its first request and ends at `x-ratelimit-reset`; then everything is there
//! again.
//!
//! SecondServer GitHub's own routes, `POST /_github/limits` sets what is left for the caller's account
//! (`{"resource": "core", "remaining": 1}`), and how many requests at once there may be and how long each takes
//! (`{"concurrent": 2, "latency_ms": 100}`).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use connector::{
    clock,
    sandbox::{Harness, RateWindow, RateWindows, take_all},
};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    auth::{Caller, Kind},
    errors::{ApiError, Outcome},
    request::{FakeResponse, GitHubRequest as _, RequestContext},
    route::{ANY, Route, route},
};

pub(super) const ROUTES: &[Route] =
    &[route("GET /rate_limit", ANY, rate_limit), route("POST /_github/limits", ANY, set)];

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Resources: what an account may use of it, what nobody in particular may, and in which time.
const RESOURCES: [(&str, u32, u32, Duration); 4] = [
    ("core", 5_000, 60, HOUR),
    ("search", 30, 10, MINUTE),
    // docs.github.com, "Search code": 9 requests per minute.
    ("code_search", 9, 0, MINUTE),
    ("graphql", 5_000, 0, HOUR),
];

/// Secondary limits that are counted.
const REST_POINTS: &str = "REST points";
const GRAPHQL_POINTS: &str = "GraphQL points";
const CONTENT_A_MINUTE: &str = "content a minute";
const CONTENT_AN_HOUR: &str = "content an hour";
/// How much each of them allows, and in which time.
const SECONDARY: [(&str, u32, Duration); 4] = [
    (REST_POINTS, 900, MINUTE),
    (GRAPHQL_POINTS, 2_000, MINUTE),
    (CONTENT_A_MINUTE, 80, MINUTE),
    (CONTENT_AN_HOUR, 500, HOUR),
];
/// The most requests at once.
const CONCURRENT: usize = 100;
/// What a request that writes counts for; one that reads counts for 1.
const WRITE_POINTS: u32 = 5;

const ABOUT_PRIMARY: &str = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#primary-rate-limit-for-authenticated-users";
const ABOUT_SECONDARY: &str = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// The limits of everybody.
#[derive(Debug)]
pub(super) struct Limits {
    /// By resource or secondary limit; of each a window for each account.
    windows: Vec<(&'static str, RateWindows)>,
    pace: Mutex<Pace>,
}

/// What there may be at once.
#[derive(Debug)]
struct Pace {
    in_flight: usize,
    concurrent: usize,
    latency: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { in_flight: 0, concurrent: CONCURRENT, latency: Duration::ZERO }
    }
}

/// When a window ends, in whole seconds since the epoch.
pub(super) fn reset(window: &RateWindow) -> u64 {
    window.reset().as_secs()
}

/// What was used of a window.
pub(super) fn used(window: &RateWindow) -> u32 {
    window.limit() - window.remaining()
}

/// The resource that a path draws on: `core`, `search`, `code_search`, `graphql`; empty for what is free.
pub(super) fn resource(path: &str) -> &'static str {
    match path {
        "/graphql" => "graphql",
        "/search/code" => "code_search",
        "/rate_limit" => "",
        _ if path.starts_with("/search/") => "search",
        // The site, not the API; and what GitHub has not.
        _ if path.starts_with("/login/") || path.starts_with("/_github/") => "",
        _ => "core",
    }
}

impl Limits {
    pub(super) fn new(harness: &Harness) -> Self {
        let resources = RESOURCES.into_iter().map(|(name, limit, _, per)| (name, limit, per));
        let windows = resources.chain(SECONDARY);
        let windows =
            windows.map(|(name, limit, per)| (name, RateWindows::fixed(harness.clock(), limit, per)));
        Self { windows: windows.collect(), pace: Mutex::default() }
    }

    /// Everything is as at the start.
    pub(super) fn clear(&self) {
        self.windows.iter().for_each(|(_, windows)| windows.clear());
        let mut pace = self.pace();
        *pace = Pace { in_flight: pace.in_flight, ..Pace::default() };
    }

    /// Takes what a request of the REST API costs. What GraphQL costs is known later.
    pub(super) fn take(&self, caller: &Caller, method: &Method, resource: &'static str) -> Outcome<()> {
        if resource == "graphql" || resource.is_empty() {
            return Ok(());
        }
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        self.slowly(caller, REST_POINTS, if reads { 1 } else { WRITE_POINTS })?;
        if *method == Method::POST {
            self.content(caller)?;
        }
        self.primary(caller, resource, 1)
    }

    /// Takes what a GraphQL operation costs, in points.
    pub(super) fn take_graphql(&self, caller: &Caller, points: u32, writes: bool) -> Outcome<()> {
        self.slowly(caller, GRAPHQL_POINTS, if writes { WRITE_POINTS } else { 1 })?;
        if writes {
            self.content(caller)?;
        }
        self.primary(caller, "graphql", points)
    }

    /// Gives back what an answer without news would have cost.
    pub(super) fn give_back(&self, caller: &Caller, resource: &'static str) {
        self.window(caller, resource).give_back(1);
    }

    /// `answer` with the headers that tell of the limit.
    pub(super) fn tell(&self, answer: FakeResponse, caller: &Caller, resource: &'static str) -> FakeResponse {
        let resource = if resource.is_empty() { "core" } else { resource };
        let window = self.window(caller, resource);
        let numbers = [
            ("x-ratelimit-limit", window.limit().into()),
            ("x-ratelimit-remaining", window.remaining().into()),
            ("x-ratelimit-used", used(&window).into()),
            ("x-ratelimit-reset", reset(&window)),
        ];
        let answer = answer.header("x-ratelimit-resource", resource);
        numbers.into_iter().fold(answer, |answer, (name, number)| answer.header(name, &number.to_string()))
    }

    /// The window of the caller's account: of a resource, or of a secondary limit.
    pub(super) fn window(&self, caller: &Caller, name: &str) -> Arc<RateWindow> {
        let found = self.windows.iter().find(|(known, _)| *known == name);
        let (name, windows) = found.unwrap_or(&self.windows[0]);
        match RESOURCES.into_iter().find(|(resource, ..)| resource == name) {
            Some((_, _, nobodys, _)) if caller.is_anonymous() => windows.of_limit(&caller.account(), nobodys),
            _ => windows.of(&caller.account()),
        }
    }

    /// A request begins; it ends when what is returned is dropped.
    ///
    /// # Errors
    /// If there are too many already.
    pub(super) fn begin(&self) -> Outcome<InFlight<'_>> {
        let mut pace = self.pace();
        if pace.in_flight >= pace.concurrent {
            return Err(too_fast(Some(MINUTE)));
        }
        pace.in_flight += 1;
        Ok(InFlight { limits: self, latency: pace.latency })
    }

    fn primary(&self, caller: &Caller, resource: &'static str, n: u32) -> Outcome<()> {
        let window = self.window(caller, resource);
        if window.take(n).is_ok() {
            return Ok(());
        }
        let mut error = ApiError::forbidden(caller.exceeded()).kind("RATE_LIMITED");
        error.documentation_url = ABOUT_PRIMARY;
        tracing::debug!(resource, ?window, "the sandbox holds an account to its limit");
        Err(error)
    }

    fn slowly(&self, caller: &Caller, name: &str, n: u32) -> Outcome<()> {
        self.window(caller, name).take(n).map(drop).map_err(|wait| too_fast(Some(wait)))
    }

    /// Takes the creation of something. GitHub's refusal of too many has words of its own, and says nothing of
    /// when to try again.
    fn content(&self, caller: &Caller) -> Outcome<()> {
        let [minute, hour] = [CONTENT_A_MINUTE, CONTENT_AN_HOUR].map(|name| self.window(caller, name));
        take_all(&[&minute, &hour], 1).map_err(|_| {
            let mut error = too_fast(None);
            "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.".clone_into(&mut error.message);
            error
        })
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered.
pub(super) struct InFlight<'a> {
    limits: &'a Limits,
    /// How long it is to take.
    pub(super) latency: Duration,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut pace = self.limits.pace();
        pace.in_flight = pace.in_flight.saturating_sub(1);
    }
}

/// A secondary limit is reached.
fn too_fast(wait: Option<Duration>) -> ApiError {
    let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.";
    let mut error = ApiError::forbidden(words);
    error.documentation_url = ABOUT_SECONDARY;
    match wait {
        Some(wait) => error.header("retry-after", &wait.as_millis().div_ceil(1000).max(1).to_string()),
        None => error,
    }
}

/// The refusal of a budget that is used up, with this `Retry-After` or none.
pub(super) fn spent(retry_after: Option<&str>) -> ApiError {
    let mut error = ApiError::new(StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1001.");
    error.documentation_url = ABOUT_PRIMARY;
    let reset = (clock::wall() + HOUR).as_secs();
    let told = [
        ("x-ratelimit-limit", "5000"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-used", "5000"),
        ("x-ratelimit-reset", &reset.to_string()),
        ("x-ratelimit-resource", "core"),
    ];
    let error = told.into_iter().fold(error, |error, (name, value)| error.header(name, value));
    match retry_after {
        Some(value) => error.header("retry-after", value),
        None => error,
    }
}

/// `GET /rate_limit`; the newer version has no `rate` (docs.github.com, "Breaking changes", 2026-03-10).
fn rate_limit(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let limits = &cx.site.limits;
    let show = |resource: &'static str| {
        let window = limits.window(cx.caller, resource);
        json!({
            "limit": window.limit(), "used": used(&window), "remaining": window.remaining(),
            "reset": reset(&window),
        })
    };
    let resources: Map<String, Value> =
        RESOURCES.into_iter().map(|(name, ..)| (name.to_owned(), show(name))).collect();
    let mut body = json!({"resources": resources});
    if cx.version() == "2022-11-28" {
        body["rate"] = show("core");
    }
    Ok(FakeResponse::json(body))
}

/// What a test wishes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    resource: Option<String>,
    remaining: Option<u32>,
    concurrent: Option<usize>,
    latency_ms: Option<u64>,
}

/// `POST /_github/limits`. Resources are GitHub's; `remaining` may also be of `content`, `rest_points` and
/// `graphql_points`.
fn set(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    let wish: Wish =
        serde_json::from_slice(&cx.body).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let limits = &cx.site.limits;
    if let (Some(resource), Some(remaining)) = (&wish.resource, wish.remaining) {
        let name = match resource.as_str() {
            "content" => CONTENT_A_MINUTE,
            "rest_points" => REST_POINTS,
            "graphql_points" => GRAPHQL_POINTS,
            other => {
                let known = RESOURCES.into_iter().find(|(name, ..)| *name == other);
                known.ok_or_else(|| ApiError::unprocessable("no such resource"))?.0
            }
        };
        limits.window(cx.caller, name).set_remaining(remaining);
    }
    let mut pace = limits.pace();
    if let Some(concurrent) = wish.concurrent {
        pace.concurrent = concurrent;
    }
    if let Some(latency) = wish.latency_ms {
        pace.latency = Duration::from_millis(latency);
    }
    Ok(FakeResponse::none())
}

impl Caller {
    /// Whose budgets a request draws on: all tokens of a user share the user's, an installation has its own.
    pub(super) fn account(&self) -> String {
        match &self.token {
            Some(token) => match token.installation {
                Some(installation) if token.kind == Kind::Installation => {
                    format!("installation {installation}")
                }
                _ => format!("user {}", token.login),
            },
            None => self.app.map_or_else(|| "nobody".to_owned(), |app| format!("app {app}")),
        }
    }

    fn is_anonymous(&self) -> bool {
        self.token.is_none() && self.app.is_none()
    }

    /// The primary limit is reached.
    fn exceeded(&self) -> String {
        let more =
            "If you reach out to GitHub Support for help, please include the request ID and timestamp.";
        match &self.token {
            Some(token) => match token.installation {
                Some(installation) if token.kind == Kind::Installation => {
                    format!("API rate limit exceeded for installation ID {installation}. {more}")
                }
                _ => format!("API rate limit exceeded for user ID {}. {more}", token.user),
            },
            None => "API rate limit exceeded for 127.0.0.1. (But here's the good news: Authenticated requests get a higher rate limit. Check out the documentation for more details.)".to_owned(),
        }
    }
}
