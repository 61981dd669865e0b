//! Slack, faked: its Web API over a workspace kept in memory.
//!
//! The official SDK works against it unmodified. It knows bot and user tokens and their scopes,
//! shows each what it may see, counts the tiers of every method, pages with opaque cursors, refuses
//! in Slack's words under HTTP 200, posts scheduled messages when its clock says so, takes uploads in
//! three steps, and expires and rotates tokens. It shares no parsing and no rendering with the
//! server that it tests.
//!
//! Beside Slack's own routes there is `POST /_slack/events`, which registers an address for signed
//! events: `{"url": "http://…", "secret": "…"}`.

mod auth;
mod canvases;
mod chat;
mod conversations;
mod dispatch;
mod events;
mod files;
mod history;
mod lists;
mod objects;
mod search;
mod seed;
mod state;
mod usergroups;
mod users;

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{Router, response::Response};
use connector::sandbox::{Blobs, Fake, Harness, RateWindows, SeededSite, Webhooks, seeded};
use http::{HeaderValue, header, request::Parts};
use serde_json::Value;

pub use self::seed::{VIEWER, seed};
use self::{auth::Logins, dispatch::Refusal, state::State};

/// The fake with the suite's story as its workspace.
#[must_use]
pub fn fake() -> Arc<dyn Fake> {
    with_seed(seed())
}

/// The fake over another workspace: a JSON object of rows by table, as the seed has it.
#[must_use]
pub fn with_seed(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    seeded::<Site>(seed)
}

/// The names of the methods that it has.
pub fn methods() -> impl Iterator<Item = &'static str> {
    dispatch::names()
}

/// The timestamp that a message of the story has today, by its name in the seed.
#[must_use]
pub fn ts_of(name: &str) -> Option<String> {
    let harness = Harness::new(url::Url::parse("http://127.0.0.1/").ok()?);
    let seed = connector::sandbox::seed::load(seed(), harness.clock().today()).ok()?;
    state::timestamp(&seed, name)
}

/// What every method works with, from the moment the fake is served.
struct Site {
    harness: Harness,
    state: Mutex<State>,
    logins: Logins,
    /// One set of windows for each number of requests a minute.
    windows: Vec<(u32, RateWindows)>,
    blobs: Blobs,
    events: Webhooks,
}

impl Site {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.harness.clock().now()
    }
}

impl SeededSite for Site {
    const NAME: &'static str = "slack";

    type State = State;

    fn read(seed: Value) -> Result<State, String> {
        Ok(State::from_seed(&seed))
    }

    fn start(harness: &Harness, state: State) -> Self {
        let site = Self {
            logins: Logins::new(harness),
            windows: dispatch::windows(harness),
            blobs: Blobs::new(harness.clock()),
            events: events::sender(harness),
            harness: harness.clone(),
            state: Mutex::new(state),
        };
        files::fill(&site);
        site
    }

    fn reset(&self, state: State) {
        *self.state() = state;
        self.logins.clear();
        self.windows.iter().for_each(|(_, windows)| windows.clear());
        self.blobs.clear();
        self.events.clear();
        files::fill(self);
    }

    fn router(self: &Arc<Self>) -> Router {
        dispatch::router(self)
    }

    fn operation(&self, parts: &Parts, _body: &[u8]) -> String {
        dispatch::operation(parts)
    }

    fn dump(&self) -> Value {
        self.state().dump()
    }

    fn rate_limited(retry_after: Option<&str>) -> Response {
        let mut response = dispatch::limited(1).into_response();
        response.headers_mut().remove(header::RETRY_AFTER);
        if let Some(value) = retry_after.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }

    fn unauthorized() -> Response {
        Refusal::new("invalid_auth").into_response()
    }
}
