//! What came back: status, headers and the whole bounded body.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::{Request, classify, retry};
use crate::{Error, Result, tolerant};

/// An answer of the vendor, read to its end. Cloning shares everything.
#[derive(Clone, Debug)]
pub struct Response {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: Arc<HeaderMap>,
    /// The body, decompressed.
    pub body: Bytes,
    /// What it answers, where that is known.
    answers: Option<Arc<Answered>>,
}

/// What an answer belongs to.
#[derive(Debug)]
struct Answered {
    /// Counts the places that were read as something else than they are.
    drift: Arc<AtomicU64>,
    /// The write, if it is one: who was asked, and what to look at if the answer cannot be used.
    write: Option<(&'static str, String)>,
}

impl Response {
    /// An answer from its parts.
    pub fn new(status: StatusCode, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Arc::new(headers), body: body.into(), answers: None }
    }

    /// The same as the answer to `request` of the vendor `title`, its drift counted in `drift`.
    pub(super) fn to(mut self, request: &Request, title: &'static str, drift: &Arc<AtomicU64>) -> Self {
        let write = request.effect.writes().then(|| (title, retry::what_to_check(request)));
        self.answers = Some(Arc::new(Answered { drift: Arc::clone(drift), write }));
        self
    }

    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as a `T`, read tolerantly; see [`tolerant`].
    ///
    /// # Errors
    /// `upstream` if the body is not JSON (an HTML page, cut off, not UTF-8) or not near that shape.
    /// `unknown_outcome` instead after a write. The error names the place of the mismatch and never quotes
    /// the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        let read = tolerant::from_slice(&self.body)
            .map_err(|error| self.unusable(classify::not_json(&self.body, &error)))?;
        if let Some(answered) = self.answers.as_ref().filter(|_| read.drift > 0) {
            tracing::debug!(places = read.drift, "an answer is not quite what was expected");
            answered.drift.fetch_add(read.drift.into(), Ordering::Relaxed);
        }
        Ok(read.value)
    }

    /// The error for an answer that does not say what it must: `cause` after a read, `unknown_outcome` after a
    /// write, which was received and may well have been carried out.
    #[must_use]
    pub fn unusable(&self, cause: Error) -> Error {
        match self.answers.as_ref().and_then(|answered| answered.write.as_ref()) {
            Some((title, check)) => retry::unknown_outcome(title, check, cause),
            None => cause,
        }
    }
}
