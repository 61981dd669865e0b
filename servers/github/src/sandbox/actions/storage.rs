//! The storage that logs and artifacts lie in: another address, which must not be shown GitHub's tokens.
//!
//! It starts when something is first put there. It writes down the headers of every request, for tests to
//! look through: `GET /_github/storage` on the API's own address.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::State as Shared,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use connector::sandbox::{Blob, Blobs, SecondServer, VirtualClock};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::sandbox::{
    errors::{ApiError, Outcome},
    request::{FakeResponse, RequestContext},
};

/// An address is good for one minute (docs.github.com, "Download job logs for a workflow run").
const GOOD_FOR: Duration = Duration::from_secs(60);

/// The storage.
#[derive(Debug)]
pub(in crate::sandbox) struct Storage {
    shelf: Arc<Shelf>,
    server: Mutex<Option<SecondServer>>,
}

/// What the storage's server needs.
#[derive(Debug)]
struct Shelf {
    blobs: Blobs,
    requests: Mutex<Vec<Value>>,
}

impl Storage {
    /// An empty storage that does not answer yet.
    pub(in crate::sandbox) fn new(clock: &VirtualClock) -> Self {
        let shelf = Shelf { blobs: Blobs::new(clock), requests: Mutex::default() };
        Self { shelf: Arc::new(shelf), server: Mutex::default() }
    }

    /// Forgets files and requests.
    pub(in crate::sandbox) fn clear(&self) {
        self.shelf.blobs.clear();
        self.shelf.requests().clear();
    }

    /// Puts `bytes` there under `key` and redirects to them, for a minute.
    pub(super) fn redirect(
        &self,
        key: &str,
        content_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Outcome<FakeResponse> {
        let base = self.base().map_err(|error| {
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("the storage cannot start: {error}"))
        })?;
        let blob = Blob { content_type: content_type.to_owned(), bytes: bytes.into() };
        self.shelf.blobs.insert(key, blob);
        let signature = self.shelf.blobs.sign(key, GOOD_FOR);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("sv", "2025-05-05")
            .append_pair("sig", &signature)
            .finish();
        Ok(FakeResponse::redirect(StatusCode::FOUND, &format!("{base}/{key}?{query}")))
    }

    /// Where it answers, from now on if it did not before.
    fn base(&self) -> std::io::Result<String> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = server.as_ref().filter(|running| running.answers()) {
            return Ok(format!("http://{}", running.addr()));
        }
        let router = Router::new().fallback(hand_out).with_state(Arc::clone(&self.shelf));
        let running = server.insert(SecondServer::start(router)?);
        Ok(format!("http://{}", running.addr()))
    }
}

impl Shelf {
    fn requests(&self) -> MutexGuard<'_, Vec<Value>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands out a file to whoever has its signature, and no other credential: as Azure's storage does, which
/// lies behind GitHub's logs (learn.microsoft.com, "Blob service error codes").
async fn hand_out(
    Shared(shelf): Shared<Arc<Shelf>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let told: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()))
        .collect();
    let path = uri.path();
    shelf.requests().push(json!({"method": method.as_str(), "path": path, "headers": told}));
    let refused = |status: StatusCode, code: &str| {
        let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
        (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
    };
    if headers.contains_key(header::AUTHORIZATION) {
        return refused(StatusCode::BAD_REQUEST, "InvalidAuthenticationInfo");
    }
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let signature = query.into_owned().find(|(name, _)| name == "sig").map(|(_, value)| value);
    let key = path.trim_start_matches('/');
    if !signature.is_some_and(|signature| shelf.blobs.opens(key, &signature)) {
        return refused(StatusCode::FORBIDDEN, "AuthenticationFailed");
    }
    match shelf.blobs.get(key) {
        Some(blob) if method == Method::GET => blob.into_response(),
        Some(_) => refused(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedHttpVerb"),
        None => refused(StatusCode::NOT_FOUND, "BlobNotFound"),
    }
}

/// `GET /_github/storage`: every request that the storage got. No route of GitHub's.
pub(super) fn requests(cx: &RequestContext<'_>) -> Outcome<FakeResponse> {
    Ok(FakeResponse::json(json!({"requests": *cx.site.storage.shelf.requests()})))
}
