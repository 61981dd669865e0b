//! What stands around a message that was found.

use std::collections::BTreeMap;

use connector::{
    sandbox::{Action, Rule},
    testing::Sample,
};
use serde_json::{Value, json};

use crate::support::{INCIDENT, Server, messages, sent};

/// docs.slack.dev/reference/methods/assistant.search.context: `include_context_messages`. The legacy search has
/// nothing of the kind, so there it is read.
#[tokio::test(start_paused = true)]
async fn messages_around_a_hit_are_shown_where_they_are_asked_for_by_both_searches() {
    let server = Server::start().await;
    let plain = Sample::new("search", json!({"query": "Noon update", "in": INCIDENT, "limit": 5}));
    let whole = plain.clone().with("include_context", true);
    let without = server.call(&plain).await.text;
    assert!(!without.contains("before it:") && !without.contains("after it:"), "{without}");
    let asked = || sent(&server, "assistant.search.context").pop().unwrap();
    assert!(!asked().contains_key("include_context_messages"));
    let ts = |message: &Value| message["ts"].as_str().unwrap().to_owned();
    let of_channel = messages(&server, INCIDENT);
    let found = |message: &Value| message["text"].as_str().is_some_and(|text| text.contains("Noon update"));
    let place = of_channel.iter().position(found).unwrap();
    let reply = server.call(&whole).await.text;
    assert_eq!(asked()["include_context_messages"], "true");
    let (before, after) = (ts(&of_channel[place - 1]), ts(&of_channel[place + 1]));
    assert!(reply.contains(&format!("\n  before it: {before} ")), "{before}: {reply}");
    assert!(reply.contains(&format!("\n  after it: {after} ")), "{after}: {reply}");
    assert!(!reply.contains(" U0"), "whoever wrote them has a name: {reply}");
    assert_eq!(server.harness().journal().count("conversations.history"), 0, "Slack gave them");

    let none = json!({"ok": false, "error": "feature_not_enabled"}).to_string();
    let none = Action::Status { code: 200, headers: BTreeMap::new(), body: none, committed: false };
    server.harness().faults().add(Rule::new("assistant.search.context", none).always());
    // History has no replies in it.
    let talk: Vec<&Value> = of_channel
        .iter()
        .filter(|message| message["thread_ts"].is_null() || message["thread_ts"] == message["ts"])
        .collect();
    let place = talk.iter().position(|message| found(message)).unwrap();
    let reply = server.call(&whole).await.text;
    let before = ts(talk[place - 1]);
    assert!(reply.contains("legacy search"), "{reply}");
    assert!(reply.contains(&format!("\n  before it: {before} ")), "{before}: {reply}");
}
