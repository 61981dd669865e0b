//! Bad input through the real program: one clear error that says what to do; nothing crashes, nothing
//! is lost, no token appears anywhere.

use connector::settings::{SettingKind, Table};
use serde_json::json;
use suite::{
    Subject,
    program::{Conversation, command},
};
use tokio::process::Command;

suite::every_program!(
    what_is_not_json_is_answered_and_the_next_call_works,
    an_unknown_tool_is_a_protocol_error_with_the_nearest_name,
    an_unknown_argument_is_told_to_the_agent,
    an_oversized_line_is_refused_and_the_next_call_works,
    without_a_credential_tools_are_listed_and_calls_say_what_to_set,
    a_placeholder_counts_as_unset_with_a_hint,
    a_refused_credential_is_named_not_shown_and_not_tried_again,
    a_credential_in_a_file_may_stand_after_a_byte_order_mark,
    a_settings_file_with_an_unknown_key_names_it_and_the_right_one,
    a_setting_of_the_wrong_type_names_the_place_and_what_it_takes,
    wrong_usage_exits_with_64_and_wrong_configuration_with_78,
    a_public_address_without_keys_is_refused,
    a_bound_that_is_named_and_empty_stops_the_start,
    the_log_tells_what_a_client_calls_itself_on_its_own_line,
    the_end_of_input_ends_the_server,
);

fn server<S: Subject>() -> Command {
    command(S::ABOUT.program)
}

fn sandboxed<S: Subject>() -> Command {
    let mut command = server::<S>();
    command.arg("--sandbox");
    command
}

async fn outcome(mut command: Command) -> (Option<i32>, String, String) {
    let output = command.stdin(std::process::Stdio::null()).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

async fn what_is_not_json_is_answered_and_the_next_call_works<S: Subject>() {
    let mut talk = Conversation::start(sandboxed::<S>());
    for garbage in ["this is not json", "{\"jsonrpc\":\"2.0\",", "\u{0}\u{1}\u{2}", "[]"] {
        talk.send(garbage).await;
    }
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(!is_error, "{text}");
    assert_eq!(talk.finish().await.0, Some(0));
}

async fn an_unknown_tool_is_a_protocol_error_with_the_nearest_name<S: Subject>() {
    let mut talk = Conversation::start(sandboxed::<S>());
    let answer = talk.ask("tools/call", json!({"name": "serch", "arguments": {}})).await;
    assert_eq!(answer["error"]["code"], -32602, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("serch") && message.contains("search"), "{message}");
}

async fn an_unknown_argument_is_told_to_the_agent<S: Subject>() {
    let mut talk = Conversation::start(sandboxed::<S>());
    let (text, is_error) = talk.call("search", json!({"querry": "import"})).await;
    assert!(is_error && text.contains("Did you mean `query`?"), "{text}");
}

async fn an_oversized_line_is_refused_and_the_next_call_works<S: Subject>() {
    let mut talk = Conversation::start(sandboxed::<S>());
    let huge = format!("{{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"{}\"}}", "x".repeat(8 << 20));
    talk.send(&huge).await;
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(!is_error, "{text}");
}

async fn without_a_credential_tools_are_listed_and_calls_say_what_to_set<S: Subject>() {
    let mut talk = Conversation::start(server::<S>());
    let answer = talk.ask("tools/list", json!({})).await;
    assert!(!answer["result"]["tools"].as_array().unwrap().is_empty(), "{answer}");
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(is_error && text.starts_with("auth: "), "{text}");
    assert!(S::settings().iter().any(|setting| text.contains(setting.env)), "names no variable: {text}");
}

async fn a_placeholder_counts_as_unset_with_a_hint<S: Subject>() {
    let credential = S::settings().into_iter().find(|setting| setting.key == S::CREDENTIAL).unwrap();
    let mut command = server::<S>();
    command.env(credential.env, format!("${{{}}}", credential.env));
    let mut talk = Conversation::start(command);
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(is_error && text.starts_with("auth: ") && text.contains(credential.env), "{text}");
    let (_, log) = talk.finish().await;
    assert!(log.contains(credential.env) && log.contains("placeholder"), "{log}");
}

async fn a_refused_credential_is_named_not_shown_and_not_tried_again<S: Subject>() {
    let parts = S::sandbox().unwrap();
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let fake = connector::sandbox::start(parts.fake, loopback).await.unwrap();
    let credential = S::settings().into_iter().find(|setting| setting.key == S::CREDENTIAL).unwrap();
    let mut command = server::<S>();
    let url = format!("{}{}", fake.url().as_str().trim_end_matches('/'), parts.api_path);
    command
        .env(credential.env, S::REFUSED_CREDENTIAL)
        .env(S::ABOUT.api_url_env, url)
        .env("RUST_LOG", "trace");
    let mut talk = Conversation::start(command);
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(is_error && text.starts_with("auth: "), "{text}");
    let mut asked = fake.harness().journal().operations();
    let requests = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert!(requests > 0 && asked.len() == requests, "{requests} requests, only {asked:?}");
    let (_, log) = talk.finish().await;
    assert!(
        !text.contains(S::REFUSED_CREDENTIAL) && !log.contains(S::REFUSED_CREDENTIAL),
        "the token is shown: {text} {log}"
    );
    assert!(!log.is_empty(), "the log was not on, so this test proves nothing");
}

/// As an editor of Windows saves it.
async fn a_credential_in_a_file_may_stand_after_a_byte_order_mark<S: Subject>() {
    let parts = S::sandbox().unwrap();
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let fake = connector::sandbox::start(parts.fake, loopback).await.unwrap();
    let (key, value) = parts.credential;
    let credential = S::settings().into_iter().find(|setting| setting.key == key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("\u{feff}{value}\r\n")).unwrap();
    let mut command = server::<S>();
    let url = format!("{}{}", fake.url().as_str().trim_end_matches('/'), parts.api_path);
    command.env(format!("{}_FILE", credential.env), file.path()).env(S::ABOUT.api_url_env, url);
    let mut talk = Conversation::start(command);
    let (text, is_error) = talk.call("whoami", json!({})).await;
    assert!(!is_error, "{text}");
}

async fn a_settings_file_with_an_unknown_key_names_it_and_the_right_one<S: Subject>() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "structured = true\nread-onyl = true\n").unwrap();
    let mut command = server::<S>();
    command.arg("--config").arg(file.path());
    let (code, stdout, stderr) = outcome(command).await;
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("read-onyl") && stderr.contains("read-only"), "{stderr}");
}

async fn a_setting_of_the_wrong_type_names_the_place_and_what_it_takes<S: Subject>() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "reply-budget = \"large\"\n").unwrap();
    let mut command = server::<S>();
    command.arg("--config").arg(file.path());
    let (code, _, stderr) = outcome(command).await;
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("reply-budget") && stderr.contains("number"), "{stderr}");
}

async fn wrong_usage_exits_with_64_and_wrong_configuration_with_78<S: Subject>() {
    for (arguments, expected) in [
        (vec!["--read-onyl"], 64),
        (vec!["frobnicate"], 64),
        (vec!["call", "search", "{not json", "--sandbox"], 64),
        (vec!["call", "serch", "{}", "--sandbox"], 64),
        (vec!["--config", "/nowhere/settings.toml"], 78),
        (vec!["--toolsets", "isues"], 64),
        (vec!["--api-url", "http://example.com/graphql"], 64),
    ] {
        let mut command = server::<S>();
        command.args(&arguments);
        let (code, stdout, stderr) = outcome(command).await;
        assert_eq!(code, Some(expected), "{arguments:?}: {stderr}");
        assert!(stdout.is_empty(), "{arguments:?}: {stdout}");
        assert!(stderr.starts_with("error: ") && stderr.lines().count() <= 12, "{arguments:?}: {stderr}");
    }
}

async fn a_public_address_without_keys_is_refused<S: Subject>() {
    let mut command = sandboxed::<S>();
    command.args(["serve", "--http", "0.0.0.0:0"]);
    let (code, _, stderr) = outcome(command).await;
    assert_eq!(code, Some(78), "{stderr}");
    assert!(stderr.contains("--api-keys-file"), "{stderr}");
}

/// A list that is named and empty would bound nothing, where an operator meant something: the server's own lists too.
async fn a_bound_that_is_named_and_empty_stops_the_start<S: Subject>() {
    let table = Table::new(S::ABOUT, S::settings());
    let bounds: Vec<_> =
        table.rows().iter().filter(|row| matches!(row.kind, SettingKind::Bound(_))).collect();
    assert!(!bounds.is_empty(), "nothing can be bounded");
    for row in bounds {
        for value in ["", ",", "${X}"] {
            let mut by_flag = sandboxed::<S>();
            by_flag.args([&format!("--{}", row.key), value, "tools"]);
            let mut by_variable = sandboxed::<S>();
            by_variable.env(&*row.env, value).arg("tools");
            for (command, expected) in [(by_flag, 64), (by_variable, 78)] {
                let (code, _, stderr) = outcome(command).await;
                assert_eq!(code, Some(expected), "{} = {value:?}: {stderr}", row.key);
                assert!(stderr.contains(row.key) || stderr.contains(&*row.env), "{stderr}");
            }
        }
    }
}

async fn the_end_of_input_ends_the_server<S: Subject>() {
    let (code, log) = Conversation::start(sandboxed::<S>()).finish().await;
    assert_eq!(code, Some(0), "{log}");
}

async fn the_log_tells_what_a_client_calls_itself_on_its_own_line<S: Subject>() {
    let named =
        json!({"name": "desk\n2026-01-01 INFO call: who=\"ada\"\u{1b}[2J", "version": "1".repeat(500)});
    let logged = async |messages: &[serde_json::Value]| {
        let mut command = sandboxed::<S>();
        command.args(["--log", "info"]);
        let mut talk = Conversation::start(command);
        for message in messages {
            talk.send(&message.to_string()).await;
            if message["id"].is_u64() {
                talk.receive().await;
            }
        }
        let (_, log) = talk.finish().await;
        log.lines().filter(|line| line.contains("whoami")).map(str::to_owned).collect::<Vec<_>>()
    };
    let call = |meta| json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "whoami", "_meta": meta}});
    let modern = call(json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": named,
    }));
    let greeting = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": named,
    }});
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for messages in [vec![modern], vec![greeting, ready, call(json!({}))]] {
        let lines = logged(&messages).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        let line = &lines[0];
        assert!(line.contains("who=\"local\" client=\"desk 2026-01-01 INFO call: who="), "{line}");
        assert!(!line.contains('\u{1b}') && !line.contains(&"1".repeat(80)), "{line}");
    }
}
