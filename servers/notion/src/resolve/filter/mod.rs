//! `where` by a table's columns: `{"Status": ["To do", "Doing"], "Due": {"before": "today"}, "or": [..]}`, compiled to
//! a filter of Notion's.

mod levels;
mod subject;

use connector::{
    Error, Result,
    catalog::{nearest, one_line},
};
use serde_json::{Map, Value, json};

use super::{
    id_of, same, same_option,
    tables::{Table, options},
    values::number,
};
use crate::Notion;
pub(crate) use levels::fitted;
use subject::Subject;

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
        let subject = self.subject(table, name).await?;
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let is = subject.equals();
        match given {
            Value::Null => Ok(vec![subject.test("is_empty", json!(true))?]),
            Value::Object(conditions) => {
                let mut filters = Vec::new();
                for (operator, value) in conditions {
                    let operator = operator_of(operator, &subject)?;
                    subject.check(operator)?;
                    if SPANS.contains(&operator) {
                        filters.push(subject.test(operator, json!({}))?);
                        continue;
                    }
                    if operator == "is_empty" || operator == "is_not_empty" {
                        let yes = value != &Value::Bool(false);
                        let operator =
                            if yes == (operator == "is_empty") { "is_empty" } else { "is_not_empty" };
                        filters.push(subject.test(operator, json!(true))?);
                        continue;
                    }
                    let values: Vec<Value> = match value {
                        Value::Array(values) => values.clone(),
                        value => vec![value.clone()],
                    };
                    let mut each = Vec::new();
                    for value in values {
                        each.push(match operator {
                            "equals" if subject.is_time() => on(&word(&value), &subject)?,
                            "does_not_equal" if subject.is_time() => not_on(&word(&value), &subject)?,
                            _ => subject.test(operator, self.operand(table, &subject, &value).await?)?,
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
                    each.push(match subject.is_time() {
                        true => on(&word(value), &subject)?,
                        false => subject.test(is, self.operand(table, &subject, value).await?)?,
                    });
                }
                Ok(vec![joined("or", each)])
            }
            value if subject.is_time() => Ok(vec![on(&word(value), &subject)?]),
            value => Ok(vec![subject.test(is, self.operand(table, &subject, value).await?)?]),
        }
    }

    /// The value that a condition compares with, as Notion takes it.
    async fn operand(&self, table: &Table, subject: &Subject<'_>, given: &Value) -> Result<Value> {
        let Subject { name, kind, column, .. } = subject;
        let kind = kind.as_str();
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
                let number = if kind == "unique_id" { digits.parse().ok() } else { number(given) };
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
                let date = subject.dates.compared(&text, kind != "date")?;
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
            _ => Ok(json!(text)),
        }
    }
}

/// That a time is on a day, or in a range of days: `2026-12-01/2026-12-03` is from the first to the last.
fn on(text: &str, subject: &Subject<'_>) -> Result<Value> {
    let word = text.trim().replace(' ', "_").to_lowercase();
    if SPANS.contains(&word.as_str()) {
        return subject.test(&word, json!({}));
    }
    if DAYS.contains(&word.as_str()) {
        return subject.test("equals", json!(word));
    }
    let date = subject.dates.compared(text, subject.kind != "date")?;
    let (start, end) = (date["start"].clone(), date["end"].clone());
    if end.is_null() {
        return subject.test("equals", start);
    }
    Ok(json!({"and": [subject.test("on_or_after", start)?, subject.test("on_or_before", end)?]}))
}

/// That a time is on none of these days: before them, after them, or not at all. Notion has no word for it.
fn not_on(text: &str, subject: &Subject<'_>) -> Result<Value> {
    let word = text.trim().replace(' ', "_").to_lowercase();
    if SPANS.contains(&word.as_str()) {
        return Err(Error::invalid(format!("`where`: {} cannot be outside of {word}", subject.name))
            .with_hint("Use `before` or `after` with a day"));
    }
    let (first, last) = if DAYS.contains(&word.as_str()) {
        (json!(word), json!(word))
    } else {
        let date = subject.dates.compared(text, subject.kind != "date")?;
        let (start, end) = (date["start"].clone(), date["end"].clone());
        (start.clone(), if end.is_null() { start } else { end })
    };
    let mut outside = vec![subject.test("before", first)?, subject.test("after", last)?];
    if subject.kind == "date" {
        outside.push(subject.test("is_empty", json!(true))?);
    }
    Ok(json!({"or": outside}))
}

/// Conditions joined; one alone stands for itself.
fn joined(word: &str, mut parts: Vec<Value>) -> Value {
    if parts.len() == 1 { parts.swap_remove(0) } else { json!({word: parts}) }
}

fn operator_of(word: &str, subject: &Subject<'_>) -> Result<&'static str> {
    let lists = subject.is_list();
    let dates = subject.is_time();
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
