//! What every fake vendor shares: the server it answers from, its clock, the faults it can be told
//! to show, the journal of what it was asked, rate windows, OAuth endpoints, webhooks and uploads.
//!
//! A fake is a [`SeededSite`], whose requests go through the frame of [`rest`] or [`graphql`] and whose state is
//! [`rows`]; [`seeded`] makes a [`Fake`] of it, and [`start`] serves that: real HTTP on loopback, in which a
//! test decides what goes wrong ([`Faults`]), when ([`VirtualClock`]), and can read afterwards what
//! really arrived ([`Journal`]). Programs that are not in the process do the same by the routes
//! under `/_sandbox/` (see `control`).
//!
//! Everything here waits on tokio's clock, so a test that starts paused
//! (`#[tokio::test(start_paused = true)]`) never sleeps: on loopback what was written is there to be
//! read at once, and the clock jumps to the next timer only when nobody has anything to read.

mod blobs;
mod clock;
mod control;
mod damage;
mod faults;
#[cfg(feature = "graphql")]
pub mod graphql;
mod journal;
mod oauth;
#[cfg(test)]
mod oauth_tests;
mod pacing;
mod rate;
pub mod rest;
pub mod rows;
mod second_server;
pub mod seed;
mod seeded;
mod server;
#[cfg(test)]
mod server_tests;
mod webhooks;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header, request::Parts};
use url::Url;

pub use self::{
    blobs::{Blob, Blobs, Place, Refused},
    clock::VirtualClock,
    faults::{Action, Change, Faults, Rule},
    journal::{Entry, Journal},
    oauth::{Grant, OAuth, OAuthClient, OAuthRules, Tokens},
    rate::{RateWindow, RateWindows, take_all},
    second_server::SecondServer,
    seeded::{SeededSite, seeded},
    server::{Running, start},
    webhooks::{Attempt, Attempted, WebhookRules, WebhookTarget, Webhooks},
};

/// One vendor, faked: its routes, its state and its manners.
pub trait Fake: Send + Sync + 'static {
    /// The vendor's name in lower case: `linear`.
    fn name(&self) -> &'static str;

    /// The vendor's routes. They check credentials, enforce limits, validate and keep state.
    fn router(&self, harness: &Harness) -> Router;

    /// The name of what is asked, by which faults are aimed and the journal is read:
    /// `ListIssues`, `GET /user`.
    fn operation(&self, parts: &Parts, body: &[u8]) -> String;

    /// Goes back to the seed.
    fn reset(&self, harness: &Harness);

    /// The whole state, for tests that compare before and after.
    fn dump(&self) -> serde_json::Value;

    /// The vendor's own way to say that a budget is used up. `retry_after` is put into the header
    /// of that name as it is, or left out.
    fn rate_limited(&self, retry_after: Option<&str>) -> Response;

    /// Every route's template with the number of requests that it answered: for a test of routes that nobody asks
    /// for. Empty if the fake does not count.
    fn routes(&self) -> Vec<(String, u64)> {
        Vec::new()
    }

    /// The vendor's own way to refuse a credential.
    fn unauthorized(&self) -> Response {
        let body = axum::Json(serde_json::json!({ "error": "unauthorized" }));
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], body).into_response()
    }
}

/// What a fake and the tests around it have in hand. Clones share everything.
#[derive(Clone)]
pub struct Harness(Arc<Inner>);

struct Inner {
    base: Url,
    clock: VirtualClock,
    faults: Faults,
    journal: Journal,
}

impl Harness {
    /// A harness for a fake that answers at `base`. [`start`] makes one; tests of a fake's parts
    /// that need no server make their own.
    #[must_use]
    pub fn new(base: Url) -> Self {
        let clock = VirtualClock::new();
        Self(Arc::new(Inner { base, clock, faults: Faults::default(), journal: Journal::default() }))
    }

    /// Where the fake answers, for the absolute addresses it hands out.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0.base
    }

    /// The fake's wall clock.
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.0.clock
    }

    /// What is to go wrong.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// What was asked.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").field("url", &self.0.base.as_str()).finish_non_exhaustive()
    }
}
