//! How long connections are kept, how clients learn that a server is about to stop, and how much one connection may ask.

use std::time::Duration;

use crate::notes::{
    modern,
    site::{Kept, Site, options},
};
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

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
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

/// How HTTP/2 begins: the preface and settings that set nothing (RFC 9113, 3.4).
const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// The beginning of HTTP/2 with one request.
fn http_2_get(path: &str) -> Vec<u8> {
    [BEGIN, &http_2_head(1, "GET", path, &[])].concat()
}

/// The head of a request on `stream`; of one that is no GET a body is still to come (RFC 9113, 6.2; RFC 7541, 6 and
/// appendix A).
fn http_2_head(stream: u32, method: &str, path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let (method, flags) = if method == "GET" { (0x82, 0x5) } else { (0x83, 0x4) };
    let mut head = [&[method, 0x86, 0x04][..], &text(path), &[0x01], &text("localhost")].concat();
    for (name, value) in more {
        head.extend([&[0x00][..], &text(name), &text(value)].concat());
    }
    let [_, length @ ..] = u32::try_from(head.len()).unwrap().to_be_bytes();
    [&length[..], &[HEADERS, flags], &stream.to_be_bytes(), &head].concat()
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

/// Whether somebody else is answered, and soon.
async fn others_are_answered(site: &Site) -> bool {
    let call = modern(1, "tools/call", json!({"name": "read_note", "arguments": {"name": "one"}}));
    let answer = tokio::time::timeout(Duration::from_secs(2), site.modern(&call).send()).await;
    answer.is_ok_and(|answer| answer.unwrap().status() == StatusCode::OK)
}

#[tokio::test]
async fn a_thousand_requests_on_one_connection_are_a_few_and_refusals() {
    const STREAMS: u32 = 1_000;
    /// What the server says that it takes (RFC 9113, 5.1.2); it is no part of the settings of a user.
    const TAKEN: u32 = 128;
    let site = Site::open().await;
    let mut kept = Kept::open(&site).await;
    kept.send(BEGIN).await;
    let more = [("content-type", "application/json"), ("accept", "application/json, text/event-stream")];
    for number in 0..STREAMS {
        // Its body never comes.
        kept.send(&http_2_head(2 * number + 1, "POST", "/mcp", &more)).await;
    }
    let refused = |read: &[u8]| frames(read).into_iter().filter(|kind| *kind == RST_STREAM).count();
    let read = kept
        .until(|read| refused(read) >= (STREAMS - TAKEN) as usize || frames(read).contains(&GOAWAY))
        .await;
    assert!(refused(&read) <= (STREAMS - TAKEN) as usize, "it takes fewer than it says");
    assert!(others_are_answered(&site).await);
    drop(kept);
    assert!(others_are_answered(&site).await);
}

/// CVE-2023-44487: whoever takes back what they have just asked pays nothing for it.
#[tokio::test]
async fn who_asks_and_takes_it_back_again_and_again_is_cut_off() {
    const MOST: u32 = 12_000;
    let site = Site::open().await;
    let mut stream = tokio::net::TcpStream::connect(site.addr).await.unwrap();
    let (mut read, mut write) = stream.split();
    let attack = async {
        write.write_all(BEGIN).await?;
        for number in 0..MOST {
            let id = 2 * number + 1;
            let reset = [&[0, 0, 4, RST_STREAM, 0][..], &id.to_be_bytes(), &[0, 0, 0, 8]].concat();
            write.write_all(&[http_2_head(id, "GET", "/healthz", &[]), reset].concat()).await?;
        }
        write.shutdown().await
    };
    let mut said = Vec::new();
    let (_, _, others) = tokio::join!(attack, read.read_to_end(&mut said), others_are_answered(&site));
    assert!(others);
    // Or the connection was reset before it could be read.
    let answered = frames(&said).into_iter().filter(|kind| *kind == HEADERS).count();
    assert!(frames(&said).contains(&GOAWAY) || said.is_empty(), "it was not cut off: {answered} answers");
    assert!(answered < MOST as usize / 2, "{answered} of what was taken back were answered");
    assert!(others_are_answered(&site).await);
}
