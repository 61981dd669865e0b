//! A server over its own fake, in one process.

use std::{net::SocketAddr, sync::Arc};

use connector::{
    Connector as _, Error, Secret, Service, ServiceOptions,
    access::{Policy, Principal, Selection},
    catalog::{Answer, Silent},
    sandbox::{self, Harness, Running},
    settings::{Config, Value as Setting},
    upstream,
};
use notion_mcp::Notion;
use serde_json::Value;
use url::Url;

/// Things of the seed.
pub(crate) const TASKS: &str = "50ce0000000040008000000000000001";
pub(crate) const TASK: &str = "7a5c0000000040008000000000000003";
pub(crate) const DESIGN: &str = "9a9e0000000040008000000000000002";
pub(crate) const POST_MORTEM: &str = "9a9e0000000040008000000000000003";
pub(crate) const RUNBOOKS: &str = "9a9e0000000040008000000000000004";
pub(crate) const RUNBOOK: &str = "9a9e0000000040008000000000000005";
pub(crate) const ONBOARDING: &str = "9a9e0000000040008000000000000011";
pub(crate) const OWN_COMMENT: &str = "c0330000000040008000000000000005";

/// A server over its own fake.
pub(crate) struct Office {
    service: Arc<Service<Notion>>,
    fake: Arc<dyn sandbox::Fake>,
    running: Running,
}

impl Office {
    /// Over the story, nobody asked before destructive work.
    pub(crate) async fn open() -> Self {
        Self::with(&[]).await
    }

    /// The same, with settings.
    pub(crate) async fn with(settings: &[(&'static str, Setting)]) -> Self {
        Self::of(settings, Policy::new(false, true)).await
    }

    /// Over the story, somebody asked before what needs it.
    pub(crate) async fn asking() -> Self {
        Self::of(&[], Policy::new(false, false)).await
    }

    async fn of(settings: &[(&'static str, Setting)], policy: Policy) -> Self {
        let fake = notion_mcp::sandbox::fake();
        let running = sandbox::start(Arc::clone(&fake), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = Url::parse(&format!("{}v1", running.url())).unwrap();
        let mut config = Config::default();
        config.set("sandbox", Setting::Switch(true));
        config.set("token", Setting::Secret(Secret::new("ntn_sandbox")));
        for (key, value) in settings {
            config.set(key, value.clone());
        }
        let server = Notion::connect(&config, upstream::Options::new(base)).unwrap();
        let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
        let catalog = Notion::catalog().select(&selection).unwrap();
        let options = ServiceOptions { policy, sandbox: true, ..ServiceOptions::default() };
        Self { service: Arc::new(Service::new(server, catalog, options)), fake, running }
    }

    pub(crate) async fn attempt(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments = arguments.as_object().cloned().unwrap();
        let answer = self.service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await?;
        let reply = match answer {
            Answer::Reply(reply) => reply,
            Answer::Question(question) => question.agreed().await?,
        };
        Ok(self.service.render(reply).text)
    }

    /// What somebody is asked before a call does anything.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> Option<String> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments = arguments.as_object().cloned().unwrap();
        match self.service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await.unwrap() {
            Answer::Reply(_) => None,
            Answer::Question(mut question) => Some(self.service.render(question.take_preview()).text),
        }
    }

    /// The reply of a call that must not fail.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        match self.attempt(tool, arguments.clone()).await {
            Ok(text) => text,
            Err(error) => panic!("{tool} {arguments}: {error}"),
        }
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        match self.attempt(tool, arguments.clone()).await {
            Ok(text) => panic!("{tool} {arguments} should fail: {text}"),
            Err(error) => error,
        }
    }

    /// A client that listens.
    pub(crate) fn client(&self) -> connector::testing::Client {
        connector::testing::Client::of(&self.service)
    }

    /// What the fake answers to a plain request.
    pub(crate) async fn raw(&self, path: &str) -> Value {
        connector::tls::install();
        let url = format!("{}{}", self.running.url(), path.trim_start_matches('/'));
        let request = reqwest::Client::new().get(url).bearer_auth("ntn_sandbox");
        request.header("notion-version", "2026-03-11").send().await.unwrap().json().await.unwrap()
    }

    /// What the fake answers to a request with a body, made beside the server.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Value {
        connector::tls::install();
        let url = format!("{}v1/{path}", self.running.url());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = reqwest::Client::new().request(method, url).bearer_auth("ntn_sandbox");
        let answer = request.header("notion-version", "2026-03-11").json(&body).send().await.unwrap();
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer
    }

    /// Makes the fake's limits smaller, or has it fail in a way of Notion's own.
    pub(crate) async fn steer(&self, settings: Value) {
        connector::tls::install();
        let url = format!("{}_notion/settings", self.running.url());
        let answer = reqwest::Client::new().post(url).json(&settings).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    pub(crate) fn dump(&self) -> Value {
        self.fake.dump()
    }

    /// A node of the fake's tree, by its id with or without dashes.
    pub(crate) fn node(&self, id: &str) -> Value {
        let id = id.replace('-', "");
        let dump = self.dump();
        let nodes = dump["nodes"].as_object().unwrap();
        nodes
            .iter()
            .find(|(known, _)| known.replace('-', "") == id)
            .map(|(_, node)| node.clone())
            .unwrap_or_default()
    }

    /// How many things of the state have `text` in a string of their own.
    pub(crate) fn count(&self, text: &str) -> usize {
        occurrences(&self.dump(), text)
    }

    /// How many requests there were for an operation.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }
}

fn occurrences(value: &Value, text: &str) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| occurrences(item, text)).sum(),
        Value::Object(fields) => fields.values().map(|field| occurrences(field, text)).sum(),
        Value::String(string) => usize::from(string.contains(text)),
        _ => 0,
    }
}

/// The text of a reply: what is inside its last fence.
pub(crate) fn inside(reply: &str) -> Vec<String> {
    let lines: Vec<&str> = reply.lines().collect();
    let close = lines.iter().rposition(|line| line.starts_with("</data ")).unwrap_or(lines.len());
    let open = lines[..close].iter().rposition(|line| line.starts_with("<data ")).unwrap();
    lines[open + 1..close].iter().map(|line| (*line).to_owned()).collect()
}

/// The first id in a reply.
pub(crate) fn id_in(text: &str) -> String {
    let hex = |word: &&str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.find(hex).unwrap_or_else(|| panic!("no id: {text}")).to_owned()
}
