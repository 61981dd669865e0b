//! Every fault, as a client over real loopback HTTP meets it, on paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use futures::StreamExt as _;
use http::{StatusCode, header, request::Parts};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::{Action, Change, Fake, Harness, Rule, Running, start};

/// A vendor that counts.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU32>);

impl Fake for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn router(&self, _: &Harness) -> Router {
        let (read, write) = (Arc::clone(&self.0), Arc::clone(&self.0));
        let show = |count: u32| axum::Json(json!({ "count": count, "note": "one, two, three" }));
        Router::new()
            .route("/count", get(move || async move { show(read.load(Ordering::SeqCst)) }))
            .route("/add", post(move || async move { show(write.fetch_add(1, Ordering::SeqCst) + 1) }))
            .route("/large", get(|| async { "x".repeat(20_000_000) }))
    }

    fn operation(&self, parts: &Parts, _: &[u8]) -> String {
        parts.uri.path().trim_start_matches('/').to_owned()
    }

    fn reset(&self, _: &Harness) {
        self.0.store(0, Ordering::SeqCst);
    }

    fn dump(&self) -> Value {
        json!({ "count": self.0.load(Ordering::SeqCst) })
    }

    fn rate_limited(&self, retry_after: Option<&str>) -> Response {
        let mut response = (StatusCode::TOO_MANY_REQUESTS, "easy!").into_response();
        if let Some(value) = retry_after.and_then(|value| value.parse().ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        response
    }
}

/// The vendor, running, with a client whose timeout is ten seconds.
struct Bench {
    running: Running,
    client: reqwest::Client,
    fake: Counter,
}

impl Bench {
    async fn new() -> Self {
        // Another test may have been first; either way there is a provider now.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let fake = Counter::default();
        let running = start(Arc::new(fake.clone()), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
        Self { running, client, fake }
    }

    async fn with(rule: Rule) -> Self {
        let bench = Self::new().await;
        bench.running.harness().faults().add(rule);
        bench
    }

    fn url(&self, path: &str) -> String {
        self.running.url().join(path).unwrap().to_string()
    }

    async fn add(&self) -> reqwest::Result<reqwest::Response> {
        self.client.post(self.url("add")).send().await
    }

    fn count(&self) -> u32 {
        self.fake.0.load(Ordering::SeqCst)
    }

    /// The journal in short: status, fault and whether the fake saw it, for each request.
    fn journal(&self) -> Vec<(Option<u16>, Option<&'static str>, bool)> {
        let entries = self.running.harness().journal().entries();
        entries.iter().map(|entry| (entry.status, entry.fault, entry.handled)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn without_faults_requests_are_answered_and_time_stands() {
    let bench = Bench::new().await;
    let start = Instant::now();
    for n in 1..=20 {
        let answer: Value = bench.add().await.unwrap().json().await.unwrap();
        assert_eq!(answer["count"], n);
    }
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    assert_eq!(bench.journal(), vec![(Some(200), None, true); 20]);
}

#[tokio::test(start_paused = true)]
async fn time_stands_for_a_client_in_a_task_of_its_own() {
    let bench = Bench::new().await;
    let client = tokio::spawn(async move {
        let start = Instant::now();
        for _ in 0..20 {
            bench.add().await.unwrap();
        }
        start.elapsed()
    });
    let passed = client.await.unwrap();
    assert!(passed < Duration::from_millis(100), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_arrives_whole_on_paused_time() {
    let bench = Bench::new().await;
    let body = bench.client.get(bench.url("large")).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len(), 20_000_000);
}

#[tokio::test(start_paused = true)]
async fn many_clients_at_once_see_no_timeout_on_paused_time() {
    let bench = Arc::new(Bench::new().await);
    let calls = (0..50).map(|_| {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move {
            for _ in 0..3 {
                bench.add().await.unwrap();
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        })
    });
    let start = Instant::now();
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    assert_eq!(bench.count(), 150);
    let passed = start.elapsed().as_secs_f64();
    assert!((90.0..93.0).contains(&passed), "{passed}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_backs_off_sleeps_its_exact_time() {
    let bench = Bench::with(Rule::new("add", Action::status(503)).times(2)).await;
    let start = Instant::now();
    while bench.add().await.unwrap().status() == 503 {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let passed = start.elapsed();
    assert!(passed >= Duration::from_secs(10) && passed < Duration::from_millis(10_050), "{passed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_status_can_come_before_or_after_the_commit() {
    let bench = Bench::new().await;
    let faults = bench.running.harness().faults().clone();
    let headers = [("x-request-id".to_owned(), "r1".to_owned())].into();
    let mut status =
        Action::Status { code: 502, headers, body: "{\"error\":1}".to_owned(), committed: false };
    faults.add(Rule::new("add", status.clone()));
    let answer = bench.add().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.headers()["x-request-id"], "r1");
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "error": 1 }));
    assert_eq!(bench.count(), 0);

    if let Action::Status { committed, .. } = &mut status {
        *committed = true;
    }
    faults.add(Rule::new("add", status));
    assert_eq!(bench.add().await.unwrap().status(), 502);
    assert_eq!(bench.count(), 1);
    assert_eq!(bench.journal(), [(Some(502), Some("status"), false), (Some(502), Some("status"), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_exact_and_outlives_the_client() {
    let bench = Bench::new().await;
    let faults = bench.running.harness().faults().clone();
    faults.add(Rule::new("add", Action::Delay { by: Duration::from_secs(8) }));
    let start = Instant::now();
    assert_eq!(bench.add().await.unwrap().status(), 200);
    assert!(start.elapsed().abs_diff(Duration::from_secs(8)) < Duration::from_millis(50));

    faults.add(Rule::new("add", Action::Delay { by: Duration::from_secs(60) }));
    assert!(bench.add().await.unwrap_err().is_timeout());
    assert_eq!(bench.count(), 1, "not yet");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.count(), 2, "the write landed after its caller's timeout");
}

#[tokio::test(start_paused = true)]
async fn what_a_delay_holds_is_let_go_when_the_rules_are_cleared() {
    let bench = Bench::new().await;
    let faults = bench.running.harness().faults().clone();
    faults.add(Rule::new("add", Action::Delay { by: Duration::from_secs(3_600) }));
    let start = Instant::now();
    let (answer, ()) = tokio::join!(bench.add(), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.count(), 0, "not yet");
        faults.clear();
    });
    assert_eq!(answer.unwrap().status(), 200);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn limits_and_refusals_are_said_in_the_vendors_own_way() {
    let bench = Bench::with(Rule::new("add", Action::rate_limit(Some("7")))).await;
    bench.running.harness().faults().add(Rule::new("add", Action::rate_limit(None)));
    bench.running.harness().faults().add(Rule::new("add", Action::Unauthorized));
    let limited = bench.add().await.unwrap();
    assert_eq!(
        (limited.status(), limited.headers()["retry-after"].to_str().unwrap()),
        (StatusCode::TOO_MANY_REQUESTS, "7")
    );
    assert_eq!(limited.text().await.unwrap(), "easy!");
    assert!(!bench.add().await.unwrap().headers().contains_key("retry-after"));
    assert_eq!(bench.add().await.unwrap().status(), 401);
    assert_eq!(bench.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_connection_cut_before_the_handler_commits_nothing() {
    let bench = Bench::with(Rule::new("add", Action::CloseBefore)).await;
    let error = bench.add().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert_eq!(bench.count(), 0);
    assert_eq!(bench.journal(), [(None, Some("close_before"), false)]);
    assert_eq!(bench.add().await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_connection_cut_after_the_handler_has_committed() {
    let bench = Bench::with(Rule::new("add", Action::CloseAfter)).await;
    let error = bench.add().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout(), "{error:?}");
    assert_eq!(bench.count(), 1);
    assert_eq!(bench.journal(), [(None, Some("close_after"), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_was_answered_first() {
    let bench = Bench::with(Rule::new("add", Action::CloseIdle)).await;
    let answer = bench.add().await.unwrap();
    assert!(!answer.headers().contains_key("connection"), "the closing is not announced");
    assert_eq!(answer.json::<Value>().await.unwrap()["count"], 1);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.add().await.unwrap().status(), 200, "the client notices and connects anew");
}

#[tokio::test(start_paused = true)]
async fn a_truncated_body_breaks_off_where_told() {
    let bench = Bench::with(Rule::new("add", Action::Truncate { bytes: 9 })).await;
    let answer = bench.add().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.content_length().unwrap() > 9);
    let mut body = answer.bytes_stream();
    let mut got = Vec::new();
    let error = loop {
        match body.next().await.unwrap() {
            Ok(bytes) => got.extend_from_slice(&bytes),
            Err(error) => break error,
        }
    };
    assert_eq!(got, b"{\"count\":");
    assert!(error.is_body() || error.is_decode(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drip_takes_its_time() {
    let bench = Bench::new().await;
    let faults = bench.running.harness().faults().clone();
    let length = bench.add().await.unwrap().content_length().unwrap();
    faults.add(Rule::new("add", Action::Drip { bytes_per_second: 10 }));
    let start = Instant::now();
    let body = bench.add().await.unwrap().bytes().await.unwrap();
    assert_eq!(body.len() as u64, length);
    let due = Duration::from_millis(100 * length);
    assert!(start.elapsed().abs_diff(due) < due / 20, "{:?} is not about {due:?}", start.elapsed());

    faults.add(Rule::new("add", Action::Drip { bytes_per_second: 1 }));
    let start = Instant::now();
    let error = bench.add().await.unwrap().bytes().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert!(start.elapsed().abs_diff(Duration::from_secs(10)) < Duration::from_millis(200));
}

#[tokio::test(start_paused = true)]
async fn a_stall_ends_only_with_the_clients_patience() {
    let bench = Bench::with(Rule::new("add", Action::Stall)).await;
    let start = Instant::now();
    assert!(bench.add().await.unwrap_err().is_timeout());
    assert!(start.elapsed().abs_diff(Duration::from_secs(10)) < Duration::from_millis(100));
    assert_eq!(bench.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_web_page_comes_with_status_200() {
    let bench = Bench::with(Rule::new("*", Action::Html { code: 200 })).await;
    let answer = bench.add().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    assert!(answer.text().await.unwrap().contains("<html>"));
    assert_eq!(bench.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_oversized_answer_does_not_announce_itself() {
    let bench = Bench::with(Rule::new("add", Action::Oversized { bytes: 5_000_000 })).await;
    let answer = bench.add().await.unwrap();
    assert_eq!(answer.content_length(), None);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["data"].as_str().unwrap().len(), 5_000_000);
}

#[tokio::test(start_paused = true)]
async fn invalid_utf8_and_patches_change_the_real_answer() {
    let bench = Bench::with(Rule::new("add", Action::InvalidUtf8)).await;
    let body = bench.add().await.unwrap().bytes().await.unwrap();
    assert!(std::str::from_utf8(&body).is_err());

    let changes =
        vec![Change::set("/count", json!("two")), Change::remove("/note"), Change::set("/new", Value::Null)];
    bench.running.harness().faults().add(Rule::new("add", Action::Patch { changes }));
    let body: Value = bench.add().await.unwrap().json().await.unwrap();
    assert_eq!(body, json!({ "count": "two", "new": null }));
    assert_eq!(bench.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_fake_is_gone() {
    let bench = Bench::new().await;
    bench.add().await.unwrap();
    let url = bench.url("add");
    let Bench { running, client, .. } = bench;
    drop(running);
    let gone = timeout(Duration::from_secs(5), client.post(url).send()).await;
    assert!(gone.is_err() || gone.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn the_control_routes_do_what_a_test_can_do() {
    let bench = Bench::new().await;
    let control = |path: &str| bench.url(&format!("_sandbox/{path}"));
    let get = async |path: &str| -> Value {
        bench.client.get(control(path)).send().await.unwrap().json().await.unwrap()
    };
    let rule = json!({ "operation": "add", "times": null, "fault": { "action": "status", "code": 418 } });
    let added = bench.client.post(control("faults")).json(&rule).send().await.unwrap();
    assert_eq!(added.status(), 201);
    assert_eq!(bench.add().await.unwrap().status(), 418);
    assert_eq!(get("faults").await["faults"][0]["rule"]["fault"]["code"], 418);
    let number = added.json::<Value>().await.unwrap()["number"].to_string();
    assert_eq!(bench.client.delete(control(&format!("faults/{number}"))).send().await.unwrap().status(), 204);
    assert_eq!(bench.client.delete(control(&format!("faults/{number}"))).send().await.unwrap().status(), 404);
    assert_eq!(bench.add().await.unwrap().status(), 200);
    assert_eq!(get("dump").await, json!({ "count": 1 }));

    let journal = get("journal?operation=add").await;
    assert_eq!(journal.as_array().unwrap().len(), 2, "the control routes themselves are not in it");
    assert_eq!(journal[0]["fault"], "status");
    assert_eq!(bench.client.delete(control("journal")).send().await.unwrap().status(), 204);
    assert_eq!(get("journal").await, json!([]));

    let before = bench.running.harness().clock().now();
    bench.client.post(control("clock")).json(&json!({ "advance_s": 3600 })).send().await.unwrap();
    let passed = bench.running.harness().clock().now() - before;
    assert!(passed.abs_diff(Duration::from_secs(3600)) < Duration::from_secs(1));

    assert_eq!(bench.client.post(control("reset")).send().await.unwrap().status(), 204);
    assert_eq!(get("dump").await, json!({ "count": 0 }));
    let bad = bench
        .client
        .post(control("faults"))
        .json(&json!({ "fault": { "action": "melt" } }))
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), 422);
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_work_can_come_after_it() {
    for action in [Action::CloseBefore, Action::Reset, Action::rate_limit(None), Action::Html { code: 502 }] {
        let bench = Bench::new().await;
        bench.running.harness().faults().add(Rule::new("add", action.clone()));
        let _ = bench.add().await;
        assert_eq!(bench.fake.dump(), json!({ "count": 0 }), "{action:?} before");
        bench.running.harness().faults().add(Rule::new("add", action.clone()).committed());
        let answer = bench.add().await;
        assert_eq!(bench.fake.dump(), json!({ "count": 1 }), "{action:?} after");
        assert!(!answer.is_ok_and(|answer| answer.status().is_success()), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_one_and_a_cut_is_not() {
    for (action, reset) in [(Action::Reset, true), (Action::CloseBefore, false)] {
        let bench = Bench::with(Rule::new("add", action)).await;
        let error = format!("{:?}", bench.add().await.unwrap_err());
        assert_eq!(error.contains("ConnectionReset"), reset, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_landing_is_lost_now_and_lands_later() {
    let by = Duration::from_secs(40);
    let bench = Bench::with(Rule::new("add", Action::LateLanding { by })).await;
    bench.add().await.unwrap_err();
    tokio::time::sleep(by / 2).await;
    assert_eq!(bench.fake.dump(), json!({ "count": 0 }));
    tokio::time::sleep(by).await;
    assert_eq!(bench.fake.dump(), json!({ "count": 1 }));
    assert_eq!(bench.journal(), vec![(None, Some("late_landing"), true)]);
}

#[tokio::test(start_paused = true)]
async fn a_shortened_body_has_whole_framing() {
    let bench = Bench::with(Rule::new("add", Action::Shorten { bytes: 4 })).await;
    let answer = bench.add().await.unwrap();
    assert_eq!(answer.headers()["content-length"], "4");
    assert_eq!(answer.bytes().await.unwrap().len(), 4);
}
