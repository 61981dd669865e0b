//! A server over its own fake, what was sent to the fake, and calls of every test.

use std::collections::BTreeMap;

use connector::{
    Secret,
    access::Selection,
    sandbox::{Action, Change, Rule},
    settings::Value as Setting,
    testing::{Options, Sample, Sandboxed},
};
use serde_json::{Value, json};
use slack_mcp::{Slack, sandbox::ts_of};

pub(crate) type Server = Sandboxed<Slack>;

/// The channels of the story that most tests are about.
pub(crate) const INCIDENT: &str = "C0INC0IMPORT";

pub(crate) const ENGINEERS: &str = "C0ENGIMPORT";

pub(crate) const GENERAL: &str = "C0GENERAL00";

/// The timestamp that a message of the story has today.
pub(crate) fn ts(name: &str) -> String {
    ts_of(name).unwrap()
}

pub(crate) fn all_toolsets() -> Options {
    Options {
        selection: Selection { toolsets: vec!["all".to_owned()], ..Selection::default() },
        ..Options::default()
    }
}

/// A server with settings of its own, over the fake as if it were Slack.
pub(crate) async fn with(settings: &[(&'static str, Setting)]) -> Server {
    let mut all = vec![("user-token", Setting::Secret(Secret::new("xoxp-sandbox")))];
    all.extend(settings.iter().cloned());
    Server::start_with(Options { settings: all, ..Options::default() }).await
}

pub(crate) fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

pub(crate) fn list(values: &[&str]) -> Setting {
    Setting::List(values.iter().map(ToString::to_string).collect())
}

/// What was sent to a method, as its arguments.
pub(crate) fn sent(server: &Server, method: &str) -> Vec<BTreeMap<String, String>> {
    let entries = server.harness().journal().of(method);
    let form = |body: &str| url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    entries.iter().map(|entry| form(&entry.body)).collect()
}

/// The messages of a conversation in the fake, as it keeps them.
pub(crate) fn messages(server: &Server, channel: &str) -> Vec<Value> {
    let dump = server.dump();
    let all = dump["messages"].as_array().unwrap().iter();
    all.filter(|message| message["_channel"] == channel).cloned().collect()
}

/// Answers of history that show `messages` alone.
pub(crate) fn shows(server: &Server, messages: Value) {
    let fault = Action::Patch { changes: vec![Change::set("/messages", messages)] };
    server.harness().faults().add(Rule::new("conversations.history", fault));
}

pub(crate) fn read(channel: &str) -> Sample {
    Sample::new("read_channel", json!({"channel": channel}))
}

pub(crate) fn send(channel: &str, message: &str) -> Sample {
    Sample::new("send_message", json!({"channel": channel, "message": message}))
}
