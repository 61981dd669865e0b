//! Two questions of whoever runs the server: is it alive, and should it get requests?

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{Json, extract::State, response::IntoResponse};
use http::StatusCode;
use serde_json::json;

use crate::{
    access::ApiKeys,
    upstream::{BreakerState, Upstream},
};

/// The paths of the two questions.
pub(super) const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// What readiness is judged by.
pub(super) struct Health {
    draining: AtomicBool,
    upstream: Upstream,
    keys: Option<ApiKeys>,
}

impl Health {
    pub(super) fn new(upstream: Upstream, keys: Option<ApiKeys>) -> Self {
        Self { draining: AtomicBool::new(false), upstream, keys }
    }

    /// From now on, no more requests.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

/// The process lives.
pub(super) async fn live() -> &'static str {
    "ok"
}

/// Whether to send requests here. The vendor's state is told, but does not count: were it to, all
/// replicas would leave at once while the vendor is down, and nobody could say why.
pub(super) async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let ready = !health.draining.load(Ordering::Relaxed);
    let status = health.upstream.status();
    let breaker = match status.breaker {
        BreakerState::Closed => "closed",
        BreakerState::Open(_) => "open",
        BreakerState::HalfOpen => "half_open",
    };
    let mut body = json!({
        "ready": ready,
        "breaker": breaker,
        "credential_refused": status.credential_refused,
        "requests_under_way": status.in_use,
        "drift": status.counts.drift,
    });
    // Of the keys, as of the vendor: told, and not counted.
    if let Some(keys) = &health.keys {
        body["api_keys"] = keys.state().as_str().into();
    }
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(body))
}
