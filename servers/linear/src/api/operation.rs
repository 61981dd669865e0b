//! What Linear's operations have in common: their documents, and what they cost.

use serde_json::Value;

/// The text of a document of `api/documents/`, with the fragments it uses after it.
macro_rules! document {
    ($($name:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("documents/", $name, ".graphql"))),+)
    };
}
pub(crate) use document;

/// How many rows the variables ask for, at most. Linear counts a point for each object and a tenth for each
/// scalar, connections times what they may return (linear.app/developers/rate-limiting).
pub(crate) fn first(variables: &Value) -> u32 {
    let first = variables.get("first").or_else(|| variables.get("max")).and_then(Value::as_u64);
    first.and_then(|first| u32::try_from(first).ok()).unwrap_or(50)
}
