//! Which token goes where, and what follows when it is refused.

use std::sync::atomic::AtomicBool;

use futures::future::FutureExt as _;

use super::*;
use crate::{Kind, secret::Fingerprint, upstream::auth::Missing};

/// Gives `token-<n>`; each refusal makes the next one, up to `last`.
struct Renewing {
    number: AtomicUsize,
    last: usize,
    refusals: AtomicUsize,
}

impl Renewing {
    fn up_to(last: usize) -> Arc<Self> {
        Arc::new(Self { number: AtomicUsize::new(1), last, refusals: AtomicUsize::new(0) })
    }

    fn current(&self) -> Secret {
        Secret::new(&format!("token-{}", self.number.load(Ordering::Relaxed)))
    }
}

impl Credential for Renewing {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        futures::future::ok(self.current()).boxed()
    }

    fn refused<'a>(&'a self, token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        async move {
            assert_eq!(token.expose(), self.current().expose());
            self.refusals.fetch_add(1, Ordering::Relaxed);
            if self.number.load(Ordering::Relaxed) == self.last {
                return Ok(None);
            }
            self.number.fetch_add(1, Ordering::Relaxed);
            Ok(Some(self.current()))
        }
        .boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        Secret::new("one principal").fingerprint()
    }
}

/// Accepts the token `good` only.
async fn accepting(good: &'static str) -> Server {
    Server::start(move |seen| async move {
        if seen.authorization.as_deref() == Some(good) { ok("{}") } else { status(401) }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_even_for_a_write() {
    let server = accepting("Bearer token-2").await;
    let credential = Renewing::up_to(9);
    let upstream = with_credential(options(&server.url), credential.clone());
    upstream.send(write()).await.unwrap();
    assert_eq!(server.count(), 2);
    assert_eq!(credential.refusals.load(Ordering::Relaxed), 1);
    assert!(!upstream.status().credential_refused);
}

#[tokio::test(start_paused = true)]
async fn a_newer_token_that_is_refused_too_is_the_end() {
    let server = accepting("Bearer token-7").await;
    let credential = Renewing::up_to(9);
    let upstream = with_credential(options(&server.url), credential.clone());
    let error = upstream.send(read()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(server.count(), 2);
    assert!(upstream.status().credential_refused);
}

#[tokio::test(start_paused = true)]
async fn a_token_without_a_newer_one_is_refused_at_once() {
    let server = accepting("Bearer other").await;
    let upstream = upstream(options(&server.url));
    let error = upstream.send(read()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_between_pages_is_renewed_at_the_same_cursor() {
    let expired = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&expired);
    let server = Server::start(move |seen| {
        let good = if flag.load(Ordering::Relaxed) { "Bearer token-2" } else { "Bearer token-1" };
        async move { if seen.authorization.as_deref() == Some(good) { ok("{}") } else { status(401) } }
    })
    .await;
    let upstream = with_credential(options(&server.url), Renewing::up_to(9));
    for page in ["1", "2", "3"] {
        upstream.send(read().query("cursor", page)).await.unwrap();
        expired.store(true, Ordering::Relaxed);
    }
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/thing?cursor=1", "/thing?cursor=2", "/thing?cursor=2", "/thing?cursor=3"]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_credential_says_what_to_set_and_sends_nothing() {
    let server = accepting("").await;
    let missing = Missing::new("no token is set", "Set ACME_TOKEN");
    let error = with_credential(options(&server.url), Arc::new(missing)).send(read()).await.unwrap_err();
    assert_eq!(error.for_agent(), "auth: no token is set. Set ACME_TOKEN.");
    assert_eq!(server.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_credential_goes_to_the_vendor_and_to_nobody_else() {
    let vendor = Server::start(|_| async { ok("{}") }).await;
    let stranger = Server::start(|_| async { ok("{}") }).await;
    let upstream = upstream(options(&vendor.url));
    upstream.send(read().url(stranger.url.join("/file").unwrap())).await.unwrap();
    upstream.send(read().url(vendor.url.join("/file").unwrap())).await.unwrap();
    upstream.send(read().no_auth()).await.unwrap();
    assert_eq!(stranger.seen()[0].authorization, None);
    assert_eq!(vendor.seen()[0].authorization.as_deref(), Some("Bearer token-1"));
    assert_eq!(vendor.seen()[1].authorization, None);
    // Not even to a trusted host if everybody on the way could read it.
    let acme = Arc::new(Acme { budgets: Vec::new(), trusting: true });
    let upstream = Upstream::new(acme, Renewing::up_to(1), options(&vendor.url));
    upstream.send(read().url(stranger.url.join("/file").unwrap())).await.unwrap();
    assert_eq!(stranger.seen()[1].authorization, None);
}

/// A login whose renewal hangs.
struct Stuck;

impl Credential for Stuck {
    fn token(&self) -> BoxFuture<'_, Result<Secret>> {
        futures::future::pending().boxed()
    }

    fn refused<'a>(&'a self, _token: &'a Secret) -> BoxFuture<'a, Result<Option<Secret>>> {
        futures::future::pending().boxed()
    }

    fn fingerprint(&self) -> Fingerprint {
        Secret::new("stuck").fingerprint()
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_hangs_ends_at_the_calls_deadline() {
    let server = accepting("").await;
    let started = tokio::time::Instant::now();
    let upstream = with_credential(options(&server.url), Arc::new(Stuck));
    assert_eq!(upstream.send(read()).await.unwrap_err().kind(), Kind::Auth);
    assert_eq!(started.elapsed().as_secs(), 30);
    assert_eq!(upstream.status().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn no_error_and_no_debug_shows_the_token() {
    let (url, _) = raw(|_, mut stream| {
        Box::pin(async move {
            read_request(&mut stream).await;
        })
    })
    .await;
    let refusing = accepting("Bearer other").await;
    for address in [url, refusing.url.clone()] {
        let upstream = upstream(once(&address));
        let error = upstream.send(write()).await.unwrap_err();
        let mut shown = format!("{upstream:?} {:?} {error:?} {error}", upstream.status());
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            shown.push_str(&format!("{error:?} {error}"));
            cause = error.source();
        }
        assert!(!shown.contains("token-1"), "{shown}");
    }
}
