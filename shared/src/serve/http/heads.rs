//! Heads of requests, before the SDK reads them: one host, and what the client takes.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// Both forms in which MCP answers a POST.
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");

/// Refuses a request that names two hosts, of which the SDK would check one and a proxy another: two
/// `Host` headers, or an absolute address that is not the header's.
pub(super) async fn host(request: Request, next: Next) -> Response {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (host, second) = (named.next(), named.next());
    let absolute = request.uri().authority().map(http::uri::Authority::as_str);
    let agrees = match (absolute, host) {
        (Some(address), Some(host)) => host.as_bytes().eq_ignore_ascii_case(address.as_bytes()),
        _ => true,
    };
    if second.is_none() && agrees {
        next.run(request).await
    } else {
        (StatusCode::BAD_REQUEST, "A request names one host.").into_response()
    }
}

/// Takes a client that accepts anything, or does not say what it accepts, for one that accepts both
/// forms of an answer: HTTP says so (RFC 9110, 12.5.1), and the SDK wants both named.
pub(super) async fn accept(mut request: Request, next: Next) -> Response {
    if request.method() == Method::POST && takes_anything(request.headers()) {
        request.headers_mut().insert(header::ACCEPT, BOTH);
    }
    next.run(request).await
}

fn takes_anything(headers: &HeaderMap) -> bool {
    let mut named = headers.get_all(header::ACCEPT).iter().peekable();
    named.peek().is_none()
        || named.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|range| {
            let (kind, weight) = range.split_once(';').unwrap_or((range, ""));
            kind.trim() == "*/*" && !weight.replace(' ', "").starts_with("q=0;") && weight.trim() != "q=0"
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_and_any_word_mean_both_forms() {
        let takes = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::ACCEPT, HeaderValue::from_static(value));
            }
            takes_anything(&headers)
        };
        for anything in [&[][..], &["*/*"], &["text/html, */*;q=0.8"], &["application/json", "*/*"]] {
            assert!(takes(anything), "{anything:?}");
        }
        for named in [&["application/json"][..], &["text/html"], &["*/*;q=0"]] {
            assert!(!takes(named), "{named:?}");
        }
    }
}
