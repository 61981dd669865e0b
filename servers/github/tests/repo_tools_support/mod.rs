//! The server against its fake over real HTTP, called as a client would.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may panic, as tests may")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use connector::{
    Connector as _, Error, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, ReplyOptions, Silent},
    sandbox::{Action, Harness, Rule, Running, start},
    settings::{Config, Value as Setting},
    upstream::Options,
};
use github_mcp::GitHub;
use serde_json::{Map, Value, json};

/// The repository of the story.
pub(crate) const REPO: &str = "harbor-example/import-api";
/// One without commits.
pub(crate) const EMPTY: &str = "harbor-example/empty";
/// A large file of it.
pub(crate) const CSV: &str = "fixtures/stock-nightly.csv";
/// What a commit by GraphQL is called in the journal.
pub(crate) const COMMIT: &str = "CreateCommit";

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    service: Service<GitHub>,
    running: Running,
    asked: AtomicUsize,
}

/// A server with everything allowed, that asks before it does harm.
pub(crate) async fn site() -> Site {
    site_with(&[], false).await
}

/// A server with settings of its own, and with structured content or not.
pub(crate) async fn site_with(settings: &[(&'static str, Setting)], structured: bool) -> Site {
    // For the tests' own client, which may be made before the server's.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sandbox = GitHub::sandbox().unwrap();
    let running = start(sandbox.fake, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut config = Config::default();
    let (key, value) = sandbox.credential;
    config.set(key, Setting::Secret(connector::Secret::new(value)));
    for (key, value) in settings {
        config.set(key, value.clone());
    }
    let server = GitHub::connect(&config, Options::new(running.url())).unwrap();
    let options = ServiceOptions {
        policy: Policy::new(false, false),
        reply: ReplyOptions { structured, ..ReplyOptions::default() },
        sandbox: true,
        ..ServiceOptions::default()
    };
    Site { service: Service::new(server, GitHub::catalog(), options), running, asked: AtomicUsize::new(0) }
}

impl Site {
    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// What the agent reads; a question is answered with yes.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.attempt(tool, arguments).await.unwrap_or_else(|error| panic!("{tool}: {error}"))
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        match self.attempt(tool, arguments).await {
            Ok(text) => panic!("{tool} should have failed, and said {text}"),
            Err(error) => error,
        }
    }

    /// The structured content of a reply.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        match self.answer(tool, arguments).await.unwrap() {
            Answer::Reply(reply) => {
                self.service.render(reply).structured.expect("there is structured content")
            }
            Answer::Question(_) => panic!("{tool} asked"),
        }
    }

    /// Whether `data` has what the tool's schema demands, and nothing that it does not name.
    pub(crate) fn check_schema(&self, tool: &str, data: &Value) {
        let schema = self.service.tool(tool).unwrap().output_schema().expect("the tool has a schema");
        fits(tool, data, &Value::Object(schema));
    }

    /// What the agent reads, be it an error.
    pub(crate) async fn read(&self, tool: &str, arguments: Value) -> String {
        self.attempt(tool, arguments).await.unwrap_or_else(|error| error.for_agent())
    }

    async fn attempt(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        match self.answer(tool, arguments).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply).text),
            Answer::Question(question) => {
                self.asked.fetch_add(1, Ordering::Relaxed);
                Ok(self.service.render(question.agreed().await?).text)
            }
        }
    }

    async fn answer(&self, tool: &str, arguments: Value) -> Result<Answer, Error> {
        let found = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        self.service.call(found, Principal::local(), arguments, false, Arc::new(Silent)).await
    }

    /// What a tool would ask before it does its work, which it then does not.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> Option<String> {
        match self.answer(tool, arguments).await.unwrap() {
            Answer::Reply(_) => None,
            Answer::Question(mut question) => Some(self.service.render(question.take_preview()).text),
        }
    }

    /// How often a call asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// What went to the fake that was no read.
    pub(crate) fn writes(&self) -> Vec<String> {
        let reads = ["GET ", "Blame", "POST /repos/{owner}/{repo}/releases/generate-notes"];
        let all = self.harness().journal().operations();
        all.into_iter().filter(|operation| !reads.iter().any(|read| operation.starts_with(read))).collect()
    }

    /// The next request of `operation` goes wrong.
    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.harness().faults().add(Rule::new(operation, action));
    }

    /// Asks the fake itself.
    pub(crate) async fn ask(&self, path: &str, accept: &str) -> Vec<u8> {
        let url = format!("{}{path}", self.running.url());
        let client = reqwest::Client::builder().user_agent("tests").build().unwrap();
        let answer = client
            .get(url)
            .header("accept", format!("application/vnd.github.{accept}"))
            .bearer_auth(github_mcp::sandbox::TOKEN)
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.bytes().await.unwrap().to_vec()
    }

    /// The same as JSON.
    pub(crate) async fn json(&self, path: &str) -> Value {
        serde_json::from_slice(&self.ask(path, "json").await).unwrap()
    }

    /// A file's bytes at a ref.
    pub(crate) async fn file(&self, path: &str, at: &str) -> Vec<u8> {
        self.ask(&format!("repos/{REPO}/contents/{path}?ref={at}"), "raw").await
    }

    /// A branch's head.
    pub(crate) async fn head(&self, branch: &str) -> String {
        let found = self.json(&format!("repos/{REPO}/git/ref/heads/{branch}")).await;
        found["object"]["sha"].as_str().unwrap().to_owned()
    }

    /// The mode of a file, as git has it.
    pub(crate) async fn mode(&self, path: &str, at: &str) -> Option<String> {
        let at = at.replace('/', "%2F");
        let tree = self.json(&format!("repos/{REPO}/git/trees/{at}?recursive=1")).await;
        let entry = tree["tree"].as_array().unwrap().iter().find(|entry| entry["path"] == path)?;
        Some(entry["mode"].as_str().unwrap().to_owned())
    }
}

fn fits(place: &str, data: &Value, schema: &Value) {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    match data {
        Value::Object(object) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(object.contains_key(name), "{place} lacks {name}: {data}");
            }
            for (name, value) in object {
                let Some(inner) = properties.get(name) else {
                    let open =
                        schema["additionalProperties"].is_object() || schema["additionalProperties"] == true;
                    assert!(open, "{place}: {name} is not in the schema: {schema}");
                    continue;
                };
                fits(&format!("{place}.{name}"), value, inner);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| fits(place, item, &schema["items"])),
        other => {
            let kind = match other {
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                _ => "null",
            };
            let says = &schema["type"];
            let any = *schema == Value::Bool(true) || says.is_null();
            let listed = says.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
            assert!(any || listed || says == kind, "{place} is {other}, and the schema says {schema}");
        }
    }
}

/// Arguments with the repository of the story.
pub(crate) fn with_repo(mut arguments: Value) -> Value {
    arguments["repo"] = json!(REPO);
    arguments
}

/// A commit to a branch that nobody protects.
pub(crate) fn commit(changes: Value) -> Value {
    with_repo(json!({"branch": "release/2.14", "message": "Change it\n\nBecause.", "changes": changes}))
}

/// The cursor in a reply, to go on with.
pub(crate) fn cursor(text: &str) -> Option<&str> {
    text.split_once("cursor \"")?.1.split_once('"').map(|(cursor, _)| cursor)
}

/// The rows in a reply's first fence.
pub(crate) fn rows(text: &str) -> Vec<&str> {
    let inside = text.lines().skip_while(|line| !line.starts_with("<data ")).skip(1);
    inside.take_while(|line| !line.starts_with("</data ")).collect()
}
