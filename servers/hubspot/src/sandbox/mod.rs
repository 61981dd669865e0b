//! HubSpot, faked: an account's CRM kept in memory, under its v3 and v4, 2026-03 and 2026-09 paths.
//!
//! The official client works against it unmodified. It checks tokens and scopes, keeps HubSpot's limits (of
//! which searches have no headers), validates values of properties, answers batches in parts, and searches an
//! index that follows the records after a while. It shares no parsing or rendering with the server that it
//! tests.
//!
//! Beside HubSpot's own routes there is `POST /_hubspot/account`, which steers it: `{"searchLagMs": 3000}` lets
//! the search index lag, `{"dailyRemaining": 0}` uses up the day, `{"rules": [...]}` sets what an admin requires,
//! `{"webhook": {"url": "...", "secret": "..."}}` asks to be told of changes.

mod account;
mod associations;
mod definitions;
mod errors;
mod limits;
mod lists;
mod oauth;
mod objects;
mod removals;
mod routes;
mod search;
mod seed;
mod state;
mod types;
mod values;
mod webhooks;

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use connector::sandbox::{
    Fake, Harness, SeededSite, Webhooks,
    rest::{self, Routes},
    seeded,
};
use http::request::Parts;
use jiff::tz::TimeZone;
use serde_json::Value;

pub use self::seed::{VIEWER, seed};
use self::{errors::ApiError, limits::Limits, state::State};

/// The fake with the suite's story as its account.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    static SEED: LazyLock<String> = LazyLock::new(|| seed().to_string());
    with_seed(SEED.as_str())
}

/// The fake over another account, in the form of [`seed`].
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    seeded::<Site>(seed)
}

/// What every route works with, from the moment the fake is served.
struct Site {
    harness: Harness,
    state: Mutex<State>,
    limits: Limits,
    webhooks: Webhooks,
    routes: Routes<Self>,
}

impl Site {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeededSite for Site {
    const NAME: &'static str = "hubspot";

    type State = State;

    fn read(seed: Value) -> Result<State, String> {
        State::from_seed(seed)
    }

    fn start(harness: &Harness, state: State) -> Self {
        let zone = state.account["timeZone"].as_str().and_then(|zone| TimeZone::get(zone).ok());
        Self {
            harness: harness.clone(),
            state: Mutex::new(state),
            limits: Limits::new(harness, zone.unwrap_or(TimeZone::UTC)),
            webhooks: webhooks::sender(harness),
            routes: routes::table(),
        }
    }

    fn reset(&self, state: State) {
        *self.state() = state;
        self.limits.clear();
        self.webhooks.clear();
    }

    fn router(self: &Arc<Self>) -> Router {
        rest::router(Arc::clone(self))
    }

    fn operation(&self, parts: &Parts, _: &[u8]) -> String {
        rest::operation(self, &parts.method, parts.uri.path())
    }

    fn dump(&self) -> Value {
        self.state().dump()
    }

    fn rate_limited(retry_after: Option<&str>) -> Response {
        let message = "You have reached your ten_secondly_rolling limit.";
        let answer = ApiError::limited(message, Some("TEN_SECONDLY_ROLLING"))
            .answer("00000000000000000000000000000000");
        // HubSpot promises no Retry-After; a test may ask for one.
        let answer = match retry_after {
            Some(value) => answer.header("retry-after", value),
            None => answer,
        };
        answer.into_response()
    }

    fn unauthorized() -> Response {
        ApiError::unauthenticated(false).answer("00000000000000000000000000000000").into_response()
    }

    fn routes_asked(&self) -> Vec<(String, u64)> {
        self.routes.asked().map(|(route, asked)| (route.operation().to_owned(), asked)).collect()
    }
}
