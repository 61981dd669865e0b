//! What a handler answers.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

/// An answer, whole in memory.
#[derive(Clone, Debug)]
pub struct FakeResponse {
    /// Its status.
    pub status: StatusCode,
    /// Its headers; the last of a name counts.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body.
    pub body: Bytes,
}

impl FakeResponse {
    /// 200 with JSON.
    #[must_use]
    pub fn json(value: impl Into<Value>) -> Self {
        Self::bytes("application/json; charset=utf-8", value.into().to_string())
    }

    /// 201 with JSON.
    #[must_use]
    pub fn created(value: impl Into<Value>) -> Self {
        Self::json(value).with_status(StatusCode::CREATED)
    }

    /// 204 without a body.
    #[must_use]
    pub fn none() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Bytes::new() }
    }

    /// 200 with bytes of a media type.
    #[must_use]
    pub fn bytes(media_type: &str, body: impl Into<Bytes>) -> Self {
        let answer = Self { status: StatusCode::OK, headers: Vec::new(), body: body.into() };
        answer.header("content-type", media_type)
    }

    /// A redirect.
    #[must_use]
    pub fn redirect(status: StatusCode, location: &str) -> Self {
        Self::none().with_status(status).header("location", location)
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with a header; one that HTTP cannot carry is left out. `name` is in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The same with a header, unless it has one of this name.
    #[must_use]
    pub fn header_unless_there(self, name: &'static str, value: &str) -> Self {
        if self.headers.iter().any(|(known, _)| known == name) { self } else { self.header(name, value) }
    }

    /// The same without its body.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.body = Bytes::new();
        self
    }
}

impl IntoResponse for FakeResponse {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        if response.status() == StatusCode::NOT_MODIFIED {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}
