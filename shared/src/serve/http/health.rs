//! Two questions of whoever runs the server: is it alive, and should it get requests?

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    access::ApiKeys,
    replicas::Store,
    upstream::{BreakerState, Upstream},
};

/// The paths of the two questions.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// What readiness is judged by.
pub(super) struct Health {
    started: AtomicBool,
    draining: AtomicBool,
    upstream: Upstream,
    keys: Option<ApiKeys>,
    store: Option<Arc<dyn Store>>,
}

impl Health {
    pub(super) fn new(upstream: Upstream, keys: Option<ApiKeys>, store: Option<Arc<dyn Store>>) -> Self {
        Self { started: AtomicBool::new(false), draining: AtomicBool::new(false), upstream, keys, store }
    }

    /// From now on, requests are taken.
    pub(super) fn start(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Whether requests have ever been taken.
    pub(super) fn has_started(&self) -> bool {
        self.started.load(Ordering::Relaxed)
    }

    /// From now on, no more requests.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether requests are taken.
    pub(super) fn is_ready(&self) -> bool {
        self.has_started() && !self.draining.load(Ordering::Relaxed)
    }

    /// The status that says whether requests are taken.
    pub(super) fn status(&self) -> StatusCode {
        if self.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    }

    /// How things stand, for whoever runs the server. The vendor's state is told, but does not count: were it to,
    /// all replicas would leave at once while the vendor is down, and nobody could say why. Of the keys and of what replicas share likewise.
    pub(super) fn details(&self) -> Value {
        let status = self.upstream.status();
        let breaker = match status.breaker {
            BreakerState::Closed => "closed",
            BreakerState::Open(_) => "open",
            BreakerState::HalfOpen => "half_open",
        };
        let mut details = json!({
            "ready": self.is_ready(),
            "breaker": breaker,
            "credential_refused": status.credential_refused,
            "requests_under_way": status.in_use,
            "drift": status.counts.drift,
        });
        if let Some(keys) = &self.keys {
            details["api_keys"] = keys.state().as_str().into();
        }
        if let Some(store) = &self.store {
            details["store"] = if store.is_up() { "up" } else { "down" }.into();
        }
        details
    }
}

/// The process lives.
pub(super) async fn live() -> &'static str {
    "ok"
}

/// Whether to send requests here, for everybody who asks: no more than that.
pub(super) async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    (health.status(), Json(json!({"ready": health.is_ready()})))
}
