//! One HTTP exchange: the request out, the whole bounded answer in, within its time.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Request, Response, classify, client::is_loopback};
use crate::{Error, Kind, Result};

/// How often one request follows a redirect.
const MAX_REDIRECTS: usize = 3;
/// Headers that carry credentials.
const CREDENTIALS: [header::HeaderName; 3] =
    [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

/// Where an exchange goes and what bounds it.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a reqwest::Client,
    /// The vendor's name for people.
    pub(super) title: &'a str,
    pub(super) request: &'a Request,
    pub(super) url: Url,
    /// All headers, the credential included.
    pub(super) headers: HeaderMap,
    pub(super) max_body: usize,
    pub(super) until: Instant,
}

impl Exchange<'_> {
    /// Sends the request and reads the answer to its end, following redirects where that cannot
    /// change what the request means: within the same origin, and elsewhere if the request says so.
    pub(super) async fn run(mut self) -> Result<Response> {
        for _ in 0..MAX_REDIRECTS {
            let response = self.once().await?;
            match self.redirect(&response) {
                Some(url) => {
                    if url.origin() != self.url.origin() {
                        // What proves who we are is for the vendor, and for nobody it points to.
                        for name in CREDENTIALS {
                            self.headers.remove(name);
                        }
                    }
                    self.url = url;
                }
                None => return Ok(response),
            }
        }
        Err(Error::new(Kind::Upstream, format!("{} redirects in a circle", self.title)))
    }

    async fn once(&self) -> Result<Response> {
        let started = Instant::now();
        // An empty body is never asked for, so nothing would tell that the request left.
        let left = Arc::new(AtomicBool::new(self.request.body.is_empty()));
        let mut request = reqwest::Request::new(self.request.method.clone(), self.url.clone());
        *request.headers_mut() = self.headers.clone();
        if !self.request.body.is_empty() {
            let body = Outgoing { data: Some(self.request.body.clone()), left: Arc::clone(&left) };
            *request.body_mut() = Some(reqwest::Body::wrap(body));
        }
        match timeout_at(self.until, self.transfer(request, &left)).await {
            Ok(result) => result,
            // Dropping the transfer closes its connection: a slow one must not go back to the pool.
            Err(_) => Err(classify::timed_out(self.title, started.elapsed(), left.load(Ordering::Relaxed))),
        }
    }

    async fn transfer(&self, request: reqwest::Request, left: &AtomicBool) -> Result<Response> {
        let failed = |error| {
            let host = self.url.host_str().unwrap_or_default();
            classify::transport(self.title, host, error, left.load(Ordering::Relaxed))
        };
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let oversized = || classify::oversized(self.title, self.request, self.max_body);
        if response.content_length().is_some_and(|length| length > self.max_body as u64) {
            return Err(oversized());
        }
        // Counted after decompression, chunk by chunk, so that a small bomb does not become a big one.
        let mut body = Collected::default();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.max_body {
                return Err(oversized());
            }
            body.push(chunk);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Response::new(response.status(), headers, body.finish()))
    }

    /// Where to go on, if `response` is a redirect to follow: with the same method and body only, and
    /// out of the origin only for a read that says so, to an address that keeps it private.
    fn redirect(&self, response: &Response) -> Option<Url> {
        let same_request = match response.status {
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
            // Here a client turns a POST into a GET, which is another request.
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => {
                matches!(self.request.method, Method::GET | Method::HEAD)
            }
            _ => false,
        };
        if !same_request {
            return None;
        }
        let location = response.header(header::LOCATION.as_str())?;
        let url = self.url.join(location).ok()?;
        if url.origin() == self.url.origin() {
            return Some(url);
        }
        let private = url.scheme() == "https" || (is_loopback(&url) && is_loopback(&self.url));
        (self.request.elsewhere && !self.request.effect.writes() && private).then_some(url)
    }
}

/// A request's body that knows whether it has been asked for. HTTP/1 asks for it before the first
/// byte of the head goes out, so a body never asked for proves that nothing was sent; HTTP/2 may
/// have sent the head, which without its body no vendor executes.
struct Outgoing {
    data: Option<Bytes>,
    left: Arc<AtomicBool>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.left.store(true, Ordering::Relaxed);
        Poll::Ready(self.data.take().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.as_ref().map_or(0, |data| data.len() as u64))
    }
}

/// A body being read. The commonest body is one chunk, which is kept without copying.
#[derive(Default)]
struct Collected {
    first: Bytes,
    more: BytesMut,
}

impl Collected {
    fn len(&self) -> usize {
        self.first.len().max(self.more.len())
    }

    fn push(&mut self, chunk: Bytes) {
        if self.first.is_empty() && self.more.is_empty() {
            self.first = chunk;
            return;
        }
        if self.more.is_empty() {
            self.more.extend_from_slice(&self.first);
        }
        self.more.extend_from_slice(&chunk);
    }

    fn finish(self) -> Bytes {
        if self.more.is_empty() { self.first } else { self.more.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_put_together_in_order() {
        let mut body = Collected::default();
        assert_eq!(body.len(), 0);
        body.push(Bytes::from_static(b"ab"));
        assert_eq!(body.len(), 2);
        body.push(Bytes::from_static(b"c"));
        body.push(Bytes::from_static(b"de"));
        assert_eq!(body.len(), 5);
        assert_eq!(body.finish(), "abcde");
    }
}
