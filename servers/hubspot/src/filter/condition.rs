//! Conditions as agents write them: a list, the equalities of a plain object, or groups of which one is enough.

use std::borrow::Cow;

use connector::{Error, Result, catalog::one_line};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// Operators as agents write them, and other words for them.
const OPERATORS: [(&str, &[&str]); 13] = [
    ("=", &["eq", "==", "is", "equals"]),
    ("!=", &["neq", "<>", "is_not", "not_equals"]),
    ("<", &["lt", "before"]),
    ("<=", &["lte"]),
    (">", &["gt", "after"]),
    (">=", &["gte"]),
    ("between", &[]),
    ("in", &["any_of", "one_of"]),
    ("not_in", &["none_of", "notin"]),
    ("contains", &["contains_token", "like", "~"]),
    ("not_contains", &["not_contains_token"]),
    ("has", &["has_property", "exists", "known", "is_known", "not_empty"]),
    ("missing", &["not_has_property", "empty", "is_empty", "unknown", "is_unknown", "null"]),
];

/// What must hold of the records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Where(pub(crate) Vec<Condition>);

/// One condition.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Field {
        field: String,
        op: String,
        value: Value,
        high: Value,
    },
    /// One of these is enough, of each of which all must hold.
    Any(Vec<Vec<Condition>>),
}

impl Condition {
    fn equals(field: &str, value: Value) -> Self {
        let op = if value.is_array() { "in" } else { "=" };
        Self::Field { field: field.to_owned(), op: op.to_owned(), value, high: Value::Null }
    }

    /// A condition as a list has it, or the equalities of a plain object.
    fn read(value: &Value) -> Result<Vec<Self>, String> {
        let Value::Object(members) = value else {
            return Err("a condition is an object: {\"field\": \"amount\", \"op\": \">=\", \"value\": 1000}"
                .to_owned());
        };
        let mut members = members.clone();
        let mut take = |names: &[&str]| names.iter().find_map(|name| members.shift_remove(*name));
        let groups = |list: Value| -> Result<Vec<Vec<Self>>, String> {
            let list = list.as_array().cloned().ok_or("`any` and `all` are lists of conditions")?;
            list.iter().map(Self::read).collect()
        };
        let mut all = Vec::new();
        if let Some(any) = take(&["any", "or", "filterGroups"]) {
            all.push(Self::Any(groups(any)?));
        }
        if let Some(list) = take(&["all", "and", "filters"]) {
            all.extend(groups(list)?.concat());
        }
        let named = take(&["field", "propertyName", "property"]);
        let Some(field) = named else {
            all.extend(members.iter().map(|(field, value)| Self::equals(field, value.clone())));
            return Ok(all);
        };
        let Value::String(field) = field else { return Err("`field` is the name of a field".to_owned()) };
        let op = take(&["op", "operator"]).and_then(|op| op.as_str().map(str::to_owned));
        let value = take(&["value", "values"]).unwrap_or_default();
        let high = take(&["to", "highValue", "high_value"]).unwrap_or_default();
        if let Some(unknown) = members.keys().next() {
            return Err(format!(
                "a condition has no `{}`; it has field, op, value and to",
                one_line(unknown)
            ));
        }
        all.push(match op {
            Some(op) => Self::Field { field, op, value, high },
            None => Self::equals(&field, value),
        });
        Ok(all)
    }
}

impl<'de> Deserialize<'de> for Where {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<Value>::deserialize(deserializer)?.unwrap_or_default();
        let list = match value {
            Value::Array(list) => list,
            Value::Null => Vec::new(),
            one => vec![one],
        };
        let all: Result<Vec<Vec<Condition>>, String> = list.iter().map(Condition::read).collect();
        all.map(|all| Self(all.concat())).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Where {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Where".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let operators: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        json_schema!({
            "type": ["array", "object"],
            "description": "All must hold; {any: [...]}: one of several; an object: equality, a list: one of it. Dates like \"this month\"; fields open, closed, won, lost",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string"},
                    "op": {"type": "string", "enum": operators},
                    "value": {"type": ["string", "number", "boolean", "array"], "items": {"type": "string"}},
                },
            },
        })
    }
}

/// The schema of conditions that another tool explains.
pub(crate) fn where_as_in_search(_: &mut SchemaGenerator) -> Schema {
    let value = json!({"type": ["string", "number", "boolean", "array"], "items": {"type": "string"}});
    json_schema!({
        "type": ["array", "object"],
        "description": "As in search",
        "items": {"type": "object", "additionalProperties": value},
    })
}

/// An operator by any of its words.
pub(super) fn operator(word: &str) -> Result<&'static str> {
    let folded = word.trim().to_lowercase().replace([' ', '-'], "_");
    let found = OPERATORS.iter().find(|(name, others)| *name == folded || others.contains(&folded.as_str()));
    found.map(|(name, _)| *name).ok_or_else(|| {
        let all: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        Error::invalid(format!("There is no operator `{}`", one_line(word)))
            .with_hint(format!("There are: {}", all.join(" ")))
    })
}
