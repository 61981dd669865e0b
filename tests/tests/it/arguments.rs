//! Arguments as clients and models send them: filled in with nothing, as floats, as text, one value where a
//! list is asked. What reaches the vendor is the same.

#![allow(
    clippy::expect_used,
    clippy::unused_async,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

use connector::{Kind, access::Selection};
use serde_json::{Map, Value, json};
use suite::{Options, Sample, Sandboxed, Subject};

suite::every_server!(
    what_is_filled_in_with_nothing_is_not_given,
    values_are_taken_as_models_write_them,
    what_can_be_emptied_is_named_in_clear,
    an_address_of_another_place_is_not_taken_for_ours,
);

fn everything() -> Options {
    let selection = Selection { toolsets: vec!["all".to_owned()], ..Selection::default() };
    Options { selection, allow_destructive: true, ..Options::default() }
}

/// Neither read nor written: what it names is somebody else's, though something here may be called the same.
async fn an_address_of_another_place_is_not_taken_for_ours<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let before = sandboxed.dump();
    for sample in S::foreign_addresses() {
        let error = sandboxed.refusal(&sample).await;
        let told = error.for_agent();
        assert!(
            matches!(error.kind(), Kind::InvalidArgument | Kind::NotFound),
            "{} {:?}: {told}",
            sample.tool,
            sample.arguments
        );
    }
    assert_eq!(sandboxed.dump(), before);
}

/// What a call has the vendor asked, in order, without what is random in it.
async fn asked<S: Subject>(sample: &Sample) -> Vec<String> {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    sandboxed.call(sample).await;
    let entries = sandboxed.harness().journal().entries();
    entries
        .iter()
        .map(|entry| {
            let body: Value = serde_json::from_str(&entry.body).unwrap_or_else(|_| json!(entry.body.len()));
            format!("{} {} {} {body}", entry.method, entry.path, entry.query)
        })
        .map(|request| without_ids(&request))
        .collect()
}

/// `text` with every UUID and every long hexadecimal word the same.
fn without_ids(text: &str) -> String {
    let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
    text.split_inclusive(|c| !is_id(c))
        .map(|word| {
            let id = word.trim_end_matches(|c| !is_id(c));
            if id.len() >= 32 { format!("ID{}", &word[id.len()..]) } else { word.to_owned() }
        })
        .collect()
}

/// What a strict client fills in for an argument of this schema: `null`, or the empty value of its type.
fn nothing(schema: &Value, null: bool) -> Value {
    match schema["type"].as_str() {
        _ if null => Value::Null,
        Some("array") => json!([]),
        _ => json!(""),
    }
}

/// `given` with everything filled in that its schema has besides, at every depth.
fn filled(given: &Map<String, Value>, schema: &Value, null: bool) -> Map<String, Value> {
    let mut filled = given.clone();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let value = match given.get(name) {
            None => nothing(property, null),
            Some(value) => filled_value(value, property, null),
        };
        filled.insert(name.clone(), value);
    }
    filled
}

fn filled_value(value: &Value, schema: &Value, null: bool) -> Value {
    match value {
        Value::Object(fields) => Value::Object(filled(fields, schema, null)),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| filled_value(item, &schema["items"], null)).collect())
        }
        value => value.clone(),
    }
}

async fn what_is_filled_in_with_nothing_is_not_given<S: Subject>() {
    let catalog = S::catalog();
    for sample in S::reads().into_iter().chain(S::writes()) {
        let schema = Value::Object((**catalog.tool(sample.tool).unwrap().input_schema()).clone());
        let plain = asked::<S>(&sample).await;
        for null in [true, false] {
            let arguments = filled(&sample.arguments, &schema, null);
            let filled = Sample { tool: sample.tool, arguments };
            assert_eq!(asked::<S>(&filled).await, plain, "{} {:?}", sample.tool, filled.arguments);
        }
    }
}

/// `value` as a model may write it where `schema` asks for it.
fn written(value: &Value, schema: &Value) -> Value {
    match value {
        Value::Number(number) if schema["type"] == "integer" && number.is_i64() => {
            json!(number.as_i64().unwrap() as f64)
        }
        Value::Bool(is) => json!(is.to_string()),
        Value::Array(items) if schema["type"] == "array" => {
            let written: Vec<_> = items.iter().map(|item| written(item, &schema["items"])).collect();
            match <[Value; 1]>::try_from(written) {
                Ok([one]) => one,
                Err(several) => json!(json!(several).to_string()),
            }
        }
        Value::Object(fields) if schema["properties"].is_object() => Value::Object(rewritten(fields, schema)),
        Value::String(text) if schema["enum"].is_array() => json!(text.to_uppercase()),
        value => value.clone(),
    }
}

fn rewritten(given: &Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let properties = &schema["properties"];
    given.iter().map(|(name, value)| (name.clone(), written(value, &properties[name]))).collect()
}

async fn values_are_taken_as_models_write_them<S: Subject>() {
    let catalog = S::catalog();
    for sample in S::reads().into_iter().chain(S::writes()) {
        let schema = Value::Object((**catalog.tool(sample.tool).unwrap().input_schema()).clone());
        let arguments = rewritten(&sample.arguments, &schema);
        if arguments == sample.arguments {
            continue;
        }
        let loose = Sample { tool: sample.tool, arguments };
        assert_eq!(
            asked::<S>(&loose).await,
            asked::<S>(&sample).await,
            "{} {:?}",
            sample.tool,
            loose.arguments
        );
    }
}

/// The word is the same everywhere, and takes names of arguments where the schema knows them.
async fn what_can_be_emptied_is_named_in_clear<S: Subject>() {
    for tool in S::catalog().all_tools() {
        let schema = tool.input_schema();
        let Some(clear) = schema.get("properties").and_then(|all| all.get("clear")) else { continue };
        assert_eq!((&clear["type"], &clear["items"]["type"]), (&json!("array"), &json!("string")));
        let name = tool.name();
        assert!(tool.effect().writes(), "{name} empties nothing");
        for emptied in clear["items"]["enum"].as_array().into_iter().flatten() {
            let emptied = emptied.as_str().unwrap();
            let text = Value::Object((**schema).clone()).to_string();
            let is_argument = text.contains(&format!("\"{emptied}\":")) || emptied == "content";
            assert!(is_argument, "{name} empties `{emptied}`, which it cannot set");
        }
    }
}
