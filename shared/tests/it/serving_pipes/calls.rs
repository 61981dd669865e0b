//! Calls under way: deadlines, cancellation, how many at once, progress, the line each leaves.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_over_the_deadline_is_stopped_and_answered() {
    let service = notes::service();
    let options = StdioOptions { call_timeout: Duration::from_secs(3), ..StdioOptions::default() };
    let mut client = Client::with(&service, options);
    let answer = client.ask(modern(1, "tools/call", call("wait", json!({})))).await;
    assert_eq!(
        text(&answer),
        "upstream: The call took longer than 3 s and was stopped. Ask for less at once, or try again later."
    );
    assert_eq!(service.server().slow_dropped.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_cancelled_call_stops_its_work_and_is_not_answered() {
    let service = notes::service();
    let mut client = Client::of(&service);
    client.send(&modern(1, "tools/call", call("wait", json!({})))).await;
    while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}))
        .await;
    while service.server().slow_dropped.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "one"})))).await;
    assert_eq!(text(&answer), "First.");
}

#[tokio::test(start_paused = true)]
async fn calls_beyond_those_that_may_wait_are_refused() {
    let service = notes::service();
    let options = StdioOptions { max_in_flight: 1, ..StdioOptions::default() };
    let mut client = Client::with(&service, options);
    for id in 1..=6 {
        client.send(&modern(id, "tools/call", call("pause", json!({})))).await;
    }
    let mut answers = Vec::new();
    for _ in 1..=6 {
        let answer = client.next().await;
        answers.push(text(&answer).to_owned());
    }
    assert!(answers[0].starts_with("rate_limited: "), "{answers:?}");
    assert_eq!(answers[1..], ["paused"; 5]);
}

#[tokio::test(start_paused = true)]
async fn progress_rises_and_comes_only_when_it_is_wanted() {
    let mut client = Client::of(&notes::service());
    let mut request = modern(1, "tools/call", call("count", json!({})));
    request["params"]["_meta"]["progressToken"] = json!("p");
    client.send(&request).await;
    let mut told = Vec::new();
    let answer = loop {
        let message = client.next().await;
        if message["method"] != "notifications/progress" {
            break message;
        }
        assert_eq!(message["params"]["progressToken"], "p");
        told.push(message["params"]["progress"].as_f64().unwrap());
    };
    assert_eq!(text(&answer), "three");
    assert_eq!(told, [1.0, 2.0, 3.0]);
    let answer = client.ask(modern(2, "tools/call", call("count", json!({})))).await;
    assert_eq!(text(&answer), "three");
}

#[tokio::test]
async fn every_call_leaves_one_line_without_its_arguments() {
    let log = notes::Log::capture();
    let mut client = Client::of(&notes::service());
    for (id, name, arguments) in [
        (1, "read_note", json!({"name": "one"})),
        (2, "read_note", json!({"name": "canary"})),
        (3, "canary\n", json!({})),
        (4, "crash", json!({})),
        (5, "delete_note", json!({"name": "one"})),
    ] {
        client.ask(modern(id, "tools/call", call(name, arguments))).await;
    }
    client.ask(modern(6, "resources/read", json!({"uri": "notes://note/canary"}))).await;
    client.hang_up().await.unwrap();
    let calls: Vec<_> = log
        .calls()
        .iter()
        .map(|line| {
            ["who", "tool", "effect", "outcome"].map(|field| line[field].as_str().unwrap().to_owned())
        })
        .collect();
    assert_eq!(
        calls,
        [
            ["local", "read_note", "read", "ok"],
            ["local", "read_note", "read", "not_found"],
            ["local", "?", "-", "unknown_tool"],
            ["local", "crash", "read", "internal"],
            ["local", "delete_note", "destructive", "asked"],
            ["local", "resources/read", "read", "not_found"],
        ]
    );
    assert!(!log.text().contains("canary"), "{}", log.text());
}
