//! What came back: status, headers and the whole bounded body.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::classify;
use crate::Result;

/// An answer of the vendor, read to its end. Cloning shares everything.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Arc<HeaderMap>,
    /// The body, decompressed.
    pub body: Bytes,
}

impl Response {
    /// An answer from its parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Arc::new(headers), body: body.into() }
    }

    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as a `T`.
    ///
    /// # Errors
    /// `upstream` if the body is not JSON (an HTML page, cut off, not UTF-8) or not of that shape.
    /// The error names the place of the mismatch and never quotes the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| classify::not_json(&self.body, &error))
    }
}
