//! A vendor that keeps failing is not asked, and one call finds out when it is back.

use std::sync::atomic::AtomicBool;

use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::{Kind, upstream::BreakerState};

/// A server that fails while `down`.
async fn flaky(down: &Arc<AtomicBool>, delay: Duration) -> Server {
    let down = Arc::clone(down);
    Server::start(move |_| {
        let down = Arc::clone(&down);
        async move {
            sleep(delay).await;
            if down.load(Ordering::Relaxed) { status(503) } else { ok("{}") }
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_it_and_calls_then_fail_fast() {
    let down = Arc::new(AtomicBool::new(true));
    let server = flaky(&down, Duration::ZERO).await;
    let upstream = upstream(once(&server.url));
    for _ in 0..5 {
        assert_eq!(upstream.send(read()).await.unwrap_err().kind(), Kind::Upstream);
    }
    let started = Instant::now();
    let error = upstream.send(read()).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.retry_after().is_some());
    assert_eq!(server.count(), 5);
    assert!(matches!(upstream.status().breaker, BreakerState::Open(_)));
    // Another vendor's pipeline does not notice.
    let other = flaky(&Arc::new(AtomicBool::new(false)), Duration::ZERO).await;
    super::upstream(once(&other.url)).send(read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn of_a_hundred_callers_one_probes() {
    let down = Arc::new(AtomicBool::new(true));
    let server = flaky(&down, Duration::from_millis(50)).await;
    let upstream = upstream(once(&server.url));
    for _ in 0..5 {
        upstream.send(read()).await.unwrap_err();
    }
    down.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(10)).await;
    let calls = futures::future::join_all((0..100).map(|_| upstream.send(read()))).await;
    assert_eq!(calls.iter().filter(|call| call.is_ok()).count(), 1);
    assert_eq!(server.count(), 6);
    assert_eq!(upstream.status().breaker, BreakerState::Closed);
    upstream.send(read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_caller_goes_away_passes_to_the_next() {
    let down = Arc::new(AtomicBool::new(true));
    let server = flaky(&down, Duration::from_millis(50)).await;
    let upstream = upstream(once(&server.url));
    for _ in 0..5 {
        upstream.send(read()).await.unwrap_err();
    }
    down.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(10)).await;
    let gone = tokio::time::timeout(Duration::from_millis(10), upstream.send(read())).await;
    assert!(gone.is_err());
    upstream.send(read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn calls_that_waited_for_a_place_meanwhile_are_not_sent() {
    let server = flaky(&Arc::new(AtomicBool::new(true)), Duration::from_millis(50)).await;
    let upstream = upstream(Options { max_in_flight: 1, ..once(&server.url) });
    let calls = futures::future::join_all((0..20).map(|_| upstream.send(read()))).await;
    let unavailable = calls.iter().filter(|call| matches!(call, Err(e) if e.kind() == Kind::Unavailable));
    assert_eq!((server.count(), unavailable.count()), (5, 15));
}

#[tokio::test(start_paused = true)]
async fn a_file_host_that_fails_does_not_keep_us_from_the_vendor() {
    let vendor = flaky(&Arc::new(AtomicBool::new(false)), Duration::ZERO).await;
    let files = flaky(&Arc::new(AtomicBool::new(true)), Duration::ZERO).await;
    let upstream = upstream(once(&vendor.url));
    for _ in 0..10 {
        upstream.send(read().url(files.url.clone())).await.unwrap_err();
    }
    assert_eq!(upstream.status().breaker, BreakerState::Closed);
    upstream.send(read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_and_limits_never_open_it() {
    for code in [400, 401, 403, 404, 409, 429] {
        let server = Server::start(move |_| async move { status(code) }).await;
        let upstream = upstream(once(&server.url));
        for _ in 0..20 {
            upstream.send(read()).await.unwrap_err();
        }
        assert_eq!(upstream.status().breaker, BreakerState::Closed, "{code}");
        assert_eq!(upstream.status().credential_refused, code == 401);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_own_attempts_open_it_tells_what_went_wrong() {
    let down = Arc::new(AtomicBool::new(true));
    let server = flaky(&down, Duration::ZERO).await;
    let mut options = options(&server.url);
    options.breaker.consecutive_failures = 2;
    let error = upstream(options).send(read()).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Upstream, "Acme failed with status 503"));
    assert_eq!(server.count(), 2);
}
