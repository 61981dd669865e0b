//! What can go wrong with connections, and with answers that are none.

use std::net::SocketAddr;

use futures::FutureExt as _;
use tokio::{
    io::AsyncWriteExt as _,
    time::{Instant, sleep},
};

use super::*;
use crate::{Error, Kind, Retry};

async fn failure(upstream: &Upstream, request: Request) -> Error {
    upstream.send(request).await.unwrap_err()
}

/// A server that answers each request on a connection with these bytes and keeps it open.
async fn saying(answer: &'static [u8]) -> (Url, Arc<AtomicUsize>) {
    raw(move |_, mut stream| {
        async move {
            while read_request(&mut stream).await {
                stream.write_all(answer).await.unwrap();
            }
        }
        .boxed()
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_ends_at_the_deadline_and_its_connection_is_not_used_again() {
    let (url, connections) = raw(|number, mut stream| {
        async move {
            while read_request(&mut stream).await {
                let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n\"";
                if number > 0 {
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
                    continue;
                }
                stream.write_all(head).await.unwrap();
                while stream.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_secs(1)).await;
                }
                return;
            }
        }
        .boxed()
    })
    .await;
    let upstream = upstream(once(&url));
    let started = Instant::now();
    let error = failure(&upstream, read()).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted));
    assert_eq!(started.elapsed().as_secs(), 10);
    upstream.send(read()).await.unwrap();
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_handshake_ends_at_the_connect_deadline_and_nothing_was_sent() {
    let (mut url, _) = raw(|_, stream| {
        async move {
            sleep(Duration::from_secs(3600)).await;
            drop(stream);
        }
        .boxed()
    })
    .await;
    url.set_scheme("https").unwrap();
    let started = Instant::now();
    let error = failure(&upstream(once(&url)), write()).await;
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::NotExecuted));
    assert!(error.message().contains("no connection to 127.0.0.1 in time"), "{error}");
    // Nor was it when the caller's own deadline comes first.
    let hasty = Options { total_deadline: Duration::from_secs(2), ..once(&url) };
    let error = failure(&upstream(hasty), write()).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::NotExecuted));
}

#[tokio::test(start_paused = true)]
async fn a_port_that_speaks_no_tls_is_told_as_that() {
    let (mut url, _) = saying(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    url.set_scheme("https").unwrap();
    let error = failure(&upstream(once(&url)), write()).await;
    assert_eq!(error.retry(), Retry::NotExecuted);
    assert!(error.message().contains("no secure connection to 127.0.0.1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_does_not_resolve_is_told_as_that() {
    // The top-level domain is reserved for never existing (RFC 2606).
    let url = Url::parse("http://vendor.invalid").unwrap();
    let error = failure(&upstream(once(&url)), write()).await;
    assert_eq!(error.retry(), Retry::NotExecuted);
    assert!(error.message().contains("vendor.invalid does not resolve"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_kept_connection_that_the_vendor_closed_is_not_used_for_a_write() {
    let (url, connections) = raw(|_, mut stream| {
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            // And closes, although it promised to stay.
        }
        .boxed()
    })
    .await;
    let upstream = upstream(once(&url));
    for _ in 0..5 {
        upstream.send(write()).await.unwrap();
    }
    assert_eq!(connections.load(Ordering::Relaxed), 5);
}

#[tokio::test(start_paused = true)]
async fn one_timeout_leaves_the_other_connections_in_the_pool() {
    let server = Server::start(|seen| async move {
        let path = seen.path;
        sleep(if path == "/slow" { Duration::from_secs(3600) } else { Duration::from_millis(50) }).await;
        ok("{}")
    })
    .await;
    let upstream = upstream(once(&server.url));
    let warm = || futures::future::join_all((0..4).map(|_| upstream.send(read())));
    assert!(warm().await.iter().all(Result::is_ok));
    failure(&upstream, Request::get("Slow", "/slow")).await;
    assert!(warm().await.iter().all(Result::is_ok));
    // Four at first; one was spent on the timeout and made anew.
    assert!(server.connections.load(Ordering::Relaxed) <= 5);
}

#[tokio::test(start_paused = true)]
async fn a_page_instead_of_data_is_refused_without_showing_it() {
    let server = Server::start(|_| async {
        ([(header::CONTENT_TYPE, "text/html")], "<html>Sign in to SecretCorp</html>").into_response()
    })
    .await;
    let error = failure(&upstream(once(&server.url)), read()).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted));
    assert!(error.message().contains("web page"));
    assert!(!format!("{error:?}").contains("SecretCorp"));
    // A write was answered by who knows whom.
    let error = failure(&upstream(once(&server.url)), write()).await;
    assert_eq!(error.kind(), Kind::UnknownOutcome);
    // A file may be a page.
    upstream(once(&server.url)).send(read().any_body()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn broken_answers_are_clean_errors() {
    let cases: [(&'static [u8], &str); 4] = [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{\"a\": [1, 2,", "cut off"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n{\"\xff\": ", "UTF-8"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n", "without a complete answer"),
        (b"this is no HTTP at all\r\n\r\n", "without a complete answer"),
    ];
    for (answer, expected) in cases {
        let (url, _) = saying(answer).await;
        let error = failure(&upstream(once(&url)), read()).await;
        assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted), "{error}");
        assert!(error.message().contains(expected), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_shorter_than_announced_is_a_clean_error() {
    let (url, _) = raw(|_, mut stream| {
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}").await.unwrap();
        }
        .boxed()
    })
    .await;
    let error = failure(&upstream(once(&url)), read()).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::MaybeExecuted));
}

#[tokio::test(start_paused = true)]
async fn an_answer_too_long_is_not_read_announced_or_not() {
    let announced = Server::start(|_| async { Answer::new(long_json(2_000_000)) }).await;
    let unannounced = Server::start(|_| async {
        let chunk = axum::body::Bytes::from(vec![b'x'; 64 * 1024]);
        let endless = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        Answer::new(Body::from_stream(endless))
    })
    .await;
    for server in [announced, unannounced] {
        let upstream = upstream(Options { max_body: 1024 * 1024, ..options(&server.url) });
        let error = failure(&upstream, read()).await;
        assert_eq!(error.kind(), Kind::Upstream);
        assert!(error.message().contains("longer than 1 MiB"), "{error}");
        assert_eq!(server.count(), 1, "it would be as long again");
        assert_eq!(failure(&upstream, write()).await.kind(), Kind::UnknownOutcome);
    }
}

/// A gzip stream of `megabytes` of zeros, without compressing any: one literal, then copies of it.
fn bomb(megabytes: usize) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let (mut buffer, mut filled) = (0u32, 0);
    let mut bit = |bit: u32| {
        buffer |= bit << filled;
        filled += 1;
        if filled == 8 {
            bytes.push(buffer as u8);
            (buffer, filled) = (0, 0);
        }
    };
    let mut bits = |text: &str| text.bytes().for_each(|digit| bit(u32::from(digit - b'0')));
    bits("110"); // the last block, fixed codes
    bits("00110000"); // literal 0
    for _ in 0..megabytes * 1024 * 1024 / 258 {
        bits("11000101"); // 258 bytes
        bits("00000"); // from one byte back
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn a_decompression_bomb_stops_at_the_limit() {
    let packed = bomb(512);
    assert!(packed.len() < 4 * 1024 * 1024);
    let server = Server::start(move |_| {
        let packed = packed.clone();
        async move { ([(header::CONTENT_ENCODING, "gzip")], packed).into_response() }
    })
    .await;
    let error = failure(&upstream(once(&server.url)), read().any_body()).await;
    assert!(error.message().contains("longer than 8 MiB"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn redirects_are_followed_within_the_origin_only() {
    let elsewhere = Server::start(|_| async { ok("{}") }).await;
    let target = format!("{}moved", elsewhere.url);
    let server = Server::start(move |seen| {
        let target = target.clone();
        async move {
            match seen.path.as_str() {
                "/thing" => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "/renamed".to_owned())])
                    .into_response(),
                "/things" => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/renamed".to_owned())])
                    .into_response(),
                "/found" => (StatusCode::FOUND, [(header::LOCATION, "/renamed".to_owned())]).into_response(),
                "/away" => (StatusCode::FOUND, [(header::LOCATION, target)]).into_response(),
                "/circle" => (StatusCode::FOUND, [(header::LOCATION, "/circle".to_owned())]).into_response(),
                _ => ok("{}"),
            }
        }
    })
    .await;
    let upstream = upstream(once(&server.url));
    upstream.send(read()).await.unwrap();
    assert_eq!(server.seen()[1].authorization.as_deref(), Some("Bearer token-1"));
    upstream.send(write()).await.unwrap();
    let repeated = server.seen().pop().unwrap();
    assert_eq!((repeated.method, repeated.body.as_str()), (Method::POST, r#"{"name":"x"}"#));
    // A POST would become a GET.
    let error = failure(&upstream, Request::post("Found", "/found")).await;
    assert_eq!((error.kind(), error.retry()), (Kind::Upstream, Retry::Never));
    let error = failure(&upstream, Request::get("Away", "/away")).await;
    assert!(error.message().contains("redirects to another place"));
    assert_eq!(elsewhere.count(), 0);
    let error = failure(&upstream, Request::get("Circle", "/circle")).await;
    assert!(error.message().contains("in a circle"));
}

#[tokio::test(start_paused = true)]
async fn a_file_elsewhere_is_fetched_without_the_credential_and_never_by_a_write() {
    let storage = Server::start(|_| async { ok("the log") }).await;
    let target = format!("{}log", storage.url);
    let server = Server::start(move |seen| {
        let location =
            if seen.path == "/in-the-clear" { "http://example.com/log".to_owned() } else { target.clone() };
        async move { (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response() }
    })
    .await;
    let upstream = upstream(once(&server.url));
    let log = upstream.send(Request::get("Log", "/log").any_body().elsewhere()).await.unwrap();
    assert_eq!(log.body, "the log");
    assert_eq!(server.seen()[0].authorization.as_deref(), Some("Bearer token-1"));
    assert_eq!(storage.seen()[0].authorization, None, "the credential left for another host");
    let error = failure(&upstream, Request::get("Log", "/in-the-clear").any_body().elsewhere()).await;
    assert!(error.message().contains("redirects to another place"), "{error}");
    let error = failure(&upstream, write().elsewhere()).await;
    assert_eq!(error.kind(), Kind::Upstream);
    assert_eq!(storage.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_port_that_nobody_listens_on_is_told_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    drop(listener);
    let url = Url::parse(&format!("http://{address}/api?key=hidden")).unwrap();
    let error = failure(&upstream(once(&url)), read()).await;
    assert!(error.message().contains("no connection to 127.0.0.1"), "{error}");
    assert!(!format!("{error:?}").contains("hidden"));
}
