//! `where` by a table's columns: `{"Status": ["To do", "Doing"], "Due": {"before": "today"}, "or": [..]}`, compiled to
//! a filter of Notion's.

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};
use serde_json::{Map, Value, json};

use super::{
    dates, id_of, same, same_option,
    tables::{Table, options},
};
use crate::Notion;

/// Words that Notion takes for days, and spans (developers.notion.com/reference/post-database-query-filter).
const DAYS: [&str; 7] = [
    "today",
    "tomorrow",
    "yesterday",
    "one_week_ago",
    "one_week_from_now",
    "one_month_ago",
    "one_month_from_now",
];
const SPANS: [&str; 7] =
    ["this_week", "past_week", "past_month", "past_year", "next_week", "next_month", "next_year"];

/// The most levels of `and` and `or` that Notion takes (developers.notion.com/reference/post-database-query-filter).
const LEVELS: usize = 2;
/// The most alternatives that a deeper filter is written out into.
const ALTERNATIVES: usize = 100;

/// The same conditions in as many levels as Notion takes: `and` in `and` and `or` in `or` are one, and what is deeper
/// still becomes a list of alternatives, unless there are too many.
pub(crate) fn fitted(filter: Value) -> Value {
    let flat = flattened(filter);
    if levels(&flat) <= LEVELS {
        return flat;
    }
    match alternatives(&flat) {
        Some(all) => joined("or", all.into_iter().map(|each| joined("and", each)).collect()),
        None => flat,
    }
}

/// The word that joins the parts of a filter, and its parts; none of a single condition.
fn parts(filter: &Value) -> Option<(&'static str, &Vec<Value>)> {
    ["and", "or"].into_iter().find_map(|word| Some((word, filter.get(word)?.as_array()?)))
}

fn flattened(filter: Value) -> Value {
    let Some((word, inner)) = parts(&filter) else { return filter };
    let mut all = Vec::new();
    for part in inner.iter().cloned().map(flattened) {
        match parts(&part) {
            Some((same, inner)) if same == word => all.extend(inner.iter().cloned()),
            _ => all.push(part),
        }
    }
    joined(word, all)
}

fn levels(filter: &Value) -> usize {
    parts(filter).map_or(0, |(_, inner)| 1 + inner.iter().map(levels).max().unwrap_or(0))
}

/// What of a filter may hold, each as conditions that hold together; none if they are too many.
fn alternatives(filter: &Value) -> Option<Vec<Vec<Value>>> {
    let Some((word, inner)) = parts(filter) else { return Some(vec![vec![filter.clone()]]) };
    let mut all = if word == "and" { vec![Vec::new()] } else { Vec::new() };
    for part in inner {
        let each = alternatives(part)?;
        if word == "or" {
            all.extend(each);
        } else {
            let with = |have: &Vec<Value>| {
                let have = have.clone();
                each.iter().map(move |more| [have.clone(), more.clone()].concat()).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(with).collect();
        }
        if all.len() > ALTERNATIVES {
            return None;
        }
    }
    Some(all)
}

impl Notion {
    /// The filter that `given` means; a filter of Notion's own is taken as it is.
    ///
    /// # Errors
    /// `invalid_argument` for a column, option or operator that there is not.
    pub(crate) async fn filter(&self, table: &Table, given: &Map<String, Value>) -> Result<Value> {
        if given.contains_key("property") || given.contains_key("timestamp") {
            return Ok(Value::Object(given.clone()));
        }
        let raw = |word: &str| {
            let parts = given.get(word).and_then(Value::as_array);
            parts.is_some_and(|parts| {
                parts.iter().all(|part| {
                    ["property", "timestamp", "and", "or"].iter().any(|word| part.get(*word).is_some())
                }) && parts
                    .iter()
                    .any(|part| part.get("property").is_some() || part.get("timestamp").is_some())
            })
        };
        if raw("and") || raw("or") {
            return Ok(Value::Object(given.clone()));
        }
        let mut parts = Vec::new();
        for (name, condition) in given {
            let list = condition.as_array().filter(|_| same(name, "or") || same(name, "and"));
            match list {
                Some(alternatives) => {
                    let mut inner = Vec::new();
                    for alternative in alternatives {
                        let Some(alternative) = alternative.as_object() else {
                            return Err(Error::invalid(format!(
                                "`where`: `{name}` takes a list of conditions"
                            )));
                        };
                        let mut each = Vec::new();
                        for (name, condition) in alternative {
                            each.extend(self.condition(table, name, condition).await?);
                        }
                        inner.push(joined("and", each));
                    }
                    parts.push(joined(&name.to_lowercase(), inner));
                }
                None => parts.extend(self.condition(table, name, condition).await?),
            }
        }
        Ok(fitted(joined("and", parts)))
    }

    async fn condition(&self, table: &Table, name: &str, given: &Value) -> Result<Vec<Value>> {
        let timestamp = ["created_time", "last_edited_time"].into_iter().find(|word| same(word, name));
        let known = table.column(name);
        let (name, kind, column) = match (&known, timestamp) {
            (Ok((name, column)), _) => {
                (*name, column["type"].as_str().unwrap_or_default(), (*column).clone())
            }
            (Err(_), Some(timestamp)) => (timestamp, timestamp, Value::Null),
            (Err(_), None) => {
                return Err(known.err().unwrap_or_else(|| Error::internal("a column is missing")));
            }
        };
        let make = |operator: &str, value: Value| {
            let filter = json!({operator: value});
            if column.is_null() {
                json!({"timestamp": kind, kind: filter})
            } else if kind == "formula" || kind == "rollup" {
                let inner = match &value {
                    Value::Number(_) => "number",
                    Value::Bool(_) => "checkbox",
                    _ => "string",
                };
                json!({"property": name, kind: {inner: filter}})
            } else {
                json!({"property": name, kind: filter})
            }
        };
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match given {
            Value::Null => Ok(vec![make("is_empty", json!(true))]),
            Value::Object(conditions) => {
                let mut filters = Vec::new();
                for (operator, value) in conditions {
                    let operator = operator_of(operator, kind)?;
                    if SPANS.contains(&operator) {
                        filters.push(make(operator, json!({})));
                        continue;
                    }
                    if operator == "is_empty" || operator == "is_not_empty" {
                        let yes = value != &Value::Bool(false);
                        let operator =
                            if yes == (operator == "is_empty") { "is_empty" } else { "is_not_empty" };
                        filters.push(make(operator, json!(true)));
                        continue;
                    }
                    let values: Vec<Value> = match value {
                        Value::Array(values) => values.clone(),
                        value => vec![value.clone()],
                    };
                    let mut each = Vec::new();
                    for value in values {
                        each.push(match operator {
                            "equals" if is_time(kind) => on(&word(&value), kind, &make)?,
                            _ => make(operator, self.operand(table, name, kind, &column, &value).await?),
                        });
                    }
                    let negative = operator.starts_with("does_not");
                    filters.push(joined(if negative { "and" } else { "or" }, each));
                }
                Ok(filters)
            }
            Value::Array(values) => {
                let mut each = Vec::new();
                for value in values {
                    each.push(match is_time(kind) {
                        true => on(&word(value), kind, &make)?,
                        false => {
                            make(equals_of(kind), self.operand(table, name, kind, &column, value).await?)
                        }
                    });
                }
                Ok(vec![joined("or", each)])
            }
            value if is_time(kind) => Ok(vec![on(&word(value), kind, &make)?]),
            value => Ok(vec![make(equals_of(kind), self.operand(table, name, kind, &column, value).await?)]),
        }
    }

    /// The value that a condition compares with, as Notion takes it.
    async fn operand(
        &self,
        table: &Table,
        name: &str,
        kind: &str,
        column: &Value,
        given: &Value,
    ) -> Result<Value> {
        let text = given.as_str().map_or_else(|| given.to_string(), str::to_owned);
        let wrong = |what: &str| {
            Err(Error::invalid(format!(
                "`where`: {name} of {} is compared with {what}, not `{}`",
                table.name,
                one_line(&text)
            )))
        };
        match kind {
            "number" | "unique_id" => {
                let digits = text.rsplit('-').next().unwrap_or_default();
                let number = if kind == "unique_id" {
                    digits.parse().ok()
                } else {
                    given.as_f64().or_else(|| text.parse::<f64>().ok())
                };
                match number {
                    Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => Ok(json!(number as i64)),
                    Some(number) => Ok(json!(number)),
                    None => wrong("a number"),
                }
            }
            "checkbox" => match truth(given) {
                Some(truth) => Ok(json!(truth)),
                None => wrong("true or false"),
            },
            "select" | "status" | "multi_select" => {
                let known = options(column);
                let exact = known.iter().find(|option| same(option, &text));
                if let Some(option) = exact.or_else(|| known.iter().find(|option| same_option(option, &text)))
                {
                    return Ok(json!(option));
                }
                let error = Error::invalid(format!("`where`: {name} has no option `{}`", one_line(&text)));
                Err(match nearest(&text, known.iter().copied()) {
                    Some(near) => {
                        error.with_hint(format!("Did you mean `{near}`? It has: {}", known.join(", ")))
                    }
                    None => error.with_hint(format!("It has: {}", known.join(", "))),
                })
            }
            "people" | "created_by" | "last_edited_by" => {
                if same(text.trim_start_matches('@'), "me") {
                    return Ok(json!("me"));
                }
                Ok(json!(self.person(&text).await?.id))
            }
            "relation" => match id_of(&text) {
                Some(id) => Ok(json!(id)),
                None => {
                    let target = column["relation"]["data_source_id"].as_str().unwrap_or_default();
                    Ok(json!(self.row_by_title(target, &text).await?))
                }
            },
            "date" | "created_time" | "last_edited_time" => {
                let word = text.replace(' ', "_").to_lowercase();
                if DAYS.contains(&word.as_str()) {
                    return Ok(json!(word));
                }
                let date = dates::compared(&text, kind != "date")?;
                if date["end"].is_null() {
                    return Ok(date["start"].clone());
                }
                wrong("one day by an operator").map_err(|error| {
                    error.with_hint(format!(
                        "{{\"{name}\": \"{}/{}\"}} is from the first day to the last",
                        date["start"].as_str().unwrap_or_default(),
                        date["end"].as_str().unwrap_or_default()
                    ))
                })
            }
            "formula" | "rollup" => Ok(given.clone()),
            _ => Ok(json!(text)),
        }
    }
}

fn is_time(kind: &str) -> bool {
    kind.ends_with("time") || kind == "date"
}

/// That a time is on a day, or in a range of days: `2026-12-01/2026-12-03` is from the first to the last.
fn on(text: &str, kind: &str, make: &impl Fn(&str, Value) -> Value) -> Result<Value> {
    let word = text.trim().replace(' ', "_").to_lowercase();
    if SPANS.contains(&word.as_str()) {
        return Ok(make(&word, json!({})));
    }
    if DAYS.contains(&word.as_str()) {
        return Ok(make("equals", json!(word)));
    }
    let date = dates::compared(text, kind != "date")?;
    let (start, end) = (date["start"].clone(), date["end"].clone());
    Ok(if end.is_null() {
        make("equals", start)
    } else {
        json!({"and": [make("on_or_after", start), make("on_or_before", end)]})
    })
}

/// Conditions joined; one alone stands for itself.
fn joined(word: &str, mut parts: Vec<Value>) -> Value {
    if parts.len() == 1 { parts.swap_remove(0) } else { json!({word: parts}) }
}

/// What "is" means for a type of column.
fn equals_of(kind: &str) -> &'static str {
    match kind {
        "multi_select" | "people" | "relation" | "created_by" | "last_edited_by" => "contains",
        "title" | "rich_text" => "contains",
        _ => "equals",
    }
}

fn operator_of(word: &str, kind: &str) -> Result<&'static str> {
    let lists = equals_of(kind) == "contains" && !matches!(kind, "title" | "rich_text");
    let dates = is_time(kind);
    Ok(match word.to_lowercase().replace([' ', '-'], "_").as_str() {
        "equals" | "eq" | "is" | "=" | "==" if lists => "contains",
        "not" | "ne" | "is_not" | "!=" | "does_not_equal" if lists => "does_not_contain",
        "equals" | "eq" | "is" | "=" | "==" | "on" | "in" => "equals",
        "not" | "ne" | "is_not" | "!=" | "does_not_equal" | "not_in" => "does_not_equal",
        "contains" | "includes" | "has" => "contains",
        "does_not_contain" | "not_contains" => "does_not_contain",
        "starts_with" => "starts_with",
        "ends_with" => "ends_with",
        "before" | "lt" | "<" | "less_than" if dates => "before",
        "after" | "gt" | ">" | "greater_than" if dates => "after",
        "on_or_before" | "until" | "to" | "lte" | "<=" if dates => "on_or_before",
        "on_or_after" | "since" | "from" | "gte" | ">=" if dates => "on_or_after",
        "gt" | ">" | "greater_than" => "greater_than",
        "lt" | "<" | "less_than" => "less_than",
        "gte" | ">=" | "greater_than_or_equal_to" => "greater_than_or_equal_to",
        "lte" | "<=" | "less_than_or_equal_to" => "less_than_or_equal_to",
        "empty" | "is_empty" => "is_empty",
        "not_empty" | "is_not_empty" | "exists" => "is_not_empty",
        other => {
            let span = SPANS.into_iter().find(|span| *span == other);
            return span.ok_or_else(|| {
                Error::invalid(format!("`where`: there is no operator `{}`", one_line(word)))
                    .with_hint("There are: equals, not, contains, starts_with, before, after, on_or_before, on_or_after, gt, gte, lt, lte, empty, this_week, past_month and the like")
            });
        }
    })
}

/// Yes or no as models write it.
pub(crate) fn truth(given: &Value) -> Option<bool> {
    match given {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "__yes__" | "1" => Some(true),
            "false" | "no" | "__no__" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_put_into_two_levels() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| json!({"property": name}));
        for (given, wanted) in [
            (json!({"and": [{"and": [a, {"or": [b, c]}]}, d]}), json!({"and": [a, {"or": [b, c]}, d]})),
            (
                json!({"or": [{"or": [a, {"or": [b]}]}, {"and": [{"and": [c, d]}]}]}),
                json!({"or": [a, b, {"and": [c, d]}]}),
            ),
            (json!({"or": [{"and": [a, {"and": [b, c]}]}, d]}), json!({"or": [{"and": [a, b, c]}, d]})),
            // Three levels of another word each are written out.
            (
                json!({"and": [a, {"or": [{"and": [b, c]}, d]}]}),
                json!({"or": [{"and": [a, b, c]}, {"and": [a, d]}]}),
            ),
            (
                json!({"or": [{"and": [a, {"or": [b, c]}]}, d]}),
                json!({"or": [{"and": [a, b]}, {"and": [a, c]}, d]}),
            ),
            (a.clone(), a.clone()),
        ] {
            assert_eq!(fitted(given), wanted);
        }
    }

    #[test]
    fn too_many_alternatives_are_left_as_they_are() {
        let one = |name: String| json!({"or": [{"and": [{"property": name}, {"property": "x"}]}, {"property": "y"}]});
        let many = json!({"and": (0..8).map(|at| one(at.to_string())).collect::<Vec<_>>()});
        assert_eq!(fitted(many.clone()), many);
    }
}
