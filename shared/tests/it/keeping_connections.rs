//! How long connections are kept, and how clients learn that a server is about to stop.
use std::time::Duration;

use crate::notes::{
    modern,
    site::{Kept, Site, options},
};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn a_server_that_is_about_to_stop_still_answers_and_asks_to_go_elsewhere() {
    let mut options = options();
    options.lame_duck = Duration::from_secs(3_600);
    let site = Site::with(options).await;
    let mut kept = Kept::open(&site).await;
    assert!(!kept.get("/healthz").await.to_lowercase().contains("connection: close"));
    let mut http_2 = Kept::open(&site).await;
    http_2.send(&http_2_get("/healthz")).await;
    http_2.until(|read| frames(read).contains(&DATA)).await;
    let listen = modern(2, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
    let mut listening = site.modern(&listen).send().await.unwrap();
    listening.chunk().await.unwrap();

    site.stop.cancel();
    http_2.until(|read| frames(read).contains(&GOAWAY)).await;
    drop(http_2);
    let answer = kept.get("/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("connection: close"), "{answer}");
    assert!(kept.is_closed().await);
    let answer = site
        .modern(&modern(1, "tools/call", json!({"name": "read_note", "arguments": {"name": "one"}})))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["connection"]),
        (StatusCode::OK, &"close".parse().unwrap())
    );
    let mut http_2 = Kept::open(&site).await;
    http_2.send(&http_2_get("/healthz")).await;
    http_2.until(|read| frames(read).contains(&DATA) && frames(read).contains(&GOAWAY)).await;
    drop(http_2);

    assert!(!site.server.is_finished());
    site.at_once.cancel();
    assert!(listening.text().await.unwrap().contains("\"result\""));
    site.server.await.unwrap().unwrap();
}

const DATA: u8 = 0;
const GOAWAY: u8 = 7;

/// The beginning of HTTP/2 with one request (RFC 9113, 3.4 and 6.2; RFC 7541, 6 and appendix A).
fn http_2_get(path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let head = [&[0x82, 0x86, 0x04][..], &text(path), &[0x01], &text("localhost")].concat();
    let length = [0, 0, u8::try_from(head.len()).unwrap()];
    let begin = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    [&begin[..], &length, &[1, 0x5, 0, 0, 0, 1], &head].concat()
}

/// The kinds of the whole frames in `bytes`.
fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [high, middle, low, kind, rest @ ..] = bytes {
        kinds.push(*kind);
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        bytes = rest.get(5 + length..).unwrap_or_default();
    }
    kinds
}

#[tokio::test(start_paused = true)]
async fn a_connection_may_rest_for_longer_than_a_head_may_take() {
    let site = Site::open().await;
    let mut kept = Kept::open(&site).await;
    for rest in [60, 60] {
        assert!(kept.get("/healthz").await.starts_with("HTTP/1.1 200 "));
        tokio::time::sleep(Duration::from_secs(rest)).await;
    }
    let began = tokio::time::Instant::now();
    kept.send(b"GET /healthz HTTP/1.1\r\nho").await;
    assert!(kept.is_closed().await);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_rests_for_too_long_is_closed() {
    let mut options = options();
    options.keep_alive = Duration::from_secs(15);
    let site = Site::with(options).await;
    let mut kept = Kept::open(&site).await;
    kept.get("/healthz").await;
    assert!(kept.is_closed().await);
    let mut http_2 = Kept::open(&site).await;
    http_2.send(&http_2_get("/healthz")).await;
    http_2.until(|read| frames(read).contains(&GOAWAY)).await;
    assert!(http_2.is_closed().await);
}
