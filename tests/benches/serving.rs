//! How fast a server starts, what it weighs, what it adds to a call, and how it bears load.
//!
//! `cargo bench -p suite --bench serving [-- SERVER...]` builds the release binaries and prints a table in
//! Markdown for each. With `-- --instructions` it says instead what a cached call costs, by valgrind's count.
//! The vendor is a replaying stub on loopback: it asks the sandbox once for each request it sees and
//! answers from memory after that, so what is measured is the server and not the fake. The load comes
//! from the same machine, so on two cores the numbers include the generator's share.

#![allow(clippy::print_stdout, reason = "its table is what it is run for")]

mod instructions;
mod load;
mod replay;
mod team;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use connector::Connector as _;
use load::{Latencies, Target};
use serde_json::{Value, json};
use suite::{Sample, Subject};
use tokio::time::Instant;

/// Runs of the cold start.
const STARTS: usize = 30;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    // `cargo test --benches` and `cargo bench -- --list` only want to know that it runs.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return Ok(());
    }
    let wanted: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let counts = std::env::args().any(|argument| argument == "--instructions");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // The server that authors copy is for nobody's use.
    let is_wanted = |key: &str| {
        if wanted.is_empty() { key != "template" } else { wanted.iter().any(|wanted| wanted == key) }
    };
    let mut packages = Vec::new();
    suite::for_every_server!(S => {
        packages.extend(is_wanted(S::ABOUT.key).then_some(S::ABOUT.program));
    });
    let programs = build(&packages)?;
    suite::for_every_server!(S => {
        if is_wanted(S::ABOUT.key) {
            let program = programs.get(S::ABOUT.program).ok_or("its program was not built")?;
            println!("\n### {}\n\n| what | measured | promised |\n|---|---|---|", S::ABOUT.program);
            if counts {
                runtime.block_on(instructions::of_a_cached_call::<S>(program))?;
            } else {
                cold_start(program)?;
                runtime.block_on(under_load::<S>(program))?;
            }
        }
    });
    Ok(())
}

/// Builds the release binaries of `packages`, all at once so that what they share is built once, and tells where they are.
fn build(packages: &[&str]) -> Outcome<BTreeMap<String, PathBuf>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--message-format", "json-render-diagnostics"])
        .args(packages.iter().flat_map(|package| ["-p", package]))
        .stderr(Stdio::inherit())
        .output()?;
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let named = messages.filter_map(|message| {
        Some((message["target"]["name"].as_str()?.to_owned(), message["executable"].as_str()?.into()))
    });
    Ok(named.collect())
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

fn tools_call(Sample { tool, arguments }: &Sample) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments, "_meta": meta()}}).to_string()
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
    let (mut took, mut resident) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let (mut child, time) = start_on_stdio(program)?;
        resident.push(Resident::of(child.id())?);
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
    println!(
        "| resident when idle, stdio, after the first tools/list, median of {STARTS} | {} | ≤ 10 MB |",
        median(resident)
    );
    Ok(())
}

/// The memory of a process, in MB of 10^6 bytes.
#[derive(Clone, Copy)]
struct Resident {
    all: f64,
    /// What is not mapped from files, which processes share.
    own: f64,
}

impl Resident {
    fn of(pid: u32) -> Outcome<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let megabytes = |key: &str| -> Outcome<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
            let kilobytes: f64 = line.split_whitespace().next().ok_or("no value")?.parse()?;
            Ok(kilobytes * 1024.0 / 1e6)
        };
        Ok(Self { all: megabytes("VmRSS:")?, own: megabytes("RssAnon:")? })
    }
}

impl std::fmt::Display for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} MB, {:.1} of it its own", self.all, self.own)
    }
}

/// The one in the middle: where the kernel puts a program differs from start to start, and with it what
/// it maps around a page.
fn median(mut samples: Vec<Resident>) -> Resident {
    samples.sort_by(|one, other| one.all.total_cmp(&other.all));
    samples[samples.len() / 2]
}

/// A server on HTTP, stopped when dropped.
struct Server {
    child: Child,
    target: Target,
}

impl Server {
    async fn start<S: Subject>(program: &Path, api_url: &str) -> Outcome<Self> {
        Self::start_with::<S>(Command::new(program), api_url, &[], Target::plain).await
    }

    /// By `command`, which takes the program's arguments, and with `more` of them: then it is what `target` says of a
    /// port.
    async fn start_with<S: Subject>(
        mut command: Command,
        api_url: &str,
        more: &[String],
        target: impl FnOnce(u16) -> Target,
    ) -> Outcome<Self> {
        let credential = S::settings().into_iter().find(|setting| setting.key == S::CREDENTIAL);
        let credential = credential.ok_or("the credential is a setting")?.env;
        let accepted = S::sandbox().ok_or("there is a sandbox")?.credential.1;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = command
            .args(["serve", "--http", &format!("127.0.0.1:{port}"), "--max-connections", "2000"])
            .args(more)
            .env_clear()
            .env(S::ABOUT.api_url_env, api_url)
            .env(credential, accepted)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let target = target(port);
        // Under valgrind it takes long.
        for _ in 0..3_000 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(Self { child, target });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the server does not listen".into())
    }

    fn resident(&self) -> Outcome<Resident> {
        Resident::of(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn idle_on_http<S: Subject>(program: &Path, api_url: &str, list: &str) -> Outcome<()> {
    let (mut started, mut asked) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let server = Server::start::<S>(program, api_url).await?;
        started.push(server.resident()?);
        load::once(&server.target, list).await?;
        asked.push(server.resident()?);
    }
    for (when, resident, promised) in
        [("started", started, "≤ 10 MB"), ("after the first tools/list", asked, "")]
    {
        println!(
            "| resident when idle, HTTP, {when}, median of {STARTS} | {} | {promised} |",
            median(resident)
        );
    }
    Ok(())
}

async fn under_load<S: Subject>(program: &Path) -> Outcome<()> {
    let vendor = replay::start::<S>().await?;
    let list = tools_list();
    idle_on_http::<S>(program, &vendor.url, &list).await?;

    let server = Server::start::<S>(program, &vendor.url).await?;
    let uncached = tools_call(&S::twenty_rows());
    // Where nothing may be cached, this too asks the vendor.
    let (cached, _) = S::cached_read().unwrap_or_else(S::read_one);
    let cached = tools_call(&cached);
    let (bare, direct) = vendor.request_of(&server.target, &uncached).await?;
    let (pace, closed) = S::PACE;
    for _ in 0..3 {
        load::once(&server.target, &uncached).await?;
        load::once(&server.target, &cached).await?;
    }

    // One connection: what a call adds over the vendor's own answer, as fast as answers come unless the server keeps to a
    // pace that is slower than that.
    let span = Duration::from_secs(10);
    let one = async |target, body| match closed {
        None => load::open(target, body, 1, pace, span).await,
        Some(total) => load::closed(target, body, 1, total).await,
    };
    let alone = one(&bare, &direct).await?;
    let through = one(&server.target, &uncached).await?;
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

    // 64 connections at a steady rate that leaves the two cores some air.
    for (what, body, pace) in
        [("a cached call", &cached, 500), ("an uncached call, instant vendor", &uncached, pace)]
    {
        let alone = load::open(&bare, &direct, 64, pace, span).await?;
        let open = load::open(&server.target, body, 64, pace, span).await?;
        println!(
            "| added by {what}, 64 connections, {pace} requests/s | median {:.2} ms, p99 {:.2} ms, {} errors (vendor alone {:.2} ms) | median < 1 ms, p99 < 10 ms |",
            open.at(0.5) - alone.at(0.5),
            open.at(0.99) - alone.at(0.5),
            open.errors,
            alone.at(0.5),
        );
    }

    // 1,000 connections, 2,000 requests a second in all.
    for (what, body) in [("tools/list", &list), ("a cached call", &cached)] {
        let open = load::open(&server.target, body, 1_000, 2_000, Duration::from_secs(15)).await?;
        println!(
            "| {what}, 1,000 connections, 2,000 requests/s | median {:.2} ms, p99 {:.1} ms, {} errors of {}, {} | p99 < 100 ms, no error, < 150 MB |",
            open.at(0.5),
            open.at(0.99),
            open.errors,
            open.count(),
            server.resident()?
        );
    }
    drop(server);
    team::under_load::<S>(program, &vendor.url, &cached).await
}
