//! Refusals, in GitHub's words and shape: `{message, errors?, documentation_url, status}`.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::request::FakeResponse;

/// What a handler comes to.
pub(super) type Outcome<T> = Result<T, ApiError>;

const DOCS: &str = "https://docs.github.com/rest";

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: StatusCode,
    pub(super) message: String,
    pub(super) errors: Vec<Value>,
    pub(super) documentation_url: &'static str,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// The `type` of the same refusal by the GraphQL API.
    pub(super) kind: &'static str,
    /// Whether a single sign-on is wanted first, of which the GraphQL API tells in a way of its own.
    pub(super) saml_failure: bool,
    /// The answer, where it is no refusal but leads elsewhere.
    redirect: Option<Box<FakeResponse>>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let kind = match status {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::FORBIDDEN => "FORBIDDEN",
            _ => "UNPROCESSABLE",
        };
        Self {
            status,
            message: message.into(),
            errors: Vec::new(),
            documentation_url: DOCS,
            headers: Vec::new(),
            kind,
            saml_failure: false,
            redirect: None,
        }
    }

    /// What is asked for is elsewhere, as `answer` says.
    pub(super) fn redirect(answer: FakeResponse) -> Self {
        Self { redirect: Some(Box::new(answer)), ..Self::new(StatusCode::MOVED_PERMANENTLY, "") }
    }

    /// No such thing, or none that the caller may see.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not Found")
    }

    /// The same with words of its own, as GraphQL says it.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The token is not good (any more).
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    /// Nobody in particular may not do this.
    pub(super) fn requires_authentication() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Requires authentication")
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 422 with a message of its own.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 422 for one field: `code` is `missing`, `missing_field`, `invalid`, `already_exists`, `custom`.
    pub(super) fn validation(resource: &str, field: &str, code: &str) -> Self {
        let mut error = Self::unprocessable("Validation Failed");
        error.errors.push(json!({"resource": resource, "field": field, "code": code}));
        error
    }

    /// 422 for one field, with words: code `custom`.
    pub(super) fn custom(resource: &str, field: &str, message: &str) -> Self {
        let mut error = Self::unprocessable("Validation Failed");
        error
            .errors
            .push(json!({"resource": resource, "field": field, "code": "custom", "message": message}));
        error
    }

    /// The body cannot be read as JSON.
    pub(super) fn bad_json() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Problems parsing JSON")
    }

    /// The same with a header.
    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// The same as another type of GraphQL's: `STALE_DATA`, `INSUFFICIENT_SCOPES`.
    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    /// As the REST API answers it.
    pub(super) fn answer(&self) -> FakeResponse {
        if let Some(redirect) = &self.redirect {
            return FakeResponse::clone(redirect);
        }
        let mut body = json!({"message": self.message});
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        body["documentation_url"] = json!(self.documentation_url);
        body["status"] = json!(self.status.as_u16().to_string());
        let mut answer = FakeResponse::json(body).with_status(self.status);
        answer.headers.extend(self.headers.iter().cloned());
        answer
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.answer().into_response()
    }
}
