//! JSON in the form that the executor demands of a type.

use apollo_compiler::{
    resolvers::ResolvedValue,
    response::{JsonValue, serde_json_bytes},
    schema::Type,
};
use serde_json::Value;

/// A scalar or enum, or a list of them. `empty` gives the value of a field that may not be null and that
/// nobody has set, by its type's name.
pub fn leaf<'a>(ty: &Type, value: Option<Value>, empty: impl FnOnce(&str) -> Value) -> ResolvedValue<'a> {
    let name = ty.inner_named_type().as_str();
    match (ty, value) {
        (Type::List(_) | Type::NonNullList(_), Some(Value::Array(list))) => {
            let list: Vec<_> = list.into_iter().map(|one| ResolvedValue::Leaf(scalar(name, &one))).collect();
            ResolvedValue::list(list)
        }
        (Type::NonNullList(_), _) => ResolvedValue::list([]),
        (_, Some(value)) => ResolvedValue::Leaf(scalar(name, &value)),
        (Type::NonNullNamed(_), None) => ResolvedValue::Leaf(scalar(name, &empty(name))),
        (_, None) => ResolvedValue::null(),
    }
}

/// A value of the scalar or enum `ty`: numbers as the type has them.
#[must_use]
pub fn scalar(ty: &str, value: &Value) -> JsonValue {
    match (ty, value) {
        ("Float", Value::Number(number)) => JsonValue::from(number.as_f64().unwrap_or_default()),
        ("Int", Value::Number(number)) => JsonValue::from(number.as_f64().unwrap_or_default() as i64),
        (_, Value::String(text)) => JsonValue::from(text.as_str()),
        (_, other) => serde_json_bytes::to_value(other).unwrap_or(JsonValue::Null),
    }
}
