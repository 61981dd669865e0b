//! The protocol over HTTP, in both eras, and everything around it.
use std::{fs, sync::atomic::Ordering, time::Duration};

use crate::notes::{
    self, initialize, legacy, modern, modern_with,
    site::{Site, options},
    text,
};
use connector::{
    Connector as _,
    access::ApiKeys,
    serve::{HttpOptions, Stop, http_until},
};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

fn call(id: u64, name: &str, arguments: Value) -> Value {
    modern(id, "tools/call", json!({"name": name, "arguments": arguments}))
}

async fn rpc_code(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let body: Value = response.json().await.unwrap_or_default();
    (status, body["error"]["code"].clone())
}

#[tokio::test]
async fn a_modern_client_lists_and_calls() {
    let site = Site::open().await;
    let list = site.ask(modern(1, "tools/list", json!({}))).await;
    assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 8);
    let answer = site.ask(call(2, "read_note", json!({"name": "one"}))).await;
    assert_eq!(text(&answer), "First.");
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "notes-mcp");
    let answer = site.ask(call(3, "read_nose", json!({}))).await;
    assert_eq!(answer["error"]["code"], -32602);
}

#[tokio::test]
async fn a_legacy_client_is_served_without_a_session() {
    let site = Site::open().await;
    let response = site.post().body(initialize(json!({})).to_string()).send().await.unwrap();
    assert!(response.headers().get("mcp-session-id").is_none());
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    let request = legacy(2, "tools/call", json!({"name": "read_note", "arguments": {"name": "one"}}));
    let response = site.post().header("mcp-protocol-version", "2025-11-25").body(request.to_string()).send();
    let answer: Value = response.await.unwrap().json().await.unwrap();
    assert_eq!(answer["result"], json!({"content": [{"type": "text", "text": "First."}], "isError": false}));
}

#[tokio::test]
async fn a_question_and_its_answer_need_no_session() {
    let site = Site::open().await;
    let mut request = modern_with(
        1,
        "tools/call",
        json!({"name": "delete_note", "arguments": {"name": "one"}}),
        json!({"elicitation": {}}),
    );
    let question = site.ask(request.clone()).await;
    request["params"]["requestState"] = question["result"]["requestState"].clone();
    request["params"]["inputResponses"] = json!({"confirm": {"action": "accept", "content": {}}});
    assert_eq!(text(&site.ask(request).await), "Deleted one");
}

#[tokio::test]
async fn the_protocols_own_headers_must_match_the_body() {
    let site = Site::open().await;
    let message = call(1, "delete_note", json!({"name": "one"}));
    let request = site.post().header("mcp-protocol-version", "2026-07-28").header("mcp-method", "tools/call");
    let response = request.header("mcp-name", "read_note").body(message.to_string()).send().await.unwrap();
    assert_eq!(rpc_code(response).await, (StatusCode::BAD_REQUEST, json!(-32020)));
    let response = site.modern(&modern(1, "nonsense/method", json!({}))).send().await.unwrap();
    assert_eq!(rpc_code(response).await, (StatusCode::NOT_FOUND, json!(-32601)));
    assert!(site.service.server().lock().contains_key("one"));
}

#[tokio::test]
async fn foreign_hosts_and_pages_are_refused() {
    let mut options = options();
    options.allowed_hosts = vec!["mcp.example".to_owned()];
    options.allowed_origins = vec!["https://app.example".to_owned()];
    let site = Site::with(options).await;
    let list = modern(1, "tools/list", json!({}));
    for (header, value, expected) in [
        ("host", "evil.example", StatusCode::FORBIDDEN),
        ("host", "127.0.0.1.evil.example", StatusCode::FORBIDDEN),
        ("host", "mcp.example:8080", StatusCode::OK),
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("origin", "http://localhost:6274", StatusCode::OK),
        ("origin", "https://app.example", StatusCode::OK),
    ] {
        let response = site.modern(&list).header(header, value).send().await.unwrap();
        assert_eq!(response.status(), expected, "{header}: {value}");
    }
}

#[tokio::test]
async fn browsers_get_answers_only_where_pages_are_configured() {
    let mut configured = options();
    configured.allowed_origins = vec!["https://app.example".to_owned()];
    let site = Site::with(configured).await;
    let preflight = |site: &Site, origin: &str| {
        site.client
            .request(Method::OPTIONS, format!("http://{}/mcp", site.addr))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .send()
    };
    let response = preflight(&site, "https://app.example").await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["access-control-allow-origin"], "https://app.example");
    assert!(response.headers()["access-control-allow-headers"].to_str().unwrap().contains("mcp-method"));
    let request = site.modern(&modern(1, "tools/list", json!({}))).header("origin", "https://app.example");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "https://app.example");
    let response = preflight(&site, "https://evil.example").await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let plain = Site::open().await;
    let response = preflight(&plain, "http://localhost:1").await.unwrap();
    assert!(response.headers().get("access-control-allow-origin").is_none());
}

mod keys {
    use super::*;

    async fn site() -> (Site, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let ((ada, ada_line), (ben, ben_line)) = (ApiKeys::generate("ada"), ApiKeys::generate("ben"));
        let file = folder.path().join("keys");
        fs::write(&file, format!("{ada_line}\n{ben_line}\n")).unwrap();
        let mut options = options();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        (Site::with(options).await, ada, ben)
    }

    #[tokio::test]
    async fn nobody_comes_in_without_a_key_and_nobody_learns_why() {
        let (site, ada, _) = site().await;
        let list = modern(1, "tools/list", json!({}));
        let refused = [
            site.modern(&list),
            site.modern(&list).header("authorization", format!("Basic {ada}")),
            site.modern(&list).header("authorization", "Bearer mcp_unknown"),
            site.modern(&list).header("x-api-key", &ada[..8]),
            site.modern(&list).header("x-api-key", &ada).bearer_auth(&ada),
            site.modern(&list).query(&[("access_token", &ada)]),
        ];
        let mut bodies = Vec::new();
        for request in refused {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
            assert!(challenge.starts_with("Bearer realm=\"notes-mcp\""), "{challenge}");
            bodies.push(response.text().await.unwrap());
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1);
        for request in [site.modern(&list).bearer_auth(&ada), site.modern(&list).header("x-api-key", &ada)] {
            assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        }
    }

    #[tokio::test]
    async fn a_call_is_logged_under_its_callers_name_and_the_key_nowhere() {
        let log = notes::Log::capture();
        let (site, ada, _) = site().await;
        let request = site.modern(&call(1, "read_note", json!({"name": "one"}))).bearer_auth(&ada);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
        site.modern(&modern(1, "tools/list", json!({}))).bearer_auth("mcp_wrong").send().await.unwrap();
        assert_eq!(log.calls()[0]["who"], "ada");
        assert!(!log.text().contains(&ada) && !log.text().contains("mcp_wrong"), "{}", log.text());
    }

    #[tokio::test]
    async fn a_body_is_not_read_before_the_key() {
        let (site, ..) = site().await;
        let head =
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\nconnection: close\r\n\r\n";
        assert!(site.raw(head.as_bytes()).await.starts_with("HTTP/1.1 401 "));
    }

    #[tokio::test]
    async fn one_callers_question_cannot_be_answered_by_another() {
        let (site, ada, ben) = site().await;
        let mut request = modern_with(
            1,
            "tools/call",
            json!({"name": "delete_note", "arguments": {"name": "one"}}),
            json!({"elicitation": {}}),
        );
        let question: Value =
            site.modern(&request).bearer_auth(&ada).send().await.unwrap().json().await.unwrap();
        request["params"]["requestState"] = question["result"]["requestState"].clone();
        request["params"]["inputResponses"] = json!({"confirm": {"action": "accept"}});
        let response = site.modern(&request).bearer_auth(&ben).send().await.unwrap();
        assert_eq!(rpc_code(response).await, (StatusCode::OK, json!(-32602)));
        let done: Value = site.modern(&request).bearer_auth(&ada).send().await.unwrap().json().await.unwrap();
        assert_eq!(text(&done), "Deleted one");
    }

    #[tokio::test]
    async fn a_session_is_for_the_caller_who_opened_it() {
        let folder = tempfile::tempdir().unwrap();
        let ((ada, ada_line), (ben, ben_line)) = (ApiKeys::generate("ada"), ApiKeys::generate("ben"));
        let file = folder.path().join("keys");
        fs::write(&file, format!("{ada_line}\n{ben_line}\n")).unwrap();
        let mut options = options();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        options.legacy_sessions = true;
        let site = Site::with(options).await;
        let opened =
            site.post().bearer_auth(&ada).body(initialize(json!({})).to_string()).send().await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let list = legacy(2, "tools/list", json!({})).to_string();
        for (key, session, expected) in [
            (&ben, session.as_str(), StatusCode::NOT_FOUND),
            (&ben, "made-up", StatusCode::NOT_FOUND),
            (&ada, session.as_str(), StatusCode::OK),
        ] {
            let request = site.post().bearer_auth(key).header("mcp-session-id", session).body(list.clone());
            assert_eq!(request.send().await.unwrap().status(), expected);
        }
    }

    #[tokio::test]
    async fn an_address_that_others_can_reach_needs_keys() {
        let options = HttpOptions::new(([0, 0, 0, 0], 0).into());
        let error = http_until(notes::service(), options, |_| {}, Stop::default()).await.unwrap_err();
        assert!(error.is_configuration(), "{error}");
    }
}

mod sessions {
    use super::*;

    async fn sse(response: Response) -> Vec<Value> {
        let text = response.text().await.unwrap();
        text.lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data:")?.trim()).ok())
            .collect()
    }

    #[tokio::test]
    async fn there_are_only_so_many() {
        let mut options = options();
        options.legacy_sessions = true;
        options.max_sessions = 2;
        let site = Site::with(options).await;
        let open = || site.post().body(initialize(json!({})).to_string()).send();
        for _ in 0..2 {
            assert_eq!(open().await.unwrap().status(), StatusCode::OK);
        }
        let response = open().await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "10");
        assert!(site.ask(modern(1, "tools/list", json!({}))).await["result"].is_object());
    }

    #[tokio::test]
    async fn one_caller_cannot_have_them_all() {
        let folder = tempfile::tempdir().unwrap();
        let ((ada, ada_line), (ben, ben_line)) = (ApiKeys::generate("ada"), ApiKeys::generate("ben"));
        let file = folder.path().join("keys");
        fs::write(&file, format!("{ada_line}\n{ben_line}\n")).unwrap();
        let mut options = options();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        options.legacy_sessions = true;
        options.max_sessions = 20;
        let site = Site::with(options).await;
        let open = |key: &str| site.post().bearer_auth(key).body(initialize(json!({})).to_string()).send();
        for expected in [StatusCode::OK, StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE] {
            assert_eq!(open(&ada).await.unwrap().status(), expected);
        }
        assert_eq!(open(&ben).await.unwrap().status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn a_legacy_client_in_a_session_can_be_asked() {
        let mut options = options();
        options.legacy_sessions = true;
        let site = Site::with(options).await;
        let opened =
            site.post().body(initialize(json!({"elicitation": {}})).to_string()).send().await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let delete = legacy(2, "tools/call", json!({"name": "delete_note", "arguments": {"name": "one"}}));
        let mut stream =
            site.post().header("mcp-session-id", &session).body(delete.to_string()).send().await.unwrap();
        let mut seen = String::new();
        let question: Value = loop {
            seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
            let found = seen.lines().filter_map(|line| line.strip_prefix("data:"));
            if let Some(message) = found.filter_map(|data| serde_json::from_str::<Value>(data).ok()).next() {
                break message;
            }
        };
        assert_eq!(question["method"], "elicitation/create");
        let answer =
            json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {}}});
        let taken =
            site.post().header("mcp-session-id", &session).body(answer.to_string()).send().await.unwrap();
        assert_eq!(taken.status(), StatusCode::ACCEPTED);
        let messages = sse(stream).await;
        assert_eq!(text(messages.last().unwrap()), "Deleted one");
    }
}

mod limits {
    use super::*;

    #[tokio::test]
    async fn what_is_no_message_is_refused_with_its_error() {
        let site = Site::open().await;
        let deep = "[".repeat(10_000);
        for (body, code) in [
            ("{\"a\":", -32700),
            (deep.as_str(), -32700),
            ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}]", -32600),
            ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"id\":2}", -32600),
            ("{\"id\":1,\"method\":7}", -32600),
        ] {
            let response = site.post().body(body.to_owned()).send().await.unwrap();
            assert_eq!(rpc_code(response).await, (StatusCode::BAD_REQUEST, json!(code)), "{body:.60}");
        }
        let response = site.post().header("content-encoding", "gzip").body("x").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused_whether_it_says_so_or_not() {
        let mut options = options();
        options.max_body = 2_000;
        let site = Site::with(options).await;
        let response = site.post().body("x".repeat(2_001)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let chunked = format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n",
            2_001,
            "x".repeat(2_001)
        );
        assert!(site.raw(chunked.as_bytes()).await.starts_with("HTTP/1.1 413 "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_is_too_slow_is_not_waited_for() {
        let site = Site::open().await;
        let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf";
        assert!(site.raw(head.as_bytes()).await.starts_with("HTTP/1.1 408 "));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_slow_to_say_what_it_wants_is_hung_up_on() {
        let site = Site::open().await;
        let began = tokio::time::Instant::now();
        for bytes in [&b""[..], b"PRI * HT", b"POST /mcp HTTP/1.1\r\nhost: local"] {
            let answer = site.raw(bytes).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
        assert!(began.elapsed() < Duration::from_secs(35), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn a_request_that_could_be_read_in_two_ways_is_refused() {
        let site = Site::open().await;
        let both =
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\ncontent-length: 6\r\n\r\n{}";
        assert!(site.raw(both.as_bytes()).await.starts_with("HTTP/1.1 400 "));
    }

    /// As RFC 9112 (6.3) has it: chunks count, and nothing after them is read.
    #[tokio::test]
    async fn what_comes_after_a_request_with_a_length_and_chunks_is_not_taken_for_another() {
        let site = Site::open().await;
        let second = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
        let framed = [
            "content-length: 5\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 5",
        ];
        for framed in framed {
            let first = format!("POST /mcp HTTP/1.1\r\nhost: localhost\r\n{framed}\r\n\r\n0\r\n\r\n");
            let answer = site.raw(format!("{first}{second}").as_bytes()).await;
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
            assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_request_that_names_two_hosts_is_refused() {
        let site = Site::open().await;
        for head in [
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n",
            "POST http://evil.example/mcp HTTP/1.1\r\nhost: localhost\r\n",
        ] {
            let request = format!("{head}connection: close\r\ncontent-length: 2\r\n\r\n{{}}");
            let answer = site.raw(request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("one host"), "{head}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_anything_is_answered() {
        let site = Site::open().await;
        let list = modern(1, "tools/list", json!({}));
        for accept in [Some("*/*"), Some("text/html, */*;q=0.1"), None] {
            let mut request = site
                .client
                .post(format!("http://{}/mcp", site.addr))
                .header("content-type", "application/json")
                .header("mcp-protocol-version", "2026-07-28")
                .header("mcp-method", "tools/list")
                .body(list.to_string());
            request = match accept {
                Some(accept) => request.header("accept", accept),
                None => request,
            };
            let mut request = request.build().unwrap();
            if accept.is_none() {
                request.headers_mut().remove("accept");
            }
            assert_eq!(site.client.execute(request).await.unwrap().status(), StatusCode::OK, "{accept:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_reads_is_hung_up_on() {
        let mut options = options();
        options.max_connections = 1;
        let site = Site::with(options).await;
        let mut stream = TcpStream::connect(site.addr).await.unwrap();
        let body = modern(1, "tools/list", json!({})).to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\naccept: */*\r\n\
             mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/list\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Requests without end, and no answer is read: the server's hang-up ends the writing.
        let began = tokio::time::Instant::now();
        while stream.write_all(request.as_bytes()).await.is_ok() {}
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        assert!(site.ask(modern(1, "tools/list", json!({}))).await["result"].is_object());
    }

    /// Frames that cost a client nothing (RFC 9113, 10.5): a connection that brings too many of them is closed.
    #[tokio::test]
    async fn a_flood_of_frames_that_ask_for_nothing_is_hung_up_on() {
        const PRIORITY: [u8; 14] = [0, 0, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 15];
        const WINDOW_UPDATE: [u8; 13] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        let site = Site::open().await;
        for frame in [&PRIORITY[..], &WINDOW_UPDATE[..]] {
            let mut stream = TcpStream::connect(site.addr).await.unwrap();
            stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
            let many = frame.repeat(1_000);
            let mut sent = 0;
            while sent < 1_000_000 && stream.write_all(&many).await.is_ok() {
                sent += 1_000;
            }
            assert!((10_000..1_000_000).contains(&sent), "{sent} frames were taken");
        }
    }

    #[tokio::test]
    async fn a_connection_too_many_is_told_so() {
        let mut options = options();
        options.max_connections = 1;
        let site = Site::with(options).await;
        let held = TcpStream::connect(site.addr).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(site.raw(b"").await.starts_with("HTTP/1.1 503 "));
        drop(held);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(site.ask(modern(1, "tools/list", json!({}))).await["result"].is_object());
    }

    #[tokio::test]
    async fn a_client_that_goes_away_stops_its_call() {
        let site = Site::open().await;
        let request = site.modern(&call(1, "wait", json!({})));
        let asking = tokio::spawn(request.send());
        site.begun(1).await;
        asking.abort();
        while site.service.server().slow_dropped.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

mod ends {
    use super::*;

    #[tokio::test]
    async fn health_tells_of_life_and_of_readiness_and_of_no_more() {
        let site = Site::open().await;
        assert_eq!(site.get("/healthz").send().await.unwrap().text().await.unwrap(), "ok");
        let ready: Value = site.get("/readyz").send().await.unwrap().json().await.unwrap();
        assert_eq!(ready, json!({"ready": true}));
        for path in ["/metrics", "/debug", "/"] {
            assert_eq!(site.get(path).send().await.unwrap().status(), StatusCode::NOT_FOUND);
        }
    }

    #[tokio::test]
    async fn a_server_that_is_told_to_end_finishes_what_is_under_way() {
        let site = Site::open().await;
        let request = site.modern(&call(1, "pause", json!({})));
        let pausing = tokio::spawn(request.send());
        let listen = modern(2, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}}));
        let listening = site.modern(&listen).send().await.unwrap();
        site.begun(1).await;
        site.stop.cancel();
        let stream = listening.text().await.unwrap();
        assert!(stream.contains("notifications/subscriptions/acknowledged"), "{stream}");
        assert!(stream.contains("\"result\""), "{stream}");
        assert!(site.get("/healthz").send().await.is_err());
        let answer: Value = pausing.await.unwrap().unwrap().json().await.unwrap();
        assert_eq!(text(&answer), "paused");
        site.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_write_that_waits_to_be_sent_is_given_up_and_answered() {
        let site = Site::open().await;
        let request = site.modern(&call(1, "post_note", json!({"name": "late"})));
        let asking = tokio::spawn(request.send());
        while site.service.server().upstream().status().counts.sent == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        site.stop.cancel();
        tokio::time::pause();
        let answer: Value = asking.await.unwrap().unwrap().json().await.unwrap();
        assert!(text(&answer).starts_with("cancelled: "), "{answer}");
        assert!(text(&answer).contains("nothing was sent"), "{answer}");
        site.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn the_write_of_a_client_that_has_gone_is_finished_and_recorded() {
        let log = notes::Log::capture();
        let site = Site::open().await;
        let request = site.modern(&call(1, "add_note", json!({"name": "late"})));
        let asking = tokio::spawn(request.send());
        site.begun(1).await;
        asking.abort();
        while log.outcomes().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        site.stop.cancel();
        tokio::time::pause();
        site.server.await.unwrap().unwrap();
        assert!(site.service.server().lock().contains_key("late"));
        let outcomes = ["cancelled", "ok"].map(|outcome| ("add_note".to_owned(), outcome.to_owned()));
        assert_eq!(log.outcomes(), outcomes);
    }

    #[tokio::test]
    async fn what_takes_too_long_to_finish_does_not_keep_the_server() {
        let mut options = options();
        options.drain = Duration::from_millis(100);
        let site = Site::with(options).await;
        let request = site.modern(&call(1, "wait", json!({})));
        let waiting = tokio::spawn(request.send());
        site.begun(1).await;
        site.stop.cancel();
        site.server.await.unwrap().unwrap();
        drop(waiting);
    }
}
