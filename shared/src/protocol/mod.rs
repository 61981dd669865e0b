//! MCP on the rmcp SDK, for a [`Service`]: both eras at once, whatever the transport.
//!
//! *Modern* is the protocol of 2026-07-28, in which every request stands alone; *legacy* is
//! 2025-11-25 and older, which begins with a handshake. The SDK knows how each looks on the wire.
//! What it leaves to a server is here: what is offered and to whom, what becomes an error and what
//! a result, questions before harm is done, and the guard around every piece of work.

mod answer;
mod calls;
#[cfg(feature = "conformance")]
pub mod conformance;
mod era;
mod gate;
mod guard;
mod handler;
mod listing;
mod places;
mod polls;
#[cfg(test)]
mod polls_tests;
mod progress;
mod questions;
mod strict;
mod subscriptions;

use std::{fmt, sync::Arc, time::Duration};

use rmcp::{RoleServer, service::RequestContext};
use tokio_util::sync::CancellationToken;

use crate::{
    Connector, Service,
    access::{Principal, Quotas},
    catalog::one_line,
    telemetry::Metrics,
};

use guard::Guard;
use listing::Listing;
use polls::Polls;
use questions::Questions;
use subscriptions::LegacySubscriptions;

pub(crate) use gate::Gate;
pub(crate) use listing::wire_tool;
pub(crate) use strict::check;

/// What a transport says about how its requests are to be handled.
#[derive(Clone, Debug)]
pub struct HandlerOptions {
    /// How long a call may take, not counting the time a person needs to answer a question.
    pub call_timeout: Duration,
    /// Calls under way at once; four times as many may wait.
    pub max_in_flight: usize,
    /// Whether a legacy client on this transport can be sent a request of ours: over pipes and in
    /// sessions, but not where every request stands alone.
    pub reaches_legacy_clients: bool,
    /// Whether the transport writes the schemas of tools' arguments that were written down before, and lists of tools
    /// come to it with empty ones instead.
    pub writes_schemas: bool,
    /// Ends subscriptions when it is cancelled, before anything else is shut down.
    pub closing: CancellationToken,
    /// Where failures are counted, if anywhere.
    pub metrics: Option<Arc<Metrics>>,
    /// How often callers may call, if that is bounded.
    pub quotas: Option<Quotas>,
}

impl Default for HandlerOptions {
    fn default() -> Self {
        Self {
            // Clients commonly give up after 60 s; they should read our answer first.
            call_timeout: Duration::from_secs(55),
            max_in_flight: 64,
            reaches_legacy_clients: false,
            writes_schemas: false,
            closing: CancellationToken::new(),
            metrics: None,
            quotas: None,
        }
    }
}

/// Answers MCP requests for one service. Cheap to clone: a transport takes one per session or request,
/// and a clone shares everything but the subscriptions of its session.
pub struct Handler<S>(Arc<Inner<S>>, LegacySubscriptions);

struct Inner<S> {
    service: Arc<Service<S>>,
    listing: Listing,
    guard: Guard,
    questions: Questions,
    polls: Arc<Polls>,
    reaches_legacy_clients: bool,
    closing: CancellationToken,
    metrics: Option<Arc<Metrics>>,
    quotas: Option<Quotas>,
}

impl<S: Connector> Handler<S> {
    /// A handler for `service`. What lists show is made once.
    #[must_use]
    pub fn new(service: Arc<Service<S>>, options: HandlerOptions) -> Self {
        let guard = Guard::new(options.max_in_flight, options.call_timeout);
        if let Some(metrics) = &options.metrics {
            measure(metrics, &guard);
        }
        let inner = Inner {
            listing: Listing::new(&service, options.writes_schemas),
            guard,
            questions: Questions::new(service.keys().clone(), Arc::clone(service.confirmations().used())),
            polls: Polls::new(service.server().poll_interval()),
            reaches_legacy_clients: options.reaches_legacy_clients,
            closing: options.closing,
            metrics: options.metrics,
            quotas: options.quotas,
            service,
        };
        Self(Arc::new(inner), LegacySubscriptions::default())
    }
}

impl<S> Clone for Handler<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), LegacySubscriptions::default())
    }
}

impl<S> fmt::Debug for Handler<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// Has `metrics` tell how full the places for calls are: what to add replicas by.
fn measure(metrics: &Metrics, guard: &Guard) {
    let (in_use, load) = (guard.load(), guard.load());
    metrics.gauge("connector_places_in_use", "Calls under way, those that wait not included", move || {
        in_use().0 as f64
    });
    let help = "The share of the places for calls that is in use, 0 to 1";
    metrics.gauge("connector_places_in_use_ratio", help, move || {
        let (used, places) = load();
        used as f64 / places.max(1) as f64
    });
}

/// Who sent a request: whom the HTTP layer let in, or the person at this machine.
fn principal(extensions: &rmcp::model::Extensions) -> Principal {
    extensions
        .get::<http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Principal>())
        .cloned()
        .unwrap_or_else(Principal::local)
}

/// What the program at the other end calls itself, such as `claude-code/2.1.0`, at most 80 characters of it on one line.
/// Nobody vouches for it, so nothing is bound to it.
fn client(context: &RequestContext<RoleServer>) -> String {
    let told = context.meta.client_info();
    let shook_hands = || context.peer.peer_info().map(|info| info.client_info.clone());
    told.or_else(shook_hands).map_or_else(
        || "-".to_owned(),
        |client| one_line(&format!("{}/{}", client.name, client.version)).chars().take(80).collect(),
    )
}
