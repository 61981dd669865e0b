//! What an agent watches, it is told of: subscriptions to resources in both eras, on both transports.
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use crate::notes::{self, Notes, initialize, legacy, modern, pipe::Client, site};
use connector::{
    Connector as _, Service,
    catalog::{Catalog, Reply, Resource, ResourceTemplate},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const ONE: &str = "notes://note/one";
const TWO: &str = "notes://note/two";
const INTERVAL: Duration = Duration::from_secs(30);

/// A modern subscription to resources.
fn listen(id: u64, uris: &[&str]) -> Value {
    let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": uris});
    modern(id, "subscriptions/listen", json!({"notifications": wanted}))
}

/// What was acknowledged of a subscription.
fn acknowledged(message: &Value) -> &Value {
    assert_eq!(message["method"], "notifications/subscriptions/acknowledged", "{message}");
    &message["params"]["notifications"]
}

/// The address that news are about.
fn changed(message: &Value) -> &str {
    assert_eq!(message["method"], "notifications/resources/updated", "{message}");
    message["params"]["uri"].as_str().unwrap()
}

fn looks(service: &Arc<Service<Notes>>) -> usize {
    service.server().looks.load(Ordering::SeqCst)
}

/// Nothing but a resource that nobody can watch.
fn unwatched() -> Arc<Service<Notes>> {
    let still = Resource::new("notes://still", "still", "Still", "Never changes.", |_| async {
        Ok(Reply::new("still"))
    });
    notes::offering(Catalog::new().resources([still]), false)
}

mod modern_pipes {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_with_its_subscription_and_nothing_else_is() {
        let service = notes::service();
        let mut client = Client::of(&service);
        client.send(&listen(7, &[ONE])).await;
        assert_eq!(*acknowledged(&client.next().await), json!({"resourceSubscriptions": [ONE]}));
        sleep(INTERVAL).await;
        service.server().put("two", "Changed, and not watched.");
        service.server().put("one", "Changed.");
        let news = client.next().await;
        assert_eq!(changed(&news), ONE);
        assert_eq!(news["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 7, "{news}");
        sleep(INTERVAL * 5).await;
        let read = client.ask(modern(8, "resources/read", json!({"uri": ONE}))).await;
        assert_eq!(read["result"]["contents"][0]["text"], "Changed.");
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_can_be_watched_is_acknowledged() {
        let mut client = Client::of(&notes::service());
        let wanted =
            ["notes://all", ONE, "notes://note/private", "notes://note/a/b", "other://x", "", ONE, TWO];
        client.send(&listen(1, &wanted)).await;
        let answer = client.next().await;
        let uris = acknowledged(&answer)["resourceSubscriptions"].as_array().unwrap();
        assert!(uris.contains(&json!(ONE)) && uris.contains(&json!(TWO)), "{answer}");
        assert!(uris.iter().all(|uri| uri == ONE || uri == TWO), "{answer}");
        let many: Vec<_> = (0..40).map(|number| format!("notes://note/{number}")).collect();
        client.send(&listen(2, &many.iter().map(String::as_str).collect::<Vec<_>>())).await;
        let answer = client.next().await;
        assert_eq!(acknowledged(&answer)["resourceSubscriptions"].as_array().unwrap().len(), 32);
        client.send(&listen(3, &["notes://all"])).await;
        assert_eq!(*acknowledged(&client.next().await), json!({}));
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_subscription_is_not_looked_at_any_more() {
        let service = notes::service();
        let mut client = Client::of(&service);
        client.send(&listen(1, &[ONE])).await;
        client.next().await;
        sleep(INTERVAL + Duration::from_secs(1)).await;
        assert_eq!(looks(&service), 2);
        let cancel =
            json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        client.send(&cancel).await;
        sleep(INTERVAL * 10).await;
        assert_eq!(looks(&service), 2);
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_ends_at_once_and_no_task_is_left() {
        let service = notes::service();
        let mut client = Client::of(&service);
        client.send(&listen(1, &[ONE, TWO])).await;
        client.next().await;
        sleep(Duration::from_secs(1)).await;
        let began = Instant::now();
        client.hang_up().await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(100));
        sleep(INTERVAL * 10).await;
        assert_eq!(looks(&service), 2);
        assert_eq!(Arc::strong_count(&service), 1, "a task holds the server");
    }

    #[tokio::test(start_paused = true)]
    async fn looking_is_no_call_and_a_failure_is_logged_once_without_its_address() {
        let log = notes::Log::capture();
        let catalog = Notes::catalog().templates([broken()]);
        let mut client = Client::of(&notes::offering(catalog, false));
        client.send(&listen(1, &[ONE, "notes://broken/canary"])).await;
        client.next().await;
        sleep(INTERVAL * 100).await;
        assert_eq!(log.calls(), [] as [Value; 0]);
        assert_eq!(log.text().matches("cannot be looked at").count(), 1, "{}", log.text());
        assert!(!log.text().contains("canary"), "{}", log.text());
        client.hang_up().await.unwrap();
    }

    /// Notes that a bug keeps from being looked at.
    fn broken() -> ResourceTemplate<Notes> {
        ResourceTemplate::new("notes://broken/{name}", "broken", "Broken", "", |_, _| async {
            Ok(Reply::new("never"))
        })
        .subscribable(|_, _| Ok(()), |_, _| async { panic!("a bug") })
    }
}

mod legacy_pipes {
    use super::*;

    async fn subscribe(client: &mut Client, id: u64, uri: &str) -> Value {
        client.ask(legacy(id, "resources/subscribe", json!({"uri": uri}))).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_until_the_client_has_had_enough() {
        let service = notes::service();
        let mut client = Client::legacy(&service, json!({})).await;
        assert_eq!(subscribe(&mut client, 1, ONE).await["result"], json!({}));
        assert_eq!(subscribe(&mut client, 2, TWO).await["result"], json!({}));
        assert_eq!(subscribe(&mut client, 3, ONE).await["result"], json!({}), "a second time is no error");
        sleep(Duration::from_secs(1)).await;
        service.server().put("one", "Changed.");
        let news = client.next().await;
        assert_eq!(changed(&news), ONE);
        assert_eq!(news["params"], json!({"uri": ONE}));
        let answer = client.ask(legacy(4, "resources/unsubscribe", json!({"uri": ONE}))).await;
        assert_eq!(answer["result"], json!({}));
        service.server().put("one", "Changed again.");
        service.server().put("two", "Changed.");
        assert_eq!(changed(&client.next().await), TWO);
        client.ask(legacy(5, "resources/unsubscribe", json!({"uri": TWO}))).await;
        let before = looks(&service);
        sleep(INTERVAL * 10).await;
        assert_eq!(looks(&service), before);
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_is_told_once() {
        let service = notes::service();
        let mut client = Client::legacy(&service, json!({})).await;
        subscribe(&mut client, 1, ONE).await;
        sleep(Duration::from_secs(1)).await;
        service.server().lock().remove("one");
        assert_eq!(changed(&client.next().await), ONE);
        let before = looks(&service);
        sleep(INTERVAL * 100).await;
        assert_eq!(looks(&service), before);
        // The next message is the answer to this, not news.
        service.server().put("one", "Back.");
        assert_eq!(subscribe(&mut client, 2, ONE).await["result"], json!({}));
        sleep(Duration::from_secs(1)).await;
        service.server().put("one", "Changed.");
        assert_eq!(changed(&client.next().await), ONE);
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_watched_is_an_error_that_says_what_can() {
        let mut client = Client::legacy(&notes::service(), json!({})).await;
        for (id, uri) in [(1, "notes://all"), (2, "other://x")] {
            let answer = subscribe(&mut client, id, uri).await;
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert_eq!(
                message,
                format!("invalid_argument: {uri} cannot be watched. These can: notes://note/{{name}}.")
            );
        }
        let answer = subscribe(&mut client, 3, "notes://note/private").await;
        assert_eq!(answer["error"]["data"]["kind"], "policy", "{answer}");
        let answer = client.ask(legacy(4, "resources/subscribe", json!({}))).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_watches_so_many_and_no_more() {
        let mut client = Client::legacy(&notes::service(), json!({})).await;
        for number in 0..32 {
            let answer = subscribe(&mut client, number + 1, &format!("notes://note/{number}")).await;
            assert_eq!(answer["result"], json!({}));
        }
        let answer = subscribe(&mut client, 40, ONE).await;
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.contains("At most 32 resources can be watched by one client"), "{message}");
        assert_eq!(subscribe(&mut client, 41, "notes://note/3").await["result"], json!({}));
        client.ask(legacy(42, "resources/unsubscribe", json!({"uri": "notes://note/3"}))).await;
        assert_eq!(subscribe(&mut client, 43, ONE).await["result"], json!({}));
        client.hang_up().await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_connections_end_ends_its_subscriptions() {
        let service = notes::service();
        let mut client = Client::legacy(&service, json!({})).await;
        subscribe(&mut client, 1, ONE).await;
        sleep(Duration::from_secs(1)).await;
        client.hang_up().await.unwrap();
        sleep(INTERVAL * 10).await;
        assert_eq!((looks(&service), Arc::strong_count(&service)), (1, 1));
    }
}

mod declared {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn subscribing_is_declared_only_where_something_is_watched() {
        let mut client = Client::of(&notes::service());
        let discovered = client.ask(modern(1, "server/discover", json!({}))).await;
        assert_eq!(discovered["result"]["capabilities"]["resources"], json!({"subscribe": true}));
        let mut client = Client::of(&notes::service());
        let answer = client.ask(initialize(json!({}))).await;
        assert_eq!(answer["result"]["capabilities"]["resources"], json!({"subscribe": true}));

        let mut client = Client::of(&unwatched());
        let discovered = client.ask(modern(1, "server/discover", json!({}))).await;
        assert_eq!(discovered["result"]["capabilities"]["resources"], json!({}));
        let mut client = Client::legacy(&unwatched(), json!({})).await;
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            let answer = client.ask(legacy(2, method, json!({"uri": "notes://still"}))).await;
            assert_eq!(answer["error"]["code"], -32601, "{answer}");
        }
    }
}

mod http {
    use super::*;
    use crate::notes::site::Site;

    /// A service whose notes are looked at so often that a test need not wait.
    fn quick() -> Arc<Service<Notes>> {
        let service = notes::service();
        *service.server().poll_interval.lock().unwrap() = Duration::from_millis(5);
        service
    }

    async fn until_nobody_looks(service: &Arc<Service<Notes>>) {
        loop {
            let before = looks(service);
            sleep(Duration::from_millis(50)).await;
            if looks(service) == before {
                return;
            }
        }
    }

    async fn looked(service: &Arc<Service<Notes>>, times: usize) {
        while looks(service) < times {
            tokio::task::yield_now().await;
        }
    }

    /// The messages of a stream, one after the other.
    struct Stream(reqwest::Response, String);

    impl Stream {
        async fn next(&mut self) -> Value {
            loop {
                if let Some((event, rest)) = self.1.split_once("\n\n") {
                    let data: String = event.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                    let message = serde_json::from_str(&data).ok();
                    self.1 = rest.to_owned();
                    if let Some(message) = message {
                        return message;
                    }
                    continue;
                }
                let chunk = self.0.chunk().await.unwrap().expect("the stream goes on");
                self.1.push_str(&String::from_utf8_lossy(&chunk).replace('\r', ""));
            }
        }
    }

    #[tokio::test]
    async fn a_modern_client_is_told_on_its_stream_until_the_server_ends() {
        let service = quick();
        let site = Site::of(Arc::clone(&service), site::options()).await;
        let mut stream = Stream(site.modern(&listen(9, &[ONE])).send().await.unwrap(), String::new());
        assert_eq!(*acknowledged(&stream.next().await), json!({"resourceSubscriptions": [ONE]}));
        looked(&service, 1).await;
        service.server().put("one", "Changed.");
        let news = stream.next().await;
        assert_eq!(changed(&news), ONE);
        assert_eq!(news["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 9, "{news}");
        site.stop.cancel();
        assert!(stream.next().await["result"].is_object());
        site.server.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_modern_client_that_goes_away_is_not_looked_for() {
        let service = quick();
        let site = Site::of(Arc::clone(&service), site::options()).await;
        let mut stream = Stream(site.modern(&listen(9, &[ONE])).send().await.unwrap(), String::new());
        stream.next().await;
        looked(&service, 1).await;
        drop(stream);
        until_nobody_looks(&service).await;
    }

    #[tokio::test]
    async fn a_legacy_client_without_a_session_cannot_subscribe() {
        let site = Site::open().await;
        let response = site.post().body(initialize(json!({})).to_string()).send().await.unwrap();
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["result"]["capabilities"]["resources"], json!({}));
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            let request = legacy(2, method, json!({"uri": ONE})).to_string();
            let response =
                site.post().header("mcp-protocol-version", "2025-11-25").body(request).send().await.unwrap();
            let answer: Value = response.json().await.unwrap();
            assert_eq!(answer["error"]["code"], -32601, "{answer}");
        }
        let discovered = site.ask(modern(3, "server/discover", json!({}))).await;
        assert_eq!(discovered["result"]["capabilities"]["resources"], json!({"subscribe": true}));
    }

    #[tokio::test]
    async fn a_legacy_client_is_told_in_its_session() {
        let service = quick();
        let mut options = site::options();
        options.legacy_sessions = true;
        let site = Site::of(Arc::clone(&service), options).await;
        let opened = site.post().body(initialize(json!({})).to_string()).send().await.unwrap();
        let session = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        let post =
            |message: Value| site.post().header("mcp-session-id", &session).body(message.to_string()).send();
        post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await.unwrap();
        let get = site.get("/mcp").header("accept", "text/event-stream").header("mcp-session-id", &session);
        let mut stream = Stream(get.send().await.unwrap(), String::new());
        let answer = post(legacy(2, "resources/subscribe", json!({"uri": ONE}))).await.unwrap();
        assert!(answer.status().is_success());
        looked(&service, 1).await;
        service.server().put("one", "Changed.");
        assert_eq!(changed(&stream.next().await), ONE);
        let url = format!("http://{}/mcp", site.addr);
        site.client.delete(url).header("mcp-session-id", &session).send().await.unwrap();
        until_nobody_looks(&service).await;
    }
}
