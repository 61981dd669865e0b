//! What comes over the pipe that is no message, too long, or too fast.

use super::*;

#[tokio::test]
async fn what_is_no_message_is_answered_and_the_next_one_still_heard() {
    let mut client = Client::of(&notes::service());
    for (line, code) in [
        (&b"hello"[..], -32700),
        (b"\xff\xfe\x00", -32700),
        (br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600),
        (br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, -32600),
        (br#"{"id":5,"method":7}"#, -32600),
    ] {
        client.write(line).await;
        let answer = client.next().await;
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    client.write(b"").await;
    client.write(br#"{"jsonrpc":"2.0","method":"window/didChange","params":{}}"#).await;
    assert!(client.ask(modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_line_that_is_too_long_is_refused_without_being_kept() {
    let options = StdioOptions { max_line: 1024, ..StdioOptions::default() };
    let mut client = Client::with(&notes::service(), options);
    client.write(&vec![b'x'; 1_000_000]).await;
    assert_eq!(client.next().await["error"]["code"], -32600);
    // A request is told by its id, wherever that stands; its client would wait for ever otherwise.
    let long = "x".repeat(1_000_000);
    for request in [format!(r#"{{"id":7,"params":"{long}"}}"#), format!(r#"{{"params":"{long}","id":7}}"#)] {
        client.write(request.as_bytes()).await;
        let answer = client.next().await;
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(7)), "{answer}");
    }
    assert!(client.ask(modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_request_with_text_that_is_no_unicode_is_told_by_its_id() {
    let mut client = Client::of(&notes::service());
    client.write(br#"{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{"x":"\ud800"}}"#).await;
    let answer = client.next().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &json!("a")), "{answer}");
}

#[tokio::test]
async fn the_last_request_needs_no_newline() {
    let mut client = Client::of(&notes::service());
    let mut write = client.write.take().unwrap();
    let request = modern(1, "tools/list", json!({})).to_string();
    write.write_all(request.as_bytes()).await.unwrap();
    write.shutdown().await.unwrap();
    assert!(client.next().await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_request_under_an_id_that_is_not_answered_yet_is_not_begun() {
    let service = notes::service();
    let mut client = Client::of(&service);
    let wait = || modern(1, "tools/call", call("wait", json!({})));
    client.send(&wait()).await;
    client.send(&wait()).await;
    let refused = client.next().await;
    assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &Value::Null), "{refused}");
    assert_eq!(service.server().slow_begun.load(Ordering::SeqCst), 1);
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    client.send(&cancel).await;
    for _ in 0..2 {
        assert!(client.ask(modern(2, "tools/list", json!({}))).await["result"]["tools"].is_array());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_not_read_from() {
    let mut client = Client::of(&notes::service());
    let mut write = client.write.take().unwrap();
    let asking = tokio::spawn(async move {
        for id in 0..5_000 {
            let line = modern(id, "tools/list", json!({})).to_string() + "\n";
            write.write_all(line.as_bytes()).await.unwrap();
        }
        write
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!asking.is_finished());
    let mut ids: Vec<_> = Vec::new();
    while ids.len() < 5_000 {
        ids.push(client.next().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..5_000));
    client.write = Some(asking.await.unwrap());
    client.hang_up().await.unwrap();
}

#[tokio::test]
async fn notifications_before_the_era_is_known_do_not_end_the_server() {
    let mut client = Client::of(&notes::service());
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    client.ask(modern(1, "server/discover", json!({}))).await;
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
        .await;
    let incomplete = client.ask(legacy(2, "tools/list", json!({}))).await;
    assert_eq!(incomplete["error"]["code"], -32602, "{incomplete}");
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    assert!(client.ask(modern(3, "tools/list", json!({}))).await["result"]["tools"].is_array());
}
