//! What a user meets is the same in every server: names, annotations, schemas, budgets, narrowing.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unused_async,
    clippy::unwrap_used,
    reason = "a test that cannot go on says where"
)]

use std::collections::BTreeSet;

use connector::{Effect, access::Selection, catalog::Tool};
use serde_json::{Map, Value, json};
use suite::{Client, Era, Options, Sample, Sandboxed, Subject, marker, tokens};

suite::every_server!(
    names_are_verb_noun_without_a_vendor,
    every_tool_says_in_few_words_what_it_does,
    every_server_tells_who_it_is_and_searches,
    schemas_are_small_flat_and_closed,
    the_whole_list_fits_its_budget,
    the_contract_is_the_one_that_was_reviewed,
    what_ships_has_the_same_contract_and_takes_the_same_calls,
    what_ships_is_listed_over_a_pipe_as_it_is_typed,
    the_list_is_sorted_and_narrowed_by_configuration_only,
    read_only_offers_nothing_that_writes_and_refuses_below_the_tools,
    a_selection_that_names_nothing_is_an_error_with_the_nearest_name,
    every_write_can_be_tried_dry_and_everything_destructive_confirmed,
    samples_cover_every_tool,
    the_storm_has_every_kind_of_write,
    an_unknown_argument_is_refused_with_the_nearest_right_name,
    lists_and_objects_may_arrive_as_json_text,
    every_id_that_some_tool_needs_is_given_by_some_tool,
    what_is_said_to_be_lacking_is_lacking,
);

fn everything() -> Selection {
    Selection { toolsets: vec!["all".to_owned()], ..Selection::default() }
}

/// A tool as `tools/list` shows it, for counting.
fn listed<S>(tool: &Tool<S>) -> Value {
    json!({
        "name": tool.name(),
        "title": tool.title(),
        "description": tool.description(),
        "inputSchema": **tool.input_schema(),
        "annotations": {
            "readOnlyHint": !tool.effect().writes(),
            "destructiveHint": tool.effect() == Effect::Destructive,
            "idempotentHint": tool.is_idempotent(),
            "openWorldHint": true,
        },
    })
}

async fn names_are_verb_noun_without_a_vendor<S: Subject>() {
    let vendor = S::ABOUT.key;
    for tool in S::catalog().all_tools() {
        let name = tool.name();
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name} is not snake_case");
        assert!(!name.contains(vendor), "{name} names the vendor, which hosts do already");
        assert!(name.len() <= 32, "{name} is long");
        let one_word = ["search", "whoami", "attach"];
        assert!(name.contains('_') || one_word.contains(&name), "{name} is not verb_noun");
    }
}

async fn every_tool_says_in_few_words_what_it_does<S: Subject>() {
    for tool in S::catalog().all_tools() {
        let (name, title, description) = (tool.name(), tool.title(), tool.description());
        assert!(!title.is_empty() && title.split_whitespace().count() <= 5, "{name}: title `{title}`");
        let sentences = description.matches(". ").count() + usize::from(description.ends_with('.'));
        assert!((1..=3).contains(&sentences), "{name}: {sentences} sentences: {description}");
        assert!(description.len() <= 320, "{name}: the description is long: {description}");
    }
}

async fn every_server_tells_who_it_is_and_searches<S: Subject>() {
    let catalog = S::catalog();
    for name in ["whoami", "search"] {
        let tool = catalog.tool(name).unwrap_or_else(|| panic!("every server has {name}"));
        assert!(tool.on_by_default() && !tool.effect().writes(), "{name} only reads and is on by default");
    }
}

async fn schemas_are_small_flat_and_closed<S: Subject>() {
    for tool in S::catalog().all_tools() {
        let (name, schema) = (tool.name(), tool.input_schema());
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name} takes anything");
        for keyword in ["anyOf", "oneOf", "allOf", "$ref", "$defs", "$schema", "title", "description"] {
            assert!(!schema.contains_key(keyword), "{name}: `{keyword}` at the top of its schema");
        }
        let text = Value::Object((**schema).clone()).to_string();
        for noise in ["\"format\"", "\"$ref\"", "\"default\":null", "\"null\""] {
            assert!(!text.contains(noise), "{name}: {noise} says nothing to a model");
        }
        say_what_they_hold(name, &Value::Object((**schema).clone()));
        jsonschema::validator_for(&Value::Object((**schema).clone()))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for (property, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let integer = ["limit", "offset", "max_chars"].contains(&property.as_str());
            assert!(!integer || schema["type"] == "integer", "{name}.{property} must be an integer");
            let shared_text = ["cursor", "since", "until", "confirm"].contains(&property.as_str());
            assert!(!shared_text || schema["type"] == "string", "{name}.{property} must be text");
        }
    }
}

/// A strict host refuses a list with an object that says neither its properties nor the type of its values, or an
/// array that says nothing of its items.
fn say_what_they_hold(path: &str, schema: &Value) {
    if schema["type"] == "object" {
        let open = schema["additionalProperties"]["type"].is_string()
            || schema["additionalProperties"]["type"].is_array();
        assert!(schema["properties"].is_object() || open, "{path} is an object of anything: {schema}");
    }
    assert!(schema["type"] != "array" || schema["items"].is_object(), "{path} is a list of anything");
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        say_what_they_hold(&format!("{path}.{name}"), property);
    }
    if schema["items"].is_object() {
        say_what_they_hold(&format!("{path}[]"), &schema["items"]);
    }
}

async fn the_whole_list_fits_its_budget<S: Subject>() {
    let catalog = S::catalog().select(&Selection::default()).unwrap();
    let list: Vec<_> = catalog.all_tools().iter().map(listed).collect();
    let cost = tokens(&json!({ "tools": list }).to_string());
    let dearest: Vec<_> = {
        let mut costs: Vec<_> =
            list.iter().map(|tool| (tokens(&tool.to_string()), tool["name"].to_string())).collect();
        costs.sort_unstable_by(|a, b| b.cmp(a));
        costs
    };
    println!("{}: {} tools, {cost} tokens of {}", S::ABOUT.key, list.len(), S::LIST_BUDGET);
    assert!(cost <= S::LIST_BUDGET, "{cost} tokens, {} allowed; dearest first: {dearest:?}", S::LIST_BUDGET);
}

/// Every tool as clients see it, opt-in ones included: a change of the contract shows in review.
async fn the_contract_is_the_one_that_was_reviewed<S: Subject>() {
    let catalog = S::catalog().select(&everything()).unwrap();
    let list: Vec<_> = catalog.all_tools().iter().map(listed).collect();
    insta::assert_json_snapshot!(format!("{}_tools", S::ABOUT.key), list);
}

/// Release builds read the schemas of arguments from a file instead of making them.
async fn what_ships_has_the_same_contract_and_takes_the_same_calls<S: Subject>() {
    let list = |catalog: connector::catalog::Catalog<S>| -> Vec<Value> {
        catalog.select(&everything()).unwrap().all_tools().iter().map(listed).collect()
    };
    assert_eq!(list(S::catalog().as_shipped()), list(S::catalog()));
    let options = Options { shipped: true, allow_destructive: true, ..Options::everything() };
    let sandboxed = Sandboxed::<S>::start_with(options.clone()).await;
    for sample in S::reads() {
        sandboxed.call(&sample).await;
        sandboxed.refusal(&sample.with("limmit_of_rows", 1)).await;
    }
    for sample in S::writes() {
        Sandboxed::<S>::start_with(options.clone()).await.call(&sample).await;
    }
}

/// Over pipes the schemas are written as they were written down, without being read.
async fn what_ships_is_listed_over_a_pipe_as_it_is_typed<S: Subject>() {
    for (era, structured) in [(Era::Modern, true), (Era::Legacy, false)] {
        let options = Options { prefix: "acme_", structured, ..Options::everything() };
        let mut lists = Vec::new();
        for shipped in [false, true] {
            let sandboxed = Sandboxed::<S>::start_with(Options { shipped, ..options.clone() }).await;
            let mut client = Client::speaking(sandboxed.service(), era, false).await;
            client.send("tools/list", json!({})).await;
            lists.push(client.next().await["result"].take());
        }
        assert!(lists[0]["tools"].as_array().is_some_and(|tools| tools.len() > 1), "{}", lists[0]);
        assert_eq!(lists[1], lists[0]);
    }
}

async fn the_list_is_sorted_and_narrowed_by_configuration_only<S: Subject>() {
    let names = |selection: &Selection| -> Vec<&'static str> {
        S::catalog().select(selection).unwrap().all_tools().iter().map(Tool::name).collect()
    };
    let by_default = names(&Selection::default());
    assert!(by_default.is_sorted(), "{by_default:?}");
    assert_eq!(by_default, names(&Selection::default()), "the list must not change between calls");
    let unique: BTreeSet<_> = names(&everything()).into_iter().collect();
    assert_eq!(unique.len(), names(&everything()).len(), "two tools share a name");
    for (toolset, on_by_default) in S::catalog().toolsets() {
        let only = names(&Selection { toolsets: vec![toolset.to_owned()], ..Selection::default() });
        assert!(!only.is_empty());
        assert_eq!(on_by_default, only.iter().all(|name| by_default.contains(name)), "{toolset}");
    }
    let one = Selection { tools: vec!["search".to_owned()], ..Selection::default() };
    assert_eq!(names(&one), ["search"]);
    let without = Selection { exclude_tools: vec!["search".to_owned()], ..Selection::default() };
    assert!(!names(&without).contains(&"search"));
    let prefixed = Sandboxed::<S>::start_with(Options { prefix: "acme_", ..Options::default() }).await;
    assert!(prefixed.service().tool("acme_search").is_some() && prefixed.service().tool("search").is_none());
}

async fn read_only_offers_nothing_that_writes_and_refuses_below_the_tools<S: Subject>() {
    let read_only = Selection { read_only: true, ..everything() };
    let sandboxed = Sandboxed::<S>::start_with(Options { selection: read_only, ..Options::default() }).await;
    assert!(sandboxed.service().catalog().all_tools().iter().all(|tool| tool.effect() == Effect::Read));
    let before = sandboxed.dump();
    // Even a write that slipped through the list is stopped by the pipeline, before it is sent.
    let sample = S::plain_write();
    let whole = std::sync::Arc::new(S::catalog().select(&everything()).unwrap());
    let tool = whole.tool(sample.tool).unwrap();
    let caller = connector::catalog::Caller {
        rights: connector::access::Rights::unlimited(),
        confirmations: &connector::catalog::Confirmations::default(),
        answers: false,
        progress: std::sync::Arc::new(connector::catalog::Silent),
    };
    let refused = whole.call(tool, sandboxed.service().server(), caller, sample.arguments).await.unwrap_err();
    assert_eq!(refused.kind(), connector::Kind::Policy, "{refused}");
    assert_eq!(sandboxed.dump(), before, "the write was sent");
}

async fn a_selection_that_names_nothing_is_an_error_with_the_nearest_name<S: Subject>() {
    let slip = Selection { exclude_tools: vec!["serach".to_owned()], ..Selection::default() };
    let error = S::catalog().select(&slip).unwrap_err().for_agent();
    assert!(error.contains("`serach`") && error.contains("Did you mean `search`?"), "{error}");
}

async fn every_write_can_be_tried_dry_and_everything_destructive_confirmed<S: Subject>() {
    for tool in S::catalog().all_tools() {
        let takes =
            |argument| tool.input_schema().get("properties").is_some_and(|all| all.get(argument).is_some());
        assert_eq!(takes("dry_run"), tool.effect().writes(), "{}", tool.name());
        assert!(
            tool.effect() != Effect::Destructive || takes("confirm"),
            "{} cannot be confirmed",
            tool.name()
        );
    }
}

async fn samples_cover_every_tool<S: Subject>() {
    let sampled: BTreeSet<_> = S::reads().iter().chain(&S::writes()).map(|sample| sample.tool).collect();
    let all: BTreeSet<_> = S::catalog().all_tools().iter().map(Tool::name).collect();
    assert_eq!(sampled, all, "the shared tests must call every tool");
}

/// A kind is a tool, and what a switch or a closed set of words makes of it. What no storm can write says why.
async fn the_storm_has_every_kind_of_write<S: Subject>() {
    let catalog = S::catalog();
    let mut wanted = BTreeSet::new();
    for tool in catalog.all_tools().iter().filter(|tool| tool.effect().writes()) {
        wanted.insert(tool.name().to_owned());
        offered(tool.name(), &json!(**tool.input_schema()), &mut wanted);
    }
    let mut written = BTreeSet::new();
    for marked in S::marked_writes(&marker(0)) {
        written.insert(marked.write.tool.to_owned());
        given(marked.write.tool, &Value::Object(marked.write.arguments), &mut written);
    }
    let mut missing: BTreeSet<_> = wanted.difference(&written).cloned().collect();
    for (kind, why) in S::NOT_MARKED {
        let is_of = |name: &String| {
            name.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '=']))
        };
        let before = missing.len();
        missing.retain(|name| !is_of(name));
        assert!(missing.len() < before, "`{kind}` is in the storm, or is nothing: {why}");
        assert!(!why.is_empty(), "`{kind}` says no reason");
    }
    assert!(missing.is_empty(), "the storm does not write {missing:#?}");
}

/// The switches and words of closed sets that a schema offers: `tool.switch`, `tool.list.word=value`.
fn offered(path: &str, schema: &Value, kinds: &mut BTreeSet<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if ["dry_run", "confirm"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{path}.{name}");
        let one = property.get("items").unwrap_or(property);
        if one["type"] == "boolean" {
            kinds.insert(path.clone());
        }
        let words = one["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        kinds.extend(words.map(|word| format!("{path}={word}")));
        offered(&path, one, kinds);
    }
}

/// What arguments give of these.
fn given(path: &str, value: &Value, kinds: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                given(&format!("{path}.{name}"), value, kinds);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| given(path, value, kinds)),
        Value::String(word) => _ = kinds.insert(format!("{path}={word}")),
        Value::Bool(_) => _ = kinds.insert(path.to_owned()),
        Value::Null | Value::Number(_) => {}
    }
}

async fn an_unknown_argument_is_refused_with_the_nearest_right_name<S: Subject>() {
    let selection = everything();
    let sandboxed = Sandboxed::<S>::start_with(Options { selection, ..Options::default() }).await;
    for sample in S::reads().into_iter().chain(S::writes()) {
        let error = sandboxed.refusal(&sample.clone().with("limmit_of_rows", 1)).await.for_agent();
        assert!(
            error.starts_with("invalid_argument: ") && error.contains("limmit_of_rows"),
            "{}: {error}",
            sample.tool
        );
        assert!(error.contains("Did you mean") || error.contains("It takes"), "{}: {error}", sample.tool);
    }
    let asked = sandboxed.harness().journal().entries().len();
    assert_eq!(asked, 0, "the vendor was asked although the arguments were wrong");
}

async fn lists_and_objects_may_arrive_as_json_text<S: Subject>() {
    let selection = everything();
    for sample in S::reads() {
        let as_text: Map<String, Value> = sample
            .arguments
            .iter()
            .map(|(name, value)| match value {
                Value::Array(_) | Value::Object(_) => (name.clone(), Value::String(value.to_string())),
                value => (name.clone(), value.clone()),
            })
            .collect();
        if as_text == sample.arguments {
            continue;
        }
        let sandboxed =
            Sandboxed::<S>::start_with(Options { selection: selection.clone(), ..Options::default() }).await;
        let plain = sandboxed.call(&sample).await.text;
        let texted = sandboxed.call(&Sample { tool: sample.tool, arguments: as_text }).await.text;
        assert_eq!(plain.lines().count(), texted.lines().count(), "{}: {plain}\n{texted}", sample.tool);
    }
}

async fn every_id_that_some_tool_needs_is_given_by_some_tool<S: Subject>() {
    for walk in S::ids() {
        let sandboxed =
            Sandboxed::<S>::start_with(Options { selection: everything(), ..Options::default() }).await;
        let reply = sandboxed.call(&walk.given_by).await.text;
        let (tool, argument) = walk.needed;
        let id = walk
            .form
            .find(&reply)
            .unwrap_or_else(|| panic!("{} gives no id for {tool}.{argument}: {reply}", walk.given_by.tool));
        let kind = S::catalog().tool(tool).unwrap().input_schema()["properties"][argument]["type"].clone();
        let id = match kind.as_str() {
            Some("array") => json!([id]),
            Some("integer") => json!(id.parse::<u64>().unwrap()),
            _ => json!(id),
        };
        let sample = Sample::new(tool, walk.others.clone()).with(argument, id);
        sandboxed.call(&sample).await;
    }
}

/// An excuse that has become untrue would hide a test that could run.
async fn what_is_said_to_be_lacking_is_lacking<S: Subject>() {
    for (what, _) in S::LACKS {
        assert!(!suite::gives::<S>(what), "`LACKS` names `{what}`, which is given");
    }
}
