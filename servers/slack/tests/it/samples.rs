//! The fake's answers have the fields and types of Slack's own, as the samples of its Java SDK show them
//! (github.com/slackapi/java-slack-sdk, `json-logs/samples/api`), where they are at hand: in the folder that
//! `SLACK_SAMPLES` names, or beside the repository.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use connector::sandbox;
use serde_json::{Value, json};

/// Lists and objects of samples that only some answers have: of warnings, of pages, of arguments.
const SOMETIMES: &[&str] = &["response_metadata", "errors", "categories", "subtasks"];

/// Fields that no sample shows, though the method's page does (docs.slack.dev/reference/methods/slackLists.items.list).
const DOCUMENTED: &[&str] =
    &["slackLists.items.list.items.fields.user", "slackLists.items.info.record.fields.user"];

fn samples() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/slack-samples");
    let folder = env::var_os("SLACK_SAMPLES").map_or(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Every call, in an order in which each succeeds: `$ID` stands for what the call before it made.
fn calls() -> Vec<(&'static str, Value)> {
    let ts = slack_mcp::sandbox::ts_of("ask").unwrap();
    let inc = slack_mcp::sandbox::ts_of("inc").unwrap();
    vec![
        ("api.test", json!({})),
        ("auth.test", json!({})),
        ("team.info", json!({})),
        ("emoji.list", json!({})),
        ("conversations.list", json!({"types": "public_channel,private_channel,im,mpim"})),
        ("conversations.info", json!({"channel": "C0ENGIMPORT", "include_num_members": "true"})),
        ("conversations.members", json!({"channel": "C0ENGIMPORT"})),
        ("conversations.mark", json!({"channel": "C0ENGIMPORT", "ts": "1764400000.000100"})),
        ("conversations.setTopic", json!({"channel": "C0ENGIMPORT", "topic": "Imports"})),
        ("conversations.setPurpose", json!({"channel": "C0ENGIMPORT", "purpose": "Imports"})),
        ("conversations.invite", json!({"channel": "C0ENGIMPORT", "users": "U0GRACE0001"})),
        ("conversations.kick", json!({"channel": "C0ENGIMPORT", "user": "U0GRACE0001"})),
        ("conversations.create", json!({"name": "samples"})),
        ("conversations.rename", json!({"channel": "$ID", "name": "samples-2"})),
        ("conversations.archive", json!({"channel": "$ID"})),
        ("conversations.unarchive", json!({"channel": "$ID"})),
        ("conversations.canvases.create", json!({"channel_id": "$ID"})),
        ("conversations.join", json!({"channel": "C0RELEASES0"})),
        ("conversations.leave", json!({"channel": "C0RELEASES0"})),
        ("users.conversations", json!({"types": "public_channel,private_channel"})),
        ("users.info", json!({"user": "U0TOMAS0001"})),
        ("users.list", json!({})),
        ("users.lookupByEmail", json!({"email": "tomas@harbor.example"})),
        ("users.profile.get", json!({"user": "U0TOMAS0001"})),
        ("users.getPresence", json!({"user": "U0TOMAS0001"})),
        ("chat.getPermalink", json!({"channel": "C0INC0IMPORT", "message_ts": ts})),
        ("chat.postEphemeral", json!({"channel": "C0ENGIMPORT", "user": "U0TOMAS0001", "text": "x"})),
        ("chat.scheduledMessages.list", json!({})),
        (
            "chat.deleteScheduledMessage",
            json!({"channel": "C0INC0IMPORT", "scheduled_message_id": "Q0REVIEW001"}),
        ),
        (
            "chat.delete",
            json!({"channel": "C0GENERAL00", "ts": slack_mcp::sandbox::ts_of("review").unwrap()}),
        ),
        ("reactions.add", json!({"channel": "C0INC0IMPORT", "timestamp": inc, "name": "eyes"})),
        ("reactions.remove", json!({"channel": "C0INC0IMPORT", "timestamp": inc, "name": "eyes"})),
        ("pins.add", json!({"channel": "C0INC0IMPORT", "timestamp": ts})),
        ("pins.remove", json!({"channel": "C0INC0IMPORT", "timestamp": ts})),
        ("bookmarks.list", json!({"channel_id": "C0INC0IMPORT"})),
        (
            "bookmarks.add",
            json!({"channel_id": "C0INC0IMPORT", "title": "S", "type": "link", "link": "https://s.example"}),
        ),
        ("bookmarks.edit", json!({"channel_id": "C0INC0IMPORT", "bookmark_id": "$ID", "title": "T"})),
        ("bookmarks.remove", json!({"channel_id": "C0INC0IMPORT", "bookmark_id": "$ID"})),
        ("usergroups.list", json!({"include_users": "true"})),
        ("usergroups.users.list", json!({"usergroup": "S0ONCALL001"})),
        ("usergroups.users.update", json!({"usergroup": "S0ONCALL001", "users": "U0PRIYA0001"})),
        ("usergroups.create", json!({"name": "Samples", "handle": "samples"})),
        ("usergroups.update", json!({"usergroup": "$ID", "name": "Samples 2"})),
        ("canvases.create", json!({"title": "Samples"})),
        ("files.delete", json!({"file": "$ID"})),
        (
            "canvases.edit",
            json!({"canvas_id": "F0RUNBOOK01", "changes": [{"operation": "insert_at_end",
            "document_content": {"type": "markdown", "markdown": "Done"}}]}),
        ),
        (
            "canvases.sections.lookup",
            json!({"canvas_id": "F0RUNBOOK01", "criteria": {"contains_text": "Done"}}),
        ),
        ("canvases.delete", json!({"canvas_id": "F0RUNBOOK01"})),
        ("slackLists.items.list", json!({"list_id": "F0LISTACTN1"})),
        ("slackLists.items.info", json!({"list_id": "F0LISTACTN1", "id": "Rec0ACTION1"})),
        ("slackLists.items.create", json!({"list_id": "F0LISTACTN1", "initial_fields": []})),
        ("slackLists.items.update", json!({"list_id": "F0LISTACTN1", "cells": []})),
        ("files.getUploadURLExternal", json!({"filename": "a.txt", "length": 1})),
    ]
}

/// The id of what an answer made.
fn made(answer: &Value) -> Option<&str> {
    let one = ["channel", "bookmark", "usergroup"].iter().find_map(|field| answer[*field]["id"].as_str());
    one.or_else(|| answer["canvas_id"].as_str())
}

#[tokio::test]
async fn the_fakes_answers_have_the_fields_and_types_of_slacks_own() {
    let Some(folder) = samples() else {
        println!("skipped: the samples of Slack's answers are not at hand");
        return;
    };
    connector::tls::install();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = sandbox::start(slack_mcp::sandbox::fake(), loopback).await.unwrap();
    let client = reqwest::Client::new();
    let mut last = String::new();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (method, arguments) in calls() {
        let arguments = arguments.to_string().replace("$ID", &last);
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        let answer = client.post(format!("{}api/{method}", running.url())).bearer_auth("xoxp-sandbox");
        let answer = answer.header("content-type", "application/json; charset=utf-8");
        let answer: Value = answer.body(arguments.to_string()).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], true, "{method} {arguments}: {answer}");
        if let Some(id) = made(&answer) {
            id.clone_into(&mut last);
        }
        let Ok(sample) = std::fs::read_to_string(folder.join(format!("{method}.json"))) else { continue };
        let sample: Value = serde_json::from_str(&sample).unwrap();
        compared += 1;
        compare(method, &answer, &sample, &mut wrong);
        for (field, value) in sample.as_object().unwrap() {
            let data = value.is_object() || value.is_array();
            if data && !SOMETIMES.contains(&field.as_str()) && answer.get(field).is_none() {
                wrong.push(format!("{method}: {field} is missing"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    println!("slack: the answers of {compared} methods fit the samples");
    assert!(compared >= 45, "only {compared} methods have a sample");
}

/// Says where `answer` has a field that `sample` does not know, or of another type.
fn compare(place: &str, answer: &Value, sample: &Value, wrong: &mut Vec<String>) {
    match (answer, sample) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(fields), Value::Object(known)) => {
            let by_id = known.keys().all(|key| is_placeholder(key));
            for (name, value) in fields {
                let place = format!("{place}.{name}");
                match known.get(name).or_else(|| known.values().next().filter(|_| by_id)) {
                    Some(known) => compare(&place, value, known, wrong),
                    None if value.is_null() || known.is_empty() || DOCUMENTED.contains(&place.as_str()) => {}
                    None => wrong.push(format!("{place} is unknown")),
                }
            }
        }
        (Value::Array(items), Value::Array(known)) => {
            for item in items {
                let fits = |known: &&Value| {
                    let mut differences = Vec::new();
                    compare(place, item, known, &mut differences);
                    differences.is_empty()
                };
                if let Some(first) = known.first().filter(|_| !known.iter().any(|known| fits(&known))) {
                    compare(place, item, first, wrong);
                }
            }
        }
        (answer, sample) if kind(answer) != kind(sample) => {
            wrong.push(format!("{place} is {answer}, and of another type than {sample}"));
        }
        _ => {}
    }
}

/// Whether a name of a sample stands for an id: `C00000000`, `333`.
fn is_placeholder(name: &str) -> bool {
    name.len() > 2 && name.chars().filter(char::is_ascii_digit).count() * 3 >= name.len() * 2
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a switch",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
