//! Answers that are served again, and those that never may be.

use futures::future::join_all;
use tokio::time::{advance, sleep};

use super::*;
use crate::Kind;

const TTL: Duration = Duration::from_secs(60);

fn cached() -> Request {
    read().cache(TTL, ["things"])
}

/// Answers with its request's number, after `delay`.
async fn numbering(delay: Duration) -> Server {
    Server::start(move |seen| async move {
        sleep(delay).await;
        seen.number.to_string().into_response()
    })
    .await
}

async fn text(upstream: &Upstream, request: Request) -> String {
    String::from_utf8(upstream.send(request).await.unwrap().body.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_served_again_until_its_time_is_over() {
    let server = numbering(Duration::ZERO).await;
    let upstream = upstream(options(&server.url));
    assert_eq!(text(&upstream, cached()).await, "0");
    advance(TTL - Duration::from_secs(1)).await;
    assert_eq!(text(&upstream, cached()).await, "0");
    advance(Duration::from_secs(2)).await;
    assert_eq!(text(&upstream, cached()).await, "1");
    assert_eq!(text(&upstream, cached()).await, "1");
    let counts = upstream.status().counts;
    assert_eq!((counts.cache_hits, counts.cache_misses), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn without_capacity_nothing_is_kept() {
    let server = numbering(Duration::ZERO).await;
    let upstream = upstream(Options { cache_capacity: 0, ..options(&server.url) });
    for number in 0..5 {
        assert_eq!(text(&upstream, cached()).await, number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_who_ask_at_once_one_fetches() {
    let server = numbering(Duration::from_millis(100)).await;
    let upstream = upstream(options(&server.url));
    let answers = join_all((0..50).map(|_| text(&upstream, cached()))).await;
    assert!(answers.iter().all(|answer| answer == "0"));
    assert_eq!(server.count(), 1);
    // And again when it has grown old.
    advance(TTL + Duration::from_secs(1)).await;
    join_all((0..50).map(|_| text(&upstream, cached()))).await;
    assert_eq!(server.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn one_who_goes_away_does_not_take_the_flight_along() {
    let server = numbering(Duration::from_millis(100)).await;
    let upstream = upstream(options(&server.url));
    let first = tokio::spawn({
        let upstream = upstream.clone();
        async move { text(&upstream, cached()).await }
    });
    sleep(Duration::from_millis(10)).await;
    let second = tokio::spawn({
        let upstream = upstream.clone();
        async move { text(&upstream, cached()).await }
    });
    sleep(Duration::from_millis(10)).await;
    first.abort();
    assert_eq!(second.await.unwrap(), "1");
}

#[tokio::test(start_paused = true)]
async fn failures_are_shared_but_never_kept() {
    let server = Server::start(|seen| async move {
        sleep(Duration::from_millis(100)).await;
        if seen.number == 0 { status(404) } else { ok("{}") }
    })
    .await;
    let upstream = upstream(options(&server.url));
    let answers = join_all((0..10).map(|_| upstream.send(cached()))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (Kind::NotFound, Some("GetThing")));
    }
    assert_eq!(server.count(), 1);
    upstream.send(cached()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_write_makes_its_tags_old_at_once_and_no_others() {
    let server = numbering(Duration::ZERO).await;
    let upstream = upstream(options(&server.url));
    let other = || Request::get("GetOther", "/other").cache(TTL, ["others"]);
    assert_eq!(text(&upstream, cached()).await, "0");
    assert_eq!(text(&upstream, other()).await, "1");
    upstream.send(write().invalidates(["things"])).await.unwrap();
    assert_eq!(text(&upstream, cached()).await, "3");
    assert_eq!(text(&upstream, other()).await, "1");
    upstream.invalidate(&["others".into()]);
    assert_eq!(text(&upstream, other()).await, "4");
}

#[tokio::test(start_paused = true)]
async fn a_read_under_way_during_a_write_does_not_poison_the_cache() {
    let server = Server::start(|seen| async move {
        if seen.method == Method::GET && seen.number == 0 {
            sleep(Duration::from_secs(5)).await;
            return ok("\"before the write\"");
        }
        ok("\"after the write\"")
    })
    .await;
    let upstream = upstream(options(&server.url));
    let slow = tokio::spawn({
        let upstream = upstream.clone();
        async move { text(&upstream, cached()).await }
    });
    sleep(Duration::from_secs(1)).await;
    upstream.send(write().invalidates(["things"])).await.unwrap();
    // Not even while the slow one is still under way is it joined.
    assert_eq!(text(&upstream, cached()).await, "\"after the write\"");
    assert_eq!(slow.await.unwrap(), "\"before the write\"");
    assert_eq!(text(&upstream, cached()).await, "\"after the write\"");
    assert_eq!(server.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_read_that_came_and_went_during_a_write_is_not_served_after_it() {
    let server = Server::start(|seen| async move {
        if seen.method == Method::POST {
            sleep(Duration::from_secs(5)).await;
        }
        seen.number.to_string().into_response()
    })
    .await;
    let upstream = upstream(options(&server.url));
    let slow = tokio::spawn({
        let upstream = upstream.clone();
        async move { upstream.send(write().invalidates(["things"])).await }
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(text(&upstream, cached()).await, "1");
    slow.await.unwrap().unwrap();
    assert_eq!(text(&upstream, cached()).await, "2");
}

#[tokio::test(start_paused = true)]
async fn an_uncertain_or_abandoned_write_makes_its_tags_old_too() {
    let server = Server::start(|seen| async move {
        if seen.method == Method::POST {
            sleep(Duration::from_secs(3600)).await;
        }
        seen.number.to_string().into_response()
    })
    .await;
    let upstream = upstream(options(&server.url));
    assert_eq!(text(&upstream, cached()).await, "0");
    let error = upstream.send(write().invalidates(["things"])).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    assert_eq!(text(&upstream, cached()).await, "2");
    let call = upstream.send(write().invalidates(["things"]));
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    assert_eq!(text(&upstream, cached()).await, "4");
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_kept_apart() {
    let server = numbering(Duration::ZERO).await;
    let first = upstream(options(&server.url));
    let variants = [
        cached(),
        cached().query("page", "2"),
        cached().header(header::ACCEPT_LANGUAGE, HeaderValue::from_static("de")),
        cached().no_auth(),
        Request::get("GetThing", "/other").cache(TTL, ["things"]),
        Request::get("Other", "/thing").cache(TTL, ["things"]),
        cached().body("x"),
    ];
    for (number, request) in variants.iter().enumerate() {
        assert_eq!(text(&first, request.clone()).await, number.to_string());
    }
    for (number, request) in variants.iter().enumerate() {
        assert_eq!(text(&first, request.clone()).await, number.to_string());
    }
    assert_eq!(server.count(), variants.len());
}

#[tokio::test(start_paused = true)]
async fn a_kept_answer_needs_neither_budget_nor_a_healthy_vendor() {
    let server =
        Server::start(|seen| async move { if seen.number == 0 { ok("{}") } else { status(503) } }).await;
    let upstream = upstream(once(&server.url));
    upstream.send(cached()).await.unwrap();
    for _ in 0..5 {
        upstream.send(read()).await.unwrap_err();
    }
    assert_eq!(upstream.send(read()).await.unwrap_err().kind(), Kind::Unavailable);
    upstream.send(cached()).await.unwrap();
}

/// Answers with its request's number and an ETag that stays; a condition on it is answered with 304.
async fn tagging() -> Server {
    Server::start(|seen| async move {
        if seen.if_none_match.as_deref() == Some("\"v1\"") {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        ([(header::ETAG, "\"v1\"")], seen.number.to_string()).into_response()
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn an_answer_too_old_is_asked_for_on_condition_and_stays_good_if_nothing_changed() {
    let server = tagging().await;
    let upstream = upstream(options(&server.url));
    assert_eq!(text(&upstream, cached()).await, "0");
    for round in 1..4 {
        advance(TTL + Duration::from_secs(1)).await;
        assert_eq!(text(&upstream, cached()).await, "0");
        assert_eq!(text(&upstream, cached()).await, "0");
        assert_eq!(server.count(), round + 1, "asked once a lifetime");
    }
    assert!(server.seen()[1..].iter().all(|seen| seen.if_none_match.is_some()));
    // After a write of our own nothing is asked on condition: what was kept is known to be old.
    upstream.invalidate(&["things".into()]);
    assert_eq!(text(&upstream, cached()).await, "4");
}

#[tokio::test(start_paused = true)]
async fn not_modified_without_a_condition_is_no_answer() {
    let server = Server::start(|_| async { StatusCode::NOT_MODIFIED.into_response() }).await;
    let upstream = upstream(once(&server.url));
    assert_eq!(upstream.send(cached()).await.unwrap_err().kind(), Kind::Upstream);
}

#[tokio::test(start_paused = true)]
async fn principals_side_by_side_share_connections_and_nothing_else() {
    let server = numbering(Duration::ZERO).await;
    let one = upstream(options(&server.url));
    let other = one.beside(Arc::new(Fixed::new(Secret::new("token-2"))));
    assert_eq!(text(&one, cached()).await, "0");
    assert_eq!(text(&other, cached()).await, "1");
    let tokens: Vec<_> = server.seen().into_iter().filter_map(|seen| seen.authorization).collect();
    assert_eq!(tokens, ["Bearer token-1", "Bearer token-2"]);
    one.invalidate(&["things".into()]);
    assert_eq!(text(&other, cached()).await, "1");
}
