//! Whether structured content is as its schema says.

use serde_json::{Map, Value};

/// Where `data` lacks what `schema` demands, is of another kind, or has what it does not name.
pub(crate) fn misfit(place: &str, data: &Value, schema: &Value) -> Option<String> {
    if takes_all(schema) {
        return None;
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let all: Option<Vec<String>> = choices.iter().map(|choice| misfit(place, data, choice)).collect();
        return all.map(|all| all.join("; or "));
    }
    if !takes_kind(schema, data) {
        return Some(format!("{place} is {data}, and the schema says {schema}"));
    }
    match data {
        Value::Object(object) => {
            let mut required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            if let Some(name) = required.find(|name| !object.contains_key(*name)) {
                return Some(format!("{place} lacks {name}: {data}"));
            }
            object.iter().find_map(|(name, value)| {
                let inner = schema["properties"].get(name).or_else(|| schema.get("additionalProperties"));
                match inner {
                    None | Some(Value::Bool(false)) => {
                        Some(format!("{place}: {name} is not in the schema {schema}"))
                    }
                    Some(inner) => misfit(&format!("{place}.{name}"), value, inner),
                }
            })
        }
        Value::Array(items) => items.iter().find_map(|item| misfit(place, item, &schema["items"])),
        _ => None,
    }
}

/// Whether a schema says nothing about a value.
fn takes_all(schema: &Value) -> bool {
    let empty = |object: &Map<String, Value>| {
        object.keys().all(|key| ["default", "description", "title"].contains(&key.as_str()))
    };
    *schema == Value::Bool(true) || schema.as_object().is_some_and(empty)
}

/// Whether a schema is for values of this kind.
fn takes_kind(schema: &Value, data: &Value) -> bool {
    let kinds: &[&str] = match data {
        Value::Null => &["null"],
        Value::Bool(_) => &["boolean"],
        Value::Number(number) if number.is_f64() => &["number"],
        Value::Number(_) => &["integer", "number"],
        Value::String(_) => &["string"],
        Value::Array(_) => &["array"],
        Value::Object(_) => &["object"],
    };
    let says = &schema["type"];
    let listed = says.as_array().into_iter().flatten().chain([says]).filter_map(Value::as_str);
    listed.into_iter().any(|kind| kinds.contains(&kind))
}
