//! What only a process shows: pipes, signals, standard output that is the protocol's alone.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

/// The tests' server. It is an example of the package, which cargo builds for all tests together but
/// not for this file alone; it is built where it is missing or older than its sources.
fn program() -> Command {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.ancestors().nth(2).unwrap();
        let program = folder.join("examples").join(format!("notes-mcp{}", std::env::consts::EXE_SUFFIX));
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let sources = newest(&package.join("src")).max(newest(&package.join("tests/it/cli_behaviour")));
        if changed(&program) < Some(sources) {
            let built = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--package", env!("CARGO_PKG_NAME"), "--example", "notes-mcp"])
                .current_dir(package)
                .status();
            assert!(built.unwrap().success());
        }
        program
    });
    let mut command = Command::new(&*BUILT);
    command.env_clear().env("HOME", env!("CARGO_TARGET_TMPDIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|file| file.modified()).ok()
}

/// When the last of the files below `folder` was written.
fn newest(folder: &Path) -> SystemTime {
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| if path.is_dir() { newest(&path) } else { changed(&path).unwrap() }).max().unwrap()
}

/// Kills what a failing test leaves behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"0"}}}"#;

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

#[test]
fn standard_output_is_the_protocols_alone_and_the_end_of_input_ends_the_process() {
    let mut child = Running(
        program().args(["--sandbox", "--log", "debug"]).env("NOTES_MCP_SANBOX", "1").spawn().unwrap(),
    );
    let mut input = child.0.stdin.take().unwrap();
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "list_notes", "arguments": {}}});
    writeln!(input, "{INITIALIZE}\n{INITIALIZED}\n{call}").unwrap();
    let mut output = BufReader::new(child.0.stdout.take().unwrap());
    let mut replies = Vec::new();
    for _ in 0..2 {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        replies.push(serde_json::from_str::<Value>(&line).unwrap());
    }
    assert!(replies[1]["result"]["content"][0]["text"].as_str().unwrap().contains("Buy milk"), "{replies:?}");
    drop(input);
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!((child.0.wait().unwrap().code(), rest.as_str()), (Some(0), ""));
    let mut logs = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut logs).unwrap();
    assert!(logs.contains("NOTES_MCP_SANBOX is set but is no setting"), "{logs}");
    assert!(logs.contains("the vendor is the built-in fake"), "{logs}");
}

/// A free port of loopback, which nobody took a moment ago.
fn free() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// Waits until `done` says so.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        let (_sender, never) = std::sync::mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_millis(50));
    }
    panic!("{what} did not happen in ten seconds");
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_end_is_not_ready_and_answers_until_it_is_asked_again() {
    let address = free();
    let serve = ["serve", "--sandbox", "--lame-duck-seconds", "600", "--http", &address];
    let mut child = Running(program().args(serve).spawn().unwrap());
    let health = || program().args(["healthcheck", "--http", &address]).output().unwrap().status.code();
    until("a healthy answer", || health() == Some(0));
    let id = child.0.id().to_string();
    let terminate = || assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ready = || {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        write!(stream, "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200 ")
    };
    assert!(ready());
    terminate();
    until("the end of readiness", || !ready());
    assert_eq!((health(), child.0.try_wait().unwrap()), (Some(0), None));
    terminate();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert_eq!(health(), Some(1));
    let mut logs = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut logs).unwrap();
    assert!(logs.contains(&format!("notes-mcp serves MCP at http://{address}/mcp")), "{logs}");
}

#[test]
fn a_server_beyond_this_machine_warns_that_no_replica_shares_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    std::fs::write(&keys, connector::access::ApiKeys::generate("ada").1).unwrap();
    let port = free().rsplit(':').next().unwrap().to_owned();
    let serve = [
        "serve",
        "--sandbox",
        "--http",
        &format!("0.0.0.0:{port}"),
        "--api-keys-file",
        keys.to_str().unwrap(),
    ];
    let mut child = Running(program().args(serve).spawn().unwrap());
    let mut errors = BufReader::new(child.0.stderr.take().unwrap());
    let mut logs = String::new();
    while !logs.contains("serves MCP at") {
        assert_ne!(errors.read_line(&mut logs).unwrap(), 0, "{logs}");
    }
    assert!(logs.contains("WARN") && logs.contains("--state-keys-file"), "{logs}");
}

#[test]
fn the_sandbox_alone_serves_other_programs() {
    let mut child = Running(program().args(["sandbox", "--listen", "127.0.0.1:0"]).spawn().unwrap());
    let mut output = BufReader::new(child.0.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.ends_with("Ctrl-C stops it.\n") {
        assert_ne!(output.read_line(&mut shown).unwrap(), 0, "{shown}");
    }
    let url = shown.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
    insta::assert_snapshot!(shown.replace(port, "PORT"));
    let mut call = program();
    call.args(["call", "list_notes"]).env("NOTES_API_URL", &url).env("NOTES_API_KEY", "sandbox-key");
    let done = call.output().unwrap();
    assert!(String::from_utf8_lossy(&done.stdout).contains("Call Ada"), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = Running(program().arg("--help").spawn().unwrap());
    drop(child.0.stdout.take());
    let code = child.0.wait().unwrap().code();
    let mut said = String::new();
    child.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((code, said.as_str()), (Some(0), ""));
}
