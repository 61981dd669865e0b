//! What the fake was asked: the evidence for "sent once", "in this order", "with this header".

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, header, request::Parts};
use serde::{Serialize, Serializer};

use super::VirtualClock;
use crate::Secret;

/// A long-running sandbox forgets its oldest requests beyond this many.
const CAPACITY: usize = 10_000;
/// Headers that carry credentials: only a fingerprint of them is kept.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];
/// Form fields and query parameters that carry credentials.
const SECRET_FIELDS: [&str; 7] =
    ["access_token", "client_secret", "code", "code_verifier", "password", "refresh_token", "token"];

/// One request as it arrived, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Counts from 1, in the order of arrival.
    pub number: u64,
    /// When, on the fake's clock, as a duration since the Unix epoch.
    #[serde(serialize_with = "as_iso")]
    pub time: Duration,
    /// `GET`, `POST`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query as it was sent; empty without one. Credentials in it are fingerprints.
    pub query: String,
    /// The name the fake gave it.
    pub operation: String,
    /// Every header but those that carry credentials.
    pub headers: Vec<(String, String)>,
    /// The body as text; what is not UTF-8 shows as replacement characters. Credentials in a form
    /// are fingerprints.
    pub body: String,
    /// The fingerprint of the `Authorization` header's credential, without its scheme.
    pub credential: Option<String>,
    /// The status that was answered; none if there was no answer (yet).
    pub status: Option<u16>,
    /// The fault that was applied.
    pub fault: Option<&'static str>,
    /// Whether the fake's own code saw the request, and so may have changed its state.
    pub handled: bool,
}

impl Entry {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header's value, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Every request the fake got. Clones are the same journal.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
struct Book {
    entries: VecDeque<Entry>,
    arrived: u64,
}

impl Journal {
    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.book().entries.iter().cloned().collect()
    }

    /// The entries of one operation, oldest first.
    #[must_use]
    pub fn of(&self, operation: &str) -> Vec<Entry> {
        self.book().entries.iter().filter(|entry| entry.operation == operation).cloned().collect()
    }

    /// How many requests of one operation arrived.
    #[must_use]
    pub fn count(&self, operation: &str) -> usize {
        self.book().entries.iter().filter(|entry| entry.operation == operation).count()
    }

    /// The names of the operations, in the order of arrival.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.book().entries.iter().map(|entry| entry.operation.clone()).collect()
    }

    /// Forgets everything; the numbers go on.
    pub fn clear(&self) {
        self.book().entries.clear();
    }

    /// Enters a request; the number is for [`close`](Self::close).
    pub(super) fn open(&self, parts: &Parts, body: &Bytes, operation: &str, time: Duration) -> u64 {
        let form = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
        let text = String::from_utf8_lossy(body);
        let mut book = self.book();
        book.arrived += 1;
        let number = book.arrived;
        if book.entries.len() == CAPACITY {
            book.entries.pop_front();
        }
        book.entries.push_back(Entry {
            number,
            time,
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: without_secrets(parts.uri.query().unwrap_or_default()).into_owned(),
            operation: operation.to_owned(),
            headers: open_headers(&parts.headers),
            body: if form { without_secrets(&text).into_owned() } else { text.into_owned() },
            credential: credential(&parts.headers),
            status: None,
            fault: None,
            handled: false,
        });
        number
    }

    /// Adds to an entry what became of it.
    pub(super) fn close(&self, number: u64, write: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.book().entries.iter_mut().rev().find(|entry| entry.number == number) {
            write(entry);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

fn credential(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bare = value.rsplit_once(' ').map_or(value, |(_, credential)| credential);
    Some(Secret::new(bare).fingerprint().to_string())
}

/// `pairs` (`a=1&b=2`) with fingerprints in place of credentials.
fn without_secrets(pairs: &str) -> Cow<'_, str> {
    let secret = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| SECRET_FIELDS.contains(&name));
    if !pairs.split('&').any(secret) {
        return Cow::Borrowed(pairs);
    }
    let hide = |pair: &str| match pair.split_once('=') {
        Some((name, value)) if SECRET_FIELDS.contains(&name) => {
            format!("{name}={}", Secret::new(value).fingerprint())
        }
        _ => pair.to_owned(),
    };
    Cow::Owned(pairs.split('&').map(hide).collect::<Vec<_>>().join("&"))
}

fn as_iso<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&VirtualClock::iso(*time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_kept_as_fingerprints_only() {
        let journal = Journal::default();
        let request = http::Request::post("/oauth/token?code=c0de&state=s")
            .header("authorization", "Bearer lin_oauth_secret")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", "session=secret")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        let body = Bytes::from("grant_type=refresh_token&refresh_token=secret&client_secret=secret");
        journal.open(&parts, &body, "token", Duration::ZERO);

        let entry = journal.of("token").remove(0);
        assert_eq!(entry.credential, Some(Secret::new("lin_oauth_secret").fingerprint().to_string()));
        assert!(entry.body.starts_with("grant_type=refresh_token&refresh_token="));
        let written = serde_json::to_string(&entry).unwrap();
        assert!(!written.contains("secret&") && !written.contains("=secret") && !written.contains("c0de"));
        assert!(!written.contains("lin_oauth"));
    }
}
