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
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use connector::{
    clock,
    sandbox::{Harness, VirtualClock},
};
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    answer::Answer,
    ask::Ask,
    auth::{Caller, Kind},
    errors::{ApiError, Outcome},
    route::{ANY, Route, route},
};

pub(super) const ROUTES: &[Route] =
    &[route("GET /rate_limit", ANY, rate_limit), route("POST /_github/limits", ANY, set)];

const HOUR: u64 = 3600;
const MINUTE: u64 = 60;

/// Resources: what an account may use of it, what nobody in particular may, and in how many seconds.
const RESOURCES: [(&str, u64, u64, u64); 4] = [
    ("core", 5_000, 60, HOUR),
    ("search", 30, 10, MINUTE),
    // docs.github.com, "Search code": 9 requests per minute.
    ("code_search", 9, 0, MINUTE),
    ("graphql", 5_000, 0, HOUR),
];

/// Secondary limits that are counted: how much, in how many seconds.
const REST_POINTS: (&str, u64, u64) = ("REST points", 900, MINUTE);
const GRAPHQL_POINTS: (&str, u64, u64) = ("GraphQL points", 2_000, MINUTE);
const CONTENT_A_MINUTE: (&str, u64, u64) = ("content a minute", 80, MINUTE);
const CONTENT_AN_HOUR: (&str, u64, u64) = ("content an hour", 500, HOUR);
/// The most requests at once.
const CONCURRENT: usize = 100;
/// What a request that writes counts for; one that reads counts for 1.
const WRITE_POINTS: u64 = 5;

const ABOUT_PRIMARY: &str = "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#primary-rate-limit-for-authenticated-users";
const ABOUT_SECONDARY: &str = "https://docs.github.com/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits";

/// The limits of everybody.
#[derive(Debug)]
pub(super) struct Limits {
    clock: VirtualClock,
    books: Mutex<Books>,
}

#[derive(Debug)]
struct Books {
    /// By account and resource.
    spent: HashMap<(String, &'static str), Spending>,
    in_flight: usize,
    concurrent: usize,
    latency: Duration,
}

impl Default for Books {
    fn default() -> Self {
        Self { spent: HashMap::new(), in_flight: 0, concurrent: CONCURRENT, latency: Duration::ZERO }
    }
}

/// What somebody has used of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spending {
    pub(super) limit: u64,
    pub(super) used: u64,
    /// When the window ends, in seconds since the epoch.
    pub(super) reset: u64,
}

impl Spending {
    /// What is left.
    pub(super) fn remaining(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
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
        Self { clock: harness.clock().clone(), books: Mutex::default() }
    }

    /// Everything is as at the start.
    pub(super) fn clear(&self) {
        let mut books = self.books();
        let in_flight = books.in_flight;
        *books = Books { in_flight, ..Books::default() };
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
    pub(super) fn take_graphql(&self, caller: &Caller, points: u64, writes: bool) -> Outcome<()> {
        self.slowly(caller, GRAPHQL_POINTS, if writes { WRITE_POINTS } else { 1 })?;
        if writes {
            self.content(caller)?;
        }
        self.primary(caller, "graphql", points)
    }

    /// Gives back what an answer without news would have cost.
    pub(super) fn give_back(&self, caller: &Caller, resource: &'static str) {
        if let Some(spent) = self.books().spent.get_mut(&(caller.account(), resource)) {
            spent.used = spent.used.saturating_sub(1);
        }
    }

    /// `answer` with the headers that tell of the limit.
    pub(super) fn tell(&self, answer: Answer, caller: &Caller, resource: &'static str) -> Answer {
        let resource = if resource.is_empty() { "core" } else { resource };
        let spent = self.spending(caller, resource);
        let numbers = [
            ("x-ratelimit-limit", spent.limit),
            ("x-ratelimit-remaining", spent.remaining()),
            ("x-ratelimit-used", spent.used),
            ("x-ratelimit-reset", spent.reset),
        ];
        let answer = answer.header("x-ratelimit-resource", resource);
        numbers.into_iter().fold(answer, |answer, (name, number)| answer.header(name, &number.to_string()))
    }

    /// What the caller's account has used of a resource.
    pub(super) fn spending(&self, caller: &Caller, resource: &'static str) -> Spending {
        let now = self.clock.now().as_secs();
        let (limit, per) = allowance(caller, resource);
        let spent = self.books().spent.get(&(caller.account(), resource)).copied();
        spent.filter(|spent| now < spent.reset).unwrap_or(Spending { limit, used: 0, reset: now + per })
    }

    /// A request begins; it ends when what is returned is dropped.
    ///
    /// # Errors
    /// If there are too many already.
    pub(super) fn begin(&self) -> Outcome<InFlight<'_>> {
        let mut books = self.books();
        if books.in_flight >= books.concurrent {
            return Err(too_fast(Some(MINUTE)));
        }
        books.in_flight += 1;
        Ok(InFlight { limits: self, latency: books.latency })
    }

    fn primary(&self, caller: &Caller, resource: &'static str, n: u64) -> Outcome<()> {
        let (limit, per) = allowance(caller, resource);
        let (ok, spent) = self.charge(caller, resource, limit, per, n);
        if ok {
            return Ok(());
        }
        let mut error = ApiError::forbidden(caller.exceeded()).kind("RATE_LIMITED");
        error.documentation_url = ABOUT_PRIMARY;
        tracing::debug!(resource, limit, reset = spent.reset, "the sandbox holds an account to its limit");
        Err(error)
    }

    fn slowly(&self, caller: &Caller, (name, limit, per): (&'static str, u64, u64), n: u64) -> Outcome<()> {
        let (ok, spent) = self.charge(caller, name, limit, per, n);
        let wait = spent.reset.saturating_sub(self.clock.now().as_secs());
        if ok { Ok(()) } else { Err(too_fast(Some(wait.max(1)))) }
    }

    /// Takes the creation of something. GitHub's refusal of too many has words of its own, and says nothing of
    /// when to try again.
    fn content(&self, caller: &Caller) -> Outcome<()> {
        for (name, limit, per) in [CONTENT_A_MINUTE, CONTENT_AN_HOUR] {
            if !self.charge(caller, name, limit, per, 1).0 {
                let mut error = too_fast(None);
                "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.".clone_into(&mut error.message);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes `n` of a window, if it has so much; what was used then.
    fn charge(&self, caller: &Caller, name: &'static str, limit: u64, per: u64, n: u64) -> (bool, Spending) {
        let now = self.clock.now().as_secs();
        let mut books = self.books();
        let fresh = Spending { limit, used: 0, reset: now + per };
        let spent = books.spent.entry((caller.account(), name)).or_insert(fresh);
        if now >= spent.reset {
            *spent = fresh;
        }
        let ok = spent.used + n <= spent.limit;
        if ok {
            spent.used += n;
        }
        (ok, *spent)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut books = self.limits.books();
        books.in_flight = books.in_flight.saturating_sub(1);
    }
}

/// How much an account may use of a resource, and in how many seconds.
fn allowance(caller: &Caller, resource: &'static str) -> (u64, u64) {
    let found = RESOURCES.into_iter().find(|(name, ..)| *name == resource);
    let (_, limit, nobody, per) = found.unwrap_or(RESOURCES[0]);
    (if caller.is_anonymous() { nobody } else { limit }, per)
}

/// A secondary limit is reached.
fn too_fast(retry_after: Option<u64>) -> ApiError {
    let words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again. If you reach out to GitHub Support for help, please include the request ID.";
    let mut error = ApiError::forbidden(words);
    error.documentation_url = ABOUT_SECONDARY;
    match retry_after {
        Some(seconds) => error.header("retry-after", &seconds.to_string()),
        None => error,
    }
}

/// The refusal of a budget that is used up, with this `Retry-After` or none.
pub(super) fn spent(retry_after: Option<&str>) -> ApiError {
    let mut error = ApiError::new(StatusCode::FORBIDDEN, "API rate limit exceeded for user ID 1001.");
    error.documentation_url = ABOUT_PRIMARY;
    let reset = clock::wall().as_secs() + HOUR;
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
fn rate_limit(ask: &Ask<'_>) -> Outcome<Answer> {
    let limits = &ask.site.limits;
    let show = |resource: &'static str| {
        let spent = limits.spending(ask.caller, resource);
        json!({
            "limit": spent.limit, "used": spent.used, "remaining": spent.remaining(), "reset": spent.reset,
        })
    };
    let resources: Map<String, Value> =
        RESOURCES.into_iter().map(|(name, ..)| (name.to_owned(), show(name))).collect();
    let mut body = json!({"resources": resources});
    if ask.version() == "2022-11-28" {
        body["rate"] = show("core");
    }
    Ok(Answer::json(body))
}

/// What a test wishes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    resource: Option<String>,
    remaining: Option<u64>,
    concurrent: Option<usize>,
    latency_ms: Option<u64>,
}

/// `POST /_github/limits`. Resources are GitHub's; `remaining` may also be of `content`, `rest_points` and
/// `graphql_points`.
fn set(ask: &Ask<'_>) -> Outcome<Answer> {
    let wish: Wish =
        serde_json::from_slice(ask.body).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let limits = &ask.site.limits;
    if let (Some(resource), Some(remaining)) = (&wish.resource, wish.remaining) {
        let (name, limit, per) = match resource.as_str() {
            "content" => CONTENT_A_MINUTE,
            "rest_points" => REST_POINTS,
            "graphql_points" => GRAPHQL_POINTS,
            other => {
                let known = RESOURCES.into_iter().find(|(name, ..)| *name == other);
                let (name, ..) = known.ok_or_else(|| ApiError::unprocessable("no such resource"))?;
                let (limit, per) = allowance(ask.caller, name);
                (name, limit, per)
            }
        };
        let mut books = limits.books();
        let now = limits.clock.now().as_secs();
        let fresh = Spending { limit, used: 0, reset: now + per };
        let spent = books.spent.entry((ask.caller.account(), name)).or_insert(fresh);
        if now >= spent.reset {
            *spent = fresh;
        }
        spent.used = limit.saturating_sub(remaining);
    }
    let mut books = limits.books();
    if let Some(concurrent) = wish.concurrent {
        books.concurrent = concurrent;
    }
    if let Some(latency) = wish.latency_ms {
        books.latency = Duration::from_millis(latency);
    }
    Ok(Answer::none())
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
