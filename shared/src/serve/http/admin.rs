//! The listener for whoever runs the server: health and metrics, apart from the callers' port and its limits, so that
//! they are answered when that one is full.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::{
    ServeError,
    activity::Patience,
    connections::Connections,
    health::{self, Health},
};
use crate::telemetry::{self, Metrics};

/// Connections at once: probes and a few scrapers.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may keep a connection waiting.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection may rest between requests: longer than scrapers commonly pause.
const REST: Duration = Duration::from_secs(75);

/// The listener, until it is dropped.
pub(super) struct Admin {
    pub(super) addr: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

#[derive(Clone)]
struct Watched {
    health: Arc<Health>,
    metrics: Arc<Metrics>,
}

impl Admin {
    /// Listens at `addr`.
    pub(super) async fn open(
        addr: SocketAddr,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ServeError> {
        let listen_error = |source| ServeError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listen_error)?;
        let addr = listener.local_addr().map_err(listen_error)?;
        tracing::info!("health and metrics are at http://{addr}");
        let router = Router::new()
            .route("/healthz", get(health::live))
            .route("/readyz", get(ready))
            .route("/startupz", get(started))
            .route("/metrics", get(scrape))
            .with_state(Watched { health, metrics });
        let patience = Patience { head: PATIENCE, rest: REST };
        let connections = Connections::new(router, MAX_CONNECTIONS, patience, PATIENCE, None);
        let serving = tokio::spawn(async move {
            connections.accept_until(&listener, std::future::pending()).await;
        });
        Ok(Self { addr, _serving: AbortOnDropHandle::new(serving) })
    }
}

/// Whether to send requests to the callers' port, and how things stand.
async fn ready(State(watched): State<Watched>) -> impl IntoResponse {
    (watched.health.status(), Json(watched.health.details()))
}

/// Whether the callers' port has been listened on.
async fn started(State(watched): State<Watched>) -> (StatusCode, &'static str) {
    if watched.health.has_started() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no")
    }
}

async fn scrape(State(watched): State<Watched>) -> Response {
    ([(header::CONTENT_TYPE, telemetry::CONTENT_TYPE)], watched.metrics.text()).into_response()
}
