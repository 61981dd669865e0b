//! Linear's error shapes, as its API and SDK show them.
//!
//! An error of a field comes with HTTP 200 beside the data; an error of the whole request (document,
//! complexity, scope, budget) comes with HTTP 400, a refused credential with 401.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Map, Value, json};

/// One entry of an answer's `errors`.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    message: String,
    /// `extensions.type`, by which the SDK chooses its error class.
    kind: &'static str,
    /// `extensions.code`.
    code: &'static str,
    /// `extensions.statusCode`: what kind of failure it is, whatever the HTTP status says.
    status_code: u16,
    /// The HTTP status of the answer where nothing was executed.
    status: StatusCode,
    presentable: Option<String>,
    /// `extensions.validationErrors`: the property that breaks a rule, and how.
    validation: Option<Box<Value>>,
}

/// What a resolver answers.
pub(super) type Outcome<T> = Result<T, ApiError>;

impl ApiError {
    fn new(message: impl Into<String>, kind: &'static str, code: &'static str, status_code: u16) -> Self {
        let status = StatusCode::OK;
        Self { message: message.into(), kind, code, status_code, status, presentable: None, validation: None }
    }

    fn presentable(mut self, text: impl Into<String>) -> Self {
        self.presentable = Some(text.into());
        self
    }

    fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// There is no such `entity`, or the credential cannot see it.
    pub(super) fn not_found(entity: &str) -> Self {
        Self::new(format!("Entity not found: {entity}"), "invalid input", "INPUT_ERROR", 400)
            .presentable(format!("Could not find referenced {entity}."))
    }

    /// The input breaks a rule of its own. `text` is for people and starts with the property:
    /// `first must not be greater than 250.`
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        let text = text.into();
        let property = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        let constraint = match text.as_str() {
            text if text.ends_with("a UUID.") => "isUuid",
            text if text.contains("greater than") => "max",
            text if text.contains("less than") => "min",
            text if text.contains("not be empty") => "isNotEmpty",
            _ => "customValidation",
        };
        let broken = json!([{
            "property": property,
            "constraints": { constraint: text.trim_end_matches('.') },
            "children": [],
        }]);
        let error = Self::new("Argument Validation Error", "invalid input", "INVALID_INPUT", 400);
        Self { validation: Some(Box::new(broken)), ..error.presentable(text) }
    }

    /// The input contradicts the state of the workspace: Linear's short message, and the sentence
    /// for people.
    pub(super) fn refused(message: impl Into<String>, presentable: impl Into<String>) -> Self {
        Self::new(message, "invalid input", "INPUT_ERROR", 400).presentable(presentable)
    }

    /// The same where one sentence is both.
    pub(super) fn conflict(sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        Self::refused(sentence.trim_end_matches('.'), sentence.clone())
    }

    /// The user may not do this.
    pub(super) fn forbidden(text: &str) -> Self {
        Self::new("Forbidden", "forbidden", "FORBIDDEN", 403).presentable(text)
    }

    /// The credential lacks `scope`.
    pub(super) fn scope(scope: &str) -> Self {
        let message = format!("Invalid scope: `{scope}` required");
        Self::new(message.clone(), "forbidden", "FORBIDDEN", 403)
            .presentable(message)
            .status(StatusCode::BAD_REQUEST)
    }

    /// No credential, or one that is not valid (any more).
    pub(super) fn unauthenticated() -> Self {
        Self::new(
            "Authentication required, not authenticated",
            "authentication error",
            "AUTHENTICATION_ERROR",
            401,
        )
        .presentable("You need to authenticate to access this operation.")
        .status(StatusCode::UNAUTHORIZED)
    }

    /// A budget is used up; `message` names it.
    pub(super) fn rate_limited(message: impl Into<String>) -> Self {
        Self::new(message, "ratelimited", "RATELIMITED", 429).status(StatusCode::BAD_REQUEST)
    }

    /// The document does not parse or does not fit the schema.
    pub(super) fn document(message: impl Into<String>) -> Self {
        Self::new(message, "graphql error", "GRAPHQL_VALIDATION_FAILED", 400).status(StatusCode::BAD_REQUEST)
    }

    /// The request's variables or shape do not fit.
    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new(message, "graphql error", "BAD_USER_INPUT", 400).status(StatusCode::BAD_REQUEST)
    }

    /// The query costs more than any query may.
    pub(super) fn too_complex(complexity: u32, allowed: u32) -> Self {
        Self::new("Query too complex", "invalid input", "INPUT_ERROR", 400)
            .presentable(format!(
                "The query is too complex. Complexity: {complexity}. Maximum allowed complexity: {allowed}."
            ))
            .status(StatusCode::BAD_REQUEST)
    }

    /// A failure of the fake itself.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(message, "internal error", "INTERNAL_SERVER_ERROR", 500)
    }

    /// The entry as JSON; `locations` and `path` are left out where they are null.
    pub(super) fn to_json(&self, locations: Value, path: Value) -> Value {
        let mut extensions = Map::new();
        extensions.insert("type".to_owned(), json!(self.kind));
        extensions.insert("code".to_owned(), json!(self.code));
        extensions.insert("statusCode".to_owned(), json!(self.status_code));
        extensions.insert("userError".to_owned(), json!(self.status_code < 500));
        if let Some(text) = &self.presentable {
            extensions.insert("userPresentableMessage".to_owned(), json!(text));
        }
        if let Some(broken) = &self.validation {
            extensions.insert("validationErrors".to_owned(), Value::clone(broken));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            extensions.insert("http".to_owned(), json!({ "status": 401 }));
        }
        extensions.insert("meta".to_owned(), json!({}));
        let mut entry = Map::new();
        entry.insert("message".to_owned(), json!(self.message));
        for (key, value) in [("locations", locations), ("path", path)] {
            if !value.is_null() {
                entry.insert(key.to_owned(), value);
            }
        }
        entry.insert("extensions".to_owned(), Value::Object(extensions));
        Value::Object(entry)
    }
}

impl IntoResponse for ApiError {
    /// The whole answer, where nothing was executed.
    fn into_response(self) -> Response {
        let body = json!({ "errors": [self.to_json(Value::Null, Value::Null)] });
        (self.status, Json(body)).into_response()
    }
}
