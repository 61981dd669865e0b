//! Blocks, wherever they stand, as text: those of messages, attachments, forwarded messages and
//! unfurls, the kinds of 2026 among them (docs.slack.dev/reference/block-kit/blocks; their fields are those of
//! @slack/types 3.2.0, of `data_visualization` those of its page there). A kind that is not known is named, and
//! its text shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::mrkdwn::{mentioned, plain};
use crate::resolve::{
    people::{People, is_user},
    reference::is_id,
};

/// How deep blocks may lie within blocks.
const DEPTH: usize = 8;

/// The blocks of `value` as text; empty if they say nothing.
pub(crate) fn text(value: &[Value], people: &People) -> String {
    parts(value, people, 0).join("\n")
}

/// Whether a message's blocks are more than the rich text that Slack makes of any message.
pub(crate) fn are_built(blocks: &[Value]) -> bool {
    blocks.iter().any(|block| kind(block) != "rich_text")
}

/// The people, channels and user groups that blocks, or anything else of a message, name by their ids.
pub(crate) fn people_in(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => mentioned(text, ids),
        Value::Array(items) => items.iter().for_each(|item| people_in(item, ids)),
        Value::Object(map) => {
            // In rich text these have no name beside the id.
            let named = match kind(value) {
                "channel" => map.get("channel_id").filter(|id| id.as_str().is_some_and(is_channel)),
                "usergroup" => map.get("usergroup_id"),
                _ => None,
            };
            ids.extend(named.and_then(Value::as_str).map(str::to_owned));
            for (key, value) in map {
                match value.as_str() {
                    Some(id) if key == "user_id" && is_user(id) => _ = ids.insert(id.to_owned()),
                    _ => people_in(value, ids),
                }
            }
        }
        _ => {}
    }
}

fn is_channel(id: &str) -> bool {
    is_id(id, &['C', 'G'])
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap_or_default()
}

fn list<'a>(block: &'a Value, field: &str) -> &'a [Value] {
    block[field].as_array().map_or(&[], Vec::as_slice)
}

fn parts(blocks: &[Value], people: &People, depth: usize) -> Vec<String> {
    blocks.iter().map(|block| one(block, people, depth)).filter(|part| !part.trim().is_empty()).collect()
}

/// One block.
fn one(block: &Value, people: &People, depth: usize) -> String {
    if depth > DEPTH {
        return "[blocks too deep to show]".to_owned();
    }
    let words = |field: &str| object(&block[field], people);
    match kind(block) {
        "rich_text" => {
            list(block, "elements").iter().map(|element| rich(element, people)).collect::<Vec<_>>().join("\n")
        }
        "header" => bold(&words("text")),
        "section" => {
            let mut said = vec![words("text")];
            said.extend(list(block, "fields").iter().map(|field| object(field, people)));
            said.push(accessory(&block["accessory"], people));
            join(said, " | ")
        }
        "markdown" => block["text"].as_str().unwrap_or_default().to_owned(),
        "context" => {
            join(list(block, "elements").iter().map(|element| object(element, people)).collect(), " ")
        }
        "actions" | "context_actions" => {
            join(list(block, "elements").iter().map(|element| accessory(element, people)).collect(), " ")
        }
        "table" | "data_table" => table(block, people),
        "image" => named("image", &[words("title"), alt(block)]),
        "video" => named("video", &[words("title"), link(block, "title_url"), words("description")]),
        "file" => named("file", &[string(block, "external_id"), string(block, "file_id")]),
        "divider" => String::new(),
        "alert" => named(
            "alert",
            &[level(block), words("title"), words("text"), words("body"), inner(block, people, depth)],
        ),
        "card" | "task_card" => named(
            if kind(block) == "card" { "card" } else { "task" },
            &[
                words("title"),
                words("subtitle"),
                words("body"),
                words("text"),
                words("details"),
                words("output"),
                string(block, "status"),
                inner(block, people, depth),
                words("icon"),
                words("hero_image"),
                join(list(block, "sources").iter().map(source).collect(), " "),
                actions(block, people),
            ],
        ),
        "plan" => {
            named("plan", &[words("title"), join(parts(list(block, "tasks"), people, depth + 1), "\n")])
        }
        "carousel" | "container" => {
            let title = join(vec![words("title"), words("rich_text_title")], " ");
            join(vec![bold(&title), words("subtitle"), inner(block, people, depth)], "\n")
        }
        "data_visualization" => named(
            "chart",
            &[
                words("title"),
                words("description"),
                string(&block["chart"], "type"),
                strings(&block["chart"]["axis_config"]),
                series(block, people),
            ],
        ),
        "input" | "rich_text_input" => named("input", &[words("label")]),
        other => {
            let mut said = Vec::new();
            every_text(block, people, &mut said);
            named(if other.is_empty() { "block" } else { other }, &[join(said, " ")])
        }
    }
}

/// What lies within a block, under any of the names there are.
fn inner(block: &Value, people: &People, depth: usize) -> String {
    let fields = ["elements", "blocks", "child_blocks", "children", "cards", "items", "content"];
    join(fields.iter().flat_map(|field| parts(list(block, field), people, depth + 1)).collect(), "\n")
}

fn actions(block: &Value, people: &People) -> String {
    join(list(block, "actions").iter().map(|element| accessory(element, people)).collect(), " ")
}

fn string(block: &Value, field: &str) -> String {
    block[field].as_str().unwrap_or_default().to_owned()
}

fn alt(block: &Value) -> String {
    string(block, "alt_text")
}

fn level(block: &Value) -> String {
    [string(block, "level"), string(block, "severity")]
        .into_iter()
        .find(|word| !word.is_empty())
        .unwrap_or_default()
}

fn link(block: &Value, field: &str) -> String {
    string(block, field)
}

fn bold(text: &str) -> String {
    if text.trim().is_empty() { String::new() } else { format!("*{}*", text.trim().trim_matches('*')) }
}

fn join(parts: Vec<String>, between: &str) -> String {
    parts.into_iter().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(between)
}

/// `[image: title, alternative text]`.
fn named(name: &str, parts: &[String]) -> String {
    let said = join(parts.to_vec(), ", ");
    if said.is_empty() { format!("[{name}]") } else { format!("[{name}: {said}]") }
}

/// A text object, a rich text, or a string.
fn object(value: &Value, people: &People) -> String {
    match (value, kind(value)) {
        (Value::String(text), _) => text.clone(),
        (_, "mrkdwn") => plain(value["text"].as_str().unwrap_or_default(), people),
        (_, "plain_text" | "raw_text" | "markdown") => string(value, "text"),
        (_, "raw_number") => {
            value["value"].as_f64().map_or_else(|| string(value, "text"), |number| number.to_string())
        }
        (_, "rich_text") => one(value, people, 1),
        (_, "image") => named("image", &[alt(value)]),
        (_, "button") => accessory(value, people),
        (Value::Object(_), _) => {
            let mut said = Vec::new();
            every_text(value, people, &mut said);
            join(said, " ")
        }
        (Value::Number(number), _) => number.to_string(),
        _ => String::new(),
    }
}

/// A button or another control: its label.
fn accessory(element: &Value, people: &People) -> String {
    match kind(element) {
        "" => String::new(),
        "image" => named("image", &[alt(element)]),
        "button" | "workflow_button" => {
            let label = object(&element["text"], people);
            match element["url"].as_str() {
                Some(url) => format!("[{label}]({url})"),
                None => format!("[button: {label}]"),
            }
        }
        other => {
            let label = [&element["placeholder"], &element["text"]].map(|value| object(value, people));
            named(other, &label)
        }
    }
}

/// A table as Markdown.
fn table(block: &Value, people: &People) -> String {
    let cell = |cell: &Value| object(cell, people).replace('\n', " ").replace('|', "\\|");
    let mut rows: Vec<Vec<String>> = Vec::new();
    let columns = list(block, "columns");
    if !columns.is_empty() {
        rows.push(
            columns
                .iter()
                .map(|column| {
                    ["title", "label", "header", "name", "key"]
                        .iter()
                        .map(|field| cell(&column[*field]))
                        .find(|text| !text.is_empty())
                        .unwrap_or_default()
                })
                .collect(),
        );
    }
    for row in list(block, "rows") {
        let cells = match row {
            Value::Array(cells) => cells.as_slice(),
            row => list(row, "cells"),
        };
        rows.push(cells.iter().map(cell).collect());
    }
    let line = |row: &Vec<String>| format!("| {} |", row.join(" | "));
    let mut lines = vec![object(&block["title"], people), object(&block["caption"], people)];
    for (number, row) in rows.iter().enumerate() {
        lines.push(line(row));
        if number == 0 {
            lines.push(format!("|{}", "---|".repeat(row.len())));
        }
    }
    join(lines, "\n")
}

/// The series of a chart, each with its values.
fn series(block: &Value, people: &People) -> String {
    let mut said = Vec::new();
    let chart = &block["chart"];
    for part in [&block["series"], &block["data"], &chart["series"], &chart["segments"], &chart["data"]] {
        every_text(part, people, &mut said);
    }
    join(said, " ")
}

/// Every string there is in a value.
fn strings(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) => join(map.values().map(strings).collect(), ", "),
        Value::Array(items) => join(items.iter().map(strings).collect(), ", "),
        _ => String::new(),
    }
}

/// What a task is from: a link.
fn source(source: &Value) -> String {
    match (string(source, "text"), string(source, "url")) {
        (text, url) if text.is_empty() || url.is_empty() => join(vec![text, url], ""),
        (text, url) => format!("[{text}]({url})"),
    }
}

/// Every text there is in a value, in its order.
fn every_text(value: &Value, people: &People, said: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value {
                    Value::String(text)
                        if ["text", "title", "alt_text", "label", "name", "value", "fallback"]
                            .contains(&key.as_str()) =>
                    {
                        said.push(plain(text, people));
                    }
                    Value::Number(number) if key == "value" || key == "y" => said.push(number.to_string()),
                    value => every_text(value, people, said),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| match item {
            Value::Number(number) => said.push(number.to_string()),
            item => every_text(item, people, said),
        }),
        _ => {}
    }
}

/// An element of rich text.
fn rich(element: &Value, people: &People) -> String {
    let inner = |between: &str| {
        list(element, "elements")
            .iter()
            .map(|element| rich(element, people))
            .collect::<Vec<_>>()
            .join(between)
    };
    match kind(element) {
        "rich_text_section" => inner(""),
        "rich_text_list" => {
            let indent = "  ".repeat(element["indent"].as_u64().unwrap_or_default().min(8) as usize);
            let first = element["offset"].as_u64().unwrap_or_default() + 1;
            let ordered = element["style"] == "ordered";
            let items = list(element, "elements").iter().zip(first..).map(|(item, number)| {
                let mark = if ordered { format!("{number}.") } else { "-".to_owned() };
                format!("{indent}{mark} {}", rich(item, people))
            });
            items.collect::<Vec<_>>().join("\n")
        }
        "rich_text_quote" => inner("").lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n"),
        "rich_text_preformatted" => format!("```\n{}\n```", inner("")),
        "text" => styled(element, element["text"].as_str().unwrap_or_default()),
        "link" => {
            let url = string(element, "url");
            match element["text"].as_str().filter(|text| !text.is_empty() && *text != url) {
                Some(text) => format!("[{text}]({url})"),
                None => url,
            }
        }
        "user" => format!("@{}", people.name(element["user_id"].as_str().unwrap_or_default())),
        "channel" => format!("#{}", people.thing(&string(element, "channel_id"))),
        "usergroup" => format!("@{}", people.thing(&string(element, "usergroup_id"))),
        "team" => format!("@{}", string(element, "team_id")),
        "broadcast" => format!("@{}", string(element, "range")),
        "emoji" => format!(":{}:", string(element, "name")),
        "color" => string(element, "value"),
        "date" => string(element, "fallback"),
        _ => {
            let mut said = Vec::new();
            every_text(element, people, &mut said);
            join(said, " ")
        }
    }
}

fn styled(element: &Value, text: &str) -> String {
    let style = &element["style"];
    let mark = [("code", "`"), ("bold", "*"), ("italic", "_"), ("strike", "~")]
        .into_iter()
        .find(|(name, _)| style[*name] == true);
    match mark {
        Some((_, mark)) if !text.trim().is_empty() => format!("{mark}{text}{mark}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(blocks: &Value) -> String {
        let people = People::known(&[("U0MAYA00001", "maya")]);
        text(blocks.as_array().unwrap(), &people)
    }

    #[test]
    fn rich_text_keeps_its_lists_quotes_code_and_people() {
        let blocks = json!([{"type": "rich_text", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "text", "text": "Hi "}, {"type": "user", "user_id": "U0MAYA00001"}, {"type": "emoji", "name": "wave"}]},
            {"type": "rich_text_list", "style": "ordered", "indent": 0, "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "one", "style": {"bold": true}}]}]},
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "a\nb"}]},
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x < y"}]},
        ]}]);
        assert_eq!(shown(&blocks), "Hi @maya:wave:\n1. *one*\n> a\n> b\n```\nx < y\n```");
    }

    #[test]
    fn every_kind_of_2026_says_something() {
        let words = |text: &str| json!({"type": "plain_text", "text": text});
        for (block, expected) in [
            (
                json!({"type": "alert", "level": "warning", "text": words("Disk is full")}),
                "[alert: warning, Disk is full]",
            ),
            (
                json!({"type": "card", "title": words("Deal"), "body": words("84,000"), "actions": [{"type": "button", "text": words("Open")}]}),
                "[card: Deal, 84,000, [button: Open]]",
            ),
            (
                json!({"type": "task_card", "title": "Deploy", "status": "complete"}),
                "[task: Deploy, complete]",
            ),
            (
                json!({"type": "plan", "title": "Plan", "tasks": [{"type": "task_card", "title": "A"}]}),
                "[plan: Plan, [task: A]]",
            ),
            (
                json!({"type": "carousel", "elements": [{"type": "card", "title": words("1")}, {"type": "card", "title": words("2")}]}),
                "[card: 1]\n[card: 2]",
            ),
            (
                json!({"type": "container", "title": words("Box"), "child_blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "in &amp; out"}}]}),
                "*Box*\nin & out",
            ),
            (
                json!({"type": "data_table", "rows": [[{"type": "raw_text", "text": "A"}, {"type": "raw_number", "value": 1.5}]]}),
                "| A | 1.5 |\n|---|---|",
            ),
            (
                json!({"type": "data_table", "caption": "Stock", "rows": [[{"type": "raw_text", "text": "A"}], [{"type": "raw_number", "value": 2, "text": "2"}]]}),
                "Stock\n| A |\n|---|\n| 2 |",
            ),
            (
                json!({"type": "container", "rich_text_title": {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "Rich"}]}]},
                    "subtitle": words("below"), "child_blocks": [{"type": "divider"}, {"type": "header", "text": words("In it")}]}),
                "*Rich*\nbelow\n*In it*",
            ),
            (
                json!({"type": "card", "title": words("Deal"), "icon": {"type": "image", "alt_text": "a flag"}, "hero_image": {"type": "image", "alt_text": "a map"}}),
                "[card: Deal, [image: a flag], [image: a map]]",
            ),
            (
                json!({"type": "task_card", "task_id": "1", "title": "Deploy", "status": "complete", "sources": [{"type": "url", "url": "https://a.example", "text": "the run"}]}),
                "[task: Deploy, complete, [the run](https://a.example)]",
            ),
            (
                json!({"type": "data_visualization", "title": "Load", "chart": {"type": "line", "axis_config": {"x_label": "hour", "y_label": "ms"},
                    "series": [{"name": "p95", "data": [{"label": "02:00", "value": 1}, {"label": "03:00", "value": 2.5}]}]}}),
                "[chart: Load, line, hour, ms, p95 02:00 1 03:00 2.5]",
            ),
            (
                json!({"type": "data_visualization", "title": "Share", "chart": {"type": "pie", "segments": [{"label": "Oslo", "value": 60}, {"label": "Malmö", "value": 40}]}}),
                "[chart: Share, pie, Oslo 60 Malmö 40]",
            ),
            (
                json!({"type": "image", "title": words("Graph"), "alt_text": "restarts per hour", "image_url": "https://i.example"}),
                "[image: Graph, restarts per hour]",
            ),
            (json!({"type": "file", "source": "remote", "external_id": "doc-1"}), "[file: doc-1]"),
            (
                json!({"type": "actions", "elements": [{"type": "button", "text": words("Approve")}, {"type": "button", "text": words("Open"), "url": "https://a.example"},
                    {"type": "static_select", "placeholder": words("Choose one")}]}),
                "[button: Approve] [Open](https://a.example) [static_select: Choose one]",
            ),
            (
                json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
                    {"type": "usergroup", "usergroup_id": "S0ONCALL001"}, {"type": "text", "text": " "}, {"type": "broadcast", "range": "here"},
                    {"type": "text", "text": " "}, {"type": "date", "timestamp": 1764400000, "format": "{date}", "fallback": "29 November"},
                    {"type": "text", "text": " "}, {"type": "color", "value": "#ff0000"}]}]}),
                "@S0ONCALL001 @here 29 November #ff0000",
            ),
            (
                json!({"type": "video", "title": words("Demo"), "title_url": "https://v.example"}),
                "[video: Demo, https://v.example]",
            ),
            (
                json!({"type": "hologram", "payload": {"text": "still readable"}}),
                "[hologram: still readable]",
            ),
        ] {
            assert_eq!(shown(&json!([block])), expected);
        }
    }

    #[test]
    fn blocks_within_blocks_end() {
        let mut block = json!({"type": "section", "text": "x"});
        for _ in 0..50 {
            block = json!({"type": "container", "elements": [block]});
        }
        assert!(shown(&json!([block])).contains("too deep"));
    }
}
