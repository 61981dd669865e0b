//! Addresses of pages where a number is meant: people have the address at hand, and it says all of what it names. An
//! address of another host or account is refused, because its number is something else here.

use serde_json::{Map, Value};

use super::{Tool, argument_errors, one_line};
use crate::{Error, Result};

/// Reads the address that was given as an argument: the server, the argument's name, the address. Gives what the address
/// says by the names of arguments, the one asked about among them.
pub type ReadAddress<S> = fn(&S, &str, &str) -> Result<Vec<(&'static str, Value)>>;

/// Puts what addresses say in their place: those that stand where `tool` takes a whole number, or one of the `texts`.
///
/// # Errors
/// As `read`; `invalid_argument` where another argument says otherwise.
pub(super) fn settle<S: Send + Sync + 'static>(
    tool: &Tool<S>,
    server: &S,
    (read, texts): (ReadAddress<S>, &[&str]),
    mut arguments: Map<String, Value>,
) -> Result<Map<String, Value>> {
    let is_meant = |name: &str| texts.contains(&name) || tool.takes_numbers(name);
    let given: Vec<String> = arguments
        .iter()
        .filter(|(key, value)| has_address(value) && is_meant(tool.own_name(key)))
        .map(|(key, _)| key.clone())
        .collect();
    for key in given {
        let name = tool.own_name(&key).to_owned();
        let given = arguments.shift_remove(&key).unwrap_or_default();
        let is_list = given.is_array();
        let items = match given {
            Value::Array(items) => items,
            one => vec![one],
        };
        let mut meant = Vec::new();
        for item in items {
            let Some(text) = item.as_str().filter(|text| is_address(text)) else {
                meant.push(item);
                continue;
            };
            let named = |error| {
                let given = Map::from_iter([(name.clone(), Value::from(text))]);
                argument_errors::name_argument(error, &given)
            };
            for (part, value) in read(server, &name, text).map_err(named)? {
                if part == name {
                    meant.push(value);
                } else {
                    beside(tool, &mut arguments, &name, part, value)?;
                }
            }
        }
        let meant = if is_list { Value::Array(meant) } else { meant.pop().unwrap_or_default() };
        arguments.insert(name, meant);
    }
    Ok(arguments)
}

/// Gives the argument `part` the `value` that the address in `name` has for it, where the tool takes it.
fn beside<S: Send + Sync + 'static>(
    tool: &Tool<S>,
    arguments: &mut Map<String, Value>,
    name: &str,
    part: &str,
    value: Value,
) -> Result<()> {
    if !tool.takes(part) {
        return Ok(());
    }
    let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let other = arguments
        .iter()
        .find(|(key, other)| tool.own_name(key) == part && !super::arguments::is_blank(other));
    match other {
        None => {
            arguments.insert(part.to_owned(), value);
            Ok(())
        }
        // The same thing may be written as an address itself.
        Some((_, other)) if said(other).to_lowercase().contains(&said(&value).to_lowercase()) => Ok(()),
        Some((_, other)) => Err(Error::invalid(format!(
            "The address in `{name}` is of {part} {}, and `{part}` says {}",
            one_line(&said(&value)),
            one_line(&said(other))
        ))
        .with_hint("Nothing was read or written. Give one of them")),
    }
}

fn has_address(value: &Value) -> bool {
    match value {
        Value::String(text) => is_address(text),
        Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(is_address)),
        _ => false,
    }
}

fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.trim_start().to_lowercase().starts_with(scheme))
}
