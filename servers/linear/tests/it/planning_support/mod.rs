//! The server against its sandbox over real HTTP, called as a client would, with replies in which what
//! differs from day to day is replaced.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use connector::{
    Connector as _, Service, ServiceOptions,
    access::{Policy, Principal},
    catalog::{Answer, Silent},
    sandbox::{Harness, Running, start},
    settings::{Config, SettingKind, Value as Set},
    upstream::Options,
};
use jiff::civil::Date;
use linear_mcp::Linear;
use serde_json::{Map, Value};

/// The server, and the fake Linear it talks to.
pub(crate) struct Site {
    pub(crate) service: Service<Linear>,
    running: Running,
    today: Date,
}

/// A server with every toolset.
pub(crate) async fn site() -> Site {
    site_with(None).await
}

/// A server that may upload files from `upload_root`.
pub(crate) async fn site_with(upload_root: Option<PathBuf>) -> Site {
    let sandbox = Linear::sandbox().unwrap();
    let running = start(sandbox.fake, ([127, 0, 0, 1], 0).into()).await.unwrap();
    let today = at_noon(running.harness());
    let mut config = Config::default();
    let (key, value) = sandbox.credential;
    assert!(
        Linear::settings().iter().any(|setting| setting.key == key && setting.kind == SettingKind::Secret)
    );
    config.set(key, Set::Secret(connector::Secret::new(value)));
    if let Some(root) = upload_root {
        config.set("upload-root", Set::Path(root));
    }
    let url = running.url().join(sandbox.api_path).unwrap();
    let server = Linear::connect(&config, Options::new(url)).unwrap();
    let options =
        ServiceOptions { policy: Policy::new(false, true), sandbox: true, ..ServiceOptions::default() };
    Site { service: Service::new(server, Linear::catalog(), options), running, today }
}

/// Sets the fake's clock to noon of its day, so that an age such as `3d` reaches back to the same
/// issues whenever the tests run; answers which day that is.
fn at_noon(harness: &Harness) -> Date {
    let (clock, day) = (harness.clock(), Duration::from_secs(86_400));
    let today = clock.today();
    let since_midnight = Duration::from_nanos((clock.now().as_nanos() % day.as_nanos()) as u64);
    match (day / 2).checked_sub(since_midnight) {
        Some(ahead) => clock.advance(ahead),
        None => clock.set_back(since_midnight - day / 2),
    }
    today
}

impl Site {
    /// The fake's clock, faults and journal.
    pub(crate) fn harness(&self) -> &Harness {
        self.running.harness()
    }

    /// Calls a tool; an error is what the agent would read.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> String {
        match self.rendered(tool, arguments).await {
            Ok(text) => self.steady(&text),
            Err(error) => self.steady(&format!("ERROR {}", error.for_agent())),
        }
    }

    /// Calls a tool; the reply is as it is.
    pub(crate) async fn raw(&self, tool: &str, arguments: Value) -> String {
        self.rendered(tool, arguments).await.unwrap_or_else(|error| format!("ERROR {}", error.for_agent()))
    }

    async fn rendered(&self, tool: &str, arguments: Value) -> connector::Result<String> {
        let tool = self.service.tool(tool).unwrap_or_else(|| panic!("no tool {tool}"));
        let arguments: Map<String, Value> = arguments.as_object().cloned().unwrap();
        match self.service.call(tool, Principal::local(), arguments, false, Arc::new(Silent)).await? {
            Answer::Reply(reply) => Ok(self.service.render(reply).text),
            Answer::Question(question) => {
                let reply = question.by_second_call(self.service.confirmations());
                Ok(self.service.render(reply).text)
            }
        }
    }

    /// Reads a resource.
    pub(crate) async fn read(&self, uri: &str) -> String {
        match self.service.read(Principal::local(), uri).await {
            Ok(reply) => self.steady(&self.service.render(reply).text),
            Err(error) => self.steady(&format!("ERROR {}", error.for_agent())),
        }
    }

    /// Gets a prompt.
    pub(crate) async fn prompt(&self, name: &str, arguments: &[(&str, &str)]) -> String {
        match self.service.prompt(Principal::local(), name, texts(arguments)).await {
            Some(Ok(reply)) => self.steady(&self.service.render(reply).text),
            Some(Err(error)) => self.steady(&format!("ERROR {}", error.for_agent())),
            None => panic!("no prompt {name}"),
        }
    }

    /// Completes an argument.
    pub(crate) async fn complete(&self, argument: &str, typed: &str, others: &[(&str, &str)]) -> Vec<String> {
        self.service.complete(Principal::local(), argument, typed.to_owned(), texts(others)).await.unwrap()
    }

    /// The date so many days from today.
    pub(crate) fn day(&self, days: i64) -> String {
        (self.today + jiff::Span::new().days(days)).to_string()
    }

    /// How many requests of an operation the fake was sent.
    pub(crate) fn sent(&self, operation: &str) -> usize {
        self.harness().journal().count(operation)
    }

    /// `text` with days as offsets from today, and without what is random.
    fn steady(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let at_word = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
            if at_word && let Some(id) = rest.get(..36).filter(|id| uuid::Uuid::try_parse(id).is_ok()) {
                out.push_str("[uuid]");
                rest = &rest[id.len()..];
            } else if at_word && let Some(date) = rest.get(..10).and_then(|word| word.parse::<Date>().ok()) {
                let days = (date - self.today).get_days();
                out.push_str(&format!("D{days:+}"));
                rest = &rest[10..];
                // A moment written by the fake's clock, not by the story.
                if days == 0
                    && let Some(time) =
                        rest.get(..14).filter(|time| time.starts_with('T') && time.ends_with('Z'))
                {
                    out.push_str("T[now]Z");
                    rest = &rest[time.len()..];
                }
            } else if at_word && let Some(slug) = rest.get(..12).filter(|word| is_new_slug(word)) {
                out.push_str("[slug]");
                rest = &rest[slug.len()..];
            } else if let Some(word) = rest.strip_prefix("<data ").or_else(|| rest.strip_prefix("</data ")) {
                out.push_str(&rest[..rest.len() - word.len()]);
                out.push('~');
                rest = &word[10..];
            } else {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        let base = self.running.url().to_string();
        without_cursors(&out.replace(base.trim_end_matches('/'), "[sandbox]"))
    }
}

/// Whether `word` is the id in an address of something that the story does not know.
fn is_new_slug(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_hexdigit())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && !linear_mcp::sandbox::seed().contains(word)
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

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
