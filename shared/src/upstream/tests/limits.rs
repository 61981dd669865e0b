//! Our own pace, and the places for requests under way.

use futures::future::join_all;
use tokio::time::{Instant, sleep, timeout};

use super::*;
use crate::Kind;

fn budget(limit: u32, burst: u32) -> Vec<Budget> {
    vec![Budget { bucket: "requests", limit, per: Duration::from_secs(60), burst }]
}

fn costly() -> Request {
    read().cost("requests", 1)
}

#[tokio::test(start_paused = true)]
async fn our_own_pace_keeps_within_the_budget() {
    let server = Server::start(|_| async { ok("{}") }).await;
    let upstream = with_budgets(options(&server.url), budget(60, 2));
    let started = Instant::now();
    for call in join_all((0..6).map(|_| upstream.send(costly()))).await {
        call.unwrap();
    }
    let passed = started.elapsed();
    assert!((4_000..4_100).contains(&passed.as_millis()), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_deadline_is_refused_at_once() {
    let server = Server::start(|_| async { ok("{}") }).await;
    let upstream = with_budgets(options(&server.url), budget(1, 1));
    upstream.send(costly()).await.unwrap();
    let started = Instant::now();
    let error = upstream.send(costly()).await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(error.kind(), Kind::RateLimited);
    assert!(error.retry_after().unwrap() > Duration::from_secs(59));
    assert_eq!(upstream.status().counts.rate_limited, 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_nobody_asks_before_the_vendors_time() {
    let server = Server::start(|seen| async move {
        if seen.number > 0 {
            return ok("{}");
        }
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "20")]).into_response()
    })
    .await;
    let upstream = with_budgets(once(&server.url), budget(6000, 6000));
    upstream.send(costly()).await.unwrap_err();
    let started = Instant::now();
    let calls = join_all((0..10).map(|_| upstream.send(costly()))).await;
    assert!(calls.iter().all(Result::is_ok));
    assert!((20_000..20_100).contains(&started.elapsed().as_millis()));
    assert_eq!(server.count(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_time_waits_for_the_vendors_reset() {
    let server = Server::start(|seen| async move {
        if seen.number > 0 {
            return ok("{}");
        }
        (StatusCode::TOO_MANY_REQUESTS, [("x-remaining", "0"), ("x-reset-in", "9")]).into_response()
    })
    .await;
    let upstream = with_budgets(options(&server.url), budget(6000, 6000));
    let started = Instant::now();
    upstream.send(costly()).await.unwrap();
    assert!((8_900..9_100).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_the_vendor_tells_is_in_the_status() {
    let server =
        Server::start(|_| async { ([("x-remaining", "41"), ("x-reset-in", "30")], "{}").into_response() })
            .await;
    let upstream = with_budgets(options(&server.url), budget(60, 60));
    upstream.send(costly()).await.unwrap();
    let bucket = &upstream.status().buckets[0];
    assert_eq!((bucket.bucket, bucket.limit, bucket.remaining), ("requests", 60, Some(41)));
    assert_eq!(bucket.resets_in.unwrap().as_secs_f64().round(), 30.0);
}

#[tokio::test(start_paused = true)]
async fn requests_under_way_are_bounded_and_counted() {
    let server = Server::start(|_| async {
        sleep(Duration::from_secs(1)).await;
        ok("{}")
    })
    .await;
    let upstream = upstream(Options { max_in_flight: 2, ..options(&server.url) });
    let started = Instant::now();
    let calls = join_all((0..6).map(|_| upstream.send(read())));
    let watch = async {
        sleep(Duration::from_millis(500)).await;
        let status = upstream.status();
        assert_eq!((status.in_use, status.limit, status.waiting), (2, 2, 4));
    };
    let (calls, ()) = tokio::join!(calls, watch);
    assert!(calls.iter().all(Result::is_ok));
    assert_eq!(started.elapsed().as_secs(), 3);
    assert_eq!(upstream.status().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_frees_its_place_and_its_connection() {
    let (url, ended) = {
        let ended = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&ended);
        let (url, _) = raw(move |_, mut stream| {
            let count = Arc::clone(&count);
            Box::pin(async move {
                while read_request(&mut stream).await {}
                count.fetch_add(1, Ordering::Relaxed);
            })
        })
        .await;
        (url, ended)
    };
    let upstream = upstream(Options { max_in_flight: 1, ..options(&url) });
    assert!(timeout(Duration::from_secs(1), upstream.send(read())).await.is_err());
    assert_eq!(upstream.status().in_use, 0);
    sleep(Duration::from_millis(10)).await;
    assert_eq!(ended.load(Ordering::Relaxed), 1, "the vendor sees that nobody waits any more");
}
