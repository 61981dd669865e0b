//! Carries out an [`Action`]: what to answer instead of the fake, and what to do to its answer.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::{Stream, stream};
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::{sync::Notify, task::yield_now, time::sleep};

use super::{Action, Change, Fake};

/// How long a connection lives on after its last answer was handed over.
pub(super) const FLUSH: Duration = Duration::from_millis(2);

/// How a connection ends, if not by its client.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// It ends when the answer that was handed over is out.
    pub(super) hang_up: Notify,
    /// It is reset rather than closed.
    pub(super) reset: AtomicBool,
}

/// What becomes of a request.
pub(super) enum Outcome {
    /// An answer.
    Response(Response),
    /// The connection is cut.
    Cut,
    /// The connection is reset.
    Reset,
    /// Nothing, for ever.
    Silence,
}

/// The answer in place of the fake's, for an action under which the fake never sees the request.
pub(super) fn instead(fault: &Action, fake: &dyn Fake) -> Option<Outcome> {
    let response = match fault {
        Action::CloseBefore => return Some(Outcome::Cut),
        Action::Reset => return Some(Outcome::Reset),
        Action::Status { committed: false, .. } => status(fault),
        Action::RateLimit { retry_after } => fake.rate_limited(retry_after.as_deref()),
        Action::Unauthorized => fake.unauthorized(),
        Action::Html { code } => html(*code),
        Action::Oversized { bytes } => {
            ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(long_json(*bytes)))
                .into_response()
        }
        Action::Status { .. }
        | Action::Delay { .. }
        | Action::CloseAfter
        | Action::CloseIdle
        | Action::Truncate { .. }
        | Action::Drip { .. }
        | Action::Stall
        | Action::LateLanding { .. }
        | Action::Shorten { .. }
        | Action::InvalidUtf8
        | Action::Patch { .. }
        | Action::Append { .. } => return None,
    };
    Some(Outcome::Response(response))
}

/// What becomes of the fake's own answer. `ending` ends the connection once the answer is out.
pub(super) async fn apply(fault: &Action, response: Response, ending: Arc<Ending>) -> Outcome {
    Outcome::Response(match fault {
        Action::CloseAfter => return Outcome::Cut,
        Action::Stall => return Outcome::Silence,
        Action::Status { .. } => status(fault),
        Action::Truncate { bytes } => {
            let keep = *bytes;
            rewrite(response, |body| truncated(&body, keep)).await
        }
        Action::Drip { bytes_per_second } => {
            let speed = (*bytes_per_second).max(1);
            rewrite(response, |body| Body::from_stream(dripping(body, speed))).await
        }
        Action::CloseIdle => rewrite(response, |body| Body::from_stream(then_hang_up(body, ending))).await,
        Action::Shorten { bytes } => edit(response, |body| body.slice(..(*bytes).min(body.len()))).await,
        Action::InvalidUtf8 => edit(response, |body| not_utf8(&body)).await,
        Action::Patch { changes } => edit(response, |body| patched(body, changes)).await,
        Action::Append { text, to } => edit(response, |body| appended(body, text, to)).await,
        Action::Delay { .. }
        | Action::RateLimit { .. }
        | Action::Unauthorized
        | Action::CloseBefore
        | Action::Reset
        | Action::LateLanding { .. }
        | Action::Html { .. }
        | Action::Oversized { .. } => response,
    })
}

/// The answer that a [`Action::Status`] describes.
fn status(fault: &Action) -> Response {
    let Action::Status { code, headers, body, .. } = fault else { return StatusCode::OK.into_response() };
    let mut response = Response::new(Body::from(body.clone()));
    *response.status_mut() = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let all = response.headers_mut();
    all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        // A header that HTTP cannot carry is left out.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            all.insert(name, value);
        }
    }
    response
}

fn html(code: u16) -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>Service unavailable</title></head>\
                <body><h1>We'll be back soon</h1><p>Reference: edge-7f3a</p></body></html>\n";
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::OK);
    (code, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// `response` with its body as a stream of the same announced length.
async fn rewrite(response: Response, make: impl FnOnce(Bytes) -> Body) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = whole(body).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(parts, make(body))
}

/// `response` with other bytes.
async fn edit(response: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = change(whole(body).await);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// The whole body; what a fake's own body cannot deliver is missing.
async fn whole(body: Body) -> Bytes {
    body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default()
}

fn truncated(body: &Bytes, keep: usize) -> Body {
    let start = body.slice(..keep.min(body.len()));
    Body::from_stream(stream::unfold(Some(Some(start)), |state| async {
        match state? {
            Some(start) => Some((Ok(start), Some(None))),
            None => {
                // The server writes out what it has whenever a body makes it wait; without this
                // nothing at all would arrive.
                yield_now().await;
                Some((Err(std::io::Error::other("cut by a fault")), None))
            }
        }
    }))
}

fn dripping(
    body: Bytes,
    bytes_per_second: u32,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    let piece = (bytes_per_second / 10).max(1);
    let pause = Duration::from_secs(1) * piece / bytes_per_second;
    stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pause).await;
        let next = rest.split_to(rest.len().min(piece as usize));
        Some((Ok(next), rest))
    })
}

fn then_hang_up(
    body: Bytes,
    ending: Arc<Ending>,
) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    stream::unfold(Some(body), move |body| {
        let ending = Arc::clone(&ending);
        async move {
            let body = body?;
            ending.hang_up.notify_one();
            Some((Ok(body), None))
        }
    })
}

/// A JSON object of about `bytes` bytes, made as it is read.
fn long_json(bytes: u64) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> {
    const PIECE: usize = 64 * 1024;
    let (start, end) = (&b"{\"data\":\""[..], &b"\"}"[..]);
    let filler = Bytes::from(vec![b'x'; PIECE]);
    let full = usize::try_from(bytes / PIECE as u64).unwrap_or(usize::MAX);
    let rest = filler.slice(..(bytes % PIECE as u64) as usize);
    let pieces = std::iter::once(Bytes::from_static(start))
        .chain(std::iter::repeat_n(filler, full))
        .chain([rest, Bytes::from_static(end)])
        .filter(|piece| !piece.is_empty());
    stream::iter(pieces.map(Ok))
}

/// `body` with two bytes no UTF-8 text has, inside its first string if it is JSON.
fn not_utf8(body: &Bytes) -> Bytes {
    let at = body.iter().position(|byte| *byte == b'"').map_or(0, |quote| quote + 1);
    [&body[..at], &[0xff, 0xfe], &body[at..]].concat().into()
}

/// `body` with `changes`; left alone if it is not JSON.
fn patched(body: Bytes, changes: &[Change]) -> Bytes {
    let Ok(mut document) = serde_json::from_slice(&body) else { return body };
    changes.iter().for_each(|change| change.apply(&mut document));
    serde_json::to_vec(&document).map_or(body, Bytes::from)
}

/// `body` with `text` at the end of every text under the keys `to`; left alone if it is not JSON.
fn appended(body: Bytes, text: &str, to: &[String]) -> Bytes {
    fn append(value: &mut Value, text: &str, to: &[String]) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| append(item, text, to)),
            Value::Object(fields) => fields.iter_mut().for_each(|(key, field)| match field {
                Value::String(own) if to.contains(key) => own.push_str(text),
                field => append(field, text, to),
            }),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let Ok(mut document) = serde_json::from_slice(&body) else { return body };
    append(&mut document, text, to);
    serde_json::to_vec(&document).map_or(body, Bytes::from)
}
