//! What the server sends, and what the fake answers, fit what Notion publishes of its API (the OpenAPI document of
//! makenotion/notion-mcp-server), over every sample of the suite. Of most answers it says only that they are objects.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use connector::sandbox::Entry;
use notion_mcp::Notion;
use serde_json::{Value, json};

use crate::{Subject as _, support::Office};

/// Notion's document, where it is at hand: in the folder that `VENDOR_SPECS` names, or beside the project.
#[allow(clippy::print_stdout, reason = "whoever runs the test learns that it was skipped")]
fn document() -> Option<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs");
    let file =
        std::env::var_os("VENDOR_SPECS").map_or_else(beside, PathBuf::from).join("notion.openapi.json");
    match std::fs::read(file) {
        Ok(text) => Some(serde_json::from_slice(&text).unwrap()),
        Err(_) => {
            println!("skipped: Notion's OpenAPI document is not at hand");
            None
        }
    }
}

/// Where the document is behind its own reference pages: a part of a place, and what it says of it. Icons are objects; a
/// comment takes `markdown` for `rich_text`, and a block or a discussion for a page; two of the many kinds of blocks are
/// listed; rows are sorted by `timestamp` too; and what it calls the parent of a data source has the id of a database.
const SLIPS: [(&str, &str); 7] = [
    ("/icon", "is not of type \"string\""),
    ("", "\"rich_text\" is a required property"),
    ("", "\"parent\" is a required property"),
    ("/parent", "\"page_id\" is a required property"),
    ("/parent", "{\"type\":\"data_source_id\",\"data_source_id\":"),
    ("/children/", "is not valid under any of the schemas"),
    ("/sorts/", "\"property\" is a required property"),
];

/// The published operation of a request.
fn operation<'a>(document: &'a Value, entry: &Entry) -> Option<&'a Value> {
    let own: Vec<&str> = entry.path.split('/').collect();
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == own.len()
            && parts.iter().zip(&own).all(|(part, own)| part == own || part.starts_with('{'))
    };
    let mut paths = document["paths"].as_object()?.iter();
    // `/users/me` is no user's id.
    let exact = document["paths"].get(&entry.path);
    let found = exact.or_else(|| paths.find(|(template, _)| fits(template)).map(|(_, found)| found))?;
    found.get(entry.method.to_lowercase())
}

/// What is wrong with `value`, by a schema of `document`.
fn flaws(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let whole = json!({"allOf": [schema], "components": document["components"]});
    let validator = jsonschema::options().build(&whole).unwrap();
    let told =
        validator.iter_errors(value).map(|error| (error.to_string(), error.instance_path().to_string()));
    let slip =
        |what: &str, at: &str| SLIPS.iter().any(|(place, says)| at.contains(place) && what.contains(says));
    told.filter(|(what, at)| !slip(what, at)).map(|(what, at)| format!("{what} at {at}")).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_and_answers_fit_what_notion_publishes() {
    let Some(document) = document() else { return };
    let mut looked_at: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = BTreeSet::new();
    let marked = Notion::marked_writes("marked").into_iter().map(|marked| marked.write);
    for sample in Notion::reads().into_iter().chain(Notion::writes()).chain(marked) {
        let office = Office::open().await;
        let _ = office.attempt(sample.tool, Value::Object(sample.arguments)).await;
        for entry in office.harness().journal().entries() {
            let Some(published) = operation(&document, &entry) else { continue };
            let mut check = |what, schema: &Value, value: &Value| {
                if schema["properties"].is_null() && schema["$ref"].is_null() {
                    return;
                }
                looked_at.entry(what).or_default().insert(entry.operation.clone());
                let found = flaws(&document, schema, value);
                wrong.extend(found.into_iter().map(|flaw| format!("{what} of {}: {flaw}", entry.operation)));
            };
            if entry.status.is_some_and(|status| status < 300) {
                let body = &published["requestBody"]["content"]["application/json"]["schema"];
                check("request", body, &entry.json());
            }
            if entry.method == "GET" && entry.status == Some(200) {
                let answer = &published["responses"]["200"]["content"]["application/json"]["schema"];
                check("answer", answer, &office.raw(&entry.path).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{} flaws:\n{}", wrong.len(), wrong.into_iter().collect::<Vec<_>>().join("\n"));
    let count = |what: &str| looked_at.get(what).map_or(0, BTreeSet::len);
    assert!(count("request") >= 7 && count("answer") >= 2, "only these were looked at: {looked_at:#?}");
}
