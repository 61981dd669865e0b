//! The server against its sandbox over real HTTP, called as a client would, with replies in which what
//! differs from day to day is replaced; and plain REST beside it.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests may panic, as tests may")]

use std::sync::{Arc, Mutex};

use connector::{
    Connector as _, Error, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, Progress, Question, Silent},
    sandbox::{Fake, Harness, Running, start},
    settings::{Config, Value as Set},
    upstream::Options,
};
use futures::future::BoxFuture;
use github_mcp::GitHub;
use jiff::civil::Date;
use reqwest::{Client, Method};
use serde_json::{Map, Value};

/// The repository of the story.
pub(crate) const REPO: &str = "harbor-example/import-api";

/// The server, and the fake GitHub it talks to.
pub(crate) struct Site {
    pub(crate) service: Service<GitHub>,
    fake: Arc<dyn Fake>,
    running: Running,
    today: Date,
    token: String,
}

/// A server with maya's token, whose default repository is the story's.
pub(crate) async fn site() -> Site {
    site_with(github_mcp::sandbox::TOKEN, &[]).await
}

/// A server with another token, and settings.
pub(crate) async fn site_with(token: &str, settings: &[(&'static str, Set)]) -> Site {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let sandbox = GitHub::sandbox().unwrap();
    let running = start(Arc::clone(&sandbox.fake), ([127, 0, 0, 1], 0).into()).await.unwrap();
    let today = running.harness().clock().today();
    let mut config = Config::default();
    config.set(sandbox.credential.0, Set::Secret(connector::Secret::new(token)));
    config.set("repo", Set::Text(REPO.to_owned()));
    for (key, value) in settings {
        config.set(key, value.clone());
    }
    let server = GitHub::connect(&config, Options::new(running.url())).unwrap();
    let options =
        ServiceOptions { policy: Policy::new(false, false), sandbox: true, ..ServiceOptions::default() };
    let service = Service::new(server, GitHub::catalog(), options);
    Site { service, fake: sandbox.fake, running, today, token: token.to_owned() }
}

impl Site {
    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// All that the fake remembers.
    pub(crate) fn dump(&self) -> Value {
        self.fake.dump()
    }

    /// Calls a tool; what it asks is answered with yes, and an error is what the agent would read.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        self.steady(&self.raw(tool, arguments).await)
    }

    /// The same, with the reply as it is.
    pub(crate) async fn raw(&self, tool: &str, arguments: Value) -> String {
        match self.answer(tool, arguments, Arc::new(Silent)).await {
            Ok(Answer::Reply(reply)) => self.service.render(reply).text,
            Ok(Answer::Question(question)) => match question.agreed().await {
                Ok(reply) => self.service.render(reply).text,
                Err(error) => format!("ERROR {}", error.for_agent()),
            },
            Err(error) => format!("ERROR {}", error.for_agent()),
        }
    }

    /// Whether a call asks before it does anything.
    pub(crate) async fn asks(&self, tool: &str, arguments: Value) -> bool {
        matches!(self.answer(tool, arguments, Arc::new(Silent)).await, Ok(Answer::Question(_)))
    }

    /// The question of a call that asks before it does anything.
    pub(crate) async fn question(&self, tool: &str, arguments: Value) -> Question {
        match self.answer(tool, arguments, Arc::new(Silent)).await {
            Ok(Answer::Question(question)) => question,
            other => panic!("{tool} does not ask: {other:?}"),
        }
    }

    /// Calls a tool and keeps what it says on its way.
    pub(crate) async fn watched(&self, tool: &str, arguments: Value) -> (String, Vec<(u32, String)>) {
        let said = Arc::new(Said::default());
        let answer = self.answer(tool, arguments, Arc::clone(&said) as Arc<dyn Progress>).await.unwrap();
        let Answer::Reply(reply) = answer else { panic!("{tool} asks") };
        let text = self.steady(&self.service.render(reply).text);
        let said = said.0.lock().unwrap().clone();
        (text, said)
    }

    async fn answer(
        &self,
        tool: &str,
        arguments: Value,
        progress: Arc<dyn Progress>,
    ) -> Result<Answer, Error> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        self.service.call(tool, Principal::local(), arguments, false, progress).await
    }

    /// Status and JSON of a plain request with a token; the server's own for none.
    pub(crate) async fn rest(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> (u16, Value) {
        let url = self.running.url().join(path).unwrap();
        let request = Client::builder().user_agent("test").build().unwrap().request(method, url);
        let request = request.bearer_auth(token.unwrap_or(&self.token));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default())
    }

    /// The JSON of a plain GET below the story's repository.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.rest(Method::GET, &format!("repos/{REPO}/{path}"), None, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// How many requests the fake was sent in all.
    pub(crate) fn requests(&self) -> usize {
        self.harness().journal().entries().len()
    }

    /// `text` with days as offsets from today, and without what is random or made of dates.
    fn steady(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let at_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
            let hex = rest
                .bytes()
                .take_while(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
                .count();
            if at_word && hex == 40 {
                out.push_str("[sha]");
                rest = &rest[hex..];
            } else if at_word && hex == 12 && rest[..hex].bytes().any(|byte| byte.is_ascii_alphabetic()) {
                out.push_str("[short]");
                rest = &rest[hex..];
            } else if at_word && let Some(date) = rest.get(..10).and_then(|word| word.parse::<Date>().ok()) {
                let days = (date - self.today).get_days();
                out.push_str(&format!("D{days:+}"));
                rest = &rest[10..];
                // A moment written by the fake's clock, not by the story.
                let time = rest.bytes().take_while(|byte| b"0123456789 :TZ".contains(byte)).count();
                let time = rest[..time].trim_end_matches([' ', ':']);
                if days == 0 && time.starts_with(['T', ' ']) && time.contains(':') {
                    out.push_str("[now]");
                    rest = &rest[time.len()..];
                }
            } else if let Some(word) = rest.strip_prefix("<data ").or_else(|| rest.strip_prefix("</data ")) {
                out.push_str(&rest[..rest.len() - word.len()]);
                out.push('~');
                rest = &word[6..];
            } else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        let base = self.running.url().to_string();
        without_cursors(&out.replace(base.trim_end_matches('/'), "[sandbox]"))
    }
}

/// What a call said on its way.
#[derive(Debug, Default)]
struct Said(Mutex<Vec<(u32, String)>>);

impl Progress for Said {
    fn report<'a>(&'a self, done: u32, _total: Option<u32>, message: &'a str) -> BoxFuture<'a, ()> {
        self.0.lock().unwrap().push((done, message.to_owned()));
        Box::pin(std::future::ready(()))
    }
}

/// Cursors hold ids and digests.
fn without_cursors(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("cursor \"") {
        out.push_str(before);
        out.push_str("cursor \"…");
        rest = after.split_once('"').map_or("", |(cursor, _)| &after[cursor.len()..]);
    }
    out.push_str(rest);
    out
}

/// The cursor in a reply, to go on with.
pub(crate) fn cursor(text: &str) -> Option<&str> {
    text.split_once("cursor \"")?.1.split_once('"').map(|(cursor, _)| cursor)
}
