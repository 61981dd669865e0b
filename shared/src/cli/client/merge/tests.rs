use proptest::prelude::*;
use serde_json::json;

use super::*;

fn entry() -> Entry {
    Entry {
        server: json!({"command": "/bin/notes-mcp", "args": ["--read-only"], "env": {"KEY": "${input:key}"}}),
        inputs: vec![json!({"type": "promptString", "id": "key"})],
        notes: Vec::new(),
    }
}

fn merged(text: &str) -> String {
    merge(text, Client::VsCode, "notes", &entry()).unwrap()
}

fn value(text: &str) -> Value {
    let document = Document::parse(text).unwrap();
    document.value(&document.root)
}

#[test]
fn slashes_inside_texts_are_no_comments() {
    let text = merged(r#"{"servers": {"a": {"url": "https://a.example/*x*/", "quote": "\"//"}}}"#);
    assert_eq!(value(&text)["servers"]["a"], json!({"url": "https://a.example/*x*/", "quote": "\"//"}));
}

#[test]
fn line_ends_and_a_byte_order_mark_stay() {
    let text = merged("\u{feff}{\r\n\t\"servers\": {}\r\n}\r\n");
    assert!(text.starts_with("\u{feff}{\r\n\t\"servers\": {\r\n\t\t\"notes\": {\r\n"), "{text:?}");
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{text:?}");
}

#[test]
fn a_file_of_one_line_takes_more() {
    for text in [
        "{}",
        "{ }",
        "{\"servers\":{}}",
        "{\"servers\":{\"a\":{}},\"inputs\":[]}",
        "{\"inputs\":[{\"id\":\"x\"},],}",
    ] {
        let text = merged(text);
        assert_eq!(value(&text)["servers"]["notes"], entry().server, "{text}");
    }
}

#[test]
fn an_entry_with_comments_inside_is_left_alone_unless_nothing_changes() {
    let current = entry().server.to_string();
    let text = format!(
        "{{\"inputs\": [{{\"id\": \"key\"}}], \"servers\": {{\"notes\": {{ /* mine */ {}}}}}",
        &current[1..]
    );
    assert_eq!(merged(&text), text);
    let other = text.replace("--read-only", "--sandbox");
    let refused = merge(&other, Client::VsCode, "notes", &entry()).unwrap_err();
    assert!(refused.contains("comments"), "{refused}");
}

#[test]
fn an_entry_that_was_reached_becomes_one_that_is_started() {
    let text = merged(
        r#"{"servers": {"notes": {"type": "http", "url": "https://x.example/mcp", "headers": {}, "note": 1}}}"#,
    );
    let server = &value(&text)["servers"]["notes"];
    assert!(
        server.get("url").is_none() && server.get("headers").is_none() && server.get("type").is_none(),
        "{text}"
    );
    assert_eq!((&server["command"], &server["note"]), (&json!("/bin/notes-mcp"), &json!(1)));
}

/// Any JSON value, not too deep.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z/*\"\\\\,{}\\[\\] é]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z/\"]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A client's file: any members, and perhaps servers and inputs.
fn any_file() -> impl Strategy<Value = Value> {
    let members = prop::collection::btree_map("[a-z]{1,3}", any_value(), 0..4);
    let servers = prop::option::of(prop::collection::btree_map("[a-z]{1,4}", any_value(), 0..3));
    let inputs = prop::option::of(prop::collection::vec(any_value(), 0..3));
    (members, servers, inputs).prop_map(|(members, servers, inputs)| {
        let mut file: Map<_, _> = members.into_iter().collect();
        if let Some(servers) = servers {
            file.insert("servers".to_owned(), Value::Object(servers.into_iter().collect()));
        }
        if let Some(inputs) = inputs {
            file.insert("inputs".to_owned(), Value::Array(inputs));
        }
        Value::Object(file)
    })
}

/// Behind a line that ends a list, and behind any other.
const COMMENTS: [&str; 2] = ["// é, \"{", "/* [ */"];

/// Puts comments where the parser allows them: after every line.
fn commented(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let ends_a_list =
            line.ends_with(['}', ']', '"', 'e', 'l']) || line.ends_with(|c: char| c.is_ascii_digit());
        format!("{line} {}\n", COMMENTS[usize::from(!ends_a_list)])
    });
    lines.collect()
}

proptest! {
    #[test]
    fn everything_else_stays(file in any_file(), compact in any::<bool>(), comments in any::<bool>()) {
        let plain = if compact { file.to_string() } else { serde_json::to_string_pretty(&file).unwrap() };
        let text = if comments { commented(&plain) } else { plain };
        let after = merged(&text);

        let mut expected = file;
        let servers = &mut expected["servers"];
        if servers.is_null() {
            *servers = json!({});
        }
        servers["notes"] = entry().server;
        let inputs = &mut expected["inputs"];
        if inputs.is_null() {
            *inputs = json!([]);
        }
        inputs.as_array_mut().unwrap().push(entry().inputs[0].clone());
        prop_assert_eq!(value(&after), expected);
        prop_assert_eq!(merged(&after), after.clone());
        for comment in COMMENTS {
            prop_assert_eq!(after.matches(comment).count(), text.matches(comment).count());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}\\[\\]\",:/*a \n\\\\é0]{0,40}") {
        let _ = merge(&text, Client::VsCode, "notes", &entry());
    }
}
