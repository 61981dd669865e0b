//! The server against its sandbox over real HTTP, called as a client would.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may panic, as tests may"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use connector::{
    Check, Connector as _, Secret, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, Progress, ReplyOptions, Silent},
    sandbox::{Fake, Harness, Running, start},
    settings::{Config, Value as Set},
    upstream::Options,
};
use futures::future::{BoxFuture, FutureExt as _};
use github_mcp::GitHub;
use serde_json::{Map, Value};

/// The repository of the story.
pub(crate) const REPO: &str = "harbor-example/import-api";

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    pub(crate) service: Service<GitHub>,
    fake: Arc<dyn Fake>,
    running: Running,
}

/// How a site is put together.
#[derive(Default)]
pub(crate) struct With {
    /// The credential, instead of the sandbox's.
    pub(crate) token: Option<&'static str>,
    /// Other settings.
    pub(crate) settings: Vec<(&'static str, Set)>,
    /// Whether destructive work asks first.
    pub(crate) asks: bool,
    /// Whether data goes out as structured content.
    pub(crate) structured: bool,
    /// Bytes of one reply; zero for the default.
    pub(crate) budget: usize,
    /// Whether the server only reads.
    pub(crate) read_only: bool,
}

/// A site at its defaults, where nothing asks.
pub(crate) async fn site() -> Site {
    site_with(With::default()).await
}

/// A site as `with` says.
pub(crate) async fn site_with(with: With) -> Site {
    let sandbox = GitHub::sandbox().unwrap();
    let fake = Arc::clone(&sandbox.fake);
    let running = start(sandbox.fake, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut config = Config::default();
    let (key, value) = sandbox.credential;
    let has_app = with.settings.iter().any(|(name, _)| *name == "app-id");
    if !has_app {
        config.set(key, Set::Secret(Secret::new(with.token.unwrap_or(value))));
    }
    for (key, value) in with.settings {
        config.set(key, value);
    }
    let url = running.url().join(sandbox.api_path).unwrap();
    let mut options = Options::new(url);
    options.read_only = with.read_only;
    let server = GitHub::connect(&config, options).unwrap();
    let mut reply = ReplyOptions { structured: with.structured, ..ReplyOptions::default() };
    if with.budget > 0 {
        reply.budget = with.budget;
    }
    let options = ServiceOptions {
        policy: Policy::new(with.read_only, !with.asks),
        reply,
        sandbox: true,
        ..ServiceOptions::default()
    };
    Site { service: Service::new(server, GitHub::catalog(), options), fake, running }
}

impl Site {
    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// Where the fake is.
    pub(crate) fn url(&self, path: &str) -> String {
        self.running.url().join(path).unwrap().to_string()
    }

    /// Everything that the fake remembers.
    pub(crate) fn dump(&self) -> Value {
        self.fake.dump()
    }

    /// Calls a tool; an error is what the agent would read.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        match self.rendered(tool, arguments, Arc::new(Silent)).await {
            Ok(rendered) => rendered.text,
            Err(error) => format!("ERROR {}", error.for_agent()),
        }
    }

    /// Calls a tool, and keeps what it tells of its progress.
    pub(crate) async fn call_heard(&self, tool: &str, arguments: Value) -> (String, Vec<String>) {
        let heard = Arc::new(Heard::default());
        let text = match self.rendered(tool, arguments, Arc::clone(&heard) as Arc<dyn Progress>).await {
            Ok(rendered) => rendered.text,
            Err(error) => format!("ERROR {}", error.for_agent()),
        };
        let lines = heard.0.lock().unwrap().clone();
        (text, lines)
    }

    /// The structured content of a reply.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        let rendered = self.rendered(tool, arguments, Arc::new(Silent)).await;
        rendered.unwrap().structured.expect("structured content")
    }

    async fn rendered(
        &self,
        tool: &str,
        arguments: Value,
        progress: Arc<dyn Progress>,
    ) -> connector::Result<connector::catalog::Rendered> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        match self.service.call(tool, Principal::local(), arguments, false, progress).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply)),
            Answer::Question(question) => {
                let reply = question.by_second_call(self.service.confirmations());
                Ok(self.service.render(reply))
            }
        }
    }

    /// Reads a resource.
    pub(crate) async fn read(&self, uri: &str) -> String {
        match self.service.read(Principal::local(), uri).await {
            Ok(reply) => self.service.render(reply).text,
            Err(error) => format!("ERROR {}", error.for_agent()),
        }
    }

    /// Gets a prompt.
    pub(crate) async fn prompt(&self, name: &str, arguments: &[(&str, &str)]) -> String {
        match self.service.prompt(Principal::local(), name, texts(arguments)).await {
            Some(Ok(reply)) => self.service.render(reply).text,
            Some(Err(error)) => format!("ERROR {}", error.for_agent()),
            None => panic!("no prompt {name}"),
        }
    }

    /// Completes an argument.
    pub(crate) async fn complete(&self, argument: &str, typed: &str, others: &[(&str, &str)]) -> Vec<String> {
        self.service.complete(Principal::local(), argument, typed.to_owned(), texts(others)).await.unwrap()
    }

    /// What `doctor` finds.
    pub(crate) async fn diagnose(&self) -> Vec<Check> {
        self.service.server().diagnose().await
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }
}

/// The cursor in a reply's header.
pub(crate) fn cursor(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("cursor \"")?;
    rest.split('"').next()
}

/// The one-time value in a reply that asks.
pub(crate) fn confirm(text: &str) -> &str {
    text.split("\"confirm\": \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a question")
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Keeps what is told of progress.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<String>>);

impl Progress for Heard {
    fn report<'a>(&'a self, done: u32, total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()> {
        let total = total.map_or_else(|| "?".to_owned(), |total| total.to_string());
        self.0.lock().unwrap().push(format!("{done}/{total} {message}"));
        std::future::ready(()).boxed()
    }
}
