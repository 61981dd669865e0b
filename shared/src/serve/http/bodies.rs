//! Bodies: so big, so long, and JSON in one reading only.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use rmcp::{
    ErrorData,
    model::{JsonRpcError, ServerJsonRpcMessage},
};

use crate::protocol;

/// The limits of a body.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

/// Reads a message whole, within its limits, and looks at it before the SDK does.
pub(super) async fn check(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        // Nobody compresses questions; unpacking them would undo the limit.
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send the body without Content-Encoding.")
            .into_response();
    }
    if declared_length(&parts.headers).is_some_and(|length| length > limits.bytes as u64) {
        return too_large(limits);
    }
    let read = tokio::time::timeout(limits.time, Limited::new(body, limits.bytes).collect()).await;
    let message = match read {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return too_large(limits),
        Ok(Err(_)) => return last((StatusCode::BAD_REQUEST, "The body ended too early.").into_response()),
        Err(_) => return last((StatusCode::REQUEST_TIMEOUT, "The body took too long.").into_response()),
    };
    // Of anything else the SDK says that it is not accepted.
    let is_json = says_json(&parts.headers);
    if is_json && let Err(fault) = protocol::check(&message) {
        return refused(fault.error());
    }
    let response = next.run(Request::from_parts(parts, Body::from(message))).await;
    if is_json && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        // The SDK's word for JSON that is no message.
        return refused(ErrorData::invalid_request(
            "The body is not a JSON-RPC request, notification or response",
            None,
        ));
    }
    response
}

fn says_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    })
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// 400 with the JSON-RPC error. There is no id: it was not read, or is not to be trusted.
fn refused(error: ErrorData) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(ServerJsonRpcMessage::Error(JsonRpcError::new(None, error))))
        .into_response()
}

fn too_large(limits: Limits) -> Response {
    last(
        (StatusCode::PAYLOAD_TOO_LARGE, format!("A body may have at most {} bytes.", limits.bytes))
            .into_response(),
    )
}

/// The connection's last response: the rest of the body is not waited for.
fn last(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
