//! JSON Schemas made small: what a model needs to call a tool, and nothing else.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// The schema of a tool's arguments.
pub(super) fn input<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12());
    shrink(&mut schema, true);
    close(&mut schema, true);
    object(schema)
}

/// The schema of a tool's structured content: exact, so `null` stays where the data has it.
pub(super) fn output<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12().for_serialize());
    shrink(&mut schema, false);
    object(schema)
}

/// The schema of a page of `T`.
pub(super) fn page<T: JsonSchema>() -> Map<String, Value> {
    let mut item = generate::<T>(SchemaSettings::draft2020_12().for_serialize());
    shrink(&mut item, false);
    object(json!({
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {"type": "string"},
            "notes": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["items"],
    }))
}

/// The schema of values by the names that only the vendor knows: fields, columns. Arguments say so with
/// `#[schemars(schema_with = "values_by_name")]`; they are given to the tool as they came.
pub fn values_by_name(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": ["string", "number", "boolean", "array"],
            "items": {"type": "string"},
        },
    })
}

/// Adds an argument that every tool of a kind has.
pub(super) fn add_property(schema: &mut Map<String, Value>, name: &str, property: Value) {
    let properties = schema.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        properties.insert(name.to_owned(), property);
    }
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value()
}

/// The schema of an object that takes nothing but what it names.
fn object(schema: Value) -> Map<String, Value> {
    let Value::Object(mut schema) = schema else { return object(json!({})) };
    schema.shift_remove("description");
    schema.shift_remove("title");
    let mut ordered = Map::new();
    ordered.insert("type".to_owned(), json!("object"));
    // A strict host refuses the whole list for a tool without them.
    ordered.insert("properties".to_owned(), json!({}));
    ordered.extend(schema);
    ordered.insert("additionalProperties".to_owned(), json!(false));
    ordered
}

/// Drops what says nothing to a model: formats of machine integers, null defaults, titles, the
/// `null` of every optional property.
fn shrink(schema: &mut Value, arguments: bool) {
    match schema {
        Value::Object(map) => {
            for noise in ["$schema", "format"] {
                map.shift_remove(noise);
            }
            if map.get("title").is_some_and(Value::is_string) {
                map.shift_remove("title");
            }
            if map
                .get("default")
                .is_some_and(|default| [json!(null), json!([]), json!({}), json!(false)].contains(default))
            {
                map.shift_remove("default");
            }
            if map.get("minimum").and_then(Value::as_f64) == Some(0.0) {
                map.shift_remove("minimum");
            }
            if arguments {
                drop_null(map);
            }
            merge_constants(map);
            if let Some(description) = map.get_mut("description")
                && let Some(text) = description.as_str()
            {
                *description = Value::String(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            for (key, value) in map.iter_mut() {
                if key == "properties" {
                    for property in value.as_object_mut().into_iter().flat_map(Map::values_mut) {
                        shrink(property, arguments);
                    }
                } else if !matches!(key.as_str(), "enum" | "const" | "default" | "required") {
                    shrink(value, arguments);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shrink(item, arguments)),
        _ => {}
    }
}

/// Leaves it to the arguments themselves to refuse unknown keys of objects within them: the words of
/// the refusal say more than the keyword, which costs tokens in every list.
fn close(schema: &mut Value, outermost: bool) {
    match schema {
        Value::Object(map) => {
            if !outermost && map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.shift_remove("additionalProperties");
            }
            map.values_mut().for_each(|value| close(value, false));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| close(item, false)),
        _ => {}
    }
}

/// A choice among constants that each have a description, as one list of constants: the words are
/// for people who read the code.
fn merge_constants(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else { return };
    let constants: Option<Vec<_>> = choices
        .iter()
        .map(|choice| match choice.get("enum") {
            Some(Value::Array(values)) => Some(values.clone()),
            _ => choice.get("const").filter(|value| value.is_string()).map(|value| vec![value.clone()]),
        })
        .collect();
    if let Some(constants) = constants {
        map.shift_remove("oneOf");
        map.insert("type".to_owned(), json!("string"));
        map.insert("enum".to_owned(), Value::Array(constants.concat()));
    }
}

/// Takes `null` out of a type list, an enum, or an `anyOf` of one other schema.
fn drop_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(kinds)) = map.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [kind] = kinds.as_slice() {
            let kind = kind.clone();
            map.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(values)) = map.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({"type": "null"}));
        if let [Value::Object(choice)] = choices.as_slice() {
            let choice = choice.clone();
            map.shift_remove("anyOf");
            for (key, value) in choice {
                map.entry(key).or_insert(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Order {
        /// Newest first.
        Created,
        /// Last changed first.
        Updated,
    }

    #[derive(serde::Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Arguments {
        /// Team keys
        /// or names.
        #[serde(default)]
        team: Vec<String>,
        limit: Option<u32>,
        order: Option<Order>,
        due: Option<String>,
        title: String,
    }

    #[test]
    fn an_input_schema_says_only_what_a_model_needs() {
        assert_eq!(
            Value::Object(input::<Arguments>()),
            json!({
                "type": "object",
                "properties": {
                    "team": {"description": "Team keys or names.", "type": "array", "items": {"type": "string"}},
                    "limit": {"type": "integer"},
                    "order": {"type": "string", "enum": ["created", "updated"]},
                    "due": {"type": "string"},
                    "title": {"type": "string"},
                },
                "additionalProperties": false,
                "required": ["title"],
            })
        );
    }
}
