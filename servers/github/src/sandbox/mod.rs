//! GitHub, faked: its REST and GraphQL APIs over accounts and repositories kept in memory.
//!
//! The official clients (octokit) work against it unmodified. It checks tokens, scopes and permissions,
//! keeps GitHub's limits, pages, validates and refuses in GitHub's words, and stores code in a true git
//! object store. Its knowledge of GitHub is its own: it shares no parsing or rendering with the server
//! which it tests.
//!
//! The way of a request is `dispatch`: who asks, what it costs, which repository it is about, whether they may;
//! then the handler of its route. Routes stand in a table at the head of each module. Both `/` and
//! `/api/v3` are the root, as on github.com and on an own server.
//!
//! Beside GitHub's own routes there are some under `/_github/`, by which tests set what is left of a limit
//! (`limits`), lay down tokens (`auth`), and make the fake an older server (`profile`).

mod accounts;
mod actions;
mod auth;
mod dispatch;
mod errors;
mod graphql;
mod ids;
mod limits;
mod profile;
mod repos;
mod request;
mod route;
mod seed;
mod social;
mod state;
mod tracker;

use std::{
    borrow::Cow,
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use connector::sandbox::{Fake, Harness, SeededSite, VirtualClock, rest::Routes, seeded};
use http::request::Parts;
use jiff::Timestamp;
use serde::{Deserialize as _, Deserializer, de::DeserializeOwned};
use serde_json::Value;

pub use self::seed::{VIEWER, seed};
use self::{
    actions::Storage, errors::ApiError, graphql::Graphql, limits::Limits, profile::Profile, state::State,
};

/// The token that `--sandbox` uses: Maya's through a GitHub App, with every permission.
pub const TOKEN: &str = "ghu_sandbox0maya0everything";

/// The fake with the suite's story in it.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    with_seed(seed())
}

/// The fake over another seed: a JSON object, as [`seed`] has it.
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    seeded::<Site>(seed)
}

/// What every route works with, from the moment the fake is served.
struct Site {
    harness: Harness,
    routes: Routes<Self>,
    state: Mutex<State>,
    limits: Limits,
    graphql: Graphql,
    profile: Mutex<Profile>,
    storage: Storage,
}

impl Site {
    /// The state, for as long as one request needs it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What kind of server this is.
    fn profile(&self) -> Profile {
        self.profile.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_profile(&self, profile: Profile) {
        *self.profile.lock().unwrap_or_else(PoisonError::into_inner) = profile;
    }

    /// Now, as GitHub writes it: `2026-11-22T12:00:00Z`.
    fn now(&self) -> String {
        iso(self.harness.clock().now().as_secs())
    }

    /// `path` (without its first slash) of the API as an absolute address.
    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.harness.url())
    }
}

/// Seconds since the epoch as GitHub writes a time.
fn iso(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string())
}

/// A time of the seed (`2026-11-19T09:15:00.000Z`) as GitHub writes it.
fn time(seed: &Value) -> Option<String> {
    Some(seed.as_str()?.replace(".000Z", "Z"))
}

/// A time of the seed, read as GitHub writes it.
fn moment<'de, D: Deserializer<'de>>(seed: D) -> Result<String, D::Error> {
    String::deserialize(seed).map(|time| time.replace(".000Z", "Z"))
}

/// A part of the seed that is written as it is kept; its default where the seed says nothing.
fn part<T: DeserializeOwned + Default>(seed: &Value) -> Result<T, String> {
    if seed.is_null() { Ok(T::default()) } else { T::deserialize(seed).map_err(|error| error.to_string()) }
}

impl SeededSite for Site {
    const NAME: &'static str = "github";
    type State = State;

    fn read(seed: Value) -> Result<State, String> {
        State::from_seed(&seed)
    }

    fn begin(state: &mut State, clock: &VirtualClock) {
        let begun = state.begin(clock.now().as_secs());
        begun.unwrap_or_else(|error| tracing::error!(%error, "a run of the seed cannot begin"));
    }

    fn start(harness: &Harness, state: State) -> Self {
        Self {
            state: Mutex::new(state),
            limits: Limits::new(harness),
            graphql: Graphql::default(),
            profile: Mutex::default(),
            storage: Storage::new(harness.clock()),
            routes: dispatch::routes(),
            harness: harness.clone(),
        }
    }

    fn reset(&self, state: State) {
        *self.state() = state;
        self.limits.clear();
        self.storage.clear();
        self.set_profile(Profile::default());
        if let Err(error) = self.graphql.hide(&BTreeSet::new()) {
            tracing::error!(error = error.message, "the sandbox has no schema");
        }
    }

    fn router(self: &Arc<Self>) -> Router {
        dispatch::router(Arc::clone(self))
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        dispatch::operation(self, parts, body)
    }

    fn dump(&self) -> Value {
        self.state().dump()
    }

    fn routes_asked(&self) -> Vec<(String, u64)> {
        self.routes.asked().map(|(route, asked)| (route.template().to_owned(), asked)).collect()
    }

    fn rate_limited(retry_after: Option<&str>) -> Response {
        limits::spent(retry_after).into_response()
    }

    fn unauthorized() -> Response {
        ApiError::unauthorized().into_response()
    }
}
