//! Linear's filters: a walk over the filter's JSON, led by what the schema says of each name.
//!
//! The document's validation has already refused names and types which the schema does not have, so
//! what stands here is a field, a relation, a list, or one of the few words of its own.

use std::cmp::Ordering;

use apollo_compiler::{
    Schema,
    schema::{ExtendedType, Type},
};
use serde_json::Value;

use super::{
    errors::{ApiError, Outcome},
    fields::{View, base},
    store::{Row, text},
};

/// Evaluates filters over one view of the state.
#[derive(Clone, Copy)]
pub(super) struct Filter<'a> {
    pub(super) view: View<'a>,
    pub(super) schema: &'a Schema,
}

/// What a name in a filter stands for.
enum Meaning {
    /// A value, and whether it is a time or a date.
    Leaf(Kind),
    /// A row of the named type.
    One(String),
    /// A list of rows of the named type.
    Many(String),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Time,
    Date,
}

impl Filter<'_> {
    /// Whether `row`, of type `ty`, passes `filter`. All that stands side by side must hold.
    pub(super) fn passes(&self, ty: &str, row: &Row, filter: &Row) -> Outcome<bool> {
        for (key, condition) in filter {
            let holds = match (key.as_str(), condition) {
                (_, Value::Null) => true,
                ("and", Value::Array(all)) => self.each(ty, row, all)?.iter().all(|holds| *holds),
                ("or", Value::Array(any)) => any.is_empty() || self.each(ty, row, any)?.contains(&true),
                (_, Value::Object(condition)) => self.holds(ty, row, key, condition)?,
                _ => return Err(ApiError::invalid(format!("{key} must be an object"))),
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn each(&self, ty: &str, row: &Row, filters: &[Value]) -> Outcome<Vec<bool>> {
        filters.iter().filter_map(Value::as_object).map(|filter| self.passes(ty, row, filter)).collect()
    }

    fn holds(&self, ty: &str, row: &Row, key: &str, condition: &Row) -> Outcome<bool> {
        match self.meaning(ty, key) {
            Meaning::Leaf(kind) => {
                let value = match (ty, key) {
                    // An issue's id may be given as its identifier as well.
                    ("Issue", "id") => return self.issue_id(row, condition),
                    _ => self.view.value(ty, row, key),
                };
                self.compare(value.as_ref(), condition, kind)
            }
            Meaning::One(target) => {
                let other = self.view.one(ty, row, key, &target);
                let mut rest = condition.clone();
                if let Some(Value::Bool(null)) = rest.remove("null") {
                    if other.is_none() != null {
                        return Ok(false);
                    }
                    if rest.is_empty() {
                        return Ok(true);
                    }
                }
                match other {
                    Some(other) => self.passes(&target, &other, &rest),
                    // Alternatives may ask for null at a deeper level.
                    None => Ok(!rest.is_empty() && self.absent(&rest)),
                }
            }
            Meaning::Many(target) => {
                let rows = self.view.many(ty, row, key).unwrap_or_default();
                self.collection(&target, &rows, condition)
            }
        }
    }

    /// Whether a filter of a relation that leads nowhere holds: only through `null: true`.
    fn absent(&self, filter: &Row) -> bool {
        filter.iter().all(|(key, condition)| match (key.as_str(), condition) {
            ("null", condition) => condition == &Value::Bool(true),
            ("or", Value::Array(any)) => {
                any.iter().filter_map(Value::as_object).any(|filter| self.absent(filter))
            }
            ("and", Value::Array(all)) => {
                all.iter().filter_map(Value::as_object).all(|filter| self.absent(filter))
            }
            _ => false,
        })
    }

    /// `some`, `every`, `length`; what stands directly in the filter means `some`.
    fn collection(&self, ty: &str, rows: &[std::sync::Arc<Row>], condition: &Row) -> Outcome<bool> {
        let mut direct = Row::new();
        for (key, condition) in condition {
            let holds = match (key.as_str(), condition) {
                (_, Value::Null) => true,
                ("some", Value::Object(filter)) => self.any(ty, rows, filter)?,
                ("every", Value::Object(filter)) => {
                    let mut all = true;
                    for row in rows {
                        all = all && self.passes(ty, row, filter)?;
                    }
                    all
                }
                ("length", Value::Object(condition)) => {
                    self.compare(Some(&Value::from(rows.len())), condition, Kind::Plain)?
                }
                ("and", Value::Array(all)) => {
                    let mut holds = true;
                    for filter in all.iter().filter_map(Value::as_object) {
                        holds = holds && self.collection(ty, rows, filter)?;
                    }
                    holds
                }
                ("or", Value::Array(any)) => {
                    let mut holds = any.is_empty();
                    for filter in any.iter().filter_map(Value::as_object) {
                        holds = holds || self.collection(ty, rows, filter)?;
                    }
                    holds
                }
                _ => {
                    direct.insert(key.clone(), condition.clone());
                    true
                }
            };
            if !holds {
                return Ok(false);
            }
        }
        if direct.is_empty() { Ok(true) } else { self.any(ty, rows, &direct) }
    }

    fn any(&self, ty: &str, rows: &[std::sync::Arc<Row>], filter: &Row) -> Outcome<bool> {
        for row in rows {
            if self.passes(ty, row, filter)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn issue_id(&self, row: &Row, condition: &Row) -> Outcome<bool> {
        let id = text(row, "id").unwrap_or_default();
        let own = |value: &Value| {
            let found = value.as_str().and_then(|reference| self.view.state.issue(reference).ok());
            found.is_some_and(|issue| text(issue, "id") == Some(id))
        };
        let list = |value: &Value| value.as_array().is_some_and(|ids| ids.iter().any(own));
        Ok(condition.iter().all(|(operator, value)| match operator.as_str() {
            "eq" => own(value),
            "neq" => !own(value),
            "in" => list(value),
            _ => !list(value),
        }))
    }

    /// What `key` means on `ty`.
    fn meaning(&self, ty: &str, key: &str) -> Meaning {
        meaning(self.schema, ty, key).unwrap_or(Meaning::Leaf(Kind::Plain))
    }

    /// Whether `value` meets every comparison of `condition`.
    fn compare(&self, value: Option<&Value>, condition: &Row, kind: Kind) -> Outcome<bool> {
        for (operator, operand) in condition {
            if operand.is_null() && !matches!(operator.as_str(), "eq" | "neq") {
                continue;
            }
            let operand = self.operand(operand, kind)?;
            let holds = match operator.as_str() {
                "and" | "or" => {
                    let conditions = operand.as_array().map_or(&[][..], Vec::as_slice);
                    let mut results = Vec::new();
                    for condition in conditions.iter().filter_map(Value::as_object) {
                        results.push(self.compare(value, condition, kind)?);
                    }
                    if operator == "and" { !results.contains(&false) } else { results.contains(&true) }
                }
                "null" => value.is_none() == operand.as_bool().unwrap_or_default(),
                "eq" => equal(value, &operand),
                "neq" => !equal(value, &operand),
                "in" => operand.as_array().is_some_and(|list| list.iter().any(|one| equal(value, one))),
                "nin" => !operand.as_array().is_some_and(|list| list.iter().any(|one| equal(value, one))),
                "lt" => order(value, &operand) == Some(Ordering::Less),
                "lte" => order(value, &operand).is_some_and(Ordering::is_le),
                "gt" => order(value, &operand) == Some(Ordering::Greater),
                "gte" => order(value, &operand).is_some_and(Ordering::is_ge),
                _ => words(operator, value.and_then(Value::as_str), operand.as_str().unwrap_or_default()),
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A comparison's right side, with durations turned into moments.
    fn operand(&self, operand: &Value, kind: Kind) -> Outcome<Value> {
        match operand {
            Value::String(text) if kind != Kind::Plain => {
                let now = self.view.now;
                let moment = if kind == Kind::Time { now.moment(text) } else { now.day(text) };
                moment.map(Value::String).ok_or_else(|| {
                    ApiError::invalid(format!(
                        "`{text}` is neither an ISO 8601 date nor an ISO 8601 duration"
                    ))
                })
            }
            Value::Array(list) => list.iter().map(|one| self.operand(one, kind)).collect(),
            other => Ok(other.clone()),
        }
    }
}

/// Words of filters that are no fields: what the schema's types do not tell.
fn word(ty: &str, key: &str) -> Option<Meaning> {
    Some(match (ty, key) {
        ("Project", "accessibleTeams") | ("Initiative", "teams") => Meaning::Many("Team".to_owned()),
        ("ProjectStatus", "projects") => Meaning::Many("Project".to_owned()),
        ("Team", "users") => Meaning::Many("User".to_owned()),
        ("Document", "cycle") => Meaning::One("Cycle".to_owned()),
        ("Initiative", "canceledAt") => Meaning::Leaf(Kind::Time),
        ("Issue" | "Project", "searchableContent")
        | ("Cycle", "isInCooldown")
        | (
            "Issue",
            "hasBlockedByRelations"
            | "hasBlockingRelations"
            | "hasDuplicateRelations"
            | "hasRelatedRelations",
        ) => Meaning::Leaf(Kind::Plain),
        _ => return None,
    })
}

/// What `key` means in a filter of `ty`: one of the filters' own words, or a field of the schema.
fn meaning(schema: &Schema, ty: &str, key: &str) -> Option<Meaning> {
    if let Some(meaning) = word(ty, key) {
        return Some(meaning);
    }
    let field = match schema.types.get(base(ty))? {
        ExtendedType::Object(object) => object.fields.get(key)?,
        ExtendedType::Interface(interface) => interface.fields.get(key)?,
        _ => return None,
    };
    let name = field.ty.inner_named_type().as_str();
    Some(match name {
        "DateTime" => Meaning::Leaf(Kind::Time),
        "TimelessDate" => Meaning::Leaf(Kind::Date),
        _ => match (schema.get_object(name), name.strip_suffix("Connection")) {
            (Some(_), Some(target)) => Meaning::Many(target.to_owned()),
            (Some(_), None) if is_list(&field.ty) => Meaning::Many(name.to_owned()),
            (Some(_), None) => Meaning::One(name.to_owned()),
            (None, _) => Meaning::Leaf(Kind::Plain),
        },
    })
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::NonNullList(_))
}

fn equal(value: Option<&Value>, operand: &Value) -> bool {
    match (value, operand) {
        (None, operand) => operand.is_null(),
        (Some(Value::Number(a)), Value::Number(b)) => a.as_f64() == b.as_f64(),
        // A flag that is not stored is not set; the value's default was filled in before.
        (Some(a), b) => a == b,
    }
}

/// The order of two values of one kind; `None` where they have none.
pub(super) fn order(value: Option<&Value>, operand: &Value) -> Option<Ordering> {
    match (value?, operand) {
        (Value::Number(a), Value::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// The comparisons of text; `not…` holds for what is absent.
fn words(operator: &str, value: Option<&str>, operand: &str) -> bool {
    if let Some(positive) =
        operator.strip_prefix("not").or_else(|| (operator == "neqIgnoreCase").then_some("EqIgnoreCase"))
    {
        let mut positive = positive.to_owned();
        positive[..1].make_ascii_lowercase();
        return !words(&positive, value, operand);
    }
    let Some(value) = value else { return false };
    let (value, operand) = match operator {
        operator if operator.ends_with("IgnoreCase") => (value.to_lowercase(), operand.to_lowercase()),
        operator if operator.ends_with("IgnoreCaseAndAccent") => (plain(value), plain(operand)),
        _ => (value.to_owned(), operand.to_owned()),
    };
    if operator.starts_with("contains") {
        value.contains(&operand)
    } else if operator.starts_with("startsWith") {
        value.starts_with(&operand)
    } else if operator.starts_with("endsWith") {
        value.ends_with(&operand)
    } else {
        value == operand
    }
}

/// Lower case, without the accents of Latin letters.
fn plain(text: &str) -> String {
    let strip = |c: char| match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    };
    text.to_lowercase().chars().map(strip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::execute::schema;

    /// The type a filter is for: `NullableUserFilter` and `UserCollectionFilter` are for `User`.
    fn filtered(name: &str) -> Option<&str> {
        let name = name.strip_suffix("Filter")?;
        let name = name.strip_suffix("Collection").unwrap_or(name);
        Some(name.strip_prefix("Nullable").unwrap_or(name))
    }

    #[test]
    fn every_name_a_filter_may_have_means_something() {
        let schema = schema().unwrap();
        let mut seen = 0;
        for (name, ty) in &schema.types {
            let (ExtendedType::InputObject(input), Some(ty)) = (ty, filtered(name)) else { continue };
            for key in input.fields.keys().map(apollo_compiler::Name::as_str) {
                let known = ["and", "or", "null", "some", "every", "length"].contains(&key);
                assert!(known || meaning(schema, ty, key).is_some(), "{name}.{key}");
                seen += 1;
            }
        }
        assert!(seen > 200, "{seen}");
    }
}
