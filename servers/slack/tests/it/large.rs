//! A workspace of 250,000 people: the program is ready at once, and asks for no directory before a name needs
//! one, and then for no more than the name is worth.

use std::{collections::BTreeMap, net::SocketAddr, process::Stdio};

use connector::sandbox::{self, Action, Rule, Running};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::Instant,
};

const PEOPLE: usize = 250_000;
/// Methods that read a directory.
const DIRECTORIES: [&str; 4] = ["users.list", "conversations.list", "users.conversations", "usergroups.list"];

/// The story's workspace with so many people more.
fn seed() -> String {
    let mut seed: Value = serde_json::from_str(slack_mcp::sandbox::seed()).unwrap();
    let more = (0..PEOPLE).map(|number| {
        let name = format!("person{number}");
        let mail = format!("{name}@harbor.example");
        let real = format!("Person Number{number}");
        json!({"id": format!("U1{number:09}"), "name": name, "real_name": real, "tz": "Europe/Oslo",
            "profile": {"real_name": real, "display_name": name, "email": mail}})
    });
    seed["users"].as_array_mut().unwrap().extend(more);
    seed.to_string()
}

/// The program, spoken to on its standard streams.
struct Program {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    asked: u64,
}

impl Program {
    fn start(fake: &Running, token: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_slack-mcp"))
            .env("SLACK_API_URL", format!("{}api", fake.url()))
            .env("SLACK_USER_TOKEN", token)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { _child: child, input, output: BufReader::new(output).lines(), asked: 0 }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params});
        self.input.write_all(format!("{request}\n").as_bytes()).await.unwrap();
        loop {
            let line = self.output.next_line().await.unwrap().expect("the program ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == self.asked {
                assert!(answer["error"].is_null(), "{answer}");
                return answer["result"].clone();
            }
        }
    }

    async fn begin(&mut self) {
        let client = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        self.ask("initialize", client).await;
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        self.input.write_all(format!("{ready}\n").as_bytes()).await.unwrap();
    }

    /// The text of a tool's answer, and whether it is an error.
    async fn call(&mut self, tool: &str, arguments: Value) -> (String, bool) {
        let answer = self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await;
        let text = answer["content"][0]["text"].as_str().unwrap().to_owned();
        (text, answer["isError"] == true)
    }
}

#[tokio::test]
async fn a_workspace_of_250000_people_is_ready_at_once_and_a_name_costs_few_calls() {
    connector::tls::install();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let fake = sandbox::start(slack_mcp::sandbox::with_seed(seed()), loopback).await.unwrap();
    let journal = || fake.harness().journal();
    let directories = || DIRECTORIES.iter().map(|method| journal().count(method)).sum::<usize>();

    let started = Instant::now();
    let mut program = Program::start(&fake, "xoxp-sandbox");
    program.begin().await;
    let list = program.ask("tools/list", json!({})).await;
    println!("slack: ready with its list after {} ms", started.elapsed().as_millis());
    assert!(list["tools"].as_array().unwrap().len() > 20);
    assert!(journal().entries().is_empty(), "starting asked Slack");

    let (text, _) = program.call("read_channel", json!({"channel": "C0ENGIMPORT", "limit": 20})).await;
    assert!(text.contains("tomas:") && text.contains("priya:"), "{text}");
    assert_eq!(directories(), 0, "people are looked up one by one");
    assert!(journal().entries().len() < 20, "{}", journal().entries().len());

    // Somebody far back in the directory, by handle and by name.
    for (name, id) in [("@person249999", "U1000249999"), ("Person Number200000", "U1000200000")] {
        journal().clear();
        let (text, failed) = program.call("read_user_profile", json!({"user": name})).await;
        assert!(!failed && text.contains(id), "{text}");
        assert!(journal().count("users.list") <= 1, "{}", journal().count("users.list"));
        assert!(journal().entries().len() <= 9, "{name} cost {} calls", journal().entries().len());
    }
    // Nobody: no more than ten pages of a directory, and what to give instead.
    journal().clear();
    let (text, failed) = program.call("read_user_profile", json!({"user": "@nobody.at.all"})).await;
    assert!(failed && text.contains("e-mail address"), "{text}");
    assert!(journal().count("users.list") <= 10 && journal().entries().len() <= 15);

    // Without the right to search people, the directory is read, and no further.
    let body = json!({"ok": false, "error": "missing_scope", "needed": "search:read.users"}).to_string();
    let refused = Action::Status { code: 200, headers: BTreeMap::new(), body, committed: false };
    fake.harness().faults().add(Rule::new("assistant.search.context", refused).always());
    let mut program = Program::start(&fake, "xoxp-sandbox-2");
    program.begin().await;
    journal().clear();
    let (text, failed) = program.call("read_user_profile", json!({"user": "@person5000"})).await;
    assert!(!failed && text.contains("U1000005000"), "{text}");
    assert!(journal().count("users.list") <= 10, "{}", journal().count("users.list"));
}
