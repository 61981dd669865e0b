//! Filters and sorts over typed values (developers.notion.com/reference/post-database-query-filter).

use std::cmp::Ordering;

use jiff::{ToSpan as _, civil::Date};
use serde_json::{Map, Value, json};

use super::{
    check::Place,
    errors::{ApiError, Outcome},
    properties,
    rich_text::plain,
    tree::{Node, State},
};

/// The rows of a question, and what is known while they are judged.
pub(super) struct Query<'a> {
    pub(super) state: &'a State,
    pub(super) schema: &'a Map<String, Value>,
    pub(super) today: Date,
    /// Who `me` is.
    pub(super) me: &'a str,
}

/// Compound filters nest to two levels.
const DEPTH: usize = 2;

impl Query<'_> {
    /// Whether `row` passes `filter`.
    pub(super) fn passes(&self, row: &Node, filter: &Value, depth: usize, place: &Place) -> Outcome<bool> {
        place.object(filter)?;
        for (word, all) in [("and", true), ("or", false)] {
            if filter[word].is_null() {
                continue;
            }
            if depth >= DEPTH {
                return Err(place.should("a filter nested at most two levels deep", filter));
            }
            let parts = place.at(word).list(&filter[word], 100)?;
            let mut result = all;
            for (at, part) in parts.iter().enumerate() {
                let passes = self.passes(row, part, depth + 1, &place.at(word).item(at))?;
                result = if all { result && passes } else { result || passes };
            }
            return Ok(result);
        }
        if let Some(timestamp) = filter["timestamp"].as_str() {
            place.at("timestamp").one_of(timestamp, &["created_time", "last_edited_time"])?;
            let moment = if timestamp == "created_time" { &row.created_time } else { &row.last_edited_time };
            return self.date(&json!({"start": moment}), &filter[timestamp], &place.at(timestamp));
        }
        let name = place.at("property").text(&filter["property"])?;
        let (name, column) = properties::find(self.schema, name).ok_or_else(|| {
            ApiError::validation(format!("Could not find property with name or id: {name}"))
        })?;
        let kind = column["type"].as_str().unwrap_or_default();
        let fields = filter.as_object().into_iter().flat_map(Map::keys);
        let given = fields.into_iter().find(|field| !["property", "type"].contains(&field.as_str()));
        let given = given.ok_or_else(|| place.at(kind).missing())?;
        let same = given == kind
            || (kind == "title" && given == "rich_text")
            || (kind == "rich_text" && given == "title");
        if !same {
            return Err(ApiError::validation(format!(
                "database property {kind} does not match filter {given}"
            )));
        }
        let values = properties::values(self.state, row);
        self.test(&values[name.as_str()], kind, &filter[given.as_str()], &place.at(given))
    }

    fn test(&self, value: &Value, kind: &str, condition: &Value, place: &Place) -> Outcome<bool> {
        let own = &value[kind];
        let fields = place.object(condition)?;
        if kind == "formula" || kind == "rollup" {
            return self.computed(own, kind, fields, place);
        }
        let (operator, wanted) = fields.iter().next().ok_or_else(|| place.missing())?;
        let empty = match own {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::String(text) => text.is_empty(),
            _ => false,
        };
        // A box is checked or not, and a number of a row is there always.
        let may_be_empty = !matches!(kind, "checkbox" | "unique_id");
        match operator.as_str() {
            "is_empty" if may_be_empty => return Ok(empty),
            "is_not_empty" if may_be_empty => return Ok(!empty),
            _ => {}
        }
        let unknown = || Err(place.should("a known filter condition", &Value::Object(fields.clone())));
        match kind {
            "title" | "rich_text" | "url" | "email" | "phone_number" => {
                let text = own
                    .as_array()
                    .map_or_else(|| own.as_str().unwrap_or_default().to_owned(), |items| plain(items));
                let (text, wanted) = (text.to_lowercase(), place.at(operator).text(wanted)?.to_lowercase());
                Ok(match operator.as_str() {
                    "equals" => text == wanted,
                    "does_not_equal" => text != wanted,
                    "contains" => text.contains(&wanted),
                    "does_not_contain" => !text.contains(&wanted),
                    "starts_with" => text.starts_with(&wanted),
                    "ends_with" => text.ends_with(&wanted),
                    _ => return unknown(),
                })
            }
            "number" | "unique_id" => {
                let number = if kind == "number" { own.as_f64() } else { own["number"].as_f64() };
                let wanted = wanted.as_f64().ok_or_else(|| place.at(operator).should("a number", wanted))?;
                let order = number.and_then(|number| number.partial_cmp(&wanted));
                Ok(match operator.as_str() {
                    "equals" => order == Some(Ordering::Equal),
                    "does_not_equal" => order != Some(Ordering::Equal),
                    "greater_than" => order == Some(Ordering::Greater),
                    "less_than" => order == Some(Ordering::Less),
                    "greater_than_or_equal_to" => order.is_some_and(Ordering::is_ge),
                    "less_than_or_equal_to" => order.is_some_and(Ordering::is_le),
                    _ => return unknown(),
                })
            }
            "checkbox" => {
                let wanted =
                    wanted.as_bool().ok_or_else(|| place.at(operator).should("a boolean", wanted))?;
                let is = own.as_bool().unwrap_or(false) == wanted;
                Ok(match operator.as_str() {
                    "equals" => is,
                    "does_not_equal" => !is,
                    _ => return unknown(),
                })
            }
            "select" | "status" => {
                // A string or an array of strings (SDK: SelectPropertyFilter).
                let names: Vec<&str> = match wanted {
                    Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
                    name => vec![place.at(operator).text(name)?],
                };
                let is = own["name"].as_str().is_some_and(|name| names.contains(&name));
                Ok(match operator.as_str() {
                    "equals" => is,
                    "does_not_equal" => !is,
                    _ => return unknown(),
                })
            }
            "multi_select" | "people" | "relation" | "created_by" | "last_edited_by" => {
                let wanted = place.at(operator).text(wanted)?;
                let wanted = if wanted == "me" { self.me } else { wanted };
                let items = own.as_array().cloned().unwrap_or_else(|| vec![own.clone()]);
                let has = items.iter().any(|item| item["name"] == wanted || item["id"] == wanted);
                Ok(match operator.as_str() {
                    "contains" => has,
                    "does_not_contain" => !has,
                    _ => return unknown(),
                })
            }
            "date" => self.date(own, condition, place),
            "created_time" | "last_edited_time" => self.date(&json!({"start": own}), condition, place),
            _ => unknown(),
        }
    }

    /// A formula is compared as the type that it gives; a rollup as the number or date that it gives, or by any, every or
    /// none of the values that it shows.
    fn computed(&self, own: &Value, kind: &str, fields: &Map<String, Value>, place: &Place) -> Outcome<bool> {
        let (inner, condition) = fields.iter().next().ok_or_else(|| place.missing())?;
        let known: &[&str] = match kind {
            "formula" => &["string", "checkbox", "number", "date"],
            _ => &["any", "every", "none", "number", "date"],
        };
        if !known.contains(&inner.as_str()) {
            return Err(place.at(inner).should("not present", condition));
        }
        let place = place.at(inner);
        let shown = own["type"].as_str().unwrap_or_default();
        if shown == "incomplete" {
            return Ok(false);
        }
        let mismatch =
            || ApiError::validation(format!("{kind} of type {shown} does not match filter {inner}"));
        if ["any", "every", "none"].contains(&inner.as_str()) {
            let items = own["array"].as_array().ok_or_else(mismatch)?;
            let (kind, condition) = place.object(condition)?.iter().next().ok_or_else(|| place.missing())?;
            let mut passes = Vec::new();
            for item in items {
                // A title is compared as the text that it is.
                let mut item = item.clone();
                if kind == "rich_text" && item["type"] == "title" {
                    item["rich_text"] = item["title"].take();
                }
                passes.push(self.test(&item, kind, condition, &place.at(kind))?);
            }
            return Ok(match inner.as_str() {
                "any" => passes.contains(&true),
                "every" => !passes.contains(&false),
                _ => !passes.contains(&true),
            });
        }
        let compared = if shown == "boolean" { "checkbox" } else { shown };
        if compared != inner {
            return Err(mismatch());
        }
        let value = match inner.as_str() {
            "string" => {
                let text = own["string"].as_str().filter(|text| !text.is_empty());
                json!({"rich_text": text.map_or_else(|| json!([]), |text| json!([{"plain_text": text}]))})
            }
            inner => json!({inner: own[shown]}),
        };
        self.test(&value, if inner == "string" { "rich_text" } else { inner }, condition, &place)
    }

    fn date(&self, value: &Value, condition: &Value, place: &Place) -> Outcome<bool> {
        let fields = place.object(condition)?;
        let (operator, wanted) = fields.iter().next().ok_or_else(|| place.missing())?;
        let start = value["start"].as_str();
        match operator.as_str() {
            "is_empty" => return Ok(start.is_none()),
            "is_not_empty" => return Ok(start.is_some()),
            _ => {}
        }
        let Some(day) = start.and_then(|start| start.get(..10)?.parse::<Date>().ok()) else {
            return Ok(false);
        };
        let range = |from: jiff::Span, to: jiff::Span| {
            let today = self.today;
            let (from, to) = (today.saturating_add(from), today.saturating_add(to));
            Ok(from <= day && day <= to)
        };
        match operator.as_str() {
            "this_week" => {
                let monday = i32::from(self.today.weekday().to_monday_zero_offset());
                return range((-monday).days(), (6 - monday).days());
            }
            "past_week" => return range((-7).days(), 0.days()),
            "past_month" => return range((-1).months(), 0.days()),
            "past_year" => return range((-1).years(), 0.days()),
            "next_week" => return range(0.days(), 7.days()),
            "next_month" => return range(0.days(), 1.months()),
            "next_year" => return range(0.days(), 1.years()),
            _ => {}
        }
        let wanted = place.at(operator).text(wanted)?;
        let relative = match wanted {
            "today" => Some(0.days()),
            "tomorrow" => Some(1.days()),
            "yesterday" => Some((-1).days()),
            "one_week_ago" => Some((-7).days()),
            "one_week_from_now" => Some(7.days()),
            "one_month_ago" => Some((-1).months()),
            "one_month_from_now" => Some(1.months()),
            _ => None,
        };
        let wanted = match relative {
            Some(span) => self.today.saturating_add(span).to_string(),
            None => wanted.to_owned(),
        };
        if wanted.get(..10).is_none_or(|day| day.parse::<Date>().is_err()) {
            return Err(place.at(operator).should("a valid ISO 8601 date string", &json!(wanted)));
        }
        let order = compare(start.unwrap_or_default(), &wanted);
        Ok(match operator.as_str() {
            "equals" => order == Ordering::Equal,
            "before" => order == Ordering::Less,
            "after" => order == Ordering::Greater,
            "on_or_before" => order.is_le(),
            "on_or_after" => order.is_ge(),
            _ => return Err(place.should("a known filter condition", condition)),
        })
    }

    /// Sorts rows; what is empty comes last.
    pub(super) fn sort(&self, rows: &mut [&Node], sorts: &Value, place: &Place) -> Outcome<()> {
        if sorts.is_null() {
            return Ok(());
        }
        let mut keys = Vec::new();
        for (at, sort) in place.list(sorts, 100)?.iter().enumerate() {
            let place = place.item(at);
            let direction = sort["direction"].as_str().unwrap_or("ascending");
            place.at("direction").one_of(direction, &["ascending", "descending"])?;
            let by = match (sort["property"].as_str(), sort["timestamp"].as_str()) {
                (Some(name), _) => {
                    let found = properties::find(self.schema, name);
                    let (name, _) = found.ok_or_else(|| {
                        ApiError::validation(format!("Could not find sort property with name or id: {name}"))
                    })?;
                    name.clone()
                }
                (None, Some(timestamp)) => {
                    place.at("timestamp").one_of(timestamp, &["created_time", "last_edited_time"])?;
                    format!("\0{timestamp}")
                }
                (None, None) => return Err(place.at("property").missing()),
            };
            keys.push((by, direction == "descending"));
        }
        rows.sort_by(|a, b| {
            for (by, descending) in &keys {
                let order = order(&self.key(a, by), &self.key(b, by), *descending);
                if order != Ordering::Equal {
                    return order;
                }
            }
            Ordering::Equal
        });
        Ok(())
    }

    fn key(&self, row: &Node, by: &str) -> Key {
        match by {
            "\0created_time" => return Key::Text(row.created_time.clone()),
            "\0last_edited_time" => return Key::Text(row.last_edited_time.clone()),
            _ => {}
        }
        let value = &properties::values(self.state, row)[by];
        let kind = value["type"].as_str().unwrap_or_default();
        let own = &value[kind];
        let text = |text: Option<String>| text.filter(|text| !text.is_empty()).map_or(Key::None, Key::Text);
        match kind {
            "title" | "rich_text" => text(own.as_array().map(|items| plain(items).to_lowercase())),
            "number" => own.as_f64().map_or(Key::None, Key::Number),
            "unique_id" => own["number"].as_f64().map_or(Key::None, Key::Number),
            "checkbox" => Key::Number(f64::from(u8::from(own.as_bool().unwrap_or(false)))),
            "date" => text(own["start"].as_str().map(str::to_owned)),
            // Options sort in the order of the schema.
            "select" | "status" => {
                let options = self.schema[by][kind]["options"].as_array();
                let at =
                    options.and_then(|options| options.iter().position(|option| option["id"] == own["id"]));
                at.map_or(Key::None, |at| Key::Number(at as f64))
            }
            "people" | "multi_select" => text(own[0]["name"].as_str().map(str::to_lowercase)),
            "formula" | "rollup" => own["number"]
                .as_f64()
                .map_or_else(|| text(own["string"].as_str().map(str::to_owned)), Key::Number),
            _ => text(own.as_str().map(str::to_lowercase)),
        }
    }
}

enum Key {
    None,
    Number(f64),
    Text(String),
}

fn order(a: &Key, b: &Key, descending: bool) -> Ordering {
    let order = match (a, b) {
        (Key::None, Key::None) => Ordering::Equal,
        (Key::None, _) => return Ordering::Greater,
        (_, Key::None) => return Ordering::Less,
        (Key::Number(a), Key::Number(b)) => a.total_cmp(b),
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
        (Key::Number(_), Key::Text(_)) => Ordering::Less,
        (Key::Text(_), Key::Number(_)) => Ordering::Greater,
    };
    if descending { order.reverse() } else { order }
}

/// Two moments: by the day where one of them has no time.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<jiff::Timestamp>(), b.parse::<jiff::Timestamp>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.get(..10).cmp(&b.get(..10)),
    }
}
