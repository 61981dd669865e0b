//! A write under way is finished, whatever becomes of its call.

use super::*;

fn add() -> Value {
    modern(1, "tools/call", call("add_note", json!({"name": "late"})))
}

fn cancel() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
}

/// A client whose write is under way.
async fn writing(service: &Arc<Service<Notes>>, options: StdioOptions) -> Client {
    let mut client = Client::with(service, options);
    client.send(&add()).await;
    while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    client
}

fn outcomes(expected: &[&str]) -> Vec<(String, String)> {
    expected.iter().map(|outcome| ("add_note".to_owned(), (*outcome).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_calls_write_is_finished_and_recorded() {
    let (log, service) = (notes::Log::capture(), notes::service());
    let mut client = writing(&service, StdioOptions::default()).await;
    client.send(&cancel()).await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let answer = client.ask(modern(2, "tools/call", call("read_note", json!({"name": "late"})))).await;
    assert_eq!(text(&answer), "Late.");
    assert_eq!(log.outcomes()[..2], outcomes(&["cancelled", "ok"]));
}

#[tokio::test(start_paused = true)]
async fn a_write_over_the_deadline_is_finished_and_recorded() {
    let (log, service) = (notes::Log::capture(), notes::service());
    let options = StdioOptions { call_timeout: Duration::from_secs(3), ..StdioOptions::default() };
    let mut client = writing(&service, options).await;
    let answer = client.next().await;
    assert!(text(&answer).starts_with("unknown_outcome: "), "{answer}");
    client.hang_up().await.unwrap();
    assert_eq!(log.outcomes(), outcomes(&["unknown_outcome", "ok"]));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_answered_is_recorded_once() {
    let (log, service) = (notes::Log::capture(), notes::service());
    let mut client = writing(&service, StdioOptions::default()).await;
    assert_eq!(text(&client.next().await), "Added late");
    client.hang_up().await.unwrap();
    assert_eq!(log.outcomes(), outcomes(&["ok"]));
}

#[tokio::test(start_paused = true)]
async fn the_server_ends_after_the_write_that_was_under_way_when_its_input_ended() {
    let service = notes::service();
    let client = writing(&service, StdioOptions::default()).await;
    client.hang_up().await.unwrap();
    assert!(service.server().lock().contains_key("late"));
}

#[tokio::test(start_paused = true)]
async fn the_server_ends_after_the_write_that_was_under_way_when_it_was_told_to_end() {
    let service = notes::service();
    let mut client = writing(&service, StdioOptions::default()).await;
    client.send(&cancel()).await;
    client.stop.cancel();
    client.server.await.unwrap().unwrap();
    assert!(service.server().lock().contains_key("late"));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_takes_too_long_does_not_keep_the_server_and_is_named() {
    let (log, service) = (notes::Log::capture(), notes::service());
    let options = StdioOptions { drain: Duration::from_secs(6), ..StdioOptions::default() };
    let client = writing(&service, options).await;
    let began = tokio::time::Instant::now();
    client.hang_up().await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 6);
    assert!(!service.server().lock().contains_key("late"));
    let lines = log.text();
    let warning = lines.lines().find(|line| line.contains("\"WARN\"")).unwrap_or_default();
    assert!(warning.contains("\"tools\":\"add_note\""), "{lines}");
}

/// A client whose write waits to be sent: what it may send in these seconds is used up.
async fn waiting(service: &Arc<Service<Notes>>) -> Client {
    let mut client = Client::of(service);
    client.send(&modern(1, "tools/call", call("post_note", json!({"name": "one"})))).await;
    while service.server().upstream().status().counts.sent == 0 {
        tokio::task::yield_now().await;
    }
    client
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_to_be_sent_is_given_up_and_answered_at_the_end_of_input() {
    let service = notes::service();
    let mut client = waiting(&service).await;
    client.write.take().unwrap().shutdown().await.unwrap();
    let answer = client.next().await;
    assert!(
        text(&answer).starts_with("cancelled: ") && text(&answer).contains("nothing was sent"),
        "{answer}"
    );
    client.server.await.unwrap().unwrap();
    assert_eq!(service.server().upstream().status().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_to_be_sent_is_given_up_and_answered_when_the_server_is_told_to_end() {
    let service = notes::service();
    let mut client = waiting(&service).await;
    client.stop.cancel();
    let answer = client.next().await;
    assert!(
        text(&answer).starts_with("cancelled: ") && text(&answer).contains("nothing was sent"),
        "{answer}"
    );
}
