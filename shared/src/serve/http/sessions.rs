//! Legacy sessions: so many, and each for the caller who opened it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, Method, StatusCode, header};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use serde::Deserialize;

use crate::access::Principal;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// The sessions there are, and whose they are.
pub(super) struct Sessions {
    manager: Arc<LocalSessionManager>,
    most: usize,
    owners: Mutex<HashMap<String, Principal>>,
}

impl Sessions {
    pub(super) fn new(manager: Arc<LocalSessionManager>, most: usize) -> Self {
        Self { manager, most, owners: Mutex::default() }
    }

    /// Whether `caller` may open no more: there are too many, or a caller known by name has a tenth of
    /// all there can be, so that none can keep the others out.
    async fn is_full(&self, caller: &Principal) -> bool {
        let alive = self.manager.sessions.read().await;
        if alive.len() >= self.most {
            return true;
        }
        let share = (self.most / 10).max(1);
        let is_theirs = |(session, owner): &(&String, &Principal)| {
            *owner == caller && alive.contains_key(session.as_str())
        };
        !caller.is_local() && self.owners().iter().filter(is_theirs).count() >= share
    }

    /// Whether `session` was opened by somebody else. One that nobody opened is the SDK's to refuse.
    fn is_anothers(&self, session: &str, caller: &Principal) -> bool {
        self.owners().get(session).is_some_and(|owner| owner != caller)
    }

    async fn opened(&self, session: String, caller: Principal) {
        let alive = self.manager.sessions.read().await;
        let mut owners = self.owners();
        // Sessions end in many ways; those that did are forgotten whenever there are twice too many.
        if owners.len() >= alive.len().saturating_mul(2).max(16) {
            owners.retain(|session, _| alive.contains_key(session.as_str()));
        }
        owners.insert(session, caller);
    }

    fn owners(&self) -> std::sync::MutexGuard<'_, HashMap<String, Principal>> {
        // The map is valid after every statement, so a panic elsewhere does not spoil it.
        self.owners.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Refuses sessions beyond the most, and other people's.
pub(super) async fn check(State(sessions): State<Arc<Sessions>>, request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Principal>().cloned().unwrap_or_else(Principal::local);
    let session = request.headers().get(SESSION).and_then(|session| session.to_str().ok());
    if session.is_some_and(|session| sessions.is_anothers(session, &caller)) {
        // The same answer as for a session that does not exist.
        return (StatusCode::NOT_FOUND, "Not Found: Session not found").into_response();
    }
    let (request, opens) = if session.is_none() && request.method() == Method::POST {
        opens_session(request).await
    } else {
        (request, false)
    };
    if opens && sessions.is_full(&caller).await {
        let retry_after = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, retry_after, "Too many sessions are open.").into_response();
    }
    let response = next.run(request).await;
    if opens && let Some(session) = response.headers().get(SESSION).and_then(|session| session.to_str().ok())
    {
        sessions.opened(session.to_owned(), caller).await;
    }
    response
}

/// Whether the request opens a session. Its body is there already, within its limits.
async fn opens_session(request: Request) -> (Request, bool) {
    #[derive(Deserialize)]
    struct Head {
        method: String,
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let opens = serde_json::from_slice::<Head>(&body).is_ok_and(|head| head.method == "initialize");
    (Request::from_parts(parts, Body::from(body)), opens)
}
