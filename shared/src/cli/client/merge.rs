//! Puts an entry into a client's file by changing only the text that must change.

use serde_json::{Map, Value};

use super::{
    Client,
    entry::Entry,
    jsonc::{Document, Node},
};
use crate::secret::is_placeholder;

/// `text` with the server `name` added to it or brought up to date. A text that has it already comes
/// back as it is.
///
/// # Errors
/// Says why the text cannot be changed without harm.
pub(super) fn merge(text: &str, client: Client, name: &str, entry: &Entry) -> Result<String, String> {
    let document = Document::parse(text)?;
    let plain = document.comments.is_empty() && document.trailing_commas.is_empty();
    if !plain && !client.reads_comments() {
        return Err(format!("{} takes no comments and no trailing commas in it", client.title()));
    }
    let mut text = put_server(text, &document, client, name, &entry.server)?;
    for input in &entry.inputs {
        text = put_input(&text, input)?;
    }
    Ok(text)
}

fn put_server(
    text: &str,
    document: &Document,
    client: Client,
    name: &str,
    server: &Value,
) -> Result<String, String> {
    let root = &document.root;
    if !is(text, root, '{') {
        return Err("it is no JSON object".to_owned());
    }
    let section = client.section();
    let Some(servers) = only(root, section)? else {
        let whole = Value::Object(Map::from_iter([(name.to_owned(), server.clone())]));
        return Ok(insert(text, document, root, Some(section), &whole));
    };
    if !is(text, servers, '{') {
        return Err(format!("`{section}` in it is no JSON object"));
    }
    let Some(old) = only(servers, name)? else {
        return Ok(insert(text, document, servers, Some(name), server));
    };
    let before = document.value(old);
    let after = update(&before, server);
    if after == before {
        return Ok(text.to_owned());
    }
    if document.has_comment_in(old) {
        return Err(format!("there are comments inside `{name}`, which would be lost"));
    }
    let mut changed = text.to_owned();
    let indent = line_indent(text, old.span.start).to_owned();
    changed.replace_range(old.span.clone(), &rendered(&after, &unit(text, root), &indent, newline(text)));
    Ok(changed)
}

/// Adds an input that VS Code is to ask for, unless there is one of its id.
fn put_input(text: &str, input: &Value) -> Result<String, String> {
    let document = Document::parse(text)?;
    let Some(inputs) = only(&document.root, "inputs")? else {
        let list = Value::Array(vec![input.clone()]);
        return Ok(insert(text, &document, &document.root, Some("inputs"), &list));
    };
    if !is(text, inputs, '[') {
        return Err("`inputs` in it is no list".to_owned());
    }
    let there = inputs.children.iter().any(|(_, node)| document.value(node).get("id") == input.get("id"));
    if there { Ok(text.to_owned()) } else { Ok(insert(text, &document, inputs, None, input)) }
}

/// The entry `old` brought up to date: our members as they should be, all others as they are, and of
/// the variables those that the person filled in.
fn update(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut merged = old.clone();
    // An entry is either started or reached: what belongs to the other kind goes.
    let foreign: &[&str] =
        if new.contains_key("url") { &["command", "args", "env"] } else { &["url", "headers"] };
    for key in foreign {
        merged.shift_remove(*key);
    }
    if merged.contains_key("type") && !new.contains_key("type") {
        merged.shift_remove("type");
    }
    for (key, value) in new {
        let value = match (merged.get(key), value, key.as_str()) {
            (Some(Value::Object(old)), Value::Object(new), "env" | "headers") => {
                let mut both = old.clone();
                for (name, value) in new {
                    let filled_in = both.get(name).and_then(Value::as_str).is_some_and(|there| {
                        !there.trim().is_empty() && !is_placeholder(there) && !there.contains("${")
                    });
                    let ours_is_open = value.as_str().is_some_and(|ours| ours.contains("${"));
                    if !(filled_in && ours_is_open) {
                        both.insert(name.clone(), value.clone());
                    }
                }
                Value::Object(both)
            }
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Value::Object(merged)
}

/// The one member of this key, if there is any.
fn only<'a>(node: &'a Node, key: &'a str) -> Result<Option<&'a Node>, String> {
    let mut members = node.members(key);
    let first = members.next();
    if members.next().is_some() {
        return Err(format!("`{key}` is there twice in it"));
    }
    Ok(first)
}

fn is(text: &str, node: &Node, open: char) -> bool {
    text[node.span.clone()].starts_with(open)
}

/// `text` with a last child added to `parent`.
fn insert(text: &str, document: &Document, parent: &Node, key: Option<&str>, value: &Value) -> String {
    let line = newline(text);
    let unit = unit(text, &document.root);
    let outer = line_indent(text, parent.span.start).to_owned();
    let inner = match parent.children.first() {
        Some((_, first)) if starts_line(text, parent, first) => {
            line_indent(text, first.span.start).to_owned()
        }
        _ => format!("{outer}{unit}"),
    };
    let close = parent.span.end - 1;
    // After a comment behind the last child, so that the comment stays with it.
    let tail = text[..close].trim_end().len();
    let mut member = format!("{line}{inner}");
    if let Some(key) = key {
        member.push_str(&format!("{}: ", Value::from(key)));
    }
    member.push_str(&rendered(value, &unit, &inner, line));
    if !text[tail..close].contains('\n') {
        member.push_str(&format!("{line}{outer}"));
    }
    let mut changed = text.to_owned();
    changed.insert_str(tail, &member);
    if let Some((_, last)) = parent.children.last()
        && !document.ends_with_comma(parent)
    {
        changed.insert(last.span.end, ',');
    }
    changed
}

/// Whether the first child of `parent` begins on a line of its own.
fn starts_line(text: &str, parent: &Node, first: &Node) -> bool {
    text[parent.span.start..first.span.start].contains('\n')
}

/// The blanks that the line of `at` begins with.
fn line_indent(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].trim_start_matches('\u{feff}');
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// One step of indentation as the file has it.
fn unit(text: &str, root: &Node) -> String {
    let found = root.children.first().filter(|(_, first)| starts_line(text, root, first));
    let found =
        found.map(|(_, first)| line_indent(text, first.span.start)).filter(|indent| !indent.is_empty());
    found.unwrap_or("  ").to_owned()
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// A value as text, its lines after the first indented by `indent`.
fn rendered(value: &Value, unit: &str, indent: &str, line: &str) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(unit.as_bytes());
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // A `Value` serializes, and to UTF-8; into a vector, always.
    let text = match serde::Serialize::serialize(value, &mut serializer) {
        Ok(()) => String::from_utf8(out).unwrap_or_default(),
        Err(_) => value.to_string(),
    };
    text.replace('\n', &format!("{line}{indent}"))
}

#[cfg(test)]
mod tests;
