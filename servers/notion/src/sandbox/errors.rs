//! Notion's errors (developers.notion.com/reference/status-codes).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

pub(super) type Outcome<T> = Result<T, ApiError>;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiError(Box<Inner>);

#[derive(Clone, Debug, PartialEq)]
struct Inner {
    status: u16,
    code: &'static str,
    message: String,
    additional: Map<String, Value>,
    retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            status,
            code,
            message: message.into(),
            additional: Map::new(),
            retry_after: None,
        }))
    }

    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "validation_error", message)
    }

    pub(super) fn invalid_json() -> Self {
        Self::new(400, "invalid_json", "Error parsing JSON body.")
    }

    pub(super) fn invalid_url() -> Self {
        Self::new(400, "invalid_request_url", "Invalid request URL.")
    }

    pub(super) fn missing_version() -> Self {
        Self::new(
            400,
            "missing_version",
            "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.",
        )
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "unauthorized", "API token is invalid.")
    }

    pub(super) fn restricted() -> Self {
        Self::new(403, "restricted_resource", "Insufficient permissions for this endpoint.")
    }

    /// `what` is a page, a block, a database.
    pub(super) fn not_found(what: &str, id: &str, bot: &str) -> Self {
        Self::new(
            404,
            "object_not_found",
            format!(
                "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration \"{bot}\"."
            ),
        )
    }

    /// 503 for a write that was saved all the same, with what was (request-limits).
    pub(super) fn saved(ids: &[String], answer: &Value) -> Self {
        let mut error = Self::new(
            503,
            "service_unavailable",
            "Notion is unavailable. The write was saved: read it before you repeat it.",
        );
        let children: Vec<&Value> =
            answer["results"].as_array().into_iter().flatten().map(|child| &child["id"]).collect();
        let resource = if answer["id"].is_string() { answer["id"].clone() } else { json!(ids.first()) };
        error.0.additional.insert("retry_guidance".to_owned(), json!("read_before_retry"));
        error.0.additional.insert("committed_resource_id".to_owned(), resource);
        error.0.additional.insert("committed_child_ids".to_owned(), json!(children));
        error
    }

    pub(super) fn conflict() -> Self {
        Self::new(409, "conflict_error", "Conflict occurred while saving. Please try again.")
    }

    pub(super) fn row_limit() -> Self {
        Self::new(409, "row_limit_exceeded", "The data source has reached its limit of rows.")
    }

    /// The reason is one of those of developers.notion.com/reference/request-limits.
    pub(super) fn rate_limited(reason: &str, retry_after: Option<u64>) -> Self {
        let mut error =
            Self::new(429, "rate_limited", "You have been rate limited. Please try again in a few minutes.");
        error.0.additional.insert("rate_limit_reason".to_owned(), json!(reason));
        if let Some(seconds) = retry_after {
            error.0.additional.insert("retry_after".to_owned(), json!(seconds.to_string()));
        }
        error.0.retry_after = retry_after;
        error
    }

    /// What an asynchronous task shows of it.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({"object": "error", "status": self.0.status, "code": self.0.code, "message": self.0.message});
        if !self.0.additional.is_empty() {
            body["additional_data"] = Value::Object(self.0.additional.clone());
        }
        body
    }

    pub(super) fn respond(&self, request_id: &str) -> Response {
        let mut body = self.body();
        body["request_id"] = json!(request_id);
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(body)).into_response();
        if let Some(after) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after));
        }
        response
    }
}
