//! Hostile arguments: every text that a tool takes, of every server. Nothing panics, hangs or leaves its route, and
//! what is answered is short and clean.

#![allow(clippy::print_stdout, reason = "what was measured is worth reading")]

use std::{collections::BTreeSet, panic::AssertUnwindSafe, time::Duration};

use connector::{Error, Kind, access::Selection, catalog::told};
use futures::FutureExt as _;
use serde_json::{Map, Value, json};
use suite::{Options, Sample, Sandboxed, Subject};
use tokio::time::Instant;

suite::every_server!(
    no_text_leaves_its_route_or_comes_back_uncleaned,
    a_long_text_is_refused_or_taken_in_few_words,
);

/// What a path that left its route would lead to.
const ELSEWHERE: &str = "zzattack";
/// Bytes of what an agent reads of an error.
const MOST_TOLD: usize = 2_000;
/// Bytes of a text that is longer than any vendor takes.
const LONG: usize = 256 * 1024;

fn everything() -> Options {
    Options {
        selection: Selection { toolsets: vec!["all".to_owned()], ..Selection::default() },
        allow_destructive: true,
        ..Options::default()
    }
}

/// Texts that somebody once got through with somewhere.
fn hostile() -> Vec<String> {
    [
        "..",
        "../zzattack",
        "../../../../../../zzattack",
        "%2e%2e/%2e%2e%2f%2e%2e/%2e%2e/%2e%2e/zzattack",
        "https://evil.example/../zzattack?x=1#y",
        "x/../zzattack\r\nHost: evil.example",
        "\0\u{7}\u{1b}[31mred\u{1b}]0;title\u{7}\u{202e}\u{2066}\u{e0041}\u{2800}\u{feff}",
        "</data><b onload=x>{\"a\": [1, {\"b\": null}]}",
        "[\"a\", {\"b\": 1}]",
        "\\ud800 %00 ' OR 1=1 -- ${jndi:x} {{7*7}}",
    ]
    .map(str::to_owned)
    .into()
}

/// One place of a text in the arguments of a call: keys and indices, from the outermost.
pub(crate) type Place = Vec<String>;

/// The places of texts in `arguments`, and those of the tool's own that `schema` names besides.
pub(crate) fn places(arguments: &Map<String, Value>, schema: &Map<String, Value>) -> Vec<Place> {
    let mut places = Vec::new();
    let given = Value::Object(arguments.clone());
    texts(&given, &mut Vec::new(), &mut places);
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let own = matches!(name.as_str(), "confirm" | "dry_run");
        if own || arguments.contains_key(name) || property.get("enum").is_some() {
            continue;
        }
        let is_text =
            |schema: &Value| schema["type"] == "string" || schema["type"] == json!(["string", "null"]);
        if is_text(property) {
            places.push(vec![name.clone()]);
        } else if property["type"] == "array" && is_text(&property["items"]) {
            places.push(vec![name.clone(), "0".to_owned()]);
        }
    }
    places
}

fn texts(value: &Value, at: &mut Place, places: &mut Vec<Place>) {
    let mut inner = |step: String, value: &Value| {
        at.push(step);
        texts(value, at, places);
        at.pop();
    };
    match value {
        Value::String(_) => places.push(at.clone()),
        // The first stands for all.
        Value::Array(items) => items.iter().take(1).for_each(|item| inner("0".to_owned(), item)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| inner(key.clone(), field)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `sample` with `text` at `place`.
pub(crate) fn with_text(sample: &Sample, place: &Place, text: &str) -> Sample {
    let mut arguments = Value::Object(sample.arguments.clone());
    let mut at = &mut arguments;
    for step in place {
        at = match step.parse::<usize>() {
            Ok(_) if !at.is_array() => {
                *at = json!([null]);
                &mut at[0]
            }
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step.as_str()],
        };
    }
    *at = json!(text);
    Sample::new(sample.tool, arguments)
}

/// Every text of every tool: a call that has it, and where.
fn attacks<S: Subject>(sandboxed: &Sandboxed<S>) -> Vec<(Sample, Vec<Place>)> {
    let mut seen = BTreeSet::new();
    let samples = S::reads().into_iter().chain(S::writes());
    let attacks: Vec<_> = samples
        .map(|sample| {
            let tool = sandboxed.service().tool(sample.tool).expect("a tool of the sample");
            let mut places = places(&sample.arguments, tool.input_schema());
            // What another sample of the same tool has been attacked by already.
            places.retain(|place| seen.insert((sample.tool, place.clone())));
            (sample, places)
        })
        .collect();
    let attacked: BTreeSet<_> = attacks.iter().map(|(sample, _)| sample.tool).collect();
    for tool in sandboxed.service().catalog().all_tools() {
        assert!(attacked.contains(tool.name()), "no sample calls {}", tool.name());
    }
    attacks
}

/// Makes a call that must end, in whatever way, and gives what the agent reads.
async fn made<S: Subject>(sandboxed: &Sandboxed<S>, call: &Sample, what: &str) -> Result<String, Error> {
    let began = Instant::now();
    let answered = AssertUnwindSafe(sandboxed.try_call(call)).catch_unwind().await;
    let answered = answered.unwrap_or_else(|_| panic!("{what}: it panicked"));
    assert!(began.elapsed() < Duration::from_secs(60), "{what}: it took {:?}", began.elapsed());
    if let Err(error) = &answered {
        let kind = error.kind();
        let fits =
            !matches!(kind, Kind::Internal | Kind::Upstream | Kind::Unavailable | Kind::UnknownOutcome);
        assert!(fits, "{what}: {}", told(error));
    }
    answered.map(|reply| reply.text)
}

/// Whether what is told of an argument names it: the argument, or what is wrong inside it, as a word of its own; or
/// another one, between backticks, that does not go with it. A vendor's own words are as they are.
fn names(told: &str, place: &Place, call: &Sample) -> bool {
    let words: BTreeSet<_> = told.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    let named = place.iter().any(|step| step.parse::<usize>().is_err() && words.contains(step.as_str()));
    let other = || call.arguments.keys().any(|name| told.contains(&format!("`{name}")));
    named || told.contains("does not accept this") || other()
}

/// Characters that no reply may have.
pub(crate) fn unseen(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{e0000}'..='\u{e007f}' | '\u{200b}' | '\u{2060}' | '\u{2800}' | '\u{feff}')
}

async fn no_text_leaves_its_route_or_comes_back_uncleaned<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let attacks = attacks(&sandboxed);
    let mut made_in_all = 0;
    let mut unnamed = BTreeSet::new();
    for (sample, places) in attacks {
        let sandboxed = Sandboxed::<S>::start_with(everything()).await;
        for place in places {
            for text in hostile() {
                let what = format!("{} {place:?} = {text:?}", sample.tool);
                sandboxed.harness().journal().clear();
                let call = with_text(&sample, &place, &text);
                let answer = match made(&sandboxed, &call, &what).await {
                    Ok(text) => text,
                    Err(error) => {
                        let told = told(&error);
                        if error.kind() == Kind::InvalidArgument && !names(&told, &place, &call) {
                            unnamed.insert(format!("{} {place:?}: {told}", sample.tool));
                        }
                        told
                    }
                };
                assert!(!answer.contains(unseen), "{what}: {answer:?}");
                for entry in sandboxed.harness().journal().entries() {
                    // The operation of a path that is no route is the path.
                    let left =
                        entry.operation.contains(ELSEWHERE) || entry.path.split('/').any(|part| part == "..");
                    assert!(!left, "{what}: it asked {} {}", entry.method, entry.path);
                }
                made_in_all += 1;
            }
        }
    }
    let unnamed: Vec<_> = unnamed.into_iter().collect();
    assert!(unnamed.is_empty(), "errors that do not name their argument:\n{}", unnamed.join("\n"));
    println!("{}: {made_in_all} calls", S::ABOUT.key);
    assert!(made_in_all >= hostile().len(), "only {made_in_all} calls were made");
}

async fn a_long_text_is_refused_or_taken_in_few_words<S: Subject>() {
    let sandboxed = Sandboxed::<S>::start_with(everything()).await;
    let long = "x".repeat(LONG);
    for (sample, places) in attacks(&sandboxed) {
        for place in places {
            let what = format!("{} {place:?}", sample.tool);
            let call = with_text(&sample, &place, &long);
            let writes = sandboxed.service().tool(sample.tool).is_some_and(|tool| tool.effect().writes());
            let call = if writes { call.with("dry_run", true) } else { call };
            match made(&sandboxed, &call, &what).await {
                Ok(text) => assert!(text.len() < 40_000, "{what}: {} bytes", text.len()),
                Err(error) => {
                    let told = told(&error);
                    assert!(told.len() < MOST_TOLD, "{what}: {} bytes: {}", told.len(), &told[..200]);
                    // The end says what to do, and must not be lost for what somebody wrote.
                    if let Some(hint) = error.hint().map(str::trim_end).filter(|hint| hint.len() < 200) {
                        assert!(told.contains(hint), "{what}: {told}");
                    }
                }
            }
        }
    }
}
