//! What a handler answers.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// GitHub's media type of JSON.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
}

impl Answer {
    /// 200 with JSON.
    pub(super) fn json(value: impl Into<Value>) -> Self {
        let body = Bytes::from(value.into().to_string());
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, JSON)], body }
    }

    /// 201 with JSON.
    pub(super) fn created(value: impl Into<Value>) -> Self {
        Self::json(value).status(StatusCode::CREATED)
    }

    /// 204 without a body.
    pub(super) fn none() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    /// 200 with bytes of a media type.
    pub(super) fn bytes(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let media_type = HeaderValue::from_static(media_type);
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, media_type)], body: body.into() }
    }

    /// A redirect.
    pub(super) fn redirect(status: StatusCode, location: &str) -> Self {
        let answer = Self { status, headers: Vec::new(), body: Bytes::new() };
        answer.header("location", location)
    }

    /// The same with another status.
    pub(super) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with a header.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The same with a header, unless it has one of this name.
    pub(super) fn header_unless_there(self, name: &'static str, value: &str) -> Self {
        if self.headers.iter().any(|(known, _)| known == name) { self } else { self.header(name, value) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
