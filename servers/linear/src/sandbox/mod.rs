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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use connector::sandbox::{Blobs, Fake, Harness, OAuth, SeededSite, Webhooks, seeded};
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
    with_seed(seed())
}

/// The fake over another workspace: a JSON object of rows by table, as [`seed`] has it.
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    seeded::<Site>(seed)
}

/// What every route works with, from the moment the fake is served.
struct Site {
    harness: Harness,
    state: Mutex<State>,
    limits: Limits,
    oauth: OAuth,
    blobs: Blobs,
    webhooks: Webhooks,
}

impl Site {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Now {
        Now::new(self.harness.clock().now())
    }
}

impl SeededSite for Site {
    const NAME: &'static str = "linear";
    type State = State;

    fn read(seed: Value) -> Result<State, String> {
        State::from_seed(seed)
    }

    fn start(harness: &Harness, state: State) -> Self {
        Self {
            oauth: auth::server(harness, &state),
            limits: Limits::new(harness),
            blobs: Blobs::new(harness.clock()),
            webhooks: webhooks::sender(harness),
            harness: harness.clone(),
            state: Mutex::new(state),
        }
    }

    fn reset(&self, state: State) {
        *self.state() = state;
        self.limits.clear();
        self.oauth.clear();
        self.blobs.clear();
        self.webhooks.clear();
    }

    fn router(self: &Arc<Self>) -> Router {
        routes::router(self)
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        routes::operation(parts, body)
    }

    fn dump(&self) -> Value {
        self.state().dump()
    }

    fn rate_limited(retry_after: Option<&str>) -> Response {
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

    fn unauthorized() -> Response {
        ApiError::unauthenticated().into_response()
    }
}
