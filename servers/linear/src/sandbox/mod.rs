//! Linear, faked: its GraphQL API over a workspace kept in memory.
//!
//! The official SDK works against it unmodified. It checks credentials and scopes, counts complexity
//! and keeps Linear's budgets, pages, filters, validates and refuses in Linear's words, and follows
//! Linear's rules where one change entails others (a state's dates, a team's numbers, labels of one
//! group). Its knowledge of Linear is its own: it shares no parsing or rendering with the server
//! which it tests.
//!
//! SecondServer Linear's own routes there is `POST /_linear/budget`, which sets what is left of the
//! caller's budgets: `{"requests": 1, "complexity": 100}`.

mod auth;
mod cost;
mod errors;
mod execute;
mod fields;
mod filter;
mod limits;
mod lists;
mod mutations;
mod page;
mod query;
mod routes;
mod search;
mod seed;
mod store;
mod time;
mod uploads;
mod webhooks;

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use connector::sandbox::{self, Blobs, Fake, Harness, OAuth, Webhooks, graphql::Documents};
use http::{HeaderValue, header, request::Parts};
use serde_json::Value;

pub use self::{
    auth::{OAUTH_CLIENT_ID, OAUTH_CLIENT_SECRET},
    seed::{VIEWER, seed},
};
use self::{errors::ApiError, limits::Limits, store::State, time::Now};

/// The fake with the suite's story as its workspace.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    Arc::new(Linear::new(seed()))
}

/// The fake over another workspace: a JSON object of rows by table, as [`seed`] has it.
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    Arc::new(Linear::new(seed))
}

/// One workspace of Linear.
struct Linear {
    seed: Cow<'static, str>,
    site: OnceLock<Arc<Site>>,
}

/// What every route works with, from the moment the fake is served.
struct Site {
    harness: Harness,
    state: Mutex<State>,
    documents: Documents,
    limits: Limits,
    oauth: OAuth,
    blobs: Blobs,
    webhooks: Webhooks,
}

impl Linear {
    fn new(seed: impl Into<Cow<'static, str>>) -> Self {
        Self { seed: seed.into(), site: OnceLock::new() }
    }

    /// The workspace as the seed has it today.
    fn seeded(&self, harness: &Harness) -> State {
        let seed = sandbox::seed::load(&self.seed, harness.clock()).map_err(|error| error.to_string());
        let now = Now::new(harness.clock().now());
        match seed.and_then(|seed| State::from_seed(seed, &now)) {
            Ok(state) => state,
            Err(error) => {
                tracing::error!(%error, "the sandbox cannot read its seed");
                State::default()
            }
        }
    }
}

impl Site {
    fn new(harness: &Harness, state: State) -> Self {
        Self {
            oauth: auth::server(harness, &state),
            limits: Limits::new(harness),
            blobs: Blobs::new(harness.clock()),
            webhooks: webhooks::sender(harness),
            harness: harness.clone(),
            state: Mutex::new(state),
            documents: Documents::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        Now::new(self.harness.clock().now())
    }
}

impl Fake for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn router(&self, harness: &Harness) -> Router {
        let site = self.site.get_or_init(|| Arc::new(Site::new(harness, self.seeded(harness))));
        routes::router(site)
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        routes::operation(parts, body)
    }

    fn reset(&self, harness: &Harness) {
        let Some(site) = self.site.get() else { return };
        *site.state() = self.seeded(harness);
        site.limits.clear();
        site.oauth.clear();
        site.blobs.clear();
        site.webhooks.clear();
    }

    fn dump(&self) -> Value {
        self.site.get().map(|site| site.state().dump()).unwrap_or_default()
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        let error = ApiError::rate_limited("Rate limit exceeded. Only 2500 requests are allowed per 1 hour.");
        let mut response = error.into_response();
        match retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
            Some(value) => {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            // Linear itself sends no Retry-After: the budget's headers say when there is more.
            None => limits::spent(&mut response),
        }
        response
    }

    fn unauthorized(&self) -> Response {
        ApiError::unauthenticated().into_response()
    }
}
