//! Conditions: what an agent writes in `where`, as HubSpot's filters, with words for the reply on how each was
//! understood.

use std::borrow::Cow;

use connector::{
    Error, Result,
    catalog::{Calendar, names::fold, one_line},
};
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::{
    api::{definitions::Property, objects::Filter},
    redact::Redacted,
    resolve::{self, Fields, Names, RecordRef},
};

/// The most groups of one search, filters of one group, and filters in all.
pub(crate) const MAX_GROUPS: usize = 5;
/// The most filters of one group.
pub(crate) const MAX_FILTERS: usize = 6;
/// The most filters of one search.
pub(crate) const MAX_ALL_FILTERS: usize = 18;

/// The field that says whether a deal, ticket or lead is still open: no property, but what stages say.
const OPEN: &str = "open";

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
    /// One of these is enough.
    Any(Vec<Condition>),
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
        if let Some(any) = members.get("any").or_else(|| members.get("or")) {
            let list = any.as_array().ok_or("`any` is a list of conditions")?;
            let all: Result<Vec<Vec<Self>>, String> = list.iter().map(Self::read).collect();
            return Ok(vec![Self::Any(all?.concat())]);
        }
        let first = |names: &[&str]| names.iter().find_map(|name| members.get(*name)).cloned();
        let Some(field) =
            first(&["field", "propertyName", "property"]).and_then(|name| name.as_str().map(str::to_owned))
        else {
            return Ok(members.iter().map(|(field, value)| Self::equals(field, value.clone())).collect());
        };
        let op = first(&["op", "operator"]).and_then(|op| op.as_str().map(str::to_owned));
        let value = first(&["value", "values"]).unwrap_or_default();
        let high = first(&["to", "highValue", "high_value"]).unwrap_or_default();
        Ok(vec![match op {
            Some(op) => Self::Field { field, op, value, high },
            None => Self::equals(&field, value),
        }])
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
            "description": "All must hold; {any: [...]}: one of several; an object: equality. Dates like \"this month\"; field open: not closed",
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

/// Conditions as HubSpot takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Understood {
    /// Any of these groups, in each of which all hold; none for all records.
    pub(crate) groups: Vec<Vec<Filter>>,
    /// How each condition was understood.
    pub(crate) words: Vec<String>,
    /// What was left aside.
    pub(crate) notes: Vec<String>,
    /// The record that all are associated with, if one was named.
    pub(crate) associated: Option<RecordRef>,
}

/// What is needed to understand conditions on an object.
pub(crate) struct Filters<'a> {
    pub(crate) names: &'a Names,
    pub(crate) fields: &'a Fields,
    pub(crate) redacted: &'a Redacted,
    pub(crate) calendar: Calendar,
    pub(crate) zone: TimeZone,
}

/// Either of these groups of filters will do.
type Alternatives = Vec<Vec<Filter>>;

impl<'a> Filters<'a> {
    pub(crate) async fn new(names: &'a Names, fields: &'a Fields, redacted: &'a Redacted) -> Result<Self> {
        let account = names.account().await?;
        let zone = TimeZone::get(&account.time_zone).unwrap_or(TimeZone::UTC);
        Ok(Self { names, fields, redacted, calendar: Calendar::new(Some(account.time_zone.as_str())), zone })
    }

    /// Understands conditions, in the pipeline that is meant where a stage's label is in several.
    ///
    /// # Errors
    /// `invalid_argument` or `not_found` for what cannot be meant; `policy` for what may not be searched by.
    pub(crate) async fn understand(
        &self,
        conditions: &[Condition],
        pipeline: Option<&str>,
    ) -> Result<Understood> {
        let mut understood = Understood::default();
        let mut groups: Alternatives = vec![Vec::new()];
        for condition in conditions {
            let alternatives = match condition {
                Condition::Any(any) => {
                    let mut all = Vec::new();
                    let mut words = Vec::new();
                    for condition in any {
                        let (groups, word) = self.one(condition, pipeline, &mut understood.notes).await?;
                        all.extend(groups);
                        words.push(word);
                    }
                    understood.words.push(words.join(" or "));
                    all
                }
                condition @ Condition::Field { .. } => {
                    let (groups, word) = self.one(condition, pipeline, &mut understood.notes).await?;
                    understood.words.push(word);
                    groups
                }
            };
            groups = groups
                .iter()
                .flat_map(|group| {
                    alternatives.iter().map(move |other| [group.as_slice(), other.as_slice()].concat())
                })
                .collect();
        }
        let all: usize = groups.iter().map(Vec::len).sum();
        if groups.len() > MAX_GROUPS
            || groups.iter().any(|group| group.len() > MAX_FILTERS)
            || all > MAX_ALL_FILTERS
        {
            return Err(Error::invalid(format!(
                "These conditions need {} groups and {all} filters; HubSpot takes {MAX_GROUPS} groups of {MAX_FILTERS}, {MAX_ALL_FILTERS} in all",
                groups.len()
            ))
            .with_hint("Use `in` with several values instead of `any`, or ask in parts"));
        }
        if groups.iter().any(|group| !group.is_empty()) {
            understood.groups = groups;
        }
        Ok(understood)
    }

    async fn one(
        &self,
        condition: &Condition,
        pipeline: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Result<(Alternatives, String)> {
        let Condition::Field { field, op, value, high } = condition else {
            return Err(Error::invalid("`any` cannot stand inside `any`"));
        };
        if fold(field) == OPEN && self.fields.get(OPEN).is_none() {
            return self.open(op, value).await;
        }
        let property = self.fields.find(field)?;
        self.redacted.admits(&property.name)?;
        let op = operator(op)?;
        let name = property.name.as_str();
        let label = one_line(&property.label);
        let wanted = if value.is_null() { Vec::new() } else { resolve::values(name, value)? };
        let wanted: Vec<String> = wanted.into_iter().filter(|word| !word.is_empty()).collect();
        let nobody = property.is_owner() && matches!(&wanted[..], [word] if resolve::is_nobody(word));
        let (op, wanted) = match op {
            "=" | "in" if nobody => ("missing", Vec::new()),
            "!=" | "not_in" if nobody => ("has", Vec::new()),
            op => (op, wanted),
        };
        if matches!(op, "has" | "missing") {
            if !wanted.is_empty() {
                notes.push(format!("`{op}` on {name} takes no value; the one given was ignored"));
            }
            let operator = if op == "has" { "HAS_PROPERTY" } else { "NOT_HAS_PROPERTY" };
            let word = format!("{label} is {}", if op == "has" { "known" } else { "missing" });
            return Ok((vec![vec![Filter::new(name, operator)]], word));
        }
        if op == "between" {
            return self.between(property, &wanted, high);
        }
        let Some(first) = wanted.first() else {
            return Err(Error::invalid(format!("`{op}` on `{name}` needs a value"))
                .with_hint("For fields without a value use the operator `missing`"));
        };
        if matches!(op, "in" | "not_in") {
            let mut values = Vec::new();
            let mut shown = Vec::new();
            for word in &wanted {
                let (value, told) = self.value(property, word, pipeline).await?;
                // HubSpot compares texts in lower case here; options keep theirs.
                values.push(if property.kind == "string" { value.to_lowercase() } else { value });
                shown.push(told);
            }
            let operator = if op == "in" { "IN" } else { "NOT_IN" };
            let word = format!("{label} {} {}", if op == "in" { "in" } else { "not in" }, shown.join(", "));
            return Ok((vec![vec![Filter { values, ..Filter::new(name, operator) }]], word));
        }
        if wanted.len() > 1 {
            return Err(Error::invalid(format!(
                "`{op}` on `{name}` takes one value, and {} were given",
                wanted.len()
            ))
            .with_hint("Use `in` for one of several, `between` for a range"));
        }
        if matches!(property.kind.as_str(), "date" | "datetime") {
            return self.dated(property, op, first);
        }
        let operator = match op {
            "=" => "EQ",
            "!=" => "NEQ",
            "<" => "LT",
            "<=" => "LTE",
            ">" => "GT",
            ">=" => "GTE",
            "contains" => "CONTAINS_TOKEN",
            _ => "NOT_CONTAINS_TOKEN",
        };
        let (value, told) = if matches!(op, "contains" | "not_contains") {
            (first.clone(), first.clone())
        } else {
            self.value(property, first, pipeline).await?
        };
        let word = format!("{label} {} {told}", op.replace('_', " "));
        let filter = Filter::value(name, operator, value.clone());
        // A contact has one address in `email`, and the others elsewhere.
        if name == "email" && op == "=" && self.fields.get(ADDITIONAL_EMAILS).is_some() {
            let other = Filter::value(ADDITIONAL_EMAILS, "CONTAINS_TOKEN", value);
            return Ok((vec![vec![filter], vec![other]], format!("{word} (secondary addresses too)")));
        }
        Ok((vec![vec![filter]], word))
    }

    /// Open or closed: by the flags of stages, never by their names or by dates.
    async fn open(&self, op: &str, value: &Value) -> Result<(Alternatives, String)> {
        let text = resolve::values(OPEN, value)?.join("");
        let wanted = resolve::switch(OPEN, &text)? == (operator(op)? != "!=");
        let word = if wanted { "open" } else { "closed" };
        if self.fields.get("hs_is_closed").is_some() {
            let filter = Filter::value("hs_is_closed", "EQ", (!wanted).to_string());
            return Ok((vec![vec![filter]], format!("{word} (by the stage's flag)")));
        }
        let Some((_, stages)) = self.fields.object.stage else {
            if self.fields.object.name == "tasks" {
                let operator = if wanted { "NEQ" } else { "EQ" };
                return Ok((
                    vec![vec![Filter::value("hs_task_status", operator, "COMPLETED")]],
                    word.to_owned(),
                ));
            }
            return Err(Error::invalid(format!("{} are neither open nor closed", self.fields.object.plural)));
        };
        let pipelines = self.names.pipelines(&self.fields.object).await?;
        let fitting = pipelines
            .iter()
            .flat_map(|pipeline| &pipeline.stages)
            .filter(|stage| stage.is_closed() != wanted);
        let values: Vec<String> = fitting.map(|stage| stage.id.clone()).collect();
        if values.is_empty() {
            return Err(Error::invalid(format!("No stage of {} is {word}", self.fields.object.plural)));
        }
        let filter = Filter { values, ..Filter::new(stages, "IN") };
        Ok((vec![vec![filter]], format!("{word} (by the stage's flag)")))
    }

    /// Two bounds, or a period that has both.
    fn between(
        &self,
        property: &Property,
        wanted: &[String],
        high: &Value,
    ) -> Result<(Alternatives, String)> {
        let name = property.name.as_str();
        let label = one_line(&property.label);
        let high = if high.is_null() { Vec::new() } else { resolve::values(name, high)? };
        let bounds: Vec<&str> = wanted
            .iter()
            .chain(&high)
            .flat_map(|word| word.split(".."))
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect();
        let dated = matches!(property.kind.as_str(), "date" | "datetime");
        let (low, up) = match bounds[..] {
            [low, up] => (low, up),
            [period] if dated => (period, period),
            _ => {
                return Err(Error::invalid(format!("`between` on `{name}` needs two bounds")).with_hint(
                    if dated {
                        "Give a list of two dates, or a period like \"this month\""
                    } else {
                        "Give a list of two values"
                    },
                ));
            }
        };
        let (low, up, told) = match property.kind.as_str() {
            "date" => {
                let (first, _) = resolve::days(&self.calendar, &self.zone, property, low)?;
                let (_, last) = resolve::days(&self.calendar, &self.zone, property, up)?;
                (resolve::midnight(first)?, resolve::midnight(last)?, format!("{first} and {last}"))
            }
            "datetime" => {
                let start = resolve::moment(&self.calendar, property, low)?;
                let end = resolve::moment(&self.calendar, property, up)?;
                let day = |at: jiff::Timestamp| {
                    at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
                };
                let told = format!("{} and {}", day(start.start()), day(end.end()));
                (millis(start.start()), millis(end.end()), told)
            }
            "number" => {
                let (low, up) = (resolve::quantity(property, low)?, resolve::quantity(property, up)?);
                let told = format!("{low} and {up}");
                (low, up, told)
            }
            _ => (low.to_owned(), up.to_owned(), format!("{low} and {up}")),
        };
        let filter = Filter { high_value: Some(up), ..Filter::value(name, "BETWEEN", low) };
        Ok((vec![vec![filter]], format!("{label} between {told}")))
    }

    /// A condition on a day or a moment. What is said as a day is the whole day, in the account's zone; a `date`
    /// is compared by midnights in UTC, which is how HubSpot keeps it.
    fn dated(&self, property: &Property, op: &str, text: &str) -> Result<(Alternatives, String)> {
        let name = property.name.as_str();
        let label = one_line(&property.label);
        let (low, up, shown) = if property.kind == "date" {
            let (first, last) = resolve::days(&self.calendar, &self.zone, property, text)?;
            let shown = if first == last { first.to_string() } else { format!("{first} to {last}") };
            (resolve::midnight(first)?, resolve::midnight(last)?, shown)
        } else {
            let when = resolve::moment(&self.calendar, property, text)?;
            (millis(when.start()), millis(when.end()), when.describe())
        };
        let range = || Filter { high_value: Some(up.clone()), ..Filter::value(name, "BETWEEN", low.clone()) };
        let groups = match op {
            "=" | "contains" => vec![vec![range()]],
            "!=" | "not_contains" => {
                vec![vec![Filter::value(name, "LT", low)], vec![Filter::value(name, "GT", up)]]
            }
            "<" => vec![vec![Filter::value(name, "LT", low)]],
            "<=" => vec![vec![Filter::value(name, "LTE", up)]],
            ">" => vec![vec![Filter::value(name, "GT", up)]],
            _ => vec![vec![Filter::value(name, "GTE", low)]],
        };
        Ok((groups, format!("{label} {op} {shown}")))
    }

    /// A value as HubSpot compares it, and how it was understood.
    async fn value(
        &self,
        property: &Property,
        word: &str,
        pipeline: Option<&str>,
    ) -> Result<(String, String)> {
        let (object, name) = (&self.fields.object, property.name.as_str());
        if let Some((pipelines, stages)) = object.stage {
            if name == stages {
                let found = self.names.stage(object, word, pipeline).await?;
                let told = format!("{} in {}", one_line(&found.stage.label), one_line(&found.pipeline.label));
                return Ok((found.stage.id, told));
            }
            if name == pipelines {
                let found = self.names.pipeline(object, word).await?;
                return Ok((found.id, one_line(&found.label)));
            }
        }
        if property.is_owner() && property.external_options {
            let owner = self.names.owner(word).await?;
            return Ok((owner.id.clone(), one_line(&owner.shown())));
        }
        Ok(match property.kind.as_str() {
            "enumeration" if !property.options.is_empty() => {
                let choice = resolve::option(property, word)?;
                (choice.value.clone(), one_line(&choice.label))
            }
            "bool" => {
                let on = resolve::switch(name, word)?;
                (on.to_string(), if on { "yes" } else { "no" }.to_owned())
            }
            "number" => {
                let number = resolve::quantity(property, word)?;
                (number.clone(), number)
            }
            _ => (word.to_owned(), one_line(word)),
        })
    }
}

/// Where a contact's other addresses stand.
pub(crate) const ADDITIONAL_EMAILS: &str = "hs_additional_emails";

fn millis(at: jiff::Timestamp) -> String {
    at.as_millisecond().to_string()
}

fn operator(word: &str) -> Result<&'static str> {
    let folded = word.trim().to_lowercase().replace([' ', '-'], "_");
    let found = OPERATORS.iter().find(|(name, others)| *name == folded || others.contains(&folded.as_str()));
    found.map(|(name, _)| *name).ok_or_else(|| {
        let all: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
        Error::invalid(format!("There is no operator `{}`", one_line(word)))
            .with_hint(format!("There are: {}", all.join(" ")))
    })
}

/// The members of a plain object, for arguments that are one.
pub(crate) type Members = Map<String, Value>;
