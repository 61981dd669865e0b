//! The server against its fake over real HTTP, with every toolset on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may panic, as tests may")]

use std::{cell::Cell, sync::Arc};

use connector::{
    Connector as _, Error, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, ReplyOptions, Silent},
    sandbox::{Action, Rule, Running, start},
    settings::{Config, Value as Setting},
    upstream::Options,
};
use github_mcp::GitHub;
use serde_json::{Map, Value};

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    service: Service<GitHub>,
    running: Running,
    asked: Cell<usize>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(&[], false).await
    }

    /// A server with settings of its own, and with structured content or not.
    pub(crate) async fn with(settings: &[(&'static str, Setting)], structured: bool) -> Self {
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
        Self { service: Service::new(server, GitHub::catalog(), options), running, asked: Cell::new(0) }
    }

    /// What the agent reads; a question is answered with yes.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.attempt(tool, arguments).await.unwrap_or_else(|error| panic!("{tool}: {}", error.for_agent()))
    }

    /// What the agent reads of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> String {
        match self.attempt(tool, arguments).await {
            Ok(text) => panic!("{tool} should have failed, and said {text}"),
            Err(error) => error.for_agent(),
        }
    }

    /// Structured content, which must be as the tool's schema says.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        let Answer::Reply(reply) = self.answer(tool, arguments).await.unwrap() else {
            panic!("{tool} asked")
        };
        let data = self.service.render(reply).structured.expect("there is structured content");
        let schema = self.service.tool(tool).unwrap().output_schema().expect("the tool has a schema");
        fits(tool, &data, &Value::Object(schema));
        data
    }

    async fn attempt(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        match self.answer(tool, arguments).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply).text),
            Answer::Question(question) => {
                self.asked.set(self.asked.get() + 1);
                Ok(self.service.render(question.agreed().await?).text)
            }
        }
    }

    async fn answer(&self, tool: &str, arguments: Value) -> Result<Answer, Error> {
        let found = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        self.service.call(found, Principal::local(), arguments, false, Arc::new(Silent)).await
    }

    /// How often a call asked since this was asked last.
    pub(crate) fn asked(&self) -> usize {
        self.asked.take()
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.running.harness().journal().count(operation)
    }

    /// The answers to the next `times` requests of `operation` are lost, though the work is done.
    pub(crate) fn lose(&self, operation: &str, times: u32) {
        self.running.harness().faults().add(Rule::new(operation, Action::CloseAfter).times(times));
    }
}

/// Whether `data` has what `schema` demands, and nothing that it does not name.
fn fits(place: &str, data: &Value, schema: &Value) {
    match data {
        Value::Object(object) => {
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(object.contains_key(name), "{place} lacks {name}: {data}");
            }
            for (name, value) in object {
                match schema["properties"].get(name) {
                    Some(inner) => fits(&format!("{place}.{name}"), value, inner),
                    None => {
                        let more = &schema["additionalProperties"];
                        assert!(more.is_object() || *more == true, "{place}: {name} is not in {schema}");
                    }
                }
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
            let listed = says.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
            assert!(
                says.is_null() || listed || says == kind,
                "{place} is {other}, and the schema says {schema}"
            );
        }
    }
}
