//! Every server as a team has it: over HTTP, with a listener for whoever runs it.

use std::{net::SocketAddr, process::Stdio, sync::Arc, time::Duration};

use connector::{
    access::ApiKeys,
    serve::{HttpOptions, Listening, ServeError, Stop, http_until},
};
use serde_json::{Value, json};
use suite::{Era, Sample, Sandboxed, Subject, program::program};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use crate::team::{self, client, free_address, told};

suite::every_program!(
    the_program_answers_every_write_over_http,
    metrics_tell_of_calls_and_of_the_vendor_and_hold_no_text,
    one_caller_with_a_hundred_calls_is_in_nobodys_way,
    hostile_requests_are_refused_and_nothing_reaches_the_vendor,
);

/// The call of `sample` in the newest protocol, for the server at `addr`.
fn request(client: &reqwest::Client, addr: SocketAddr, sample: &Sample) -> reqwest::RequestBuilder {
    team::request(client, addr, Era::Modern, team::call(sample), &json!({}))
}

/// On the threads of the program, whose stacks are others than a test's. What is refused is answered too.
async fn the_program_answers_every_write_over_http<S: Subject>() {
    let (addr, client) = (free_address(), client());
    let mut command = tokio::process::Command::new(program(S::ABOUT.program));
    command.args(["serve", "--sandbox", "--http", &addr.to_string()]).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    let alive = || async {
        let asked = client.get(format!("http://{addr}/healthz")).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    };
    for _ in 0..200 {
        if alive().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for sample in S::writes() {
        let answered = request(&client, addr, &sample).send().await;
        let answer = answered.unwrap_or_else(|error| panic!("{}: {error}", sample.tool));
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["result"].is_object(), "{}: {answer}", sample.tool);
    }
    assert!(alive().await && running.try_wait().unwrap().is_none(), "it has ended");
}

/// A server over HTTP on loopback.
struct Served<S> {
    /// Lives as long as the server that asks it.
    sandboxed: Sandboxed<S>,
    addr: SocketAddr,
    admin: SocketAddr,
    client: reqwest::Client,
    /// The keys of two callers.
    keys: [String; 2],
    _folder: tempfile::TempDir,
    stop: Stop,
    server: JoinHandle<Result<(), ServeError>>,
}

impl<S: Subject> Served<S> {
    async fn open() -> Self {
        let sandboxed = Sandboxed::start().await;
        let mut options = HttpOptions::new(([127, 0, 0, 1], 0).into());
        options.admin = Some(([127, 0, 0, 1], 0).into());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let [(ada, first), (ben, second)] = ["ada", "ben"].map(ApiKeys::generate);
        std::fs::write(&file, format!("{first}\n{second}\n")).unwrap();
        options.api_keys = Some(ApiKeys::load(&file).unwrap());
        let stop = Stop::default();
        let (tell, told) = oneshot::channel();
        let serving = http_until(
            Arc::clone(sandboxed.service()),
            options,
            move |at| tell.send(at).unwrap(),
            stop.clone(),
        );
        let server = tokio::spawn(serving);
        let Listening { callers: addr, admin } = told.await.unwrap();
        Self {
            sandboxed,
            addr,
            admin: admin.unwrap(),
            client: client(),
            keys: [ada, ben],
            _folder: folder,
            stop,
            server,
        }
    }

    async fn call(&self, key: &str, sample: &Sample) -> Value {
        self.request(key, sample).send().await.unwrap().json().await.unwrap()
    }

    fn request(&self, key: &str, sample: &Sample) -> reqwest::RequestBuilder {
        request(&self.client, self.addr, sample).bearer_auth(key)
    }

    async fn metrics(&self) -> String {
        let request = self.client.get(format!("http://{}/metrics", self.admin));
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn close(self) {
        self.stop.asked.cancel();
        self.stop.at_once.cancel();
        self.server.await.unwrap().unwrap();
    }
}

async fn metrics_tell_of_calls_and_of_the_vendor_and_hold_no_text<S: Subject>() {
    let served = Served::<S>::open().await;
    let (sample, operation) = S::read_one();
    let before = served.metrics().await;
    let [ada, _] = &served.keys;
    let answer = served.call(ada, &sample).await;
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    served.call(ada, &Sample::new("canary_tool", json!({"canary": 1}))).await;
    let metrics = served.metrics().await;
    let measured =
        format!("mcp_method_name=\"tools/call\",gen_ai_tool_name=\"{}\",error_type=\"\"", sample.tool);
    assert!(metrics.contains(&measured), "{metrics}");
    let asked = format!("connector_upstream_requests_total{{operation=\"{operation}\",outcome=\"ok\"}}");
    // A fake that serves several versions by one route names it without one.
    assert!(metrics.replace("/{version}", "").contains(&asked), "{metrics}");
    for series in [
        "connector_build_info{",
        "connector_ready 1",
        "connector_upstream_breaker_state{state=\"open\"} 0",
        "connector_upstream_places_in_use_ratio 0",
        "connector_upstream_cache_lookups_total{result=\"miss\"}",
        "connector_upstream_limiter_wait_seconds_count",
        "connector_upstream_request_duration_seconds_count{effect=\"read\",outcome=\"ok\"}",
        "connector_upstream_retries_total",
        "connector_upstream_drift_total",
        "gen_ai_tool_name=\"_other\"",
    ] {
        assert!(metrics.contains(series), "no {series} in\n{metrics}");
    }
    let credential = S::sandbox().unwrap().credential.1;
    assert!(!metrics.contains("canary") && !metrics.contains(credential), "{metrics}");
    // What was asked for is nobody's label either.
    let own = [before.as_str(), operation, sample.tool];
    for text in sample.arguments.values().filter_map(Value::as_str) {
        assert!(
            own.iter().any(|words| words.contains(text)) || !metrics.contains(text),
            "{text} in\n{metrics}"
        );
    }
    served.close().await;
}

async fn one_caller_with_a_hundred_calls_is_in_nobodys_way<S: Subject>() {
    let served = Served::<S>::open().await;
    let [ada, ben] = &served.keys;
    let (asked, _) = S::read_one();
    let cached = S::cached_read().map_or_else(|| asked.clone(), |(sample, _)| sample);
    assert!(!told(&served.call(ben, &cached).await).1, "it can be read");
    let mut flood = JoinSet::new();
    for _ in 0..100 {
        let request = served.request(ada, &asked);
        flood.spawn(async move { request.send().await.unwrap().json::<Value>().await.unwrap() });
    }
    for _ in 0..5 {
        let answer = served.call(ben, &cached).await;
        assert!(!told(&answer).1, "{answer}");
    }
    // What has ended by now; the rest may wait for the vendor's budget.
    while let Some(answer) = flood.try_join_next() {
        let answer = answer.unwrap();
        let (text, failed) = told(&answer);
        let says = text.starts_with("rate_limited: ") && text.contains("retry_after_s: ");
        assert!(!failed || says, "{text}");
    }
    flood.shutdown().await;
    served.close().await;
}

/// The head of a request, of which some lines are wrong.
type Head = Vec<(&'static str, String)>;

/// Puts a line in the place of those of its name.
fn put(head: &mut Head, name: &'static str, value: &str) {
    head.retain(|(other, _)| *other != name);
    head.push((name, value.to_owned()));
}

/// What is wrong with a request: its path, its head and its body are good before.
struct Hostile {
    what: &'static str,
    /// Whether the older protocol knows it too.
    legacy: bool,
    spoil: fn(&mut String, &mut Head, &mut String),
    status: &'static str,
    says: &'static str,
}

const fn hostile(
    what: &'static str,
    spoil: fn(&mut String, &mut Head, &mut String),
    status: &'static str,
    says: &'static str,
) -> Hostile {
    Hostile { what, legacy: true, spoil, status, says }
}

/// Only where heads repeat what the body says.
const fn modern(
    what: &'static str,
    spoil: fn(&mut String, &mut Head, &mut String),
    status: &'static str,
    says: &'static str,
) -> Hostile {
    Hostile { what, legacy: false, spoil, status, says }
}

const HOSTILE: &[Hostile] = &[
    hostile("a foreign host", |_, head, _| put(head, "host", "evil.example"), "403", ""),
    hostile("two hosts", |_, head, _| head.push(("host", "evil.example".to_owned())), "400", ""),
    hostile("a foreign page", |_, head, _| put(head, "origin", "https://evil.example"), "403", ""),
    hostile("a page without an origin", |_, head, _| put(head, "origin", "null"), "403", ""),
    hostile("no key", |_, head, _| head.retain(|(name, _)| *name != "authorization"), "401", ""),
    hostile(
        "the key in the address",
        |path, head, _| {
            head.retain(|(name, _)| *name != "authorization");
            path.push_str("?access_token=canary");
        },
        "401",
        "",
    ),
    hostile("several messages at once", |_, _, body| *body = format!("[{body}]"), "400", ""),
    hostile(
        "a tool named twice",
        |_, _, body| *body = body.replacen("\"name\"", "\"name\":\"delete\",\"name\"", 1),
        "400",
        "a key twice",
    ),
    hostile("a deep body", |_, _, body| *body = "[".repeat(10_000), "400", ""),
    hostile("a large body", |_, _, body| body.push_str(&" ".repeat(2_000_000)), "413", ""),
    hostile("two lengths", |_, head, _| head.push(("content-length", "7".to_owned())), "400", ""),
    hostile("a folded line", |_, head, _| put(head, "x-folded", "a\r\n b"), "400", ""),
    hostile("a large head", |_, head, _| put(head, "x-large", &"a".repeat(500_000)), "431", ""),
    hostile("many lines", |_, head, _| (0..500).for_each(|_| head.push(("x", String::new()))), "431", ""),
    hostile("what is the administrator's", |path, _, _| *path = "/metrics".to_owned(), "404", ""),
    modern("another tool in the head", |_, head, _| put(head, "mcp-name", "another"), "400", "-32020"),
    modern(
        "no method in the head",
        |_, head, _| head.retain(|(name, _)| *name != "mcp-method"),
        "400",
        "-32020",
    ),
    modern(
        "two methods in the head",
        |_, head, _| head.push(("mcp-method", "tools/call".to_owned())),
        "400",
        "-32020",
    ),
    modern(
        "a method that is no base64",
        |_, head, _| put(head, "mcp-method", "=?base64?***?="),
        "400",
        "-32020",
    ),
    modern(
        "another protocol in the head",
        |_, head, _| put(head, "mcp-protocol-version", "2025-11-25"),
        "400",
        "-32020",
    ),
    modern(
        "a protocol that there is not",
        |_, head, body| {
            put(head, "mcp-protocol-version", "2099-01-01");
            *body = body.replace("2026-07-28", "2099-01-01");
        },
        "400",
        "-32022",
    ),
];

async fn hostile_requests_are_refused_and_nothing_reaches_the_vendor<S: Subject>() {
    let served = Served::<S>::open().await;
    let (sample, _) = S::read_one();
    let send = async |era: &str, spoil: fn(&mut String, &mut Head, &mut String)| {
        let mut head: Head = vec![
            ("host", "localhost".to_owned()),
            ("authorization", format!("Bearer {}", served.keys[0])),
            ("content-type", "application/json".to_owned()),
            ("accept", "application/json, text/event-stream".to_owned()),
            ("mcp-protocol-version", era.to_owned()),
            ("connection", "close".to_owned()),
        ];
        let mut params = json!({"name": sample.tool, "arguments": sample.arguments});
        if era == "2026-07-28" {
            put(&mut head, "mcp-method", "tools/call");
            put(&mut head, "mcp-name", sample.tool);
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": era,
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let (mut path, mut body) = (
            "/mcp".to_owned(),
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string(),
        );
        spoil(&mut path, &mut head, &mut body);
        let lines: String = head.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let request = format!("POST {path} HTTP/1.1\r\n{lines}content-length: {length}\r\n\r\n{body}");
        let mut stream = tokio::net::TcpStream::connect(served.addr).await.unwrap();
        let (mut read, mut write) = stream.split();
        let mut answer = Vec::new();
        // Who is refused early is not read to the end.
        let _ = tokio::join!(write.write_all(request.as_bytes()), read.read_to_end(&mut answer));
        String::from_utf8_lossy(&answer).into_owned()
    };
    for era in ["2026-07-28", "2025-11-25"] {
        for Hostile { what, legacy, spoil, status, says } in HOSTILE {
            if *legacy || era == "2026-07-28" {
                let answer = send(era, *spoil).await;
                let begins = answer.starts_with(&format!("HTTP/1.1 {status} "));
                assert!(begins && answer.contains(says), "{what}, {era}: {answer}");
            }
        }
    }
    assert_eq!(served.sandboxed.requests(), 0, "the vendor was asked");
    for era in ["2026-07-28", "2025-11-25"] {
        let answer = send(era, |_, _, _| ()).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{era}, which is as it should be: {answer}");
    }
    assert_ne!(served.sandboxed.requests(), 0);
    served.close().await;
}
