//! Browsers: which pages may call, and the answers to their preflight questions.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use super::ServeError;

/// What a page may send. `Mcp-Param-*` headers are not among them, because no tool of ours has any.
const REQUEST_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, x-api-key, content-type, accept, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id",
);
/// What a page may read besides the body.
const RESPONSE_HEADERS: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");
/// How long a browser may keep the answer, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The pages that may call: those of this machine, and those configured.
pub(super) struct Origins(Vec<Origin>);

/// One allowed origin; any port if there is none.
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origins {
    pub(super) fn new(configured: &[String]) -> Result<Self, ServeError> {
        let mut origins = Vec::new();
        for scheme in ["http", "https"] {
            for host in ["localhost", "127.0.0.1", "[::1]"] {
                origins.push(Origin { scheme: scheme.to_owned(), host: host.to_owned(), port: None });
            }
        }
        for entry in configured {
            origins.push(Origin::parse(entry).ok_or_else(|| ServeError::Origin(entry.clone()))?);
        }
        Ok(Self(origins))
    }

    /// The origins as the SDK writes them.
    pub(super) fn entries(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|Origin { scheme, host, port }| match port {
                Some(port) => format!("{scheme}://{host}:{port}"),
                None => format!("{scheme}://{host}:*"),
            })
            .collect()
    }

    fn allow(&self, origin: &HeaderValue) -> bool {
        let Some(url) = origin.to_str().ok().and_then(|origin| Url::parse(origin).ok()) else { return false };
        self.0.iter().any(|allowed| {
            allowed.scheme == url.scheme()
                && url.host_str() == Some(allowed.host.as_str())
                && (allowed.port.is_none() || allowed.port == url.port_or_known_default())
        })
    }
}

impl Origin {
    /// `scheme://host[:port]`, with the scheme's own port if there is none, and any for `:*`.
    fn parse(entry: &str) -> Option<Self> {
        let (bare, any_port) = match entry.strip_suffix(":*") {
            Some(bare) => (bare, true),
            None => (entry, false),
        };
        let url = Url::parse(bare).ok().filter(|url| url.path() == "/" && url.query().is_none())?;
        let host = url.host_str()?.to_owned();
        let port = if any_port { None } else { Some(url.port_or_known_default()?) };
        Some(Self { scheme: url.scheme().to_owned(), host, port })
    }
}

/// Answers preflight questions, and says on every answer to an allowed page that it may be read.
/// Pages that are not allowed are refused by the SDK.
pub(super) async fn answer(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).filter(|origin| origins.allow(origin)).cloned()
    else {
        return next.run(request).await;
    };
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if is_preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if is_preflight {
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    } else {
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, RESPONSE_HEADERS);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_and_configured_ones_are_allowed() {
        let origins =
            Origins::new(&["https://app.example".to_owned(), "http://dev.example:*".to_owned()]).unwrap();
        for (origin, allowed) in [
            ("http://localhost:6274", true),
            ("http://[::1]:3000", true),
            ("https://app.example", true),
            ("https://app.example:443", true),
            ("https://app.example:8443", false),
            ("http://app.example", false),
            ("http://dev.example:81", true),
            ("https://app.example.evil.com", false),
            ("http://localhost.evil.com", false),
            ("null", false),
        ] {
            assert_eq!(origins.allow(&HeaderValue::from_str(origin).unwrap()), allowed, "{origin}");
        }
    }

    #[test]
    fn an_entry_that_is_no_origin_is_an_error() {
        for entry in ["app.example", "https://app.example/path", "*"] {
            assert!(Origins::new(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
