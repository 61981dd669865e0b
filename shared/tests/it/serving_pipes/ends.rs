//! How the server ends: with its input, or told to.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_server_ends_with_its_input_even_with_an_open_subscription() {
    let mut client = Client::of(&notes::service());
    client
        .send(&modern(1, "subscriptions/listen", json!({"notifications": {"toolsListChanged": true}})))
        .await;
    let acknowledged = client.next().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged["params"]["notifications"], json!({}));
    let began = tokio::time::Instant::now();
    client.hang_up().await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn calls_under_way_are_answered_after_the_input_has_ended() {
    let mut client = Client::of(&notes::service());
    client.send(&modern(1, "tools/call", call("pause", json!({})))).await;
    client.write.take().unwrap().shutdown().await.unwrap();
    assert_eq!(text(&client.next().await), "paused");
    client.server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_told_to_end_finishes_what_is_under_way() {
    let service = notes::service();
    let mut client = Client::of(&service);
    client.send(&modern(1, "tools/call", call("pause", json!({})))).await;
    while service.server().slow_begun.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    client.stop.cancel();
    assert_eq!(text(&client.next().await), "paused");
    client.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_only_probes_is_no_failure() {
    Client::of(&notes::service()).hang_up().await.unwrap();
    let mut client = Client::of(&notes::service());
    client.ask(modern(1, "server/discover", json!({}))).await;
    client.hang_up().await.unwrap();
}
