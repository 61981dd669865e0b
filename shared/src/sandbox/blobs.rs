//! Uploaded files: a client asks for a place, puts the bytes there with exactly the headers it was
//! told, and the fake hands them out again.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Path},
    response::{IntoResponse, Response},
    routing::put,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::VirtualClock;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its media type.
    pub content_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl IntoResponse for Blob {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.bytes));
        let kind = HeaderValue::from_str(&self.content_type);
        let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

/// A place for one upload.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file's name in the store, which may contain slashes.
    pub key: String,
    /// The media type that must be sent.
    pub content_type: String,
    /// The exact number of bytes that must be sent; none for any.
    pub size: Option<u64>,
    /// Headers that must be sent as they are, besides the media type.
    pub headers: Vec<(String, String)>,
    /// How long the place is kept free.
    pub ttl: Duration,
}

/// Why an upload was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such place, or it was used already.
    #[error("no upload is expected here")]
    Unknown,
    /// It came too late.
    #[error("the upload address has expired")]
    Expired,
    /// A header is missing or differs.
    #[error("header {0} is not as signed")]
    Header(String),
    /// More or fewer bytes than announced.
    #[error("{sent} bytes were sent, {announced} were announced")]
    Size {
        /// What was sent.
        sent: u64,
        /// What was announced.
        announced: u64,
    },
}

/// The files of a fake. Clones share them.
#[derive(Clone)]
pub struct Blobs {
    clock: VirtualClock,
    store: Arc<Mutex<Store>>,
}

#[derive(Default)]
struct Store {
    places: HashMap<String, (Place, Duration)>,
    blobs: HashMap<String, Blob>,
    /// The file's name and the end of its time, by the signature.
    signed: HashMap<String, (String, Duration)>,
}

impl Blobs {
    /// No files.
    #[must_use]
    pub fn new(clock: &VirtualClock) -> Self {
        Self { clock: clock.clone(), store: Arc::default() }
    }

    /// Expects an upload.
    pub fn expect(&self, place: Place) {
        let until = self.clock.now() + place.ttl;
        self.store().places.insert(place.key.clone(), (place, until));
    }

    /// Takes an upload, if it is as expected. A refused upload may be tried again.
    ///
    /// # Errors
    /// If it is not as expected.
    pub fn put(&self, key: &str, headers: &HeaderMap, bytes: Bytes) -> Result<(), Refused> {
        let mut store = self.store();
        let (place, until) = store.places.get(key).ok_or(Refused::Unknown)?;
        if self.clock.now() > *until {
            return Err(Refused::Expired);
        }
        let kind = [("content-type", place.content_type.as_str())];
        let others = place.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in kind.into_iter().chain(others) {
            if headers.get(name).and_then(|sent| sent.to_str().ok()) != Some(value) {
                return Err(Refused::Header(name.to_owned()));
            }
        }
        let sent = bytes.len() as u64;
        if let Some(announced) = place.size.filter(|announced| *announced != sent) {
            return Err(Refused::Size { sent, announced });
        }
        let content_type = place.content_type.clone();
        store.places.remove(key);
        store.blobs.insert(key.to_owned(), Blob { content_type, bytes });
        Ok(())
    }

    /// Puts a file there without ceremony: for seeds.
    pub fn insert(&self, key: &str, blob: Blob) {
        self.store().blobs.insert(key.to_owned(), blob);
    }

    /// A file.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Blob> {
        self.store().blobs.get(key).cloned()
    }

    /// A signature with which anybody may read the file for as long as `ttl`.
    #[must_use]
    pub fn sign(&self, key: &str, ttl: Duration) -> String {
        let signature = Uuid::new_v4().simple().to_string();
        self.store().signed.insert(signature.clone(), (key.to_owned(), self.clock.now() + ttl));
        signature
    }

    /// Whether the signature opens this file now.
    #[must_use]
    pub fn opens(&self, key: &str, signature: &str) -> bool {
        let store = self.store();
        store.signed.get(signature).is_some_and(|(signed, until)| signed == key && self.clock.now() <= *until)
    }

    /// Forgets every file, place and signature.
    pub fn clear(&self) {
        *self.store() = Store::default();
    }

    /// The route `PUT {prefix}/{key}`, as an object store has it: 200, or 403 with the reason.
    /// `prefix` starts with a slash and does not end in one. How files are read is the vendor's own
    /// affair: see [`get`](Self::get).
    pub fn router(&self, prefix: &str) -> Router {
        let blobs = self.clone();
        let take = move |Path(key): Path<String>, headers: HeaderMap, bytes: Bytes| async move {
            match blobs.put(&key, &headers, bytes) {
                Ok(()) => StatusCode::OK.into_response(),
                Err(refused) => {
                    let body =
                        format!("<Error><Code>AccessDenied</Code><Details>{refused}</Details></Error>");
                    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
                }
            }
        };
        Router::new().route(&format!("{prefix}/{{*key}}"), put(take)).layer(DefaultBodyLimit::disable())
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.store();
        write!(f, "Blobs({} files, {} expected)", store.blobs.len(), store.places.len())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tower::ServiceExt as _;

    use super::*;

    fn place() -> Place {
        Place {
            key: "harbor/a/log.txt".to_owned(),
            content_type: "text/plain".to_owned(),
            size: Some(5),
            headers: vec![("x-goog-content-length-range".to_owned(), "5,5".to_owned())],
            ttl: Duration::from_secs(60),
        }
    }

    async fn put(blobs: &Blobs, range: Option<&str>, body: &'static str) -> StatusCode {
        let mut request = Request::put("/uploads/harbor/a/log.txt").header("content-type", "text/plain");
        if let Some(range) = range {
            request = request.header("x-goog-content-length-range", range);
        }
        blobs.router("/uploads").oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status()
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_must_be_exactly_as_signed() {
        let blobs = Blobs::new(&VirtualClock::new());
        assert_eq!(put(&blobs, Some("5,5"), "hello").await, 403, "nothing is expected");
        blobs.expect(place());
        assert_eq!(put(&blobs, None, "hello").await, 403, "a header is missing");
        assert_eq!(put(&blobs, Some("0,9"), "hello").await, 403, "a header differs");
        assert_eq!(put(&blobs, Some("5,5"), "hello!").await, 403, "too long");
        assert_eq!(put(&blobs, Some("5,5"), "hello").await, 200);
        assert_eq!(put(&blobs, Some("5,5"), "hello").await, 403, "a place is used once");
        assert_eq!(blobs.get("harbor/a/log.txt").unwrap().bytes, "hello");
    }

    #[tokio::test(start_paused = true)]
    async fn places_and_signatures_expire_on_the_fakes_clock() {
        let clock = VirtualClock::new();
        let blobs = Blobs::new(&clock);
        blobs.expect(place());
        blobs.insert("b", Blob { content_type: "text/plain".to_owned(), bytes: Bytes::from("b") });
        let signature = blobs.sign("b", Duration::from_secs(60));
        assert!(blobs.opens("b", &signature) && !blobs.opens("a", &signature) && !blobs.opens("b", ""));
        clock.advance(Duration::from_secs(61));
        assert!(!blobs.opens("b", &signature));
        assert_eq!(put(&blobs, Some("5,5"), "hello").await, 403);
    }
}
