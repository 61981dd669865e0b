//! One request as it was sent.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Map, Value};
use url::form_urlencoded;
use uuid::Uuid;

use super::{FormPart, multipart};

/// One request as it was sent.
#[derive(Clone, Debug)]
pub struct FakeRequest {
    /// The id that its answer carries: 32 hexadecimal digits in lower case.
    pub id: String,
    /// Its method, `HEAD` as it is.
    pub method: Method,
    /// Its address as it was asked for.
    pub uri: Uri,
    /// Its path as the table of routes has it, still encoded.
    pub path: String,
    /// The values of the route's named segments, decoded, in the template's order.
    pub variables: Vec<(String, String)>,
    /// The query's parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// When it came, on the fake's clock, as a duration since the Unix epoch.
    pub now: Duration,
}

impl FakeRequest {
    pub(super) fn new(
        method: Method,
        uri: Uri,
        path: String,
        variables: Vec<(String, String)>,
        headers: HeaderMap,
        body: Bytes,
        now: Duration,
    ) -> Self {
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let id = Uuid::new_v4().simple().to_string();
        Self { id, method, uri, path, variables, query, headers, body, now }
    }

    /// A named segment's value; empty if the route has none of this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The last value of a query parameter, if it is not empty.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().rev().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Every value of a query parameter that may be repeated, with or without `[]` after its name.
    pub fn query_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |key: &str| key.strip_suffix("[]").unwrap_or(key) == name;
        self.query.iter().filter(move |(key, _)| named(key)).map(|(_, value)| value.as_str())
    }

    /// A header's value, by its name in lower case; none if it is no text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token after `Bearer`, which is matched without case (RFC 9110, 11.1).
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header(header::AUTHORIZATION.as_str())?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Name and password of `Basic`.
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let (scheme, token) = self.header(header::AUTHORIZATION.as_str())?.trim().split_once(' ')?;
        let bytes = STANDARD.decode(token.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (name, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some((name.to_owned(), password.to_owned()))
    }

    /// Whether the body says to be of this media type, whatever its parameters.
    #[must_use]
    pub fn is(&self, media_type: &str) -> bool {
        let kind = self.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(media_type)
    }

    /// The body as a JSON object, whatever media type it says; an empty body is an empty object, and what is no
    /// object is none.
    #[must_use]
    pub fn object(&self) -> Option<Map<String, Value>> {
        if self.body.is_empty() {
            return Some(Map::new());
        }
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// If it is none, with what an official client would be told of the place.
    pub fn json(&self) -> serde_json::Result<Value> {
        serde_json::from_slice(&self.body)
    }

    /// The body's fields as a form; the last of a name counts.
    #[must_use]
    pub fn form(&self) -> Map<String, Value> {
        form_urlencoded::parse(&self.body).map(|(key, value)| (key.into_owned(), value.into())).collect()
    }

    /// The parts of a `multipart/form-data` body; none if it is not one, or a broken one.
    #[must_use]
    pub fn parts(&self) -> Option<Vec<FormPart>> {
        multipart::parts(self.header(header::CONTENT_TYPE.as_str())?, &self.body)
    }

    /// Everything that was sent as arguments, as vendors take it that do not mind the form: the query's
    /// parameters, then the fields of a form, of a JSON object, or the text parts of a multipart body. What comes
    /// later counts. Values of queries and forms are strings. None if the body is broken.
    #[must_use]
    pub fn arguments(&self) -> Option<Map<String, Value>> {
        let mut all: Map<String, Value> =
            self.query.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        if self.is("application/json") {
            all.extend(self.object()?);
        } else if self.is("multipart/form-data") {
            let texts = self.parts()?.into_iter().filter(|part| part.filename.is_none());
            all.extend(texts.map(|part| (part.name, String::from_utf8_lossy(&part.bytes).into())));
        } else {
            all.extend(self.form());
        }
        Some(all)
    }
}
