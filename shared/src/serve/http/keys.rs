//! API-key authentication: who calls, or nobody.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{connections::Peer, pace};
use crate::{
    access::{ApiKeys, FailedLogins},
    telemetry::Metrics,
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whose keys open it, and what it is called.
#[derive(Clone)]
pub(super) struct Door {
    keys: ApiKeys,
    realm: &'static str,
    failed: Arc<FailedLogins>,
    /// Where refusals are counted, if anywhere.
    metrics: Option<Arc<Metrics>>,
}

impl Door {
    pub(super) fn new(keys: ApiKeys, realm: &'static str, metrics: Option<Arc<Metrics>>) -> Self {
        Self { keys, realm, failed: Arc::default(), metrics }
    }
}

/// Lets a request in under its caller's name. The key goes no further than this: whatever is behind
/// the door has no use for it, and must not pass it on.
pub(super) async fn check(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let principal = match presented(request.headers()) {
        Some(key) => door.keys.principal(key),
        None => return refused(&door, "", "missing"),
    };
    let Some(principal) = principal else {
        return unknown(&door, request.extensions().get::<Peer>().map(|peer| peer.0));
    };
    request.headers_mut().remove(header::AUTHORIZATION);
    request.headers_mut().remove(X_API_KEY);
    request.extensions_mut().insert(principal);
    next.run(request).await
}

/// The one key that a request presents.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut bearers = headers.get_all(header::AUTHORIZATION).iter();
    let mut keys = headers.get_all(X_API_KEY).iter();
    match (bearers.next(), keys.next(), bearers.next(), keys.next()) {
        (Some(bearer), None, None, None) => {
            let (scheme, key) = bearer.to_str().ok()?.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
        }
        (None, Some(key), None, None) => Some(key.to_str().ok()?.trim()),
        _ => None,
    }
}

/// Refuses a key that nobody has. Whoever tries many is told to wait; those who have a key are let in from wherever they
/// are, because many people may share an address.
fn unknown(door: &Door, from: Option<IpAddr>) -> Response {
    if let Some(Err(wait)) = from.map(|address| door.failed.count(address)) {
        if let Some(metrics) = &door.metrics {
            metrics.refused("too_many");
        }
        return pace::too_many("Too many keys from here were refused.", wait);
    }
    refused(door, ", error=\"invalid_token\"", "unknown_key")
}

fn refused(door: &Door, detail: &str, reason: &'static str) -> Response {
    if let Some(metrics) = &door.metrics {
        metrics.refused(reason);
    }
    let challenge = HeaderValue::from_str(&format!("Bearer realm=\"{}\"{detail}", door.realm));
    let body = "An API key is needed: send it as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.";
    let mut response = (StatusCode::UNAUTHORIZED, body).into_response();
    if let Ok(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
