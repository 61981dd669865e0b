//! A server as a team runs it: its program over HTTP, with keys, before a fake vendor in this process.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use connector::{access::ApiKeys, sandbox::Harness};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use suite::{Era, Options, Sample, Sandboxed, Subject, program::program};
use tokio::{
    process::{Child, Command},
    time::{sleep, timeout},
};

/// Longer than anything here takes, shorter than patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) fn client() -> reqwest::Client {
    connector::tls::install();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// An address that a program can be told to listen at. Its port is below those that systems give to connections, one of
/// which could have it by then.
pub(crate) fn free_address() -> SocketAddr {
    const PORTS: std::ops::Range<u16> = 20_000..32_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs at once are not to look at the same ports.
    let first = u16::try_from(std::process::id() % 12).unwrap() * 1_000;
    let address = |_| {
        let next = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        let address = SocketAddr::from(([127, 0, 0, 1], PORTS.start + next));
        std::net::TcpListener::bind(address).is_ok().then_some(address)
    };
    PORTS.into_iter().find_map(address).expect("a port is free")
}

/// Waits until `done` says so.
pub(crate) async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !done().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(timeout(PATIENCE, waiting).await.is_ok(), "not in time: {what}");
}

/// A fake vendor, and who may call a server before it.
pub(crate) struct Team<S> {
    vendor: Sandboxed<S>,
    folder: tempfile::TempDir,
    /// The callers' keys.
    pub(crate) keys: Vec<String>,
}

impl<S: Subject> Team<S> {
    pub(crate) async fn of(callers: usize) -> Self {
        let vendor = Sandboxed::start_with(Options::everything()).await;
        let folder = tempfile::tempdir().unwrap();
        let (keys, lines): (Vec<_>, Vec<_>) =
            (0..callers).map(|number| ApiKeys::generate(&format!("caller-{number}"))).unzip();
        fs::write(folder.path().join("api-keys"), lines.join("\n")).unwrap();
        fs::write(folder.path().join("state-keys"), "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        Self { vendor, folder, keys }
    }

    pub(crate) fn harness(&self) -> &Harness {
        self.vendor.harness()
    }

    pub(crate) fn dump(&self) -> Value {
        self.vendor.dump()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The vendor's state as at the start.
    pub(crate) fn reset(&self) {
        self.harness().journal().clear();
        self.harness().clock().reset();
        self.vendor.fake().reset(self.harness());
    }

    /// A server with every tool and no quota, unless `more` says otherwise.
    pub(crate) async fn replica(&self, more: &[&str]) -> Replica {
        let [addr, admin] = [free_address(), free_address()];
        let parts = S::sandbox().unwrap();
        let credential = S::settings().into_iter().find(|setting| setting.key == parts.credential.0).unwrap();
        let url = format!("{}{}", self.harness().url().as_str().trim_end_matches('/'), parts.api_path);
        let file = |name: &str| self.folder().join(name);
        let log = fs::File::create(file(&format!("{}.log", addr.port()))).unwrap();
        let mut command = Command::new(program(S::ABOUT.program));
        command
            .env_clear()
            .env(S::ABOUT.api_url_env, url)
            .env(credential.env, parts.credential.1)
            .args(["serve", "--http", &addr.to_string(), "--admin", &admin.to_string()])
            .args(["--toolsets", "all", "--log", "warn"])
            .arg("--api-keys-file")
            .arg(file("api-keys"))
            .arg("--state-keys-file")
            .arg(file("state-keys"))
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let replica = Replica { child: command.spawn().unwrap(), addr, admin, client: client() };
        until("it is ready", async || replica.asked("readyz").await.is_some()).await;
        replica
    }

    /// What the replicas have logged.
    pub(crate) fn logs(&self) -> String {
        let files = fs::read_dir(self.folder()).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|kind| kind == "log"));
        logs.map(|path| fs::read_to_string(path).unwrap()).collect()
    }
}

/// One server, which ends with the test.
pub(crate) struct Replica {
    child: Child,
    pub(crate) addr: SocketAddr,
    admin: SocketAddr,
    client: reqwest::Client,
}

impl Replica {
    /// What the administrator is told; none if it is not well.
    pub(crate) async fn asked(&self, what: &str) -> Option<String> {
        let answer = self.client.get(format!("http://{}/{what}", self.admin)).send().await.ok()?;
        if answer.status().is_success() { answer.text().await.ok() } else { None }
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    /// How it ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").unwrap()
    }
}

/// A request for `method` in the words of `era`, whose client has these capabilities, to the server at `addr`.
pub(crate) fn request(
    client: &reqwest::Client,
    addr: SocketAddr,
    era: Era,
    (method, mut params): (&str, Value),
    capabilities: &Value,
) -> RequestBuilder {
    let mut request = client
        .post(format!("http://{addr}/mcp"))
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream");
    match era {
        Era::Modern => {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": capabilities,
            });
            request = request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
            if let Some(name) = params["name"].as_str() {
                request = request.header("mcp-name", name);
            }
        }
        Era::Legacy => request = request.header("mcp-protocol-version", "2025-11-25"),
    }
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    request.body(message.to_string())
}

/// The parameters of a call.
pub(crate) fn call(Sample { tool, arguments }: &Sample) -> (&'static str, Value) {
    ("tools/call", json!({"name": tool, "arguments": arguments}))
}

/// The text of a result, and whether it is an error.
pub(crate) fn told(answer: &Value) -> (&str, bool) {
    let result = &answer["result"];
    (result["content"][0]["text"].as_str().unwrap_or_default(), result["isError"] == true)
}
