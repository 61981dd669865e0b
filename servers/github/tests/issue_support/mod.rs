//! The server over its fake, through the real pipeline, called as a client would.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use connector::{
    Connector as _, Error, Secret, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, ReplyOptions, Silent},
    clock,
    sandbox::{Action, Harness, Rule, Running, start},
    settings::{Config, Value as Setting},
    upstream::Options,
};
use github_mcp::GitHub;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use regex_lite::{Captures, Regex};
use serde_json::{Map, Value};

/// The repository of the story, which a call means that names none.
pub(crate) const REPO: &str = "harbor-example/import-api";
/// A token of the fake's that may only read.
pub(crate) const READONLY: &str = "github_pat_sandbox0maya0readonly";

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    service: Service<GitHub>,
    running: Running,
}

/// How a site is set up.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) token: Option<&'static str>,
    /// Values of `allow-repos`.
    pub(crate) allow: &'static [&'static str],
    /// Values of `allow-write-repos`.
    pub(crate) allow_writes: &'static [&'static str],
    pub(crate) structured: bool,
    /// Whether calls must name a repository.
    pub(crate) no_repo: bool,
    /// Bytes in a reply; zero for the usual number.
    pub(crate) budget: usize,
}

pub(crate) async fn site() -> Site {
    site_with(Setup::default()).await
}

pub(crate) async fn site_with(setup: Setup) -> Site {
    // For the plain requests of the tests themselves.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sandbox = GitHub::sandbox().expect("the sandbox is built in");
    let running = start(sandbox.fake, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let mut config = Config::default();
    let (key, value) = sandbox.credential;
    config.set(key, Setting::Secret(Secret::new(setup.token.unwrap_or(value))));
    if !setup.no_repo {
        config.set("repo", Setting::Text(REPO.to_owned()));
    }
    for (key, patterns) in [("allow-repos", setup.allow), ("allow-write-repos", setup.allow_writes)] {
        if !patterns.is_empty() {
            config.set(key, Setting::List(patterns.iter().map(ToString::to_string).collect()));
        }
    }
    let server = GitHub::connect(&config, Options::new(running.url())).unwrap();
    let mut reply = ReplyOptions { structured: setup.structured, ..ReplyOptions::default() };
    if setup.budget > 0 {
        reply.budget = setup.budget;
    }
    let options = ServiceOptions {
        policy: Policy::new(false, false),
        reply,
        sandbox: true,
        ..ServiceOptions::default()
    };
    Site { service: Service::new(server, GitHub::catalog(), options), running }
}

impl Site {
    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// What the agent reads; a question is answered with yes.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.attempt(tool, arguments).await.unwrap_or_else(|error| panic!("{tool}: {error}"))
    }

    /// The same with what changes from day to day made still, for snapshots.
    pub(crate) async fn still(&self, tool: &str, arguments: Value) -> String {
        still(&self.call(tool, arguments).await)
    }

    /// The error of a call that must fail.
    pub(crate) async fn refusal(&self, tool: &str, arguments: Value) -> Error {
        match self.attempt(tool, arguments).await {
            Ok(text) => panic!("{tool} should have failed, and said {text}"),
            Err(error) => error,
        }
    }

    async fn attempt(&self, tool: &str, arguments: Value) -> Result<String, Error> {
        match self.answer(tool, arguments).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply).text),
            Answer::Question(question) => Ok(self.service.render(question.agreed().await?).text),
        }
    }

    /// What a tool would ask before it does its work, which it then does not; none if it does not ask.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> Option<String> {
        match self.answer(tool, arguments).await.unwrap() {
            Answer::Reply(_) => None,
            Answer::Question(mut question) => Some(self.service.render(question.take_preview()).text),
        }
    }

    /// The structured content of a reply, checked against the tool's schema.
    pub(crate) async fn data(&self, tool: &str, arguments: Value) -> Value {
        let Answer::Reply(reply) = self.answer(tool, arguments).await.unwrap() else {
            panic!("{tool} asked")
        };
        let data = self.service.render(reply).structured.expect("there is structured content");
        let schema = self.service.tool(tool).unwrap().output_schema().expect("the tool has a schema");
        if let Some(misfit) = misfit(tool, &data, &Value::Object(schema)) {
            panic!("{misfit}");
        }
        data
    }

    async fn answer(&self, tool: &str, arguments: Value) -> Result<Answer, Error> {
        let found = self.service.tool(tool).unwrap_or_else(|| panic!("there is no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        self.service.call(found, Principal::local(), arguments, false, Arc::new(Silent)).await
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// How many requests it was sent at all.
    pub(crate) fn requests(&self) -> usize {
        self.harness().journal().entries().len()
    }

    /// The next request of `operation` goes wrong.
    pub(crate) fn fault(&self, operation: &str, action: Action) {
        self.harness().faults().add(Rule::new(operation, action));
    }

    /// What the fake itself answers to a plain request.
    pub(crate) async fn rest(&self, method: &str, path: &str, body: Value) -> Value {
        let method: reqwest::Method = method.parse().unwrap();
        let mut request = reqwest::Client::new()
            .request(method, format!("{}{path}", self.running.url()))
            .header("user-agent", "tests")
            .header("x-github-api-version", "2026-03-10")
            .bearer_auth(github_mcp::sandbox::TOKEN);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.rest("GET", path, Value::Null).await
    }

    /// An issue of the story's repository, as it is now.
    pub(crate) async fn issue(&self, number: u64) -> Value {
        self.get(&format!("repos/{REPO}/issues/{number}")).await
    }

    /// How many issues and pull requests the story's repository has.
    pub(crate) async fn count(&self) -> usize {
        let mut count = 0;
        for page in 1.. {
            let path = format!("repos/{REPO}/issues?state=all&per_page=100&page={page}");
            let rows = self.get(&path).await.as_array().unwrap().len();
            count += rows;
            if rows < 100 {
                break;
            }
        }
        count
    }
}

/// `text` without what differs from run to run: the marks of fences, cursors, commits, and days, which become
/// `D-3`.
pub(crate) fn still(text: &str) -> String {
    let seconds = i64::try_from(clock::wall().as_secs()).unwrap();
    let today = Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC).date();
    let text = Regex::new("(</?data) [0-9a-f]{6}").unwrap().replace_all(text, "$1");
    let text = Regex::new("cursor \"[^\"]+\"").unwrap().replace_all(&text, "cursor \"…\"");
    let text = Regex::new("http://127.0.0.1:[0-9]+").unwrap().replace_all(&text, "http://sandbox");
    // Commits have their days in them, so their ids change with them.
    let text = Regex::new(r"\b[0-9a-f]{12}\b").unwrap().replace_all(&text, "‹commit›");
    let day = |found: &Captures<'_>| {
        let date: Date = found[0].parse().unwrap();
        let days = date.since(today).unwrap().get_days();
        if days < 0 { format!("D{days}") } else { format!("D+{days}") }
    };
    Regex::new("[0-9]{4}-[0-9]{2}-[0-9]{2}").unwrap().replace_all(&text, day).into_owned()
}

/// The cursor that a reply gives.
pub(crate) fn cursor(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("cursor \"")?;
    rest.split_once('"').map(|(cursor, _)| cursor.to_owned())
}

/// The numbers at the beginning of the rows of a listing.
pub(crate) fn numbers(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix('#')?.split(' ').next()?.parse().ok()).collect()
}

/// The values under a key in a list of objects.
pub(crate) fn column(rows: &Value, key: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.as_array().unwrap().iter().map(|row| text(&row[key])).collect()
}

/// Where `data` lacks what a schema demands, or has what it does not name.
fn misfit(place: &str, data: &Value, schema: &Value) -> Option<String> {
    if let Some(choices) = schema["anyOf"].as_array() {
        let all: Option<Vec<String>> = choices.iter().map(|choice| misfit(place, data, choice)).collect();
        return all.map(|all| all.join("; or "));
    }
    match data {
        Value::Object(object) => {
            let empty = Map::new();
            let properties = schema["properties"].as_object().unwrap_or(&empty);
            let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(name) = required.find(|name| !object.contains_key(*name)) {
                return Some(format!("{place} lacks {name}: {data}"));
            }
            object.iter().find_map(|(name, value)| match properties.get(name) {
                Some(inner) => misfit(&format!("{place}.{name}"), value, inner),
                None => Some(format!("{place}: {name} is not in the schema {schema}")),
            })
        }
        Value::Array(items) => items.iter().find_map(|item| misfit(place, item, &schema["items"])),
        other => {
            let kind = match other {
                Value::String(_) => "string",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                _ => "null",
            };
            let says = &schema["type"];
            let listed = says.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind));
            (!listed && says != kind).then(|| format!("{place} is {other}, and the schema says {schema}"))
        }
    }
}
