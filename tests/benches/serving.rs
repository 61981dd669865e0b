//! How fast a server starts, what it weighs, what it adds to a call, and how it bears load.
//!
//! `cargo bench -p suite --bench serving` builds the release binary and prints a table in Markdown.
//! The vendor is a replaying stub on loopback: it asks the sandbox once for each request it sees and
//! answers from memory after that, so what is measured is the server and not the fake. The load comes
//! from the same machine, so on two cores the numbers include the generator's share.

#![allow(clippy::print_stdout, reason = "its table is what it is run for")]

mod load;
mod replay;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use load::{Latencies, Target};
use serde_json::{Value, json};
use tokio::time::Instant;

/// Runs of the cold start.
const STARTS: usize = 30;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // `cargo test --benches` and `cargo bench -- --list` only want to know that it runs.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return Ok(());
    }
    let program = build("linear-mcp")?;
    println!("| what | measured | promised |\n|---|---|---|");
    cold_start(&program)?;
    idle(&program)?;
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(under_load(&program))
}

/// Builds the release binary of `package` and tells where it is.
fn build(package: &str) -> Outcome<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "-p", package, "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()?;
    String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| {
            (message["target"]["name"] == package)
                .then(|| message["executable"].as_str().map(PathBuf::from))
                .flatten()
        })
        .ok_or_else(|| format!("{package} was not built").into())
}

/// The metadata that every request of the newest protocol carries.
fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "0"},
    })
}

fn tools_list() -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta()}}).to_string()
}

fn tools_call(tool: &str, arguments: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta()}})
        .to_string()
}

/// A server on stdio that has answered its first `tools/list`, and how long that took.
fn start_on_stdio(program: &Path) -> Outcome<(Child, Duration)> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or("no stdin")?;
    writeln!(stdin, "{}", tools_list())?;
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().ok_or("no stdout")?).read_line(&mut line)?;
    let took = start.elapsed();
    let answer: Value = serde_json::from_str(&line)?;
    if answer["result"]["tools"].as_array().is_none_or(Vec::is_empty) {
        return Err(format!("no list of tools: {line}").into());
    }
    child.stdin = Some(stdin);
    Ok((child, took))
}

fn cold_start(program: &Path) -> Outcome<()> {
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let (mut child, time) = start_on_stdio(program)?;
        drop(child.stdin.take());
        child.wait()?;
        took.push(time);
    }
    let latencies = Latencies::new(took);
    println!(
        "| cold start to the first tools/list, {STARTS} runs | median {:.2} ms, p95 {:.2} ms | median ≤ 5 ms |",
        latencies.at(0.5),
        latencies.at(0.95)
    );
    Ok(())
}

fn idle(program: &Path) -> Outcome<()> {
    let (mut child, _) = start_on_stdio(program)?;
    std::thread::yield_now();
    let resident = resident_megabytes(child.id())?;
    drop(child.stdin.take());
    child.wait()?;
    println!("| resident when idle, stdio, after the first tools/list | {resident:.1} MB | ≤ 10 MB |");
    Ok(())
}

/// `VmRSS`, in MB of 10^6 bytes.
fn resident_megabytes(pid: u32) -> Outcome<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no value")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

/// A server on HTTP, stopped when dropped.
struct Server {
    child: Child,
    target: Target,
}

impl Server {
    async fn start(program: &Path, api_url: &str) -> Outcome<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new(program)
            .args(["serve", "--http", &format!("127.0.0.1:{port}"), "--max-connections", "2000"])
            .env_clear()
            .env("LINEAR_API_URL", api_url)
            .env("LINEAR_API_KEY", "lin_api_bench")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let target = Target { port, path: "/mcp" };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self { child, target });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the server does not listen".into())
    }

    fn resident(&self) -> Outcome<f64> {
        resident_megabytes(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn under_load(program: &Path) -> Outcome<()> {
    let vendor = replay::start::<linear_mcp::Linear>().await?;
    let server = Server::start(program, &vendor.url).await?;
    println!("| resident when idle, HTTP | {:.1} MB | ≤ 10 MB |", server.resident()?);

    let uncached = tools_call("list_issues", &json!({"team": ["ENG"], "limit": 20}));
    let cached = tools_call("get_team", &json!({"team": "ENG"}));
    let direct = vendor.request_of("ListIssues", &server.target, &uncached).await?;
    for _ in 0..3 {
        load::once(&server.target, &uncached).await?;
        load::once(&server.target, &cached).await?;
    }

    // One connection: what a call adds over the vendor's own answer.
    let alone = load::closed(&vendor.target, &direct, 1, 2_000).await?;
    let through = load::closed(&server.target, &uncached, 1, 2_000).await?;
    println!(
        "| added by an uncached call, instant vendor, 1 connection | median {:.2} ms, p99 {:.2} ms (vendor alone {:.2} ms) | median < 1 ms |",
        through.at(0.5) - alone.at(0.5),
        through.at(0.99) - alone.at(0.5),
        alone.at(0.5),
    );
    let at_once = load::closed(&server.target, &cached, 1, 2_000).await?;
    println!(
        "| a cached call, 1 connection | median {:.2} ms, p99 {:.2} ms | median < 1 ms |",
        at_once.at(0.5),
        at_once.at(0.99)
    );

    // 64 connections at a steady rate that leaves the two cores some air. The generator's timers are up to
    // a millisecond late, which the vendor alone shows as well.
    let span = Duration::from_secs(10);
    let alone = load::open(&vendor.target, &direct, 64, 500, span).await?;
    for (what, body) in [("a cached call", &cached), ("an uncached call, instant vendor", &uncached)] {
        let open = load::open(&server.target, body, 64, 500, span).await?;
        println!(
            "| added by {what}, 64 connections, 500 requests/s | median {:.2} ms, p99 {:.2} ms, {} errors (vendor alone {:.2} ms) | median < 1 ms, p99 < 10 ms |",
            open.at(0.5) - alone.at(0.5),
            open.at(0.99) - alone.at(0.5),
            open.errors,
            alone.at(0.5),
        );
    }

    // 1,000 connections, 2,000 requests a second in all.
    let list = tools_list();
    for (what, body) in [("tools/list", &list), ("a cached call", &cached)] {
        let open = load::open(&server.target, body, 1_000, 2_000, Duration::from_secs(15)).await?;
        println!(
            "| {what}, 1,000 connections, 2,000 requests/s | median {:.2} ms, p99 {:.1} ms, {} errors of {}, {:.0} MB | p99 < 100 ms, no error, < 150 MB |",
            open.at(0.5),
            open.at(0.99),
            open.errors,
            open.count(),
            server.resident()?
        );
    }
    Ok(())
}
