//! The rule by which HubSpot fills a list, in words (developers.hubspot.com, "Lists", filters and branches; the shapes
//! of operations are those of the published OpenAPI of lists).

use std::collections::BTreeMap;

use connector::{
    Result,
    catalog::{Call, one_line},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{HubSpot, api::definitions::Property, render::Values, resolve::ObjectType};

/// Values of one condition that are told.
const VALUES: usize = 10;

/// What the words of a rule need: the values of each object it is about, by the object's id, and the names of lists.
struct Rule<'a> {
    call: &'a Call<HubSpot>,
    of: BTreeMap<String, (ObjectType, Values)>,
    lists: BTreeMap<String, String>,
}

/// A branch of conditions on `object`, in words; empty if there are none.
pub(super) async fn told(call: &Call<HubSpot>, object: &ObjectType, branch: &Value) -> Result<String> {
    let (mut properties, mut others, mut lists) = (Vec::new(), Vec::new(), Vec::new());
    for (member, found) in
        [("property", &mut properties), ("objectTypeId", &mut others), ("listId", &mut lists)]
    {
        members(branch, member, found);
    }
    let mut rule = Rule { call, of: BTreeMap::new(), lists: BTreeMap::new() };
    for id in [object.id.clone()].into_iter().chain(others) {
        // What the credential may not see is told by its id.
        let Ok(of) = call.names().object(&id).await else { continue };
        let Ok(fields) = call.names().fields(&of).await else { continue };
        let mut values = Values::read(call.names(), fields, &properties, call.redacted()).await?;
        values.read_zone(call.names()).await?;
        rule.of.insert(id, (of, values));
    }
    if !lists.is_empty()
        && let Ok(found) = call.api().search_lists("", &lists, 500, 0).await
    {
        rule.lists = found.lists.into_iter().map(|list| (list.list_id, list.name)).collect();
    }
    Ok(rule.branch(&object.id, branch))
}

/// The texts of a member, wherever it stands in a rule.
fn members(value: &Value, member: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| members(item, member, found)),
        Value::Object(all) => {
            for (name, value) in all {
                match value.as_str().filter(|_| name == member) {
                    Some(text) if !found.iter().any(|known| known == text) => found.push(text.to_owned()),
                    _ => members(value, member, found),
                }
            }
        }
        _ => {}
    }
}

impl Rule<'_> {
    fn branch(&self, object: &str, branch: &Value) -> String {
        let list = |member: &str| branch[member].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |member: &str| branch[member].as_str().unwrap_or_default();
        let kind = text("filterBranchType");
        let inner = if kind.ends_with("ASSOCIATION") { text("objectTypeId") } else { object };
        let mut all: Vec<String> =
            list("filters").iter().map(|filter| self.condition(inner, filter)).collect();
        let deeper = list("filterBranches").iter().map(|branch| (self.branch(inner, branch), parts(branch)));
        let deeper: Vec<(String, usize)> = deeper.filter(|(told, _)| !told.is_empty()).collect();
        let several = all.len() + deeper.len() > 1;
        all.extend(
            deeper
                .into_iter()
                .map(|(told, parts)| if several && parts > 1 { format!("({told})") } else { told }),
        );
        let whole = all.join(" and ");
        match kind {
            "OR" => all.join(" or "),
            "AND" | "RESTRICTED" => whole,
            _ if kind.ends_with("ASSOCIATION") => {
                let not = if text("operator").starts_with("NOT") { "not " } else { "" };
                let with = if whole.is_empty() { String::new() } else { format!(" with ({whole})") };
                format!("{not}associated with {}{with}", self.one_of(inner))
            }
            "NOT_ALL" if !whole.is_empty() => format!("not ({whole})"),
            "NOT_ANY" if !whole.is_empty() => format!("not ({})", all.join(" or ")),
            "UNIFIED_EVENTS" => {
                let with = if whole.is_empty() { String::new() } else { format!(" with ({whole})") };
                format!("{} the event {}{with}", plain(text("operator")), one_line(text("eventTypeId")))
            }
            _ => whole,
        }
    }

    /// A record of an object, as it is spoken of.
    fn one_of(&self, object: &str) -> String {
        match self.of.get(object) {
            Some((object, _)) => format!("a {}", one_line(&object.singular)),
            None => format!("a record of {}", one_line(object)),
        }
    }

    fn condition(&self, object: &str, filter: &Value) -> String {
        let text = |member: &str| filter[member].as_str().unwrap_or_default();
        let operator = text("operator");
        let is = if operator.starts_with("NOT") { "not " } else { "" };
        match (text("filterType"), text("property"), text("listId")) {
            ("PROPERTY", name, _) if !name.is_empty() => self.property(object, name, &filter["operation"]),
            ("IN_LIST" | "ASSOCIATION" | "PROPERTY_ASSOCIATION", _, id) if !id.is_empty() => {
                let whose = match text("toObjectTypeId") {
                    "" => String::new(),
                    other => format!("associated with {} ", self.one_of(other)),
                };
                match self.lists.get(id) {
                    Some(name) => format!("{whose}{is}on the list {} ({})", one_line(name), one_line(id)),
                    None => format!("{whose}{is}on the list {}", one_line(id)),
                }
            }
            (kind, ..) => {
                // What was done with a form, a page, an e-mail: which one, HubSpot says by its id.
                let ids = filter.as_object().into_iter().flatten().filter_map(|(name, value)| {
                    let known = ["filterType", "operator"].contains(&name.as_str());
                    value.as_str().filter(|_| !known).map(one_line)
                });
                let words = [plain(kind), plain(operator)].into_iter().chain(ids);
                words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
            }
        }
    }

    /// A condition on a property.
    fn property(&self, object: &str, name: &str, operation: &Value) -> String {
        let values = self.of.get(object).map(|(_, values)| values);
        let property = values.and_then(|values| values.fields.get(name));
        let label = property.map_or_else(|| one_line(name), |property| one_line(&property.label));
        let dated = property.is_some_and(|property| matches!(property.kind.as_str(), "date" | "datetime"));
        let told = |value: &Value| one_line(&said(values, property, dated, value));
        let many = operation["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let one = ["value", "timestamp", "lowerBound", "upperBound"].map(|member| &operation[member]);
        let mut all: Vec<String> =
            many.iter().chain(one.into_iter().filter(|value| !value.is_null())).map(told).collect();
        let points = ["timePoint", "lowerBoundTimePoint", "upperBoundTimePoint"];
        all.extend(points.iter().filter_map(|member| self.point(object, &operation[*member])));
        all.extend(day(operation));
        let other = operation["comparisonPropertyName"].as_str();
        all.extend(other.map(|other| self.label(object, other)));
        if self.call.redacted().hides(name) && !all.is_empty() {
            all = vec!["(redacted)".to_owned()];
        }
        if all.len() > VALUES {
            let more = all.len() - VALUES;
            all.truncate(VALUES);
            all.push(format!("{more} more"));
        }
        let word = operation["operator"].as_str().unwrap_or_default();
        let operator = match (word, all.len()) {
            ("IS_EQUAL_TO" | "IS_ANY_OF" | "IS_EXACTLY", 1) | ("IS_EQUAL_TO", _) => "is".to_owned(),
            ("IS_NOT_EQUAL_TO" | "IS_NONE_OF" | "IS_NOT_EXACTLY", 1) | ("IS_NOT_EQUAL_TO", _) => {
                "is not".to_owned()
            }
            _ => periods(&plain(word), operation),
        };
        let between = if word.ends_with("BETWEEN") && all.len() == 2 { " and " } else { ", " };
        let or_none = if operation["includeObjectsWithNoValueSet"] == true { " (or has none)" } else { "" };
        format!("{label} {operator} {}", all.join(between)).trim_end().to_owned() + or_none
    }

    fn label(&self, object: &str, name: &str) -> String {
        let property = self.of.get(object).and_then(|(_, values)| values.fields.get(name));
        property.map_or_else(|| one_line(name), |property| one_line(&property.label))
    }

    /// A point in time: a day, one so far from today, the time in another property.
    fn point(&self, object: &str, point: &Value) -> Option<String> {
        match point["timeType"].as_str()? {
            "DATE" => day(point),
            "INDEXED" => {
                let from = plain(point["indexReference"]["referenceType"].as_str().unwrap_or("now"));
                let offset = point["offset"].as_object().into_iter().flatten();
                let offset = offset.filter_map(|(unit, many)| Some((unit, many.as_i64()?)));
                let offset: Vec<String> = offset
                    .filter(|(_, many)| *many != 0)
                    .map(|(unit, many)| {
                        let way = if many < 0 { "before" } else { "after" };
                        format!("{} {} {way} ", many.abs(), one_line(unit))
                    })
                    .collect();
                Some(format!("{}{from}", offset.concat()))
            }
            _ => point["property"].as_str().map(|name| self.label(object, name)),
        }
    }
}

/// A value as replies tell it. Times are milliseconds.
fn said(values: Option<&Values>, property: Option<&Property>, dated: bool, value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (values, property) {
        (Some(values), Some(_)) if dated => match text.parse::<i64>() {
            // The day of a `date` is a midnight in UTC.
            Ok(at) if property.is_some_and(|property| property.kind == "date") => {
                Timestamp::from_millisecond(at).map_or(text, |at| at.strftime("%Y-%m-%d").to_string())
            }
            _ => values.local(&text, "%Y-%m-%d %H:%M"),
        },
        (Some(values), Some(property)) => values.value(property, &text),
        _ => text,
    }
}

/// A day that is told by its parts.
fn day(parts: &Value) -> Option<String> {
    let month = &parts["month"];
    let month = month.as_i64().map(|month| format!("{month:02}")).or_else(|| month.as_str().map(plain))?;
    Some(format!("{}-{month}-{:02}", parts["year"].as_i64()?, parts["day"].as_i64()?))
}

/// An operator with the span that stands beside it: `IS_LESS_THAN_X_DAYS_AGO`, `IN_LAST_TIME_UNIT`.
fn periods(operator: &str, operation: &Value) -> String {
    let days = operation["numberOfDays"].as_i64();
    let unit = operation["timeUnit"].as_str().map(plain);
    let count = operation["timeUnitCount"].as_i64();
    let days = days.map(|days| if days == 1 { "1 day".to_owned() } else { format!("{days} days") });
    let operator = match days {
        Some(days) if operator.contains(" x days") => operator.replace(" x days", &format!(" {days}")),
        Some(days) => format!("{operator} {days}"),
        None => operator.to_owned(),
    };
    match (unit, count) {
        (Some(unit), Some(count)) if count != 1 => operator.replace("time unit", &format!("{count} {unit}s")),
        (Some(unit), _) => operator.replace("time unit", &unit),
        _ => operator,
    }
}

/// Of how many conditions a branch is.
fn parts(branch: &Value) -> usize {
    let many = |member: &str| branch[member].as_array().map_or(0, Vec::len);
    let deeper = branch["filterBranches"].as_array().into_iter().flatten().map(parts).sum::<usize>();
    many("filters") + deeper
}

/// HubSpot's word as a person writes it: `IS_ANY_OF`.
fn plain(word: &str) -> String {
    one_line(&word.to_lowercase().replace('_', " "))
}
