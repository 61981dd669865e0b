//! The listener for whoever runs the server: health and metrics, whatever callers do.

use std::{collections::BTreeSet, fs, net::SocketAddr, time::Duration};

use connector::access::ApiKeys;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::notes::{
    modern,
    site::{Site, options},
    text,
};

/// A site with a listener for its administrator.
struct Administered {
    site: Site,
    admin: SocketAddr,
}

impl Administered {
    async fn with(mut options: connector::serve::HttpOptions) -> Self {
        options.admin = Some(([127, 0, 0, 1], 0).into());
        let site = Site::with(options).await;
        Self { admin: site.admin.unwrap(), site }
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        let response = self.site.client.get(format!("http://{}{path}", self.admin)).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn metrics(&self) -> String {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, StatusCode::OK);
        text
    }

    async fn call(&self, name: &str, arguments: Value) -> Value {
        self.site.ask(modern(1, "tools/call", json!({"name": name, "arguments": arguments}))).await
    }
}

/// The value of the series that begins with `series`.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find(|line| line.starts_with(series));
    let line = line.unwrap_or_else(|| panic!("no {series} in\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn probes_and_metrics_answer_while_callers_fill_their_port() {
    let mut options = options();
    options.max_connections = 3;
    let here = Administered::with(options).await;
    let idle = futures::future::join_all((0..3).map(|_| TcpStream::connect(here.site.addr))).await;
    while value(&here.metrics().await, "connector_connections ") < 3.0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let refused = here.site.raw(b"").await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
    for path in ["/healthz", "/readyz", "/startupz", "/metrics"] {
        assert_eq!(here.get(path).await.0, StatusCode::OK, "{path}");
    }
    let metrics = here.metrics().await;
    assert_eq!(value(&metrics, "connector_connections_max "), 3.0);
    assert_eq!(value(&metrics, "connector_connections_refused_total "), 1.0);
    drop(idle);
}

#[tokio::test]
async fn callers_learn_whether_it_is_ready_and_the_administrator_learns_why() {
    let here = Administered::with(options()).await;
    let ready: Value = here.site.get("/readyz").send().await.unwrap().json().await.unwrap();
    assert_eq!(ready, json!({"ready": true}));
    let details: Value = serde_json::from_str(&here.get("/readyz").await.1).unwrap();
    assert_eq!((&details["ready"], &details["breaker"]), (&json!(true), &json!("closed")));
    assert_eq!(details["credential_refused"], json!(false));
    for path in ["/metrics", "/startupz", "/debug"] {
        assert_eq!(here.site.get(path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/mcp", "/debug", "/"] {
        assert_eq!(here.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_administrator_learns_how_things_stand_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    fs::write(&file, ApiKeys::generate("ada").1).unwrap();
    let mut options = options();
    options.api_keys = Some(ApiKeys::load(&file).unwrap());
    let here = Administered::with(options).await;
    let details: Value = serde_json::from_str(&here.get("/readyz").await.1).unwrap();
    assert_eq!(details["api_keys"], "good");
    let public: Value = here.site.get("/readyz").send().await.unwrap().json().await.unwrap();
    assert_eq!(public, json!({"ready": true}));
}

#[tokio::test(start_paused = true)]
async fn the_administrator_learns_of_keys_that_let_nobody_in_or_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let key = ApiKeys::generate("ada").1;
    for (content, state) in [("# nobody\n".to_owned(), "none"), (format!("{key}\nnonsense\n"), "broken")] {
        let file = folder.path().join(state);
        fs::write(&file, &key).unwrap();
        let mut options = options();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        let here = Administered::with(options).await;
        fs::write(&file, content).unwrap();
        // The file is read again when somebody asks to come in, at most once in a while.
        tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let details: Value = serde_json::from_str(&here.get("/readyz").await.1).unwrap();
                if details["api_keys"] == state {
                    return;
                }
                here.site.get("/mcp").send().await.unwrap();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("never {state}"));
    }
}

#[tokio::test]
async fn the_administrator_is_answered_until_the_end() {
    let here = Administered::with(options()).await;
    let request = here.site.modern(&modern(1, "tools/call", json!({"name": "pause", "arguments": {}})));
    let pausing = tokio::spawn(request.send());
    here.site.begun(1).await;
    here.site.stop.cancel();
    while here.get("/readyz").await.0 != StatusCode::SERVICE_UNAVAILABLE {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(here.get("/healthz").await.0, StatusCode::OK);
    assert_eq!(value(&here.metrics().await, "connector_ready "), 0.0);
    let answer: Value = pausing.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(text(&answer), "paused");
    here.site.server.await.unwrap().unwrap();
}

#[tokio::test]
async fn requests_are_measured_by_method_tool_and_what_went_wrong() {
    let here = Administered::with(options()).await;
    here.site.ask(modern(1, "tools/list", json!({}))).await;
    for name in ["one", "one", "nobody"] {
        here.call("read_note", json!({"name": name})).await;
    }
    let metrics = here.metrics().await;
    let count =
        |labels: &str| value(&metrics, &format!("mcp_server_operation_duration_seconds_count{{{labels}}}"));
    assert_eq!(count(r#"mcp_method_name="tools/list",gen_ai_tool_name="",error_type="""#), 1.0);
    assert_eq!(count(r#"mcp_method_name="tools/call",gen_ai_tool_name="read_note",error_type="""#), 2.0);
    let failed = r#"mcp_method_name="tools/call",gen_ai_tool_name="read_note",error_type="tool_error""#;
    assert_eq!(count(failed), 1.0);
    assert_eq!(value(&metrics, r#"connector_errors_total{class="user",kind="not_found"}"#), 1.0);
    assert_eq!(value(&metrics, "connector_operations_in_flight "), 0.0);
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_is_counted_as_cancelled() {
    let here = Administered::with(options()).await;
    let request = here.site.modern(&modern(1, "tools/call", json!({"name": "wait", "arguments": {}})));
    let asking = tokio::spawn(request.send());
    here.site.begun(1).await;
    assert_eq!(value(&here.metrics().await, "connector_operations_in_flight "), 1.0);
    asking.abort();
    let cancelled = r#"connector_errors_total{class="user",kind="cancelled"} 1"#;
    while !here.metrics().await.contains(cancelled) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(value(&here.metrics().await, "connector_operations_in_flight "), 0.0);
}

#[tokio::test]
async fn nothing_that_a_client_says_makes_a_series() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let (key, line) = ApiKeys::generate("canary-person");
    fs::write(&file, line).unwrap();
    let mut options = options();
    options.api_keys = Some(ApiKeys::load(&file).unwrap());
    let here = Administered::with(options).await;
    let send = async |message: Value, key: &str| {
        here.site.modern(&message).bearer_auth(key).send().await.unwrap().status()
    };
    let bomb = async |range: std::ops::Range<usize>| {
        for number in range {
            let canary = format!("canary_{number}");
            send(modern(1, "tools/call", json!({"name": canary, "arguments": {"name": canary}})), &key).await;
            send(modern(1, &canary, json!({"name": canary})), &key).await;
            send(modern(1, "resources/read", json!({"uri": canary})), &key).await;
            send(modern(1, "prompts/get", json!({"name": canary})), &key).await;
            let refused = send(modern(1, "tools/list", json!({})), &canary).await;
            assert!(matches!(refused, StatusCode::UNAUTHORIZED | StatusCode::TOO_MANY_REQUESTS));
        }
        let metrics = here.metrics().await;
        assert!(!metrics.contains("canary") && !metrics.contains(&key), "{metrics}");
        let series: BTreeSet<_> =
            metrics.lines().filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect();
        (series, metrics)
    };
    // The first bomb is long enough for whoever tries keys to be told to wait.
    let (few, _) = bomb(0..25).await;
    let (many, metrics) = bomb(25..60).await;
    assert_eq!(many, few, "the series are the same ones");
    let refused = |reason: &str| {
        value(&metrics, &format!("connector_authentication_failures_total{{reason=\"{reason}\"}}"))
    };
    assert_eq!(refused("unknown_key") + refused("too_many"), 60.0);
    let others = r#"mcp_server_operation_duration_seconds_count{mcp_method_name="tools/call",gen_ai_tool_name="_other""#;
    assert_eq!(value(&metrics, others), 60.0);
}
