//! How HubSpot refuses: one constructor for each category, with its wording.

use connector::sandbox::rest::{FakeRequest, FakeResponse, Refusal};
use http::StatusCode;
use serde_json::{Value, json};

/// What a route comes to.
pub(super) type Outcome<T = Answer> = Result<T, ApiError>;

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// None for an answer without a body.
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body) }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { status: 201, body: Some(body) }
    }

    pub(super) fn nothing() -> Self {
        Self { status: 204, body: None }
    }

    pub(super) fn into_response(self) -> FakeResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        match self.body {
            Some(body) => FakeResponse::json(body).with_status(status),
            None => FakeResponse::none().with_status(status),
        }
    }
}

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) category: &'static str,
    pub(super) message: String,
    errors: Vec<Value>,
    /// Boxed to keep refusals small.
    pub(super) context: Box<Value>,
    sub_category: Option<&'static str>,
    /// The policy of a limit, and whether it is told.
    limited: Option<(&'static str, bool)>,
}

impl ApiError {
    pub(super) fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            category,
            message: message.into(),
            errors: Vec::new(),
            context: Box::default(),
            sub_category: None,
            limited: None,
        }
    }

    /// 400 for a request that is malformed or breaks a limit.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// 400 for values of properties: HubSpot puts the list of problems into the message, as JSON.
    pub(super) fn values(problems: &[Value]) -> Self {
        let list = Value::from(problems.to_vec());
        let mut error = Self::invalid(format!("Property values were not valid: {list}"));
        error.errors = problems
            .iter()
            .map(|problem| {
                json!({
                    "message": problem["message"],
                    "code": problem["error"],
                    "context": {"propertyName": [problem["name"]]},
                })
            })
            .collect();
        error
    }

    /// 400 for properties that a new record lacks.
    pub(super) fn required(what: &str, missing: &[&str]) -> Self {
        let mut error =
            Self::invalid(format!("Error creating {what}. Some required properties were not set."));
        error.errors = vec![json!({
            "message": error.message,
            "code": "REQUIRED_PROPERTIES_MISSING",
            "context": {"properties": missing},
        })];
        error
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        let mut error = Self::new(404, "OBJECT_NOT_FOUND", message);
        error.sub_category = None;
        error
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "CONFLICT", message)
    }

    /// 403 for a token without one of `scopes`.
    pub(super) fn missing_scopes(scopes: &[&str]) -> Self {
        let mut error = Self::new(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
        );
        error.errors = vec![json!({
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": scopes},
        })];
        error
    }

    pub(super) fn unauthenticated(expired: bool) -> Self {
        if expired {
            return Self::new(
                401,
                "EXPIRED_AUTHENTICATION",
                "The OAuth token used to make this call expired.",
            );
        }
        Self::new(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )
    }

    /// 429, whose body has another shape than every other refusal.
    pub(super) fn limited(message: &str, policy: Option<&'static str>) -> Self {
        let limited = Some((policy.unwrap_or_default(), policy.is_some()));
        Self { limited, ..Self::new(429, "RATE_LIMITS", message) }
    }

    pub(super) fn with_context(mut self, context: Value) -> Self {
        self.context = Box::new(context);
        self
    }

    /// As one of the `errors` of an answer of which the rest is good.
    pub(super) fn in_batch(&self, trace: Option<&str>) -> Value {
        let mut context = match &*self.context {
            Value::Object(context) => context.clone(),
            _ => serde_json::Map::new(),
        };
        if let Some(trace) = trace {
            context.insert("objectWriteTraceId".to_owned(), json!([trace]));
        }
        let mut error = json!({
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": self.errors,
            "links": {},
        });
        if let Some(sub) = self.sub_category {
            error["subCategory"] = json!(sub);
        }
        error
    }

    pub(super) fn with_sub_category(mut self, sub: &'static str) -> Self {
        self.sub_category = Some(sub);
        self
    }

    /// As HubSpot answers it, with the id under which its support finds the request.
    pub(super) fn answer(&self, id: &str) -> FakeResponse {
        let mut body = json!({"status": "error", "message": self.message, "correlationId": id});
        if self.status != 429 {
            body["category"] = json!(self.category);
        }
        if !self.errors.is_empty() {
            body["errors"] = Value::Array(self.errors.clone());
        }
        if !self.context.is_null() {
            body["context"] = (*self.context).clone();
        }
        if let Some(sub) = self.sub_category {
            body["subCategory"] = json!(sub);
        }
        if let Some((policy, limited)) = self.limited {
            body["errorType"] = json!("RATE_LIMIT");
            body["requestId"] = json!(id);
            if limited {
                body["policyName"] = json!(policy);
            }
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let response = FakeResponse::json(body).with_status(status);
        if self.status == 401 { response.header("www-authenticate", "Bearer") } else { response }
    }
}

impl Refusal for ApiError {
    fn response(&self, request: &FakeRequest) -> FakeResponse {
        self.answer(&request.id)
    }
}
