//! What went wrong on the way, for every vendor alike: connections that fail, answers that are none.
//!
//! The question that matters is whether the vendor may have executed the request. It certainly did
//! not if the connection was never made or the body's first byte never left; everything after that
//! is `MaybeExecuted`. What the vendor itself answers is read by
//! [`Vendor::classify`](super::Vendor::classify), which falls back to [`status`].
//!
//! No error quotes an answer's body: it may be a stranger's page, or somebody's data.

use std::{error::Error as StdError, io, time::Duration};

use bytes::Bytes;
use http::{Method, StatusCode};
use rustls::{CertificateError, pki_types::UnixTime};
use serde::de::IgnoredAny;

use super::{
    Request, Response,
    retry::{unknown_outcome, what_to_check},
};
use crate::{Error, Kind, Result, Retry};

/// Reads an answer by its status alone: what a vendor's table falls back to.
///
/// # Errors
/// For every status but 2xx. `title` names the vendor in the message.
pub fn status(title: &str, response: &Response) -> Result<()> {
    let code = response.status;
    if code.is_success() {
        return Ok(());
    }
    let number = code.as_u16();
    let error = match code {
        StatusCode::UNAUTHORIZED => {
            Error::new(Kind::Auth, format!("{title} refused the credential with status 401"))
                .with_hint("Check that the token is complete, current and meant for this service")
        }
        StatusCode::FORBIDDEN => {
            Error::new(Kind::Permission, format!("{title} forbids this with status 403"))
                .with_hint("The credential needs a right that it does not have")
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => Error::not_found(format!(
            "{title} answered {number}: there is no such thing, or the credential cannot see it"
        )),
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED | StatusCode::LOCKED => Error::new(
            Kind::Conflict,
            format!("{title} answered {number}: the target has changed, or exists already"),
        )
        .with_hint("Read it again and decide anew"),
        StatusCode::TOO_MANY_REQUESTS => {
            Error::new(Kind::RateLimited, format!("{title} answered 429: its rate limit is used up"))
                .with_retry(Retry::NotExecuted)
        }
        StatusCode::REQUEST_TIMEOUT => {
            Error::new(Kind::Upstream, format!("{title} answered 408: it gave up waiting for the request"))
                .with_retry(Retry::MaybeExecuted)
        }
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => {
            Error::new(Kind::Upstream, format!("{title} answered {number}: it does not support this request"))
        }
        _ if code.is_server_error() => {
            Error::new(Kind::Upstream, format!("{title} failed with status {number}"))
                .with_retry(Retry::MaybeExecuted)
        }
        _ if code.is_redirection() => Error::new(
            Kind::Upstream,
            format!("{title} answered {number}: it redirects to another place, which is not followed"),
        )
        .with_hint("Check the API address"),
        _ if code.is_client_error() => {
            Error::invalid(format!("{title} answered {number}: it does not accept the request"))
        }
        _ => Error::new(Kind::Upstream, format!("{title} answered with status {number}")),
    };
    Err(error)
}

/// Refuses a body that is not the JSON document it should be: nothing, a page, bytes that are not UTF-8, a
/// document whose end is missing, also where the transport calls it whole. A read is then repeated; of a
/// write it is not known whether it was done.
pub(super) fn readable(title: &str, request: &Request, response: &Response) -> Result<()> {
    let without = matches!(response.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
    if without || request.method == Method::HEAD {
        return Ok(());
    }
    if !request.expects_json {
        // A file may be a page; what a write is answered with is none.
        return match request.effect.writes() && is_page(&response.body) {
            true => Err(unreadable(title, Flaw::Page).with_retry(Retry::MaybeExecuted)),
            false => Ok(()),
        };
    }
    match flaw(&response.body) {
        None => Ok(()),
        Some(flaw) => Err(unreadable(title, flaw).with_retry(Retry::MaybeExecuted)),
    }
}

/// The error for a body that did not parse.
pub(super) fn not_json(body: &Bytes, error: &serde_json::Error) -> Error {
    // The parser's own message can quote the body, so only the place is taken from it.
    match flaw(body) {
        Some(flaw) => unreadable("the vendor", flaw),
        None => Error::new(
            Kind::Upstream,
            format!(
                "the vendor's answer has an unexpected shape (line {}, column {})",
                error.line(),
                error.column()
            ),
        ),
    }
}

fn unreadable(title: &str, flaw: Flaw) -> Error {
    match flaw {
        Flaw::Page => Error::new(Kind::Upstream, format!("{title} answered with a web page instead of data"))
            .with_hint("Check the API address; a proxy or a login page may stand in between"),
        Flaw::Encoding => {
            Error::new(Kind::Upstream, format!("{title} answered with text that is not valid UTF-8"))
        }
        Flaw::Empty => Error::new(Kind::Upstream, format!("{title}'s answer is empty")),
        Flaw::CutOff => Error::new(Kind::Upstream, format!("{title}'s answer is cut off")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    Page,
    Encoding,
    Empty,
    CutOff,
}

/// What is wrong with a body that should be JSON, before it is known what should stand in it. Passing over
/// a document costs a fraction of reading it.
fn flaw(body: &[u8]) -> Option<Flaw> {
    let trimmed = body.trim_ascii();
    match trimmed.first() {
        None => Some(Flaw::Empty),
        Some(b'<') => Some(Flaw::Page),
        Some(_) if std::str::from_utf8(body).is_err() => Some(Flaw::Encoding),
        Some(_) => serde_json::from_slice::<IgnoredAny>(body).is_err().then_some(Flaw::CutOff),
    }
}

/// Whether a body is a web page.
fn is_page(body: &[u8]) -> bool {
    let beginning = body.trim_ascii_start();
    let is = |tag: &str| {
        beginning.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    is("<!doctype html") || is("<html")
}

/// An answer longer than `limit` bytes. It is not asked for again: it would be as long.
pub(super) fn oversized(title: &str, request: &Request, limit: usize) -> Error {
    let size = if limit >= 1024 * 1024 {
        format!("{} MiB", limit / (1024 * 1024))
    } else {
        format!("{limit} bytes")
    };
    let error =
        Error::new(Kind::Upstream, format!("{title}'s answer is longer than {size} and was not read"))
            .with_hint("Ask for fewer rows or fields");
    // A write was answered, so it was received; what became of it stands in the answer not read.
    if request.effect.writes() { unknown_outcome(title, &what_to_check(request), error) } else { error }
}

/// The time for one attempt is over. `left` says whether bytes of the request may have left.
pub(super) fn timed_out(title: &str, waited: Duration, left: bool) -> Error {
    let seconds = waited.as_secs_f64().ceil();
    let error = Error::new(Kind::Upstream, format!("{title} did not answer within {seconds} s"));
    error.with_retry(if left { Retry::MaybeExecuted } else { Retry::NotExecuted })
}

/// A failure of HTTP or below. `left` says whether bytes of the request may have left.
pub(super) fn transport(title: &str, host: &str, error: reqwest::Error, left: bool) -> Error {
    // An address can carry secrets in its query.
    let error = error.without_url();
    let connecting = error.is_connect();
    let retry = if connecting || !left { Retry::NotExecuted } else { Retry::MaybeExecuted };
    if let Some(certificate) = find::<rustls::Error>(&error).and_then(|tls| certificate(title, host, tls)) {
        return certificate.with_source(error);
    }
    let classified = if error.is_builder() {
        return Error::internal("the request could not be built").with_source(error);
    } else if error.is_dns() {
        Error::new(Kind::Upstream, format!("cannot reach {title}: the name {host} does not resolve"))
            .with_hint("Check the network, the proxy and the API address")
    } else if connecting && error.is_timeout() {
        Error::new(Kind::Upstream, format!("cannot reach {title}: no connection to {host} in time"))
            .with_hint("Check the network and the proxy")
    } else if connecting && find::<rustls::Error>(&error).is_some() {
        Error::new(Kind::Upstream, format!("cannot reach {title}: no secure connection to {host}"))
            .with_hint("A proxy that inspects traffic, or a wrong port, is a common cause")
    } else if connecting {
        Error::new(Kind::Upstream, format!("cannot reach {title}: no connection to {host}"))
            .with_hint("Check the network, the proxy and the API address")
    } else {
        Error::new(Kind::Upstream, format!("{title} closed the connection without a complete answer"))
    };
    classified.with_retry(retry).with_source(error)
}

/// Names what is wrong with the server's certificate, and does not try again: it stays wrong.
fn certificate(title: &str, host: &str, error: &rustls::Error) -> Option<Error> {
    let rustls::Error::InvalidCertificate(reason) = error else { return None };
    let (what, hint) = match reason {
        CertificateError::ExpiredContext { not_after, .. } => (
            format!("expired on {}", day(not_after)),
            "The service must renew it; check this machine's clock too",
        ),
        CertificateError::Expired => {
            ("has expired".to_owned(), "The service must renew it; check this machine's clock too")
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            (format!("is not valid before {}", day(not_before)), "Check this machine's clock")
        }
        CertificateError::NotValidYet => ("is not valid yet".to_owned(), "Check this machine's clock"),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("is for another name".to_owned(), "Check the API address and the proxy")
        }
        CertificateError::UnknownIssuer => (
            "comes from an authority that is not trusted here".to_owned(),
            "If a proxy or an own server is meant to be there, give its authority as a CA file",
        ),
        CertificateError::Revoked => ("was revoked".to_owned(), "Do not trust this server"),
        _ => ("is not valid".to_owned(), "Check the API address and the proxy"),
    };
    Some(
        Error::new(Kind::Upstream, format!("cannot reach {title}: the certificate of {host} {what}"))
            .with_hint(hint),
    )
}

fn day(time: &UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "an unknown day".to_owned(), |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// The first `T` among the causes of `error`. An `io::Error` hides what it wraps from `source`.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::Value;

    use super::*;

    #[test]
    fn bodies_that_are_no_json_are_told_apart_cheaply() {
        assert_eq!(flaw(b" <!DOCTYPE html><p>secret"), Some(Flaw::Page));
        assert_eq!(flaw(b"{\"a\": \"\xff\"}"), Some(Flaw::Encoding));
        assert_eq!(flaw(b"{\"a\": [1, 2"), Some(Flaw::CutOff));
        assert_eq!(flaw(b"{\"a\": [1, {\"b\": 2}"), Some(Flaw::CutOff), "its last byte is a brace");
        assert_eq!(flaw(b" \n"), Some(Flaw::Empty));
        assert_eq!(flaw(b"[1, 2] \n"), None);
        assert_eq!(flaw(b"3"), None);
    }

    #[test]
    fn an_unexpected_shape_names_its_place_and_not_the_body() {
        #[derive(Debug, serde::Deserialize)]
        struct Needs {
            #[expect(dead_code, reason = "it is not there")]
            b: String,
        }
        let response = Response::new(StatusCode::OK, HeaderMap::new(), "{\"a\": \"secret\"}");
        let error = response.json::<Needs>().unwrap_err();
        assert_eq!(error.kind(), Kind::Upstream);
        assert!(error.message().contains("line 1"), "{error}");
        assert!(!format!("{error:?}").contains("secret"));
        let page = Response::new(StatusCode::OK, HeaderMap::new(), "<html>secret</html>");
        let error = page.json::<Value>().unwrap_err();
        assert!(error.message().contains("web page") && !format!("{error:?}").contains("secret"));
    }

    #[test]
    fn an_expired_certificate_is_named_with_its_day() {
        let reason = CertificateError::ExpiredContext {
            time: UnixTime::since_unix_epoch(Duration::from_secs(1_700_086_400)),
            not_after: UnixTime::since_unix_epoch(Duration::from_secs(1_700_000_000)),
        };
        let tls = rustls::Error::InvalidCertificate(reason);
        let wrapped = io::Error::new(io::ErrorKind::InvalidData, tls);
        let found = find::<rustls::Error>(&wrapped).unwrap();
        let error = certificate("Linear", "api.linear.app", found).unwrap();
        assert_eq!(
            error.message(),
            "cannot reach Linear: the certificate of api.linear.app expired on 2023-11-14"
        );
        assert_eq!(error.retry(), Retry::Never);
    }

    #[test]
    fn statuses_map_to_kinds() {
        let kind = |code: u16| {
            let response = Response::new(StatusCode::from_u16(code).unwrap(), HeaderMap::new(), "");
            status("Linear", &response).map_err(|error| (error.kind(), error.retry()))
        };
        assert_eq!(kind(204), Ok(()));
        assert_eq!(kind(302), Err((Kind::Upstream, Retry::Never)));
        assert_eq!(kind(401), Err((Kind::Auth, Retry::Never)));
        assert_eq!(kind(409), Err((Kind::Conflict, Retry::Never)));
        assert_eq!(kind(422), Err((Kind::InvalidArgument, Retry::Never)));
        assert_eq!(kind(429), Err((Kind::RateLimited, Retry::NotExecuted)));
        assert_eq!(kind(503), Err((Kind::Upstream, Retry::MaybeExecuted)));
    }
}
