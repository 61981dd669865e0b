//! A server as a user runs it: the real program, spoken to over its pipes.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Longer than anything here takes, shorter than patience.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program of `package` that the build of the workspace made, which `cargo test --workspace` does before it runs
/// this. Where a test runs without that (`cargo test -p suite`), a program that is missing or older than its sources is
/// built; with `PROGRAMS_ARE_BUILT` in the environment that is a failure.
///
/// # Panics
/// If it is not there and cannot be built.
#[must_use]
pub fn program(package: &str) -> PathBuf {
    static CURRENT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // This test's own program is in target/debug/deps.
    let own = std::env::current_exe().expect("a test has a program");
    let folder = own.ancestors().nth(2).expect("target/debug/deps/test");
    let program = folder.join(format!("{package}{}", std::env::consts::EXE_SUFFIX));
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if current.insert(package.to_owned()) && !is_current(&program, package) {
        let forbidden = std::env::var_os("PROGRAMS_ARE_BUILT").is_some();
        assert!(!forbidden, "{} is not there or older than its sources", program.display());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        // With the suite beside it: a package alone has other features of its dependencies, which are then built anew.
        let arguments = ["build", "--quiet", "-p", "suite", "-p", package];
        let status = std::process::Command::new(cargo).args(arguments).status();
        assert!(status.expect("cargo is there").success(), "{package} does not build");
    }
    program
}

/// Whether `program` is there and as new as everything it is built from.
fn is_current(program: &Path, package: &str) -> bool {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace");
    let server = format!("servers/{}", package.trim_end_matches("-mcp"));
    let sources = ["shared", "fixtures", &server].map(|package| workspace.join(package));
    let Some(built) = changed(program) else { return false };
    sources.iter().all(|folder| newest(&folder.join("src")) <= Some(built))
}

/// When a file was last written. None if it is not there.
fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

/// When the last of the files below `folder` was written. Prebuilt schemas do not count: only release builds read them.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.file_name() != "schemas.json");
    files
        .map(|entry| entry.path())
        .filter_map(|path| if path.is_dir() { newest(&path) } else { changed(&path) })
        .max()
}

/// A command that runs `package` with nothing of this process's environment.
#[must_use]
pub fn command(package: &str) -> Command {
    let mut command = Command::new(program(package));
    command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A server on stdio, and the client at the other end.
#[derive(Debug)]
pub struct Conversation {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Option<ChildStderr>,
    next: u64,
}

impl Conversation {
    /// Starts `command`, which must speak MCP on its pipes.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let stderr = child.stderr.take();
        Self { child, stdin, stdout, stderr, next: 0 }
    }

    /// Sends one line as it is.
    ///
    /// # Panics
    /// If the server no longer reads.
    pub async fn send(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        stdin.write_all(format!("{line}\n").as_bytes()).await.expect("the server reads");
        stdin.flush().await.expect("the server reads");
    }

    /// The next line that the server writes.
    ///
    /// # Panics
    /// If none comes, or it is not JSON.
    pub async fn receive(&mut self) -> Value {
        let line = timeout(PATIENCE, self.stdout.next_line())
            .await
            .expect("an answer in time")
            .expect("stdout can be read");
        let line = line.expect("the server still talks");
        serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("stdout must carry JSON only: {error}: {line}"))
    }

    /// Asks in the newest protocol, and returns the answer to just this request.
    pub async fn ask(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "suite", "version": "0"},
        });
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
        loop {
            let answer = self.receive().await;
            if answer["id"] == id {
                return answer;
            }
        }
    }

    /// Calls a tool, and returns its text and whether it is an error.
    ///
    /// # Panics
    /// If the answer has no text.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> (String, bool) {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"));
        (text.to_owned(), result["isError"] == true)
    }

    /// Closes the server's input, and returns its exit code and what it wrote to stderr.
    ///
    /// # Panics
    /// If it does not exit.
    pub async fn finish(mut self) -> (Option<i32>, String) {
        drop(self.stdin.take());
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("it exits in time")
            .expect("it can be waited for");
        let mut log = String::new();
        if let Some(stderr) = self.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                log.push_str(&line);
                log.push('\n');
            }
        }
        (status.code(), log)
    }
}
