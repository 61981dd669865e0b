//! Arguments as models write them, brought into the schema's form: other names, lists and objects
//! that arrive as JSON text, one value where a list is meant; anything unknown is refused with the
//! nearest right name.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{names::nearest, one_line};
use crate::{Error, Result};

/// Renames, coerces and checks `arguments` against `schema`.
pub(super) fn normalize(
    tool: &str,
    arguments: Map<String, Value>,
    schema: &Map<String, Value>,
    aliases: &[(&str, &str)],
) -> Result<Map<String, Value>> {
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut normal = Map::with_capacity(arguments.len());
    for (given, value) in arguments {
        let name = match aliases.iter().find(|(other, _)| *other == given) {
            Some((_, ours)) if !properties.contains_key(&given) => (*ours).to_owned(),
            _ => given,
        };
        let Some(property) = properties.get(&name) else {
            return Err(unknown(tool, &name, properties));
        };
        if value.is_null() && !types(property).iter().any(|kind| kind == "null") {
            continue; // Left out, in the words of a model.
        }
        let value = coerce(&name, value, property)?;
        if normal.insert(name.clone(), value).is_some() {
            return Err(Error::invalid(format!("`{name}` is given twice, once under another name")));
        }
    }
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let missing: Vec<_> =
        required.filter(|name| !normal.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() {
        return Err(Error::invalid(format!("`{tool}` needs {}", missing.join(" and "))));
    }
    Ok(normal)
}

fn unknown(tool: &str, name: &str, properties: &Map<String, Value>) -> Error {
    let error = Error::invalid(format!("`{tool}` has no argument `{}`", one_line(name)));
    match nearest(name, properties.keys().map(String::as_str)) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None if properties.is_empty() => error.with_hint("It takes no arguments"),
        None => {
            let names: Vec<_> = properties.keys().map(String::as_str).collect();
            error.with_hint(format!("It takes: {}", names.join(", ")))
        }
    }
}

/// Brings `value` into the type that `property` wants, where what is meant is plain.
fn coerce(name: &str, value: Value, property: &Value) -> Result<Value> {
    let wanted = types(property);
    let wants = |kind: &str| wanted.iter().any(|wanted| wanted == kind);
    if wanted.is_empty() || wanted.iter().any(|kind| is_of(&value, kind)) {
        return Ok(match value {
            Value::Array(items) => {
                let item = property.get("items").cloned().unwrap_or(Value::Bool(true));
                Value::Array(
                    items.into_iter().map(|value| coerce(name, value, &item)).collect::<Result<_>>()?,
                )
            }
            value => value,
        });
    }
    if let Value::String(text) = &value {
        let parsed = serde_json::from_str::<Value>(text.trim()).ok();
        if let Some(parsed) = parsed
            && wanted.iter().any(|kind| kind != "string" && is_of(&parsed, kind))
        {
            return coerce(name, parsed, property);
        }
    }
    if wants("array") && !value.is_object() {
        return coerce(name, Value::Array(vec![value]), property);
    }
    if wants("string") && (value.is_number() || value.is_boolean()) {
        return Ok(Value::String(value.to_string()));
    }
    Err(Error::invalid(format!("`{name}` must be {}", describe(&wanted))))
}

fn types(property: &Value) -> Vec<Cow<'_, str>> {
    match property.get("type") {
        Some(Value::String(kind)) => vec![Cow::Borrowed(kind)],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(Cow::Borrowed).collect(),
        _ => Vec::new(),
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => false,
    }
}

fn describe(kinds: &[Cow<'_, str>]) -> String {
    let words: Vec<_> = kinds
        .iter()
        .map(|kind| match kind.as_ref() {
            "array" => "a list",
            "object" => "an object",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "null" => "null",
            _ => "text",
        })
        .collect();
    words.join(" or ")
}

/// Reads typed arguments; an error names the argument that is wrong.
pub(super) fn parse<A: DeserializeOwned>(arguments: Map<String, Value>) -> Result<A> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let path = error.path().to_string();
        let reason = error.into_inner().to_string();
        Error::invalid(if path == "." {
            one_line(&reason)
        } else {
            format!("`{path}`: {}", one_line(&reason))
        })
    })
}

/// An argument that can set a field, empty it with `null`, or leave it alone by being left out.
/// Use with `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Clear<T> {
    /// Left out: leave the field alone.
    #[default]
    Keep,
    /// `null`: empty the field.
    Empty,
    /// A value: set the field.
    Set(T),
}

impl<T> Clear<T> {
    /// Whether the argument was left out.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The same with the value, if one is set, made into another.
    ///
    /// # Errors
    /// Whatever `make` gives.
    pub fn try_map<U>(&self, make: impl FnOnce(&T) -> Result<U>) -> Result<Clear<U>> {
        Ok(match self {
            Self::Keep => Clear::Keep,
            Self::Empty => Clear::Empty,
            Self::Set(value) => Clear::Set(make(value)?),
        })
    }

    /// The new value, `None` inside for an emptied field, or nothing if it was left out.
    pub fn as_change(&self) -> Option<Option<&T>> {
        match self {
            Self::Keep => None,
            Self::Empty => Some(None),
            Self::Set(value) => Some(Some(value)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Clear<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Empty, Self::Set))
    }
}

impl<T: JsonSchema> JsonSchema for Clear<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("Clear_{}", T::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        if let Some(Value::String(kind)) = schema.get("type").cloned() {
            schema.insert("type".to_owned(), serde_json::json!([kind, "null"]));
            schema.insert(super::schema::NULL_MEANT.to_owned(), Value::Bool(true));
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Arguments {
        #[serde(default)]
        team: Vec<String>,
        limit: Option<u32>,
        #[serde(default)]
        due: Clear<String>,
        state: Option<String>,
    }

    fn given(value: Value) -> Result<Arguments> {
        let schema = super::super::schema::input::<Arguments>();
        let aliases = [("status", "state")];
        parse(normalize("list_issues", value.as_object().cloned().unwrap(), &schema, &aliases)?)
    }

    #[test]
    fn lists_may_come_as_json_text_or_as_one_value() {
        assert_eq!(given(json!({"team": "[\"ENG\",\"OPS\"]"})).unwrap().team, ["ENG", "OPS"]);
        assert_eq!(given(json!({"team": "ENG"})).unwrap().team, ["ENG"]);
        assert_eq!(given(json!({"limit": "5"})).unwrap().limit, Some(5));
        assert_eq!(given(json!({"team": null})).unwrap().team, [""; 0]);
    }

    #[test]
    fn null_clears_where_it_is_offered_and_means_absent_elsewhere() {
        assert_eq!(given(json!({"due": null})).unwrap().due, Clear::Empty);
        assert_eq!(given(json!({})).unwrap().due, Clear::Keep);
        assert_eq!(given(json!({"limit": null})).unwrap().limit, None);
    }

    #[test]
    fn an_unknown_argument_is_refused_with_the_nearest_name() {
        let error = given(json!({"teams": "ENG"})).unwrap_err();
        assert_eq!(
            error.for_agent(),
            "invalid_argument: `list_issues` has no argument `teams`. Did you mean `team`?"
        );
    }

    #[test]
    fn other_names_are_accepted_but_not_twice() {
        assert_eq!(given(json!({"status": "Done"})).unwrap().state.as_deref(), Some("Done"));
        assert!(given(json!({"status": "Done", "state": "Todo"})).unwrap_err().for_agent().contains("twice"));
    }

    #[test]
    fn a_wrong_type_names_the_argument_and_what_it_must_be() {
        let error = given(json!({"limit": "many"})).unwrap_err();
        assert_eq!(error.for_agent(), "invalid_argument: `limit` must be a whole number.");
    }
}
