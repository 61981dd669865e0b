//! Conditions: what an agent writes in `where`, as HubSpot's filters, with words for the reply on how each was
//! understood.

mod condition;
mod state;

use connector::{
    Error, Result,
    catalog::{Calendar, minute_in, one_line},
};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::{
    api::{definitions::Property, objects::Filter},
    redact::Redacted,
    resolve::{self, Fields, Names, RecordRef},
};

use condition::operator;
pub(crate) use condition::{Condition, Where, where_as_in_search};

/// The most groups of one search, filters of one group, and filters in all.
pub(crate) const MAX_GROUPS: usize = 5;
/// The most filters of one group.
pub(crate) const MAX_FILTERS: usize = 6;
/// The most filters of one search.
pub(crate) const MAX_ALL_FILTERS: usize = 18;

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

/// What of two choices holds at once: each of the one with each of the other.
fn both(some: &[Vec<Filter>], others: &[Vec<Filter>]) -> Alternatives {
    let with = |group: &Vec<Filter>| -> Alternatives {
        others.iter().map(|other| [group.as_slice(), other.as_slice()].concat()).collect()
    };
    some.iter().flat_map(with).collect()
}

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
        let own = self.pipeline_of(conditions);
        let pipeline = pipeline.map(str::to_owned).or(own);
        for condition in conditions {
            let alternatives = match condition {
                Condition::Any(members) => self.any(members, pipeline.as_deref(), &mut understood).await?,
                condition @ Condition::Field { .. } => {
                    let (groups, word) =
                        self.one(condition, pipeline.as_deref(), &mut understood.notes).await?;
                    understood.words.push(word);
                    groups
                }
            };
            groups = both(&groups, &alternatives);
        }
        let all: usize = groups.iter().map(Vec::len).sum();
        if groups.len() > MAX_GROUPS
            || groups.iter().any(|group| group.len() > MAX_FILTERS)
            || all > MAX_ALL_FILTERS
        {
            return Err(Error::invalid(format!(
                "These conditions need {} groups and {all} filters; HubSpot takes at most {MAX_GROUPS} groups of {MAX_FILTERS} filters, {MAX_ALL_FILTERS} in all",
                groups.len()
            ))
            .with_hint("Use `in` with several values instead of `any`, or ask in parts"));
        }
        if groups.iter().any(|group| !group.is_empty()) {
            understood.groups = groups;
        }
        Ok(understood)
    }

    /// One of `members` is enough, of each of which all must hold.
    async fn any(
        &self,
        members: &[Vec<Condition>],
        pipeline: Option<&str>,
        understood: &mut Understood,
    ) -> Result<Alternatives> {
        let (mut all, mut words) = (Vec::new(), Vec::new());
        for member in members {
            let own = self.pipeline_of(member);
            let mut groups: Alternatives = vec![Vec::new()];
            let mut parts = Vec::new();
            for condition in member {
                let pipeline = own.as_deref().or(pipeline);
                let (more, word) = self.one(condition, pipeline, &mut understood.notes).await?;
                groups = both(&groups, &more);
                parts.push(word);
            }
            words.push(match &parts[..] {
                [] => return Err(Error::invalid("`any` has a condition without a field")),
                [one] => one.clone(),
                several if members.len() == 1 => several.join(" and "),
                several => format!("({})", several.join(" and ")),
            });
            all.extend(groups);
        }
        if all.is_empty() {
            return Err(Error::invalid("`any` is empty").with_hint("Give a list of conditions"));
        }
        understood.words.push(words.join(" or "));
        Ok(all)
    }

    /// The pipeline that `conditions` name, in which a stage beside it is meant.
    fn pipeline_of(&self, conditions: &[Condition]) -> Option<String> {
        let (pipelines, _) = self.fields.object.stage?;
        conditions.iter().find_map(|condition| match condition {
            Condition::Field { field, op, value, .. }
                if operator(op).is_ok_and(|op| op == "=")
                    && self.fields.find(field).is_ok_and(|property| property.name == pipelines) =>
            {
                resolve::values(pipelines, value).ok()?.into_iter().next()
            }
            _ => None,
        })
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
        if let Some(state) = self.state_field(field) {
            return self.state_is(state, op, value).await;
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
            // An option is one of those that a record has, or it is not.
            "contains" if self.is_chosen(property) => ("in", wanted),
            "not_contains" if self.is_chosen(property) => ("not_in", wanted),
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
        let is_stage = self.fields.object.stage.is_some_and(|(_, stage)| stage == name);
        if let ([word], true, "=" | "!=" | "in" | "not_in") = (&wanted[..], is_stage, op)
            && let Some(state) = self.state_meant(word, pipeline).await?
        {
            return self.state(state, matches!(op, "=" | "in")).await;
        }
        if matches!(op, "in" | "not_in") {
            let mut values = Vec::new();
            let mut shown = Vec::new();
            for word in &wanted {
                if is_stage && let Some(state) = self.state_meant(word, pipeline).await? {
                    values.extend(self.stages_of(state).await?);
                    shown.push(state.word().to_owned());
                    continue;
                }
                let (value, told) = self.value(property, word, pipeline).await?;
                // HubSpot compares texts in lower case here; options keep theirs.
                values.push(if property.kind == "string" { value.to_lowercase() } else { value });
                shown.push(told);
            }
            let operator = if op == "in" { "IN" } else { "NOT_IN" };
            let word = format!("{label} {} {}", if op == "in" { "in" } else { "not in" }, shown.join(", "));
            let filter = Filter { values: values.clone(), ..Filter::new(name, operator) };
            if self.has_more_addresses(name) {
                return Ok(addresses(filter, &values, word));
            }
            return Ok((vec![vec![filter]], word));
        }
        if wanted.len() > 1 {
            return Err(Error::invalid(format!(
                "`{op}` on `{name}` takes one value, and {} were given",
                wanted.len()
            ))
            .with_hint("Use `in` for one of several, `between` for a range"));
        }
        if matches!(property.kind.as_str(), "date" | "datetime") {
            return match resolve::range(first) {
                Some((low, up)) if op == "=" => {
                    self.between(property, &[low.to_owned(), up.to_owned()], &Value::Null)
                }
                _ => self.dated(property, op, first),
            };
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
        if self.has_more_addresses(name) {
            return Ok(addresses(filter, &[value], word));
        }
        Ok((vec![vec![filter]], word))
    }

    /// Whether a property's values are chosen from those there are: options, stages, pipelines, owners.
    fn is_chosen(&self, property: &Property) -> bool {
        let staged = self.fields.object.stage;
        property.kind == "enumeration" && !property.options.is_empty()
            || property.is_owner() && property.external_options
            || staged.is_some_and(|(pipeline, stage)| [pipeline, stage].contains(&property.name.as_str()))
    }

    /// Whether a property has one address of a contact, and another one the others.
    fn has_more_addresses(&self, name: &str) -> bool {
        name == "email" && self.fields.get(ADDITIONAL_EMAILS).is_some()
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
                let day = |at: jiff::Timestamp| minute_in(at, &self.zone);
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

/// A condition on a contact's first address, looked at in the others too. A search has room for a few of them.
fn addresses(filter: Filter, values: &[String], word: String) -> (Alternatives, String) {
    if values.len() >= MAX_GROUPS {
        return (
            vec![vec![filter]],
            format!(
                "{word} (first addresses only; at most {} can be looked for among secondary ones)",
                MAX_GROUPS - 1
            ),
        );
    }
    let not = match filter.operator {
        "EQ" | "IN" | "CONTAINS_TOKEN" => false,
        "NEQ" | "NOT_IN" | "NOT_CONTAINS_TOKEN" => true,
        // What is greater or less is so by one address.
        _ => return (vec![vec![filter]], word),
    };
    let operator = if not { "NOT_CONTAINS_TOKEN" } else { "CONTAINS_TOKEN" };
    let others = values.iter().map(|value| Filter::value(ADDITIONAL_EMAILS, operator, value.clone()));
    let groups = if not {
        vec![[filter].into_iter().chain(others).collect()]
    } else {
        [vec![filter]].into_iter().chain(others.map(|other| vec![other])).collect()
    };
    (groups, format!("{word} (secondary addresses too)"))
}

/// Where a contact's other addresses stand.
pub(crate) const ADDITIONAL_EMAILS: &str = "hs_additional_emails";
/// Where a company's other domains stand.
pub(crate) const ADDITIONAL_DOMAINS: &str = "hs_additional_domains";

fn millis(at: jiff::Timestamp) -> String {
    at.as_millisecond().to_string()
}

/// The members of a plain object, for arguments that are one.
pub(crate) type Members = Map<String, Value>;
