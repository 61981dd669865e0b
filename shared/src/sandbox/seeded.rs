//! A fake whose state is read from a seed: how it starts, goes back and is looked at, said once.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use axum::{Router, response::Response};
use http::request::Parts;
use serde_json::Value;

use super::{Fake, Harness, VirtualClock, seed};

/// What every route of a fake works with: its state, budgets, tokens, files. [`seeded`] makes a [`Fake`] of it.
pub trait SeededSite: Send + Sync + Sized + 'static {
    /// The vendor's name in lower case.
    const NAME: &'static str;

    /// What a seed becomes. The default is the state of a fake whose seed cannot be read.
    type State: Default;

    /// The state that a seed tells of, its offsets already times.
    ///
    /// # Errors
    /// Says what is wrong with the seed.
    fn read(seed: Value, clock: &VirtualClock) -> Result<Self::State, String>;

    /// Everything as it is when the fake is first served.
    fn start(harness: &Harness, state: Self::State) -> Self;

    /// Everything as at the start: the state, and whatever else callers have changed.
    fn reset(&self, state: Self::State);

    /// See [`Fake::router`].
    fn router(self: &Arc<Self>) -> Router;

    /// See [`Fake::operation`].
    fn operation(&self, parts: &Parts, body: &[u8]) -> String;

    /// See [`Fake::dump`].
    fn dump(&self) -> Value;

    /// See [`Fake::rate_limited`].
    fn rate_limited(retry_after: Option<&str>) -> Response;

    /// See [`Fake::unauthorized`].
    fn unauthorized() -> Response;

    /// See [`Fake::routes`].
    fn routes_asked(&self) -> Vec<(String, u64)> {
        Vec::new()
    }
}

/// The fake over `seed`: a JSON object whose times are offsets (see [`seed`](super::seed)).
#[must_use]
pub fn seeded<S: SeededSite>(seed: impl Into<Cow<'static, str>>) -> Arc<dyn Fake> {
    Arc::new(Seeded::<S> { seed: seed.into(), site: OnceLock::new() })
}

/// A fake with its seed; the site is there from the moment it is served.
struct Seeded<S> {
    seed: Cow<'static, str>,
    site: OnceLock<Arc<S>>,
}

impl<S: SeededSite> Seeded<S> {
    /// The state as the seed has it today.
    fn state(&self, harness: &Harness) -> S::State {
        let seed = seed::load(&self.seed, harness.clock()).map_err(|error| error.to_string());
        seed.and_then(|seed| S::read(seed, harness.clock())).unwrap_or_else(|error| {
            tracing::error!(%error, fake = S::NAME, "the sandbox cannot read its seed");
            S::State::default()
        })
    }
}

impl<S: SeededSite> Fake for Seeded<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn router(&self, harness: &Harness) -> Router {
        self.site.get_or_init(|| Arc::new(S::start(harness, self.state(harness)))).router()
    }

    fn operation(&self, parts: &Parts, body: &[u8]) -> String {
        let named = self.site.get().map(|site| site.operation(parts, body));
        named.unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()))
    }

    fn reset(&self, harness: &Harness) {
        if let Some(site) = self.site.get() {
            site.reset(self.state(harness));
        }
    }

    fn dump(&self) -> Value {
        self.site.get().map(|site| site.dump()).unwrap_or_default()
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        S::rate_limited(retry_after)
    }

    fn unauthorized(&self) -> Response {
        S::unauthorized()
    }

    fn routes(&self) -> Vec<(String, u64)> {
        self.site.get().map(|site| site.routes_asked()).unwrap_or_default()
    }
}
