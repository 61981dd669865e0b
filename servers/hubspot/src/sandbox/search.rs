//! Search, over the index (developers.hubspot.com, "Search the CRM").

use std::collections::BTreeMap;

use connector::sandbox::Harness;
use serde_json::{Value, json};

use super::{
    errors::{Answer, ApiError, Outcome},
    objects::texts,
    routes::Ctx,
    state::{Record, State},
    types::ObjectType,
    values,
};

const MAX_GROUPS: usize = 5;
const MAX_FILTERS: usize = 6;
const MAX_ALL_FILTERS: usize = 18;
const MAX_QUERY: usize = 3_000;
const MAX_PAGE: u64 = 200;
/// No page reaches past so many results.
const MAX_RESULTS: u64 = 10_000;

/// One condition, ready to be judged.
struct Filter {
    property: String,
    test: Test,
}

enum Test {
    Has(bool),
    Compare(fn(std::cmp::Ordering) -> bool, Operand),
    Between(Operand, Operand),
    In(Vec<String>, bool),
    Token(Vec<String>, bool),
    /// Ids of the records that are associated with another.
    Associated(Vec<u64>),
}

/// A value as the property's type compares it.
#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Number(f64),
    Text(String),
    /// Enumerations mind case.
    Exact(String),
}

pub(super) fn search(ctx: &mut Ctx<'_>, path: &[&str]) -> Outcome {
    let kind = ctx.readable(path[0])?;
    let body = ctx.body.clone();
    let query = body["query"].as_str().unwrap_or_default().to_lowercase();
    if query.chars().count() > MAX_QUERY {
        return Err(ApiError::invalid("The query is longer than 3000 characters"));
    }
    let limit = body["limit"].as_u64().unwrap_or(10);
    if limit > MAX_PAGE {
        return Err(ApiError::invalid(format!("limit must be at most {MAX_PAGE}, and {limit} was given")));
    }
    let after = match &body["after"] {
        Value::String(text) if text.is_empty() => 0,
        Value::String(text) => text.parse().map_err(|_| ApiError::invalid("after is no number"))?,
        Value::Number(number) => number.as_u64().unwrap_or(0),
        _ => 0,
    };
    if after + limit > MAX_RESULTS {
        return Err(ApiError::invalid("The sum of after and limit must be at most 10000"));
    }
    let now = ctx.now_exact();
    ctx.state.index(&kind.id, now);
    let groups = groups(ctx.state, &kind, &body)?;
    let sort = sort(ctx.state, &kind, &body)?;
    let asked = texts(&body["properties"]);
    let from = first_id(&groups);
    let words: Vec<&str> = query.split_whitespace().collect();

    let index = ctx.state.index(&kind.id, now);
    let matches = |record: &&Record| {
        (groups.is_empty() || groups.iter().any(|group| group.iter().all(|filter| filter.fits(record))))
            && (words.is_empty() || {
                let values = kind.searched.iter().filter_map(|name| record.properties.get(name));
                let text = values.fold(String::new(), |text, value| text + " " + &value.to_lowercase());
                words.iter().all(|word| text.contains(word))
            })
    };
    let mut found: Vec<&Record> = index.range(from..).map(|(_, record)| record).filter(matches).collect();
    // The index is kept by id, so that order costs nothing.
    if let Some((property, numeric, descending)) =
        sort.filter(|(name, _, descending)| name != "hs_object_id" || *descending)
    {
        let of =
            |record: &Record| operand(record.properties.get(&property).map_or("", String::as_str), numeric);
        let mut keyed: Vec<_> = found.into_iter().map(|record| (of(record), record)).collect();
        keyed.sort_by(|(a, _), (b, _)| {
            let order = compare(a, b).unwrap_or(std::cmp::Ordering::Equal);
            if descending { order.reverse() } else { order }
        });
        found = keyed.into_iter().map(|(_, record)| record).collect();
    }
    let total = found.len() as u64;
    let page: Vec<Record> = found.into_iter().skip(after as usize).take(limit as usize).cloned().collect();
    let results: Vec<Value> =
        page.iter().map(|record| values::shown(ctx.state, &kind, record, &asked, &[])).collect();
    let mut answer = json!({"total": total, "results": results});
    if after + limit < total {
        answer["paging"] = json!({"next": {"after": (after + limit).to_string()}});
    }
    Ok(Answer::ok(answer))
}

/// The lowest id that can match: the index is kept by id.
fn first_id(groups: &[Vec<Filter>]) -> u64 {
    let of = |group: &Vec<Filter>| {
        let bound = group.iter().find_map(|filter| match &filter.test {
            Test::Compare(test, Operand::Number(id))
                if filter.property == "hs_object_id"
                    && test(std::cmp::Ordering::Greater)
                    && !test(std::cmp::Ordering::Less) =>
            {
                Some(*id as u64)
            }
            _ => None,
        });
        bound.unwrap_or(0)
    };
    groups.iter().map(of).min().unwrap_or(0)
}

fn groups(state: &State, kind: &ObjectType, body: &Value) -> Outcome<Vec<Vec<Filter>>> {
    let mut groups: Vec<&Value> = body["filterGroups"].as_array().into_iter().flatten().collect();
    let bare = json!({"filters": body["filters"]});
    if groups.is_empty() && body["filters"].is_array() {
        groups.push(&bare);
    }
    let filters = |group: &Value| group["filters"].as_array().map_or(0, Vec::len);
    let all: usize = groups.iter().map(|group| filters(group)).sum();
    if groups.len() > MAX_GROUPS
        || groups.iter().any(|group| filters(group) > MAX_FILTERS)
        || all > MAX_ALL_FILTERS
    {
        return Err(ApiError::invalid(format!(
            "At most {MAX_GROUPS} filterGroups with {MAX_FILTERS} filters each and {MAX_ALL_FILTERS} in all are allowed"
        )));
    }
    let read = |group: &&Value| {
        let list = group["filters"].as_array().into_iter().flatten();
        list.map(|filter| Filter::read(state, kind, filter)).collect::<Outcome<Vec<_>>>()
    };
    groups.iter().map(read).collect()
}

fn sort(state: &State, kind: &ObjectType, body: &Value) -> Outcome<Option<(String, bool, bool)>> {
    let sorts = body["sorts"].as_array().cloned().unwrap_or_default();
    if sorts.len() > 1 {
        return Err(ApiError::invalid("Only one sort is allowed"));
    }
    let Some(sort) = sorts.first() else { return Ok(None) };
    let name = sort["propertyName"].as_str().or_else(|| sort.as_str()).unwrap_or_default();
    let (name, minus) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
    let property = values::find(state, kind, name).ok_or_else(|| unknown(name))?;
    Ok(Some((name.to_owned(), is_numeric(property), minus || sort["direction"] == "DESCENDING")))
}

fn unknown(name: &str) -> ApiError {
    ApiError::values(&[json!({
        "isValid": false,
        "message": format!("Property \"{name}\" does not exist"),
        "error": "PROPERTY_DOESNT_EXIST",
        "name": name,
    })])
}

fn is_numeric(property: &Value) -> bool {
    ["number", "date", "datetime"].contains(&property["type"].as_str().unwrap_or_default())
}

fn operand(text: &str, numeric: bool) -> Operand {
    if numeric {
        let number = text.parse::<f64>().ok();
        let number = number.or_else(|| Some(values::moment(text)?.as_millisecond() as f64));
        return number.map_or_else(|| Operand::Text(String::new()), Operand::Number);
    }
    Operand::Text(text.to_lowercase())
}

fn compare(a: &Operand, b: &Operand) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Operand::Number(a), Operand::Number(b)) => a.partial_cmp(b),
        (Operand::Text(a), Operand::Text(b)) | (Operand::Exact(a), Operand::Exact(b)) => Some(a.cmp(b)),
        (Operand::Text(_), Operand::Number(_)) => Some(std::cmp::Ordering::Less),
        (Operand::Number(_), Operand::Text(_)) => Some(std::cmp::Ordering::Greater),
        _ => None,
    }
}

impl Filter {
    fn read(state: &State, kind: &ObjectType, filter: &Value) -> Outcome<Self> {
        let name = filter["propertyName"].as_str().unwrap_or_default();
        let operator = filter["operator"].as_str().unwrap_or_default();
        let given = |member: &str| {
            filter[member]
                .as_str()
                .map(str::to_owned)
                .or_else(|| filter[member].is_number().then(|| filter[member].to_string()))
        };
        if let Some(other) = name.strip_prefix("associations.") {
            return associated(state, kind, other, filter);
        }
        let property = values::find(state, kind, name).ok_or_else(|| unknown(name))?;
        let numeric = is_numeric(property);
        let needed = |member: &str| {
            given(member).ok_or_else(|| ApiError::invalid(format!("{operator} on {name} needs {member}")))
        };
        let exact = ["enumeration", "bool"].contains(&property["type"].as_str().unwrap_or_default());
        let of = |text: String| if exact { Operand::Exact(text) } else { operand(&text, numeric) };
        let test = match operator {
            "HAS_PROPERTY" | "NOT_HAS_PROPERTY" => {
                // A value, even an empty one, is refused (appsmith#39865).
                if !filter["value"].is_null() || !filter["values"].is_null() || !filter["highValue"].is_null()
                {
                    return Err(ApiError::invalid(format!("{operator} on {name} takes no value")));
                }
                Test::Has(operator == "HAS_PROPERTY")
            }
            "EQ" => Test::Compare(std::cmp::Ordering::is_eq, of(needed("value")?)),
            "NEQ" => Test::Compare(std::cmp::Ordering::is_ne, of(needed("value")?)),
            "LT" => Test::Compare(std::cmp::Ordering::is_lt, of(needed("value")?)),
            "LTE" => Test::Compare(std::cmp::Ordering::is_le, of(needed("value")?)),
            "GT" => Test::Compare(std::cmp::Ordering::is_gt, of(needed("value")?)),
            "GTE" => Test::Compare(std::cmp::Ordering::is_ge, of(needed("value")?)),
            "BETWEEN" => Test::Between(of(needed("value")?), of(needed("highValue")?)),
            "IN" | "NOT_IN" => {
                let values = texts(&filter["values"]);
                if values.is_empty() {
                    return Err(ApiError::invalid(format!("{operator} on {name} needs values")));
                }
                Test::In(values, operator == "IN")
            }
            "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN" => {
                let wanted = needed("value")?.to_lowercase();
                Test::Token(tokens(&wanted, true), operator == "CONTAINS_TOKEN")
            }
            other => return Err(ApiError::invalid(format!("{other} is no operator"))),
        };
        Ok(Self { property: name.to_owned(), test })
    }

    fn fits(&self, record: &Record) -> bool {
        if let Test::Associated(ids) = &self.test {
            return ids.contains(&record.id);
        }
        let value =
            record.properties.get(&self.property).map(String::as_str).filter(|value| !value.is_empty());
        let Some(value) = value else {
            return match &self.test {
                Test::Has(wanted) => !wanted,
                Test::Compare(test, _) => test(std::cmp::Ordering::Less) && test(std::cmp::Ordering::Greater),
                Test::In(_, wanted) | Test::Token(_, wanted) => !wanted,
                Test::Between(..) | Test::Associated(_) => false,
            };
        };
        let like = |operand: &Operand| match operand {
            Operand::Exact(_) => Operand::Exact(value.to_owned()),
            Operand::Number(_) => self::operand(value, true),
            Operand::Text(_) => self::operand(value, false),
        };
        match &self.test {
            Test::Has(wanted) => *wanted,
            // An enumeration of several values equals each of them.
            Test::Compare(test, Operand::Exact(wanted)) => {
                let equal = value == wanted || value.split(';').any(|one| one == wanted);
                test(if equal { std::cmp::Ordering::Equal } else { value.cmp(wanted) })
            }
            Test::Compare(test, wanted) => compare(&like(wanted), wanted).is_some_and(test),
            Test::Between(low, high) => {
                compare(&like(low), low).is_some_and(std::cmp::Ordering::is_ge)
                    && compare(&like(high), high).is_some_and(std::cmp::Ordering::is_le)
            }
            // Texts are compared in lower case: what is given in capitals never matches.
            Test::In(values, wanted) => {
                let lower = value.to_lowercase();
                values.iter().any(|one| *one == lower || value.split(';').any(|part| part == one)) == *wanted
            }
            Test::Token(wanted, holds) => {
                let own = tokens(&value.to_lowercase(), false);
                let all = wanted.iter().all(|token| own.iter().any(|own| wild(token, own)));
                all == *holds
            }
            Test::Associated(_) => false,
        }
    }
}

fn associated(state: &State, kind: &ObjectType, other: &str, filter: &Value) -> Outcome<Filter> {
    let other =
        state.type_of(other).ok_or_else(|| ApiError::invalid(format!("there is no object {other}")))?;
    if kind.custom || other.custom {
        return Err(ApiError::invalid("Searching by associations is not supported for custom objects"));
    }
    let one = filter["value"].as_str().map(str::to_owned).into_iter();
    let ids = one.chain(texts(&filter["values"])).filter_map(|id| id.parse::<u64>().ok());
    let linked = ids.flat_map(|id| {
        let place = (other.id.clone(), id);
        state.indexed_with(&place, &kind.id)
    });
    Ok(Filter { property: String::new(), test: Test::Associated(linked.collect()) })
}

fn tokens(text: &str, wild: bool) -> Vec<String> {
    let parts = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || wild && c == '*'));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether a token fits a pattern with stars.
fn wild(pattern: &str, token: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == token,
        Some((head, "")) => token.starts_with(head),
        Some((head, rest)) => token.strip_prefix(head).is_some_and(|left| {
            (0..=left.len()).filter(|at| left.is_char_boundary(*at)).any(|at| wild(rest, &left[at..]))
        }),
    }
}

/// How many records each type's index holds, for the control route.
pub(super) fn sizes(state: &mut State, harness: &Harness) -> BTreeMap<String, usize> {
    let kinds: Vec<String> = state.tables.keys().cloned().collect();
    let now = harness.clock().now();
    kinds.into_iter().map(|kind| (kind.clone(), state.index(&kind, now).len())).collect()
}
