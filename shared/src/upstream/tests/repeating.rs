//! What is sent again, when, and what is never sent twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt as _;
use tokio::{io::AsyncWriteExt as _, time::Instant};

use super::*;
use crate::{
    Effect, Kind, Retry,
    upstream::{Replay, call},
};

async fn failing_first(code: u16, times: usize) -> Server {
    Server::start(move |seen| async move { if seen.number < times { status(code) } else { ok("{}") } }).await
}

/// The first answer is 429 with this `Retry-After`.
async fn limited_first(retry_after: Option<&'static str>) -> Server {
    Server::start(move |seen| async move {
        if seen.number > 0 {
            return ok("{}");
        }
        match retry_after {
            Some(value) => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, value)]).into_response(),
            None => status(429),
        }
    })
    .await
}

/// A server that cuts the connection after reading the request, the first `times` times.
async fn cutting(times: usize) -> (Url, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let (url, _) = raw(move |_, mut stream| {
        let count = Arc::clone(&count);
        async move {
            while read_request(&mut stream).await {
                if count.fetch_add(1, Ordering::Relaxed) < times {
                    return;
                }
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            }
        }
        .boxed()
    })
    .await;
    (url, requests)
}

#[tokio::test(start_paused = true)]
async fn a_read_survives_one_failure_of_each_kind() {
    for code in [500, 502, 503, 504] {
        let server = failing_first(code, 1).await;
        let upstream = upstream(options(&server.url));
        upstream.send(read()).await.unwrap();
        assert_eq!(server.count(), 2, "{code}");
        assert_eq!(upstream.status().counts.retries, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_may_be_done_is_not_sent_again() {
    let server = failing_first(503, 1).await;
    let request = write().check("Look whether there is a thing named x");
    let error = upstream(options(&server.url)).send(request).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::UnknownOutcome, Retry::Never));
    assert_eq!(server.count(), 1);
    insta::assert_snapshot!(error.for_agent(), @"unknown_outcome: the write was sent to Acme, but whether it was done is not known: Acme failed with status 503. Look whether there is a thing named x; only repeat the call if it is not.");
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_write_is_repeated_with_the_same_body() {
    let server = failing_first(503, 2).await;
    upstream(options(&server.url)).send(write().replay(Replay::Idempotent)).await.unwrap();
    let bodies: Vec<_> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, vec![r#"{"name":"x"}"#; 3]);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_write_is_unknown_only_when_repeating_is_used_up() {
    let server = failing_first(503, 99).await;
    let error = upstream(options(&server.url)).send(write().replay(Replay::Idempotent)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    assert_eq!(server.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_connection_cut_after_the_vendor_committed_makes_no_second_record() {
    let (url, requests) = cutting(1).await;
    let error = upstream(options(&url)).send(write()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    assert_eq!(requests.load(Ordering::Relaxed), 1);
    // A client-made id lets the vendor see the repeat as the same record.
    let (url, requests) = cutting(1).await;
    upstream(options(&url)).send(write().replay(Replay::Idempotent)).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_read_survives_a_cut_connection() {
    let (url, requests) = cutting(2).await;
    upstream(options(&url)).send(read()).await.unwrap();
    assert_eq!(requests.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_after_sending_leaves_a_write_unknown_and_repeats_a_read() {
    let server = Server::start(|seen| async move {
        if seen.number == 0 {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        ok("{}")
    })
    .await;
    let started = Instant::now();
    let error = upstream(options(&server.url)).send(write()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    assert_eq!(started.elapsed().as_secs(), 10);
    let server = Server::start(|seen| async move {
        if seen.number == 0 {
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
        ok("{}")
    })
    .await;
    upstream(options(&server.url)).send(read()).await.unwrap();
    assert_eq!(server.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_certainly_never_left_is_safe_to_repeat() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let upstream = upstream(options(&url));
    let error = upstream.send(write()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::NotExecuted));
    assert_eq!(upstream.status().counts.retries, 3);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_writes_included() {
    for (value, waits) in [(Some("7"), 7_000..7_100), (Some("0"), 200..300), (None, 1_000..1_100)] {
        let server = limited_first(value).await;
        let started = Instant::now();
        upstream(options(&server.url)).send(write()).await.unwrap();
        let waited = started.elapsed().as_millis();
        assert!(waits.contains(&waited), "{value:?}: {waited}");
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_may_be_a_date() {
    let server = Server::start(|seen| async move {
        if seen.number > 0 {
            return ok("{}");
        }
        let headers = [
            (header::DATE, "Sun, 06 Nov 1994 08:49:30 GMT"),
            (header::RETRY_AFTER, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        (StatusCode::SERVICE_UNAVAILABLE, headers).into_response()
    })
    .await;
    let started = Instant::now();
    upstream(options(&server.url)).send(read()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_is_told_at_once() {
    let server = limited_first(Some("86400")).await;
    let started = Instant::now();
    let error = upstream(options(&server.url)).send(read()).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(86_400)));
    assert_eq!(server.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn retry_after_zero_is_no_hot_loop() {
    let server = Server::start(|_| async {
        (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response()
    })
    .await;
    let started = Instant::now();
    let error = upstream(options(&server.url)).send(read()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::RateLimited);
    assert_eq!(server.count(), 4);
    assert!(started.elapsed() >= Duration::from_millis(1_400));
}

#[tokio::test(start_paused = true)]
async fn the_total_deadline_rules_over_everything() {
    let server = Server::start(|_| async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        ok("{}")
    })
    .await;
    let upstream = upstream(options(&server.url));
    let started = Instant::now();
    let error = upstream.send(read()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Upstream);
    assert!(started.elapsed() <= Duration::from_secs(31), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn one_deadline_is_for_all_that_a_call_asks() {
    let server = Server::start(|_| async {
        tokio::time::sleep(Duration::from_secs(9)).await;
        ok("{}")
    })
    .await;
    let upstream = upstream(options(&server.url));
    let started = Instant::now();
    let error = call::whole(async {
        loop {
            // On a task of its own, as writes are.
            let (upstream, began) = (upstream.clone(), call::began());
            let asked = tokio::spawn(call::since(began, async move { upstream.send(read()).await }));
            if let Err(error) = asked.await.unwrap() {
                return error;
            }
        }
    })
    .await;
    assert_eq!((server.count(), started.elapsed().as_secs()), (4, 30), "{error}");
    let late = call::since(started, upstream.send(write())).await.unwrap_err();
    assert_eq!((late.kind(), late.retry()), (Kind::Upstream, Retry::NotExecuted));
    assert_eq!(server.count(), 4, "nothing is sent when the time is over");
    upstream.send(read()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_write_did_may_be_looked_for_beyond_the_deadline() {
    let server = Server::start(|seen| async move {
        // The fourth is the write: three reads have taken nearly all of the time.
        if seen.number == 3 {
            return ok("");
        }
        tokio::time::sleep(Duration::from_secs(9)).await;
        ok("{}")
    })
    .await;
    let upstream = upstream(options(&server.url));
    call::whole(async {
        for _ in 0..3 {
            upstream.send(read()).await.unwrap();
        }
        let lost = upstream.send(write()).await.unwrap_err();
        assert_eq!(lost.kind(), Kind::UnknownOutcome, "{lost}");
        upstream.send(read()).await.expect("the look has a time of its own");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_answer_is_asked_for_again_and_leaves_a_write_open() {
    for broken in ["", " ", "{\"a\": [1, {\"b\": 2}", "{\"a\": 1} {"] {
        let server =
            Server::start(move |seen| async move { ok(if seen.number == 0 { broken } else { "{}" }) }).await;
        let upstream = upstream(options(&server.url));
        upstream.send(read()).await.unwrap();
        assert_eq!(server.count(), 2, "{broken:?}");
        let server = Server::start(move |_| async move { ok(broken) }).await;
        let upstream = self::upstream(options(&server.url));
        let error = upstream.send(write()).await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (Kind::UnknownOutcome, 1), "{broken:?}");
    }
    // JSON, but not what was to come.
    let server = Server::start(|_| async { ok("{\"id\": []}") }).await;
    let upstream = upstream(once(&server.url));
    #[derive(Debug, serde::Deserialize)]
    struct Made {
        #[expect(dead_code, reason = "it is not there")]
        id: Vec<u8>,
        #[expect(dead_code, reason = "it is not there")]
        name: String,
    }
    let read = upstream.send(read()).await.unwrap().json::<Made>().unwrap_err();
    assert_eq!(read.kind(), Kind::Upstream);
    let written = upstream.send(write()).await.unwrap().json::<Made>().unwrap_err();
    assert_eq!(written.kind(), Kind::UnknownOutcome, "{written}");
}

#[tokio::test(start_paused = true)]
async fn a_repeated_write_is_judged_by_what_an_attempt_before_may_have_done() {
    let after_502 =
        |code| Server::start(move |seen| async move { status(if seen.number == 0 { 502 } else { code }) });
    let delete = || Request::new("Drop", Method::DELETE, "/things/1").replay(Replay::Idempotent).any_body();
    let make = || write().replay(Replay::Idempotent);
    let server = after_502(404).await;
    upstream(options(&server.url)).send(delete()).await.expect("it is gone");
    for (code, kind) in [(409, Kind::UnknownOutcome), (422, Kind::InvalidArgument), (404, Kind::NotFound)] {
        let server = after_502(code).await;
        let error = upstream(options(&server.url)).send(make()).await.unwrap_err();
        assert_eq!((error.kind(), error.is_repeated(), server.count()), (kind, true, 2), "{code}");
    }
    // Without an attempt before, the first answer is the whole truth.
    for (request, code, kind) in [(delete(), 404, Kind::NotFound), (make(), 409, Kind::Conflict)] {
        let server = Server::start(move |_| async move { status(code) }).await;
        let error = upstream(options(&server.url)).send(request).await.unwrap_err();
        assert_eq!((error.kind(), error.is_repeated()), (kind, false), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_only_pipeline_sends_no_write() {
    let server = failing_first(503, 0).await;
    let upstream = upstream(Options { read_only: true, ..options(&server.url) });
    assert_eq!(upstream.send(write()).await.unwrap_err().kind(), Kind::Policy);
    assert_eq!(server.count(), 0);
    // A POST that only reads is none.
    upstream.send(write().effect(Effect::Read)).await.unwrap();
}

/// A proxy's page under 200 says nothing of a write, also where no body is read of a good answer.
#[tokio::test(start_paused = true)]
async fn a_page_in_answer_to_a_write_is_no_success() {
    let page = || async { (StatusCode::OK, "<!DOCTYPE html><p>Log in</p>").into_response() };
    for (replay, sent) in [(Replay::Once, 1), (Replay::Idempotent, 4)] {
        let server = Server::start(move |_| page()).await;
        let upstream = upstream(options(&server.url));
        let delete = Request::new("Delete", Method::DELETE, "/things/1").replay(replay).any_body();
        let error = upstream.send(delete).await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (Kind::UnknownOutcome, sent), "{error}");
        upstream.send(Request::get("File", "/page").any_body()).await.unwrap();
    }
}
